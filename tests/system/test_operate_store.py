# SPDX-License-Identifier: GPL-3.0-or-later
"""The store in operation: copies of it while the node runs, checks, a restore,
and the erasure of a client from its files."""
import contextlib
import json
import os
import random
import resource
import signal
import socket
import sqlite3
import subprocess
import threading

import pytest

from api import Api
from conftest import Ctl
from nodes import DEADLINE_S, HERDCTL, Herd, free_ports, wait_until
from stores import make_format1, read_rows, rows, without_kind
from terminal import Terminal

SYNC = "store: {engine: sqlite, durability: sync}\nplaces: {provider: none}\nworkers: 1\n"
ASYNC = SYNC.replace("sync", "async")
PLACE = b"+12.345678-098.765432"
BUSY_ROWS = 60000


def home_of(folder):
    (folder / "home").mkdir(exist_ok=True)
    return folder / "home"


@contextlib.contextmanager
def solo_of(folder, settings=SYNC, contents=None):
    """A node with a store, and herdctl for it."""
    with Herd(folder, ["Solo"], [], settings) as herd:
        if contents is not None:
            make_format1(folder / "herd-Solo.sqlite", contents)
        herd.start()
        ctl = Ctl(home_of(folder), herd.path)
        ctl.node = herd["Solo"]
        yield ctl


def ok(result):
    assert result.returncode == 0, result.stderr
    return result


def row(result, key):
    return json.loads(ok(result).stdout)[key][0]


def table(ctl, node="Solo"):
    """All that the node holds: origin, skew, times, removals."""
    return sorted(ok(ctl("client", "export", "--exact", "-n", node)).stdout.splitlines())


def fill(node, count=300):
    node.iamat(*((b"c%d" % i, b"+%d.5-%d.25" % (i % 90, i % 180), b"%d.25" % (1000 + i)) for i in range(count)))


# --- reading beside a node ------------------------------------------------------


def test_other_programs_read_beside_a_node(tmp_path):
    with solo_of(tmp_path) as ctl:
        fill(ctl.node)
        path = tmp_path / "herd-Solo.sqlite"
        copy = sqlite3.connect(tmp_path / "copy.sqlite")
        source = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        source.backup(copy)
        assert source.execute("SELECT count(*) FROM reports").fetchone() == (300,)
        source.close()
        assert copy.execute("SELECT count(*) FROM reports").fetchone() == (300,)
        copy.close()
        fill(ctl.node, 301)
        assert ctl.node.stop() == 0
        ctl.node.start()
        assert ctl.node.at_line(b"c300")


def test_a_second_node_on_the_file_is_refused_while_idle(tmp_path):
    settings = SYNC.replace("sqlite,", 'sqlite, path: "same.sqlite",')
    with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        herd["A"].start()
        herd["A"].iamat((b"c", b"+1+1", b"5"))
        for _ in range(2):
            herd["B"].start(wait=False)
            assert herd["B"].wait_end() == 1
            assert "another herdd uses the file" in herd["B"].log()
        assert herd["A"].stop(signal.SIGKILL) == -signal.SIGKILL
        herd["B"].start()
        assert herd["B"].at_line(b"c")


# --- status, check ---------------------------------------------------------------


def test_status_says_what_the_store_is(tmp_path):
    with solo_of(tmp_path) as ctl:
        before = row(ctl("store", "status", "-o", "json"), "stores")
        assert before["rows"] == 0 and before["last_backup"] is None
        fill(ctl.node)
        now = row(ctl("store", "status", "-o", "json"), "stores")
        assert now["rows"] == 300 and now["engine"] == "sqlite" and now["durability"] == "sync"
        assert now["path"] == str(tmp_path / "herd-Solo.sqlite") and now["state"] == "ok" and now["lag"] == 0
        assert now["bytes"] > 0 and now["last_commit"] and now["last_commit_ms"] > 0
        ok(ctl("store", "backup", tmp_path / "b.sqlite"))
        assert row(ctl("store", "status", "-o", "json"), "stores")["last_backup"]


def test_a_node_without_a_store_says_so(tmp_path):
    with Herd(tmp_path, ["Solo"], [], "places: {provider: none}\n") as herd:
        herd.start()
        ctl = Ctl(home_of(tmp_path), herd.path)
        found = row(ctl("store", "status", "-o", "json"), "stores")
        assert found["engine"] == "none" and found["state"] == "off" and found["rows"] is None
        for words in (["check"], ["backup", tmp_path / "b"]):
            result = ctl("store", *words)
            assert result.returncode == 1 and "keeps no store" in result.stderr
        assert list(tmp_path.glob("b*")) == []
        erased = row(ctl("client", "erase", "nobody", "--yes", "-o", "json"), "nodes")
        assert erased["store"] == "none" and erased["forgotten"] is False


def test_check_counts_rows_and_finds_damage(tmp_path):
    with solo_of(tmp_path) as ctl:
        fill(ctl.node)
        ok(ctl("client", "forget", "c7", "--yes"))
        found = row(ctl("store", "check", "-o", "json"), "stores")
        assert (found["rows"], found["removals"], found["damaged"], found["state"]) == (300, 1, 0, "ok")
        backup = tmp_path / "b.sqlite"
        ok(ctl("store", "backup", backup))
        found = row(ctl("store", "check", backup, "-o", "json"), "stores")
        assert (found["rows"], found["removals"], found["damaged"], found["format"]) == (300, 1, 0, 2)
        data = backup.read_bytes()
        # Of c5 and c185.
        backup.write_bytes(data.replace(b"+5.5-5.25", b"+5.5-5.26"))
        result = ctl("store", "check", backup, "-o", "json")
        assert result.returncode == 1
        assert json.loads(result.stdout)["stores"][0]["damaged"] == 2
        backup.write_bytes(data[:len(data) // 2])
        result = ctl("store", "check", backup)
        assert result.returncode == 1 and "damaged" in result.stdout
        backup.write_bytes(b"no store at all\n")
        assert ctl("store", "check", backup).returncode == 1
        assert ctl("store", "check", tmp_path / "missing").returncode == 8
        # A view in place of the table, whose rows have no end.
        backup.write_bytes(data)
        with sqlite3.connect(backup) as db:
            db.execute("DROP TABLE reports")
            db.execute("CREATE VIEW reports AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                       "SELECT i AS client, i AS seal, '' AS origin, '' AS location, '' AS time, '' AS skew FROM n")
        db.close()
        found = json.loads(ctl("store", "check", backup, "-o", "json").stdout)["stores"][0]
        assert found["error"] == "it has a view or a trigger" and found["rows"] == 0
        assert [p.name for p in tmp_path.glob("b.sqlite*")] == ["b.sqlite"]


# --- backup and restore ------------------------------------------------------------


def test_a_restored_node_has_the_table_of_the_backup(tmp_path):
    with solo_of(tmp_path) as ctl:
        fill(ctl.node)
        ok(ctl("client", "forget", "c7", "--yes"))
        ctl.node.iamat((b"\xff\x01 odd".replace(b" ", b"_"), b"+1.5-2", b"7.000000001"))
        before = table(ctl)
        backup = tmp_path / "b.sqlite"
        made = row(ctl("store", "backup", backup, "-o", "json"), "backups")
        assert (made["rows"], made["removals"]) == (301, 1)
        assert backup.stat().st_mode & 0o777 == 0o600
        assert backup.stat().st_size == made["bytes"]
        ctl.node.iamat((b"c1", b"+0+0", b"99999"), (b"later", b"+0+0", b"5"))
        ok(ctl("client", "forget", "c2", "--yes"))
        refused = ctl("-n", "Solo", "store", "restore", backup, "--yes")
        assert refused.returncode == 5 and "stop it first" in refused.stderr
        ctl.node.stop(signal.SIGKILL)
        path = tmp_path / "herd-Solo.sqlite"
        asked = ctl("-n", "Solo", "store", "restore", backup)
        assert asked.returncode == 2 and "give --yes" in asked.stderr
        result = row(ctl("-n", "Solo", "store", "restore", backup, "--yes", "-o", "json"), "nodes")
        assert result["path"] == str(path) and result["rows"] == 301
        assert path.stat().st_mode & 0o777 == 0o600
        assert not path.with_name(path.name + "-wal").exists()
        # The old one is whole, with what was in its log.
        old = dict((client, rest) for client, *rest in read_rows(result["before"])[0])
        assert old[b"later"] and old[b"c1"][2] == b"99999"
        ctl.node.start()
        assert table(ctl) == before
        assert row(ctl("store", "check", "-o", "json"), "stores")["damaged"] == 0


def test_a_store_that_is_gone_is_restored(tmp_path):
    with solo_of(tmp_path) as ctl:
        fill(ctl.node)
        before = table(ctl)
        ok(ctl("store", "backup", tmp_path / "b.sqlite"))
        ctl.node.stop()
        for path in tmp_path.glob("herd-Solo.sqlite*"):
            path.unlink()
        result = row(ctl("-n", "Solo", "store", "restore", tmp_path / "b.sqlite", "--yes", "-o", "json"), "nodes")
        assert result["before"] is None
        ctl.node.start()
        assert table(ctl) == before


def test_a_service_has_its_store_in_its_folder(tmp_path, monkeypatch):
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/state:{tmp_path}/other")
    with solo_of(tmp_path) as ctl:
        fill(ctl.node)
        before = table(ctl)
        ok(ctl("store", "backup", tmp_path / "b.sqlite"))
        ctl.node.stop()
        store = tmp_path / "state" / "herd-Solo.sqlite"
        store.unlink()
        restore = ("-n", "Solo", "store", "restore", tmp_path / "b.sqlite", "--yes", "-o", "json")
        state = {"STATE_DIRECTORY": os.environ["STATE_DIRECTORY"]}
        assert row(ctl(*restore, env=state), "nodes")["path"] == str(store)
        ctl.node.start()
        assert table(ctl) == before
        ctl.node.stop()
        # What is no absolute path is nothing that systemd gives.
        assert row(ctl(*restore, env={"STATE_DIRECTORY": "state"}), "nodes")["path"] == str(tmp_path / "herd-Solo.sqlite")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(tmp_path):
    with solo_of(tmp_path) as ctl:
        fill(ctl.node)
        ok(ctl("store", "backup", tmp_path / "b.sqlite"))
        ctl.node.stop()
        os.chown(tmp_path / "herd-Solo.sqlite", 1234, 2345)
        ok(ctl("-n", "Solo", "store", "restore", tmp_path / "b.sqlite", "--yes"))
        found = (tmp_path / "herd-Solo.sqlite").stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1234, 2345, 0o600)


def test_what_is_no_backup_is_not_restored(tmp_path):
    with solo_of(tmp_path) as ctl:
        fill(ctl.node)
        ok(ctl("store", "backup", tmp_path / "b.sqlite"))
        ctl.node.stop()
        before = (tmp_path / "herd-Solo.sqlite").read_bytes()
        data = (tmp_path / "b.sqlite").read_bytes()
        for name, bad in (("cut", data[:-4096]), ("flipped", data.replace(b"+5.5-5.25", b"+5.5-5.26")),
                          ("text", b"hello"), ("empty", b"")):
            (tmp_path / name).write_bytes(bad)
            result = ctl("-n", "Solo", "store", "restore", tmp_path / name, "--yes")
            assert result.returncode == 8, (name, result.stderr)
        assert ctl("-n", "Solo", "store", "restore", tmp_path / "missing", "--yes").returncode == 8
        result = ctl("-n", "Solo", "store", "restore", tmp_path / "herd-Solo.sqlite", "--yes")
        assert result.returncode == 8 and "is the store itself" in result.stderr
        reader = sqlite3.connect(tmp_path / "herd-Solo.sqlite")
        assert reader.execute("SELECT count(*) FROM reports").fetchone() == (300,)
        result = ctl("-n", "Solo", "store", "restore", tmp_path / "b.sqlite", "--yes")
        assert result.returncode == 5 and "is in use" in result.stderr
        reader.close()
        assert (tmp_path / "herd-Solo.sqlite").read_bytes() == before
        assert not list(tmp_path.glob("*.before-*")) and not list(tmp_path.glob("*.restore"))


def test_backup_to_the_output(tmp_path):
    with solo_of(tmp_path) as ctl:
        fill(ctl.node)
        result = ctl("store", "backup", "-", text=False)
        assert result.returncode == 0, result.stderr
        (tmp_path / "b.sqlite").write_bytes(result.stdout)
        assert row(ctl("store", "check", tmp_path / "b.sqlite", "-o", "json"), "stores")["rows"] == 300
        with contextlib.closing(Terminal([HERDCTL, "store", "backup", "-"], ctl.env())) as terminal:
            terminal.expect("no text for a terminal")
            assert terminal.end() == 2


def test_backup_shows_progress_on_a_terminal(tmp_path):
    with solo_of(tmp_path, ASYNC, rows(BUSY_ROWS)) as ctl:
        # A node that answers late: there is time for a line.
        ctl.node.send_signal(signal.SIGSTOP)
        with contextlib.closing(Terminal([HERDCTL, "store", "backup", str(tmp_path / "b.sqlite")], ctl.env())) as terminal:
            terminal.expect("waits for the node")
            ctl.node.send_signal(signal.SIGCONT)
            terminal.expect("60,000")
            assert terminal.end() == 0


def test_backup_under_load_is_a_moment_of_the_store(tmp_path):
    """Commits go on meanwhile; what was acknowledged before is in the copy."""
    with solo_of(tmp_path, SYNC, rows(BUSY_ROWS)) as ctl:
        stop = threading.Event()
        counts = [0]

        def client():
            at = 1710000000
            with ctl.node.connect() as s:
                while not stop.is_set():
                    at += 1
                    names = [b"c%07d" % (i * 97 % BUSY_ROWS) for i in range(counts[0] % 50, counts[0] % 50 + 20)]
                    s.sendall(b"".join(b"IAMAT %s +1+1 %d\n" % (name, at) for name in names))
                    got = b""
                    while got.count(b"\n") < len(names):
                        got += s.recv(65536)
                    assert b"? " not in got
                    counts[0] += len(names)
        thread = threading.Thread(target=client)
        thread.start()
        try:
            for i in range(3):
                wait_until(lambda: counts[0] > 100 * (i + 1), "clients are answered")
                ctl.node.iamat((b"marker", b"+1+1", b"%d" % (1720000000 + i)))
                made = row(ctl("store", "backup", tmp_path / f"b{i}", "-o", "json"), "backups")
                assert made["rows"] == BUSY_ROWS + 1
                found = dict((client, rest) for client, *rest in read_rows(tmp_path / f"b{i}")[0])
                assert found[b"marker"][2] == b"%d" % (1720000000 + i)
        finally:
            stop.set()
            thread.join()
        assert row(ctl("store", "status", "-o", "json"), "stores")["state"] == "ok"


def raw_backup(node):
    """A backup that nobody reads yet."""
    s = socket.socket(socket.AF_UNIX)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(DEADLINE_S)
    s.connect(node.admin)
    s.sendall(b"GET /v1/store/backup HTTP/1.1\r\nHost: x\r\n\r\n")
    return s


def read_head(s):
    got = b""
    while b"\r\n\r\n" not in got:
        got += s.recv(1)
    assert got.startswith(b"HTTP/1.1 200"), got
    return got


def copies(node):
    """Copies without a name that the process has open."""
    folder = f"/proc/{node.process.pid}/fd"
    found = []
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"{folder}/{name}"))
    return [target for target in found if "sqlite-backup" in target]


def test_slow_readers_are_bounded_and_those_who_leave_cost_nothing(tmp_path):
    with solo_of(tmp_path, ASYNC, rows(BUSY_ROWS)) as ctl:
        slow = [raw_backup(ctl.node) for _ in range(1)]
        read_head(slow[0])
        slow.append(raw_backup(ctl.node))
        read_head(slow[1])
        assert len(copies(ctl.node)) == 2
        assert not (tmp_path / "herd-Solo.sqlite-backup").exists()
        refused = ctl("store", "backup", tmp_path / "b")
        assert refused.returncode == 5 and "busy" in refused.stderr
        assert ctl.node.ask(b"IAMAT new +1+1 5\n").startswith(b"AT ")
        for s in slow:
            s.close()
        wait_until(lambda: copies(ctl.node) == [], "the copies are gone")
        ok(ctl("store", "backup", tmp_path / "b"))
        # One who leaves while the copy is made.
        for _ in range(5):
            raw_backup(ctl.node).close()

        def again():
            return ctl("store", "backup", tmp_path / "b").returncode == 0
        wait_until(again, "the node makes backups again")
        wait_until(lambda: copies(ctl.node) == [], "the copies are gone")


def test_ctrl_c_leaves_no_file(tmp_path):
    with solo_of(tmp_path, ASYNC) as ctl:
        ctl.node.send_signal(signal.SIGSTOP)
        process = subprocess.Popen([HERDCTL, "store", "backup", str(tmp_path / "b")], env=ctl.env(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until((tmp_path / "b.tmp").exists, "it has begun")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE_S)
        ctl.node.send_signal(signal.SIGCONT)
        assert process.returncode in (130, -signal.SIGINT)
        assert list(tmp_path.glob("b*")) == []


def test_a_cut_stream_leaves_no_file(tmp_path):
    with solo_of(tmp_path, ASYNC, rows(BUSY_ROWS)) as ctl:
        backup = tmp_path / "b.sqlite"
        backup.write_bytes(b"the old one")
        process = subprocess.Popen([HERDCTL, "store", "backup", "-"], env=ctl.env(), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        got = process.stdout.read(4096)
        ctl.node.stop(signal.SIGKILL)
        rest, error = process.communicate(timeout=DEADLINE_S)
        assert process.returncode not in (0, -signal.SIGPIPE), error
        (tmp_path / "half").write_bytes(got + rest)
        assert ctl("store", "check", tmp_path / "half").returncode == 1
        result = ctl("store", "backup", backup)
        assert result.returncode == 3 and backup.read_bytes() == b"the old one"
        assert not (tmp_path / "b.sqlite.tmp").exists()


@pytest.mark.parametrize("length", ["Content-Length: 8192", "Transfer-Encoding: chunked"])
def test_a_node_that_sends_something_else_gives_no_file(tmp_path, length):
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        ctl = Ctl(home_of(tmp_path), herd.path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(herd["Solo"].admin)
        listener.listen()

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    s, _ = listener.accept()
                    with s:
                        if b"/v1/store/backup" not in s.recv(4096):
                            continue
                        body = b"SQLite format 3\0" + os.urandom(8192 - 16)
                        s.sendall(b"HTTP/1.1 200 OK\r\n" + length.encode() + b"\r\nConnection: close\r\n\r\n" +
                                  (body if "Length" in length else b"2000\r\n" + body + b"\r\n0\r\n\r\n"))
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        result = ctl("store", "backup", tmp_path / "b")
        assert result.returncode == 7, result.stderr
        assert list(tmp_path.glob("b*")) == []
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_kill_in_the_middle_of_a_backup_harms_nothing(tmp_path):
    contents = rows(BUSY_ROWS)
    with solo_of(tmp_path, SYNC, contents) as ctl:
        path = tmp_path / "herd-Solo.sqlite"
        copy = path.with_name(path.name + "-backup")
        for _ in range(3):
            s = raw_backup(ctl.node)
            try:
                wait_until(copy.exists, "the copy begins", 2)
            except AssertionError:
                pass  # it was that fast
            ctl.node.stop(signal.SIGKILL)
            s.close()
            copy.with_name(copy.name + "-journal").write_bytes(b"left over")
            ctl.node.start()
            assert list(tmp_path.glob("herd-Solo.sqlite-backup*")) == []
        assert row(ctl("store", "check", "-o", "json"), "stores")["rows"] == BUSY_ROWS
        assert ctl.node.stop() == 0
        assert read_rows(path)[0] == without_kind(contents)


def test_a_limit_of_file_size_fails_the_backup_alone(tmp_path):
    with solo_of(tmp_path, SYNC, rows(BUSY_ROWS)) as ctl:
        size = (tmp_path / "herd-Solo.sqlite").stat().st_size
        limits = resource.prlimit(ctl.node.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(ctl.node.process.pid, resource.RLIMIT_FSIZE, (size // 2, limits[1]))
        result = ctl("store", "backup", tmp_path / "b")
        assert result.returncode == 5 and "the copy" in result.stderr, result.stderr
        assert list(tmp_path.glob("b*")) == [] and list(tmp_path.glob("*-backup*")) == []
        resource.prlimit(ctl.node.process.pid, resource.RLIMIT_FSIZE, limits)
        assert ctl.node.ask(b"IAMAT new +1+1 5\n").startswith(b"AT ")
        ok(ctl("store", "backup", tmp_path / "b"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_disk_without_room_refuses_the_backup(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], check=False).returncode != 0:
        pytest.skip("no mounts here")
    try:
        with solo_of(tmp_path, SYNC.replace("sqlite,", f'sqlite, path: "{disk}/s.sqlite",')) as ctl:
            fill(ctl.node)
            ok(ctl("store", "backup", tmp_path / "b"))
            (disk / "ballast").write_bytes(bytes(12 << 20))
            result = ctl("store", "backup", tmp_path / "c")
            assert result.returncode == 5 and "no room for a copy" in result.stderr
            assert ctl.node.ask(b"IAMAT new +1+1 5\n").startswith(b"AT ")
            # And where herdctl writes.
            result = ctl("store", "backup", "/dev/full")
            assert result.returncode == 8
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_backup_over_tcp_needs_the_right_to_read(tmp_path):
    for name in ("read", "write"):
        (tmp_path / name).write_text(f"secret-of-those-who-{name}\n")
        (tmp_path / name).chmod(0o600)
    port, = free_ports(1)
    admin = f'admin: {{listen: "127.0.0.1:{port}", token_file: write, read_token_file: read}}\n'
    with solo_of(tmp_path, SYNC + admin) as ctl:
        fill(ctl.node)
        address = ("127.0.0.1", port)
        assert Api(address).get("/v1/store/backup").status == 401
        assert Api(address, "guessed").get("/v1/store/backup").status == 401
        reply = Api(address, "secret-of-those-who-read").get("/v1/store/backup")
        assert reply.status == 200 and reply.body.startswith(b"SQLite format 3")
        assert Api(address, "secret-of-those-who-read").post("/v1/clients/c1/erase").status == 403
        ctl.node.wait_log("event=store-backup state=sent")


# --- erasure ------------------------------------------------------------------------


def bytes_of(folder, name):
    return b"".join(path.read_bytes() for path in folder.glob(f"herd-{name}.sqlite*"))


def has_place(folder, name, place=PLACE):
    return place in bytes_of(folder, name)


def test_forget_is_no_erasure_and_erase_is(tmp_path):
    names = ["A", "B", "C"]
    settings = ASYNC + 'log: {traffic: "%n.traffic"}\nexpire_after: 3650d\n'
    with Herd(tmp_path, names, [("A", "B"), ("B", "C")], settings) as herd:
        herd.start()
        herd.wait_synced()
        ctl = Ctl(home_of(tmp_path), herd.path)
        ids = [b"c%d" % i for i in range(2000)]
        herd["A"].iamat(*((client, b"+1.5-2.5", b"1700000000") for client in ids))
        herd["B"].iamat((b"who", PLACE, b"1700000000.5"))
        herd["C"].iamat(*((client, b"+1.5-2.5", b"1700000001") for client in ids[::3]))
        herd.wait_equal([b"who", *ids[:50]])
        wait_until(lambda: all(has_place(tmp_path, name) for name in names), "all stores have it")
        # Another client, who is only forgotten.
        herd["A"].iamat((b"other", b"+55.443322-011.223344", b"1700000000"))
        wait_until(lambda: has_place(tmp_path, "A", b"+55.443322-011.223344"), "A has it")
        ok(ctl("client", "forget", "other", "--yes"))
        assert has_place(tmp_path, "A", b"+55.443322-011.223344")
        result = ctl("client", "erase", "who", "--yes")
        assert result.returncode == 0, result.stderr
        assert "the removal, which has the id, stays until 2033-11-11 22:13:21Z" in result.stderr
        for name in names:
            assert f"{name}:{tmp_path / (name + '.traffic')}" in result.stderr
            assert f"{tmp_path / (name + '.traffic')}" in result.stdout
            assert not has_place(tmp_path, name)
            assert b"who" in bytes_of(tmp_path, name)
            assert b"who" not in herd[name].log().encode().replace(b"whole", b"")
        assert herd["A"].at_lines([b"who"]) == [None]
        found = row(ctl("store", "check", "-n", "B", "-o", "json"), "stores")
        assert (found["rows"], found["removals"], found["damaged"]) == (2002, 2, 0)
        # Again: there is nothing to forget, and that is fine.
        again = json.loads(ok(ctl("client", "erase", "who", "--yes", "-o", "json")).stdout)["nodes"]
        assert [node["forgotten"] for node in again] == [False] * 3
        assert all(node["removal_until"] and node["store"] == "clean" for node in again)


def test_a_node_that_is_down_is_named_and_gets_the_removal(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SYNC) as herd:
        herd.start()
        herd.wait_synced()
        ctl = Ctl(home_of(tmp_path), herd.path)
        herd["A"].iamat((b"who", PLACE, b"5"))
        herd.wait_equal([b"who"])
        assert herd["B"].stop() == 0
        result = ctl("client", "erase", "who", "--yes")
        assert result.returncode == 6
        assert "herdctl: B: the removal comes to it with its links" in result.stderr
        assert "herdctl: B: there is no such socket" in result.stderr
        assert "stays for good" in result.stderr
        assert not has_place(tmp_path, "A") and has_place(tmp_path, "B")
        herd["B"].start()
        wait_until(lambda: herd["B"].at_lines([b"who"]) == [None], "B has the removal")
        ok(ctl("client", "erase", "who", "--yes"))
        assert not has_place(tmp_path, "B")


def test_erasure_takes_what_moved_between_pages(tmp_path):
    """Rows that grow make SQLite move others about, and leave copies of them
    that secure deletion does not know."""
    seed = int(os.environ.get("HERD_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    rng = random.Random(seed)
    with solo_of(tmp_path, ASYNC) as ctl:
        places = {b"v%d-" % i + b"x" * rng.choice([rng.randrange(300), rng.randrange(1500)]):
                  b"+%d.%06d-%d.654321" % (10 + i % 70, i, i % 170) for i in range(2000)}
        clients = list(places)
        for at in range(3):
            rng.shuffle(clients)
            ctl.node.iamat(*((c, places[c] + b"0" * rng.randrange(40), b"%d" % (100 + at)) for c in clients))
        ok(ctl("client", "forget", "v1*", "--yes"))
        ok(ctl("client", "erase", clients[0].decode(), "--yes"))
        data = bytes_of(tmp_path, "Solo")
        gone = [place for client, place in places.items() if client.startswith(b"v1")]
        assert len(gone) > 1000 and [place for place in gone if place in data] == []
        found = row(ctl("store", "check", "-o", "json"), "stores")
        assert (found["rows"], found["damaged"]) == (2000, 0)
        assert ctl.node.stop() == 0
        db = sqlite3.connect(tmp_path / "herd-Solo.sqlite")
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()


def test_erasure_takes_what_was_deleted_before_its_time(tmp_path):
    """By a herdd that did not delete securely: rows in pages, and pages that are free."""
    path = tmp_path / "herd-Solo.sqlite"
    with solo_of(tmp_path, ASYNC) as ctl:
        ctl.node.iamat(*((b"c%05d" % i, PLACE, b"5") for i in range(5000)), (b"long-" + b"l" * 9000, PLACE, b"5"))
        assert ctl.node.stop() == 0
        db = sqlite3.connect(path)
        db.execute("PRAGMA secure_delete=OFF")
        db.execute("DELETE FROM reports WHERE client <> CAST('c00007' AS BLOB)")
        db.commit()
        assert db.execute("PRAGMA freelist_count").fetchone()[0] > 50
        db.close()
        assert path.read_bytes().count(PLACE) > 1000
        ctl.node.start()
        ok(ctl("client", "erase", "c00007", "--yes"))
        assert not has_place(tmp_path, "Solo")
        # The free pages are used again.
        fill(ctl.node, 3000)
        found = row(ctl("store", "check", "-o", "json"), "stores")
        assert (found["rows"], found["removals"], found["damaged"]) == (3001, 1, 0)
        assert ctl.node.stop() == 0
        db = sqlite3.connect(path)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()


def test_a_kill_in_the_middle_of_an_erasure_harms_nothing(tmp_path):
    contents = rows(BUSY_ROWS)
    with solo_of(tmp_path, SYNC, contents) as ctl:
        for i in range(4):
            s = socket.socket(socket.AF_UNIX)
            s.connect(ctl.node.admin)
            s.sendall(b"POST /v1/clients/c%07d/erase HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" % i)
            wait_until(lambda: ctl.node.at_lines([b"c%07d" % i]) == [None], "it is forgotten")
            ctl.node.stop(signal.SIGKILL)
            s.close()
            ctl.node.start()
            found = row(ctl("store", "check", "-o", "json"), "stores")
            assert (found["rows"], found["damaged"]) == (BUSY_ROWS, 0)
        assert ctl.node.stop() == 0
        db = sqlite3.connect(tmp_path / "herd-Solo.sqlite")
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()


def test_a_reader_in_the_way_is_waited_for(tmp_path):
    with solo_of(tmp_path, SYNC) as ctl:
        ctl.node.iamat((b"who", PLACE, b"5"))
        reader = sqlite3.connect(tmp_path / "herd-Solo.sqlite", isolation_level=None, check_same_thread=False)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM reports").fetchall()
        process = subprocess.Popen([HERDCTL, "client", "erase", "who", "--yes"], env=ctl.env(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: ctl.node.at_lines([b"who"]) == [None], "it is forgotten")
        # Commits go on meanwhile.
        for i in range(20):
            assert ctl.node.ask(b"IAMAT other +1+1 %d\n" % (10 + i)).startswith(b"AT ")
        reader.close()
        _, error = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, error
        assert not has_place(tmp_path, "Solo")


def test_erase_asks_first(tmp_path):
    with solo_of(tmp_path) as ctl:
        ctl.node.iamat((b"who", PLACE, b"5"))
        result = ctl("client", "erase", "who")
        assert result.returncode == 2 and "give --yes" in result.stderr
        assert ctl("--read-only", "client", "erase", "who", "--yes").returncode == 2
        assert ctl.node.at_line(b"who")
