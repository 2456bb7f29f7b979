# SPDX-License-Identifier: GPL-3.0-or-later
"""The session under what terminals, shells and sick nodes do to it."""
import re
import signal

import pytest

from nodes import HERDCTL
from terminal import Terminal, plain

EVIL = b"evil\x1b[31m\xe2\x80\xae"


@pytest.fixture
def repl(terminal, fake):
    def start(*words, **more):
        shown = terminal(*words, **more)
        shown.prompt()
        return shown
    return start


def goes_on(session):
    """The session takes a command and the terminal is as it should be."""
    assert "REMOVALS" in session.ask("client count")


# --- Ctrl-Z, resize ------------------------------------------------------

def test_ctrl_z_and_fg_in_a_shell(ctl):
    shell = Terminal(["/bin/bash", "--norc", "--noprofile", "-i"], ctl.env(PS1="shell$ "))
    try:
        shell.expect(re.escape("shell$ "))
        shell.line(HERDCTL)
        shell.prompt()
        for _ in range(2):
            shell.send("client co")
            shell.expect("client co")
            shell.send("\x1a")
            shell.expect("Stopped")
            shell.expect(re.escape("shell$ "))
            shell.line("echo $((6 * 7))")
            shell.expect("42\r\n")
            shell.line("fg")
            shell.expect("client co")
            shell.send("unt\r")
            assert "REMOVALS" in shell.prompt()
        shell.send("\x04")
        shell.expect(re.escape("shell$ "))
        shell.line("exit 0")
        assert shell.end() == 0
    finally:
        shell.close()


def test_resize_while_typing_and_while_watching(repl):
    session = repl(size=(24, 200))
    session.send("client co")
    session.expect("client co")
    session.child.setwinsize(24, 60)
    session.send("unt\r")
    session.expect("REMOVALS")
    session.prompt()
    session.line("herd status --watch=0.1")
    session.expect("every 100ms")
    session.child.setwinsize(10, 40)
    session.expect("every 100ms")
    session.expect("every 100ms")  # begun after the resize
    frame = plain(session.expect("every 100ms"))
    assert max(len(line) for line in frame.splitlines()) <= 40
    session.child.setwinsize(24, 200)
    session.send("\x03")
    session.prompt()
    goes_on(session)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(terminal, fake, columns):
    for node in fake.nodes.values():
        node.clients[b"a-client-with-quite-a-long-name.example.org"] = (
            b"1795534693.728513777", b"+34.068930-118.445127", b"Riley", b"+0.000512771")
    for words in ("peer ls", "client ls", "client show a-client-with-quite-a-long-name.example.org -n all",
                  "whatsat a-client-with-quite-a-long-name.example.org 10 5", "herd status", "status", "node ls",
                  "peer graph", "herd check"):
        shown = terminal(*words.split(), size=(24, columns))
        shown.end()
        lines = plain(shown.seen).splitlines()
        for line in lines[words.startswith("whatsat"):]:  # the first is a sentence
            assert len(line) <= columns, (words, line)


def test_the_sessions_node_is_no_choice_of_a_herd_wide_command(terminal, fake):
    session = terminal("-n", "Riley")
    session.prompt()
    assert "3 nodes: 3 ready" in session.ask("herd status")
    assert "1 node: 1 ready" in session.ask("herd status -n Riley")
    shown = terminal("-n", "Riley", "herd", "status")
    assert shown.end() == 0 and "1 node: 1 ready" in shown.seen


# --- a stopped node ------------------------------------------------------------------

def test_a_stopped_process_is_told_and_comes_back(herd, tmp_path):
    from conftest import herdctl_env
    home = tmp_path / "home"
    home.mkdir()
    session = Terminal([HERDCTL, "-n", "Riley"], herdctl_env(home, HERD_CONF=herd.path), (24, 100))
    try:
        session.prompt("ucla/Riley")
        herd["Jaquez"].send_signal(signal.SIGSTOP)
        shown = session.ask("status -n Jaquez --timeout 300ms", "ucla/Riley")
        assert "no answer in time" in shown
        assert "REMOVALS" in session.ask("client count", "ucla/Riley")
        herd["Jaquez"].send_signal(signal.SIGCONT)
        assert "Jaquez  herdd" in session.ask("status -n Jaquez", "ucla/Riley")
        session.send("\x04")
        assert session.end() == 0
    finally:
        session.close()


# --- what is shown ---------------------------------------------------------------

def test_names_from_the_herd_cannot_steer_the_terminal(repl, fake):
    fake["Riley"].clients[EVIL] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    fake["Riley"].clients[b"evil-too"] = fake["Riley"].clients[EVIL]
    session = repl()
    session.ask("client ls")
    session.ask("client show evil-too")
    session.send("client show evil-")
    session.complete("evil-too")
    session.send("\x03")
    session.prompt()
    session.ask("whatsat evil-too 10 5")
    assert "\x1b[31m" not in session.seen and "\u202e" not in session.seen
    goes_on(session)


def test_ten_thousand_ids_are_completed(repl, fake):
    for i in range(10000):
        fake["Riley"].clients[b"phone-%05d.example.org" % i] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session = repl()
    session.send("client show ph")
    session.complete("client show phone-0")
    session.send("9")
    session.send("\x03")
    session.prompt()
    goes_on(session)
