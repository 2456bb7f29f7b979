# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that stay: `--watch` and `top`, in a window and in a pipe."""
import json
import os
import re
import signal
import subprocess
import termios
import time

import pytest

from conftest import herdctl_env
from nodes import HERDCTL, wait_until
from terminal import Terminal, plain

ECHO = termios.ECHO | termios.ICANON
SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"


@pytest.fixture
def watch(terminal):
    """A window in which rounds of a command follow each other quickly."""
    def start(*words, **more):
        return terminal(*words, "--watch=0.1", **more)
    return start


def rounds(shown):
    return shown.seen.count("\x1b[H")


def assert_left_as_it_was(shown, modes):
    """Echo and cursor are there again."""
    assert shown.seen.rfind(SHOW) > shown.seen.rfind(HIDE)
    assert modes[3] & ECHO == ECHO


def in_shell(ctl, command):
    """herdctl as a job of a shell, which tells its status and the modes."""
    return Terminal(["/bin/sh", "-c", f"trap : INT; {command}; echo status=$?; stty -a"], ctl.env())


# --- --watch ------------------------------------------------------------------------


def test_watch_redraws_in_place_without_flicker(watch, fake):
    shown = watch("herd", "status")
    shown.until(lambda: rounds(shown) > 5, "some rounds")
    shown.send("q")
    assert shown.end() == 0
    assert shown.seen.count("\x1b[2J") == 1      # the screen is cleared once, before
    begin = shown.seen.index("\x1b[2J") + 4
    for frame in shown.seen[begin:shown.seen.rindex("\r\r\n" + SHOW)].replace("\r\r", "\r").split("\x1b[H")[1:]:
        # each line is written over and only then erased after its end
        for line in frame.split("\r\n")[:-1]:
            assert not line.startswith("\x1b[K") or line == "\x1b[K", repr(line)
            assert line.count("\x1b[K") <= 1 and "\x1b[1K" not in line and "\x1b[2K" not in line
        assert frame.count("\x1b[J") == 1 and frame.endswith("\x1b[J")
    lines, _ = shown.lines()
    assert re.match(r"herd status  every 100ms  \d\d:\d\d:\d\d  \(q ends\)", lines[0])
    assert sum("Riley" in line for line in lines) == 1


def test_watch_shows_a_node_die_and_come_back(watch, fake):
    shown = watch("node", "ls", "-n", "all")
    def row(state):
        return lambda: any(re.search(rf"^Juzang +{state}\b", line) for line in shown.lines()[0])
    shown.until(row("ready"), "Juzang is ready")
    fake["Juzang"].stop()
    shown.until(row("unreachable"), "Juzang is gone")
    fake["Juzang"].start(fake["Juzang"].port)
    shown.until(row("ready"), "Juzang is back")
    fake["Juzang"].stop()
    shown.until(row("unreachable"), "Juzang is gone again")
    shown.send("q")
    assert shown.end() == 6      # the last round's status


def test_watch_shows_errors_in_the_picture(watch, fake):
    """On a line of its own below the cursor the next round would wipe it off."""
    shown = watch("client", "count", "-n", "Riley")
    shown.until(lambda: "REMOVALS" in plain(shown.seen), "the first round")
    fake["Riley"].stop()
    def tells():
        return any(re.match("herdctl: Riley: .*refused|herdctl: Riley: there is no such", line)
                   for line in shown.lines()[0])
    shown.until(tells, "the error")
    at = rounds(shown)
    shown.until(lambda: rounds(shown) > at + 2 and tells(), "it stays")
    shown.send("q")
    assert shown.end() == 3


def test_watch_survives_resizing(watch, fake):
    shown = watch("node", "ls", "-n", "all", size=(24, 120))
    for height, width in ((24, 40), (8, 60), (3, 20), (40, 200), (24, 80)):
        shown.resize(height, width)
        at = rounds(shown)
        shown.until(lambda at=at: rounds(shown) > at + 1, "drawn for the new size")
        lines, _ = shown.lines()
        assert lines[0].startswith("node ls  every 100"[:width - 1])
        if height == 3:
            assert lines[2].startswith("... and ")
        if height >= 24:
            assert [line.split()[0] for line in lines[3:6]] == ["Riley", "Jaquez", "Juzang"]
    shown.send("q")
    assert shown.end() == 0


def test_a_new_size_is_drawn_at_once(terminal, fake):
    """Not when the next round comes, which is an hour away."""
    shown = terminal("node", "ls", "--watch=3600")
    shown.until(lambda: "ready" in plain(shown.seen), "the first round")
    shown.resize(30, 60)
    shown.until(lambda: rounds(shown) == 2, "the second")
    shown.send("q")
    assert shown.end() == 0


def test_full_lines_keep_their_last_character(watch, fake):
    """Erasing after a line that fills the window takes its last character."""
    fake["Riley"].clients[b"c" * 200] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    shown = watch("client", "ls", "-o", "wide", size=(24, 60))
    shown.until(lambda: rounds(shown) > 2, "some rounds")
    for line in re.findall(r"c{20}[^\r]*", shown.seen):
        assert "\x1b[K" not in line
    shown.send("q")
    shown.end()


@pytest.mark.parametrize("end,status", [("q", 0), ("\x03", 130)])
def test_ending_a_watch_puts_the_terminal_back(ctl, fake, end, status):
    for command in ("node ls --watch=0.1", "top"):
        shown = in_shell(ctl, f"{HERDCTL} {command}")
        shown.until(lambda shown=shown: rounds(shown) > 1, "a picture")
        assert shown.modes()[3] & ECHO == 0      # keys do not spoil the picture
        shown.send(end)
        shown.expect(f"status={status}\r\n")
        assert_left_as_it_was(shown, shown.modes())
        assert shown.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_puts_the_terminal_back(ctl, terminal, fake, number):
    for words in (("node", "ls", "--watch=0.1"), ("top",)):
        shown = terminal(*words)
        shown.until(lambda shown=shown: rounds(shown) > 1, "a picture")
        os.kill(shown.pid, number)
        assert shown.end() == -number
        assert shown.seen.rfind(SHOW) > shown.seen.rfind(HIDE)


@pytest.mark.parametrize("command", ["node ls --watch=0.1", "top"])
def test_ctrl_z_and_fg(ctl, fake, command):
    shown = Terminal(["/bin/bash", "--norc", "-i"], ctl.env(PS1="READY% "))
    shown.expect("READY% ")
    shown.line(f"{HERDCTL} {command}")
    shown.until(lambda: rounds(shown) > 1, "a picture")
    shown.send("\x1a")
    shown.expect("Stopped")
    shown.expect("READY% ")
    assert shown.seen.rfind(SHOW) > shown.seen.rfind(HIDE)
    at = rounds(shown)
    shown.line("fg")
    shown.until(lambda: rounds(shown) > at + 1, "it goes on")
    assert shown.seen.rfind(HIDE) > shown.seen.rfind(SHOW)
    shown.send("q")
    shown.expect("READY% ")
    assert shown.seen.rfind(SHOW) > shown.seen.rfind(HIDE)
    shown.close()


def test_watch_ends_at_wrong_usage(watch, ctl, fake):
    shown = watch("node", "ls", "--columns", "nonsense")
    assert shown.end() == 2
    assert "nonsense" in plain(shown.seen)
    assert ctl("node", "ls", "--columns", "nonsense", "--watch=0.1").returncode == 2
    assert ctl("iamat", "c", "+1+1", "--watch").returncode == 2


def test_watch_in_the_session_leaves_the_prompt(terminal, fake):
    session = terminal()
    session.prompt()
    for end in ("q", "\x03"):
        at = rounds(session)
        session.line("node ls --watch=0.1")
        session.until(lambda at=at: rounds(session) > at + 2, "some rounds")
        session.send(end)
        session.prompt()
        assert "Riley" in session.ask("client count")


def test_watch_appends_on_a_pipe(ctl, fake):
    result = ctl("client", "count", "--watch=0.1", "--count", "3", "-o", "csv")
    assert result.returncode == 0
    head, *rows = result.stdout.splitlines()
    assert head == "time,node,count,removals,error"
    assert [row.split(",", 1)[1] for row in rows] == ["Riley,0,0,"] * 3
    times = [row.split(",")[0] for row in rows]
    assert times == sorted(set(times))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at) for at in times)
    result = ctl("client", "ls", "--watch=0.1", "--count", "2", "-o", "tsv")
    assert result.stdout.splitlines() == [result.stdout.splitlines()[0]]
    assert result.stdout.startswith("round_time\tnode\tclient\ttime\t")
    result = ctl("client", "count", "--watch=0.1", "--count", "2", "-o", "csv", "--no-header")
    assert len(result.stdout.splitlines()) == 2
    result = ctl("client", "count", "-o", "csv")
    assert result.stdout == "node,count,removals,error\nRiley,0,0,\n"
    result = ctl("herd", "status", "--watch=0.1", "--count", "2", "-o", "table")
    assert "\x1b" not in result.stdout and "every" not in result.stdout
    assert result.stdout.count("NODE") == 2
    fake["Riley"].stop()
    result = ctl("client", "count", "-n", "Riley", "--watch=0.1", "--count", "2")
    assert result.returncode == 3 and "\x1b" not in result.stdout
    assert result.stderr.count("herdctl: Riley: ") == 2


def test_watch_on_a_dumb_terminal_appends(watch, fake):
    shown = watch("client", "count", "--count", "2", env={"TERM": "dumb"})
    assert shown.end() == 0
    assert "\x1b" not in shown.seen and shown.seen.count("REMOVALS") == 2


# --- beside a node that hangs -------------------------------------------------------


def rows(shown, *nodes):
    """The first words of the nodes' rows: {"Riley": "ready"}."""
    found = {}
    for line in shown.lines()[0]:
        words = line.split()
        if len(words) > 1 and words[0] in nodes:
            found[words[0]] = words[1]
    return found


NODES = ("Riley", "Jaquez", "Juzang")


@pytest.mark.parametrize("size", [(20, 40), (24, 80), (40, 120)])
@pytest.mark.parametrize("words", [("node", "ls", "-n", "all", "--watch=0.1"), ("top",)])
def test_a_hung_node_does_not_hold_up_the_others(terminal, fake, words, size):
    fake["Juzang"].fault = "silence"
    shown = terminal(*words, "--timeout", "1h", size=size)
    shown.until(lambda: rows(shown, *NODES) == {"Riley": "ready", "Jaquez": "ready",
                                                "Juzang": "waiting"}, "the healthy ones at once")
    if size[1] > 80:
        assert any("no answer yet" in line for line in shown.lines()[0])
    fake["Riley"].fault = "silence"      # the next round is held up by this one
    shown.until(lambda: rows(shown, *NODES).get("Riley") == "waiting", "another one hangs")
    fake["Riley"].fault = None
    fake["Riley"].drop_connections()     # ends what was asked meanwhile
    shown.until(lambda: rows(shown, *NODES).get("Riley") == "ready", "it goes on")
    assert rows(shown, *NODES)["Juzang"] == "waiting"
    shown.send("q")
    assert shown.end() == (0 if words == ("top",) else 6)


def test_a_silent_node_becomes_unreachable(terminal, fake):
    fake["Juzang"].fault = "silence"
    for words in (("node", "ls", "-n", "all", "--watch=0.1"), ("top",)):
        shown = terminal(*words, "--timeout", "1s", size=(24, 140))
        shown.until(lambda shown=shown: rows(shown, *NODES).get("Juzang") == "waiting", "first")
        shown.until(lambda shown=shown: rows(shown, *NODES).get("Juzang") == "unreachable", "then")
        assert any("no answer in time" in line for line in shown.lines()[0])
        at = rounds(shown)
        shown.until(lambda shown=shown, at=at: rounds(shown) > at + 3, "it goes on")
        assert rows(shown, *NODES) == {"Riley": "ready", "Jaquez": "ready", "Juzang": "unreachable"}
        shown.send("q")
        shown.end()


def test_keys_and_sizes_act_while_all_nodes_hang(terminal, fake):
    for words in (("top",), ("node", "ls", "-n", "all", "--watch=3600")):
        shown = terminal(*words, "--timeout", "1h")
        shown.until(lambda shown=shown: len(rows(shown, *NODES)) == 3, "a picture")
        for name in NODES:
            fake[name].fault = "silence"
        if words == ("top",):
            shown.until(lambda shown=shown: set(rows(shown, *NODES).values()) == {"waiting"}, "all")
            shown.send("n")
            shown.expect("sorted by name")
            shown.send("r")
            shown.expect("sorted by name, reversed")
        at = rounds(shown)
        shown.resize(20, 60)
        shown.until(lambda shown=shown, at=at: rounds(shown) > at, "the new size")
        shown.send("q")
        shown.end()
        for name in NODES:
            fake[name].fault = None


def test_q_ends_a_round_that_waits(terminal, fake):
    """The node of `client ls' is asked page by page, and whatsat talks to the other listener."""
    for name in NODES:
        fake[name].fault = "silence"
    for words in (("whatsat", "c", "10", "5"), ("client", "ls", "-n", "all"), ("status",)):
        shown = terminal(*words, "--watch", "--timeout", "1h")
        shown.expect(re.escape(HIDE))
        shown.send("q")
        shown.end()


def test_the_last_counted_round_waits_for_all(terminal, fake):
    """Its status is that of a one-shot."""
    fake["Juzang"].fault = "silence"
    shown = terminal("node", "ls", "-n", "all", "--watch", "--count", "1", "--timeout", "1s")
    assert shown.end() == 6
    assert rows(shown, *NODES)["Juzang"] == "unreachable"


def test_top_once_bounds_the_time_of_a_hung_node(ctl, fake):
    fake["Juzang"].fault = "silence"
    result = ctl("top", "-1", "-o", "csv", "--columns", "node,state,iamat_per_s,error",
                 "--timeout", "10s", timeout=8)
    assert result.returncode == 6
    assert result.stdout.splitlines()[1:] == [
        "Riley,ready,0,", "Jaquez,ready,0,", "Juzang,unreachable,,no answer in time"]


def test_a_one_shot_shows_those_that_answered(terminal, fake):
    """Until the last one answers or its time is over; then the answer replaces it."""
    fake["Juzang"].fault = "silence"
    for command in (("node", "ls", "-n", "all"), ("herd", "status"), ("client", "count", "-n", "all")):
        shown = terminal(*command, "--timeout", "1h", size=(24, 120))
        shown.expect("no answer yet")
        if command[0] != "client":
            assert rows(shown, *NODES) == {"Riley": "ready", "Jaquez": "ready", "Juzang": "waiting"}
        fake["Juzang"].fault = None
        fake["Juzang"].drop_connections()
        assert shown.end() == 6
        text = "\n".join(shown.lines()[0])
        assert "no answer yet" not in text and "closed the connection" in text
        assert len(re.findall("^Riley", text, re.M)) == 1
        fake["Juzang"].fault = "silence"


def test_a_one_shot_that_waits_can_be_stopped(terminal, fake):
    fake["Juzang"].fault = "silence"
    session = terminal()
    session.prompt()
    session.line("node ls -n all --timeout 1h")
    session.expect("no answer yet")
    session.send("\x03")
    session.prompt()
    assert "Riley" in session.ask("client count")


def test_a_person_is_told_for_whom_a_pipe_waits(ctl, fake):
    fake["Juzang"].fault = "silence"
    shown = in_shell(ctl, f"{HERDCTL} node ls -n all --timeout 1h | cat")
    shown.expect("herdctl: waiting for Juzang\r\n")
    shown.close()


def test_trace_shows_hops_as_they_come(terminal, fake):
    """Riley has it and tells Jaquez later; Juzang hangs."""
    fake["Juzang"].fault = "silence"
    riley, told = fake["Riley"], []
    original = riley.tell

    def tell(event):
        original(event)
        told.append(event)
    riley.tell = tell
    shown = terminal("trace", "probe", "34,-118", "--timeout", "1h", size=(24, 120))
    shown.until(lambda: rows(shown, "Riley", "Jaquez", "Juzang") and told, "the report is sent")
    shown.until(lambda: re.search(r"^Riley +client .* ok\b", "\n".join(shown.lines()[0]), re.M), "one hop")
    assert rows(shown, "Jaquez", "Juzang") == {"Jaquez": "-", "Juzang": "-"}
    lines = "\n".join(shown.lines()[0])
    assert re.search(r"^Jaquez .* waiting +-$", lines, re.M)
    assert re.search(r"^Juzang .* waiting +no answer yet$", lines, re.M)
    assert "1 of 3 nodes have it" in lines
    fake["Jaquez"].tell({**told[0], "from": "Riley"})
    shown.until(lambda: re.search(r"^`- Jaquez +Riley .* ok\b", "\n".join(shown.lines()[0]), re.M), "two")
    fake["Juzang"].fault = None
    fake["Juzang"].drop_connections()
    assert shown.end() == 6
    lines = "\n".join(shown.lines()[0])
    assert re.search(r"^Juzang .* missing +it closed", lines, re.M)
    assert lines.count("Riley ") == 2 and "2 of 3 nodes have it" in lines


def test_a_pipe_gets_the_whole_answer_once(ctl, fake):
    fake["Juzang"].fault = "silence"
    result = ctl("node", "ls", "-n", "all", "--timeout", "1s", "-o", "csv", "--columns", "node,state")
    assert result.returncode == 6 and "\x1b" not in result.stdout + result.stderr
    assert result.stdout.splitlines() == ["node,state", "Riley,ready", "Jaquez,ready", "Juzang,unreachable"]


def test_real_nodes_beside_a_stopped_one(herd, tmp_path):
    """SIGSTOP: the kernel takes connections, and nothing answers."""
    env = herdctl_env(tmp_path, HERD_CONF=herd.path)
    names = tuple(herd.nodes)
    os.kill(herd[names[-1]].process.pid, signal.SIGSTOP)
    for words in (("top",), ("herd", "status", "--watch=0.2"), ("herd", "status")):
        shown = Terminal([HERDCTL, *words, "--timeout", "1h"], env, (24, 120))
        shown.until(lambda shown=shown: len(rows(shown, *names)) == len(names), "all of them")
        shown.until(lambda shown=shown: rows(shown, *names)[names[-1]] == "waiting", "that one waits")
        assert list(rows(shown, *names).values()).count("ready") == len(names) - 1
        if words[-1] == "status":
            os.kill(herd[names[-1]].process.pid, signal.SIGCONT)
            assert shown.end() == 0
            assert set(rows(shown, *names).values()) == {"ready"}
        else:
            shown.send("q")
            shown.end()


@pytest.mark.parametrize("size", [(20, 40), (24, 80), (40, 120)])
def test_lists_of_clients_beside_a_stopped_node(herd, tmp_path, size):
    """The healthy nodes' rows at once, the silent node said even where not
    all rows fit, and q."""
    herd["Riley"].iamat(*[(b"bike-%02d" % i, b"+34.07-118.44", b"%.6f" % time.time()) for i in range(12)])
    for node in herd:
        wait_until(lambda node=node: node.at_line(b"bike-11"), "flooded")
    herd["Bernard"].send_signal(signal.SIGSTOP)
    env = herdctl_env(tmp_path, HERD_CONF=herd.path)
    for words in (("client", "ls"), ("map",)):
        shown = Terminal([HERDCTL, *words, "--watch=0.2", "-n", "all", "--timeout", "1h"], env, size)
        try:
            if words[0] == "client":
                shown.until(lambda shown=shown: "bike-11" in shown.seen, "rows of those that answer")
                shown.until(lambda shown=shown: re.search(r"\.\.\. and [0-9]+ more lines", "\n".join(shown.lines()[0]))
                            or size[0] == 40, "not all fit")
            shown.until(lambda shown=shown: "herdctl: Bernard: no answer in time" in "\n".join(shown.lines()[0]),
                        "the silent one is named")
            shown.send("q")
            assert shown.end() == 6
        finally:
            shown.close()


@pytest.mark.parametrize("command, waiting", [
    (("doctor",), "Juzang has not answered yet"), (("herd", "check"), "unknown of Juzang")])
def test_a_picture_says_no_more_than_is_known(terminal, fake, command, waiting):
    """A node that has not answered yet may still do so; one that was hung in
    its time is not called down while it is asked again."""
    fake["Juzang"].fault = "silence"
    shown = terminal(*command, "--watch=0.1", "--timeout", "3s", size=(60, 120))
    shown.expect(waiting)
    shown.expect("Juzang unreachable: it is hung")
    rounds = shown.seen.count("every ")
    shown.until(lambda: shown.seen.count("every ") > rounds + 5, "more rounds")
    shown.send("q")
    assert shown.end() == 1
    assert "Juzang unreachable: no answer" not in shown.seen and "nobody listens" not in shown.seen


# --- streams ------------------------------------------------------------------------


@pytest.mark.parametrize("width", [100, 60])
def test_a_stream_stands_below_its_titles(terminal, fake, width):
    """The titles are written before the rows are known."""
    shown = terminal("ping", "-c", "2", "-i", "1ms", size=(24, width))
    assert shown.end() == 0
    head, *rows = plain(shown.seen).splitlines()
    assert len(rows) == 6
    for row in rows:
        assert re.match(r"[A-Z][a-z]+", row).end() <= head.index("SEQ")
        assert row[head.index("STATE"):].startswith("ok  ")
        assert row[head.index("ERROR"):] == "-"


def test_a_silent_node_does_not_hide_pings(terminal, ctl, fake):
    fake["Juzang"].fault = "silence"
    shown = terminal("ping", "--timeout", "1h")
    shown.until(lambda: rows(shown, *NODES) == {"Riley": "1", "Jaquez": "1"}, "those that answer")
    shown.send("\x03")
    shown.end()
    result = ctl("ping", "-c", "3", "-i", "1ms", "--timeout", "1s", "-o", "csv", "--columns", "node,seq,state")
    assert result.returncode == 6
    assert result.stdout.splitlines() == ["node,seq,state"] + [
        f"{node},{seq},{'unreachable' if node == 'Juzang' else 'ok'}" for seq in (1, 2, 3) for node in NODES]


def test_ping_counts_answers_by_their_time(terminal, ctl, fake):
    result = ctl("ping", "Riley", "Jaquez", "--histogram", "-c", "20", "-i", "1ms", "--json")
    assert result.returncode == 0
    buckets = json.loads(result.stdout)["buckets"]
    for node in ("Riley", "Jaquez"):
        own = [b for b in buckets if b["node"] == node]
        assert sum(b["count"] for b in own) == 20
        assert abs(sum(b["percent"] for b in own) - 100) < 0.01
        assert all(a["to_ms"] == b["from_ms"] for a, b in zip(own, own[1:]))
    for env, bar in (({}, "\u2588"), ({"LC_ALL": "C"}, "#")):
        shown = terminal("ping", "Riley", "--histogram", "-c", "20", "-i", "1ms", env=env)
        assert shown.end() == 0
        text = plain(shown.seen)
        assert bar in text and re.search("Riley: 20 answered, min .*, median .*, p99 .*, max ", text)
    fake["Riley"].stop()
    result = ctl("ping", "Riley", "--histogram", "-c", "3", "-i", "1ms", "-o", "table")
    assert result.returncode == 3 and "Riley: 0 answered, 3 lost" in result.stdout


# --- stats ----------------------------------------------------------------------------


@pytest.mark.parametrize("env,high", [({}, "\u2588"), ({"LC_ALL": "C"}, "#")])
def test_stats_draw_rates_and_latencies(herd, tmp_path, env, high):
    shown = Terminal([HERDCTL, "-n", "Riley", "stats", "--watch=0.1"],
                     herdctl_env(tmp_path, HERD_CONF=herd.path, **env), (60, 140))
    sent = iter(range(1, 1000000))

    def trend(metric, label):
        for line in shown.lines()[0]:
            if line.startswith(metric + " ") and label in line:
                return line
        return ""

    def busy():
        herd["Riley"].iamat((b"c", b"+34-118", b"%d" % next(sent)))
        line = trend("herd_requests_total", 'kind="iamat"')
        return high in line and float(line.split()[3].replace(",", "")) > 0
    shown.until(busy, "a rate and its line")
    assert trend("herd_link_rtt_seconds", "peer=").rstrip().endswith(high)
    assert not trend("herd_uptime_seconds", "")
    shown.send("q")
    assert shown.end() == 0
    result = subprocess.run(
        [HERDCTL, "-n", "Riley", "stats", "herd_requests_total*iamat*", "--watch=0.1", "--count", "3",
         "-o", "csv"],
        env=herdctl_env(tmp_path, HERD_CONF=herd.path), capture_output=True, text=True)
    head, *lines = result.stdout.splitlines()
    assert head == "time,node,metric,labels,value,error,rate_per_s,trend"
    assert [line.split(",")[-2] for line in lines] == ["", "0", "0"]


# --- map ------------------------------------------------------------------------------


def some_clients(node, far=True):
    """A city of a hundred, and one on the other side of the world."""
    for i in range(100):
        at = b"+%.3f-%.3f" % (34 + i % 10 / 100, 118 + i // 10 / 100)
        node.clients[b"c%02d" % i] = (b"5", at, b"Riley", b"+0.000000000")
    if far:
        node.clients[b"far"] = (b"5", b"-33.8+151.2", b"Riley", b"+0.000000000")


def scale_km(shown):
    """The meaning of a column of the map."""
    text = "\n".join(shown.lines()[0])
    bar, length, unit = re.search(r"(\|-+\|) (\d+) (k?m) ", text).groups()
    return int(length) / (1 if unit == "km" else 1000) / len(bar)


@pytest.mark.parametrize("size", [(20, 40), (24, 80), (40, 120)])
def test_a_map_is_moved_by_keys(terminal, fake, size):
    some_clients(fake["Riley"])
    shown = terminal("map", "--watch=3600", size=size)
    shown.until(lambda: "101 clients, 1 outside" in "\n".join(shown.lines()[0]), "the map")
    assert scale_km(shown) < 5
    fake["Riley"].fault = "silence"          # no key asks the node
    first = shown.lines()[0][1:]

    def middle():
        return [float(x) for x in re.search(
            r"middle (\S+?),(\S+)", "\n".join(shown.lines()[0])).groups()] if size[1] > 40 else None

    def press(keys):
        at = rounds(shown)
        shown.send(keys)
        shown.until(lambda: rounds(shown) > at, f"key {keys!r}")
    before, scale = middle(), scale_km(shown)
    press("+")
    press("+")
    assert 0.3 < scale_km(shown) / scale < 0.7
    for keys, axis, sign in (("\x1b[C", 1, 1), ("l", 1, 1), ("h", 1, -1), ("\x1b[D", 1, -1),
                             ("\x1b[A", 0, 1), ("k", 0, 1), ("j", 0, -1), ("\x1bOB", 0, -1)):
        was = middle()
        press(keys)
        if was:
            assert (middle()[axis] - was[axis]) * sign > 0 and middle()[1 - axis] == was[1 - axis]
    press("-")
    press("0")
    assert shown.lines()[0][1:] == first and middle() == before
    shown.send("q")
    assert shown.end() == 0
    fake["Riley"].fault = None
    shown = terminal("map", "--all", size=size)
    assert shown.end() == 0
    assert scale_km(shown) > 5 and "outside" not in plain(shown.seen)


def test_a_map_names_the_nodes_that_it_could_not_ask(ctl, fake):
    """What nobody said is not 0 clients."""
    some_clients(fake["Riley"])
    fake["Jaquez"].fault = "close"
    result = ctl("map", "-n", "all")
    assert result.returncode == 6 and "101 clients, 1 outside; unknown: Jaquez\n" in result.stdout
    fake["Riley"].fault = fake["Juzang"].fault = "http-500"
    assert "0 clients; unknown: Riley, Jaquez, Juzang\n" in ctl("map", "-n", "all").stdout


def test_a_map_follows_a_client(terminal, ctl, fake):
    some_clients(fake["Riley"])
    shown = terminal("map", "--follow", "c11", "--km", "5")      # needs no --watch
    shown.expect("middle 34.01000,-118.01000")
    shown.until(lambda: "c11" in "\n".join(shown.lines()[0]), "its name, among so many")
    fake["Riley"].clients[b"c11"] = (b"6", b"+35.5-117.5", b"Riley", b"+0.000000000")
    shown.expect("middle 35.50000,-117.50000")
    shown.send("q")
    assert shown.end() == 0
    result = ctl("map", "--follow", "c11", "-o", "csv")
    assert result.returncode == 0 and "c11,6," in result.stdout
    assert ctl("map", "--follow", "nobody").returncode == 1
    assert ctl("map", "--follow", "c11", "--near", "1,1").returncode == 2
    assert ctl("map", "--follow").returncode == 2
    assert ctl("map", "--follow=c11", "-o", "csv").stdout == result.stdout
    assert ctl("map", "--follow=nobody").returncode == 1
    both = ctl("map", "--follow=c11", "c12")
    assert both.returncode == 2 and "only one CLIENT" in both.stderr
    shown = terminal("map", "--follow=c11")
    shown.expect("middle 35.50000,-117.50000")
    shown.send("q")
    assert shown.end() == 0
    shown = terminal("map", "c11")
    assert shown.end() == 0
    assert "middle 35.50000,-117.50000" in plain(shown.seen)


# --- peer graph -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [(20, 40), (24, 80), (40, 120)])
@pytest.mark.parametrize("env", [{}, {"LC_ALL": "C"}])
def test_peer_graph_draws_nodes_and_lines(terminal, fake, size, env):
    fake["Riley"].enabled["Jaquez"] = False
    fake["Jaquez"].peer_state["Riley"] = "connecting"     # it cannot know
    fake["Juzang"].stop()
    fake["Jaquez"].peer_state["Juzang"] = "waiting"
    shown = terminal("peer", "graph", size=size, env=env)
    assert shown.end() == 6
    lines = plain(shown.seen).splitlines()
    assert all(len(line) <= size[1] or line.startswith("herdctl:") for line in lines)
    picture = "\n".join(lines[:lines.index(next(l for l in lines if "~ on its way" in l))])
    assert "o Riley" in picture and "o Jaquez" in picture and "Juzang x" in picture
    assert "d" in picture.replace("Riley", "") and "x" in picture.replace("Juzang x", "")
    assert ("\u2800" <= max(picture)) == (not env)
    states = {tuple(line.split()[:2]): line.split()[2] for line in lines if re.match(r"J\w+ +(J|R)\w+ ", line)}
    assert states[("Jaquez", "Riley")] == "disabled" and states[("Jaquez", "Juzang")] == "down"


def test_peer_graph_believes_no_single_end(ctl, fake):
    """Jaquez says synced; Juzang hangs and cannot say so. Large herds are a matrix."""
    fake["Juzang"].fault = "silence"
    links = json.loads(ctl("peer", "graph", "--json", "--timeout", "500ms").stdout)["links"]
    assert {(l["a"], l["b"]): l["state"] for l in links}[("Jaquez", "Juzang")] == "unknown"
    fake["Juzang"].fault = None
    for i in range(10):
        fake["Riley"].peers.append(f"Node{i}")
        fake["Riley"].peer_state[f"Node{i}"], fake["Riley"].enabled[f"Node{i}"] = "synced", True
    result = ctl("peer", "graph", "-o", "table")
    assert re.search(r"^ 1  Riley +\\ ", result.stdout, re.M) and ". no link" in result.stdout


# --- top ----------------------------------------------------------------------------


def busy(fake):
    """Each node counts more IAMATs at each question, at its own pace."""
    counts = {}
    for node, step in (("Riley", 10), ("Jaquez", 1000), ("Juzang", 100)):
        def status_json(node=fake[node], step=step, real=fake[node].status_json):
            counts[node.name] = counts.get(node.name, 0) + step
            return {**real(), "requests": {"iamat": counts[node.name], "whatsat": 7 * step,
                                           "invalid": 0}}
        fake[node].status_json = status_json
        for i in range(step // 10 % 7 + 1):
            fake[node].clients[b"c%d" % i] = (b"5", b"+1+1", b"Riley", b"+0.000000000")


def test_top_shows_rates_and_sorts_by_them(terminal, fake):
    busy(fake)
    shown = terminal("top", size=(24, 160))

    def table():
        lines = shown.lines()[0]
        head = next((i for i, line in enumerate(lines) if line.startswith("NODE")), None)
        if head is None:
            return []
        at = lines[head].index("IAMAT/S")
        rows = [line for line in lines[head + 1:] if line.split()[:1] and
                line.split()[0] in ("Riley", "Jaquez", "Juzang")]
        return [(row.split()[0], row[at - 8:at + 7].split()[-1]) for row in rows]

    def rates():
        return len(table()) == 3 and all(re.fullmatch(r"[\d,]+\.\d", rate) for _, rate in table())
    shown.until(rates, "rates")
    found = {name: float(rate.replace(",", "")) for name, rate in table()}
    assert found["Riley"] < found["Juzang"] < found["Jaquez"]
    for key, order in (("i", ["Jaquez", "Juzang", "Riley"]), ("n", ["Jaquez", "Juzang", "Riley"]),
                       ("c", ["Juzang", "Jaquez", "Riley"]), ("i", ["Jaquez", "Juzang", "Riley"])):
        shown.send(key)
        shown.until(lambda order=order: [name for name, _ in table()] == order, f"key {key}")
    fake["Jaquez"].stop()
    shown.until(lambda: any(re.match("Jaquez +unreachable", line) for line in shown.lines()[0]),
                "Jaquez is gone")
    fake["Jaquez"].start(fake["Jaquez"].port)
    shown.until(lambda: any(re.match("Jaquez +ready", line) for line in shown.lines()[0]),
                "Jaquez is back")
    shown.send("q")
    assert shown.end() == 0


def slow_links(fake):
    """Links that owe more the slower they are, but one that owes nothing."""
    for name, owed, lag in (("Riley", 5, 40.0), ("Jaquez", 0, 0.0), ("Juzang", 700, 9000.0)):
        def status_json(real=fake[name].status_json, owed=owed, lag=lag):
            status = real()
            status["peers"].update(owed=owed, lag_ms=lag)
            return status
        fake[name].status_json = status_json


def shown_nodes(shown):
    return [line.split()[0] for line in shown.lines()[0]
            if line.split()[:1] and line.split()[0] in ("Riley", "Jaquez", "Juzang")]


@pytest.mark.parametrize("word, key", [("owed", "o"), ("lag", "l")])
def test_top_sorts_by_what_links_owe(terminal, fake, word, key):
    slow_links(fake)
    most_first = ["Juzang", "Riley", "Jaquez"]
    shown = terminal("top", "--sort", word, size=(24, 60))
    shown.until(lambda: shown_nodes(shown) == most_first, "sorted as --sort says")
    assert shown.lines()[0][0].startswith(f"top  sorted by {word}  (q ends, r reverses")
    # A narrow screen does without other columns.
    assert any(word.upper() in line.split() for line in shown.lines()[0])
    shown.send("r")
    shown.until(lambda: shown_nodes(shown) == most_first[::-1], "reversed")
    assert f"sorted by {word}, reversed" in shown.lines()[0][0]
    shown.send("n")
    shown.until(lambda: shown_nodes(shown) == ["Jaquez", "Juzang", "Riley"], "by name")
    assert "sorted by name" in shown.lines()[0][0]
    shown.send(key)
    shown.until(lambda: shown_nodes(shown) == most_first, "the key does as the word")
    shown.send("q")
    assert shown.end() == 0


def test_top_says_how_it_is_sorted(terminal, ctl, fake):
    slow_links(fake)
    shown = terminal("top")
    shown.until(lambda: len(shown_nodes(shown)) == 3, "a picture")
    assert "in the herd file's order" in shown.lines()[0][0]
    assert "o=owed" in " ".join(shown.lines()[0][:3])
    shown.send("q")
    assert shown.end() == 0
    result = ctl("top", "-1", "--sort", "lag", "-o", "name")
    assert result.stdout.split() == ["Juzang", "Riley", "Jaquez"]
    result = ctl("top", "-1", "--sort", "owed:asc", "-o", "csv", "--columns", "owed,lag_ms")
    assert result.stdout.splitlines() == ["owed,lag_ms", "0,0", "5,40", "700,9000"]


def test_a_key_sorts_what_is_shown_without_asking_again(terminal, fake):
    shown = terminal("top")
    shown.until(lambda: rounds(shown) == 1, "a picture")
    fake["Riley"].fault = "silence"     # would hold up another question
    shown.send("n")
    shown.until(lambda: rounds(shown) == 2, "sorted at once")
    shown.send("\x03")
    assert shown.end() == -signal.SIGINT


def test_top_leaves_no_trace_on_the_screen(terminal, fake):
    shown = terminal("top")
    shown.expect("IAMAT/S")
    shown.resize(10, 50)
    at = rounds(shown)
    shown.until(lambda: rounds(shown) > at, "the new size")
    shown.send("q")
    assert shown.end() == 0
    assert shown.seen.count("\x1b[?1049h") == 1 and shown.seen.count("\x1b[?1049l") == 1
    assert shown.seen.count("\x1b[2J") == 1
    shown = terminal("top", "--columns", "nonsense")
    assert shown.end() == 2
    assert "nonsense" in shown.seen[shown.seen.index("\x1b[?1049l"):]


def test_top_measures_once_in_a_pipe(ctl, fake):
    busy(fake)
    for words in (("top", "-1"), ("top",)):
        result = ctl(*words, "-o", "csv", "--columns", "node,iamat_per_s")
        assert result.returncode == 0 and "\x1b" not in result.stdout
        head, *rows = result.stdout.splitlines()
        assert head == "node,iamat_per_s" and len(rows) == 3
        assert all(float(row.split(",")[1]) > 0 for row in rows)
    fake["Juzang"].stop()
    assert ctl("top", "-1").returncode == 6


@pytest.mark.parametrize("words", [("store", "check", "-n", "all"), ("herd", "diff", "--store"),
                                   ("client", "erase", "x", "--yes")])
def test_what_waits_for_a_store_waits_no_longer_than_was_said(ctl, fake, words):
    """Without --timeout a store has two minutes; a hung node then has them, too."""
    fake["Juzang"].fault = "silence"
    result = ctl(*words, "--timeout", "1s")
    assert result.returncode != 0 and "Juzang: no answer in time" in result.stderr, result
    # None of the three has erased anything (two know no such request), and that is what it says.
    assert ("nothing is sure to be erased" in result.stderr) == ("erase" in words)
    assert "the removal comes" not in result.stderr
