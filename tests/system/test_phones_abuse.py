# SPDX-License-Identifier: GPL-3.0-or-later
"""Strangers and users that misuse the listener for phones: each is bounded,
nobody reports for another, and honest phones and clients are served on."""
import base64
import json
import re
import socket
import ssl
import threading

import pytest

from api import Api
from certificates import Authority
from fake_phones import PASSWORD, T0, OsmAnd, OwnTracks, PhoneHerd, track
from nodes import DEADLINE_S, wait_until

SETTINGS = "workers: 1\nplaces: {provider: none}\nmax_ahead: 0\n"
BASIC = base64.b64encode(f"jane:{PASSWORD}".encode())
JOHN = base64.b64encode(f"john:{PASSWORD}".encode())


@pytest.fixture
def herd(tmp_path):
    with PhoneHerd(tmp_path, ["Solo"], [], SETTINGS) as started:
        started.add_user("jane")
        started.add_user("john")
        started.add_key("jane/car")
        started.start()
        yield started


@pytest.fixture
def solo(herd):
    return herd["Solo"]


def location(at=T0, **more):
    return json.dumps({"_type": "location", "lat": 1.5, "lon": 2.5, "tst": at, **more}).encode()


def request(body=b"", path=b"/owntracks", method=b"POST", headers=(), basic=BASIC, length=True, device=b"phone"):
    lines = [method + b" " + path + b" HTTP/1.1", b"Host: x"]
    lines += [b"Authorization: Basic " + basic] if basic else []
    lines += [b"X-Limit-D: " + device] if device else []
    lines += [b"Content-Length: %d" % len(body)] if length else []
    return b"\r\n".join([*lines, *headers, b"", body])


class Socket:
    """A connection of which every byte is one's own."""

    def __init__(self, herd):
        self.s = socket.create_connection(("127.0.0.1", herd.http["Solo"]), timeout=DEADLINE_S)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def send(self, data):
        """False: the node has closed."""
        try:
            self.s.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def answer(self):
        """The next answer's status and body; None: closed instead."""
        while (found := self.take()) is None:
            try:
                data = self.s.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.data += data
        return found

    def take(self):
        head, end, rest = self.data.partition(b"\r\n\r\n")
        if not end:
            return None
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return None
        self.data = rest[size:]
        status = int(head.split()[1])
        return self.take() if status == 100 else (status, rest[:size])

    def is_closed(self):
        """Does it end? What still comes is dropped."""
        self.s.setblocking(False)
        try:
            while self.s.recv(65536):
                pass
            return True
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True


def ask(herd, data):
    with Socket(herd) as s:
        s.send(data)
        return s.answer()


def ask_in_two(herd, body):
    """The body when the node has seen the head, as many apps send it."""
    with Socket(herd) as s:
        s.send(request(body, headers=[b"Expect: 100-continue"])[:-len(body)])
        while b"\r\n\r\n" not in s.data:
            data = s.s.recv(65536)
            if not data:
                return None
            s.data += data
        s.send(body)
        return s.answer()


def held(solo):
    """{client: location} of the whole table."""
    return {row["client"]: row for page in Api(solo.admin).pages() for row in page}


def assert_serves(herd, solo, at):
    """A phone and a client of the line protocol are answered, and rightly."""
    assert ask(herd, request(location(at), device=b"honest")) == (200, b"[]\n")
    line = b"IAMAT honest-line +1.5+2.5 %d\n" % at
    assert solo.ask(line).startswith(b"AT Solo ")
    assert solo.at_line(b"jane/honest").split()[5] == b"%d" % at


# --- slow ---------------------------------------------------------------------------


SLOW = {
    "head": (b"POST /owntracks HTTP/1.1\r\n", b"X-A: b\r\n"),
    "line": (b"", b"P"),
    "silent": (b"", b""),
    "body": (request(length=False, headers=[b"Content-Length: 60000"]), b" "),
    "chunks": (request(length=False, headers=[b"Transfer-Encoding: chunked"]), b"1\r\n \r\n"),
    "expect": (request(length=False, headers=[b"Content-Length: 60000", b"Expect: 100-continue"]), b""),
    "empty lines": (b"", b"\r\n"),
}


@pytest.mark.parametrize("how", SLOW)
def test_a_slow_sender_is_not_waited_for(herd, solo, how):
    first, more = SLOW[how]
    many = [Socket(herd) for _ in range(100)]
    try:
        for s in many:
            s.send(first)
        left = list(many)

        def ended():
            for s in left:
                s.send(more)
            left[:] = [s for s in left if not s.is_closed()]
            return not left
        assert_serves(herd, solo, T0)
        wait_until(ended, f"all are closed: {how}", 60)
        assert_serves(herd, solo, T0 + 1)
    finally:
        for s in many:
            s.s.close()


@pytest.fixture
def secure(tmp_path):
    """(herd, context): the same over TLS."""
    authority = Authority(tmp_path)
    cert, key = authority.issue("phones")
    with PhoneHerd(tmp_path, ["Solo"], [], SETTINGS) as started:
        started.settings = started.settings.replace("http: {", f"http: {{tls_cert: {cert}, tls_key: {key}, ")
        started.write()
        started.add_user("jane")
        started.start()
        yield started, ssl.create_default_context(cafile=authority.file)


@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01", b"\x16\x03\x01\x40\x00" + b"\x01", b"GET / HTTP/1.1\r\n\r\n",
                                   b"\x80" * 30000], ids=range(5))
def test_a_handshake_that_stops_is_not_waited_for(secure, first):
    herd, context = secure
    many = [Socket(herd) for _ in range(100)]
    try:
        for s in many:
            s.send(first)
        with Socket(herd) as s:
            s.s = context.wrap_socket(s.s, server_hostname="localhost")
            s.send(request(location()))
            assert s.answer() == (200, b"[]\n")
        wait_until(lambda: all(s.is_closed() for s in many), "all are closed", 60)
    finally:
        for s in many:
            s.s.close()


# --- large --------------------------------------------------------------------------


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nX: " + b"a" * 3000000,
    b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 500000,
    b"GET /?" + b"a" * 3000000,
    b"A" * 3000000,
    request(length=False, headers=[b"Content-Length: 99999999999"]) + b" " * 3000000,
    request(length=False, headers=[b"Transfer-Encoding: chunked"]) + b"2DC6C0\r\n" + b" " * 3000000,
    request(length=False, headers=[b"Transfer-Encoding: chunked"]) + b"1\r\n \r\n" * 500000 + b"0\r\n\r\n",
    request(length=False, headers=[b"Transfer-Encoding: chunked"]) + b"1;" + b"a" * 3000000 + b"\r\n",
    request(length=False, headers=[b"Transfer-Encoding: chunked"]) + b"0\r\n" + b"X: a\r\n" * 500000,
    request(length=False, headers=[b"Transfer-Encoding: chunked"]) + b"FFFFFFFFFFFFFFFF\r\n" + b" " * 3000000,
    request(length=False, headers=[b"Transfer-Encoding: chunked"]) + b"-1\r\n" + b" " * 3000000,
], ids=["header", "headers", "query", "line", "length", "chunk", "chunks", "extension", "trailers", "overflow",
        "negative"])
def test_what_is_too_large_is_refused_and_not_kept(herd, solo, data):
    def resident():
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{solo.process.pid}/status").read())[1]) * 1024
    before = resident()
    with Socket(herd) as s:
        s.send(data)
        answer = s.answer()
        assert answer is None or answer[0] in (200, 400, 401, 403, 404, 405, 413, 431), answer
        assert resident() - before < 8000000
    assert_serves(herd, solo, T0)
    # Only what came well-formed counts, and nothing of it was a report.
    assert set(held(solo)) == {"jane/honest", "honest-line"}


class Endless:
    """Connections of a stranger with bodies that never end."""

    def __init__(self, herd):
        self.herd, self.many = herd, []
        self.head = request(length=False, headers=[b"Content-Length: 1000000"], basic=None, path=b"/overland")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.many:
            s.close()

    def open(self, size):
        """One more, with `size` bytes of a body. Does the node keep it?"""
        s = socket.socket()
        s.bind(("127.0.0.9", 0))
        s.connect(("127.0.0.1", self.herd.http["Solo"]))
        s.settimeout(0.2)
        self.many.append(s)
        try:
            s.sendall(self.head + b" " * size)
            return s.recv(1) != b""
        except TimeoutError:
            return True
        except OSError:
            return False


def test_bodies_without_an_end_keep_nobody_out(herd, solo):
    """A stranger fills what a node keeps of requests, up to the last byte."""
    with Endless(herd) as stranger:
        for step, size in enumerate((900000, 100000, 10000, 1000, 100, 0)):
            for turn in range(36):
                if not stranger.open(size):
                    break
            assert_serves(herd, solo, T0 + step)
            assert ask_in_two(herd, location(T0 + step)) == (200, b"[]\n")


def test_what_is_sent_during_a_wait_is_not_read(herd, solo):
    """A password takes a while to check; the connection may send on meanwhile."""
    def peak():
        return int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{solo.process.pid}/status").read())[1]) * 1024
    assert_serves(herd, solo, T0)  # checking a password needs memory, too
    before = peak()
    with Socket(herd) as s:
        s.send(request(location(), basic=base64.b64encode(b"jane:wrong")) + b" " * 100000000)
    with Socket(herd) as s:
        s.send(request(length=False, headers=[b"Transfer-Encoding: chunked"]) + b"1;")
        s.s.settimeout(0.5)
        try:
            s.s.sendall(b"a" * 100000000)
        except OSError:
            pass  # closed, or not read any more
    assert_serves(herd, solo, T0 + 1)
    assert peak() - before < 8000000


DEEP = {
    "arrays": b"[" * 60000,
    "objects": b'{"a":' * 12000,
    "location": b'{"_type":"location","x":' + b"[" * 50000,
    "keys": b'{"_type":"location",' + b'"":1,' * 12000 + b'"lat":1}',
    "same key": b'{' + b'"lat":1,' * 8000 + b'"_type":"location","lon":2,"tst":3}',
    "escapes": b'{"_type":"' + b"\\u0000" * 10000 + b'"}',
    "number": b'{"_type":"location","lat":' + b"1" * 60000 + b',"lon":1,"tst":1}',
    "exponent": b'{"_type":"location","lat":1e-99999999999999999999,"lon":1e-2147483648,"tst":1}',
    "fixes": b"[" + b",".join([location(T0)] * 800) + b"]",
}


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
def test_json_of_any_shape_is_read_in_bounds(herd, solo, body):
    status, told = ask(herd, request(body))
    assert (status, told) == (200, b"[]\n")
    assert ask(herd, request(body * (900000 // len(body)), path=b"/overland"))[0] == 200
    assert ask(herd, request(body, path=b"/"))[0] in (200, 400)
    assert_serves(herd, solo, T0)


# --- who ----------------------------------------------------------------------------


CLAIMS = {
    "two headers, john first": request(location(), headers=[b"Authorization: Basic " + JOHN]),
    "X-Limit-U": request(location(), headers=[b"X-Limit-U: john"]),
    "u": request(location(), path=b"/owntracks?u=john&d=phone"),
    "topic": request(location(topic="owntracks/john/phone")),
    "user": request(location(user="john", username="john", client="john/phone", device="john/phone")),
    "a slash": request(location(), device=b"../john/phone"),
    "a slash, encoded": request(location(), path=b"/owntracks?d=..%2fjohn%2fphone", device=None),
    "id": request(path=b"/?id=john/phone&lat=1&lon=2"),
    "id without a key": request(path=b"/?id=john%2Fphone&lat=1&lon=2", basic=None),
    "device_id": request(json.dumps({"location": {"timestamp": "2023-11-14T00:00:00Z", "coords": {
        "latitude": 1, "longitude": 2}}, "device_id": "john/phone"}).encode(), path=b"/", device=None),
    "a space": request(location(), device=b"x john/phone"),
    "a NUL": request(location(), path=b"/owntracks?d=x%00y", device=None),
    "a newline": request(location(), path=b"/owntracks?d=x%0aIAMAT%20john/phone%20%2b1%2b2%205", device=None),
    "no text": request(location(), device=b"\xff\xfe\xc3("),
    "long": request(location(), device=b"d" * 5000),
    "bidi": request(location(), device="a\u202eb".encode()),
    "control": request(location(), device=b"a\x1b[31mb"),
}


@pytest.mark.parametrize("data", CLAIMS.values(), ids=CLAIMS)
def test_nobody_reports_for_another(herd, solo, data):
    ask(herd, data)
    assert_serves(herd, solo, T0)
    for client in held(solo):
        assert client == "honest-line" or re.fullmatch(r"jane/[^\s/\x00-\x1f\x7f\u202e\ufffd]{1,64}", client), client
    assert len(solo.log(whole=True).splitlines()) < 100


@pytest.mark.parametrize("path", [
    b"//owntracks", b"/%6fwntracks", b"/owntracks/../where", b"/where/../owntracks", b"/./owntracks", b"\\owntracks",
    b"/owntracks%00/where", b"http://other.example/owntracks", b"http:///owntracks", b"*", b"/owntracks#x",
    b"/OWNTRACKS", b"/metrics", b"/v1/clients", b"/v1/status", b"/healthz", b"/?" + b"&" * 4000, b"/%", b"/%zz",
    b"/" + b"a/" * 2000, b"owntracks", b"?"], ids=range(22))
def test_a_strange_path_leads_nowhere_else(herd, solo, path):
    for method in (b"POST", b"GET", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"CONNECT", b"TRACE", b"PATCH", b"get",
                   b"BREW"):
        with Socket(herd) as s:
            s.send(request(location(), path, method, headers=[b"Connection: close"]))
            answer = s.answer() if method not in (b"HEAD", b"CONNECT") else None
            if answer is not None:
                assert b"herd_" not in answer[1] and b'"clients"' not in answer[1], answer
                assert answer[0] < 500 or answer[0] in (501, 503, 505), answer
    assert_serves(herd, solo, T0)
    assert set(held(solo)) <= {"jane/honest", "honest-line", "jane/phone"}


def test_strangers_are_told_nothing(herd, solo):
    for data in (request(location(), basic=None), request(location(), basic=base64.b64encode(b"jane:wrong")),
                 request(location(), basic=base64.b64encode(b"nobody:wrong")), request(location(), basic=b"!!!!"),
                 request(location(), basic=base64.b64encode(b"jane")), request(location(), basic=b"A" * 7000),
                 request(path=b"/?id=" + b"0" * 32 + b"&lat=1&lon=2", basic=None),
                 request(path=b"/where", method=b"GET", basic=None),
                 request(path=b"/whatsat", method=b"GET", basic=None)):
        status, body = ask(herd, data)
        assert status == 401 and b"jane" not in body, (status, body)
    status, body = ask(herd, request(path=b"/where?client=john/phone", method=b"GET"))
    assert status == 404
    assert ask(herd, request(path=b"/where?client=nobody/phone", method=b"GET")) == (status, body)
    assert PASSWORD not in solo.log(whole=True) and herd.keys["jane/car"] not in solo.log(whole=True)


# --- framing ------------------------------------------------------------------------


def test_requests_of_one_segment_are_answered_in_order(herd, solo):
    count = 500
    with Socket(herd) as s:
        s.send(b"".join(request(location(T0 + i), device=b"d%d" % (i % 4)) for i in range(count)))
        assert [s.answer() for _ in range(count)] == [(200, b"[]\n")] * count
    assert solo.at_line(b"jane/d3").split()[5] == b"%d" % (T0 + count - 1)


SMUGGLED = request(location(), device=b"smuggled")


@pytest.mark.parametrize("headers, body", [
    ([b"Content-Length: 0", b"Content-Length: %d" % len(SMUGGLED)], SMUGGLED),
    ([b"Content-Length: %d" % len(SMUGGLED), b"Content-Length: 0"], SMUGGLED),
    ([b"Content-Length: 5", b"Transfer-Encoding: chunked"], b"0\r\n\r\n" + SMUGGLED),
    ([b"Content-Length: %d" % (len(SMUGGLED) + 5), b"Transfer-Encoding: chunked"], b"0\r\n\r\n" + SMUGGLED),
    ([b"Transfer-Encoding: chunked, identity", b"Content-Length: 0"], SMUGGLED),
    ([b"Transfer-Encoding : chunked", b"Content-Length: 0"], SMUGGLED),
    ([b"Content-Length: -1"], SMUGGLED),
    ([b"Content-Length: 0x10"], SMUGGLED),
    ([b"Content-Length: +0"], SMUGGLED),
    ([b"Content-Length: +%d" % len(SMUGGLED)], SMUGGLED),
    ([b"Content-Length : %d" % len(SMUGGLED)], SMUGGLED),
    ([b"Content-Length\t: %d" % len(SMUGGLED)], SMUGGLED),
    ([b"Content-Length: %d\r\n ,5" % len(SMUGGLED)], SMUGGLED),
    ([b"Transfer-Encoding: gzip"], SMUGGLED),
], ids=range(14))
def test_a_request_of_two_lengths_is_no_way_past_a_proxy(herd, solo, headers, body):
    """What a proxy may take for a body of jane's must not become a request."""
    data = request(length=False, headers=headers, basic=JOHN, device=b"outer") + body
    with Socket(herd) as s:
        s.send(data)
        assert s.answer()[0] == 400
        assert s.answer() is None
    assert held(solo) == {}
    assert "peer=unix" not in solo.log()
    assert_serves(herd, solo, T0)


def test_an_http_1_0_and_a_bare_lf_are_served(herd, solo):
    old = request(location(T0 + 5), device=b"old").replace(b"HTTP/1.1", b"HTTP/1.0")
    assert ask(herd, old)[0] == 200
    ask(herd, request(location(T0 + 6), device=b"old").replace(b"\r\n", b"\n"))
    assert_serves(herd, solo, T0 + 7)


# --- floods -------------------------------------------------------------------------


def test_users_change_during_a_flood(herd, solo):
    """Phones report all the while; in the end only the last password counts."""
    phones = [OwnTracks(herd, f"john/p{i}", track(400)) for i in range(4)] + [OsmAnd(herd, "jane/car", track(400))]
    for phone in phones:
        phone.start()
    for turn in range(6):
        herd.ctl("user", "add", "jane", "--password-file", "-", stdin=f"turn {turn}\n")
        herd.ctl("config", "reload")
        assert ask(herd, request(location(T0 + turn), basic=base64.b64encode(b"jane:turn %d" % turn)))[0] == 200
    for phone in phones:
        phone.join(60)
        assert not phone.queue and phone.refused == [], phone.refused[-1:]
    assert ask(herd, request(location(), basic=base64.b64encode(b"jane:turn 4")))[0] == 401
    herd.ctl("user", "rm", "jane", "-y")
    herd.ctl("config", "reload")
    assert ask(herd, request(path=b"/?lat=1&lon=2&id=" + herd.keys["jane/car"].encode(), basic=None))[0] == 401


def test_wrong_passwords_stop_no_one_else(herd, solo):
    """From another address than the honest phones'."""
    stop = threading.Event()

    def guess(number):
        with socket.socket() as s:
            s.bind((f"127.0.0.{10 + number}", 0))
            s.connect(("127.0.0.1", herd.http["Solo"]))
            s.settimeout(DEADLINE_S)
            turn = 0
            while not stop.is_set():
                turn += 1
                try:
                    s.sendall(request(location(), basic=base64.b64encode(b"jane:guess %d" % turn)))
                    if not s.recv(65536):
                        return
                except OSError:
                    return
    guessers = [threading.Thread(target=guess, args=(i,)) for i in range(8)]
    for one in guessers:
        one.start()
    try:
        for turn in range(20):
            assert_serves(herd, solo, T0 + turn)
    finally:
        stop.set()
        for one in guessers:
            one.join()


def test_a_key_is_not_held_up_by_the_guesses_of_others(herd, solo):
    """Phones of one carrier share an address."""
    by_key = request(path=b"/?lat=1&lon=2&id=" + herd.keys["jane/car"].encode(), basic=None)
    wrong = request(path=b"/?lat=1&lon=2&id=" + b"0" * 32, basic=None)
    while ask(herd, wrong)[0] != 429:
        assert ask(herd, by_key)[0] == 200
    assert ask(herd, by_key)[0] == 200
    assert ask(herd, wrong)[0] == 429


def test_a_user_has_at_most_32_devices(herd, solo):
    for number in range(100):
        assert ask(herd, request(location(), device=b"d%d" % number))[0] in (200, 403)
    assert len(held(solo)) <= 32
    assert ask(herd, request(location(T0 + 9), device=b"d0")) == (200, b"[]\n")
