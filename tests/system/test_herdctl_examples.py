# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of `help` and of herdctl(1) is what it says: it runs on a pipe
and on a terminal, against a herd that is thrown away afterwards."""
import os
import re
import signal
import subprocess

import pytest

from conftest import Ctl
from nodes import DEADLINE_S, HERDCTL, TOP
from terminal import Terminal, plain

KIWI = "kiwi.cs.ucla.edu"
HERE = "+34.068930-118.445127"

# The statuses that an example may end with, where 0 and 1 are not both fine.
# The herd has no Places.
STATUSES = {
    "client track": {5},  # no store keeps a history
    "whatsat": {0, 5}, "places test": {0, 5}, "check": {0, 1, 2, 3},
    "unalias": {1},  # nothing of a session is left
    "iamat": {0}, "status": {0}, "client ls": {0}, "client show": {0}, "client export": {0},
    "client import": {0}, "help": {0}, "version": {0}, "alias": {0}, "set": {0}, "stats": {0},
    "events": {130}, "herd wait": {0}, "ping": {0}, "raw": {0}, "trace": {0}, "bench": {0},
}
# What ends an example that goes on by itself.
LIVE = {"events": "\x03", "herd status": "q", "top": "q"}
# Changes what the others need, so it comes at the end, in this order.
LAST = ["peer disable", "peer enable", "node drain", "node undrain", "node stop"]


def command_paths(ctl):
    """The commands, from the completion that the shells use."""
    found = []
    for first in ctl("__complete", "").stdout.split():
        seconds = [f"{first} {second}" for second in ctl("__complete", first, "").stdout.split()
                   if ctl(first, second, "--help").stdout.startswith(
                       f"usage: herdctl {first} {second}")]
        found += seconds or [first]
    return found


def help_examples(ctl):
    """(path, line) of each command that has one, what changes the herd last."""
    found = []
    for path in command_paths(ctl):
        text = ctl(*path.split(), "--help").stdout
        found += [(path, line) for line in re.findall(r"^Example:\n  (herdctl .*)$", text, re.M)]
    assert len(found) > 50
    return sorted(found, key=lambda one: LAST.index(one[0]) + 1 if one[0] in LAST else 0)


def manual_examples(ctl):
    with open(TOP / "man/herdctl.1", encoding="utf-8") as file:
        text = file.read().split("BEGIN examples")[1].split("END examples")[0]
    lines = [line.replace("\\e", "\\") for block in re.findall(r"\.Bd[^\n]*\n(.*?)\.Ed", text, re.S)
             for line in block.strip().split("\n")]
    assert len(lines) >= 12
    paths = command_paths(ctl)
    # The longest path in the line is its command.
    return [(max((p for p in paths if f" {p}" in line), key=len, default=""), line)
            for line in lines]


def ended(status):
    """A signal's end as a shell gives it."""
    return 128 - status if status < 0 else status


def run_on_pipe(line, live, cwd, env):
    with subprocess.Popen(["bash", "-c", line], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        if live is not None:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=DEADLINE_S)
    return ended(process.returncode), out + error


def run_on_terminal(line, live, cwd, env):
    shown = Terminal(["env", "-C", str(cwd), "bash", "-c", line], env)
    try:
        if live is not None:
            shown.expect(r"\S[^\n]*\n")
            shown.send(live)
        return ended(shown.end()), plain(shown.seen)
    finally:
        shown.close()


def make_example_files(ctl, folder):
    """What the examples read."""
    (folder / "clients.jsonl").write_text("")
    (folder / "NOTICE").write_text("Made up.\n")
    (folder / "cafes.geojson").write_text(
        '{"type":"Feature","properties":{"name":"A"},"geometry":{"type":"Point",'
        '"coordinates":[1,2]}}\n')
    assert ctl("init", folder / "ferry", "--nodes", "A@192.0.2.1,B@192.0.2.2").returncode == 0


@pytest.mark.parametrize("how", [run_on_pipe, run_on_terminal], ids=["pipe", "terminal"])
@pytest.mark.parametrize("source", [help_examples, manual_examples], ids=["help", "manual"])
def test_each_example_runs(herd, tmp_path, source, how):
    home = tmp_path / "home"
    home.mkdir()
    ctl = Ctl(home, herd.path)
    herd.settings = "http: {users_file: users}\n"
    herd.write()
    env = ctl.env()
    env["PATH"] = os.path.dirname(HERDCTL) + ":" + env["PATH"]
    make_example_files(ctl, tmp_path)
    for client in (KIWI, "probe-1"):
        assert ctl("iamat", client, HERE).returncode == 0
    herd.wait_equal([KIWI.encode(), b"probe-1"])
    for path, line in source(ctl):
        live = LIVE.get(path)
        if path == "bench":
            line = line.replace("10s", "500ms")
        if "--count" in line or path == "top" and how is run_on_pipe:
            live = None  # it ends by itself
        status, shown = how(line, live, tmp_path, env)
        expected = STATUSES.get(path, {0, 1})
        if live is not None:
            expected = {0, 130}
        assert status in expected, (path, line, status, shown[-2000:])
        # It does not work in the context that an example has made.
        if path == "context use":
            assert ctl("context", "none").returncode == 0
