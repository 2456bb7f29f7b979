# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a herd, as doctor, herd check, check and status say it:
real nodes put into each state, and fake ones for states that need a broken
machine or an evil client."""
import json
import os
import re
import shlex
import signal
import subprocess
import threading
import time

import pytest

from api import Api
from certificates import Authority
from conftest import Ctl
from fake_node import FakeHerd
from nodes import DEADLINE_S, HERDCTL, Herd, free_ports, read_lines, wait_until

SETTINGS = ("workers: 1\nplaces: {provider: none}\n"
            "link: {ping_after: 200ms, dead_after: 2s, redial_max: 100ms}\n")
TRIANGLE = ["A", "B", "C"], [("A", "B"), ("B", "C"), ("A", "C")]
CHAIN = ["A", "B", "C", "D"], [("A", "B"), ("B", "C"), ("C", "D")]


@pytest.fixture
def make(tmp_path):
    """make(shape, settings) -> a real herd that runs and is synced, herdctl for it."""
    herds = []

    def begin(shape=TRIANGLE, settings=SETTINGS):
        herd = Herd(tmp_path, *shape, settings)
        herds.append(herd)
        herd.start()
        herd.wait_synced()
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        return herd, Ctl(home, herd.path)
    yield begin
    for herd in herds:
        herd.stop()


def diagnose(ctl, *words):
    """The findings, the worst first. Nothing is wrong exactly when the status is 0."""
    result = ctl("doctor", "--json", "--timeout", "10s", *words)
    data = json.loads(result.stdout)
    assert result.returncode == (1 if data["findings"] else 0), result
    assert data["schema"] == "herd.doctor/1" and data["ok"] is (not data["findings"])
    return data["findings"]


def words(ctl):
    return [f["finding"] for f in diagnose(ctl)]


def find(ctl, word, node=None):
    """Waits for that finding; it."""
    def there():
        return [f for f in diagnose(ctl) if f["finding"] == word and node in (None, f["node"])]
    return wait_until(there, f"{word} is found")[0]


def checks(ctl):
    return {r["check"]: r for r in json.loads(ctl("herd", "check", "--json", "--timeout", "4s").stdout)["checks"]}


def data_of(line):
    """The performance data of a plugin's line."""
    return dict(item.split("=") for item in line.split("|")[1].split())


# --- nothing is wrong ---------------------------------------------------------

def test_nothing_wrong_is_one_line(make):
    _, ctl = make()
    result = ctl("doctor")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.startswith("nothing is wrong with ucla: 3 nodes asked")
    assert result.stdout.count("\n") == 1
    assert words(ctl) == []
    assert ctl("doctor", "-o", "name").stdout == ""
    assert ctl("check", "all").returncode == 0


def test_what_older_nodes_do_not_say_is_not_called_fine(ctl, fake):
    """A fake node has no /v1/top unless it is told to."""
    result = ctl("doctor")
    assert result.returncode == 0 and "; unknown: floods\n" in result.stdout
    row = checks(ctl)["floods"]
    assert (row["state"], row["value"]) == ("unknown", None)
    for node in fake:
        node.top = {"clients": [], "addresses": []}
    assert "unknown" not in ctl("doctor").stdout
    assert checks(ctl)["floods"]["state"] == "ok"


# --- nodes --------------------------------------------------------------------

def test_dead_and_hung_nodes_are_told_apart(make):
    herd, ctl = make(CHAIN)
    herd["D"].stop(signal.SIGKILL)
    herd["B"].send_signal(signal.SIGSTOP)
    findings = diagnose(ctl, "--timeout", "3s")
    down, hung = findings[0], findings[1]
    assert (down["finding"], down["node"], down["state"]) == ("down", "D", "critical")
    assert down["next"] == "systemctl start herdd@D" and "refused" in down["why"]
    assert (hung["finding"], hung["node"]) == ("hung", "B")
    assert hung["next"] == "systemctl restart herdd@B" and "hung" in hung["text"]
    # That D's neighbour misses it follows from that.
    assert not [f for f in findings if "D" in f["text"] and f["finding"].startswith("link")]


def test_a_silent_node_leaves_time_for_the_other_probes(make):
    """And what it can't be asked is unknown, and not 0."""
    herd, ctl = make(CHAIN)
    herd["A"].iamat((b"kiwi", b"+1+1", b"5"))
    herd.wait_equal([b"kiwi"])
    herd["D"].send_signal(signal.SIGSTOP)
    result = ctl("check", "all", "--timeout", "3s")
    data = data_of(result.stdout)
    assert result.returncode == 2 and "D unreachable" in result.stdout
    assert data["clients"].startswith("1;") and data["nodes_ready"].startswith("3;")
    for name in ("links_synced", "unequal", "places_answered", "places_failed"):
        assert data[name] == "U", data
    for probe in ("peers", "places", "convergence"):
        assert f"{probe} unknown (without D)" in result.stdout
    result = ctl("check", "convergence", "--timeout", "3s")
    assert result.returncode == 2 and data_of(result.stdout)["unequal"] == "U"


def test_a_table_that_differs_shows_beside_a_silent_node(make):
    herd, ctl = make(CHAIN)
    assert ctl("-n", "A", "peer", "disable", "B", "--yes").returncode == 0
    herd["A"].iamat((b"kiwi", b"+1+1", b"5"))
    herd["D"].send_signal(signal.SIGSTOP)
    result = ctl("check", "all", "--timeout", "4s")
    assert result.returncode == 2 and "1 node with another table: A" in result.stdout
    assert data_of(result.stdout)["unequal"].startswith("1;")


def test_herd_check_calls_unknown_what_it_could_not_ask(make):
    herd, ctl = make()
    herd["C"].stop(signal.SIGKILL)
    rows = checks(ctl)
    assert rows["unreachable"]["state"] == "critical"
    for name in ("versions", "states", "places", "stores", "clocks", "tables", "twins", "origins"):
        assert (rows[name]["state"], rows[name]["value"]) == ("unknown", None), rows[name]
        assert "C" in rows[name]["text"]
    assert rows["parts"]["state"] == "ok" and rows["diameter"]["value"] == 1
    assert json.loads(ctl("herd", "check", "--json").stdout)["ok"] is False


@pytest.mark.parametrize("fault, word", [
    ("close", "garbled"), ("garbage", "garbled"), ("http-500", "garbled"), ("silence", "hung")])
def test_a_node_that_answers_badly(ctl, fake, fault, word):
    fake["Jaquez"].fault = fault
    finding = next(f for f in diagnose(ctl, "--timeout", "2s") if f["node"] == "Jaquez")
    assert finding["finding"] == word


def test_a_node_that_may_not_be_asked_is_unknown(tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o600)
    with FakeHerd(tmp_path, ["Riley"]) as fake:
        port = fake["Riley"].start_admin_tcp("another")
        ctl = Ctl(tmp_path)
        (finding,) = diagnose(ctl, "-s", f"127.0.0.1:{port}", "--token-file", token)
        assert (finding["finding"], finding["state"]) == ("forbidden", "unknown")
        result = ctl("check", "node", "-s", f"127.0.0.1:{port}", "--token-file", token)
        assert result.returncode == 3, result


def test_a_draining_node_and_the_way_back(make):
    _, ctl = make()
    assert ctl("node", "drain", "B").returncode == 0
    finding = find(ctl, "draining", "B")
    assert "draining" in finding["text"] and "not ready" in finding["why"]
    type_next(ctl, finding)
    assert words(ctl) == []


def type_next(ctl, finding):
    """Types the command as it is printed, in a shell that has herdctl."""
    home = ctl.home / "bin"
    home.mkdir(exist_ok=True)
    (home / "herdctl").unlink(missing_ok=True)
    (home / "herdctl").symlink_to(HERDCTL)
    env = ctl.env()
    env["PATH"] = f"{home}:{env['PATH']}"
    result = subprocess.run(["bash", "-c", finding["next"]], env=env, stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=DEADLINE_S, check=False)
    assert result.returncode in (0, 1), (finding, result)
    return result


def test_a_node_that_waits_for_its_neighbours_is_starting(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS + "ready_after: 10m\n") as herd:
        herd["A"].start(wait=False)
        wait_until(lambda: os.path.exists(herd["A"].admin), "A can be asked")
        ctl = Ctl(tmp_path, herd.path)
        assert find(ctl, "starting", "A")["state"] == "warning"
        assert find(ctl, "down", "B")


def test_an_isolated_node(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS + "ready_after: 100ms\n") as herd:
        herd["A"].start()
        ctl = Ctl(tmp_path, herd.path)
        assert find(ctl, "isolated", "A")["next"] == "herdctl peer ls -n A"


# --- links --------------------------------------------------------------------

def test_a_herd_that_is_split_now_is_said_to_be_so(make, tmp_path):
    _, ctl = make(CHAIN)
    assert ctl("-n", "B", "peer", "disable", "C", "--yes").returncode == 0
    finding = find(ctl, "split")
    assert diagnose(ctl)[0] == finding
    assert finding["text"] == "the herd is split into 2 parts: A, B | C, D" and finding["node"] is None
    assert checks(ctl)["split"]["value"] == 2 and checks(ctl)["parts"]["value"] == 1
    for command in (("check", "peers"), ("check", "all"), ("status", "-n", "A"), ("status", "-n", "A", "-o", "table"),
                    ("herd", "status"), ("herd", "status", "-o", "table")):
        assert re.search("A, B . C, D", ctl(*command).stdout), command
    assert json.loads(ctl("status", "-n", "D", "--json").stdout)["nodes"][0]["split"] == "A, B | C, D"
    finding = find(ctl, "link-disabled", "B")
    assert finding["next"] == "herdctl peer enable C -n B"
    type_next(ctl, finding)
    wait_until(lambda: words(ctl) == [], "nothing is wrong any more")
    assert json.loads(ctl("status", "-n", "D", "--json").stdout)["nodes"][0]["split"] is None
    assert "the herd is split" not in ctl("status", "-n", "A", "-o", "table").stdout


def test_a_node_that_is_down_is_no_part(make):
    herd, ctl = make(CHAIN)
    herd["D"].stop(signal.SIGKILL)
    wait_until(lambda: "1 finding\n" in ctl("doctor", "-o", "table").stdout, "only that is wrong")
    assert "split" not in words(ctl)
    herd["B"].stop(signal.SIGKILL)
    assert "A | C" in find(ctl, "split")["text"]


def test_links_are_counted_once(make):
    herd, ctl = make()
    assert ctl("peer", "ls", "-n", "all", "-o", "table").stdout.splitlines()[-1] == "3 links: 3 synced"
    assert ctl("-n", "B", "peer", "disable", "C", "--yes").returncode == 0
    find(ctl, "link-disabled", "B")
    assert [f["finding"] for f in diagnose(ctl)] == ["link-disabled"]
    shown = ctl("peer", "ls", "-n", "all", "-o", "table").stdout.splitlines()[-1]
    assert sorted(shown.removeprefix("3 links: ").split(", ")) == ["1 disabled", "2 synced"]
    herd["A"].stop(signal.SIGKILL)
    shown = ctl("peer", "ls", "-n", "all", "-o", "table").stdout.splitlines()[-1]
    assert shown.startswith("3 links: ") and shown.endswith("; 1 node unreachable")


def test_a_disabled_link_has_its_hint(terminal, fake):
    fake["Riley"].enabled["Juzang"] = False
    for line in ("status", "peer ls", "peer show Juzang"):
        shown = terminal(*line.split())
        assert shown.end() == 0 and "`peer enable Juzang` uses the link again" in shown.seen, line
    shown = terminal("peer", "ls", "-n", "all")
    assert shown.end() == 0 and "`peer enable Juzang -n Riley`" in shown.seen


def test_a_wrong_key(tmp_path):
    for name, text in (("good", "x" * 40), ("bad", "y" * 40)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS + "ready_after: 100ms\n") as herd:
        herd.write_for("A", settings=f"{SETTINGS}ready_after: 100ms\nkey_file: {tmp_path}/good\n")
        herd.write_for("B", settings=f"{SETTINGS}ready_after: 100ms\nkey_file: {tmp_path}/bad\n")
        herd.start()
        ctl = Ctl(tmp_path, herd.path)
        finding = find(ctl, "wrong-key")
        assert "key" in finding["why"] and "key_file" in finding["next"]
        assert "key_file" in type_next(ctl, finding).stdout


def test_a_link_that_is_refused(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS + "ready_after: 100ms\n") as herd:
        herd.write_for("B", settings=SETTINGS + "ready_after: 100ms\nmax_clients: 1000\n")
        herd.start()
        ctl = Ctl(tmp_path, herd.path)
        finding = find(ctl, "link-refused")
        assert "max_clients" in finding["why"] or "params" in finding["why"]
        finding = find(ctl, "config-differs", "B")
        assert "max_clients" in finding["text"] and finding["next"] == "herdctl config diff -n B"
        assert "max_clients" in type_next(ctl, finding).stdout


def test_a_link_that_comes_and_goes(make):
    herd, ctl = make()
    for _ in range(3):
        assert ctl("-n", "A", "peer", "disable", "B", "--yes").returncode == 0
        assert ctl("-n", "A", "peer", "enable", "B", "--yes").returncode == 0
        wait_until(lambda: Api(herd["A"].admin).get("/v1/peers/B").json["state"] == "synced", "it is up again")
    finding = find(ctl, "link-flapping")
    assert "came up" in finding["text"] and finding["next"].startswith("herdctl peer show ")
    type_next(ctl, finding)


def test_two_processes_with_one_name(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with Herd(folders[0], ["A", "B"], [("A", "B")], SETTINGS) as herd, \
            Herd(folders[1], ["A", "B"], [("A", "B")], SETTINGS + "ready_after: 100ms\n") as other:
        herd.start()
        herd.wait_synced()
        other.nodes.pop("B")
        twin = other["A"]
        twin.path = folders[1] / "herd.yaml"
        twin.path.write_text(herd.text().replace(str(herd["A"].clients), str(twin.clients))
                             .replace(str(herd["A"].peers), str(twin.peers))
                             .replace(herd["A"].admin, twin.admin) + "ready_after: 100ms\n")
        twin.start(wait=False)
        herd["B"].wait_log("event=link-twin peer=A")
        ctl = Ctl(tmp_path, herd.path)
        finding = find(ctl, "twin", "B")
        assert finding["next"] == "systemctl stop herdd@A"
        assert "two processes run as A" in ctl("check", "all").stdout


# --- tables, clocks, settings -------------------------------------------------

def test_reports_with_times_ahead(make):
    herd, ctl = make()
    herd["A"].iamat((b"early", b"+1+1", b"%d" % (time.time() + 30)))
    herd.wait_equal([b"early"])
    finding = find(ctl, "clients-ahead")
    assert "early" in type_next(ctl, finding).stdout
    result = ctl("check", "all")
    assert result.returncode == 1 and "a time ahead of now" in result.stdout


def test_a_clock_that_is_off(ctl, fake, monkeypatch):
    node = fake["Juzang"]
    usual = node.node_json
    monkeypatch.setattr(node, "node_json", lambda: {**usual(), "time": f"{time.time() + 20:.9f}"})
    finding = find(ctl, "clock-off", "Juzang")
    assert re.search(r"(19|20)\.\d s ahead", finding["text"])
    assert 19 < checks(ctl)["clocks"]["value"] < 21
    assert "the clock of Juzang" in ctl("check", "all").stdout


def test_a_clock_is_not_off_because_another_node_is_silent(ctl, fake):
    """The answer counts when it came, not when all had come."""
    fake["Riley"].fault = "silence"
    assert [f["finding"] for f in diagnose(ctl, "--timeout", "4s")] == ["hung"]
    clocks = {n["node"]: n["clock_ms"] for n in
              json.loads(ctl("node", "ls", "--json", "--timeout", "3s").stdout)["nodes"]}
    assert clocks["Riley"] is None and abs(clocks["Jaquez"]) < 1500


def test_a_herd_file_that_was_touched_is_the_same(make):
    herd, ctl = make()
    os.utime(herd.path, (time.time() + 5, time.time() + 5))
    assert words(ctl) == []
    with open(herd.path, "a", encoding="utf-8") as file:
        file.write("log: {level: debug}\n")
    finding = find(ctl, "config-changed", "A")
    assert finding["next"] == "herdctl config reload -n A"
    for finding in diagnose(ctl):
        type_next(ctl, finding)
    wait_until(lambda: words(ctl) == [], "all run with it")


SICK = [
    ("store-failed", {"store.state": "failed", "store.error": "disk I/O error"}, "disk I/O error"),
    ("store-refused", {"store.state": "refused", "store.error": "password authentication failed"}, "refuses it"),
    ("store-stalled", {"store.state": "away", "store.error": "no answer"}, "is away"),
    ("store-away", {"store.state": "away", "store.durability": "async"}, "is away"),
    ("store-lagging", {"store.lag": 250000}, "250000"),
    ("store-lagging", {"store.last_commit_ms": 4200.0}, "4200 ms"),
    ("store-damaged", {"store.damaged": 3}, "3 damaged"),
    ("disk-nearly-full", {"store.disk_free_bytes": 3 << 30}, "3.0%"),
    ("disk-full", {"store.disk_free_bytes": 100 << 20}, "0.1%"),
    ("places-failing", {"places.state": "failing"}, "failing"),
    ("memory-bound", {"bounds.table_bytes": (1 << 30) - 5}, "of at most"),
    ("process-bound", {"bounds.memory_bytes": 4 << 30}, "bytes of memory"),
    ("certificate-ends", {"certificates": [{"use": "admin", "expires_s": time.time() + 29 * 86400}]}, "for admin ends in 2"),
    ("certificate-expired", {"certificates": [{"use": "clients", "expires_s": time.time() - 86400}]}, "for clients ended 1 day ago"),
    ("connections-bound", {"bounds.connections": 990}, "990 of at most 1000"),
    ("files-bound", {"bounds.open_files": 1000}, "1000 of at most 1024"),
    ("clients-bound", {"clients.max": 100, "clients.count": 95}, "95 of at most 100"),
    ("version-differs", {"version": "0.9.0"}, "0.9.0"),
    ("other-herd", {"herd": "usc"}, "usc"),
    ("strange-origin", {"clients.strange": 7, "clients.strange_origins": ["Eve", "$(touch x)"]}, "Eve"),
    ("wrong-clock", {"clock.state": "overruled", "clock.ahead_ms": -2500}, "2.5 s behind"),
    ("isolated", {"isolated": True}, "no neighbour"),
    ("stopping", {"state": "stopping"}, "stopping"),
]


@pytest.mark.parametrize("word, says, part", SICK)
def test_what_a_node_says_of_itself(ctl, fake, word, says, part):
    fake["Jaquez"].says = says
    finding = find(ctl, word, "Jaquez")
    assert part in finding["text"] + finding["why"]
    assert finding["next"].startswith(("herdctl ", "systemctl ", "journalctl ", "timedatectl "))
    # The others tell the same.
    result = ctl("check", "all")
    assert result.returncode == {"critical": 2, "warning": 1}[finding["state"]], result
    assert part in ctl("herd", "check").stdout or part in finding["why"]


def awake(because, peer=None, since=61.0):
    """Links do not rest, because of Jaquez."""
    return {"flood": {"mode": "sparse", "rests": False, "since_s": since, "wakes": 1,
                      "because": because, "node": "Jaquez", "peer": peer}}


@pytest.fixture
def mesh(tmp_path):
    """Four fake nodes, each linked to each: two links may rest."""
    folder = tmp_path / "mesh"
    folder.mkdir()
    with FakeHerd(folder, ("Riley", "Jaquez", "Juzang", "Campbell")) as herd:
        def say(says):
            for node in herd.nodes.values():
                node.says = says
        yield herd, Ctl(folder, herd.path), say


@pytest.mark.parametrize("because, peer, part", [
    ("flood-all", None, "flood: all"), ("other-file", None, "other nodes or links"),
    ("silent", None, "earlier edition"), ("link-down", "Juzang", "its link to Juzang is needed"),
    ("forged", None, "cannot have said")])
def test_links_that_do_not_rest_are_one_finding(mesh, because, peer, part):
    _, ctl, say = mesh
    say(awake(because, peer))
    finding, = diagnose(ctl)
    assert (finding["finding"], finding["node"], finding["about"]) == ("links-awake", "Jaquez", "Jaquez")
    assert part in finding["why"]
    type_next(ctl, finding)
    assert ctl("check", "all").returncode == 1
    # It is nothing yet after a restart or a reload.
    say(awake(because, peer, since=59.0))
    assert words(ctl) == [] and checks(ctl)["sparse floods"]["state"] == "ok"


def test_links_that_do_not_rest_are_no_finding_of_their_own(mesh, ctl, fake):
    herd, mesh_ctl, say = mesh
    say(awake("link-down", "Juzang"))
    herd["Juzang"].fault = "close"
    assert words(mesh_ctl) == ["garbled"]
    herd["Juzang"].fault = None
    # A node of an earlier edition does not say it.
    say({"flood": None})
    assert words(mesh_ctl) == [] and checks(mesh_ctl)["sparse floods"]["state"] == "unknown"
    # No link of a ring may rest.
    fake["Riley"].says = awake("flood-all")
    assert words(ctl) == []


def test_a_node_that_drains_for_its_store_is_not_undrained(ctl, fake):
    fake["Jaquez"].says = {"state": "draining", "store.state": "failed"}
    assert [f["finding"] for f in diagnose(ctl)] == ["store-failed"]
    assert ctl("check", "node").returncode == 2
    fake["Jaquez"].says["store.durability"] = "async"  # that one serves on
    assert [f["finding"] for f in diagnose(ctl)] == ["store-failed", "draining"]


def test_a_client_that_floods(ctl, fake):
    evil = "x'; touch /tmp/owned; '\x1b[31m"
    fake["Riley"].top = {
        "clients": [{"client": "busy", "reports_per_s": 5000, "share": 0.8},
                    {"client": evil, "reports_per_s": 1e300, "share": 0.3},
                    {"client": "calm", "reports_per_s": 3, "share": 0.1}],
        "addresses": [{"address": "10.0.0.9", "requests_per_s": 900, "invalid_per_s": 700}, {}, 7]}
    findings = diagnose(ctl)
    assert [f["finding"] for f in findings] == ["client-floods", "client-floods", "address-floods"]
    assert findings[0]["next"] == "herdctl client show -n Riley busy"
    assert "700 invalid lines/s" in findings[2]["text"] and "10.0.0.9" in findings[2]["text"]
    # The command can be pasted whatever the client calls itself.
    assert "\x1b" not in findings[1]["next"]
    words_of = subprocess.run(["bash", "-c", "printf '%s\\0' " + findings[1]["next"].removeprefix("herdctl ")],
                              capture_output=True, text=True, check=True).stdout.split("\0")
    assert words_of[-2] == evil


def keep_busy(node, client, most_per_s, stop):
    """Reports and nonsense until stop is set, each with its reply."""
    with node.connect() as s:
        while not stop.wait(10 / most_per_s):
            lines = b"".join(b"IAMAT %s +34.07-118.44 %.9f\n" % (client, time.time()) for _ in range(10))
            s.sendall(lines + b"nonsense\n")
            read_lines(s, 11)


def test_a_client_that_floods_real_nodes(make):
    """Found by doctor, herd check and check on the node that it floods, and
    gone when it is calm again; a few reports are no flood."""
    herd, ctl = make()
    herd["A"].iamat(*[(b"calm-%d" % i, b"+1+2", b"%.6f" % time.time()) for i in range(20)])
    assert words(ctl) == [] and ctl("check", "node").returncode == 0
    assert checks(ctl)["floods"]["state"] == "ok"
    stop = threading.Event()
    flooding = threading.Thread(target=keep_busy, args=(herd["A"], b"busy", 2000, stop))
    flooding.start()
    try:
        finding = find(ctl, "client-floods")
        assert (finding["node"], finding["next"]) == ("A", "herdctl client show -n A busy")
        type_next(ctl, finding)
        assert "127.0.0.1" in find(ctl, "address-floods", "A")["text"]
        found = diagnose(ctl)
        assert {f["node"] for f in found} == {"A"}, found
        assert checks(ctl)["floods"]["state"] == "warning"
        for probe in ("node", "all"):
            result = ctl("check", probe)
            assert result.returncode == 1 and "busy sends " in result.stdout, result
        # Reports that come all the time make no tables that differ, and none that are ahead of their time.
        assert not {"tables-differ", "clients-ahead"} & set(words(ctl))
        top = json.loads(ctl("client", "top", "-n", "A", "--json").stdout)["top"]
        assert top[0]["client"] == "busy" and top[0]["reports_per_s"] > 100
    finally:
        stop.set()
        flooding.join()
    wait_until(lambda: words(ctl) == [], "calm again", 3 * DEADLINE_S)
    assert ctl("check", "node").returncode == 0


def test_settings_that_differ(ctl, fake):
    fake["Juzang"].settings = {"workers": "8"}
    finding = find(ctl, "config-differs", "Juzang")
    assert finding["text"] == "Juzang differs from the others in workers"


def test_keys_that_differ(ctl, fake):
    for node in fake:
        node.keys = {"key_file": ["0123abcd"], "admin.token_file": ["11111111"]}
    assert "keys-differ" not in words(ctl)
    fake["Juzang"].keys = {"key_file": ["0123abcd", "4567cdef"], "admin.token_file": ["11111111"]}
    finding = find(ctl, "keys-differ", "Juzang")
    assert finding["text"] == "Juzang differs from the others in the words of key_file"
    assert checks(ctl)["keys"]["state"] == "warning"
    # A node without a token has none that differs, and each may have its own.
    fake["Juzang"].keys = {"key_file": ["0123abcd"]}
    assert "keys-differ" not in words(ctl)


def test_certificates_that_end(tmp_path):
    """A real node's, by its own socket; over TCP it is not trusted any more."""
    authority = Authority(tmp_path)
    port, = free_ports(1)
    (tmp_path / "token").write_text("0123456789abcdef\n")
    (tmp_path / "token").chmod(0o600)
    settings = SETTINGS + (f'admin: {{listen: "127.0.0.1:{port}", token_file: token, tls_cert: solo.pem, '
                           "tls_key: solo.key}\nca_file: ca.pem\n")
    with Herd(tmp_path, ["A"], [], settings) as herd:
        ctl = Ctl(tmp_path, herd.path)
        for days, found in ((40, []), (29, ["certificate-ends"]), (0, ["certificate-expired"])):
            authority.issue("solo", days=days)
            if days == 40:
                herd.start()
            else:
                assert ctl("config", "reload", "-n", "A").returncode == 0
            assert words(ctl) == found
        finding, = diagnose(ctl)
        type_next(ctl, finding)
        remote = tmp_path / "remote.yaml"
        remote.write_text(re.sub('admin: "[^"]*"', f'admin: "127.0.0.1:{port}"', herd.path.read_text()).replace(
            f'listen: "127.0.0.1:{port}", ', ""))
        ctl.conf = remote
        finding, = diagnose(ctl)
        assert finding["finding"] == "forbidden" and "has expired" in finding["text"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a small file system of its own")
def test_a_disk_that_is_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=2m tmpfs {disk} 2>/dev/null") != 0:
        pytest.skip("cannot mount here")
    try:
        with Herd(tmp_path, ["Solo"], [], f'{SETTINGS}store: {{engine: sqlite, path: "{disk}/s.sqlite"}}\n') as herd:
            herd.start()
            ctl = Ctl(tmp_path, herd.path)
            assert words(ctl) == []
            with open(disk / "ballast", "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            assert find(ctl, "disk-full", "Solo")["state"] == "critical"
    finally:
        os.system(f"umount {disk}")


# --- what a node must not do to the reader ------------------------------------

@pytest.mark.parametrize("says", [
    {"state": "\x1b[31mready\n"}, {"version": ["1"]}, {"peers": None}, {"store": 7}, {"clients": "x"},
    {"bounds": {"table_bytes": 1e300, "table_bytes_max": -1e300}}, {"places": {}}, {"time": "1e300"},
    {"clock": {"state": "overruled", "ahead_ms": 1e300}}, {"config": {"content_changed": "no"}},
    {"clients.strange_origins": [1, None, "\x1b]0;x\x07"], "clients.strange": 1e300},
    {"peers.down": [{"peer": "Juzang\x1b[2J", "state": 3}, {}, 5], "peers.synced": -1},
    {"store.disk_bytes": 0, "store.disk_free_bytes": 0},
])
def test_nonsense_is_neither_obeyed_nor_fine(ctl, fake, says):
    fake["Jaquez"].says = says
    for command in (("doctor",), ("doctor", "-o", "table"), ("herd", "check"), ("check", "all"), ("status", "-n", "all"),
                    ("herd", "status"), ("peer", "ls", "-n", "all")):
        result = ctl(*command)
        assert result.returncode in (0, 1, 2, 3), result
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", result.stdout), result
        assert "nan" not in result.stdout and "inf" not in result.stdout.replace("info", ""), result
    diagnose(ctl)


@pytest.mark.parametrize("path, probe", [("state", "node"), ("peers", "peers"), ("places", "places"), ("store", "node")])
def test_what_every_node_knows_and_this_one_does_not_say_is_unknown(ctl, fake, path, probe):
    fake["Jaquez"].says = {path: None}
    result = ctl("check", probe)
    assert result.returncode == 3 and "HERD UNKNOWN" in result.stdout, result
    assert find(ctl, "unasked", "Jaquez")["state"] == "unknown"


def test_a_node_that_is_silent_about_its_table_only(ctl, fake):
    """It answers /v1/status; its table is unknown then, and the others' is not."""
    node = fake["Juzang"]
    node.mute = ("/v1/digest",)
    result = ctl("check", "all", "--timeout", "3s")
    assert result.returncode == 3 and "Juzang does not say its table" in result.stdout, result
    assert data_of(result.stdout)["unequal"] == "U" and data_of(result.stdout)["links_synced"].startswith("6;")
    assert checks(ctl)["tables"]["state"] == "unknown"
    finding = next(f for f in diagnose(ctl, "--timeout", "3s") if f["finding"] == "unasked")
    assert finding["node"] == "Juzang"


# --- the plugin ---------------------------------------------------------------

@pytest.mark.parametrize("words_, env, part", [
    (["check", "node", "--bogus"], {}, "no option --bogus"),
    (["--bogus", "check", "node"], {}, "no option --bogus"),
    (["check", "weather"], {}, "is not one of"),
    (["check"], {}, "is missing"),
    (["check", "node", "more"], {}, "for `check client'"),
    (["check", "node", "--max-age", "10m"], {}, "for `check client'"),
    (["check", "node"], {"HERD_OUTPUT": "xml"}, "HERD_OUTPUT"),
    (["check", "node", "-o", "xml"], {}, "is not one of"),
    (["check", "node", "-n", "Nobody"], {}, "no node `Nobody'"),
    (["check", "all", "-c", "/nonexist"], {}, "/nonexist"),
    (["check", "all", "--watch"], {}, "cannot be watched"),
    (["check", "client", "kiwi"], {}, "--max-age"),
    (["check", "client", "--max-age", "10m"], {}, "needs a client"),
    (["check", "client", "kiwi", "--max-age", "soon"], {}, "soon"),
])
def test_wrong_usage_of_the_plugin_is_unknown(ctl, fake, words_, env, part):
    result = ctl(*words_, env=env)
    assert result.returncode == 3, result
    assert result.stdout.startswith("HERD UNKNOWN - ") and part in result.stdout and result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_wrong_usage_of_others_is_not(ctl, fake):
    for words_ in (["config", "check", "--bogus"], ["herd", "check", "--bogus"], ["status", "--bogus"]):
        result = ctl(*words_)
        assert result.returncode == 2 and result.stdout == "" and result.stderr


def test_how_old_a_client_is(make):
    herd, ctl = make()
    herd["A"].iamat((b"kiwi", b"+1+1", b"%d" % (time.time() - 100)))
    herd.wait_equal([b"kiwi"])

    def age(*more):
        result = ctl("check", "client", *more, "--timeout", "2s")
        assert result.stdout.count("\n") == 1 and result.stderr == ""
        return result.returncode, result.stdout
    status, line = age("kiwi", "--max-age", "10m")
    assert status == 0 and line.startswith("HERD OK - kiwi is 1")
    assert re.search(r"\| age_s=1\d\d\.\d+;;600\.000$", line)
    assert age("kiwi", "--max-age", "30s")[0] == 2
    # A time that is to come is not young for ever.
    herd["A"].iamat((b"hasty", b"+1+1", b"%d" % (time.time() + 200)))
    herd.wait_equal([b"hasty"])
    assert age("hasty", "--max-age", "1ms")[0] == 2 and age("hasty", "--max-age", "60s")[0] == 0
    status, line = age("nobody", "--max-age", "30s")
    assert status == 2 and line.startswith("HERD CRITICAL") and "age_s=U" in line
    # The newest position counts, wherever it is.
    for peer in ("B", "C"):
        assert ctl("-n", "A", "peer", "disable", peer, "--yes").returncode == 0
    herd["A"].iamat((b"kiwi", b"+1+1", b"%d" % (time.time() - 1)))
    assert age("kiwi", "--max-age", "30s")[0] == 0
    assert age("kiwi", "--max-age", "30s", "-n", "B")[0] == 2
    # It says what could not be asked, and nothing known of it is no judgement.
    herd["A"].send_signal(signal.SIGSTOP)
    status, line = age("kiwi", "--max-age", "10m")
    assert status == 0 and "not asked: A" in line
    status, line = age("kiwi", "--max-age", "10m", "-n", "A")
    assert status == 3 and line.startswith("HERD UNKNOWN") and "age_s=U" in line
    herd["A"].send_signal(signal.SIGCONT)
    assert ctl("client", "forget", "kiwi", "-n", "A", "--yes").returncode == 0
    assert age("kiwi", "--max-age", "10m", "-n", "A")[0] == 2


def test_hostile_ids_are_one_line(ctl, fake):
    result = ctl("check", "client", "a\nb|c\x1b[31m", "--max-age", "10m")
    assert result.returncode == 2 and result.stdout.count("\n") == 1 and result.stdout.count("|") == 1
    assert "\x1b" not in result.stdout


# --- forms of doctor ----------------------------------------------------------

def test_the_worst_comes_first_and_the_command_suits_the_line(ctl, fake, tmp_path):
    fake["Riley"].state = "draining"
    fake["Jaquez"].says = {"version": "0.9.0"}
    fake["Juzang"].stop()
    assert [f["finding"] for f in diagnose(ctl)] == ["down", "draining", "version-differs"]
    lone = Ctl(ctl.home)
    path = tmp_path / "a herd's $(file).yaml"
    path.symlink_to(fake.path)
    finding = next(f for f in diagnose(lone, "-c", path) if f["finding"] == "draining")
    assert shlex.split(finding["next"].replace("$'", "'"))[:2] == ["herdctl", "--conf"]
    assert type_next(lone, finding).returncode == 0
    assert fake["Riley"].state == "ready"


def test_each_finding_is_a_metric_of_its_own(ctl, fake):
    for peer in ("Jaquez", "Juzang"):
        fake["Riley"].enabled[peer] = False
    lines = ctl("doctor", "-o", "prometheus").stdout.splitlines()
    disabled = [line for line in lines if "link-disabled" in line]
    assert len(disabled) == len(set(disabled)) == 2 and 'about="Juzang"' in "".join(disabled)
    fake["Jaquez"].fault = "silence"
    assert all(json.loads(line) for line in ctl("doctor", "-o", "raw", "--timeout", "1s").stdout.splitlines())


def test_a_disabled_link_to_a_silent_node_is_found_too(ctl, fake):
    fake["Riley"].enabled["Jaquez"] = False
    fake["Jaquez"].fault = "silence"
    assert [f["finding"] for f in diagnose(ctl, "--timeout", "2s")] == ["hung", "link-disabled"]


def test_doctor_for_people(terminal, fake):
    fake["Riley"].state = "draining"
    fake["Juzang"].stop()
    shown = terminal("doctor", "--color", "never", size=(40, 60))
    assert shown.end() == 1
    lines = shown.seen.replace("\r\n", "\n").strip().split("\n")
    assert lines[0].startswith("critical  Juzang unreachable")
    assert "  next    herdctl node undrain Riley" in lines and lines[-1] == "2 findings"
    assert all(len(line) <= 60 for line in lines)


def test_in_a_session_the_command_is_a_line_of_it(terminal, fake):
    fake["Riley"].state = "draining"
    session = terminal()
    session.prompt()
    assert "next    node undrain Riley" in session.ask("doctor")
    session.ask("node undrain Riley")
    assert fake["Riley"].state == "ready"


def test_the_prompt_says_when_all_are_meant(terminal, fake):
    session = terminal()
    session.prompt()
    session.line("set node all")
    session.prompt("lab/all")
    session.line("set node Riley,Juzang")
    session.prompt("lab/Riley,Juzang")
    session.line("set node Jaquez")
    session.prompt("lab/Jaquez")
    session.send("\x04")
    assert session.end() == 0
