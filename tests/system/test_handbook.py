# SPDX-License-Identifier: GPL-3.0-or-later
"""herd-ops(7), typed by the book: each block of commands runs as it is, on the
machine that it is for, after what has gone wrong there for its section."""
import pathlib
import re
import subprocess
import sys
import time

import pytest

from machines import Machines, why_not
from nodes import DEADLINE_S, TOP, wait_until
from test_clock import shim  # noqa: F401

PAGE = (TOP / "man" / "herd-ops.7").read_text()
BLOCK = re.compile(r"^\.\\\" (run (?P<machine>one|two|three)|not run: [^\n]+)\n"
                   r"\.Bd -literal -offset indent\n(?P<text>.*?)^\.Ed$", re.M | re.S)
# Diagnosis ends with 1 when it finds something.
MAY_FIND = re.compile(r"^herdctl .*\b(?<!config )(check|doctor)\b|^herdctl .*config diff")


def sections():
    """{title: [(machine, script)]}; those that are not run have no machine."""
    found = {}
    for title, text in re.findall(r"^\.Sh ([^\n]+)\n(.*?)(?=^\.Sh |\Z)", PAGE, re.M | re.S):
        blocks = [(m["machine"], m["text"].replace("\\e", "\\").replace("\\-", "-"))
                  for m in BLOCK.finditer(text)]
        assert len(blocks) == text.count("\n.Bd "), f"{title}: a block does not say on which machine it is typed"
        found[title] = blocks
    return found


def test_each_procedure_is_there():
    assert [title for title, blocks in sections().items() if blocks] == [
        "TWO MACHINES FROM NOTHING", "WHAT READY MEANS", "ADDING A NODE", "ROLLING UPGRADE",
        "ROTATING KEYS AND TOKENS", "BACKUP AND RESTORE", "A DEAD DISK", "A WRONG CLOCK", "A SPLIT HERD",
        "WHO FLOODS US", "A PRIVACY REQUEST", "MONITORING", "REMOVING A NODE"]
    assert "SIZING" in sections()


def commands(script):
    """Its commands; one that has a here-document is one."""
    found, end = [], None
    for line in script.splitlines():
        if end:
            found[-1] += f"\n{line}"
            end = None if line == end else end
        else:
            found.append(line)
            here = re.search(r"<<'(\w+)'", line)
            end = here[1] if here else None
    return found

FLOOD = """
import socket
s = socket.create_connection(("192.0.2.1", 12000), timeout=60)
s.sendall(b"".join(b"IAMAT flood-%d +34.0-118.0 %d\\n" % (i, 1700000000 + i) for i in range(2000)))
s.shutdown(socket.SHUT_WR)
while s.recv(65536):
    pass
"""


class Book:
    """The machines, and the sections as they are typed there."""

    def __init__(self, machines):
        self.machines, self.sections = machines, sections()

    def type(self, title):
        """All blocks of a section; what they said, one string for each command."""
        said = {}
        for machine, script in self.sections[title]:
            if machine is None:
                continue
            for command in commands(script):
                start = time.monotonic()
                status, text = self.machines.run(machine, command)
                print(f"{time.monotonic() - start:6.2f} s  {machine}: {command.splitlines()[0]}")
                assert status == 0 or status in (1, 2) and MAY_FIND.search(command), (title, machine, command, status,
                                                                                     text)
                said[command] = text
        return said

    def on(self, machine, command, pattern):
        """Waits until a command says it."""
        said = [None]

        def says():
            said[0] = self.machines.run(machine, command)[1]
            return re.search(pattern, said[0])
        try:
            return wait_until(says, pattern, 3 * DEADLINE_S)
        except AssertionError:
            raise AssertionError(f"{command}: {said[0]!r} has no {pattern}") from None


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_the_book_works(tmp_path, shim):  # noqa: F811
    with Machines(tmp_path) as machines:
        book = Book(machines)
        said = book.type("TWO MACHINES FROM NOTHING")
        # The page has the commands that these two print.
        printed = "".join(said[c] for c in said if c.startswith(("herdctl init", "herdctl cert new")))
        assert [c for c in said if c.startswith(("scp", "ssh root@")) and f"{c}\n" not in printed] == []
        assert "+34.068930-118.445127" in said["herdctl -n B client show probe-1"]
        book.type("WHAT READY MEANS")
        machines.run("one", "herdctl -n A iamat kiwi 34.068930,-118.445127")

        # Node C will start with a clock that is an hour ahead.
        clock = machines.share / "three" / "clock"
        clock.write_bytes((3600 * 10 ** 9).to_bytes(8, "little"))
        preload = machines.program(shim)
        (machines.share / "three" / "C.env").write_text(f"LD_PRELOAD={preload}\nCLOCK_SHIM={machines.seen(clock)}\n")
        for path in (clock, machines.share / "three" / "C.env"):
            path.chmod(0o666)
        said = book.type("ADDING A NODE")
        assert re.search(r"\b1\b", said["herdctl -n C client count"])

        book.on("three", "herdctl -n C stats herd_clock_overruled", r"overruled\s+-\s+1\b")
        said = book.type("A WRONG CLOCK")
        assert re.search(r"\b3[56]\d\d", said["herdctl -n C stats herd_clock_ahead_seconds"])
        book.on("three", "herdctl -n C stats herd_clock_overruled", r"overruled\s+-\s+0\b")

        pids = [(machines.share / f / p).read_text() for f, p in (("one", "A.pid"), ("two", "B.pid"))]
        book.type("ROLLING UPGRADE")
        assert all(a != b for a, b in zip(pids, [(machines.share / f / p).read_text()
                                                 for f, p in (("one", "A.pid"), ("two", "B.pid"))]))
        book.on("one", "curl -s --unix-socket /run/herd/A.sock http://herd/readyz", "ready")
        book.type("ROTATING KEYS AND TOKENS")
        book.type("BACKUP AND RESTORE")

        # A disk dies: the store's file is no longer there.
        machines.run("two", "rm /var/lib/herd/B.sqlite")
        machines.run("two", "herdctl -n B iamat karp 34.0,-118.0 --timeout 5s")
        book.on("two", "journalctl -u herdd@B", "store-failed")
        said = book.type("A DEAD DISK")
        assert re.search(r"\b1\b", said["herdctl -n B client count"])

        machines.cable("three", "down")
        book.on("one", "herdctl -n A peer ls", r"(?m)^C\s+(?!synced)\w")
        down = book.sections["A SPLIT HERD"][0]
        for command in commands(down[1]):
            assert "C" in machines.run("one", command)[1]
        machines.cable("three", "up")
        book.type("A SPLIT HERD")

        machines.run("three", f"{sys.executable} -c '{FLOOD}'")
        book.on("one", "herdctl -n A client count 'flood-*'", r"\b2,?000\b")
        said = book.type("WHO FLOODS US")
        assert "192.0.2.3" in said["herdctl -n A client top"]
        book.on("one", "herdctl -n A client count 'flood-*'", r"\b0\b")

        machines.run("one", "herdctl -n A iamat karp 34.068930,-118.445127")
        said = book.type("A PRIVACY REQUEST")
        assert '"kiwi"' in said["herdctl -n A client show kiwi -o json"]
        said = book.type("MONITORING")
        assert "herd_ready 1" in said["curl -s --fail --unix-socket /run/herd/A.sock http://herd/metrics"]
        book.type("REMOVING A NODE")
        assert machines.run("three", "systemctl is-active herdd@C")[0] != 0
        book.on("one", "herdctl -n A peer ls", r"(?m)^B\s+synced")
        assert "C" not in re.findall(r"^(\w+)\s", machines.run("one", "herdctl -n A peer ls")[1], re.M)


def test_page_is_installed_and_named():
    page = subprocess.run(["mandoc", "-Tlint", "-Wwarning", TOP / "man" / "herd-ops.7"], capture_output=True, text=True)
    assert page.returncode == 0, page.stdout
    assert "herd-ops(7)" in (TOP / "README.md").read_text()
    for other in ("herd.7", "herdd.8", "herdctl.1"):
        assert re.search(r"^\.Xr herd-ops 7", (TOP / "man" / other).read_text(), re.M), other
    assert pathlib.Path(TOP / "man" / "herd-ops.7") in set((TOP / "man").glob("*.[1578]"))
