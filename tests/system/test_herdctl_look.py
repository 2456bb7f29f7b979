# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators see and type: layout, times, templates, aliases, completion,
pagers."""
import csv
import io
import json
import re
import time

import pytest

from nodes import wait_until
from terminal import plain
from test_herdctl_formats import COMMANDS

HERE = "+34.068930-118.445127"
LONG = "a" * 200


def rc_file(ctl, text):
    path = ctl.home / ".config/herdctl/rc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def repl(terminal, fake):
    def start(*words, **more):
        shown = terminal(*words, **more)
        shown.prompt()
        return shown
    return start


# --- layout ----------------------------------------------------------------------


@pytest.mark.parametrize("size, kept", [
    ((20, 40), "CLIENT LOCATION"), ((24, 80), "CLIENT TIME LOCATION RECEIVED ORIGIN"),
    ((40, 120), "CLIENT TIME LOCATION RECEIVED ORIGIN")])
def test_one_long_id_takes_no_column(terminal, ctl, fake, size, kept):
    for client in (LONG, "kiwi"):
        assert ctl("iamat", client, HERE).returncode == 0
    shown = terminal("client", "ls", size=size)
    assert shown.end() == 0
    title, first, second = plain(shown.seen).splitlines()[:3]
    for word in kept.split():
        assert word in title
    assert re.search(r"^a+…a+ ", first), first
    assert second.startswith("kiwi ")
    for line in (title, first, second):
        assert len(line) <= size[1]
    assert HERE in first and HERE in second


@pytest.mark.parametrize("size", [(20, 40), (24, 80), (40, 120)])
def test_named_columns_stay_and_numbers_are_whole(terminal, ctl, fake, size):
    when = "1479413884.392014450"
    assert ctl("iamat", LONG, HERE, when).returncode == 0
    shown = terminal("client", "ls", "--columns", "client,time,location,origin", size=size)
    assert shown.end() == 0
    title, first = plain(shown.seen).splitlines()[:2]
    assert len(re.split(r"  +", title)) == 4
    assert when in first and HERE in first


@pytest.mark.parametrize("size", [(20, 40), (24, 80), (40, 120)])
def test_origins_and_labels_stay(terminal, fake, size):
    for words, title in (("set", "ORIGIN"), ("config show --origin", "ORIGIN"),
                         ("config show", "ORIGIN"), ("stats", "LABELS")):
        shown = terminal(*words.split(), "--no-pager", size=size)
        assert shown.end() == 0
        lines = plain(shown.seen).splitlines()
        assert title in lines[0], words
        assert max(map(len, lines)) <= size[1], words


def test_a_long_id_in_a_stream_moves_no_column(terminal, fake):
    shown = terminal("events", "--limit", "3", size=(24, 120))
    wait_until(lambda: fake["Riley"].watchers, "a stream")
    for client in ("kiwi", LONG, "koala"):
        fake["Riley"].tell({"event": "report", "client": client, "time": "5",
                            "location": "+1+1", "lat": 1, "lon": 1, "node": "Riley", "from": "Jaquez"})
    assert shown.end() == 0
    lines = [line for line in plain(shown.seen).splitlines() if "+1+1" in line]
    assert len(lines) == 3 and len({line.index("+1+1") for line in lines}) == 1
    assert max(map(len, lines)) <= 120


# --- times -----------------------------------------------------------------------


@pytest.mark.parametrize("typed, sent", [
    ("2026-11-28T10:00:00Z", b"1795860000.000000000"),
    ("2026-11-28T10:00Z", b"1795860000.000000000"),
    ("2026-11-28T11:30:00.25+01:30", b"1795860000.250000000"),
])
def test_iamat_takes_iso_times(ctl, fake, typed, sent):
    assert ctl("iamat", "c", HERE, typed).returncode == 0
    assert fake["Riley"].lines == [b"IAMAT c " + HERE.encode() + b" " + sent + b"\n"]


def test_iamat_refuses_what_is_no_time(ctl, fake):
    for typed, why in (("2026-02-30T10:00Z", "no such day"), ("2026-11-28T10:00", "is no time"),
                       ("1969-01-01T00:00Z", "from 1970"), ("yesterday", "is no time")):
        result = ctl("iamat", "c", HERE, typed)
        assert result.returncode == 2 and why in result.stderr, typed
    assert fake["Riley"].lines == []


def test_wide_and_show_have_iso_beside_the_text(ctl, terminal, fake):
    assert ctl("iamat", "kiwi", HERE, "1479413884.392014450").returncode == 0
    both = "1479413884.392014450 2016-11-17T20:18:04.39201445Z"
    assert both in ctl("client", "ls", "-o", "wide").stdout
    assert both in ctl("client", "show", "kiwi", "-o", "wide").stdout
    shown = terminal("client", "show", "kiwi")
    assert shown.end() == 0
    assert "client time 2016-11-17T20:18:04.39201445Z, received 20" in plain(shown.seen)
    # What scripts read has not changed.
    assert "2016-" not in ctl("client", "show", "kiwi", "-o", "json").stdout


# --- templates, csv ----------------------------------------------------------------


def test_templates_have_keys_and_peoples_forms(ctl, fake):
    assert ctl("iamat", "kiwi", "+34.1-118.2", "5").returncode == 0
    result = ctl("client", "ls", "--format", r"{client}\t{lat}\t{lon}\t{{{time}}}")
    assert result.stdout == "kiwi\t34.1\t-118.2\t{5}\n"
    row = json.loads(ctl("peer", "ls", "--limit", "1", "-o", "jsonl").stdout)
    line = ctl("peer", "ls", "--limit", "1", "--format", "{rtt_ms}|{rtt}").stdout.strip()
    raw, people = line.split("|")
    assert float(raw) == row["rtt_ms"] and people.endswith("s")


def test_every_read_command_takes_a_template(ctl, fake):
    assert ctl("iamat", "kiwi.cs.ucla.edu", HERE, "5").returncode == 0
    for command in COMMANDS:
        path = [word for word in command.split() if not word.startswith("-")]
        text = ctl("help", *path[:2]).stdout or ctl("help", path[0]).stdout
        key = "setting" if "--origin" in command else re.search(
            r"^Columns.*:\n  (\w+)", text, re.M).group(1)
        result = ctl(*command.split(), "--format", "<{%s}>" % key)
        assert result.returncode in (0, 1), (command, result)
        for line in result.stdout.splitlines():
            assert re.fullmatch(r"<.*>", line), (command, line)
        result = ctl(*command.split(), "--format", "{nosuch}")
        assert result.returncode == 2 and "no column `nosuch'" in result.stderr, command


def test_the_nearer_of_output_and_format_counts(ctl, fake):
    rc_file(ctl, "format '{program}'\n")
    assert ctl("version").stdout == "herdctl\n"
    assert json.loads(ctl("version", "-o", "jsonl").stdout)["program"] == "herdctl"
    assert ctl("version", "--format", "{version}!",
               env={"HERD_OUTPUT": "json"}).stdout.endswith("!\n")
    assert "did you mean `version'?" in ctl("version", "--format", "{vesion}").stderr


def test_a_template_is_clean_on_a_terminal(terminal, fake):
    fake["Riley"].clients["evil\x1b[31m\u202e".encode()] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    shown = terminal("client", "ls", "--format", r"{client}\t|")
    assert shown.end() == 0
    assert "\x1b[31m" not in shown.seen and "\u202e" not in shown.seen
    assert r"\x1b[31m" in shown.seen


def test_safe_csv_has_no_formulas(ctl, fake):
    for client in ("=cmd()", "+1+1", "-12", "@x", "plain"):
        assert ctl("iamat", client, HERE, "5").returncode == 0
    rows = list(csv.DictReader(io.StringIO(ctl("client", "ls", "-o", "csv", "--safe").stdout)))
    assert {row["client"] for row in rows} == {"'=cmd()", "'+1+1", "-12", "'@x", "plain"}
    assert {row["location"] for row in rows} == {"'" + HERE}
    assert {row["lon"] for row in rows} == {"-118.445127"}
    assert "'" not in ctl("client", "ls", "-o", "csv").stdout


# --- aliases ---------------------------------------------------------------------


def test_aliases_of_the_rc_file_run_everywhere(ctl, repl, fake):
    for client in ("kiwi", "koala"):
        assert ctl("iamat", client, HERE, "5").returncode == 0
    path = rc_file(ctl, "alias ki = client ls --where 'client ~ ki*' -o name\n"
                        "alias two = ki --limit 2\n")
    assert ctl("ki").stdout == "kiwi\n"
    assert ctl("-q", "two", "--no-header").stdout == "kiwi\n"
    assert ctl(stdin="ki\n").stdout == "kiwi\n"
    rows = json.loads(ctl("alias", "-o", "json").stdout)["aliases"]
    assert rows[0] == {"alias": "ki", "command": 'client ls --where "client ~ ki*" -o name',
                       "where": f"{path}:1"}
    assert "\nAliases\n  ki " in ctl("help").stdout
    assert ctl("help", "ki").stdout.startswith(f"ki is an alias ({path}:1) of: client ls")
    assert "ki" in ctl("__complete", "k").stdout.split()
    assert "--where" in ctl("__complete", "ki", "--wh").stdout
    assert ctl("-X", "ki").returncode == 2
    session = repl()
    assert session.ask("ki").strip() == "kiwi"
    session.send("ki\t\r")
    assert "kiwi" in session.prompt()


def test_aliases_of_a_session(repl, ctl, fake):
    session = repl()
    session.ask("alias c = client count -o csv")
    assert "node,count" in session.ask("c")
    assert "session" in session.ask("alias c")
    session.ask("unalias c")
    assert "no command `c'" in session.ask("c")
    assert "would hide" in session.ask("alias status = ping")
    session.ask("alias a = b")
    session.ask("alias b = a")
    assert "leads to itself" in session.ask("a")
    assert ctl("alias", "c", "=", "ping").returncode == 2


@pytest.mark.parametrize("line, why", [
    ("alias status = ping", "would hide the command"), ("alias client = ping", "would hide"),
    ("alias x", "this is not `alias NAME = COMMAND'"), ("alias x = ", "this is not"),
    ("alias x = client ls > f", "no | and >"), ("alias 1 = ping", "a name is a letter"),
])
def test_a_wrong_alias_of_an_rc_file_is_named(ctl, line, why):
    path = rc_file(ctl, "hints off\n" + line + "\n")
    result = ctl("version")
    assert result.returncode == 8
    assert f"{path}:2: " in result.stderr and why in result.stderr


# --- settings --------------------------------------------------------------------


def test_set_without_a_value_goes_back_to_the_start(ctl):
    script = "set timeout 9s\nset timeout\nset -o jsonl --where 'setting = timeout'\n"
    row = json.loads(ctl("--timeout", "7s", stdin=script).stdout)
    assert (row["value"], row["origin"], row["where"]) == ("7s", "flag", "--timeout")
    row = json.loads(ctl(stdin=script, env={"HERD_TIMEOUT": "3s"}).stdout)
    assert (row["value"], row["origin"]) == ("3s", "environment")
    row = json.loads(ctl(stdin=script).stdout)
    assert (row["value"], row["origin"]) == ("5s", "default")


@pytest.mark.parametrize("env, color", [
    ({"CLICOLOR": "0"}, "never"), ({"CLICOLOR": "1"}, "auto"), ({"CLICOLOR_FORCE": "1"}, "always"),
    ({"CLICOLOR_FORCE": "0"}, "auto"), ({"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, "always"),
    ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, "never"),
    ({"CLICOLOR": "0", "HERD_COLOR": "always"}, "always"),
])
def test_colours_of_the_usual_variables(ctl, fake, env, color):
    row = json.loads(ctl("set", "-o", "jsonl", "--where", "setting = color", env=env).stdout)
    assert row["value"] == color
    if color == "always":
        assert "\x1b[3" in ctl("node", "ls", "-o", "table", env=env).stdout


def test_a_byte_order_mark_is_no_part_of_a_file(ctl, tmp_path):
    rc_file(ctl, b"\xef\xbb\xbftimeout 9s\n")
    (tmp_path / "script").write_bytes(b"\xef\xbb\xbfversion\n")
    assert ctl("-f", tmp_path / "script").stdout.startswith("herdctl ")
    assert ctl(stdin="\ufeffversion\n").stdout.startswith("herdctl ")
    assert ctl(stdin="version\n\ufeffversion\n").returncode == 2
    assert "9s" in ctl("set").stdout


def test_version_has_every_format(ctl):
    text = ctl("version").stdout.split()[1]
    data = json.loads(ctl("version", "-o", "json").stdout)
    assert data["schema"] == "herd.version/1" and data["version"] == text
    assert json.loads(ctl("version", "-o", "jsonl").stdout) == {"program": "herdctl",
                                                                "version": text}
    assert ctl("version", "-o", "csv").stdout == f"program,version\nherdctl,{text}\n"
    assert ctl("-V").stdout == f"herdctl {text}\n"


# --- pager -----------------------------------------------------------------------


@pytest.mark.parametrize("pager", ["no-such-pager", "false", "exit 3", "kill -9 $$",
                                   "head -n 1 >/dev/null; exit 1"])
def test_a_pager_that_fails_loses_nothing(terminal, pager):
    shown = terminal("help", env={"PAGER": pager}, size=(24, 100), conf=False)
    assert shown.end() == 0
    text = plain(shown.seen)
    assert text.count("usage: herdctl [OPTION...] COMMAND") == 1
    assert "herdctl(1) says all." in text
    assert f"the pager `{pager}' failed" in text


def test_a_pager_that_is_left_early_has_not_failed(terminal):
    shown = terminal("help", env={"PAGER": "head -n 1"}, size=(24, 100), conf=False)
    assert shown.end() == 0
    assert "failed" not in shown.seen and "says all" not in shown.seen


# --- Prometheus --------------------------------------------------------------------


def test_the_metrics_of_all_nodes_are_one_valid_text(herd, tmp_path):
    from conftest import Ctl
    home = tmp_path / "home"
    home.mkdir()
    ctl = Ctl(home, herd.path)
    text = ctl("stats", "-n", "all", "-o", "prometheus").stdout
    described, samples, family = set(), set(), None
    for line in text.splitlines():
        if line.startswith("#"):
            _, what, family, _ = line.split(" ", 3)
            assert (what, family) not in described, line
            described.add((what, family))
            continue
        name, labels, _ = re.fullmatch(r"(\w+)\{(.*)\} (\S+)", line).groups()
        assert name == family or re.fullmatch(rf"{family}_(bucket|sum|count|total)", name), line
        names = re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', labels)
        assert names[0] == "node" and len(names) == len(set(names)), line
        assert (name, labels) not in samples, line
        samples.add((name, labels))
    assert {f for w, f in described if w == "TYPE"} == {f for w, f in described if w == "HELP"}
    assert len({re.search('node="(.*?)"', labels).group(1) for _, labels in samples}) == 5


# --- the session -------------------------------------------------------------------


def test_the_session_begins_with_a_line_of_help(terminal, fake):
    session = terminal()
    assert re.match(r"herdctl \S+: `help' lists the commands", session.prompt())
    assert "usage: herdctl" in session.ask("?")
    assert "client show CLIENT" in session.ask("client ?")
    assert "did you mean `status'?" in session.ask("help statsu")
    assert "did you mean `client show'?" in session.ask("help client shwo")
    session.ask("ping")
    session.send("\x04")
    assert session.end() == 0
    assert terminal("-q").prompt().lstrip().startswith("lab/Riley")


def test_the_first_tab_answers(repl, fake):
    session = repl()
    wait_until(lambda: any("/v1/clients?" in r[1] for r in fake["Riley"].requests), "ids are asked")
    # Ids of later on: what is at hand does not have them.
    fake["Riley"].clients[b"kiwi.cs.ucla.edu"] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session.send("client show ki\t")
    session.expect("kiwi.cs.ucla.edu ")
    session.send("\x03")
    session.prompt()


def test_a_tab_waits_for_a_hung_node_for_a_moment_only(repl, fake):
    session = repl()
    session.ask("client count")
    fake["Riley"].fault = "silence"
    took = []
    for _ in range(5):
        began = time.monotonic()
        session.send("client show zzz\t#")
        session.expect("#")
        took.append(time.monotonic() - began)
        session.send("\x03")
        session.prompt()
    # The rest of a second is the machine's.
    assert min(took) < 1


@pytest.mark.parametrize("typed, completed", [
    ("set output jso\t", "json"), ("set output ta\t", "table "), ("set color al\t", "always "),
    ("status -n Riley,Jaq\t", "Riley,Jaquez "),
    ("client ls --columns client,loc\t", "client,location "),
    ("client ls --sort skew:d\t", "skew:desc "), ("client ls --where 'lo\t", "'location"),
    ("client ls --where 'skew = 1 a\t", "1 and"), ("help cli\t", "client "), ("help client sh\t", "client show "),
    ("stats herd_cl\t", "herd_clients "),
    ("client ls --where lo\t=x", "location=x"),
])
def test_tab_completes(repl, fake, typed, completed):
    session = repl()
    session.send(typed)
    session.until(lambda: completed in plain(session.seen.rpartition("> ")[2]), completed)
    session.send("\x03")


def test_an_id_from_a_list_is_quoted(repl, fake):
    fake["Riley"].clients[b"zq-|touch;x"] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session = repl()
    session.send("client show zq\t")
    session.expect(re.escape('"zq-|touch;x" '))
    session.send("\r")
    assert "+1+1" in session.prompt()
