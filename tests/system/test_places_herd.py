# SPDX-License-Identifier: GPL-3.0-or-later
"""WHATSAT through a real herdd: the gazetteer, and an upstream over TLS."""
import json
import pathlib
import re
import sqlite3
import subprocess
import threading
import time

import pytest

import fake_places
from fake_places import KEY, FakePlaces
from nodes import HERDCTL, HERDD, Herd, read_all, wait_until

KIWI = b"kiwi.cs.ucla.edu"
REPORT = b"IAMAT " + KIWI + b" +34.068930-118.445127 1621464827.959498503\n"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("herd-places")
    (folder / "key").write_text(KEY)
    (folder / "key").chmod(0o600)
    return folder


@pytest.fixture
def fake(folder):
    with FakePlaces(folder) as server:
        yield server
        assert server.faults == []


def settings(fake, provider, **more):
    values = {"provider": provider, "key_file": "key", "ca_file": str(fake.ca_file),
              "connect_to": fake.address, **more}
    return "places:\n" + "".join(f"  {k}: {json.dumps(v)}\n" for k, v in values.items())


@pytest.fixture
def start(folder, fake):
    """Starts a node of one with those settings; ends it."""
    herds = []

    def start_one(provider, **more):
        herd = Herd(folder, ["Riley"], [], settings(fake, provider, **more))
        herds.append(herd)
        herd.start()
        node = herd["Riley"]
        assert node.ask(REPORT).startswith(b"AT Riley ")
        return node

    yield start_one
    for herd in herds:
        herd.stop()


def split_answer(data):
    """The AT line and the JSON of one whole reply."""
    at, rest = data.split(b"\n", 1)
    assert rest.endswith(b"\n\n") and not rest.endswith(b"\n\n\n")
    assert b"\n\n" not in rest[:-2]
    assert re.fullmatch(rb"AT Riley [+-]\d+\.\d{9} kiwi\.cs\.ucla\.edu "
                        rb"\+34\.068930-118\.445127 1621464827\.959498503", at)
    return json.loads(rest)


def whatsat(node, km=b"10", bound=b"5"):
    return split_answer(node.ask(b"WHATSAT " + KIWI + b" " + km + b" " + bound + b"\n"))


def test_gazetteer_is_the_default_and_needs_no_setting(tmp_path):
    with Herd(tmp_path, ["Riley"], []) as herd:
        herd.start()
        node = herd["Riley"]
        node.ask(REPORT)
        answer = whatsat(node)
        names = [place["name"] for place in answer["results"]]
        assert answer["status"] == "OK" and len(names) == 5
        assert names[0] == "Bel Air"
        assert "GeoNames" in answer["html_attributions"][0]
        assert len(whatsat(node, b"50", b"20")["results"]) == 20


@pytest.mark.parametrize("provider", ["google", "google-legacy", "photon"])
def test_upstream_answers_a_whatsat(start, provider):
    answer = whatsat(start(provider))
    assert answer["status"] == "OK"
    assert [p["name"] for p in answer["results"]] == fake_places.PLACE_NAMES[:5]


STATUSES = {"OK", "ZERO_RESULTS", "INVALID_REQUEST", "OVER_QUERY_LIMIT", "REQUEST_DENIED", "UNKNOWN_ERROR"}


@pytest.mark.parametrize("provider", ["google", "google-legacy", "photon"])
@pytest.mark.parametrize("mode", fake_places.MODES)
def test_whatever_the_upstream_does_is_an_answer(start, fake, mode, provider):
    """In Google's form, whole and in time; the node and others go on. What
    each provider makes of each mode is in test_places_network.py."""
    fake.mode = mode
    node = start(provider, timeout="1s")
    data = node.ask(b"WHATSAT " + KIWI + b" 10 5\n")
    answer = split_answer(data)
    print(f"{provider:14} {mode:20} {answer['status']:16} {answer.get('error_message', '')}")
    assert answer["status"] in STATUSES
    assert (answer["status"] == "OK") == bool(answer["results"])
    assert ("error_message" in answer) == (answer["status"] not in ("OK", "ZERO_RESULTS"))
    assert len(answer["results"]) <= 5
    if mode in ("good", "compact", "blank_lines", "chunked", "until_close", "close_after"):
        assert answer["status"] == "OK"
    if mode.startswith(("http_", "huge_", "cut_")) or mode in (
            "html", "reset", "close", "silence", "drip", "not_http", "deep", "cut", "empty"):
        assert answer["status"] not in ("OK", "ZERO_RESULTS")
    assert KEY.encode() not in data and KEY not in node.log()
    assert node.ask(b"what?\n") == b"? what?\n"
    fake.mode = "good"


def test_replies_keep_their_order_while_one_waits(start, fake):
    """A WHATSAT that waits holds the requests after it, and only there."""
    fake.mode = "gate"
    node = start("google")
    requests = REPORT + b"WHATSAT " + KIWI + b" 10 2\n" + b"bad one\n" + \
        b"WHATSAT " + KIWI + b" 10 3\nIAMAT other +1+1 5\n"
    replies = []
    asker = threading.Thread(target=lambda: replies.append(node.ask(requests)))
    asker.start()
    wait_until(lambda: fake.requests, "the upstream is asked")
    assert node.ask(b"what?\n") == b"? what?\n"  # others are served
    fake.gate.set()
    asker.join(20)
    blocks = replies[0].split(b"\n\n")
    assert len(blocks) == 3
    first, second, last = blocks
    assert first.count(b'"name"') == 2
    assert second.startswith(b"? bad one\nAT Riley ")
    assert second.count(b'"name"') == 3
    assert last.startswith(b"AT Riley ") and b" other +1+1 5\n" in last


def test_sync_replies_keep_their_order_while_one_waits(folder, fake):
    """The replies before a WHATSAT wait for the disk, the WHATSAT for places:
    the end of one wait does not let through what waits for the other."""
    more = settings(fake, "google") + "store: {engine: sqlite, durability: sync}\n"
    fake.mode = "gate"
    with Herd(folder, ["Riley"], [], more) as herd:
        node = herd.start()["Riley"]
        with node.connect() as s:
            s.sendall(REPORT + b"WHATSAT " + KIWI + b" 10 2\nIAMAT other +1+1 5\nWHATSAT other 10 3\n"
                      b"IAMAT third +1+1 5\n")
            s.shutdown(1)
            first = s.recv(65536)
            wait_until(lambda: fake.requests, "the upstream is asked")
            # If the last report were let through, it would be on disk by now.
            for name in (b"x", b"y"):
                assert node.ask(b"IAMAT " + name + b" +1+1 5\n").startswith(b"AT ")
            assert node.at_line(b"third") is None
            fake.gate.set()
            blocks = (first + read_all(s)).split(b"\n\n")
    at = [[line.split(b" ")[3] for line in block.split(b"\n") if line.startswith(b"AT ")] for block in blocks]
    assert at == [[KIWI, KIWI], [b"other", b"other"], [b"third"]]


def test_twenty_clients_with_one_question_make_one_call(start, fake):
    fake.mode = "gate"
    node = start("google")
    sockets = [node.connect() for _ in range(20)]
    for s in sockets:
        s.sendall(b"WHATSAT " + KIWI + b" 10 5\n")
    wait_until(lambda: fake.requests, "the upstream is asked")
    shared = b'herd_places_shared_total{provider="google"} 19'
    wait_until(lambda: shared in admin(node, "/metrics"), "all have joined")
    fake.gate.set()
    for s in sockets:
        s.shutdown(1)
        assert split_answer(read_all(s))["status"] == "OK"
        s.close()
    assert len(fake.requests) == 1


def admin(node, path):
    import socket
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(node.admin)
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return read_all(s)


def test_client_that_leaves_does_not_end_the_call_of_others(start, fake):
    fake.mode = "gate"
    node = start("google")
    leaver, stayer = node.connect(), node.connect()
    for s in (leaver, stayer):
        s.sendall(b"WHATSAT " + KIWI + b" 10 5\n")
    shared = b'herd_places_shared_total{provider="google"} 1'
    wait_until(lambda: shared in admin(node, "/metrics"), "both ask")
    leaver.close()
    fake.gate.set()
    stayer.shutdown(1)
    assert split_answer(read_all(stayer))["status"] == "OK"
    stayer.close()
    assert whatsat(node, bound=b"4")["status"] == "OK"


def test_clients_that_leave_one_after_the_other_do_no_harm(start, fake):
    fake.delay_s = 0.02
    node = start("google", max_concurrent=4)
    for i in range(200):
        s = node.connect()
        s.sendall(b"WHATSAT " + KIWI + b" %d %d\n" % (1 + i % 50, 1 + i % 20))
        s.close()
    fake.delay_s = 0
    assert whatsat(node)["status"] == "OK"


def test_silent_upstream_is_answered_for_within_ten_seconds(start, fake):
    fake.mode = "silence"
    node = start("google", timeout="9s")
    started = time.monotonic()
    assert whatsat(node)["status"] == "UNKNOWN_ERROR"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("provider", ["google", "google-legacy", "photon"])
@pytest.mark.parametrize("hosts", [None, ["evil.example"]])
def test_impostor_is_told_nothing(start, folder, hosts, provider):
    """Another authority's certificate, or one for another name."""
    own = fake_places.make_authority(folder, "own")
    other = fake_places.make_authority(folder, "other")
    with FakePlaces(folder, hosts=hosts, authority=own if hosts else other) as impostor:
        node = start(provider, connect_to=impostor.address, ca_file=str(own[0]))
        answer = whatsat(node)
        assert answer["status"] == "UNKNOWN_ERROR"
        assert "certificate" in answer["error_message"]
        assert impostor.requests == []


def test_name_server_that_never_answers_holds_nobody_up(start, folder, monkeypatch):
    if "san" in pathlib.Path(HERDD).resolve().parent.name:
        pytest.skip("the sanitizer wants to be loaded first")
    source, library = folder / "hang.c", folder / "hang.so"
    source.write_text("""
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <netdb.h>
        #include <string.h>
        #include <unistd.h>
        typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);
        int getaddrinfo(const char *n, const char *s, const struct addrinfo *h, struct addrinfo **r)
        {
            lookup *next = (lookup *)dlsym(RTLD_NEXT, "getaddrinfo");
            if (n != 0 && strstr(n, "googleapis") != 0)
                sleep(60);
            return next(n, s, h, r);
        }""")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    node = start(["google", "gazetteer"], connect_to="", connect_timeout="500ms")
    started = time.monotonic()
    assert whatsat(node)["results"][0]["name"] == "Bel Air"
    assert time.monotonic() - started < 4
    node.wait_log(r"google fails: .*(?i:timed out|timeout)")
    started = time.monotonic()
    assert node.stop() == 0
    assert time.monotonic() - started < 8


def test_http2_upstream_answers_through_one_connection(start, folder):
    authority = fake_places.make_authority(folder, "own")
    with FakePlaces(folder, authority=authority, http2=True) as modern:
        node = start("google", connect_to=modern.address, ca_file=str(authority[0]))
        for bound in (3, 4, 5):
            assert len(whatsat(node, bound=b"%d" % bound)["results"]) == bound
        assert modern.connections == 1 and modern.faults == []


def test_chain_ends_in_the_gazetteer(start, fake):
    fake.mode = "http_503"
    node = start(["google", "gazetteer"])
    assert whatsat(node)["results"][0]["name"] == "Bel Air"
    node.wait_log(r"google fails: HTTP 503: .*; gazetteer is asked in its place\"")


def test_operator_reads_credits_without_markup(start, fake):
    node = start("google")
    command = [HERDCTL, "-c", str(node.herd.path), "-o", "table", "whatsat", KIWI.decode(), "10", "2"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert out.rstrip().endswith("(limit 2). Listings by Example & <Sons>")


def test_damaged_gazetteer_is_told_and_answered_for(tmp_path):
    """A row that is gone: the file opened, its places cannot be had."""
    table = "".join(f"id{i}\t34.0{i}\t-118.44\tP\tTown {i}\t\tUS\tCA\t\n" for i in range(1, 6))
    data = tmp_path / "small.sqlite"
    subprocess.run([pathlib.Path(HERDD).resolve().parent / "mkgazetteer", data], input=table,
                   text=True, check=True)
    with sqlite3.connect(data) as db:
        db.execute("DELETE FROM place WHERE name = 'Town 3'")
    db.close()
    with Herd(tmp_path, ["Riley"], [], f"places: {{data: {data}}}\n") as herd:
        node = herd.start()["Riley"]
        node.ask(REPORT)
        answer = whatsat(node, b"50", b"5")
        assert answer["status"] == "UNKNOWN_ERROR" and answer["error_message"]
        node.wait_log(r"level=error event=places message=\"the gazetteer fails: .*small.sqlite: damaged.*mkgazetteer")
        assert len(whatsat(node, b"50", b"1")["results"]) == 1  # what it has it still tells
        end = time.monotonic() + 1.5
        wait_until(lambda: time.monotonic() > end, "the first failure is old")
        whatsat(node, b"50", b"5")
        status = json.loads(admin(node, "/v1/places").split(b"\r\n\r\n")[1])["providers"][0]
        assert status["state"] == "failing" and "damaged" in status["last_error"]
        assert status["last_error_s"] < 1.0  # the age of the last one
        assert node.log().count("the gazetteer fails") == 1  # not one a question


def test_operators_test_shows_each_provider_that_was_asked(start, fake):
    """That the gazetteer stepped in must not hide what Google said."""
    fake.mode = "http_403"
    node = start(["google", "gazetteer"])
    command = [HERDCTL, "-c", str(node.herd.path), "-o", "json", "places", "test", "34.07,-118.44"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    google, gazetteer = json.loads(out)["tests"]
    assert (google["provider"], google["status"], google["http_status"]) == ("google", "REQUEST_DENIED", 403)
    assert google["error_message"].startswith("HTTP 403: Told PERMISSION_DENIED") and google["tls_ms"] > 0
    assert (gazetteer["provider"], gazetteer["status"], gazetteer["results"]) == ("gazetteer", "OK", 5)


def test_events_are_logged_without_the_key(start, fake):
    fake.mode = "http_403"
    node = start("google")
    whatsat(node)
    node.wait_log(r"level=warn.* event=places message=\"google fails: HTTP 403: Told "
                  r"PERMISSION_DENIED to api_key:\[key\]; clients are told so\"")
    fake.mode = "good"
    whatsat(node)
    node.wait_log(r"google answers again")
    assert KEY not in node.log(whole=True)


def test_node_that_stops_answers_the_calls_under_way(start, fake):
    fake.mode = "silence"
    node = start("google", timeout="2s")
    with node.connect() as s:
        s.sendall(b"WHATSAT " + KIWI + b" 10 5\n")
        wait_until(lambda: fake.requests, "the upstream is asked")
        assert node.stop() == 0
        assert split_answer(read_all(s))["status"] == "UNKNOWN_ERROR"


@pytest.mark.parametrize("broken,why", [
    ({"provider": "google", "key_file": "none"}, "key_file"),
    ({"provider": "gazetteer", "data": "none.sqlite"}, "none.sqlite"),
    ({"provider": "photon", "base_url": "http://example.org"}, "https://")])
def test_node_that_cannot_have_places_does_not_start(tmp_path, broken, why):
    lines = "places:\n" + "".join(f"  {k}: {json.dumps(v)}\n" for k, v in broken.items())
    herd = Herd(tmp_path, ["Riley"], [], lines)
    node = herd["Riley"].start(wait=False)
    assert node.process.wait(20) != 0
    assert why in node.log()
    node.process = None
