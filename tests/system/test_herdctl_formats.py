# SPDX-License-Identifier: GPL-3.0-or-later
"""Every read command in every format, on a terminal and in a pipe."""
import csv
import io
import json
import re
import xml.etree.ElementTree

import pytest

from terminal import plain

KIWI = b"kiwi.cs.ucla.edu"
EVIL = "evil\x1b[31m\u202e\u009b\u65e5\u672c\u8a9e".encode()
FORMATS = ["table", "wide", "plain", "json", "jsonl", "csv", "tsv", "name", "kv", "geojson",
           "gpx", "prometheus", "raw"]
COMMANDS = [
    "iamat kiwi.cs.ucla.edu +34.068930-118.445127 1479413884.392014450",
    "whatsat kiwi.cs.ucla.edu 10 5", "ping", "status", "status -n all", "node ls",
    "node show Riley", "peer ls", "peer ls -n all", "peer show Jaquez", "peer graph",
    "client ls", "client ls -n all", "client show kiwi.cs.ucla.edu",
    "client show kiwi.cs.ucla.edu -n all", "client near +34-118 50", "client count",
    "herd status", "herd diff", "herd check", "doctor", "places status", "places cache show",
    "config show", "config show --origin", "config diff", "log level", "stats", "map",
    "context ls", "set",
]


@pytest.fixture
def full(fake):
    for node in fake:
        node.clients[KIWI] = (b"1479413884.392014450", b"+34.068930-118.445127", b"Riley",
                              b"+0.263873386")
        node.clients[EVIL] = (b"5", b"-1.5+1.5", b"Riley", b"+0.000000000")
        node.clients[b"bytes\xff"] = (b"6", b"-1.5+1.5", b"Riley", b"+0.000000000")
    return fake


@pytest.mark.parametrize("format_", FORMATS)
def test_each_command_in_a_pipe(ctl, full, format_):
    for command in COMMANDS:
        result = ctl(*command.split(), "-o", format_, text=False)
        assert result.returncode in (0, 1), (command, result)
        out = result.stdout
        if format_ == "json":
            data = json.loads(out)
            if not command.startswith("whatsat"):
                assert re.fullmatch(r"herd(ctl)?\.[a-z-]+/\d+", data["schema"]), command
                lists = [v for v in data.values() if isinstance(v, list)]
                assert len(lists) == 1, command
        elif format_ == "jsonl":
            for line in out.splitlines():
                assert isinstance(json.loads(line), dict), command
        elif format_ == "geojson":
            data = json.loads(out)
            assert data["type"] == "FeatureCollection", command
            for feature in data["features"]:
                assert set(feature) == {"type", "geometry", "properties"}
        elif format_ == "gpx":
            assert xml.etree.ElementTree.fromstring(out).tag.endswith("}gpx"), command
        elif format_ == "csv":
            rows = list(csv.reader(io.StringIO(out.decode("utf-8", "surrogateescape"), newline="")))
            assert len({len(row) for row in rows}) == 1, command
        elif format_ in ("table", "wide", "plain"):
            text = out.decode()
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text), command


@pytest.mark.parametrize("format_", FORMATS)
def test_each_command_on_a_terminal(terminal, full, format_):
    for command in COMMANDS:
        shown = terminal("-o", format_, *command.split(), "--color", "never", size=(50, 60))
        assert shown.end() in (0, 1), command
        text = shown.seen.replace("\r\n", "\n")
        # nothing that came from the network is obeyed
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text), command
        if format_ == "table":
            for line in text.split("\n"):
                assert width(line) <= 60 or " " not in line, (command, line)


def width(text):
    import unicodedata
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_a_terminal_changes_looks_never_content(ctl, terminal, full):
    """The same words, whether aligned for a person or with tabs for a pipe."""
    for command in ("peer ls", "client ls", "herd status", "node ls"):
        piped = ctl(*command.split(), "-o", "plain").stdout
        shown = terminal(*command.split(), size=(50, 400))
        assert shown.end() == 0
        cells = [re.split(r" {2,}", line.strip())
                 for line in plain(shown.seen).strip().split("\n")]
        def steady(text):
            return re.sub(r"^-?[\d.,]+(us|ms|s|m|h)?( \d+\w+)?$", "#", text)
        want = [[steady(c) for c in line.split("\t")] for line in piped.strip().split("\n")]
        got = [[steady(c) for c in row] for row in cells[:len(want)]]
        assert got == want, command


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}])
def test_no_escape_byte_where_none_is_wanted(terminal, full, env):
    for command in ("herd status", "status", "whatsat kiwi.cs.ucla.edu 10 5 --map",
                    "peer graph", "top", "map"):
        shown = terminal(*command.split(), *(["-1"] if command == "top" else []), env=env)
        assert shown.end() == 0, command
        assert "\x1b" not in shown.seen, command


def test_colour_is_only_for_terminals_unless_asked(ctl, terminal, full):
    shown = terminal("herd", "status")
    assert shown.end() == 0 and "\x1b[32mready\x1b[0m" in shown.seen
    assert "\x1b" not in ctl("herd", "status", "-o", "table").stdout
    assert "\x1b[32m" in ctl("herd", "status", "-o", "table", "--color", "always").stdout
    shown = terminal("herd", "status", "--color", "never")
    assert shown.end() == 0 and "\x1b" not in shown.seen


def test_maps_are_ascii_without_utf8(terminal, full):
    shown = terminal("map", env={"LC_ALL": "C"})
    assert shown.end() == 0 and shown.seen.isascii()
    shown = terminal("map")
    assert shown.end() == 0
    assert "north is up" in shown.seen


def test_status_is_one_screen(terminal, fake):
    fake["Riley"].peer_state["Juzang"] = "connecting"
    shown = terminal("status", size=(24, 140))
    assert shown.end() == 0
    text = plain(shown.seen)
    assert re.search(r"^Riley  herdd 1\.0\.0  up \S+  clients 127\.0\.0\.1:\d+  config /x/herd"
                     r"\.yaml \(loaded 2h ago, unchanged on disk\)$", text, re.M)
    assert re.search(r"^peers +1/2 up +Juzang down 41s \(connection refused, retry in 4s\)$",
                     text, re.M)
    assert "places   gazetteer   9,120 answered  p99 0.4ms" in text
    assert "store    sqlite      durability sync  lag 0  last commit 3ms" in text
    # After the answer, although that waits for the pager's decision.
    assert text.splitlines()[-1] == ("hint: `peer show Juzang` for the link, `herd diff` to "
                                     "compare tables")
    fake["Riley"].peer_state["Juzang"] = "synced"
    fake["Riley"].file_changed = True
    shown = terminal("status", size=(24, 140))
    assert shown.end() == 0
    text = plain(shown.seen)
    assert "2h ago, changed on disk)" in text
    assert text.splitlines()[-1] == ("hint: `config diff` shows what differs, `config reload` applies "
                                     "the file")
    fake["Riley"].file_changed = False
    shown = terminal("status", size=(24, 60))
    assert shown.end() == 0
    lines = plain(shown.seen).splitlines()
    assert lines[0].startswith("Riley  herdd 1.0.0") and "config" not in lines[0]
    assert lines[1] == "config   /x/herd.yaml (loaded 2h ago, unchanged on disk)"


def test_errors_stand_below_the_answer(terminal, fake):
    fake["Juzang"].stop()
    shown = terminal("node", "ls")
    assert shown.end() == 6
    lines = plain(shown.seen).splitlines()
    assert lines[0].startswith("NODE") and lines[-1].startswith("herdctl: Juzang: ")


def test_long_output_goes_through_a_pager(terminal, fake, tmp_path):
    for i in range(100):
        fake["Riley"].clients[b"c%06d" % i] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    pager = f"sed 's/^/PAGED /'"
    shown = terminal("client", "ls", env={"HERD_PAGER": pager})
    assert shown.end() == 0 and shown.seen.count("PAGED c0") == 100
    shown = terminal("client", "ls", "--limit", "3", env={"HERD_PAGER": pager})
    assert shown.end() == 0 and "PAGED" not in shown.seen
    shown = terminal("client", "ls", "--no-pager", env={"HERD_PAGER": pager})
    assert shown.end() == 0 and "PAGED" not in shown.seen
    # the pager leaves early: quietly
    shown = terminal("client", "ls", env={"HERD_PAGER": "head -n 1"})
    assert shown.end() == 0 and len(shown.seen.splitlines()) == 1


def test_confirmation_names_what_will_happen(terminal, full):
    shown = terminal("client", "forget", KIWI.decode())
    shown.expect(re.escape("Forget client kiwi.cs.ucla.edu in the whole herd, by 3 nodes (lab)? [y/N]"))
    shown.line("n")
    assert shown.end() == 2 and KIWI in full["Riley"].clients
    shown = terminal("client", "forget", KIWI.decode())
    shown.expect("y/N")
    shown.line("y")
    assert shown.end() == 0 and KIWI not in full["Riley"].clients


def test_sorting_and_choosing(ctl, full):
    full["Riley"].peer_state["Juzang"] = "backoff"
    rows = ctl("peer", "ls", "-o", "csv", "--columns", "peer,owed", "--sort", "owed:desc").stdout
    assert rows == "peer,owed\nJuzang,57\nJaquez,0\n"
    out = ctl("peer", "ls", "--where", "state != synced or rtt > 1s", "-o", "name").stdout
    assert out == "Juzang\n"
    out = ctl("peer", "ls", "--limit", "1", "--no-header", "--columns", "peer").stdout
    assert out == "Jaquez\n"
    assert json.loads(ctl("peer", "ls", "--limit", "1", "--json").stdout)["truncated"] is True
