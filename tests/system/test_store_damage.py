# SPDX-License-Identifier: GPL-3.0-or-later
"""A store file that lost bits: a row that is not what was written is left
out, told, and comes back from the neighbours; nothing false is served."""
import os
import random
import re
import signal
import sqlite3

import pytest

from api import Api
from nodes import Herd, wait_until
from stores import PAGE, make_format1, pause, read_rows, rows, wait_for_file, without_kind

STORE = "store: {engine: sqlite, durability: sync}\nplaces: {provider: none}\nworkers: 1\n"


def change(path, what, client=b"kiwi"):
    """Changes columns of the row of a client."""
    with sqlite3.connect(path) as db:
        db.create_function("flip", 2, lambda seal, bit: seal ^ 1 << bit)
        assert db.execute(f"UPDATE reports SET {what} WHERE client=?", (client,)).rowcount == 1
    db.close()


def read_all(path):
    db = sqlite3.connect(path)
    found = db.execute("SELECT * FROM reports").fetchall()
    db.close()
    return found


# Each is a report still, or was one in the format before.
FLIPS = {
    "client": "client=x'6b69776a'",
    "place": "location='+34.068930-108.445127'",
    "time": "time='1900000000.5'",
    "zero": "time='1700000000.50'",
    "skew": "skew=replace(skew, '+', '-')",
    "origin": "origin='C'",
    "kind": "seal=flip(seal, 0)",
    "seal": "seal=flip(seal, 40)",
    "bare": "seal=0",
    "text": "seal='x'",
    "other": "seal=(SELECT max(seal) FROM reports WHERE client<>x'6b697769')",
    "removal": "seal=1,location='',skew=''",
    "none": "location='nowhere'"}


@pytest.mark.parametrize("what", FLIPS.values(), ids=FLIPS.keys())
def test_damaged_row_comes_back_from_a_neighbour(tmp_path, what):
    path = tmp_path / "herd-A.sqlite"
    with Herd(tmp_path, ["A", "B"], [("A", "B")], STORE) as herd:
        herd.start()
        herd.wait_synced()
        a, b = herd["A"], herd["B"]
        a.iamat((b"kiwi", b"+34.068930-118.445127", b"1700000000.5"), (b"lime", b"+1+1", b"1700000000.5"))
        kiwi, lime = a.at_lines([b"kiwi", b"lime"])
        b.wait_log("event=link-up")
        wait_until(lambda: b.at_line(b"kiwi") == kiwi, "B has it")
        assert a.stop() == 0
        change(path, what)
        a.start()
        a.wait_log(r"event=store-row-damaged client=kiw[ij] error=\"it(s checksum differs| is no report)\" next=")
        a.wait_log("event=store-rewritten why=\"damaged rows\"")
        a.wait_log("event=store-loaded records=1 skipped=1")
        assert Api(a.admin).get("/v1/status").json["store"]["damaged"] == 1
        assert "\nherd_store_damaged_records 1\n" in Api(a.admin).get("/metrics").body.decode()
        wait_until(lambda: a.at_lines([b"kiwi", b"lime"]) == [kiwi, lime], "it is back")
        assert b.at_lines([b"kiwi", b"lime"]) == [kiwi, lime] and b.at_line(b"kiwj") is None
        # It is in the file again, and the file is whole.
        assert a.stop() == 0 and b.stop() == 0
        a.start()
        assert a.at_lines([b"kiwi", b"lime"]) == [kiwi, lime]
        assert "skipped=0" in a.log() and "store-rewritten" not in a.log()


def test_name_of_a_damaged_row_is_cleaned_and_many_are_one_flood(tmp_path):
    path = tmp_path / "herd-Solo.sqlite"
    with Herd(tmp_path, ["Solo"], [], STORE) as herd:
        solo = herd.start()["Solo"]
        assert solo.stop() == 0
        with sqlite3.connect(path) as db:
            db.executemany("INSERT INTO reports VALUES (?,0,'Solo','+1+1','5','+0.000000001')",
                           [(b"\x1b[31m\n%07d" % i,) for i in range(5000)])
        db.close()
        solo.start()
        solo.wait_log("event=store-loaded records=0 skipped=5000")
        log = solo.log()
        assert "\x1b" not in log and r"\x1b[31m\n0000000" in log
        assert log.count("event=store-row-damaged") < 500
        assert solo.stop() == 0
        assert read_rows(path)[0] == []


def test_client_that_is_there_twice_keeps_the_newer(tmp_path):
    """A damaged key hides rows from the search, so that a client is written
    once more: as if the older row had come later in the file."""
    path = tmp_path / "herd-Solo.sqlite"
    with Herd(tmp_path, ["Solo"], [], STORE) as herd:
        solo = herd.start()["Solo"]
        solo.iamat((b"aaaa", b"+1+1", b"5"), (b"bbbb", b"+1+1", b"6"))
        assert solo.stop() == 0
        row = next(row for row in read_all(path) if row[0] == b"aaaa")
        solo.start()
        solo.iamat((b"aaaa", b"+2+2", b"9"), (b"zzzz", b"+1+1", b"7"))
        newer = solo.at_line(b"aaaa")
        assert solo.stop() == 0
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM reports WHERE client=x'62626262'")
            db.execute("INSERT INTO reports VALUES (x'62626262',?,?,?,?,?)", row[1:])
        db.close()
        data = path.read_bytes()
        assert data.count(b"bbbb") == 1
        path.write_bytes(data.replace(b"bbbb", b"aaaa"))
        # Not damaged alone: the file is rewritten because of this one.
        change(path, "time='8'", b"zzzz")
        for _ in range(2):
            solo.start()
            assert solo.at_line(b"aaaa") == newer
            assert solo.stop() == 0
        assert [row[0] for row in read_rows(path)[0]] == [b"aaaa"]


# --- any byte of the file -------------------------------------------------------


def spoil(rng, data):
    """Like a disk: a bit, some bytes, a sector of zeros, a cut, old garbage."""
    data = bytearray(data)
    how = rng.randrange(6)
    at = rng.randrange(len(data))
    if how <= 1:
        for _ in range(1 if how == 0 else rng.randrange(2, 30)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif how == 2:
        data[at:at + rng.randrange(1, 20)] = rng.randbytes(8)
    elif how == 3:
        at &= ~511
        data[at:at + 512] = bytes(len(data[at:at + 512]))
    elif how == 4:
        del data[at:]
    else:
        other = rng.randrange(len(data)) & ~(PAGE - 1)
        data[at & ~(PAGE - 1):(at & ~(PAGE - 1)) + PAGE] = data[other:other + PAGE]
    return bytes(data)


def served(node):
    """What a node says of each client."""
    clients = [row["client"].encode() for page in Api(node.admin).pages() for row in page]
    return dict(zip(clients, node.at_lines(clients)))


def test_bytes_changed_anywhere_never_make_a_false_report(tmp_path):
    seed = int(os.environ.get("HERD_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    rng = random.Random(seed)
    path = tmp_path / "herd-Solo.sqlite"
    ended = {"ready": 0, "refused": 0}
    with Herd(tmp_path, ["Solo"], [], STORE) as herd:
        solo = herd.start()["Solo"]
        solo.iamat(*((b"%d-%s" % (i, b"x" * rng.randrange(90)), b"+%d.5-1" % (i % 90), b"%d.25" % (1000 + i))
                     for i in range(900)))
        stored = served(solo)
        assert len(stored) == 900
        assert solo.stop() == 0
        whole = path.read_bytes()
        for turn in range(int(os.environ.get("HERD_SPOILS", "120"))):
            path.write_bytes(spoil(rng, whole))
            solo.start(wait=False)
            wait_until(lambda: solo.process.poll() is not None or "event=ready" in solo.log(), "it has decided")
            if solo.process.poll() is not None:
                assert solo.wait_end() == 1, (turn, solo.log())
                assert re.search(r'event=start-failed error="store.path: cannot (use|load) .*; .*'
                                 r'(move|take another|start the herdd|is the folder)', solo.log()), (turn, solo.log())
                ended["refused"] += 1
            else:
                for client, fields in served(solo).items():
                    assert stored.get(client) == fields, (turn, client, fields)
                assert solo.stop() == 0, (turn, solo.log())
                ended["ready"] += 1
            for leftover in tmp_path.glob("herd-Solo.sqlite-*"):
                leftover.unlink()
    print(ended)
    assert min(ended.values()) > 0


# --- the format before ------------------------------------------------------------


def test_older_file_gets_seals(tmp_path):
    path = tmp_path / "herd-Solo.sqlite"
    contents = rows(3000)
    make_format1(path, contents + [(b"bad one", 0, b"Solo", b"+1+1", b"5", b"+0.000000000"),
                                   (b"kind", 7, b"Solo", b"+1+1", b"5", b"+0.000000000")])
    with Herd(tmp_path, ["Solo"], [], STORE) as herd:
        solo = herd.start()["Solo"]
        solo.wait_log("event=store-loaded records=3000 skipped=2")
        solo.wait_log("event=store-rewritten")
        assert solo.stop() == 0
        assert read_rows(path) == (without_kind(contents), 2)
        solo.start()
        solo.wait_log("event=store-loaded records=3000 skipped=0")
        assert "store-rewritten" not in solo.log()
        assert solo.at_line(b"c0000007") and solo.at_line(b"c0000009") is None


def test_older_file_survives_kill_9_while_it_is_rewritten(tmp_path):
    seed = int(os.environ.get("HERD_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    rng = random.Random(seed)
    path = tmp_path / "herd-Solo.sqlite"
    contents = rows(60000)
    make_format1(path, contents)
    with Herd(tmp_path, ["Solo"], [], STORE) as herd:
        solo = herd["Solo"]
        for _ in range(15):
            solo.start(wait=False)
            wait_for_file(solo, path)
            pause(rng.random() * 0.4)
            solo.stop(signal.SIGKILL)
        solo.start()
        solo.wait_log("event=store-loaded records=60000 skipped=0")
        assert solo.stop() == 0
        assert read_rows(path) == (without_kind(contents), 2)


@pytest.mark.parametrize("version", [0, 1])
def test_number_of_the_format_is_not_believed(tmp_path, version):
    """One bit of it must not make the rows unsealed."""
    path = tmp_path / "herd-Solo.sqlite"
    with Herd(tmp_path, ["Solo"], [], STORE) as herd:
        solo = herd.start()["Solo"]
        solo.iamat((b"good", b"+1+1", b"5"), (b"gone", b"+1+1", b"5"))
        assert solo.stop() == 0
        change(path, "time='9'", b"gone")
        with sqlite3.connect(path) as db:
            db.execute(f"PRAGMA user_version={version}")
        db.close()
        solo.start()
        solo.wait_log("event=store-loaded records=1 skipped=1")
        assert solo.at_line(b"gone") is None
        assert solo.stop() == 0
        assert read_rows(path)[1] == 2
