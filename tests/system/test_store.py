# SPDX-License-Identifier: GPL-3.0-or-later
"""Durability: what was acknowledged survives kill -9; a disk that fails is
said loudly."""
import os
import random
import re
import signal
import sqlite3
import threading

import pytest

from api import Api
from nodes import Herd, read_lines, wait_until

SYNC = "store: {engine: sqlite, durability: sync}\n"
ASYNC = "store: {engine: sqlite}\n"


def report(client, at):
    return b"IAMAT %s +1+1 %d\n" % (client, at)


def test_a_restart_has_what_was_stored(tmp_path):
    with Herd(tmp_path, ["Solo"], [], ASYNC) as herd:
        solo = herd.start()["Solo"]
        lines = b"".join(report(b"c%d" % i, 1000 + i) for i in range(5000))
        assert solo.ask(lines).count(b"\n") == 5000
        before = solo.at_line(b"c7")
        assert solo.stop() == 0
        solo.start()
        assert solo.at_line(b"c7") == before
        assert solo.at_line(b"c4999").endswith(b" 5999")
        solo.wait_log("store-loaded records=5000 skipped=0")


def test_acknowledged_reports_survive_kill_9(tmp_path):
    seed = int(os.environ.get("HERD_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    rng = random.Random(seed)
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        solo = herd.start()["Solo"]
        acknowledged = {}
        for at in range(1, 7):
            stop = threading.Event()

            def client(number, first):
                try:
                    with solo.connect() as s:
                        n = first
                        while not stop.is_set():
                            names = [b"c%d-%d" % (number, rng.randrange(40)) for _ in range(8)]
                            n += 1
                            s.sendall(b"".join(report(name, n) for name in names))
                            # A stale one must not be answered before what made it stale.
                            read_lines(s, len(names))
                            for name in names:
                                acknowledged[name] = n
                except (ConnectionError, AssertionError):
                    pass
            threads = [threading.Thread(target=client, args=(i, at * 1000000)) for i in range(4)]
            for thread in threads:
                thread.start()
            enough = len(acknowledged) // 2 + rng.randrange(20, 80)
            wait_until(lambda: len(acknowledged) >= min(enough, 100), "some reports are acknowledged")
            solo.stop(signal.SIGKILL)
            stop.set()
            for thread in threads:
                thread.join()
            solo.start()
            for name, n in acknowledged.items():
                line = solo.at_line(name)
                assert line and int(line.split(b" ")[-1]) >= n, (name, n, line)


def test_sync_replies_keep_the_order_with_whatsat(tmp_path):
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        solo = herd.start()["Solo"]
        answer = solo.ask(b"IAMAT a +1+1 5\nbad\nWHATSAT a 1 1\nIAMAT a +1+1 4\nIAMAT a +1+1 5\n")
        words = [line.split(b" ")[0] for line in answer.split(b"\n") if line[:3] in (b"AT ", b"? b")]
        assert words == [b"AT", b"?", b"AT", b"AT", b"AT"]


def test_sync_line_beyond_the_limit_is_the_last(tmp_path):
    """The reply to the report before it waits for the disk; what is beyond
    its limit is no request when that has been written."""
    with Herd(tmp_path, ["Solo"], [], SYNC + "max_line: 1K\n") as herd:
        solo = herd.start()["Solo"]
        for _ in range(20):
            with solo.connect() as s:
                s.sendall(report(b"a", 5) + b"x" * 1025 + b"y\nIAMAT b +1+1 5\n")
                lines = read_lines(s, 2).split(b"\n")
                assert lines[0].startswith(b"AT ") and lines[1:] == [b"? " + b"x" * 64, b""]
                s.sendall(b"IAMAT b +1+1 5\n")
                assert s.recv(100) == b""
        assert solo.at_line(b"b") is None


def test_sync_reply_to_a_line_beyond_the_limit_survives_the_half_close(tmp_path):
    with Herd(tmp_path, ["Solo"], [], SYNC + "max_line: 1K\n") as herd:
        solo = herd.start()["Solo"]
        for i in range(50):
            lines = solo.ask(report(b"a", 5 + i) + b"x" * 2000).split(b"\n")
            assert lines[0].startswith(b"AT ") and lines[1:] == [b"? " + b"x" * 64, b""]


def test_rows_that_are_no_reports_are_skipped(tmp_path):
    with Herd(tmp_path, ["Solo"], [], ASYNC) as herd:
        solo = herd.start()["Solo"]
        solo.ask(report(b"good", 9))
        solo.stop()
        with sqlite3.connect(tmp_path / "herd-Solo.sqlite") as db:
            db.execute("INSERT INTO reports VALUES (x'62616420', 0, 'Solo', '+1+1', '5', '+0.000000000')")
            db.execute("INSERT INTO reports VALUES ('worse', 0, 'Solo', '+91+1', '5', '+0.000000000')")
        db.close()
        solo.start()
        solo.wait_log("store-loaded records=1 skipped=2")


def test_file_is_the_daemons_alone(tmp_path):
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        solo = herd.start()["Solo"]
        solo.ask(report(b"a", 5))
        files = list(tmp_path.glob("herd-Solo.sqlite*"))
        assert len(files) >= 2  # with its log
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_file_that_another_program_writes_is_told(tmp_path):
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        solo = herd.start()["Solo"]
        solo.ask(report(b"a", 5))
        solo.stop()
        other = sqlite3.connect(tmp_path / "herd-Solo.sqlite", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        solo.start(wait=False)
        assert solo.process.wait(timeout=20) == 1
        assert "database is locked; another herdd uses the file" in solo.log()
        other.close()
        solo.start()
        assert solo.at_line(b"a")


def test_file_that_another_program_reads_is_used(tmp_path):
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        solo = herd.start()["Solo"]
        solo.ask(report(b"a", 5))
        solo.stop()
        other = sqlite3.connect(tmp_path / "herd-Solo.sqlite", isolation_level=None)
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM reports").fetchone() == (1,)
        solo.start()
        assert solo.ask(report(b"b", 5)).startswith(b"AT ")
        assert other.execute("SELECT count(*) FROM reports").fetchone() == (1,)
        other.execute("COMMIT")
        assert other.execute("SELECT count(*) FROM reports").fetchone() == (2,)
        other.close()
        assert solo.ask(report(b"c", 5)).startswith(b"AT ")


def test_two_nodes_never_share_a_file(tmp_path):
    settings = 'store: {engine: sqlite, path: "same.sqlite"}\n'
    with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        herd["A"].start()
        herd["B"].start(wait=False)
        assert herd["B"].wait_end() == 1
        assert "another herdd" in herd["B"].log()


def damage(path):
    data = bytearray(path.read_bytes())
    for i in range(8192, len(data), 700):
        data[i] ^= 255
    path.write_bytes(data)


def change(path, sql):
    with sqlite3.connect(path) as db:
        db.execute(sql)
    db.close()


def endless(path):
    """A view in place of the table, whose rows have no end."""
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE reports")
        db.execute("CREATE VIEW reports AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                   "SELECT i AS client, i AS seal, '' AS origin, '' AS location, '' AS time, '' AS skew FROM n")
    db.close()


@pytest.mark.parametrize("spoil,error,hint", [
    (lambda path: path.write_bytes(b"no database" * 999), "file is not a database", "move the file away"),
    (lambda path: path.write_bytes(path.read_bytes()[:20000]), "malformed", "move the file away"),
    (damage, "malformed", "move the file away"),
    (lambda path: (path.unlink(), path.mkdir()), "it is a folder", "give store.path a regular"),
    (lambda path: change(path, "PRAGMA user_version=9"), "format 9", "start the herdd that wrote it"),
    (endless, "it has a view or a trigger", "not of a herdd"),
    (lambda path: change(path, "ALTER TABLE reports RENAME COLUMN skew TO other"), "no column named skew|no such column",
     "not of a herdd")])
def test_store_that_cannot_be_used_says_what_to_do(tmp_path, spoil, error, hint):
    with Herd(tmp_path, ["Solo"], [], ASYNC) as herd:
        solo = herd.start()["Solo"]
        solo.ask(b"".join(report(b"c%d" % i, 1000 + i) for i in range(3000)))
        assert solo.stop() == 0
        path = tmp_path / "herd-Solo.sqlite"
        spoil(path)
        solo.start(wait=False)
        assert solo.process.wait(timeout=20) == 1
        solo.process = None
        assert re.search(rf'event=start-failed error="store.path: cannot (use|load) {path}: .*({error}).*; .*{hint}',
                         solo.log()), solo.log()
        # As the hint says: what is away does no harm.
        path.rename(tmp_path / "away")
        solo.start()
        assert solo.at_line(b"c5") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a small file system of its own")
def test_a_full_disk_ends_durable_service_loudly(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=400k tmpfs {disk} 2>/dev/null") != 0:
        pytest.skip("cannot mount here")
    settings = f'store: {{engine: sqlite, durability: sync, path: "{disk}/s.sqlite"}}\n'
    try:
        with Herd(tmp_path, ["Solo"], [], settings) as herd:
            solo = herd.start()["Solo"]

            def failed():
                try:
                    solo.ask(b"".join(report(b"%d-%s" % (i, os.urandom(200).hex().encode()), 5)
                                      for i in range(200)))
                except OSError:
                    pass
                return "store-failed" in solo.log()
            wait_until(failed, "the disk is full")
            assert "restart this node" in solo.log()
            # Nobody can talk it back into service.
            api = Api(solo.admin)
            wait_until(lambda: api.get("/v1/status").json["state"] == "draining", "it is out of service")
            reply = api.post("/v1/undrain")
            assert (reply.status, reply.error) == (409, "conflict") and b"restart" in reply.body
            assert api.get("/readyz").status == 503
            assert solo.stop() == 0
    finally:
        os.system(f"umount {disk}")
