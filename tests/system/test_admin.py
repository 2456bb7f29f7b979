# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin API of real nodes: every endpoint, every error."""
import base64
import contextlib
import os
import pathlib
import random
import re
import resource
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

import nodes
from api import Api, quoted
from nodes import TOP, DEADLINE_S, Herd, free_ports, wait_until

SETTINGS = "workers: 1\nlink: {redial_max: 100ms}\n"
PAIR = (["Ann", "Bob"], [("Ann", "Bob")])


def api_of(node):
    return Api(node.admin)


def iamat(*clients, at=None, location=b"+34.068930-118.445127"):
    at = time.time() if at is None else at
    return b"".join(b"IAMAT %s %s %.9f\n" % (c, location, at) for c in clients)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two nodes and their link; tests use client ids of their own."""
    with Herd(tmp_path_factory.mktemp("pair"), *PAIR, settings=SETTINGS) as herd:
        herd.start()
        herd.wait_synced()
        yield herd


@pytest.fixture(scope="module")
def ann(pair):
    return api_of(pair["Ann"])


@pytest.fixture(scope="module")
def bob(pair):
    return api_of(pair["Bob"])


@pytest.fixture
def solo(tmp_path):
    with Herd(tmp_path, ["Solo"], [], settings=SETTINGS) as herd:
        yield herd.start()["Solo"]


# --- the node -----------------------------------------------------------------

def test_status_has_the_shape_that_was_agreed(pair, ann):
    status = ann.get("/v1/status").json
    node = ann.get("/v1/node").json
    assert node.pop("schema") == "herd.node/1"
    for key in ("node", "herd", "version", "pid", "workers", "addresses"):
        assert status[key] == node[key]
    assert (status["node"], status["herd"], status["state"]) == ("Ann", "ucla", "ready")
    assert status["pid"] == pair["Ann"].process.pid
    assert status["addresses"] == {
        "clients": f"127.0.0.1:{pair['Ann'].clients}",
        "peers": f"127.0.0.1:{pair['Ann'].peers}", "admin": pair["Ann"].admin}
    assert abs(float(status["time"]) - time.time()) < 60
    assert re.fullmatch(r"\d+\.\d{9}", status["time"])
    assert status["config"]["path"] == str(pair.path)
    assert status["config"]["changed_on_disk"] is False
    assert status["peers"].pop("lag_ms") >= 0
    assert status["peers"] == {"total": 1, "synced": 1, "owed": 0, "down": [], "twins": []}
    assert status["clock"] == {"state": "alone", "ahead_ms": 0, "steps": 0, "step_ms": None, "step_ago_s": None}
    assert set(status["clients"]) == {"count", "removals", "max", "ahead", "reported_per_s", "newest_s",
                                      "oldest_s", "strange", "strange_origins"}
    assert set(status["requests"]) == {"iamat", "whatsat", "invalid"}
    assert set(status["places"]) == {"provider", "state", "answered", "failed", "p50_ms", "p99_ms"}
    assert status["store"] == {"engine": "none", "durability": "async", "state": "off", "lag": 0,
                               "last_commit_ms": None, "error": None}
    assert node["rss_bytes"] > 1 << 20 and node["table_bytes"] > 0


def test_status_counts_what_happens(solo):
    api = api_of(solo)
    clients = api.get("/v1/status").json["clients"]
    assert clients["count"] == 0 and clients["newest_s"] is clients["oldest_s"] is None
    solo.ask(iamat(b"old", at=time.time() - 1000) + iamat(b"new") + b"nonsense\nWHATSAT new 1 1\n")
    wait_until(lambda: api.get("/v1/status").json["clients"]["newest_s"] is not None, "counted")
    status = api.get("/v1/status").json
    assert status["clients"]["count"] == 2
    assert 0 <= status["clients"]["newest_s"] < 60
    assert 1000 <= status["clients"]["oldest_s"] < 1060
    assert status["clients"]["reported_per_s"] > 0
    assert status["requests"] == {"iamat": 2, "whatsat": 1, "invalid": 1}
    assert status["places"]["provider"] == "gazetteer" and status["places"]["answered"] == 1


def test_status_says_that_the_file_has_changed(solo):
    api = api_of(solo)
    os.utime(solo.herd.path, (time.time() + 5, time.time() + 5))
    config = api.get("/v1/status").json["config"]
    assert config["changed_on_disk"] is False and config["content_changed"] is False
    with open(solo.herd.path, "a", encoding="utf-8") as file:
        file.write("# more\n")
    os.utime(solo.herd.path, (time.time() - 3600,) * 2)  # as rsync -a or a restore leaves it
    config = api.get("/v1/status").json["config"]
    assert config["changed_on_disk"] is True and config["content_changed"] is True
    assert api.post("/v1/config/reload").status == 200
    config = api.get("/v1/status").json["config"]
    assert config["content_changed"] is False
    solo.herd.path.unlink()
    assert api.get("/v1/status").json["config"]["content_changed"] is None


def test_store_is_shown(tmp_path):
    with Herd(tmp_path, ["Solo"], [],
              settings="store: {engine: sqlite, durability: sync}\n") as herd:
        solo = herd.start()["Solo"]
        api = api_of(solo)
        solo.ask(iamat(b"kept"))
        store = api.get("/v1/status").json["store"]
        assert (store["engine"], store["durability"], store["state"]) == ("sqlite", "sync", "ok")
        assert store["last_commit_ms"] >= 0 and store["error"] is None
        disk = os.statvfs(tmp_path)
        assert store["disk_bytes"] == disk.f_blocks * disk.f_frsize
        assert 0 <= store["disk_free_bytes"] <= store["disk_bytes"]
        solo.stop()
        solo.start()
        assert api.get("/v1/clients/kept").json["from"] == "store"
        lines = api.get("/metrics").body.decode().splitlines()
        assert {"herd_store_failed 0", "herd_store_owed_records 0",
                "herd_store_loaded_records 1"} <= set(lines)


def test_health_and_readiness(tmp_path):
    with Herd(tmp_path, *PAIR, settings=SETTINGS) as herd:
        herd["Ann"].start()
        ann = api_of(herd["Ann"])
        assert ann.get("/healthz").body == b"ok\n"
        # From the first moment on: its only neighbour is not there.
        reply = ann.get("/readyz")
        assert (reply.status, reply.body) == (503, b"syncing\n")
        assert ann.get("/v1/node").json["state"] == "syncing"
        herd["Bob"].start()
        herd.wait_synced()
        assert (ann.get("/readyz").status, ann.get("/readyz").body) == (200, b"ready\n")


def test_drain_and_undrain(pair, ann):
    assert ann.post("/v1/drain").json == {"state": "draining"}
    assert ann.get("/readyz").status == 503

    def refused():
        try:
            pair["Ann"].connect().close()
        except ConnectionRefusedError:
            return True
    wait_until(refused, "clients are refused")
    assert ann.post("/v1/undrain").json == {"state": "ready"}
    assert wait_until(lambda: not refused(), "clients are taken")
    pair["Ann"].wait_log(r'event=admin verb=drain target=Ann by="uid=\d+ pid=%d"' % os.getpid())


def test_undrain_that_cannot_listen_goes_on_draining(tmp_path):
    with Herd(tmp_path, ["Solo"], []) as herd:
        solo = herd.start()["Solo"]
        api = api_of(solo)
        api.post("/v1/drain")

        def bound():
            try:
                return socket.create_server(("127.0.0.1", solo.clients))
            except OSError:
                return None
        with wait_until(bound, "the port is free"):
            api.post("/v1/undrain")
            solo.wait_log(r'event=listen-failed error="cannot listen on .*another process.*next="the node goes on '
                          r'draining; undrain it again"')
            assert api.get("/readyz").status == 503
        assert api.post("/v1/undrain").json == {"state": "ready"}
        wait_until(lambda: not bound(), "it listens again")
        assert solo.ask(b"x\n") == b"? x\n"


def test_stop_answers_then_stops(tmp_path):
    with Herd(tmp_path, ["Solo"], []) as herd:
        solo = herd.start()["Solo"]
        assert api_of(solo).post("/v1/stop").json == {"state": "stopping"}
        assert solo.process.wait(timeout=DEADLINE_S) == 0
        assert not os.path.exists(solo.admin)


# --- links --------------------------------------------------------------------

PEER_KEYS = {"peer", "state", "since_s", "address", "direction", "security", "key", "enabled", "flood", "rtt_ms",
             "clock_ms", "sent", "received", "stale", "owed", "lag_ms", "repaired", "restored",
             "caught_up", "exchanges", "twins",
             "connects", "sent_bytes", "received_bytes", "last_error", "last_error_s",
             "retry_in_s", "verified_s", "file_line", "file_column"}


def test_peers_are_shown(pair, ann, bob):
    reply = ann.get("/v1/peers").json
    assert (reply["schema"], reply["node"], reply["next"]) == ("herd.peers/1", "Ann", None)
    (peer,) = reply["peers"]
    assert set(peer) == PEER_KEYS
    assert (peer["peer"], peer["direction"], peer["security"]) == ("Bob", "dial", "plaintext")
    assert peer["address"] == f"127.0.0.1:{pair['Bob'].peers}"
    assert peer["file_line"] > 0 and peer["file_column"] > 0
    assert bob.get("/v1/peers/Ann").json["direction"] == "accept"
    assert set(ann.get("/v1/peers/Bob").json) == PEER_KEYS | {"history"}
    reply = ann.get("/v1/peers/Nobody")
    assert (reply.status, reply.error) == (404, "not-found")


def test_peer_orders_are_done_when_answered(pair, ann):
    peer = ann.post("/v1/peers/Bob/disable").json
    assert (peer["state"], peer["enabled"], peer["retry_in_s"]) == ("disabled", False, None)
    status = ann.get("/v1/status").json
    assert status["state"] == "ready"  # no link is enabled
    assert [down["peer"] for down in status["peers"]["down"]] == ["Bob"]
    peer = ann.post("/v1/peers/Bob/enable").json
    assert peer["enabled"] is True and peer["state"] != "disabled"

    def state():
        return ann.get("/v1/peers/Bob").json["state"]
    wait_until(lambda: state() == "synced", "enabled again")
    before = ann.get("/v1/peers/Bob").json["connects"]
    assert ann.post("/v1/peers/Bob/reconnect").status == 200
    wait_until(lambda: state() == "synced" and
               ann.get("/v1/peers/Bob").json["connects"] > before, "connected again")
    assert ann.post("/v1/peers/Nobody/enable").error == "not-found"


def test_peer_history_says_what_became_of_a_link(pair, ann):
    def history():
        return ann.get("/v1/peers/Bob").json["history"]
    wait_until(lambda: history()[-1]["state"] == "synced", "synced")
    ann.post("/v1/peers/Bob/disable")
    ann.post("/v1/peers/Bob/enable")
    wait_until(lambda: history()[-1]["state"] == "synced", "synced again")
    changes = history()
    assert [set(change) for change in changes] == [{"at", "state", "error", "times",
                                                    "last"}] * len(changes)
    states = [(change["state"], change["error"]) for change in changes]
    assert states[-4:] == [("disabled", "disabled by an operator"), ("waiting", None),
                           ("comparing", None), ("synced", None)]
    assert "connecting" not in dict(states)
    assert changes == sorted(changes, key=lambda change: float(change["at"]))
    assert abs(float(changes[-1]["at"]) - time.time()) < 60


def test_peer_history_counts_what_repeats(tmp_path):
    with Herd(tmp_path, *PAIR, settings=SETTINGS) as herd:
        herd.start()
        herd.wait_synced()
        ann = api_of(herd["Ann"])
        herd["Bob"].stop(signal.SIGKILL)

        def newest():
            return ann.get("/v1/peers/Bob").json["history"][-1]
        wait_until(lambda: newest()["times"] > 2, "several attempts")
        change = newest()
        assert (change["state"], change["error"]) == ("backoff", "Connection refused")
        assert float(change["last"]) > float(change["at"])
        herd["Bob"].start()
        wait_until(lambda: newest()["state"] == "synced", "back")


# --- clients ------------------------------------------------------------------

def test_client_row(pair, ann, bob):
    pair["Ann"].ask(b"IAMAT row +34.068930-118.445127 1479413884.392014450\n")
    row = ann.get("/v1/clients/row").json
    at_line = pair["Ann"].at_line(b"row").decode().split()
    assert row == {
        "client": "row", "time": "1479413884.392014450", "location": "+34.068930-118.445127",
        "lat": 34.06893, "lon": -118.445127, "node": "Ann", "skew": at_line[2],
        "received_at": row["received_at"], "from": "client", "age_s": row["age_s"]}
    assert abs(time.time() - 1479413884.39 - row["age_s"]) < 60
    assert abs(float(row["received_at"]) - time.time()) < 60
    other = wait_until(lambda: bob.get("/v1/clients/row").status == 200 and
                       bob.get("/v1/clients/row").json, "flooded")
    assert other == {**row, "from": "Ann", "age_s": other["age_s"]}


@pytest.mark.parametrize("client", [b"a/b?c=d&e#f", b"\xff\xfe", b"%41", "Zoë".encode(), b"+",
                                    b"\x01\x7f\x1b[2J", b"x" * 20000, b"."])
def test_any_id_can_be_asked_for(pair, ann, client):
    pair["Ann"].ask(iamat(client))
    row = ann.get(f"/v1/clients/{quoted(client)}").json
    try:
        assert row["client"] == client.decode() and "client_b64" not in row
    except UnicodeDecodeError:
        assert base64.b64decode(row["client_b64"]) == client


def test_longest_id_fits(pair, ann):
    client = b"\xee" * 65000
    pair["Ann"].ask(iamat(client))
    row = ann.get(f"/v1/clients/{quoted(client)}").json
    assert base64.b64decode(row["client_b64"]) == client


def test_hostile_globs_on_long_ids_hold_nobody_up(solo):
    api = api_of(solo)
    solo.iamat(*((b"a" * 60000 + b"%d" % i, b"+34.068930-118.445127", b"1479413884") for i in range(20)))
    for glob in ("*" + "a" * 1000 + "b*", "*" + "a?" * 500 + "b*", "*" + "a" * 500 + "%5B" * 500 + "*"):
        assert api.get("/v1/clients?count=1&glob=" + glob).json["count"] == 0
        assert api.delete("/v1/clients?glob=" + glob).json["forgotten"] == 0
    many = "%20or%20".join(["client~'*a?a?b*'"] * 90)
    assert api.get("/v1/clients?count=1&where=" + many).json["count"] == 0
    for path in ("/v1/clients?glob=", "/v1/events?client="):
        answer = api.get(path + "*" + "a" * 1024)
        assert answer.status == 400 and "1024" in answer.json["error"]["hint"]
    slow = re.findall(r"event=slow-turn thread=main doing=\S+ ms=(\d+)", solo.log())
    assert not [ms for ms in slow if int(ms) > 1000]


def test_a_nul_does_not_end_where(solo):
    """What it would cut off may be what keeps a removal small."""
    solo.iamat((b"kiwi", b"+34.068930-118.445127", b"1479413884"))
    answer = api_of(solo).delete("/v1/clients?where=lat%3E0%20%00and%20client=plum")
    assert answer.status == 400 and api_of(solo).get("/v1/clients?count=1").json["count"] == 1


@pytest.mark.skipif("asan" in nodes.HERDD or "tsan" in nodes.HERDD, reason="their memory is not the node's")
@pytest.mark.parametrize("query", ["stream=1", "limit=1000"])
def test_slow_readers_of_hostile_ids_hold_little(solo, query):
    """A byte of an id may take six of JSON, and each reader holds its own."""
    def resident():
        return int(re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{solo.process.pid}/status").read_text())[1])
    for i in range(100):
        solo.iamat((b"%d" % i + b"\x01" * 60000, b"+34.068930-118.445127", b"1479413884"))
    before = resident()
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            s = stack.enter_context(socket.socket(socket.AF_UNIX))
            s.settimeout(DEADLINE_S)
            s.connect(solo.admin)
            s.sendall(b"GET /v1/clients?%s HTTP/1.1\r\nHost: x\r\n\r\n" % query.encode())
            assert s.recv(1) == b"H"
        assert resident() - before < 300 << 10


def test_client_that_is_not_there(ann):
    assert (ann.get("/v1/clients/nobody").status, ann.get("/v1/clients/nobody").error) == \
        (404, "not-found")
    assert ann.delete("/v1/clients/nobody").error == "not-found"


def test_forget_on_one_node_is_seen_on_the_other(pair, ann, bob):
    pair["Ann"].ask(iamat(b"leaver"))
    wait_until(lambda: bob.get("/v1/clients/leaver").status == 200, "flooded")
    reply = bob.delete("/v1/clients/leaver").json
    assert set(reply) == {"client", "time", "forgotten"}
    assert reply["client"] == "leaver" and reply["forgotten"] is True
    wait_until(lambda: ann.get("/v1/clients/leaver").status == 404, "forgotten at the other")
    assert pair["Ann"].at_line(b"leaver") is None
    # What is forgotten is forgotten once.
    assert ann.delete("/v1/clients/leaver").status == 404
    removal = ann.get("/v1/clients/leaver?removed=1").json
    assert (removal["removed"], removal["location"], removal["time"], removal["from"]) == \
        (True, None, reply["time"], "Bob")
    # An older report stays out, a newer one comes in.
    pair["Ann"].ask(iamat(b"leaver", at=time.time() - 100))
    assert ann.get("/v1/clients/leaver").status == 404
    pair["Ann"].ask(iamat(b"leaver", at=time.time() + 100))
    assert ann.get("/v1/clients/leaver").status == 200
    # Forgetting it now must beat its time, which lies in the future.
    forgotten = ann.delete("/v1/clients/leaver").json
    assert float(forgotten["time"]) > time.time() + 50
    wait_until(lambda: bob.get("/v1/clients/leaver").status == 404, "forgotten again")
    pair["Bob"].wait_log(r"event=admin verb=forget target=leaver by=")


def test_forgetting_outlives_kill_9(tmp_path):
    with Herd(tmp_path, ["Solo"], [],
              settings="store: {engine: sqlite, durability: sync}\n") as herd:
        solo = herd.start()["Solo"]
        api = api_of(solo)
        for i in range(10):
            solo.ask(iamat(b"leaver%d" % i))
            assert api.delete(f"/v1/clients/leaver{i}").json["forgotten"] is True
        solo.stop(signal.SIGKILL)
        solo.start()
        assert api.get("/v1/clients?count").json == {"count": 0, "removals": 10}


def test_paging_over_ten_thousand(solo):
    api = api_of(solo)
    clients = [b"c%05d" % (i * 7919 % 10000) for i in range(10000)]
    now = int(time.time())
    solo.ask(b"".join(b"IAMAT %s +%d.%02d-1 %d\n" % (c, i % 90, i % 97, now - i % 500)
                      for i, c in enumerate(clients)))
    everyone = sorted(c.decode() for c in clients)
    keys = {"id": lambda r: r["client"], "time": lambda r: (-float(r["time"]), r["client"]),
            "node": lambda r: (r["node"], r["client"]),
            "received": lambda r: (-float(r["received_at"]), r["client"])}
    for sort, limit in [("id", 1000), ("time", 997), ("node", 1000), ("received", 1000),
                        ("table", 1000)]:
        rows = []
        for page in api.pages(f"sort={sort}&limit={limit}"):
            assert len(page) <= limit
            rows += page
        assert sorted(r["client"] for r in rows) == everyone
        if sort in keys:
            assert rows == sorted(rows, key=keys[sort])
    assert len(api.get("/v1/clients").json["clients"]) == 100
    assert api.get("/v1/clients?count").json == {"count": 10000, "removals": 0}
    assert api.get("/v1/clients?count&prefix=c0001").json["count"] == 10
    rows = api.get("/v1/clients?prefix=c0001").json
    assert [r["client"] for r in rows["clients"]] == [f"c{i:05}" for i in range(10, 20)]
    assert rows["next"] is None


def test_near_is_sorted_by_distance(pair, ann):
    for i in range(5):
        pair["Ann"].ask(iamat(b"near%d" % i, location=b"+10.0%d+20" % i))
    rows = ann.get("/v1/clients?near=+10+20&km=3&prefix=near").json["clients"]
    assert [r["client"] for r in rows] == ["near0", "near1", "near2"]
    assert rows[0]["distance_m"] == 0 and 1100 < rows[1]["distance_m"] < 1125
    rows = ann.get("/v1/clients?near=10,20&prefix=near&limit=1").json
    assert [r["client"] for r in rows["clients"]] == ["near0"] and rows["next"]
    by_id = ann.get("/v1/clients?near=+10+20&km=3&prefix=near&sort=id").json["clients"]
    assert [r["client"] for r in by_id] == ["near0", "near1", "near2"]
    assert ann.get("/v1/clients?near=+10+20&km=3&prefix=near&count").json["count"] == 3


@pytest.mark.parametrize("query", [
    "limit=0", "limit=1001", "limit=x", "sort=colour", "sort=distance", "near=here", "km=5",
    "near=+1+1&km=0", "near=+1+1&km=1e3", "near=+1+1&km=20039", "near=+91+1", "after=zzz",
    "sort=time&after=aTAwMDAwMDAwMDAwMDAwMDAwMGE", "count=maybe", "colour=red",
    "limit=1&limit=2", "a=%zz"])
def test_bad_questions_for_clients(ann, query):
    reply = ann.get(f"/v1/clients?{query}")
    assert (reply.status, reply.error) == (400, "bad-request")
    assert reply.json["error"]["hint"]


# --- digests ------------------------------------------------------------------

KEY = "00112233445566778899aabbccddeeff"
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
NOTHING = "0" * 16


def test_digest_leads_to_what_differs(tmp_path):
    with Herd(tmp_path, *PAIR, settings=SETTINGS) as herd:
        herd.start()
        herd.wait_synced()
        a, b = (api_of(herd[n]) for n in PAIR[0])
        herd["Ann"].ask(iamat(*[b"d%d" % i for i in range(500)]))

        def digest(api, path=""):
            return api.get(f"/v1/digest{path}?key={KEY}").json
        wait_until(lambda: digest(a) == digest(b), "equal")
        assert digest(a)["count"] == 500 and digest(a)["key"] == KEY
        assert len(digest(a)["hashes"]) == 64 and digest(a)["path"] == "-"
        assert a.get("/v1/digest").json["key"] != a.get("/v1/digest").json["key"]

        a.post("/v1/peers/Bob/disable")
        herd["Ann"].ask(iamat(b"d7", at=time.time() + 10))
        a.delete("/v1/clients/d8")
        found = {}
        level = [""]
        digest(a), digest(b)
        for _ in range(3):
            level = [p + DIGITS[i] for p in level for i, (x, y) in enumerate(
                zip(*(digest(api, "/" + quoted(p) if p else "")["hashes"] for api in (a, b))))
                if x != y]
        leaves = ",".join(level)
        for api in (a, b):
            rows = api.get(f"/v1/digest?key={KEY}&leaves={quoted(leaves)}").json
            assert rows["next"] is None
            found[api] = {r["client"]: r for r in rows["clients"]}
            assert all(r["path"] in level for r in rows["clients"])
        assert {"d7", "d8"} <= set(found[a]) == set(found[b])
        assert found[a]["d8"]["removed"] is True and "removed" not in found[b]["d8"]
        one = a.get(f"/v1/digest/{quoted(found[a]['d7']['path'])}?key={KEY}").json
        assert "d7" in [r["client"] for r in one["clients"]]


@pytest.mark.parametrize("target", [
    "/v1/digest/ABCD", "/v1/digest/!", "/v1/digest?key=xyz", "/v1/digest/AAA",
    "/v1/digest?key=" + KEY + "&leaves=AA", "/v1/digest?leaves=AAA",
    "/v1/digest/AAA?key=" + KEY + "&after=x"])
def test_bad_questions_for_digests(ann, target):
    assert ann.get(target).error == "bad-request"


# --- configuration ------------------------------------------------------------

def test_config_shows_all_settings(pair, ann):
    config = ann.get("/v1/config").json
    assert (config["schema"], config["herd"], config["path"]) == \
        ("herd.config/1", "ucla", str(pair.path))
    settings = {s["name"]: s for s in config["settings"]}
    assert settings["workers"]["value"] == "1" and settings["workers"]["origin"] == "file"
    assert settings["max_line"]["origin"] == "default"
    assert all(set(s) >= {"name", "value", "default", "origin", "reloadable", "help"}
               for s in config["settings"])
    assert config["links"] == [{"a": "Ann", "b": "Bob", "dial": "Ann"}]
    assert [n["node"] for n in config["nodes"]] == ["Ann", "Bob"]
    assert "text" not in config
    assert ann.get("/v1/config?text").json["text"] == pair.path.read_text()


def test_reload_applies_and_says_what_waits(tmp_path):
    with Herd(tmp_path, *PAIR, settings=SETTINGS) as herd:
        herd.start()
        herd.wait_synced()
        ann = api_of(herd["Ann"])
        herd.settings = "workers: 2\nlink: {redial_max: 100ms}\nlog: {level: warn}\n"
        herd.write()
        reply = ann.post("/v1/config/reload").json
        assert reply == {"applied": ["log.level"], "restart": ["workers"], "rejected": [],
                         "warnings": []}
        assert ann.get("/v1/log/level").json == {"level": "warn"}
        settings = {s["name"]: s for s in ann.get("/v1/config").json["settings"]}
        assert (settings["workers"]["value"], settings["workers"]["at_restart"]) == ("1", "2")
        # What needs a restart is named again.
        assert ann.post("/v1/config/reload").json["restart"] == ["workers"]
        # The file that was replaced is not needed for a new session.
        ann.post("/v1/peers/Bob/reconnect")
        wait_until(lambda: ann.get("/v1/peers/Bob").json["state"] == "synced", "synced again")


def test_reload_with_errors_changes_nothing(tmp_path):
    with Herd(tmp_path, ["Solo"], [], settings=SETTINGS) as herd:
        api = api_of(herd.start()["Solo"])
        before = api.get("/v1/config").json
        herd.settings = "wokers: 2\nlog: {level: loud}\n"
        herd.write()
        reply = api.post("/v1/config/reload")
        assert (reply.status, reply.error) == (422, "invalid-config")
        diagnostics = reply.json["diagnostics"]
        assert len(diagnostics) == 2
        assert all(d["line"] > 0 and d["column"] > 0 and d["text"] for d in diagnostics)
        assert "workers" in diagnostics[0]["text"]
        assert api.get("/v1/config").json == before
        herd.path.unlink()
        assert api.post("/v1/config/reload").status == 422


# --- places -------------------------------------------------------------------

def test_places(ann):
    places = ann.get("/v1/places").json
    assert places["provider"] == "gazetteer" and places["providers"][0]["state"] == "ready"
    test = ann.post("/v1/places/test?near=+34.068930-118.445127&km=5&max=3").json
    assert test["status"] == "OK" and 1 <= test["results"] <= 3
    assert ann.delete("/v1/places/cache").json["flushed"] >= 0
    for query in ("", "?near=x", "?near=+1+1&km=51", "?near=+1+1&max=21"):
        assert ann.post("/v1/places/test" + query).error == "bad-request"


def test_places_none(tmp_path):
    with Herd(tmp_path, ["Solo"], [], settings="places: {provider: none}\n") as herd:
        api = api_of(herd.start()["Solo"])
        assert api.get("/v1/places").json["state"] == "off"
        assert api.get("/v1/status").json["places"]["provider"] == "none"
        assert api.post("/v1/places/test?near=+1+1").error == "unavailable"
        assert api.delete("/v1/places/cache").error == "unavailable"
        assert api.post("/v1/places/reload").error == "unavailable"


# --- the log ------------------------------------------------------------------

def test_log_lines(pair, ann):
    lines = ann.get("/v1/log?n=1024").json["lines"]
    assert any("event=ready" in line for line in lines)
    assert len(ann.get("/v1/log?n=1").json["lines"]) == 1
    assert ann.get("/v1/log?n=0").json == {"lines": []}
    for query in ("n=1025", "n=-1", "n=", "follow=perhaps"):
        assert ann.get(f"/v1/log?{query}").error == "bad-request"


def test_log_is_followed(ann):
    with ann.stream("/v1/log?follow=1&n=0") as stream:
        ann.post("/v1/places/test?near=+1+1")
        assert b"verb=places-test" in stream.line()


def test_log_level(solo):
    api = api_of(solo)
    assert api.get("/v1/log/level").json == {"level": "info"}
    assert api.put("/v1/log/level", {"level": "error"}).json == {"level": "error"}
    reply = api.put("/v1/log/level", {"level": "debug", "for_s": 1}).json
    assert (reply["level"], reply["then"]) == ("debug", "error")
    # A second one returns to where the first began.
    assert api.put("/v1/log/level", {"level": "warn", "for_s": 1}).json["then"] == "error"
    wait_until(lambda: api.get("/v1/log/level").json == {"level": "error"}, "the timer is over")
    # Without a time it stays, and ends a timer.
    api.put("/v1/log/level", {"level": "debug", "for_s": 600})
    assert api.put("/v1/log/level", {"level": "info"}).json == {"level": "info"}


@pytest.mark.parametrize("body", [b"", b"debug", b"{", b"[]", b"{}", b'{"level":"loud"}',
                                  b'{"level":7}', b'{"level":"info","for_s":-1}',
                                  b'{"level":"info","for_s":"1m"}',
                                  b'{"level":"info","for_s":1e9}', b"[" * 5000])
def test_bad_log_levels(ann, body):
    assert ann.ask("PUT", "/v1/log/level", body).error == "bad-request"


# --- events -------------------------------------------------------------------

def test_events_of_all_kinds(pair, ann):
    with ann.stream("/v1/events") as stream:
        hello = stream.event()
        assert (hello["event"], hello["node"]) == ("hello", "Ann")
        pair["Bob"].ask(iamat(b"seen"))
        event = stream.until(lambda e: e["event"] == "report" and e["client"] == "seen")[-1]
        assert (event["from"], event["node"]) == ("Bob", "Bob")
        assert {"at", "time", "location", "lat", "lon", "skew", "received_at"} <= set(event)
        ann.delete("/v1/clients/seen")
        events = stream.until(lambda e: e["event"] == "report" and e.get("removed"))
        (admin,) = [e for e in events if e["event"] == "admin"] or \
            stream.until(lambda e: e["event"] == "admin")[-1:]
        assert (admin["verb"], admin["target"]) == ("forget", "seen")
        assert admin["who"].endswith(f"pid={os.getpid()}")
        ann.post("/v1/peers/Bob/reconnect")
        events = stream.until(lambda e: e["event"] == "link" and e["state"] == "synced")
        assert {e["peer"] for e in events if e["event"] == "link"} == {"Bob"}


def test_events_are_filtered(pair, ann):
    with ann.stream("/v1/events?type=report&client=*.edu") as stream:
        assert stream.event()["types"] == ["report"]
        pair["Ann"].ask(iamat(b"x.com", b"kiwi.ucla.edu"))
        ann.post("/v1/places/test?near=+1+1")
        assert stream.event()["client"] == "kiwi.ucla.edu"


def test_events_bad_questions_and_limit(ann):
    for query in ("type=weather", "type=report,report", "type=report,,", "colour=red"):
        assert ann.get(f"/v1/events?{query}").error == "bad-request"
    streams = []
    try:
        for _ in range(8):
            streams.append(ann.stream("/v1/events"))
        reply = ann.get("/v1/events")
        assert (reply.status, reply.error) == (503, "unavailable")
    finally:
        for stream in streams:
            stream.close()
    # A connection that ends makes room.
    wait_until(lambda: ann.get("/v1/events?type=weather").status == 400, "still serving")

    def reopened():
        try:
            ann.stream("/v1/events").close()
            return True
        except AssertionError:
            return False
    wait_until(reopened, "a stream can be opened again")


def test_slow_reader_is_conflated_and_told(solo):
    api = api_of(solo)
    clients = [b"client-with-a-long-name-%04d" % i for i in range(2000)]
    rounds = 30
    start = int(time.time())
    with api.stream("/v1/events?type=report") as stream:
        assert stream.event()["event"] == "hello"
        for i in range(rounds):  # nobody reads meanwhile
            solo.ask(b"".join(b"IAMAT %s +1+1 %d\n" % (c, start + i) for c in clients))
        events = stream.until(lambda e: e["event"] == "missed")
    reports = [e for e in events if e["event"] == "report"]
    last = {e["client"]: e["time"] for e in reports}
    assert len(last) == len(clients)
    assert set(last.values()) == {str(start + rounds - 1)}
    missed = events[-1]["count"]
    assert missed > 0 and len(reports) < rounds * len(clients) / 2
    # Every report was either sent or replaced by a newer one.
    assert missed + len(reports) >= rounds * len(clients) * 0.95
    assert missed + len(reports) <= rounds * len(clients) + len(clients)


def test_stream_that_nobody_reads_ends_with_the_node(solo):
    with api_of(solo).stream("/v1/events") as stream:
        assert stream.event()["event"] == "hello"
        solo.ask(iamat(*[b"n%d" % i for i in range(5000)]))
        assert solo.stop() == 0


# --- HTTP ---------------------------------------------------------------------

def test_errors_of_path_and_method(ann):
    for path in ("/", "/v2/status", "/v1/peers/B/paint", "/v1/clients//", "/v1/nope"):
        reply = ann.get(path)
        assert (reply.status, reply.error) == (404, "not-found")
        assert "/v1" in reply.json["error"]["hint"]
    for method, path, allow in [("POST", "/v1/status", "GET"), ("GET", "/v1/drain", "POST"),
                                ("PUT", "/v1/clients/x", "GET, DELETE"),
                                ("DELETE", "/v1/log/level", "GET, PUT"),
                                ("OPTIONS", "/v1/status", "GET"), ("PATCH", "/metrics", "GET, HEAD")]:
        reply = ann.ask(method, path)
        assert (reply.status, reply.error, reply.headers["Allow"]) == (405, "method", allow)
    assert ann.get("/v1/status?verbose=1").error == "bad-request"
    assert ann.get("/v1/%zz").error == "bad-request"


def test_index_lists_every_endpoint(ann):
    endpoints = ann.get("/v1").json["endpoints"]
    assert {"method": "GET", "path": "/v1/status", "params": "", "writes": False,
            "help": "the node at a glance"} in endpoints
    for endpoint in endpoints:
        assert endpoint["writes"] == (endpoint["method"] in ("POST", "PUT", "DELETE"))


def test_head_has_no_body(ann):
    for path in ("/metrics", "/healthz", "/readyz"):
        reply = ann.ask("HEAD", path)
        assert (reply.status, reply.body) == (200, b"") and int(reply.headers["Content-Length"]) > 0


def test_refused_head_has_no_body_either(pair):
    """One would be read as the next answer."""
    answer = raw(pair["Ann"], b"HEAD /nope HTTP/1.1\r\n\r\nHEAD /v1/status HTTP/1.1\r\n\r\n"
                 b"HEAD /%zz HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
                 half_close=False)
    parts = answer.split(b"\r\n\r\n")
    assert [part.split(b"\r\n")[0].split()[1] for part in parts[:-1]] == [b"404", b"405", b"400", b"200"]
    assert parts[-1] == b"ok\n"


def raw(node, data, half_close=True):
    """Sends bytes, returns all that comes until the other side closes."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(DEADLINE_S)
        s.connect(node.admin)
        s.sendall(data)
        if half_close:
            s.shutdown(socket.SHUT_WR)
        out = b""
        try:
            while data := s.recv(65536):
                out += data
        except ConnectionResetError:
            pass
        return out


@pytest.mark.parametrize("data", [
    b"", b"\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
    b"IAMAT x +1+1 1\n", b"GET /" + b"a" * (1 << 20), b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200000,
    b"PUT /v1/log/level HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 100000,
    b"PUT /v1/log/level HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"PUT /v1/log/level HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET http://x/v1/status HTTP/1.1\r\n\r\n", b"GET v1 HTTP/1.1\r\n\r\n"])
def test_nonsense_does_no_harm(pair, ann, data):
    try:
        answer = raw(pair["Ann"], data)
    except BrokenPipeError:
        answer = b""
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert ann.get("/healthz").status == 200


def test_pipelined_requests_are_answered_in_order(pair):
    answer = raw(pair["Ann"], b"GET /v1/clients?sort=time HTTP/1.1\r\n\r\n"
                 b"GET /healthz HTTP/1.1\r\n\r\nGET /nope HTTP/1.1\r\nConnection: close\r\n\r\n",
                 half_close=False)
    statuses = re.findall(rb"HTTP/1.1 (\d+)", answer)
    assert statuses == [b"200", b"200", b"404"]


def test_whoever_leaves_early_does_no_harm(solo):
    solo.ask(b"".join(b"IAMAT c%d +1+1 5\n" % i for i in range(20000)))
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(solo.admin)
            s.sendall(b"GET /v1/clients?sort=time&limit=1000 HTTP/1.1\r\n\r\n" * 3)
    api = api_of(solo)
    assert api.get("/v1/clients?count").json["count"] == 20000
    wait_until(lambda: b"\nherd_admin_requests 1\n" in api.get("/metrics").body, "all have ended")


@pytest.mark.skipif(os.geteuid() != 0, reason="limits another process")
def test_node_outlives_that_files_run_out_at_the_door(tmp_path):
    with Herd(tmp_path, ["Solo"], [], settings=SETTINGS) as herd:
        solo = herd.start()["Solo"]
        pid = solo.process.pid
        limit = len(os.listdir(f"/proc/{pid}/fd")) + 8
        old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, old[1]))
        idle = [socket.socket(socket.AF_UNIX) for _ in range(40)]
        for s in idle:
            s.connect(solo.admin)
        solo.wait_log(r"level=warn event=accept-paused listener=admin error=\"Too many open files\"")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
        assert api_of(solo).get("/healthz").status == 200  # after the pause
        for s in idle:
            s.close()
        assert api_of(solo).get("/healthz").status == 200
        assert solo.stop() == 0


@contextlib.contextmanager
def over_tcp(folder):
    """A node with an admin listener over TCP, and that listener's port."""
    token_file(folder / "write", WRITE)
    token_file(folder / "read", READ)
    (port,) = free_ports(1)
    settings = (f'admin: {{listen: "[::]:{port}", token_file: write, '
                f'read_token_file: read, plaintext: yes}}\n')
    with Herd(folder, ["Solo"], [], settings=settings) as herd:
        yield herd.start()["Solo"], port


def stranger_at(port, host="127.0.0.1", source="127.0.0.1", data=b""):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.settimeout(DEADLINE_S)
    s.bind((source, 0))
    s.connect((host, port))
    try:
        s.sendall(data)
    except OSError:
        pass  # it had to give way already
    return s


def admin_metric(node, name):
    lines = api_of(node).get("/metrics").body.decode().splitlines()
    (value,) = [float(line.split()[1]) for line in lines if line.startswith(f"herd_admin_{name} ")]
    return value


def is_closed(s):
    s.settimeout(0)
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_strangers_do_not_use_up_the_files(tmp_path):
    """Without a token, over TCP: clients and the operator's own socket go on."""
    with over_tcp(tmp_path) as (solo, port):
        idle = [stranger_at(port, data=b"GET /heal") for _ in range(330)]
        solo.wait_log(r"level=warn event=admin-limit error=\"too many connections to the admin API\"")
        files = [float(line.split()[1]) for line in api_of(solo).get("/metrics").body.decode().splitlines()
                 if line.startswith("herd_open_files ")]
        assert files[0] < 330
        assert solo.ask(b"what?\n") == b"? what?\n"
        # They have not gone, and clients with a token are served.
        for token in (WRITE, READ):
            assert Api(("127.0.0.1", port), token).get("/v1/status").status == 200
        assert admin_metric(solo, "connections") <= 129
        assert admin_metric(solo, "connections_refused_total") >= 200
        for s in idle:
            s.close()
        wait_until(lambda: admin_metric(solo, "connections") == 0, "they are gone")
        for _ in range(600):  # one after the other they are not too many
            assert Api(("127.0.0.1", port)).get("/healthz").status == 200
        assert len(re.findall("admin-limit", solo.log())) == 1


def test_strangers_of_many_addresses_keep_nobody_out(tmp_path):
    with over_tcp(tmp_path) as (solo, port):
        idle = [stranger_at(port, source=f"127.0.1.{i % 50 + 1}") for i in range(500)]
        for _ in range(50):
            assert Api(("127.0.0.1", port), WRITE).get("/v1/status").status == 200
        assert admin_metric(solo, "connections") <= 256
        for s in idle:
            s.close()


def test_an_address_has_so_many_places(tmp_path):
    """IPv4 ones by themselves, IPv6 ones by their /64; the oldest gives way."""
    with over_tcp(tmp_path) as (solo, port):
        first = stranger_at(port, source="127.0.0.9")
        six = stranger_at(port, host="::1", source="::1")
        idle = [stranger_at(port) for _ in range(128)]
        wait_until(lambda: admin_metric(solo, "connections") == 130, "all have come")
        assert not any(is_closed(s) for s in [first, six, *idle])
        more = stranger_at(port)
        wait_until(lambda: is_closed(idle[0]), "the oldest gives way")
        assert not any(is_closed(s) for s in [first, six, more, *idle[1:]])
        for s in [first, six, more, *idle]:
            s.close()


def test_who_has_shown_a_token_stays(tmp_path):
    """Idle, or with an answer under way, beside many who come."""
    with over_tcp(tmp_path) as (solo, port):
        api = Api(("127.0.0.1", port), READ)
        held = [api.connection() for _ in range(20)]
        for connection in held:
            connection.request("GET", "/v1/node", headers=api.headers())
            assert connection.getresponse().read()
        stream = api.connection()
        stream.request("GET", "/v1/events", headers=api.headers())
        events = stream.getresponse()
        assert b"hello" in events.readline()
        for _ in range(600):
            stranger_at(port).close()
        idle = [stranger_at(port, source=f"127.0.2.{i % 9 + 1}") for i in range(300)]
        for connection in held:
            connection.request("GET", "/v1/node", headers=api.headers())
            assert connection.getresponse().read()
        api_of(solo).post("/v1/drain")
        assert b"drain" in events.readline()
        for s in idle:
            s.close()


@pytest.mark.parametrize("data", [b"", b"GET", b"GET /v1/status HTTP/1.1\r\nHost: x\r\n",
                                  b"POST /v1/stop HTTP/1.1\r\nContent-Length: 9\r\n\r\n12",
                                  b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_request_has_to_come_whole(tmp_path, data):
    """However slowly its bytes drip; also the next one of a stranger."""
    with over_tcp(tmp_path) as (solo, port):
        s = stranger_at(port, data=data)
        s.settimeout(0.1)
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            try:
                if s.recv(4096) == b"":
                    break
            except socket.timeout:
                try:
                    s.sendall(b"X"[:0 if data.startswith(b"GET /h") else 1])
                except OSError:
                    break
            except OSError:
                break
        else:
            raise AssertionError("it is never closed")
        assert admin_metric(solo, "connections_timed_out_total") == 1
        s.close()


def test_a_token_holder_may_be_silent_but_not_slow(tmp_path):
    with over_tcp(tmp_path) as (solo, port):
        head = f"Host: x\r\nAuthorization: Bearer {READ}\r\n\r\n".encode()
        quiet, slow = (stranger_at(port, data=b"GET /v1/log/level HTTP/1.1\r\n" + head)
                       for _ in range(2))
        for s in (quiet, slow):
            assert b"200" in s.recv(4096)
        slow.sendall(b"GET /v1")
        wait_until(lambda: is_closed(slow), "it took too long")
        assert not is_closed(quiet)
        quiet.settimeout(DEADLINE_S)
        quiet.sendall(b"GET /v1/log/level HTTP/1.1\r\n" + head)
        assert b"200" in quiet.recv(4096)
        quiet.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="limits another process")
def test_strangers_give_their_files_to_others(tmp_path):
    with over_tcp(tmp_path) as (solo, port):
        pid = solo.process.pid
        old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        limit = len(os.listdir(f"/proc/{pid}/fd")) + 12
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, old[1]))
        idle = [stranger_at(port) for _ in range(60)]
        for _ in range(20):
            assert Api(("127.0.0.1", port), WRITE).get("/v1/status").status == 200
        resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
        for s in idle:
            s.close()


def test_random_strangers_leave_nothing_behind(tmp_path):
    """A schedule of comings, pieces of requests and goings, by a seed."""
    seed = int(os.environ.get("HERD_TEST_SEED", random.SystemRandom().getrandbits(32)))
    print("HERD_TEST_SEED =", seed)
    chance = random.Random(seed)
    pieces = [b"GET ", b"/healthz HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n", b"\0\r\n", b"POST /v1/stop",
              f"Authorization: Bearer {READ}\r\n".encode(), b"Content-Length: 70000\r\n",
              b"GET /v1/status HTTP/1.1\r\n\r\n", b"GET /v1/events HTTP/1.1\r\n"]
    with over_tcp(tmp_path) as (solo, port):
        held = []
        for _ in range(3000):
            what = chance.randrange(10)
            if what < 4 or not held:
                held.append(stranger_at(port, source=f"127.0.3.{chance.randrange(1, 5)}"))
            elif what < 8:
                try:
                    chance.choice(held).sendall(chance.choice(pieces))
                except OSError:
                    pass
            else:
                held.pop(chance.randrange(len(held))).close()
            if chance.randrange(200) == 0:
                assert Api(("127.0.0.1", port), WRITE).get("/v1/status").status == 200
        for s in held:
            s.close()
        wait_until(lambda: admin_metric(solo, "connections") == 0, "all are gone")


def test_curl_is_a_client(pair):
    out = subprocess.run(["curl", "-sS", "--unix-socket", pair["Ann"].admin, "-X", "POST",
                          "http://herd/v1/places/test?near=+34.07-118.44"],
                         capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    assert '"status":"OK"' in out.stdout


def test_socket_is_its_owners_alone(tmp_path):
    with Herd(tmp_path, ["Solo"], []) as herd:
        solo = herd["Solo"]
        solo.admin = str(tmp_path / "run" / "solo.sock")
        herd.write()
        solo.start()
        mode = os.stat(solo.admin)
        assert stat.S_ISSOCK(mode.st_mode) and stat.S_IMODE(mode.st_mode) == 0o600
        assert stat.S_IMODE(os.stat(tmp_path / "run").st_mode) == 0o700
        # One that a dead process left is replaced.
        solo.stop(signal.SIGKILL)
        solo.start()
        assert api_of(solo).get("/healthz").status == 200


# --- tokens -------------------------------------------------------------------

WRITE, READ = "write-0123456789abcdef", "read-0123456789abcdef"


def token_file(path, token):
    path.write_text(token + "\n")
    path.chmod(0o600)
    return path


def test_tokens_decide_over_tcp(tmp_path):
    token_file(tmp_path / "write", WRITE)
    token_file(tmp_path / "read", READ)
    (port,) = free_ports(1)
    settings = (f'admin: {{listen: "127.0.0.1:{port}", token_file: write, '
                f'read_token_file: read}}\n')
    with Herd(tmp_path, ["Solo"], [], settings=settings) as herd:
        solo = herd.start()["Solo"]
        address = ("127.0.0.1", port)
        for token in (None, "wrong-0123456789abcdef", WRITE[:-1], WRITE + "x", ""):
            reply = Api(address, token).get("/v1/status")
            assert (reply.status, reply.error) == (401, "unauthorized")
            assert reply.headers["WWW-Authenticate"].startswith("Bearer")
            assert Api(address, token).get("/healthz").status == 200
            assert Api(address, token).post("/v1/stop").status == 401
        reader, writer = Api(address, READ), Api(address, WRITE)
        assert reader.get("/v1/status").json["addresses"]["admin_listen"] == f"127.0.0.1:{port}"
        assert reader.get("/metrics").status == 200
        reply = reader.post("/v1/drain")
        assert (reply.status, reply.error) == (403, "forbidden")
        assert writer.post("/v1/drain").json == {"state": "draining"}
        solo.wait_log(r'event=admin verb=drain target=Solo by="token 127.0.0.1:\d+"')
        solo.wait_log(r'event=admin-refused path=/v1/drain by="read-token 127.0.0.1:\d+"')
        for text in (WRITE, READ):
            assert text not in solo.log(whole=True)
        # The socket needs none.
        assert api_of(solo).post("/v1/undrain").json == {"state": "ready"}


def test_token_as_a_credential_of_systemd(tmp_path, monkeypatch):
    folder = tmp_path / "credentials"
    folder.mkdir()
    token_file(folder / "admin", WRITE).chmod(0o440)  # as an ACL's mask shows
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    (port,) = free_ports(1)
    lines = f'admin: {{listen: "127.0.0.1:{port}", token_file: "credential:admin"}}\n'
    with Herd(tmp_path, ["Solo"], [], settings=lines) as herd:
        herd.start()
        assert Api(("127.0.0.1", port), WRITE).post("/v1/drain").status == 200
        assert Api(("127.0.0.1", port)).get("/v1/status").status == 401


def test_unsafe_token_file_keeps_the_node_from_starting(tmp_path):
    token_file(tmp_path / "write", WRITE).chmod(0o644)
    (port,) = free_ports(1)
    with Herd(tmp_path, ["Solo"], [],
              settings=f'admin: {{listen: "127.0.0.1:{port}", token_file: write}}\n') as herd:
        solo = herd["Solo"].start(wait=False)
        assert solo.process.wait(timeout=DEADLINE_S) == 1
        solo.process = None
        assert "chmod 600" in solo.log()


# --- metrics ------------------------------------------------------------------

LINE = re.compile(r'([a-z_]+)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? (-?[0-9.e+-]+)')


def test_metrics_are_well_formed(pair, ann):
    secret = b"client-that-is-no-label"
    pair["Ann"].ask(iamat(secret))
    reply = ann.get("/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert secret not in reply.body
    types, seen = {}, set()
    name = None
    for line in reply.body.decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, "each metric has one place"
            types[name] = kind
        elif not line.startswith("# HELP "):
            sample, labels, _ = LINE.fullmatch(line).groups()
            assert sample in (name, f"{name}_sum", f"{name}_count", f"{name}_bucket"), line
            assert (sample, labels) not in seen
            seen.add((sample, labels))
    assert all(n.startswith(("herd_", "process_")) for n in types)
    for n, kind in types.items():
        assert n.endswith("_total") == (kind == "counter"), n
    assert ("herd_link_up", '{peer="Bob"}') in seen


def test_manual_has_every_metric(ann):
    """herdd(8) has each by name with its help, and no other."""
    text = ann.get("/metrics").body.decode()
    told = dict(line.split(" ", 3)[2:] for line in text.splitlines() if line.startswith("# HELP "))
    page = (TOP / "man/herdd.8").read_text().split("\n.Sh METRICS\n")[1].split("\n.Sh ")[0]
    page = re.sub(r'\n\.\\".*', "", page)
    shown = {}
    for item in page.split("\n.It Sy ")[1:]:
        name, *words = item.split("\n.El")[0].replace("\\&", "").split()
        shown[name] = " ".join(words)
    assert shown == told


def test_requests_at_one_time(pair, ann):
    failed = []

    def ask():
        for _ in range(20):
            for path in ("/v1/status", "/metrics", "/v1/clients?sort=time", "/v1/digest"):
                if ann.get(path).status != 200:
                    failed.append(path)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


# --- long answers beside others


def ask_raw(node, path):
    """A connection on which that was asked; its answer is not read."""
    asker = socket.socket(socket.AF_UNIX)
    asker.settimeout(DEADLINE_S)
    asker.connect(node.admin)
    asker.sendall(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path.encode())
    return asker


def test_long_answers_share_the_loop(solo):
    """A short question that comes after a hundred long ones is not answered after them."""
    solo.ask(iamat(*[b"c%d" % i for i in range(2000)]))
    before = float(re.search(rb"^herd_admin_answers_total (\d+)$", api_of(solo).get("/metrics").body, re.M)[1])
    solo.send_signal(signal.SIGSTOP)
    with contextlib.ExitStack() as askers:
        for _ in range(100):
            askers.enter_context(ask_raw(solo, "/v1/clients?count=1&glob=*x"))
        short = askers.enter_context(ask_raw(solo, "/metrics"))
        solo.send_signal(signal.SIGCONT)
        text = b""
        while b"herd_admin_answers_total " not in text or not text.endswith(b"\n"):
            text += short.recv(65536)
        after = float(re.search(rb"^herd_admin_answers_total (\d+)$", text, re.M)[1])
    assert after - before < 50, "all long ones were answered first"


def test_a_stalled_reader_holds_its_own_place_only(solo):
    """At the limit the one that has taken nothing for longest is closed, and no other."""
    for start in range(0, 6000, 1000):
        solo.ask(iamat(*[b"client-%d" % i for i in range(start, start + 1000)]))
    with contextlib.ExitStack() as askers:
        readers = [askers.enter_context(ask_raw(solo, "/v1/clients?stream=1")) for _ in range(128)]
        for reader in readers:
            assert reader.recv(17, socket.MSG_PEEK).endswith(b"200 OK\r\n")
        wait_until(lambda: api_of(solo).get("/v1/status").status == 200, "there is room")
        wait_until(lambda: "event=admin-stalled" in solo.log(), "it says so")
        closed = solo.log().count("event=admin-stalled")
        whole = 0
        for reader in readers:
            answer = b""
            with contextlib.suppress(ConnectionError):
                while (data := reader.recv(1 << 20)):
                    answer += data
            whole += answer.endswith(b"0\r\n\r\n") and answer.count(b'"client":') == 6000
        assert closed >= 1 and whole == len(readers) - closed
