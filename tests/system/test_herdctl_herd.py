# SPDX-License-Identifier: GPL-3.0-or-later
"""herdctl on a real herd: what the operator does, with real answers."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from conftest import Ctl
from nodes import HERDCTL, Herd, wait_until
from terminal import Terminal

KIWI = "kiwi.cs.ucla.edu"
HERE = "+34.068930-118.445127"


@pytest.fixture
def real(herd, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Ctl(home, herd.path)


def rows(result, name):
    assert result.returncode == 0, result
    return json.loads(result.stdout)[name]


def test_a_report_reaches_the_herd_and_all_agree(real, herd):
    when = "1479413884.392014450"
    assert real("-n", "Riley", "iamat", KIWI, HERE, when).returncode == 0
    assert real("herd", "wait", "--timeout", "20s").returncode == 0
    wait_until(lambda: real("client", "show", KIWI, "-n", "all").returncode == 0, "all have it")
    shown = rows(real("client", "show", KIWI, "-n", "all", "--json"), "clients")
    assert {r["time"] for r in shown} == {when}
    assert [r["status"] for r in shown].count("origin") == 1
    assert real("herd", "diff").returncode == 0
    assert real("check", "all").returncode == 0
    result = real("-n", "Campbell", "whatsat", KIWI, "10", "5", "--json")
    assert json.loads(result.stdout)["status"] == "OK"


def test_trace_follows_the_links(real, herd):
    hops = rows(real("-n", "Riley", "trace", "probe-1", "34.07,-118.44", "--json"), "hops")
    assert len(hops) == 5
    linked = {frozenset(link) for link in herd.links}
    for hop in hops[1:]:
        assert frozenset((hop["node"], hop["from"])) in linked


def test_trace_is_a_tree_although_neighbours_cross(real):
    """Both ends of a link may send the report at the same time: who was first counts."""
    for i in range(10):
        hops = rows(real("-n", "Bernard", "trace", f"cross-{i}", "34.07,-118.44", "--json"), "hops")
        depth = {"client": -1}
        for hop in hops:
            assert hop["hops"] == depth[hop["from"]] + 1, hops
            depth[hop["node"]] = hop["hops"]
        assert len(depth) == 6


def test_trace_goes_on_without_a_silent_node(real, herd):
    herd["Campbell"].send_signal(signal.SIGSTOP)
    try:
        result = real("-n", "Bernard", "trace", "silent-1", "34.07,-118.44", "--timeout", "2s",
                      "--json")
        hops = {hop["node"]: hop["state"] for hop in json.loads(result.stdout)["hops"]}
    finally:
        herd["Campbell"].send_signal(signal.SIGCONT)
    assert hops.pop("Campbell") == "missing"
    assert set(hops.values()) == {"ok"} and len(hops) == 4
    assert "Campbell: no answer in time" in result.stderr
    wait_until(lambda: real("herd", "wait", "--timeout", "20s").returncode == 0, "all are back")


def test_the_api_is_not_the_way_to_look(real):
    """A node's hints are for those who ask it with curl."""
    for words in (("peer", "show", "Nobody"), ("client", "show", "nobody")):
        result = real("-n", "Riley", *words)
        assert result.returncode == 1
        assert "GET" not in result.stderr and result.stderr.count("Riley") == 1


def test_prometheus_numbers_have_no_noise(real):
    shown = real("-n", "all", "peer", "ls", "-o", "prometheus").stdout
    values = [line.split()[-1] for line in shown.splitlines() if "rtt_seconds{" in line]
    assert values and all(len(f"{float(value):.12f}".rstrip("0")) <= 11 for value in values)
    assert all(len(value) <= 10 for value in values), values


def test_a_link_that_waits_for_its_peer_says_who_dials(real, herd):
    # It is told at once that the link is enabled again, if it is there.
    herd["Jaquez"].stop()
    shown = Terminal([HERDCTL, "-n", "Riley", "peer", "disable", "Jaquez", "--yes"], real.env())
    assert shown.end() == 0
    shown = Terminal([HERDCTL, "-n", "Riley", "peer", "enable", "Jaquez"], real.env())
    assert shown.end() == 0
    assert ("hint: Jaquez dials this link; `peer reconnect Riley -n Jaquez` makes it dial now"
            in shown.seen)
    herd["Jaquez"].start()
    assert real("herd", "wait", "--timeout", "30s", timeout=40).returncode == 0


def test_a_report_from_the_future_is_no_news_of_now(real):
    assert real("-n", "Riley", "iamat", "early", HERE, str(int(time.time()) + 250)).returncode == 0
    shown = real("-n", "Riley", "status", "-o", "table").stdout
    assert re.search(r"newest 4m \d+s ahead", shown), shown
    (row,) = rows(real("-n", "Riley", "status", "--json"), "nodes")
    assert -250 <= row["newest_s"] < -100


def test_a_rejected_file_is_named_with_line_and_column(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with Herd(tmp_path, ["Solo"], []) as herd:
        herd.start()
        ctl = Ctl(home, herd.path)
        with open(herd.path, "a", encoding="utf-8") as file:
            file.write("bogus: 1\n")
        line = len(herd.path.read_text().splitlines())
        result = ctl("-s", herd["Solo"].admin, "config", "reload")
        assert result.returncode == 5
        assert f": its herd file:{line}:1: unknown setting `bogus`" in result.stderr
        assert ctl("config", "reload").returncode == 8


def test_links_are_switched_off_and_on(real):
    assert real("-n", "Riley", "peer", "disable", "Jaquez", "-y").returncode == 0
    states = {r["peer"]: r["state"] for r in rows(real("-n", "Riley", "peer", "ls", "--json"), "peers")}
    assert states["Jaquez"] == "disabled"
    assert real("-n", "Riley", "peer", "enable", "Jaquez").returncode == 0
    # Jaquez dials, and may be waiting out a long pause by now.
    assert real("-n", "Jaquez", "peer", "reconnect", "Riley").returncode == 0
    assert real("herd", "wait", "--timeout", "30s", timeout=40).returncode == 0


def test_forgetting_spreads(real):
    assert real("iamat", "probe", HERE).returncode == 0
    wait_until(lambda: real("client", "show", "probe", "-n", "all").returncode == 0, "all have it")
    assert real("client", "forget", "probe", "-y").returncode == 0
    wait_until(lambda: real("client", "show", "probe", "-n", "Campbell").returncode == 1, "it is gone")


def test_all_nodes_forget(real, herd):
    """One row a node: one without the client has done it, one that can't be asked is named."""
    assert real("iamat", "probe", HERE).returncode == 0
    wait_until(lambda: real("client", "show", "probe", "-n", "all").returncode == 0, "all have it")
    found = rows(real("client", "forget", "probe", "-y", "--json"), "clients")
    assert {r["node"] for r in found} == set(herd.nodes) and all(r["client"] == "probe" for r in found)
    assert any(r["forgotten"] for r in found) and not any(r["error"] for r in found)
    # Nobody has it any more: a negative answer, as ever.
    wait_until(lambda: real("client", "show", "probe", "-n", "Campbell").returncode == 1, "it is gone")
    assert real("client", "forget", "probe", "-y").returncode == 1
    assert real("iamat", "probe", HERE).returncode == 0
    wait_until(lambda: real("client", "show", "probe", "-n", "all").returncode == 0, "it is known again")
    herd["Campbell"].stop(signal.SIGKILL)
    result = real("client", "forget", "probe", "-y", "--json")
    assert result.returncode == 6
    by_node = {r["node"]: r for r in json.loads(result.stdout)["clients"]}
    assert by_node["Campbell"]["error"] and not by_node["Riley"]["error"]
    herd["Campbell"].start()
    wait_until(lambda: real("herd", "wait", "--timeout", "30s", timeout=40).returncode == 0, "all are back")
    assert real("client", "show", "probe", "-n", "Campbell").returncode == 1


def test_a_killed_node_is_a_row_and_comes_back(real, herd):
    herd["Campbell"].stop(signal.SIGKILL)
    result = real("node", "ls", "--json")
    assert result.returncode == 6
    states = {r["node"]: r["state"] for r in json.loads(result.stdout)["nodes"]}
    assert states.pop("Campbell") == "unreachable" and set(states.values()) == {"ready"}
    assert real("check", "node").returncode == 2
    herd["Campbell"].start()
    assert real("herd", "wait", "--timeout", "30s", timeout=40).returncode == 0
    assert real("check", "all").returncode == 0


@pytest.mark.parametrize("command", [
    "status -n all", "node ls", "peer ls -n all", "peer graph", "client ls", "client count",
    "herd status", "herd check", "places status", "places test +34-118", "places cache flush", "places reload",
    "config show", "config diff", "config reload", "log level", "log tail", "stats", "top -1", "map",
])
def test_every_question_has_a_real_answer(real, command):
    result = real(*command.split(), "-o", "json")
    assert result.returncode == 0, result
    assert result.stderr == ""


def test_export_and_import_between_herds(real, herd, tmp_path):
    for i in range(30):
        assert real("iamat", f"c{i}", HERE, f"{i}.5").returncode == 0
    exported = real("client", "export").stdout
    path = tmp_path / "clients.jsonl"
    path.write_text(exported)
    row = rows(real("-n", "Bernard", "client", "import", path, "--json"), "imports")[0]
    assert (row["read"], row["reported"]) == (30, 30)
    wait_until(lambda: real("herd", "diff").returncode == 0, "all agree")


def test_events_and_the_log_are_followed(real):
    process = subprocess.Popen([HERDCTL, "events", "--limit", "1", "-o", "jsonl", "--client", "e*"],
                               env=real.env(), stdout=subprocess.PIPE, text=True)
    try:
        def seen():
            real("iamat", "e1", HERE)
            return process.poll() is not None
        wait_until(seen, "the event has come")
        assert json.loads(process.stdout.read())["client"] == "e1"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_session_survives_a_restart(real, herd):
    session = Terminal([HERDCTL, "-n", "Riley"], real.env())
    try:
        session.prompt("ucla/Riley")
        assert "origin" in session.ask(f"iamat a {HERE}; client show a", "ucla/Riley")
        herd["Riley"].stop(signal.SIGKILL)
        session.expect("Riley is down")
        session.expect(r"ucla/Riley \(down\)> ")
        herd["Riley"].start()
        session.expect("Riley is back")
        session.prompt("ucla/Riley")
        assert "Riley" in session.ask(f"iamat b {HERE}", "ucla/Riley")
        os.kill(session.pid, signal.SIGTERM)
        assert session.end() == -signal.SIGTERM
    finally:
        session.close()


def test_the_session_survives_a_stopped_server(real, herd):
    """A process that exists but does not run: the question ends in time."""
    session = Terminal([HERDCTL, "-n", "Riley"], real.env())
    try:
        session.prompt("ucla/Riley")
        herd["Riley"].send_signal(signal.SIGSTOP)
        for question in ("client count", f"iamat c {HERE}"):
            shown = session.ask(f"{question} --timeout 300ms", "ucla/Riley")
            assert "no answer in time" in shown
        herd["Riley"].send_signal(signal.SIGCONT)
        assert "REMOVALS" in session.ask("client count", "ucla/Riley")
        session.send("\x04")
        assert session.end() == 0
    finally:
        session.close()
