# SPDX-License-Identifier: GPL-3.0-or-later
"""What strangers may use up, and what becomes of others meanwhile: memory,
places at the cap, connections, descriptors, requests that do not end, and web
pages that would report through a browser."""
import json
import os
import random
import re
import socket
import subprocess
import threading
import time

import pytest

from api import Api
from fake_phones import PhoneHerd
from nodes import DEADLINE_S, HERDCTL, HERDD, Herd, free_ports, give_back, read_all, read_lines, wait_until

PLAIN = "places: {provider: none}\n"
PLACE = b"+34.068930-118.445127"
LONG = 60000
MIB = 1 << 20


@pytest.fixture
def start(tmp_path):
    herds = []

    def start(settings="", names=("Solo",), links=(), **options):
        if "workers" not in settings:
            settings += "workers: 2\n"
        herds.append(Herd(tmp_path, list(names), list(links), PLAIN + settings, **options))
        herds[-1].start()
        return herds[-1][names[0]]
    yield start
    for herd in herds:
        herd.stop()


def metric(node, name):
    text = Api(node.admin).get("/metrics").body.decode()
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)[1])


def refused_total(node, reason):
    return metric(node, f'herd_requests_refused_total{{reason="{reason}"}}')


def reload_with(node, settings):
    node.herd.settings = PLAIN + settings
    node.herd.write()
    assert Api(node.admin).post("/v1/config/reload").status == 200


def report(client, at=None, place=PLACE):
    """Of now to the nanosecond: a client's next report is newer than its last,
    also when both are sent within a millisecond."""
    return b"IAMAT %s %s %.9f\n" % (client, place, time.time() if at is None else at)


def answers(node, client, **how):
    return node.ask(report(client, **how))


def long_id(i):
    return b"%09d" % i + b"x" * (LONG - 9)


def flood(node, count, first=0):
    """Reports of that many long ids, pipelined; which were taken."""
    taken = []
    with node.connect() as s:
        def send():
            for i in range(first, first + count):
                s.sendall(report(long_id(i)))
            s.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        got = read_all(s)
        sender.join()
    for i, line in enumerate(got.splitlines(), first):
        assert b" " + long_id(i) + b" " in line
        if line.startswith(b"AT "):
            taken.append(i)
        else:
            assert line.startswith(b"? IAMAT ")
    return taken


# --- memory -------------------------------------------------------------------

@pytest.mark.parametrize("store", ["", "store: {engine: sqlite, durability: sync}\n"])
def test_memory_is_bounded_and_known_clients_go_on(start, store):
    node = start("max_memory: 16M\n" + store)
    assert answers(node, b"known").startswith(b"AT ")
    taken = flood(node, 600)
    assert 200 < len(taken) < 300 and taken == list(range(len(taken)))
    assert metric(node, "herd_table_counted_bytes") < 17 * MIB
    assert metric(node, "herd_table_max_bytes") == 16 * MIB
    # Nobody new, but all that are known, also in one request with others.
    line = report(b"newcomer")
    assert node.ask(line) == b"? " + line
    both = node.ask(report(b"known") + line + report(long_id(3)) + line)
    assert [answer[:2] for answer in both.splitlines()] == [b"AT", b"? ", b"AT", b"? "]
    assert node.at_line(b"newcomer") is None
    # A longer record would be more memory.
    longer = report(b"known", place=b"+1." + b"0" * 600 + b"-1")
    assert node.ask(longer) == b"? " + longer
    assert answers(node, b"known").startswith(b"AT ")
    # It is told: counted, listed, logged.
    assert refused_total(node, "memory") == 600 - len(taken) + 4
    listed = Api(node.admin).get("/v1/refused").json
    assert listed["requests"]["memory"] == 600 - len(taken) + 4
    assert (listed["refused"][0]["client"], listed["refused"][0]["reason"], listed["refused"][0]["times"]) == \
        ("known", "memory", 1)
    assert len(listed["refused"]) <= 100
    assert len(re.findall(r"event=request-refused reason=memory client=0", node.log())) >= 1
    # A reload makes room.
    reload_with(node, "max_memory: 64M\n" + store)
    assert answers(node, b"newcomer").startswith(b"AT ")


def test_memory_of_links_and_of_the_store_is_not_judged(start):
    """The bounds of two nodes differ; their tables may not."""
    store = "store: {engine: sqlite}\n"
    small = start("max_memory: 16M\n" + store, names=("A", "B"), links=[("A", "B")])
    herd, large = small.herd, small.herd["B"]
    herd.wait_synced()
    large.stop()
    herd.write_for("B", settings=PLAIN + "max_memory: 64M\n" + store)
    small.stop()
    large.start()
    ids = [long_id(i) for i in flood(large, 500)]
    assert len(ids) == 500
    small.start()
    herd.wait_equal([b"%09d" % 499 + b"x" * (LONG - 9)])
    wait_until(lambda: Api(small.admin).get("/v1/clients?count").json["count"] == 500, "A has all of them")
    line = report(b"newcomer")
    assert small.ask(line) == b"? " + line
    assert answers(small, ids[7]).startswith(b"AT ")
    # While they are linked both keep to the smaller bound.
    wait_until(lambda: large.ask(line) == b"? " + line, "B knows the bound of A")
    # Nor when it comes from the disk.
    herd["B"].stop()
    small.stop()
    small.start()
    assert Api(small.admin).get("/v1/clients?count").json["count"] == 500
    assert small.ask(line) == b"? " + line
    large.start()


# --- the cap ------------------------------------------------------------------

def test_cap_refuses_newcomers_and_keeps_all(start):
    node = start("max_clients: 100\n")
    now = time.time()
    for i in range(100):
        assert answers(node, b"honest%d" % i, at=now - 1000 + i).startswith(b"AT ")
    lines = [report(b"evil%d" % i, at=now + 100) for i in range(100)]
    assert node.ask(b"".join(lines)) == b"".join(b"? " + line for line in lines)
    assert all(node.at_lines([b"honest%d" % i for i in range(100)]))
    assert answers(node, b"honest0").startswith(b"AT ")
    assert refused_total(node, "clients") == 100 and metric(node, "herd_reports_evicted_total") == 0
    # Forgetting one makes a place for one, and who was forgotten may come back.
    assert Api(node.admin).delete("/v1/clients/honest5").status == 200
    assert node.ask(b"".join(lines[:3])).splitlines()[0].startswith(b"AT ")
    assert answers(node, b"honest5").startswith(b"AT ")
    reload_with(node, "max_clients: 100\nat_limit: evict\n")
    assert node.ask(b"".join(lines)).count(b"AT ") == 100


# --- times ahead --------------------------------------------------------------

def test_refused_ids_can_be_listed(start):
    node = start()
    at = time.time() + 1000
    odd = b"a\xff\x1b[2J"
    for client in (b"ahead", odd, b"c" * 1000):
        assert answers(node, client, at=at).startswith(b"? ")
    assert answers(node, b"ahead", at=at).startswith(b"? ")
    assert answers(node, b"refused").startswith(b"AT ")
    listed = Api(node.admin).get("/v1/refused").json
    assert listed["schema"] == "herd.refused/1" and listed["requests"]["ahead"] == 4
    by_id = {row["client"]: row for row in listed["refused"]}
    assert by_id["ahead"]["times"] == 2 and by_id["ahead"]["reason"] == "ahead"
    assert by_id["ahead"]["address"].startswith("127.0.0.1:")
    assert abs(float(by_id["ahead"]["at"]) - time.time()) < 60
    assert by_id["c" * 256]["cut"] and not by_id["ahead"]["cut"]
    assert any("client_b64" in row for row in listed["refused"])
    # A client of that name is another thing.
    assert Api(node.admin).get("/v1/clients/refused").json["client"] == "refused"
    # One line for the reason, whose id is clean.
    line, = re.findall(r".*event=request-refused reason=ahead.*", node.log())
    assert "client=ahead" in line and "\x1b" not in line

    def herdctl(*words):
        return subprocess.run([HERDCTL, "-c", str(node.herd.path), *words], check=True, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=DEADLINE_S, env={**os.environ, "HOME": str(node.herd.folder)})
    rows = json.loads(herdctl("-n", "all", "client", "refused", "-o", "json").stdout)["refused"]
    assert {"Solo"} == {row["node"] for row in rows} and len(rows) == 3
    for style in ("table", "wide", "plain", "csv", "tsv", "kv", "jsonl", "name", "prometheus"):
        shown = herdctl("client", "refused", "-o", style).stdout
        assert b"\x1b" not in shown or style in ("csv", "tsv", "kv", "name"), "people get clean text"
        assert b"ahead" in shown or style == "prometheus"


def test_how_far_ahead_a_client_is(start):
    node = start()
    assert answers(node, b"early", at=time.time() + 200).startswith(b"AT ")
    assert answers(node, b"right", at=time.time() - 5).startswith(b"AT ")
    rows = {row["client"]: row for row in Api(node.admin).get("/v1/clients").json["clients"]}
    assert 100 < rows["early"]["ahead_s"] <= 200 and "ahead_s" not in rows["right"]
    assert 100 < Api(node.admin).get("/v1/clients/early").json["ahead_s"] <= 200
    shown = subprocess.run([HERDCTL, "-c", str(node.herd.path), "client", "ls", "-o", "json"], check=True,
                           capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S).stdout
    rows = {row["client"]: row for row in json.loads(shown)["clients"]}
    assert 100 < rows["early"]["ahead_s"] <= 200 and rows["right"]["ahead_s"] is None


# --- connections --------------------------------------------------------------

def connect(node, address="127.0.0.1"):
    s = socket.socket()
    s.settimeout(DEADLINE_S)
    s.bind((address, 0))
    s.connect(("127.0.0.1", node.clients))
    return s


def served(s):
    """Is a request on it answered? False where the node has closed."""
    try:
        s.sendall(b"x\n")
        return s.recv(100) == b"? x\n"
    except ConnectionError:
        return False


def is_closed(s):
    s.settimeout(0)
    try:
        return s.recv(100) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    finally:
        s.settimeout(DEADLINE_S)


def closed_of(sockets):
    return [i for i, s in enumerate(sockets) if is_closed(s)]


@pytest.fixture
def keep():
    sockets = []
    yield lambda s: sockets.append(s) or s
    for s in sockets:
        s.close()


@pytest.mark.parametrize("workers", [1, 3])
def test_idlest_connection_of_the_fullest_address_gives_way(start, keep, workers):
    node = start(f"workers: {workers}\nmax_connections: 9\n")
    few = [keep(connect(node, "127.0.0.2")) for _ in range(3)]
    assert all(served(s) for s in few)
    many = [keep(connect(node, "127.0.0.3")) for _ in range(6)]
    assert all(served(s) for s in many)
    # All but one are used again, so that one has rested longest.
    for i in (0, 1, 3, 4, 5):
        assert served(many[i])
    # A byte now and then is no request: it does not make a connection younger.
    many[2].sendall(b"I")
    assert served(keep(connect(node, "127.0.0.4")))
    wait_until(lambda: closed_of(many) == [2], "the idlest has gone")
    # Then the next, by the order in which they were used.
    assert served(keep(connect(node, "127.0.0.5")))
    wait_until(lambda: len(closed_of(many)) == 2, "the next one has gone")
    # Workers note the end of a request after its reply, so what two of them
    # do within a moment has no order.
    assert closed_of(many) == [0, 2] or (workers > 1 and 2 in closed_of(many))
    assert closed_of(few) == [] and all(served(s) for s in few)
    assert metric(node, "herd_connections_gave_way_total") == 2
    assert metric(node, "herd_connections_refused_total") == 0
    assert "event=client-gave-way peer=127.0.0.3" in node.log()


def test_reload_that_lowers_the_limit_makes_connections_give_way(start, keep):
    node = start("max_connections: 60\n")
    many = [keep(connect(node)) for _ in range(60)]
    assert all(served(s) for s in many)
    reload_with(node, "max_connections: 5\n")

    def comes_in():
        s = keep(connect(node, "127.0.0.9"))
        return served(s) and len(closed_of(many)) >= 55
    wait_until(comes_in, "the rest has given way")
    assert metric(node, "herd_connections") <= 5 + 16


def test_nobody_who_waits_for_an_answer_gives_way(tmp_path, start, keep):
    """With durability sync and a store that commits, replies are on their way
    all the time; each must come although connections give way."""
    node = start("max_connections: 8\nstore: {engine: sqlite, durability: sync}\n")
    stop = threading.Event()

    def push():
        while not stop.is_set():
            connect(node, "127.0.0.7").close()
    pushers = [threading.Thread(target=push) for _ in range(2)]
    try:
        for pusher in pushers:
            pusher.start()
        for i in range(200):
            with connect(node, "127.0.0.8") as s:
                s.sendall(report(b"c%d" % (i % 7), at=1000 + i))
                s.shutdown(socket.SHUT_WR)
                assert read_all(s).startswith(b"AT ")
    finally:
        stop.set()
        for pusher in pushers:
            pusher.join()


def test_any_schedule_of_connections_serves_newcomers(start, keep):
    seed = int(os.environ.get("HERD_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    rng = random.Random(seed)
    most = rng.randrange(4, 20)
    node = start(f"max_connections: {most}\nmax_connections_per_address: {most}\n")
    open_now = []
    for _ in range(400):
        step = rng.random()
        alive = [s for s in open_now if not is_closed(s)]
        if step < 0.5 or not alive:
            address = f"127.0.0.{rng.choice([2, 2, 2, 3, 3, 4, 5, 6])}"
            if sum(s.getsockname()[0] == address for s in alive) < most:
                s = keep(connect(node, address))
                assert served(s), "a newcomer is served"
                open_now.append(s)
        elif step < 0.75:
            served(rng.choice(alive))
        elif step < 0.9:
            rng.choice(alive).sendall(b"IAM")
        else:
            rng.choice(alive).close()
            open_now = [s for s in open_now if s.fileno() >= 0]
    assert metric(node, "herd_connections") <= most
    assert metric(node, "herd_connections_refused_total") == 0


def test_idle_timeout_closes_who_asks_nothing(start, keep):
    node = start("idle_timeout: 1s\n")
    idle, busy = keep(connect(node)), keep(connect(node))

    def gone():
        assert served(busy)
        return is_closed(idle)
    wait_until(gone, "the idle one is closed")
    assert served(busy) and metric(node, "herd_connections_idle_closed_total") == 1
    reload_with(node, "")
    later = keep(connect(node))
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 1.6, "it would have been closed")
    assert served(later) and served(busy)


# --- descriptors --------------------------------------------------------------

def limited(program, soft, hard):
    """herdd with these limits of descriptors."""
    def write(folder):
        path = folder / "limited"
        path.write_text(f"#!/bin/sh\nexec prlimit --nofile={soft}:{hard} {program} \"$@\"\n")
        path.chmod(0o755)
        return str(path)
    return write


def test_soft_limit_of_descriptors_is_raised(tmp_path, start):
    node = start(herdd=limited(HERDD, 100, 700)(tmp_path))
    limits = open(f"/proc/{node.process.pid}/limits").read()
    assert re.search(r"Max open files +700 +700 ", limits)
    assert "event=file-limit limit=700" in node.log() and "max_connections=483" in node.log()
    bounds = Api(node.admin).get("/v1/status").json["bounds"]
    assert (bounds["connections_max"], bounds["open_files_max"]) == (483, 700)


class Crowd(threading.Thread):
    """Strangers who come again whenever the node has closed on them."""

    def __init__(self, port, count, address, leave):
        super().__init__(daemon=True)
        self.port, self.count, self.address, self.leave = port, count, address, leave

    def run(self):
        held = []
        while not self.leave.wait(0.01):
            held = [s for s in held if not is_closed(s)]
            while len(held) < self.count and (s := self.come()) is not None:
                held.append(s)
        for s in held:
            s.close()

    def come(self):
        try:
            return socket.create_connection(("127.0.0.1", self.port), 0.2, (self.address, 0))
        except OSError:
            return None


def test_strangers_at_all_listeners_leave_a_neighbour_its_way_in(tmp_path):
    port, = free_ports(1)
    (tmp_path / "token").write_text("x" * 32 + "\n")
    (tmp_path / "token").chmod(0o600)
    settings = PLAIN + "workers: 2\nlink: {redial_max: 200ms}\nadmin: {token_file: token}\n"
    leave = threading.Event()
    with PhoneHerd(tmp_path, ["Ann", "Zed"], [("Ann", "Zed")], settings, herdd=limited(HERDD, 400, 400)(tmp_path)) as herd:
        ann, zed = herd["Ann"], herd["Zed"]
        text = herd.path.read_text()
        herd.path.write_text(text.replace(f'"{zed.admin}"', f'["{zed.admin}", "127.0.0.1:{port}"]'))
        zed.start()
        crowds = [Crowd(door, count, f"127.0.0.{host}", leave) for host in range(2, 8)
                  for door, count in ((zed.clients, 60), (herd.http["Zed"], 20), (port, 20), (zed.peers, 40))]
        try:
            for crowd in crowds:
                crowd.start()
            wait_until(lambda: len(os.listdir(f"/proc/{zed.process.pid}/fd")) > 300, "it is full")
            for _ in range(3):
                ann.start()
                ann.wait_log("event=link-up peer=Zed")
                ann.stop()
            assert Api(zed.admin).get("/v1/status").status == 200
        finally:
            leave.set()
            for crowd in crowds:
                crowd.join()
            give_back([port])


@pytest.mark.parametrize("hard", [128, 300])
def test_links_admin_and_store_have_descriptors_of_their_own(tmp_path, start, keep, hard):
    settings = "store: {engine: sqlite, durability: sync}\nlink: {redial_max: 200ms}\n"
    node = start(settings, names=("A", "B"), links=[("A", "B")], herdd=limited(HERDD, hard, hard)(tmp_path))
    herd = node.herd
    herd.wait_synced()
    crowd = [keep(connect(node, f"127.0.0.{2 + i % 3}")) for i in range(hard)]
    assert crowd
    api = Api(node.admin)
    assert api.get("/v1/status").json["bounds"]["open_files"] < hard
    herd["B"].stop()
    herd["B"].start()
    wait_until(lambda: api.get("/v1/peers").json["peers"][0]["state"] == "synced", "the link is back")
    assert answers(node, b"honest").startswith(b"AT ")
    herd.wait_equal([b"honest"])
    assert "accept-paused" not in node.log()
    assert metric(node, "herd_connections_max") == hard - max(64, hard // 8) - max(8, hard // 8) - max(8, hard // 16)


# --- requests that do not end, and other protocols ----------------------------

@pytest.mark.parametrize("text", [b"IAMAT kiwi +34.0-118.0 1520023934", b"garbage", b"\xff\0%s\r", b"x" * 60000])
def test_request_without_end_is_answered_with_what_there_is(start, text):
    node = start("request_timeout: 300ms\n")
    with node.connect() as s:
        s.sendall(text)
        assert read_all(s) == b"? " + text + b"\n"
    with node.connect() as s:  # after others, whose replies come first
        s.sendall(b"one\ntwo\n" + text)
        assert read_all(s) == b"? one\n? two\n? " + text + b"\n"
    assert node.at_line(b"kiwi") is None
    assert refused_total(node, "unfinished") == 2
    assert metric(node, "herd_connections_timed_out_total") == 2


BODY = b"Host: x\r\nContent-Type: text/plain\r\n\r\n\nIAMAT victim +1-1 1700000000\nWHATSAT other 1 1\n"


@pytest.mark.parametrize("first", [b"POST / HTTP/1.1\r\n", b"PUT /x HTTP/1.1\r\n", b"OPTIONS * HTTP/1.0\r\n",
                                   b"DELETE / HTTP/1.1\n", b"PRI * HTTP/2.0\r\n", b"FOO /a HTTP/1.1\r\n",
                                   b"\r\nPOST / HTTP/1.1\r\n"])
@pytest.mark.parametrize("pieces", ["whole", "bytes", "later"])
def test_web_page_cannot_report_with_a_body(start, first, pieces):
    node = start()
    node.ask(b"IAMAT other +1-1 1700000000\n")
    data = first + BODY
    want = b"".join(b"? " + line + b"\n" for line in first.split(b"\n")[:-1])
    with node.connect() as s:
        if pieces == "later":
            s.sendall(first)
            assert read_lines(s, want.count(b"\n")) == want
            s.sendall(BODY)
        else:
            assert node.ask(data, [1] * (len(data) - 1) if pieces == "bytes" else None) == want
            s.sendall(data)
        if pieces != "later":
            assert read_all(s) == want
        else:
            assert read_all(s) == b""
    assert node.at_line(b"victim") is None
    assert refused_total(node, "foreign") > 0


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n", b"HEAD /?a=%0aIAMAT HTTP/1.1\r\n"])
def test_after_a_get_lines_are_answered_and_nothing_is_taken(start, first):
    node = start()
    node.ask(b"IAMAT other +1-1 1700000000\n")
    data = first + BODY
    want = b"".join(b"? " + line + b"\n" for line in data.split(b"\n")[:-1])
    assert node.ask(data) == want
    assert node.ask(data, [1] * (len(data) - 1)) == want
    assert node.at_line(b"victim") is None
    # Who asks so in the middle of its own requests is no browser.
    assert node.ask(b"IAMAT a +1-1 5\n" + first + b"IAMAT b +1-1 5\n").count(b"AT Solo ") == 2


@pytest.mark.parametrize("first", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                                   b"\x00\x03\x00\x40\x21\x12\xa4\x42abcdefgh\x00\x06\x00\x20",
                                   b"\x00\x54\x00\x03\x00\x40\x21\x12\xa4\x42abcd"])
def test_web_page_cannot_report_through_tls_or_webrtc(start, first):
    """What a page puts into a session ticket or a user's name is plain bytes."""
    node = start()
    report_line = b"IAMAT victim +1-1 1700000000"
    assert node.ask(first + b"\n" + report_line + b"\n") == b"? " + first + b"\n"
    assert node.at_line(b"victim") is None


def test_curl_cannot_report(start):
    node = start()
    out = subprocess.run(["curl", "-s", "-m", "5", "--http0.9", "-H", "Content-Type: text/plain", "--data-binary",
                          "\nIAMAT victim +1-1 1700000000\n", f"http://127.0.0.1:{node.clients}/"],
                         capture_output=True, timeout=DEADLINE_S).stdout
    assert out == b"? POST / HTTP/1.1\r\n"
    assert node.at_line(b"victim") is None


