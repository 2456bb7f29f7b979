# SPDX-License-Identifier: GPL-3.0-or-later
"""Who keeps a node busy, and which connections it has: /v1/top, /v1/connections
and herdctl on them."""
import base64
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time

import pytest

from api import Api
from conftest import Ctl
from fake_phones import PhoneHerd
from nodes import Herd, read_lines, wait_until


@pytest.fixture
def solo(tmp_path):
    with Herd(tmp_path, ["Riley"], [], "workers: 2\nmax_connections_per_address: 8000\n") as herd:
        yield herd.start()["Riley"]


@pytest.fixture
def api(solo):
    return Api(solo.admin)


@pytest.fixture
def ctl(solo, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Ctl(home, solo.herd.path)


def report(client, count=1):
    now = time.time()
    return b"".join(b"IAMAT %s +34.07-118.44 %.6f\n" % (client, now + i / 1e6) for i in range(count))


def tell(s, data):
    """Sends lines; each gets one reply."""
    s.sendall(data)
    return read_lines(s, data.count(b"\n"))


def counts(top, list_name, key, value):
    """Events in the window, which is what the test knows."""
    return {row[key]: round(row[value] * top["window_s"]) for row in top[list_name]}


def test_top_has_true_counts_of_clients_and_addresses(solo, api):
    with solo.connect() as one, solo.connect() as two:  # one to each worker
        tell(one, report(b"kiwi", 30) + b"nonsense\n" * 4)
        tell(two, report(b"kiwi", 30) + report(b"plum", 15) + b"WHATSAT nobody 1 1\n")
        top = api.get("/v1/top").json
    assert top["schema"] == "herd.top/1" and top["node"] == "Riley"
    assert [row["client"] for row in top["clients"]] == ["kiwi", "plum"]
    assert counts(top, "clients", "client", "reports_per_s") == {"kiwi": 60, "plum": 15}
    assert top["clients"][0]["share"] == 0.8 and top["clients"][1]["share"] == 0.2
    assert top["clients_missed_per_s"] == 0
    assert counts(top, "addresses", "address", "requests_per_s") == {"127.0.0.1": 80}
    assert counts(top, "addresses", "address", "invalid_per_s") == {"127.0.0.1": 5}


def test_top_has_phones_too(tmp_path):
    with PhoneHerd(tmp_path, ["Solo"], [], "workers: 2\n") as herd:
        key = herd.add_key("jane/phone")
        solo = herd.start()["Solo"]
        with solo.connect() as s:
            tell(s, report(b"kiwi", 2))
        for query in (f"id={key}&lat=1&lon=2", f"id={key}&lat=1&lon=3", f"id={key}&lat=1&lon=4", "id=nobody&lat=1&lon=2"):
            subprocess.run(["curl", "-s", f"http://127.0.0.1:{herd.http['Solo']}/?{query}"], check=True,
                           capture_output=True, timeout=20)
        top = Api(solo.admin).get("/v1/top").json
    # The window of the phones thread begins a little later than a worker's.
    assert {row["client"] for row in top["clients"]} == {"jane/phone", "kiwi"}
    assert counts(top, "clients", "client", "reports_per_s")["jane/phone"] >= 3
    assert counts(top, "addresses", "address", "requests_per_s")["127.0.0.1"] >= 6
    assert counts(top, "addresses", "address", "invalid_per_s")["127.0.0.1"] >= 1


def test_top_shows_any_id(solo, api):
    with solo.connect() as s:
        tell(s, report(b"\xff\x1b[31m\"", 3) + report("Zürich".encode() * 100, 2) + report(b"x", 1))
        rows = api.get("/v1/top").json["clients"]
    assert base64.b64decode(rows[0]["client_b64"]) == b"\xff\x1b[31m\"" and not rows[0]["cut"]
    assert rows[1]["cut"] and ("Zürich" * 100).startswith(rows[1]["client"])
    assert 120 < len(rows[1]["client"].encode()) <= 128 and "client_b64" not in rows[1]
    assert rows[2]["client"] == "x"


def test_top_limit(solo, api):
    with solo.connect() as s:
        tell(s, b"".join(report(b"c%d" % i) for i in range(30)))
    assert len(api.get("/v1/top").json["clients"]) == 20
    assert len(api.get("/v1/top?limit=3").json["clients"]) == 3
    assert len(api.get("/v1/top?limit=1000").json["clients"]) == 30
    for wrong in ("0", "1001", "-1", "x", ""):
        reply = api.get(f"/v1/top?limit={wrong}")
        assert (reply.status, reply.error) == (400, "bad-request")


def test_random_ids_do_not_hide_a_heavy_client(solo, api):
    pick = random.Random(11)
    with solo.connect() as s:
        for _ in range(40):
            tell(s, b"".join(report(b"heavy" if i % 20 == 0 else b"%032x" % pick.getrandbits(128))
                             for i in range(500)))
    top = api.get("/v1/top?limit=1000").json
    assert len(top["clients"]) <= 1000
    first, second = top["clients"][:2]
    assert first["client"] == "heavy" and first["share"] > 5 * second["share"]
    # 5 of 100 reports, less the bound: 1 of 512.
    assert 0.04 < first["share"] < 0.06
    assert 0 < top["clients_missed_per_s"] <= top["reports_per_s"] / 512 + 0.001
    assert first["reports_per_s"] + top["clients_missed_per_s"] >= 0.045 * top["reports_per_s"]


def test_what_is_over_is_forgotten(solo, api):
    with solo.connect() as s:
        tell(s, report(b"kiwi", 10))
        wait_until(lambda: not api.get("/v1/top").json["clients"], "it is over", 60)


def test_ipv6_addresses_are_a_64(tmp_path):
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    with Herd(tmp_path, ["Riley"], [], "") as herd:
        node = herd["Riley"]
        herd.path.write_text(herd.path.read_text().replace(f"127.0.0.1:{node.clients}", f"[::1]:{node.clients}"))
        node.start()
        with socket.create_connection(("::1", node.clients)) as s:
            tell(s, report(b"kiwi", 5))
            api = Api(node.admin)
            assert [row["address"] for row in api.get("/v1/top").json["addresses"]] == ["::1"]
            assert connections(api)[0]["address"] == f"[::1]:{s.getsockname()[1]}"


def connections(api, kind="client"):
    answer = api.get("/v1/connections").json
    assert answer["schema"] == "herd.connections/1" and answer["node"] == "Riley"
    assert {row["kind"] for row in answer["connections"]} <= {"client", "admin"}
    return [row for row in answer["connections"] if row["kind"] == kind]


def test_requests_of_operators_are_connections_too(solo, api, ctl):
    """Also of one who does not read; but not the question itself."""
    assert connections(api, "admin") == []
    solo.iamat(*[(b"client-%d" % i, b"+1+1", b"5") for i in range(4000)])
    with socket.socket(socket.AF_UNIX) as events, socket.socket(socket.AF_UNIX) as stalled:
        for s, path in ((events, b"/v1/events"), (stalled, b"/v1/clients?stream=1")):
            s.connect(solo.admin)
            s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            assert s.recv(1)
        wait_until(lambda: {row["state"] for row in connections(api, "admin")} == {"serving", "stalled"}, "both show")
        rows = {row["state"]: row for row in connections(api, "admin")}
        assert rows["stalled"]["unsent_bytes"] > 0 == rows["serving"]["unsent_bytes"]
        assert rows["serving"]["address"] == f"uid={os.geteuid()} pid={os.getpid()}" and rows["serving"]["worker"] is None
        assert "2 connections" in ctl("conn", "ls", "-o", "table").stdout
        said = json.loads(ctl("conn", "ls", "--where", "kind = admin", "--json").stdout)["connections"]
        assert {row["kind"] for row in said} == {"admin"} and len(said) == 2
    wait_until(lambda: connections(api, "admin") == [], "both have left")


def test_connections_have_their_facts(solo, api):
    assert connections(api) == []
    with solo.connect() as one, solo.connect() as two:
        tell(one, report(b"kiwi", 3) + b"nonsense\n")
        two.sendall(b"IAMAT half")
        two_is = f"127.0.0.1:{two.getsockname()[1]}"
        wait_until(lambda: [r for r in connections(api) if r["address"] == two_is and r["state"] == "reading"],
                   "a request has begun")
        rows = {row["address"]: row for row in connections(api)}
        assert len(rows) == 2
        mine = rows[f"127.0.0.1:{one.getsockname()[1]}"]
        assert (mine["requests"], mine["invalid"], mine["unsent_bytes"]) == (4, 1, 0)
        assert mine["kind"] == "client" and mine["state"] == "idle"
        assert mine["age_s"] >= mine["idle_s"] >= 0
        assert rows[two_is]["requests"] == 0
        assert {row["worker"] for row in rows.values()} == {0, 1}
    wait_until(lambda: not connections(api), "all have left")


def test_unsent_bytes_of_who_does_not_read(solo, api, ctl):
    with socket.socket() as s:
        # Before it connects: a window that shrinks drops what is on its way.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", solo.clients))
        s.setblocking(False)

        def stalls():
            try:
                while True:
                    s.send(b"?" * 1000 + b"\n")
            except BlockingIOError:
                pass
            return any(row["unsent_bytes"] > 0 for row in connections(api))
        wait_until(stalls, "replies are unsent")
        row = json.loads(ctl("conn", "ls", "--where", "unsent > 0", "--json").stdout)["connections"][0]
        assert row["state"] == "stalled" and row["unsent_bytes"] > 0


def test_thousands_of_connections_while_they_change(solo, api):
    """More than two slices of each worker; some leave and some come meanwhile."""
    held = [socket.create_connection(("127.0.0.1", solo.clients)) for _ in range(5000)]
    wait_until(lambda: len(connections(api)) == 5000, "all are there")
    stop = threading.Event()
    failed = []

    def churn():
        pick = random.Random(5)
        try:
            while not stop.is_set():
                at = pick.randrange(2500)
                held[at].close()
                held[at] = socket.create_connection(("127.0.0.1", solo.clients))
        except OSError as error:
            failed.append(error)
    changes = threading.Thread(target=churn)
    changes.start()
    stays = {f"127.0.0.1:{s.getsockname()[1]}" for s in held[2500:]}
    try:
        for _ in range(5):
            seen = [row["address"] for row in connections(api)]
            assert stays <= set(seen)
    finally:
        stop.set()
        changes.join()
        for s in held:
            s.close()
    assert not failed
    wait_until(lambda: not connections(api), "all have left")


def test_who_stops_reading_costs_nothing(solo, api):
    held = [socket.create_connection(("127.0.0.1", solo.clients)) for _ in range(3000)]
    wait_until(lambda: len(connections(api)) == 3000, "all are there")
    with socket.socket(socket.AF_UNIX) as slow, socket.socket(socket.AF_UNIX) as gone:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for s in (slow, gone):
            s.connect(solo.admin)
            s.sendall(b"GET /v1/connections HTTP/1.1\r\nHost: x\r\n\r\n")
            assert s.recv(100)
        gone.close()
        # The slow one has not read; the node answers others, and it goes on.
        assert len(connections(api)) == 3000
        for s in held[:2000]:
            s.close()
        wait_until(lambda: len(connections(api)) == 1000, "2000 have left")
        while b"]}" not in (data := slow.recv(65536)):
            assert data
    for s in held:
        s.close()


def test_node_stops_while_it_is_asked(solo, api):
    """The questions to workers that stop are dropped with them."""
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            try:
                api.get("/v1/top")
                api.get("/v1/connections")
            except OSError:
                pass
            except Exception:  # an answer that was cut
                pass
    askers = [threading.Thread(target=ask) for _ in range(4)]
    for one in askers:
        one.start()
    try:
        for _ in range(3):
            assert solo.stop() == 0
            solo.start()
    finally:
        stop.set()
        for one in askers:
            one.join()


def test_metrics_have_the_busiest(solo, api):
    with solo.connect() as s:
        tell(s, report(b"kiwi", 500))

    def value(name):
        text = api.get("/metrics").body.decode()
        return float([line.split()[1] for line in text.splitlines() if line.startswith(name + " ")][0])
    wait_until(lambda: value("herd_busiest_client_reports_per_second") > 0, "a half window is over", 60)
    assert value("herd_busiest_client_reports_per_second") <= 50
    assert value("herd_busiest_address_requests_per_second") > 0
    wait_until(lambda: value("herd_busiest_client_reports_per_second") == 0, "so is the next one", 60)


# --- herdctl ------------------------------------------------------------------

def test_herdctl_top(solo, ctl):
    with solo.connect() as s:
        tell(s, report(b"kiwi", 30) + report(b"plum", 10) + b"nonsense\n" * 4)
        rows = json.loads(ctl("client", "top", "--json").stdout)
        assert rows["schema"] == "herd.top/1"
        clients = [row for row in rows["top"] if row["kind"] == "client"]
        assert [row["client"] for row in clients] == ["kiwi", "plum"]
        assert clients[0]["share_percent"] == 75 and clients[0]["reports_per_s"] > 0
        address, = [row for row in rows["top"] if row["kind"] == "address"]
        assert address["address"] == "127.0.0.1" and address["invalid_per_s"] > 0
        assert ctl("client", "top", "-o", "name", "--where", "kind = client and share < 30%").stdout == "plum\n"
        assert ctl("client", "top", "--limit", "1", "-o", "name").stdout == "kiwi\n"
        shown = ctl("client", "top", "-o", "table").stdout
        assert "reports/s" in shown.splitlines()[-1] and "75.0%" in shown


def test_herdctl_lists_connections(solo, ctl):
    with solo.connect() as one, solo.connect() as two:
        tell(one, report(b"kiwi", 5))
        tell(two, report(b"kiwi", 7) + b"nonsense\n")
        rows = json.loads(ctl("conn", "ls", "--json", "--sort", "requests:desc").stdout)["connections"]
        assert [(row["requests"], row["invalid"]) for row in rows] == [(8, 1), (5, 0)]
        mine = f"127.0.0.1:{one.getsockname()[1]}"
        assert ctl("conn", "ls", "-o", "name", "--where", "requests < 8").stdout == mine + "\n"
        assert ctl("conn", "ls", "-o", "name", "--limit", "1", "--sort", "requests").stdout == mine + "\n"
        assert "2 connections: 2 idle" in ctl("conn", "ls", "-o", "table").stdout


def test_herdctl_beside_a_silent_node(herd, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    ctl = Ctl(home, herd.path)
    herd["Juzang"].send_signal(signal.SIGSTOP)
    try:
        for command, name in (("client top", "top"), ("conn ls", "connections")):
            result = ctl(*command.split(), "-n", "Riley,Juzang", "--json", "--timeout", "3s")
            assert result.returncode == 6 and "Juzang" in result.stderr
            silent = [row for row in json.loads(result.stdout)[name] if row["node"] == "Juzang"]
            assert len(silent) == 1 and silent[0]["error"]
    finally:
        herd["Juzang"].send_signal(signal.SIGCONT)


def test_herdctl_track_says_that_there_is_no_history(solo, ctl):
    solo.iamat((b"kiwi", b"+1+1", b"1479413884.39"))
    result = ctl("client", "track", "kiwi")
    assert result.returncode == 5 and result.stdout == ""
    assert result.stderr == "herdctl: Riley: keeps no history (`client show' has the newest position)\n"
    # An id that ends so is an id.
    solo.iamat((b"a/track", b"+1+1", b"1479413884.39"))
    assert ctl("client", "show", "a/track").returncode == 0


def test_store_says_that_it_has_no_history(tmp_path):
    with Herd(tmp_path, ["Riley"], [], "store: {engine: sqlite}\n") as herd:
        api = Api(herd.start()["Riley"].admin)
        assert api.get("/v1/status").json["store"]["history"] is False
        reply = api.get("/v1/clients/kiwi/track")
        assert (reply.status, reply.error) == (409, "conflict")
