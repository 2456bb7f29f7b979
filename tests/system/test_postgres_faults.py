# SPDX-License-Identifier: GPL-3.0-or-later
"""What was acknowledged under durability sync survives each fault of servers
and nodes, and clients of durability async notice none."""
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest

from api import Api
from nodes import Herd, read_lines, wait_until
from postgres import Cluster, owner, run

PAIR = (["Ann", "Bob"], [("Ann", "Bob")])
ROUNDS = int(os.environ.get("HERD_ROUNDS", "3"))
CLIENTS = 40


@pytest.fixture
def cluster():
    with Cluster() as one:
        yield one


def store(url_file, more="durability: sync", timeout="2s"):
    return f"store: {{engine: postgres, url_file: {url_file}, timeout: {timeout}, {more}}}\n"


class Writers:
    """Clients that report to each node, again after each refusal; `acked` has
    the newest time of each that a node has answered with AT."""

    def __init__(self, nodes, seed=None):
        self.seed = int(os.environ.get("HERD_SEED", seed or random.randrange(1 << 30)))
        print("HERD_SEED", self.seed)
        self.acked, self.count, self.clock = {}, 0, 0
        self.lock, self.over = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(node, random.Random(self.seed + i)))
                        for i, node in enumerate(nodes)]

    def run(self, node, rng):
        while not self.over.is_set():
            try:
                with node.connect() as s:
                    while not self.over.is_set():
                        self.round(s, rng)
            except (OSError, AssertionError):
                self.over.wait(0.02)

    def round(self, s, rng):
        with self.lock:
            self.clock += 1
            now = self.clock
        names = [b"c%d" % rng.randrange(CLIENTS) for _ in range(4)]
        s.sendall(b"".join(b"IAMAT %s +1+1 %d\n" % (name, now) for name in names))
        for line in read_lines(s, len(names)).splitlines():
            assert line.startswith(b"AT "), line
        with self.lock:
            for name in names:
                self.acked[name] = max(self.acked.get(name, 0), now)
            self.count += len(names)

    def more(self, count=40, deadline_s=40):
        """Waits until so many more are acknowledged."""
        enough = self.count + count
        wait_until(lambda: self.count >= enough, f"{count} more are acknowledged", deadline_s)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def lost(cluster, acked):
    """Clients whose row is older than what was acknowledged."""
    held = dict(line.split("|") for line in cluster.sql(
        "SELECT encode(client, 'escape'), encode(time, 'escape') FROM herd_reports").splitlines())
    return {name: (n, held.get(name.decode())) for name, n in acked.items()
            if int(held.get(name.decode(), -1)) < n}


def check(cluster, writers, name):
    assert len(writers.acked) > CLIENTS // 2
    assert lost(cluster, writers.acked) == {}
    print(f"{name}: {writers.count} acknowledged, 0 lost")


class Trial:
    """Two nodes on a server, and clients that report to both."""

    def __init__(self, tmp_path, cluster, timeout="2s"):
        self.cluster = cluster
        self.herd = Herd(tmp_path, *PAIR, store(cluster.url_file(tmp_path), timeout=timeout))

    def run(self, name, fault, rounds=ROUNDS, between=40):
        with self.herd as herd:
            herd.start()
            with Writers(herd) as self.writers:
                for _ in range(rounds):
                    self.writers.more(between)
                    fault(herd)
                self.writers.more()
            check(self.cluster, self.writers, name)

    def nothing_is_lost(self):
        assert lost(self.cluster, dict(self.writers.acked)) == {}


def test_kill_9_of_the_server(tmp_path, cluster):
    trial = Trial(tmp_path, cluster)

    def fault(_):
        cluster.crash()
        cluster.start()
        trial.nothing_is_lost()
    trial.run("kill -9 of the postmaster", fault)


def test_kill_9_of_all_nodes(tmp_path, cluster):
    trial = Trial(tmp_path, cluster)

    def fault(herd):
        for node in herd:
            node.stop(signal.SIGKILL)
        trial.nothing_is_lost()
        herd.start()
    trial.run("kill -9 of all nodes", fault)


def test_kill_9_of_nodes_and_server_at_once(tmp_path, cluster):
    trial = Trial(tmp_path, cluster)

    def fault(herd):
        herd["Ann"].stop(signal.SIGKILL)
        cluster.crash()
        herd["Bob"].stop(signal.SIGKILL)
        cluster.start()
        trial.nothing_is_lost()
        herd.start()
    trial.run("kill -9 of nodes and postmaster", fault)


def test_connections_that_the_server_ends(tmp_path, cluster):
    Trial(tmp_path, cluster).run("pg_terminate_backend", lambda _: cluster.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"), 5 * ROUNDS, 10)


def test_backend_that_is_killed(tmp_path, cluster):
    """The server then restarts all of its processes."""
    def fault(_):
        os.kill(wait_until(cluster.backends, "a node is connected")[0], signal.SIGKILL)
        wait_until(lambda: subprocess.run(cluster.psql("SELECT 1"), capture_output=True, check=False).returncode == 0,
                   "it is back")
    Trial(tmp_path, cluster).run("kill -9 of a backend", fault)


def test_server_that_stands_still(tmp_path, cluster):
    trial = Trial(tmp_path, cluster, "500ms")

    def fault(herd):
        with cluster.frozen():
            with herd["Ann"].connect() as s:
                s.sendall(b"IAMAT frozen +1+1 5\n")
                # The connection ends without a reply.
                assert s.recv(100) == b""
            before = trial.writers.count
            herd["Ann"].wait_log("event=store-away")
            assert trial.writers.count - before <= 8  # what was under way
    trial.run("SIGSTOP", fault)


def test_statement_that_is_cancelled(tmp_path, cluster):
    cluster.sql("ALTER ROLE herd SET statement_timeout = '200ms'")

    def fault(herd):
        holder = subprocess.Popen(
            cluster.psql("SET statement_timeout = 0; BEGIN; LOCK TABLE herd_reports; SELECT pg_sleep(1000)"),
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        herd["Ann"].wait_log("event=store-away error=.*57014")
        cluster.sql("SET statement_timeout = 0; SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()")
        holder.wait()
    Trial(tmp_path, cluster).run("statement_timeout", fault, 1)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_disk_that_is_full(tmp_path):
    cluster = Cluster("max_wal_size = 64MB\nmin_wal_size = 32MB\n")
    disk = cluster.folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", disk], check=False,
                      capture_output=True).returncode != 0:
        shutil.rmtree(cluster.folder)
        pytest.skip("no tmpfs may be mounted here")
    try:
        os.chown(disk, owner().pw_uid, owner().pw_gid)
        cluster.data = disk / "data"
        with cluster:
            def fault(herd):
                fill_disk(disk)
                herd["Ann"].wait_log("event=store-away")
                (disk / "fill").unlink()
                if cluster.process.poll() is not None:
                    cluster.start()
            Trial(tmp_path, cluster).run("full disk", fault, 1)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
        shutil.rmtree(cluster.folder, ignore_errors=True)


def fill_disk(disk):
    """Again and again: a checkpoint may free some of it."""
    stop = threading.Event()

    def fill():
        with open(disk / "fill", "ab", buffering=0) as file:
            while not stop.is_set():
                try:
                    file.write(b"x" * 65536)
                except OSError:
                    stop.wait(0.005)
    thread = threading.Thread(target=fill)
    thread.start()
    wait_until(lambda: shutil.disk_usage(disk).free == 0, "the disk is full")
    stop.set()
    thread.join()


def test_standby_that_takes_over(tmp_path, cluster):
    """A commit waits for the standby, so the standby has what was
    acknowledged; nodes find it by the second host of their address."""
    standby = cluster.standby()
    try:
        path = cluster.url_file(tmp_path, cluster.url(standby))
        with Herd(tmp_path, *PAIR, store(path)) as herd:
            herd.start()
            with Writers(herd) as writers:
                writers.more(200)
                cluster.crash()
                standby.promote()
                assert lost(standby, dict(writers.acked)) == {}
                writers.more(200)
            check(standby, writers, "failover to a synchronous standby")
    finally:
        standby.__exit__()


def test_commit_that_waits_for_its_standby_is_not_acknowledged(tmp_path, cluster):
    """Cancelled while it waits, the server warns and answers as if all were
    well."""
    standby = cluster.standby()
    try:
        with Herd(tmp_path, ["Ann"], [], store(cluster.url_file(tmp_path), timeout="30s")) as herd:
            ann = herd.start()["Ann"]
            ann.iamat((b"a", b"+1+1", b"5"))
            standby.stop()
            with ann.connect() as s:
                s.sendall(b"IAMAT b +1+1 5\n")
                cancel = ("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
                          " WHERE wait_event = 'SyncRep'")
                for _ in range(ROUNDS):
                    wait_until(lambda: cluster.sql(cancel) != "0", "a commit waits")
                ann.wait_log("event=store-away error=.*warned")
                s.setblocking(False)
                with pytest.raises(BlockingIOError):
                    s.recv(100)
                s.settimeout(20)
                standby.start()
                assert read_lines(s, 1).startswith(b"AT Ann ")
    finally:
        standby.__exit__()


def test_nodes_that_write_the_same_clients_do_not_lock_each_other_out(tmp_path, cluster):
    names = ["A", "B", "C"]
    with Herd(tmp_path, names, [("A", "B"), ("B", "C")],
              store(cluster.url_file(tmp_path), "durability: sync, write: all")) as herd:
        herd.start().wait_synced()
        reports = [b"c%d" % i for i in range(2000)]

        def send(node, rng, at):
            mine = reports[:]
            rng.shuffle(mine)
            node.iamat(*((c, b"+1+1", b"%d" % at) for c in mine))
        for at in range(1, ROUNDS + 1):
            threads = [threading.Thread(target=send, args=(node, random.Random(at * 10 + i), at * 10 + i))
                       for i, node in enumerate(herd)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        herd.wait_equal(reports[:50])
        assert cluster.sql("SELECT count(*), min(encode(time, 'escape')) FROM herd_reports") == f"2000|{ROUNDS * 10 + 2}"
        assert cluster.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'") == "0"


def test_async_clients_notice_nothing_of_a_server_that_stands_still(tmp_path, cluster):
    """As fast, and no row is lost: what is owed is one row for each client.
    HERD_FREEZE_S makes it longer."""
    freeze_s = float(os.environ.get("HERD_FREEZE_S", "2"))
    with Herd(tmp_path, *PAIR, store(cluster.url_file(tmp_path), "durability: async", "500ms")) as herd:
        ann = herd.start()["Ann"]
        usual = latencies(ann, 1.0)
        with cluster.frozen():
            ann.iamat((b"owed", b"+1+1", b"5"))
            memory = resident(ann)
            frozen = latencies(ann, freeze_s)
            grown = resident(ann) - memory
        wait_until(lambda: cluster.sql("SELECT count(*) FROM herd_reports") == "101", "what was owed is written", 30)
        print(f"p50 {usual[0]:.0f} -> {frozen[0]:.0f} us, p99 {usual[1]:.0f} -> {frozen[1]:.0f} us, "
              f"{grown} KiB more memory, {frozen[2]} reports")
        assert grown < 8192


def latencies(node, seconds):
    """p50 and p99 in us of one client that reports one at a time, and how many."""
    took, end = [], time.monotonic() + seconds
    with node.connect() as s:
        while time.monotonic() < end:
            began = time.monotonic()
            s.sendall(b"IAMAT c%d +1+1 %.9f\n" % (len(took) % 100, time.time()))
            assert read_lines(s, 1).startswith(b"AT ")
            took.append((time.monotonic() - began) * 1e6)
    took.sort()
    return took[len(took) // 2], took[len(took) * 99 // 100], len(took)


def resident(node):
    """KiB."""
    with open(f"/proc/{node.process.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def test_role_that_commits_later_is_overruled(tmp_path):
    """A commit that is not on disk is no reason for a reply."""
    with Cluster("wal_writer_delay = 10s\n") as cluster:
        cluster.sql("ALTER ROLE herd SET synchronous_commit = 'off'")
        with Herd(tmp_path, ["Ann"], [], store(cluster.url_file(tmp_path))) as herd:
            ann = herd.start()["Ann"]
            for at in range(1, 4):
                ann.iamat(*((b"c%d" % i, b"+1+1", b"%d" % at) for i in range(20)))
                cluster.crash()
                cluster.start()
                assert cluster.sql(f"SELECT count(*) FROM herd_reports WHERE time = '{at}'") == "20"
                ann.wait_log("event=store-connected", at + 1)


def test_server_that_takes_no_writes_for_a_while(tmp_path, cluster):
    with Herd(tmp_path, ["Ann"], [], store(cluster.url_file(tmp_path), "durability: async")) as herd:
        ann = herd.start()["Ann"]
        ann.wait_log("event=store-loaded")
        cluster.sql("ALTER ROLE herd SET default_transaction_read_only = on;"
                    " SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
        ann.iamat((b"a", b"+1+1", b"5"))
        ann.wait_log("event=store-away error=.*(25006|57P01|terminat|closed)")
        assert cluster.sql("SELECT count(*) FROM herd_reports") == "0"
        cluster.sql("BEGIN READ WRITE; ALTER ROLE herd RESET default_transaction_read_only; COMMIT")
        wait_until(lambda: cluster.sql("SELECT count(*) FROM herd_reports") == "1", "what was owed is written", 30)


def test_comparison_heals_both_sides(tmp_path, cluster):
    """What a node that is gone for good never wrote is written by another, and
    rows that the nodes lack are taken in."""
    settings = store(cluster.url_file(tmp_path), "durability: async") + "link: {verify_every: 500ms}\n"
    with Herd(tmp_path, *PAIR, settings) as herd:
        ann = herd.start()["Ann"]
        herd.wait_synced()
        ann.wait_log("event=store-loaded")
        # Of a dead origin, and old enough to be its own business no more.
        lines = b"".join(b"AT Gone +0.000000001 g%d +1+1 %d\n" % (i, 1000 + i) for i in range(500))
        assert Api(ann.admin).ask("POST", "/v1/clients", lines).json["put"] == 500
        wait_until(lambda: cluster.sql("SELECT count(*) FROM herd_reports WHERE origin = 'Gone'") == "500",
                   "they are written", 40)
        # Another node far away wrote these; one has lost a newer one.
        cluster.sql("UPDATE herd_reports SET client = 'far', key = sha256('far') WHERE client = 'g7'")
        wait_until(lambda: ann.at_line(b"far"), "the row is taken in", 40)
        cluster.sql("DELETE FROM herd_reports WHERE client >= 'g400'")
        wait_until(lambda: cluster.sql("SELECT count(*) FROM herd_reports") == "501", "they are written again", 40)


def test_server_that_comes_back_older(tmp_path, cluster):
    """A backup is put in its place: the nodes give it what they hold."""
    settings = store(cluster.url_file(tmp_path)) + "link: {verify_every: 500ms}\n"
    with Herd(tmp_path, ["Ann"], [], settings) as herd:
        ann = herd.start()["Ann"]
        ann.iamat(*((b"c%d" % i, b"+1+1", b"5") for i in range(200)))
        cluster.stop()
        run("cp", "-r", cluster.data, cluster.folder / "old")
        cluster.start()
        ann.wait_log("event=store-connected", 2)
        old = b"".join(b"AT Ann +0.000000001 c%d +2+2 100\n" % i for i in range(200))
        assert Api(ann.admin).ask("POST", "/v1/clients", old).json["put"] == 200
        wait_until(lambda: cluster.sql("SELECT count(*) FROM herd_reports WHERE location = '+2+2'") == "200",
                   "they are written", 40)
        cluster.crash()
        shutil.rmtree(cluster.data)
        (cluster.folder / "old").rename(cluster.data)
        cluster.start()
        wait_until(lambda: cluster.sql("SELECT count(*) FROM herd_reports WHERE location = '+2+2'") == "200",
                   "they are written again", 40)


def test_node_that_writes_nothing_notices(tmp_path, cluster):
    with Herd(tmp_path, ["Ann"], [], store(cluster.url_file(tmp_path))) as herd:
        ann = herd.start()["Ann"]
        ann.wait_log("event=store-loaded")
        cluster.crash()
        ann.wait_log("event=store-away")
        cluster.start()
        ann.wait_log("event=store-connected", 2)


def test_node_starts_and_stops_without_its_server(tmp_path, cluster):
    cluster.stop()
    with Herd(tmp_path, ["Ann"], [], store(cluster.url_file(tmp_path), "durability: async", "500ms")) as herd:
        ann = herd.start()["Ann"]
        ann.iamat((b"a", b"+1+1", b"5"))
        ann.wait_log("event=store-away")
        assert ann.stop() == 0
        ann.wait_log("event=store-unwritten records=1")
        ann.start().iamat((b"b", b"+1+1", b"5"))
        cluster.start()
        wait_until(lambda: cluster.sql("SELECT to_regclass('herd_reports')") != "" and
                   cluster.sql("SELECT count(*) FROM herd_reports") == "1", "what was owed is written", 30)
