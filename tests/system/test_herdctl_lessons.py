# SPDX-License-Identifier: GPL-3.0-or-later
"""What other tools of this kind get wrong, and what a session has to live
through: where each is tested, and those that no other file has."""
import pathlib
import re

import pytest

from nodes import HERDCTL, wait_until
from terminal import Terminal

# What goes wrong elsewhere: the test that herdctl does it right.
LESSONS = {
    "errors on stdout": "test_stdout_is_data_only",
    "exit status 0 after errors": "test_refusals_are_status_5_and_not_data",
    "prompts and escapes in pipes": "test_scripts_print_no_prompt_and_no_escape",
    "Ctrl-C leaves": "test_ctrl_c_cancels_the_line_not_the_session",
    "a lost server stays lost, the prompt lies": "test_a_lost_server_is_told_once_and_comes_back",
    "an invented answer when the server is gone": "test_all_unreachable_is_status_3",
    "a silent server hangs it": "test_faults_end_in_time_with_their_status",
    "pasted lines are dropped or joined": "test_pasted_lines_run_in_order_and_stop_at_an_error",
    "--help is rejected": "test_every_command_has_help",
    "a flag and its variable cannot both be set": "test_settings_have_an_order_and_say_their_origin",
    "tables wider than the terminal": "test_tables_fit_each_width",
    "the shape of JSON depends on the count": "test_the_same_keys_whatever_the_count",
}
SESSION = {
    "Ctrl-C, empty and half a line": "test_ctrl_c_cancels_the_line_not_the_session",
    "Ctrl-C in the reverse search": "test_ctrl_c_leaves_the_reverse_search",
    "Ctrl-C during a command": "test_ctrl_c_cancels_a_running_command",
    "Ctrl-C during a watch, an event stream": "test_ctrl_c_ends_a_stream_not_the_session",
    "Ctrl-D": "test_commands_run_and_ctrl_d_leaves",
    "Ctrl-Z and fg": "test_the_session_is_a_job_of_its_shell",
    "another size": "test_the_session_takes_another_size",
    "a paste of lines": "test_pasted_lines_run_in_order_and_stop_at_an_error",
    "a killed server": "test_the_session_survives_a_restart",
    "a stopped server": "test_the_session_survives_a_stopped_server",
    "garbage, silence, an end in an answer": "test_a_bad_server_costs_one_command",
    "a server that comes back": "test_a_lost_server_is_told_once_and_comes_back",
    "notices while typing": "test_notices_stand_above_the_line_being_typed",
    "the history of two sessions": "test_history_is_private_has_times_and_loses_nothing",
    "10,000 client ids": "test_ten_thousand_ids_are_completed",
    "an error in a file of commands": "test_scripts_stop_at_the_first_error_with_its_place",
    "| head -1": "test_head_ends_it_quietly",
    "NO_COLOR, TERM=dumb": "test_no_escape_byte_where_none_is_wanted",
    "40, 80, 200 columns": "test_tables_fit_each_width",
    "HOME unset, not writable": "test_a_session_needs_no_home",
    "controls in ids": "test_ids_from_the_network_reach_the_screen_clean",
}


def test_each_lesson_has_its_test():
    folder = pathlib.Path(__file__).parent
    written = set(re.findall(r"^def (test_\w+)", "".join(
        path.read_text() for path in folder.glob("test_herdctl_*.py")), re.M))
    assert {*LESSONS.values(), *SESSION.values()} <= written


def test_the_session_is_a_job_of_its_shell(ctl, fake):
    shown = Terminal(["/bin/bash", "--norc", "-i"], ctl.env(PS1="READY% "))
    shown.expect("READY% ")
    shown.line(HERDCTL)
    shown.prompt()
    shown.send("client co")
    shown.expect("client co")
    shown.send("\x1a")
    shown.expect("Stopped")
    shown.expect("READY% ")
    shown.line("echo the shell $((6 * 7))")
    shown.expect("the shell 42")
    shown.line("fg")
    shown.expect("lab/Riley> client co")
    shown.send("unt\r")
    assert "REMOVALS" in shown.prompt()
    shown.send("\x04")
    shown.expect("READY% ")
    shown.close()


def test_the_session_takes_another_size(terminal, fake):
    session = terminal(size=(24, 120))
    session.prompt()
    for width in (40, 200, 60):
        session.resize(24, width)
        rows = session.ask("peer ls").splitlines()
        assert any(row.startswith("Juzang") for row in rows)
        assert all(len(row) <= width for row in rows), (width, rows)


@pytest.mark.parametrize("home", [None, "/proc"])
def test_a_session_needs_no_home(ctl, fake, home):
    env = ctl.env(HOME=home)
    if home is None:
        env.pop("HOME", None)
    session = Terminal([HERDCTL], env)
    session.prompt()
    assert "REMOVALS" in session.ask("client count")
    session.send("\x1b[A")              # history, in this session alone
    session.expect("client count")
    session.send("\x15\x04")
    assert session.end() == 0


def test_ten_thousand_ids_are_completed(terminal, fake):
    for i in range(10000):
        fake["Riley"].clients[b"bus-%05d" % i] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session = terminal()
    session.prompt()
    wait_until(lambda: any("/v1/clients?" in r[1] for r in fake["Riley"].requests), "ids are asked")
    session.ask("ping")
    session.send("client show bus-0000")
    session.until(lambda: session.send("\t") or "bus-00009" in session.seen, "they are listed")
    # one that the first page did not bring: asked for in the background
    session.send("\x15client show bus-0987\t")
    wait_until(lambda: any("prefix=bus-0987" in r[1] for r in fake["Riley"].requests), "it is asked")
    session.until(lambda: session.send("\t") or "bus-09876" in session.seen, "it is listed")
    session.send("\x03")
    session.prompt()
