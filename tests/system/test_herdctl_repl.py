# SPDX-License-Identifier: GPL-3.0-or-later
"""The session on a real terminal."""
import os
import re
import resource
import signal
import stat

import pytest

from nodes import HERDCTL, wait_until
from terminal import plain

HERE = "+34.068930-118.445127"


@pytest.fixture
def repl(terminal, fake):
    def start(*words, **more):
        shown = terminal(*words, **more)
        if "name" not in more:
            shown.prompt()
        return shown
    return start


def test_commands_run_and_ctrl_d_leaves(repl, fake):
    session = repl()
    assert "Riley" in session.ask("client count")
    session.send("\x04")
    assert session.end() == 0
    session = repl()
    session.line("exit")
    assert session.end() == 0


def test_ctrl_d_in_a_line_does_not_leave(repl):
    session = repl()
    session.send("ping\x01\x04")  # start of the line, then delete
    session.expect("ing")
    session.send("\x03")
    session.prompt()
    assert "Riley" in session.ask("client count")


def test_ctrl_c_cancels_the_line_not_the_session(repl):
    session = repl()
    session.send("iamat nonsense")
    session.expect("nonsense")
    session.send("\x03")
    session.prompt()
    session.send("\x03")
    session.prompt()
    assert "Riley" in session.ask("client count")


def test_ctrl_c_leaves_the_prompt_on_its_own_line(repl, fake):
    session = repl()
    session.line("events")
    wait_until(lambda: len(fake["Riley"].watchers) == 2, "events are followed")
    session.send("\x03")

    def last_lines():
        return [line for line in session.lines()[0] if line][-2:]
    session.until(lambda: last_lines() == ["^C", "lab/Riley>"], "a prompt below")


def test_the_context_before_may_be_none(repl, fake):
    session = repl()
    session.line(f"context add mine -c {fake.path}")
    session.prompt()
    session.line("context use mine")
    session.prompt("mine/Riley")
    session.line("context previous")
    session.prompt()
    session.line("context previous")
    session.prompt("mine/Riley")


def test_ctrl_c_cancels_a_running_command(repl, fake):
    session = repl()
    before = len(fake["Jaquez"].requests)
    fake["Jaquez"].fault = "silence"
    session.line("status -n Jaquez --timeout 20s")
    wait_until(lambda: len(fake["Jaquez"].requests) > before, "it asks")
    session.send("\x03")
    session.prompt()
    assert "Riley" in session.ask("client count")
    # one prompt for the Ctrl-C: it is not taken for the next line's as well
    assert plain(session.seen).count("lab/Riley> ") == 3


def test_ctrl_c_leaves_the_reverse_search(repl):
    session = repl()
    session.ask("client count")
    session.send("\x12cou")
    session.until(lambda: any("reverse-i-search)`cou': client count" in line
                              for line in session.lines()[0]), "it is found")
    at = len(session.seen)
    session.send("\x03")
    session.until(lambda: "lab/Riley> " in plain(session.seen[at:]), "the prompt")
    session.line("peer ls -o name")     # a new line, not the search's
    session.expect("Jaquez\r\n")
    session.prompt()


@pytest.mark.parametrize("words", ["events", "node ls --watch=0.1"])
def test_ctrl_c_ends_a_stream_not_the_session(repl, fake, words):
    session = repl()
    session.line(words)
    if words == "events":
        wait_until(lambda: len(fake["Riley"].watchers) > 1, "it follows")
    else:
        session.until(lambda: session.seen.count("\x1b[H") > 2, "some rounds")
    session.send("\x03")
    session.prompt()
    assert "REMOVALS" in session.ask("client count")


@pytest.mark.parametrize("fault", ["garbage", "half", "close", "silence", "unasked", "http-500"])
def test_a_bad_server_costs_one_command(repl, fake, fault):
    """What a server answers or fails to does not end the session."""
    session = repl()
    fake["Jaquez"].fault = fault
    session.line("client count -n Jaquez --timeout 500ms")
    shown = session.prompt()
    assert "Jaquez: " in shown and "\x1b]0;owned" not in session.seen
    fake["Jaquez"].fault = None
    assert "REMOVALS" in session.ask("client count -n Jaquez")


def test_ids_from_the_network_reach_the_screen_clean(repl, fake):
    evil = "k\x1b[31m\u202ewi"
    fake["Riley"].clients[evil.encode()] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session = repl()
    shown = session.ask("client ls -o wide")
    assert "wi" in shown
    assert "\x1b[31m\u202e" not in session.seen and "\u202e" not in session.seen


@pytest.mark.parametrize("width", [40, 80, 200])
def test_tables_fit_each_width(repl, width):
    session = repl(size=(24, width))
    rows = session.ask("peer ls").splitlines()
    assert any(row.startswith("Juzang") for row in rows)
    assert all(len(row) <= width for row in rows)


def test_type_ahead_survives_a_command(repl, fake):
    session = repl()
    fake["Jaquez"].fault = "silence"
    before = len(fake["Jaquez"].requests)
    session.line("status -n Jaquez --timeout 1s")
    wait_until(lambda: len(fake["Jaquez"].requests) > before, "it asks")
    session.line("client count")
    session.expect("no answer in time")
    session.prompt()
    assert "REMOVALS" in session.prompt()


def test_pasted_lines_run_in_order_and_stop_at_an_error(repl, fake):
    session = repl()
    session.send("\x1b[200~iamat p1 +1+1 5\niamat p2 +1+1 5\nnonsense\niamat p3 +1+1 5\x1b[201~\r")
    session.expect("1 line after it was not run")
    session.prompt()
    assert [line.split()[1] for line in fake["Riley"].lines if b"IAMAT" in line] == [b"p1", b"p2"]
    # without bracketed paste: the lines come as they are typed
    session.send("iamat q1 +1+1 5\riamat q2 +1+1 5\r")
    wait_until(lambda: b"q2" in fake["Riley"].clients, "both have run")
    assert b"q1" in fake["Riley"].clients


def test_a_lost_server_is_told_once_and_comes_back(repl, fake):
    session = repl()
    riley = fake["Riley"]
    port = riley.port
    riley.stop()
    session.expect("Riley is down: ")
    session.expect(re.escape("lab/Riley (down)> "))
    session.line("iamat c +1+1 5")  # fails at once, with the reason
    text = session.expect(re.escape("lab/Riley (down)> "))
    assert "not connected (" in text
    riley.start(port)
    session.expect("Riley is back")
    session.prompt()
    session.line("iamat c +1+1 5")
    session.prompt()
    assert riley.clients.keys() == {b"c"}  # nothing was sent again
    assert plain(session.seen).count("Riley is down") == 1
    assert plain(session.seen).count("Riley is back") == 1


def test_notices_stand_above_the_line_being_typed(repl, fake):
    session = repl()
    wait_until(lambda: fake["Riley"].watchers, "events are followed")
    session.send("client co")
    session.expect("client co")
    fake["Riley"].tell({"event": "link", "peer": "Juzang", "state": "backoff",
                        "error": "connection refused \x1b[31m"})
    session.expect("Riley: link to Juzang is backoff: connection refused")
    session.expect("lab/Riley> client co")
    session.send("unt\r")
    assert "REMOVALS" in session.prompt()
    assert "\x1b[31m" not in session.seen
    session.ask("set notices off")
    fake["Riley"].tell({"event": "link", "peer": "Juzang", "state": "synced"})
    session.ask("ping")
    assert "is synced" not in session.seen


def test_tab_completes_commands_flags_and_names(repl, fake):
    fake["Riley"].clients[b"kiwi.cs.ucla.edu"] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session = repl()
    wait_until(lambda: any("/v1/clients?" in r[1] for r in fake["Riley"].requests), "ids are asked")
    session.ask("ping")
    session.send("wha\t")
    session.expect("whatsat ")
    session.send("ki")
    session.complete("kiwi.cs.ucla.edu ")
    session.send("10 5 --ma\t")
    session.expect("--map ")
    session.send("\x03")
    session.prompt()
    session.send("status -n Jaq\t")
    session.expect("Jaquez ")
    session.send("\x03")
    session.prompt()
    session.send("peer ls; cl\t")
    session.expect("client ")
    session.send("\x03")
    session.prompt()


def test_long_lists_of_suggestions_are_cut(repl, fake):
    for i in range(500):
        fake["Riley"].clients[b"c%04d" % i] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session = repl()
    wait_until(lambda: any("/v1/clients?" in r[1] for r in fake["Riley"].requests), "ids are asked")
    session.ask("ping")
    session.send("client show c")
    session.complete("and 420 more")
    session.expect("client show c0")
    session.send("\x03")
    session.prompt()
    assert "Riley" in session.ask("client count")


def test_completion_never_waits_for_a_server(repl, fake):
    session = repl()
    fake["Riley"].fault = "silence"
    session.send("client show zzz\t\t x")
    session.expect("zzz\x07* x", timeout=5)
    session.send("\x03")
    session.prompt()


def test_history_is_private_has_times_and_loses_nothing(repl, tmp_path):
    one, two = repl(), repl()
    one.ask("client count")
    two.ask("peer ls")
    one.ask(" ping")          # a leading space: not kept
    one.ask("herd status")
    path = tmp_path / "home/.local/state/herdctl/history"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    lines = path.read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "client count", "peer ls", "herd status"]
    assert sum(bool(re.fullmatch(r"#\d+", line)) for line in lines) == 3
    third = repl()
    third.send("\x1b[A")
    third.expect("herd status")


def test_history_that_cannot_be_written_does_not_end_the_session(repl, tmp_path):
    session = repl()
    session.ask("client count")
    path = tmp_path / "home/.local/state/herdctl/history"
    size = path.stat().st_size
    resource.prlimit(session.pid, resource.RLIMIT_FSIZE, (size, size))
    assert "no history is kept from here on" in session.ask("peer ls")
    assert "no history" not in session.ask("herd status")
    assert path.read_text().endswith("client count\n")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_history_that_is_no_file_is_left_alone(repl, tmp_path, make):
    folder = tmp_path / "home/.local/state/herdctl"
    folder.mkdir(parents=True)
    make(folder / "history")
    assert "Riley" in repl().ask("client count")


def test_the_terminal_is_never_left_raw(repl):
    for end in (lambda s: s.send("\x04"), lambda s: os.kill(s.pid, signal.SIGTERM),
                lambda s: os.kill(s.pid, signal.SIGHUP)):
        session = repl()
        end(session)
        status = session.end()
        assert status in (0, -signal.SIGTERM, -signal.SIGHUP)
        assert session.seen.count("\x1b[?2004h") == session.seen.count("\x1b[?2004l")


def test_ctrl_z_gives_the_terminal_back(repl):
    session = repl()
    session.send("client co")
    session.expect("client co")
    os.kill(session.pid, signal.SIGTSTP)

    def stopped():
        with open(f"/proc/{session.pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "T"
    wait_until(stopped, "it has stopped")
    os.kill(session.pid, signal.SIGCONT)
    session.expect("client co")
    session.send("unt\r")
    assert "REMOVALS" in session.prompt()


def test_output_goes_to_shells_and_files(repl, tmp_path):
    session = repl()
    assert session.ask("peer ls | wc -l").strip() == "3"
    assert session.ask("peer ls -o name | sort -r | head -n 1").strip() == "Juzang"
    path = tmp_path / "out.txt"
    session.ask(f"peer ls -o name > {path}")
    session.ask(f"peer ls -o name >> '{path}'")
    assert path.read_text() == "Jaquez\nJuzang\n" * 2
    assert "cannot write" in session.ask("peer ls > /nowhere/x")
    # the reader leaves early; the session goes on
    session.ask("client ls | true")
    assert "Riley" in session.ask("client count")


def test_settings_change_the_session(repl, fake):
    session = repl()
    session.ask("set output csv")
    assert session.ask("client count").strip() == "node,count,removals,error\nRiley,0,0,"
    session.ask("set output")
    session.ask("set timing on")
    assert "time: " in session.ask("client count")
    assert "did you mean `output'?" in session.ask("set outptu json")
    session.line("set node Juzang")
    session.prompt("lab/Juzang")
    assert "Juzang" in session.ask("client count", "lab/Juzang")
    session.line("set read-only on")
    session.expect(re.escape("lab/Juzang (read-only)> "))
    session.line("iamat c +1+1")
    assert "read-only" in session.expect(re.escape("(read-only)> "))


def test_contexts_change_this_session_only(repl, ctl, fake):
    assert ctl("context", "add", "two", "-c", fake.path, "-n", "Jaquez").returncode == 0
    session = repl()
    session.line("context use two")
    session.prompt("two/Jaquez")
    assert "Jaquez" in session.ask("client count", "two/Jaquez")
    assert ctl("context", "show").returncode == 1
    session.line("context none")
    session.prompt("lab/Riley")
    session.line("context use two --save")
    session.prompt("two/Jaquez")
    assert ctl("context", "show").returncode == 0
    assert "no context" in session.ask("context use three", "two/Jaquez")


def test_options_hold_for_their_line_only(repl):
    session = repl()
    assert session.ask("client count -n all -o name").split() == ["Riley", "Jaquez", "Juzang"]
    assert "REMOVALS" in session.ask("client count")


def test_errors_keep_the_session(repl):
    session = repl()
    assert "did you mean `client ls'?" in session.ask("clinet ls")
    assert "a quote is not closed" in session.ask("iamat 'c")
    assert "usage: herdctl whatsat" in session.ask("whatsat --help")
    assert "Riley" in session.ask("client count")


def test_confirmation_may_be_interrupted(repl, fake):
    fake["Riley"].clients[b"c"] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session = repl()
    session.line("client forget c")
    session.expect(re.escape("Forget client c in the whole herd, by 3 nodes (lab)? [y/N]"))
    session.send("\x03")
    session.prompt()
    assert b"c" in fake["Riley"].clients
    session.line("client forget c")
    session.expect("y/N")
    session.line("y")
    session.prompt()
    assert b"c" not in fake["Riley"].clients


def test_a_dumb_terminal_gets_no_escapes(terminal, fake):
    session = terminal(env={"TERM": "dumb"})
    session.prompt()
    session.ask("herd status")
    session.send("\x04")
    assert session.end() == 0
    assert "\x1b" not in session.seen


def test_without_a_herd_file_the_session_still_helps(terminal):
    session = terminal(conf=False)
    session.expect("no herd file")
    session.prompt("herdctl")
    assert "usage: herdctl" in session.ask("help | cat", "herdctl")


# --- scripts --------------------------------------------------------------------------


def test_scripts_stop_at_the_first_error_with_its_place(ctl, fake, tmp_path):
    path = tmp_path / "x.herd"
    path.write_text("# a script\niamat a +1+1 5; iamat b -1-1 5\n\nwhatsat nobody 1 1\niamat c +1+1 5\n")
    result = ctl("-f", path)
    assert result.returncode == 5
    assert result.stderr.startswith(f"{path}:4: Riley refused it: ")
    assert fake["Riley"].clients.keys() == {b"a", b"b"}
    result = ctl("-f", path, "--keep-going")
    assert result.returncode == 5 and b"c" in fake["Riley"].clients


def test_a_pipe_is_a_script_and_arguments_win(ctl, fake):
    result = ctl(stdin="iamat a +1+1 5\nclient 'ls\n")
    assert result.returncode == 2
    assert result.stderr == "stdin:2: a quote is not closed\n"
    result = ctl("client", "count", stdin="nonsense\n")
    assert result.returncode == 0
    assert ctl(stdin="").returncode == 0
    assert ctl("-f", "-", stdin="exit\nnonsense\n").returncode == 0
    assert ctl("-f", "/nowhere").returncode == 8


def test_scripts_print_no_prompt_and_no_escape(ctl, fake):
    result = ctl(stdin="herd status -o table\nping | cat\n")
    assert result.returncode == 0
    assert "\x1b" not in result.stdout and "> " not in result.stdout


def test_scripts_take_raw_lines_byte_for_byte(ctl, fake):
    result = ctl(stdin=b"raw  IAMAT\tx  +1+1 5 ;#|' \\\n", text=False)
    assert fake["Riley"].lines == [b" IAMAT\tx  +1+1 5 ;#|' \\\n"]
    assert result.returncode == 5


def test_worst_status_counts_when_going_on(ctl):
    result = ctl("--keep-going", stdin="client show nobody\nwhatsat x 1 1\nclient count\nstatsu\n")
    assert result.returncode == 5


def test_json_errors_of_scripts_name_the_place(ctl):
    import json
    result = ctl("--json", stdin="client count\nclient show nobody\n")
    error = json.loads(result.stderr)["error"]
    assert error["place"] == "stdin:2" and error["status"] == 1


def test_a_terminal_without_stdout_is_no_session(terminal, ctl, tmp_path):
    """stdin a terminal, stdout a file: nobody would see a prompt."""
    out = tmp_path / "out"
    shown = terminal_shell(ctl, f"{HERDCTL} > {out}")
    assert shown.end() == 2
    assert out.read_text() == ""


def terminal_shell(ctl, command):
    from terminal import Terminal
    return Terminal(["/bin/sh", "-c", command], ctl.env())
