# SPDX-License-Identifier: GPL-3.0-or-later
"""Store files as tests need them: of the format before seals, of many rows,
and with damage."""
import select
import sqlite3

from nodes import wait_until

PAGE = 4096
# "kind", later the seal, is a removal's 1 or a position's 0.
FORMAT1 = ("CREATE TABLE reports (client BLOB PRIMARY KEY, kind INTEGER NOT NULL, origin BLOB NOT NULL,"
           " location BLOB NOT NULL, time BLOB NOT NULL, skew BLOB NOT NULL) WITHOUT ROWID")


def rows(count):
    """Positions; every tenth is a removal."""
    return [(b"c%07d" % i, 1, b"Solo", b"", b"1700000000.25", b"") if i % 10 == 9 else
            (b"c%07d" % i, 0, b"Solo", b"+34.068930-118.445127", b"1700000000.%06d" % i, b"+0.000000001")
            for i in range(count)]


def make_format1(path, contents):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(FORMAT1)
        db.execute("PRAGMA user_version=1")
        db.executemany("INSERT INTO reports VALUES (?,?,?,?,?,?)", contents)
    db.close()


def read_rows(path):
    """(client, origin, location, time, skew) of each row, and the format."""
    db = sqlite3.connect(path)
    found = db.execute("SELECT client, origin, location, time, skew FROM reports").fetchall()
    version, = db.execute("PRAGMA user_version").fetchone()
    db.close()
    return sorted(tuple(bytes(value) for value in row) for row in found), version


def without_kind(contents):
    return sorted((client, *rest) for client, _, *rest in contents)


def blocked(pid):
    """The signals that the main thread holds back, as a set of numbers."""
    try:
        with open(f"/proc/{pid}/status") as status:
            mask = next(int(line.split()[1], 16) for line in status if line.startswith("SigBlk:"))
    except (OSError, StopIteration):
        return set()
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def wait_for_file(node, path):
    """Until the starting process has locked the file, or has ended. Its
    folder in /proc is root's, the table of locks is everybody's."""
    inode = path.stat().st_ino

    def is_locked():
        with open("/proc/locks") as locks:
            words = [line.split() for line in locks]
        return node.process.poll() is not None or \
            any(str(node.process.pid) in line and line[-3].endswith(f":{inode}") for line in words)
    wait_until(is_locked, f"{path} is locked")


def pause(seconds):
    """A step of a random schedule; nothing waits for it to be enough."""
    select.select([], [], [], seconds)
