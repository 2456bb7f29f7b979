# SPDX-License-Identifier: GPL-3.0-or-later
"""herdctl waits: for a client's report, for a link, for a node without clients."""
import json
import re
import signal
import subprocess
import time

import pytest

from conftest import Ctl
from nodes import HERDCTL, wait_until
from terminal import Terminal

KIWI = b"kiwi"
HERE = b"+34.07-118.44"


@pytest.fixture
def real(herd, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Ctl(home, herd.path)


@pytest.fixture
def begin(real):
    """herdctl that waits while the test goes on."""
    started = []

    def start(*words):
        started.append(subprocess.Popen([HERDCTL, *words], env=real.env(), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def in_vain(real, *words):
    """Waits for what does not come, with so much time that the node can say so."""
    for timeout in ("300ms", "3s", "20s"):
        result = real(*words, "--timeout", timeout, timeout=60)
        if "no answer in time" not in result.stderr:
            break
    assert result.returncode == 4, result
    return result


def finish(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def asked(node):
    """Questions that the node was asked: a metric that anybody may look at."""
    text = subprocess.run(["curl", "-s", "--unix-socket", node.admin, "http://x/metrics"], check=True,
                          capture_output=True, text=True).stdout
    return int(re.search(r"^herd_admin_answers_total (\d+)", text, re.M)[1])


def test_wait_client_that_is_there(real, herd):
    herd["Riley"].iamat((KIWI, HERE, b"1479413884.39"))
    result = real("wait", "client", "kiwi", "-n", "Riley")
    assert (result.returncode, result.stdout) == (0, "NODE\tSTATE\nRiley\treached\n")
    result = real("wait", "client", "kiwi", "-n", "all", "--json", "--timeout", "20s")
    answer = json.loads(result.stdout)
    assert result.returncode == 0 and answer["schema"] == "herd.reached/1" and answer["reached"] is True
    assert {row["node"]: row["state"] for row in answer["nodes"]} == {n: "reached" for n in herd.nodes}


def test_wait_client_that_comes(begin, herd):
    before = asked(herd["Riley"])
    waiting = begin("wait", "client", "kiwi", "-n", "Riley", "--timeout", "0")
    wait_until(lambda: asked(herd["Riley"]) > before + 2 or waiting.poll() is not None, "it asks")
    assert waiting.poll() is None
    herd["Bernard"].iamat((KIWI, HERE, b"1479413884.39"))
    assert finish(waiting)[0] == 0


def test_wait_client_that_does_not_come(real):
    result = in_vain(real, "wait", "client", "kiwi", "-n", "Riley")
    assert result.stderr == "herdctl: gave up waiting for a report of kiwi: Riley (no report)\n"
    assert result.stdout == "NODE\tSTATE\tLACKS\nRiley\twaiting\tno report\n"
    error = json.loads(in_vain(real, "wait", "client", "kiwi", "-n", "Riley", "--json").stderr)
    assert error["error"]["code"] == "timeout"


def test_wait_client_newer_than(real, herd):
    herd["Riley"].iamat((KIWI, HERE, b"1479413884.5"))  # 2016-11-17T20:18:04.5Z
    for then in ("1479413884.4", "2016-11-17T20:18Z", "2016-11-17T20:18:04.4Z", "2016-11-17t21:18:04.49+01:00",
                 "2016-11-17 15:18:04-05:00", "9000d", "0"):
        assert real("wait", "client", "kiwi", "-n", "Riley", "--newer-than", then).returncode == 0, then
    for then in ("1479413884.5", "2016-11-17T20:18:04.5Z", "2016-11-17T19:18:04.6-01:00", "10m", "now"):
        result = in_vain(real, "wait", "client", "kiwi", "-n", "Riley", "--newer-than", then)
        assert "too old" in result.stderr, then
    for wrong in ("yesterday", "2016-02-30T10:00Z", "2016-11-17", "2016-11-17T20:18:04", "10", "-10m", "", "1e9",
                  "2016-11-17T24:00Z", "1969-12-31T23:59Z"):
        result = real("wait", "client", "kiwi", "-n", "Riley", "--newer-than", wrong)
        if wrong == "10":  # seconds since 1970
            assert result.returncode == 0
        else:
            assert result.returncode == 2 and "is no time" in result.stderr, wrong


def test_wait_client_newer_than_now(begin, herd):
    herd["Riley"].iamat((KIWI, HERE, b"1479413884.5"))
    before = asked(herd["Riley"])
    waiting = begin("wait", "client", "kiwi", "-n", "Riley", "--newer-than", "now", "--timeout", "60s")
    wait_until(lambda: asked(herd["Riley"]) > before + 2 or waiting.poll() is not None, "it asks")
    assert waiting.poll() is None
    herd["Riley"].iamat((KIWI, HERE, b"%.6f" % (time.time() + 1)))
    assert finish(waiting)[0] == 0


def test_wait_client_beside_a_silent_node(real, begin, herd):
    herd["Riley"].iamat((KIWI, HERE, b"1479413884.39"))
    assert real("wait", "client", "kiwi", "-n", "all", "--timeout", "20s").returncode == 0
    herd["Juzang"].send_signal(signal.SIGSTOP)
    try:
        result = real("wait", "client", "kiwi", "-n", "all", "--timeout", "4s", "--json")
        assert result.returncode == 4
        assert json.loads(result.stderr)["error"]["message"] == \
            "gave up waiting for a report of kiwi: Juzang (no answer in time)"
        states = {row["node"]: row["state"] for row in json.loads(result.stdout)["nodes"]}
        assert states.pop("Juzang") == "unreachable" and set(states.values()) == {"reached"}
        before = asked(herd["Riley"])
        waiting = begin("wait", "client", "kiwi", "-n", "all", "--timeout", "60s")
        # A node that has it is not asked again.
        wait_until(lambda: asked(herd["Riley"]) > before, "it asks")
    finally:
        herd["Juzang"].send_signal(signal.SIGCONT)
    assert finish(waiting)[0] == 0


def test_wait_client_wrong_words(real):
    assert real("wait", "client").returncode == 2
    assert real("wait", "client", "two words").returncode == 2
    assert real("wait").returncode == 2


def test_wait_link(real, begin, herd):
    assert real("wait", "link", "Jaquez", "synced", "-n", "Riley").returncode == 0
    result = real("wait", "link", "Jaquez", "sinked", "-n", "Riley")
    assert result.returncode == 2
    assert "synced comparing handshake connecting waiting backoff refused disabled" in result.stderr
    result = real("wait", "link", "Bernard", "synced", "-n", "Riley")
    assert result.returncode == 1 and "Riley: has no link of that name" in result.stderr
    result = in_vain(real, "wait", "link", "Jaquez", "disabled", "-n", "Riley")
    assert result.stderr == "herdctl: gave up waiting for a disabled link to Jaquez: Riley (synced)\n"
    waiting = begin("wait", "link", "Jaquez", "disabled", "-n", "Riley", "--timeout", "60s")
    assert real("peer", "disable", "Jaquez", "-n", "Riley", "--yes").returncode == 0
    assert finish(waiting)[0] == 0
    result = in_vain(real, "wait", "link", "Jaquez", "synced", "-n", "Riley")
    assert "Riley (disabled" in result.stderr
    waiting = begin("wait", "link", "Jaquez", "synced", "-n", "Riley", "--timeout", "60s")
    assert real("peer", "enable", "Jaquez", "-n", "Riley").returncode == 0
    assert finish(waiting)[0] == 0


def test_wait_link_of_all_nodes_with_one(real):
    result = real("wait", "link", "Jaquez", "synced", "-n", "all", "--json", "--timeout", "20s")
    states = {row["node"]: row["state"] for row in json.loads(result.stdout)["nodes"]}
    assert result.returncode == 0
    assert states == {"Riley": "reached", "Bernard": "reached", "Jaquez": "none", "Juzang": "none",
                      "Campbell": "none"}


def test_wait_link_of_a_node_that_starts_later(begin, herd):
    herd["Juzang"].stop()
    waiting = begin("wait", "link", "Campbell", "synced", "-n", "Juzang", "--timeout", "60s")
    herd["Juzang"].start()
    assert finish(waiting)[0] == 0


def test_drain_waits_until_the_clients_have_left(real, begin, herd):
    with herd["Riley"].connect() as s:
        s.sendall(b"IAMAT kiwi +1+1 1479413884.39\n")
        assert s.recv(100)
        result = in_vain(real, "node", "drain", "Riley", "--wait")
        assert result.stderr == "herdctl: gave up waiting for the last client to leave: Riley (1 connection is left)\n"
        assert result.stdout == "NODE\tSTATE\tCONNECTIONS\nRiley\tdraining\t1\n"
        before = asked(herd["Riley"])
        waiting = begin("node", "drain", "Riley", "--wait", "--timeout", "0", "--json")
        wait_until(lambda: asked(herd["Riley"]) > before + 3 or waiting.poll() is not None, "it asks")
        assert waiting.poll() is None
    code, out, _ = finish(waiting)
    row, = json.loads(out)["nodes"]
    assert code == 0 and (row["node"], row["state"], row["connections"]) == ("Riley", "draining", 0)
    assert real("node", "drain", "Riley", "--wait", "--read-only").returncode == 2
    assert real("node", "drain", "Nobody", "--wait").returncode == 2
    result = real("node", "drain", "Jaquez")
    assert (result.returncode, result.stdout) == (0, "NODE\tSTATE\nJaquez\tdraining\n")


def test_drain_does_not_wait_for_the_session_itself(real):
    session = Terminal([HERDCTL, "-n", "Riley"], real.env())
    try:
        session.prompt("ucla/Riley")
        session.line("iamat kiwi +1+1")
        session.expect("CLIENT TIME")
        session.prompt("ucla/Riley")
        session.line("node drain Riley --wait --yes")
        session.expect("draining")
        session.send("\x04")
        session.end()
    finally:
        session.close()


def test_terminal_shows_what_is_waited_for(real, herd):
    herd["Juzang"].send_signal(signal.SIGSTOP)
    shown = Terminal([HERDCTL, "wait", "client", "kiwi", "-n", "Riley,Juzang", "--timeout", "0"], real.env())
    try:
        shown.expect(r"waiting for a report of kiwi: Riley \(no report\), Juzang \(no answer in time\)")
        herd["Riley"].iamat((KIWI, HERE, b"1479413884.39"))
        shown.expect(r"waiting for a report of kiwi: Juzang \(no answer in time\)")
        herd["Juzang"].send_signal(signal.SIGCONT)
        shown.expect("reached")
        assert shown.end() == 0
    finally:
        herd["Juzang"].send_signal(signal.SIGCONT)
        shown.close()


def test_ctrl_c_ends_a_wait(real):
    shown = Terminal([HERDCTL, "wait", "client", "kiwi", "-n", "Riley", "--timeout", "0"], real.env())
    try:
        shown.expect("waiting for")
        shown.send("\x03")
        assert shown.end() in (130, -signal.SIGINT)
    finally:
        shown.close()
