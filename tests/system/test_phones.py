# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener for phones, byte by byte: what each app sends and gets, who may
ask for what, and that a flood of strangers harms nobody else."""
import base64
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from api import Api
from certificates import Authority
from fake_phones import PASSWORD, PhoneHerd
from nodes import DEADLINE_S, HERDCTL, wait_until

T0 = 1700000000
SETTINGS = "workers: 1\nplaces: {provider: none}\n"


def basic(user, password=PASSWORD):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Http:
    """One connection, kept alive."""

    def __init__(self, port, context=None):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        if context is not None:
            self.s = context.wrap_socket(self.s, server_hostname="localhost")
        self.left = b""

    def send(self, data):
        self.s.sendall(data)

    def more(self):
        data = self.s.recv(65536)
        assert data, f"closed after {self.left!r}"
        self.left += data

    def answer(self):
        """(status, headers, body) of the next answer."""
        while b"\r\n\r\n" not in self.left:
            self.more()
        head, self.left = self.left.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        while len(self.left) < length:
            self.more()
        body, self.left = self.left[:length], self.left[length:]
        return int(lines[0].split()[1]), headers, body

    def ask(self, method, target, body=b"", user="jane", password=PASSWORD, headers=()):
        head = [f"{method} {target} HTTP/1.1", "Host: a", *headers]
        if user is not None:
            head.append(f"Authorization: {basic(user, password)}")
        if body or method == "POST":
            head.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        return self.answer()

    def closed(self):
        """What comes until the other side closes."""
        data = self.left
        try:
            while more := self.s.recv(65536):
                data += more
        except ConnectionResetError:
            pass
        return data


@pytest.fixture
def phones(tmp_path):
    """One node, with jane and john, who are friends, and bob, who is not."""
    with PhoneHerd(tmp_path, ["A"], [], SETTINGS, "[[jane, john]]") as herd:
        for user in ("jane", "john", "bob"):
            herd.add_user(user)
        herd.add_key("jane/watch")
        herd.start()
        yield herd


def http(herd, context=None, node="A"):
    return Http(herd.http[node], context)


def location(at=T0, lat="48.856826", lon="2.292713", **more):
    return json.dumps({"_type": "location", "tst": at, **more})[:-1].encode() + \
        f', "lat": {lat}, "lon": {lon}}}'.encode()


def metric(node, name):
    """The value of that sample; None: there is none."""
    text = Api(node.admin).ask("GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
    return found and float(found[1])


def refused(herd, reason, node="A"):
    return metric(herd[node], f'herd_http_refused_total{{reason="{reason}"}}')


def line_of(herd, client):
    """(location, time) of the report that the herd has."""
    line = herd["A"].at_line(client.encode())
    return None if line is None else tuple(line.decode().split(" ")[4:6])


# --- the apps ------------------------------------------------------------------


def test_owntracks_reports_as_user_and_device(phones):
    web = http(phones)
    status, headers, body = web.ask("POST", "/owntracks", location(), headers=["X-Limit-U: bob", "X-Limit-D: phone"])
    assert (status, json.loads(body), headers["content-type"]) == (200, [], "application/json")
    assert line_of(phones, "jane/phone") == ("+48.856826+2.292713", str(T0))
    assert line_of(phones, "bob/phone") is None, "whom the request names is not believed"
    assert web.ask("POST", "/owntracks/any/path?u=bob&d=tablet", location(T0 + 1))[0] == 200
    assert line_of(phones, "jane/tablet")[1] == str(T0 + 1)
    assert metric(phones["A"], 'herd_http_reports_total{app="owntracks"}') == 2


@pytest.mark.parametrize("lat,lon,want", [
    ("5.0E-4", "-1.25e1", "+0.00050-12.5"), ("-0.0", "180", "-0.0+180"),
    ('"48.10"', '" 2.2 "', "+48.10+2.2"), ("48.123456789012345", "1", "+48.123456789012345+1")])
def test_the_digits_of_a_number_are_kept(phones, lat, lon, want):
    assert http(phones).ask("POST", "/owntracks?d=p", location(T0, lat, lon))[0] == 200
    assert line_of(phones, "jane/p")[0] == want


@pytest.mark.parametrize("message", [
    b"", b"\r\n", b'{"_type":"lwt","tst":1}', b'{"_type":"encrypted","data":"x"}', b'{"_type":"waypoints"}', b"[]",
    b"{", b"nonsense", b"\xff\xfe", location(lat="91"), location(at='"soon"'), location(at=T0 + 10**9),
    b"[" * 1000, b'{"_type":"location","x":"' + b"a" * 70000 + b'"}'])
def test_no_message_of_owntracks_blocks_those_behind_it(phones, message):
    web = http(phones)
    assert web.ask("POST", "/owntracks?d=p", message)[::2] == (200, b"[]\n")
    assert line_of(phones, "jane/p") is None
    assert web.ask("POST", "/owntracks?d=p", location())[0] == 200
    assert line_of(phones, "jane/p") is not None


def test_an_older_fix_changes_nothing_and_gets_200(phones):
    web = http(phones)
    for at in (T0 + 5, T0, T0 + 5):
        assert web.ask("POST", "/owntracks?d=p", location(at))[0] == 200
    assert line_of(phones, "jane/p")[1] == str(T0 + 5)


def test_friends_are_in_the_answer_newest_first(phones):
    web = http(phones)
    assert web.ask("POST", "/owntracks?d=old", location(T0), user="john")[2] == b"[]\n"
    web.ask("POST", "/owntracks?d=new", location(T0 + 1, "-33.5", "-0.25", tid="xx"), user="john")
    web.ask("POST", "/owntracks?d=secret", location(T0 + 2), user="bob")
    answer = json.loads(web.ask("POST", "/owntracks?d=p", location())[2])
    assert answer == [
        {"_type": "location", "lat": -33.5, "lon": -0.25, "tst": T0 + 1, "tid": "ew", "topic": "owntracks/john/new"},
        {"_type": "location", "lat": 48.856826, "lon": 2.292713, "tst": T0, "tid": "ld",
         "topic": "owntracks/john/old"}]
    assert json.loads(web.ask("POST", "/owntracks?d=p", user="bob")[2]) == []


@pytest.mark.parametrize("query,want", [
    (f"lat=1.5&lon=-2.5&timestamp={T0}&speed=0.0&bearing=1&batt=80", ("+1.5-2.5", f"{T0}")),
    (f"lat=1&lon=2&timestamp={T0}123", ("+1+2", f"{T0}.123")),
    ("lat=1&lon=2&timestamp=2023-11-14T22:13:20Z", ("+1+2", f"{T0}.000")),
    ("lat=1&lon=2&timestamp=2023-11-15T00:13:20.5%2B02:00", ("+1+2", f"{T0}.500")),
    ("lat=1&lon=2&timestamp=2023-11-15T00:13:20+0200", ("+1+2", f"{T0}.000")),
    ("lat=1&lon=2&timestamp=2023-11-14%2022:13:20", ("+1+2", f"{T0}.000")),
    (f"location=1.25,-2&timestamp={T0}", ("+1.25-2", f"{T0}")),
    (f"latitude=1&longitude=2&time={T0}", ("+1+2", f"{T0}"))])
def test_a_query_reports(phones, query, want):
    web = http(phones)
    status, _, body = web.ask("GET", f"/?id={phones.keys['jane/watch']}&{query}", user=None)
    assert (status, json.loads(body)) == (200, {"result": "ok"})
    assert line_of(phones, "jane/watch") == want
    assert web.ask("POST", "/?id=van", query.encode())[0] == 200
    assert line_of(phones, "jane/van") == want


def test_a_query_without_a_time_is_now(phones):
    before = time.time()
    assert http(phones).ask("GET", "/?deviceid=van&lat=1&lon=2")[0] == 200
    assert before - 1 < float(line_of(phones, "jane/van")[1]) < time.time() + 1


@pytest.mark.parametrize("query,error", [
    ("lat=91&lon=2", "location"), ("lat=1", "location"), ("", "location"), ("lat=1&lon=2&timestamp=soon", "time"),
    (f"lat=1&lon=2&timestamp={T0 + 10**9}", "ahead"), ("lat=nan&lon=2", "location"),
    ("lat=1&lon=2&timestamp=-5", "time"), ("lat=" + "1" * 100 + "&lon=2", "location")])
def test_a_persons_own_script_is_told_why(phones, query, error):
    status, _, body = http(phones).ask("GET", f"/?id=van&{query}")
    assert (status, json.loads(body)["error"]) == (400, error)
    assert refused(phones, error) == 1
    assert line_of(phones, "jane/van") is None


def traccar(key, at="2023-11-14T22:13:20.123Z", **coords):
    return {"location": {"timestamp": at, "coords": {"latitude": 1.5, "longitude": -2.5, "accuracy": 3, **coords},
                         "is_moving": True, "battery": {"level": 0.88}, "extras": {}}, "device_id": key}


def test_traccar_client_9_reports_and_is_never_told_400(phones):
    web, key = http(phones), phones.keys["jane/watch"]
    for body in (traccar(key), {**traccar(key), "location": [traccar(key)["location"]] * 3}):
        assert web.ask("POST", "/", json.dumps(body).encode(), user=None)[0] == 200
    assert line_of(phones, "jane/watch") == ("+1.5-2.5", f"{T0}.123")
    for bad in (traccar(key, at="soon"), traccar(key, latitude=91), {"device_id": key},
                {"device_id": key, "location": []}, {"device_id": key, "location": 5}):
        assert web.ask("POST", "/", b"\xef\xbb\xbf" + json.dumps(bad).encode(), user=None)[0] == 200
    assert web.ask("POST", "/", b'{"location":', user="jane")[0] == 200


def feature(at, lat, lon, device="phone"):
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {"timestamp": at, "device_id": device, "wifi": "Zoë", "motion": ["walking"]}}


def test_overland_reports_a_batch(phones):
    web = http(phones)
    batch = {"locations": [feature(f"2023-11-14T22:{i // 60:02}:{i % 60:02}Z", i / 100, -1) for i in range(200)],
             "trip": {"start": 1}}
    batch["locations"].insert(7, {"type": "Feature"})
    body = json.dumps(batch).encode().ljust(1 << 19)
    status, _, answer = web.ask("POST", "/overland", body)
    assert (status, json.loads(answer)) == (200, {"result": "ok"})
    assert line_of(phones, "jane/phone")[0] == "+1.99-1"
    assert metric(phones["A"], 'herd_http_reports_total{app="overland"}') == 200
    assert refused(phones, "location") == 1
    status, _, answer = web.ask("POST", "/overland", json.dumps(batch).encode(), user=None,
                                headers=[f"Authorization: Bearer {phones.keys['jane/watch']}"])
    assert (status, line_of(phones, "jane/watch")[0]) == (200, "+1.99-1")


def test_overland_may_show_its_key_as_its_device(phones):
    """The first point's device_id counts, where no header says who it is."""
    web, key = http(phones), phones.keys["jane/watch"]
    batch = {"locations": [feature("2023-11-14T22:00:00Z", 3, -1, device=key)]}
    status, _, answer = web.ask("POST", "/overland", json.dumps(batch).encode(), user=None)
    assert (status, json.loads(answer)) == (200, {"result": "ok"})
    assert line_of(phones, "jane/watch")[0] == "+3-1"
    for wrong in (key[:-1] + "x", "", 7, None, {"a": 1}):
        batch["locations"][0]["properties"]["device_id"] = wrong
        assert web.ask("POST", "/overland", json.dumps(batch).encode(), user=None)[0] == 401
    assert web.ask("POST", "/overland", b'{"locations":[7]}', user=None)[0] == 401
    assert web.ask("POST", "/overland", b'{"locations":', user=None)[0] == 401


# --- HTTP -----------------------------------------------------------------------


def test_chunks_expect_http_1_0_and_pieces(phones):
    web, body = http(phones), location()
    head = f"POST /owntracks?d=p HTTP/1.1\r\nAuthorization: {basic('jane')}\r\nHost: a\r\n".encode()
    web.send(head + b"Transfer-Encoding: chunked\r\n\r\n" +
             b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 9]), body[i:i + 9]) for i in range(0, len(body), 9)) +
             b"0\r\n\r\n")
    assert web.answer()[0] == 200
    web.send(head + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
    assert web.answer()[0] == 100
    web.send(body)
    assert web.answer()[0] == 200
    for byte in head + b"Content-Length: %d\r\n\r\n" % len(body) + body:
        web.send(bytes([byte]))
    assert web.answer()[0] == 200
    old = http(phones)
    old.send(head.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert b" 200 OK" in old.closed()


def test_requests_may_follow_each_other_without_waiting(phones):
    web, count = http(phones), 200
    get = f"GET /where?client=jane HTTP/1.1\r\nHost: a\r\nAuthorization: {basic('jane')}\r\n\r\n".encode()
    web.ask("POST", "/owntracks?d=p", location())
    web.send(get * count)
    assert [web.answer()[0] for _ in range(count)] == [200] * count
    fresh = http(phones)
    fresh.send(get.replace(basic("jane").encode(), basic("john").encode()) * 20)  # while the first one is hashed
    assert [fresh.answer()[0] for _ in range(20)] == [200] * 20


def test_what_is_not_there_or_not_allowed(phones):
    web = http(phones)
    for method, target, status in (("GET", "/nix", 404), ("GET", "/owntracks", 405), ("POST", "/where", 405),
                                   ("GET", "//where//x", 404), ("GET", "/whatsat?client=jane&radius=51", 404),
                                   ("GET", "/../etc/passwd", 404)):
        assert web.ask(method, target)[0] == status, target
    for head in ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site"):
        assert web.ask("GET", "/?id=p&lat=1&lon=2", headers=[head])[0] == 403
    assert web.ask("GET", "/?id=p&lat=1&lon=2", headers=["Sec-Fetch-Site: none"])[0] == 200


def test_heads_and_bodies_have_limits(phones):
    long = http(phones)
    long.send(b"GET /?x=" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert b" 200 " not in long.closed()
    assert http(phones).ask("POST", "/?id=p", b"lat=1&lon=2&x=" + b"a" * 70000)[0] == 413
    big = http(phones)
    big.send(b"POST /overland HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
    assert b" 413 " in big.closed()


def test_a_request_that_does_not_end_is_closed(phones):
    web = http(phones)
    web.send(b"POST /owntracks HTTP/1.1\r\nHost: a\r\n")
    assert web.closed() == b""
    wait_until(lambda: metric(phones["A"], "herd_http_connections_timed_out_total") == 1, "timed out")


# --- who ------------------------------------------------------------------------


def test_only_what_is_ones_own_or_a_friends_is_seen(phones):
    web = http(phones)
    for user in ("jane", "john", "bob"):
        assert web.ask("POST", "/owntracks?d=p", location(lat=str(len(user))), user=user)[0] == 200
    where = json.loads(web.ask("GET", "/where")[2])
    assert where == {"client": "jane/p", "lat": 4, "lon": 2.292713, "location": "+4+2.292713",
                     "time": str(T0), "origin": "A"}
    for client, status in (("john/p", 200), ("john", 200), ("p", 200), ("bob/p", 404), ("bob", 404),
                           ("john/none", 404), ("kiwi", 404)):
        assert web.ask("GET", f"/where?client={client}")[0] == status, client
        status_of = web.ask("GET", f"/whatsat?client={client}&radius=10&bound=5")
        assert status_of[0] == status, client
    assert json.loads(web.ask("GET", "/whatsat?client=john/p&bound=1")[2])["status"] == "ZERO_RESULTS"
    assert web.ask("GET", "/whatsat?radius=51")[0] == 400
    assert web.ask("GET", "/whatsat?bound=0")[0] == 400
    assert web.ask("GET", "/where", user=None)[0] == 401


def test_places_are_those_that_whatsat_has(tmp_path):
    with PhoneHerd(tmp_path, ["Solo"], [], "workers: 1\nplaces: {provider: gazetteer}\n") as herd:
        herd.add_user("jane")
        solo = herd.start()["Solo"]
        web = http(herd, node="Solo")
        assert web.ask("POST", "/owntracks?d=p", location(lat="34.05", lon="-118.24"))[0] == 200
        for radius, bound in ((50, 20), (5, 3)):
            told = json.loads(web.ask("GET", f"/whatsat?radius={radius}&bound={bound}")[2])
            line, _, wanted = solo.ask(b"WHATSAT jane/p %d %d\n" % (radius, bound)).partition(b"\n")
            assert told == json.loads(wanted) and len(told["results"]) == bound, line


@pytest.fixture
def street(tmp_path):
    """One node with jane, at the end of a street of made-up places."""
    (tmp_path / "NOTICE").write_text("made up\n")
    (tmp_path / "a").write_text("".join(
        f"{i}\t{34.06893 + i / 10000:.5f}\t-118.445127\tN\t{name}\t\tUS\tCA\t{people}\t{types}\t"
        f"{hours}\n" for i, (name, types, hours, people) in enumerate([
            ("Café Blue", "cafe,food", "24/7", 0), ("Bar Blue", "bar", "", 0),
            ("CAFE RED", "cafe", "", 0), ("Big", "cafe", "", 7)])))
    subprocess.run([HERDCTL, "places", "import", "a", "--from", "herd", "-O", "p.sqlite", "-n", "NOTICE"],
                   cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    with PhoneHerd(tmp_path, ["A"], [], "workers: 1\nplaces: {data: p.sqlite}\n") as herd:
        herd.add_user("jane")
        herd.start()
        assert http(herd).ask("POST", "/owntracks?d=p", location(lat="34.06893", lon="-118.445127"))[0] == 200
        yield herd


def whatsat(herd, query):
    """The names that are answered, or the reason why not."""
    status, _, body = http(herd).ask("GET", f"/whatsat?radius=1&bound=20{query}")
    answer = json.loads(body)
    if status != 200:
        assert status == 400 and answer["error"] == "parameter"
        return answer["message"]
    return [place["name"] for place in answer["results"]]


@pytest.mark.parametrize("query,names", [
    ("", ["Café Blue", "Bar Blue", "CAFE RED", "Big"]),
    ("&type=cafe", ["Café Blue", "CAFE RED", "Big"]),
    ("&type=", ["Café Blue", "Bar Blue", "CAFE RED", "Big"]),
    ("&keyword=caf%C3%A9", ["Café Blue", "CAFE RED"]),
    ("&keyword=cafe+red", ["CAFE RED"]),
    ("&type=bar&keyword=BLUE", ["Bar Blue"]),
    ("&type=museum", []),
    ("&open_now=1", ["Café Blue"]), ("&opennow=true", ["Café Blue"]), ("&opennow", ["Café Blue"]),
    ("&opennow=false&type=bar", ["Bar Blue"]),
    ("&rank=prominence&type=cafe", ["Big", "Café Blue", "CAFE RED"]),
    ("&rankby=prominence&type=cafe", ["Big", "Café Blue", "CAFE RED"]),
    ("&rankby=distance&opennow", ["Café Blue"]),
    ("&type=Cafe!", "type is a word of a-z, 0-9 and _, such as cafe"),
    ("&rankby=best", "rank is distance or prominence"),
    ("&opennow=perhaps", "open_now is true or false"),
    ("&keyword=%FF", "keyword is a part of a name, in UTF-8"),
    ("&keyword=a%00b", "keyword is a part of a name, in UTF-8"),
    ("&keyword=" + "a" * 97, "keyword has at most 96 bytes"),
    ("&keyword=" + "a" * 300, "type, keyword or rank is too long"),
    ("&opennow=" + "1" * 300, "open_now is true or false"),
])
def test_whatsat_takes_filters_by_our_names_and_by_googles(street, query, names):
    assert whatsat(street, query) == names


def test_whatsat_says_which_parameter_is_wrong(street):
    for query, why in (("radius=51", "radius"), ("radius=" + "1" * 300, "radius"), ("bound=21", "bound"),
                       ("bound=" + "0" * 300 + "1", "bound")):
        status, _, body = http(street).ask("GET", f"/whatsat?{query}")
        assert status == 400 and json.loads(body)["message"].startswith(f"{why} is"), query


def test_wrong_credentials_get_401(phones):
    web = http(phones)
    for user, password in (("jane", "wrong"), ("nobody", PASSWORD), ("jane", ""), ("", PASSWORD), ("jane/watch", "x")):
        status, headers, _ = web.ask("POST", "/owntracks?d=p", location(), user, password)
        assert status == 401 and headers["www-authenticate"].startswith("Basic "), user
    for head in ("Authorization: Bearer nonsense", "Authorization: Basic !!!", "Authorization: Digest x",
                 f"Authorization: Basic {'A' * 3000}"):
        assert web.ask("POST", "/owntracks?d=p", location(), user=None, headers=[head])[0] == 401
    assert web.ask("GET", "/?id=nonsense&lat=1&lon=2", user=None)[0] == 401
    assert line_of(phones, "jane/p") is None
    assert refused(phones, "credentials") == 10


def test_wrong_passwords_are_limited_for_their_address(phones):
    web = http(phones)
    assert web.ask("POST", "/owntracks?d=p", location())[0] == 200
    statuses = [web.ask("POST", "/owntracks?d=p", user=None, headers=["Authorization: Bearer x%d" % i])[0]
                for i in range(30)]
    assert statuses == [401] * 20 + [429] * 10
    assert web.ask("GET", "/where")[0] == 200, "a password that is known to be right still works"
    assert web.ask("GET", "/where", user="john")[0] == 429


def test_keys_and_passwords_are_never_logged(phones):
    key = phones.keys["jane/watch"]
    web = http(phones)
    wrong = "0123456789abcdef0123456789abcdef"
    web.ask("GET", f"/?id={key}&lat=91&lon=2", user=None)
    web.ask("GET", f"/?id={key}&lat=1&lon=2")  # a key where a device's name is expected
    web.ask("GET", f"/?id={wrong}&lat=1&lon=2", user=None)
    web.ask("POST", "/owntracks", location(), password="wrong password")
    log = phones["A"].log()
    assert "event=phone-refused" in log
    for secret in (key, wrong, PASSWORD, "wrong password", basic("jane").split()[1]):
        assert secret not in log
    assert key not in Api(phones["A"].admin).ask("GET", "/v1/clients").body.decode(), "a key is nobody's name"


def test_a_user_has_at_most_32_devices(phones):
    web = http(phones)
    for i in range(40):
        assert web.ask("POST", f"/owntracks?d=d{i}", location())[0] == 200
    assert refused(phones, "devices") == 8
    assert line_of(phones, "jane/d31") and line_of(phones, "jane/d32") is None
    assert web.ask("GET", "/?id=d33&lat=1&lon=2")[0] == 403


def test_device_names_are_cleaned(phones):
    web = http(phones)
    for given, want in (("my%20phone%2F1", "my-phone-1"), ("Zo%C3%AB", "Zoë"), ("a%00b%0A", "a-b"),
                        ("x" * 100, "x" * 64)):
        assert web.ask("GET", f"/?id={given}&lat=1&lon=2")[0] == 200
        assert line_of(phones, f"jane/{want}"), want


def test_a_reload_changes_users_and_friends(phones):
    web = http(phones)
    assert web.ask("POST", "/owntracks?d=p", location(), user="john")[0] == 200
    phones.ctl("user", "rm", "john", "--yes")
    phones.add_user("ann")
    phones.settings = phones.settings.replace("[[jane, john]]", "[[jane, bob], [jane, ann]]")
    phones.write()
    web.ask("POST", "/owntracks?d=p", location(), user="bob")
    assert "http.users_file" in phones.ctl("config", "reload")
    assert "http.users_file" not in phones.ctl("config", "reload"), "the file is as before"
    wait_until(lambda: web.ask("GET", "/where", user="john")[0] == 401, "john is out")
    friends = wait_until(lambda: json.loads(web.ask("POST", "/owntracks?d=p", b"")[2]), "the walk finds bob's phone")
    assert [friend["topic"] for friend in friends] == ["owntracks/bob/p"]
    assert web.ask("GET", "/where", user="ann")[0] == 404
    (phones.folder / "users").write_text("nonsense\n")
    assert Api(phones["A"].admin).ask("POST", "/v1/config/reload").status == 422
    assert web.ask("GET", "/where", user="bob")[0] == 200, "a bad file changes nothing"


def test_rates_are_limited(tmp_path):
    with PhoneHerd(tmp_path, ["A"], [], SETTINGS) as herd:
        herd.settings = herd.settings.replace("rate: 0", "rate: 5")
        herd.write()
        herd.add_user("jane")
        herd.start()
        web = http(herd)
        statuses = [web.ask("POST", "/owntracks?d=p", location())[0] for _ in range(20)]
        assert statuses[:5] == [200] * 5 and 429 in statuses


# --- TLS and proxies ------------------------------------------------------------


def test_tls_and_a_new_certificate_by_reload(tmp_path):
    ca = Authority(tmp_path)
    cert, key = ca.issue("phones", days=90)
    context = ssl.create_default_context(cafile=str(ca.file))
    with PhoneHerd(tmp_path, ["A"], [], SETTINGS) as herd:
        herd.settings = herd.settings.replace("rate: 0", f"rate: 0, tls_cert: {cert}, tls_key: {key}")
        herd.write()
        herd.add_user("jane")
        herd.start()
        web = http(herd, context)
        assert web.ask("POST", "/owntracks?d=p", location())[0] == 200
        assert line_of(herd, "jane/p")
        first = web.s.getpeercert()["serialNumber"]
        clear = http(herd)
        clear.send(b"GET /where HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP/1.1 200" not in clear.closed()
        ca.issue("phones", days=3)
        herd.ctl("config", "reload")
        herd["A"].wait_log(r"event=certificate listener=http .*expires soon")
        assert web.ask("GET", "/where")[0] == 200, "a connection goes on"
        fresh = http(herd, context)
        assert fresh.s.getpeercert()["serialNumber"] != first
        assert fresh.ask("GET", "/where")[0] == 200


def test_a_proxy_says_whose_failures_they_are(tmp_path):
    with PhoneHerd(tmp_path, ["A"], [], SETTINGS) as herd:
        herd.settings = herd.settings.replace("rate: 0", "rate: 0, trust_proxy: 127.0.0.1")
        herd.write()
        herd.add_user("jane")
        herd.start()
        web = http(herd)

        def bad(address):
            return web.ask("GET", "/where", user=None,
                           headers=["Authorization: Bearer x", f"X-Forwarded-For: 10.9.9.9, {address}"])[0]
        assert [bad("192.0.2.7") for _ in range(25)] == [401] * 20 + [429] * 5
        assert bad("192.0.2.8") == 401
        assert [bad(f"2001:db8:0:1::{i:x}") for i in range(25)] == [401] * 20 + [429] * 5


def own_address():
    """An address of this machine that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


def test_without_tls_only_the_proxy_may_ask(tmp_path):
    address = own_address()
    if address is None:
        pytest.skip("this machine has loopback only")
    with PhoneHerd(tmp_path, ["A"], [], SETTINGS) as herd:
        listen = f'http: "127.0.0.1:{herd.http["A"]}"'
        for proxy, status in (("192.0.2.77", 403), (address, 200)):
            settings = herd.settings.replace("rate: 0", f"rate: 0, trust_proxy: {proxy}")
            herd.path.write_text(herd.text(settings=settings).replace(listen, f'http: "0.0.0.0:{herd.http["A"]}"'))
            if status == 403:
                herd.add_user("jane")
            herd["A"].start()
            web = http(herd)
            assert web.ask("POST", "/owntracks?d=p", location())[0] == 200, "loopback"
            web.s = socket.create_connection((address, herd.http["A"]), timeout=DEADLINE_S)
            assert web.ask("POST", "/owntracks?d=p", location())[0] == status
            assert refused(herd, "clear") == (status == 403)
            herd["A"].stop()


def test_the_herd_file_is_checked(tmp_path):
    with PhoneHerd(tmp_path, ["A"], [], SETTINGS) as herd:
        for old, new, want in (
                ("users_file: users, ", "", "needs `http.users_file`"),
                ("rate: 0", "rate: 0, trust_proxy: example.org", "numeric address"),
                ("rate: 0", "rate: 0, tls_cert: x", "needs `http.tls_key`"),
                ("rate: 0", "rate: 0, friends: [jane, john]", "list of lists"),
                ("rate: 0", "rate: 0, friends: [[jane, [x]]]", "list of lists")):
            herd.path.write_text(herd.text(settings=herd.settings.replace(old, new)))
            node = herd["A"].start(wait=False)
            assert node.wait_end() == 8
            assert want in node.log(), node.log()
        herd.path.write_text(herd.text().replace(f'http: "127.0.0.1:{herd.http["A"]}"', 'http: "0.0.0.0:0"'))
        node = herd["A"].start(wait=False)
        assert node.wait_end() == 8
        assert "can be reached from other machines" in node.log()


# --- reports are reports --------------------------------------------------------


def test_a_report_goes_to_other_nodes_and_friends_see_it_there(tmp_path):
    with PhoneHerd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS, "[[jane, john]]") as herd:
        for user in ("jane", "john"):
            herd.add_user(user)
        herd.start()
        herd.wait_synced()
        assert http(herd).ask("POST", "/owntracks?d=p", location())[0] == 200
        web = http(herd, node="B")
        friends = wait_until(lambda: json.loads(web.ask("POST", "/owntracks?d=q", b"", user="john")[2]), "jane is seen")
        assert friends[0]["topic"] == "owntracks/jane/p"
        assert json.loads(web.ask("GET", "/where?client=jane", user="john")[2])["origin"] == "A"


def test_refused_reports_are_listed(phones):
    http(phones).ask("POST", "/owntracks?d=p", location(T0 + 10**9))
    listed = Api(phones["A"].admin).ask("GET", "/v1/refused").json["refused"]
    assert [(one["client"], one["reason"]) for one in listed] == [("jane/p", "ahead")]


def test_a_failed_store_answers_503(tmp_path):
    settings = SETTINGS + "store: {engine: sqlite, path: store.sqlite, durability: sync}\n"
    with PhoneHerd(tmp_path, ["A"], [], settings) as herd:
        herd.add_user("jane")
        herd.start()
        web = http(herd)
        assert web.ask("POST", "/owntracks?d=p", location())[0] == 200
        (tmp_path / "store.sqlite").unlink()
        assert web.ask("POST", "/owntracks?d=p", location(T0 + 1))[0] == 503
        assert web.ask("POST", "/owntracks?d=p", location(T0 + 2))[0] == 503


def test_a_draining_node_sends_phones_elsewhere(phones):
    web = http(phones)
    assert web.ask("POST", "/owntracks?d=p", location())[0] == 200
    phones.ctl("node", "drain", "A")
    assert web.ask("POST", "/owntracks?d=p", location())[0] == 503
    phones.ctl("node", "undrain", "A")
    assert web.ask("POST", "/owntracks?d=p", location())[0] == 200


def test_a_flood_of_wrong_passwords_harms_no_client(phones):
    """The client protocol and users who are known go on meanwhile."""
    web = http(phones)
    assert web.ask("POST", "/owntracks?d=p", location())[0] == 200
    leave = threading.Event()

    def flood(number):
        count = 0
        while not leave.is_set():
            stranger = http(phones)
            stranger.ask("POST", "/owntracks?d=p", b"", f"user{number}", f"{count}")
            stranger.s.close()
            count += 1
    strangers = [threading.Thread(target=flood, args=(i,)) for i in range(4)]
    for thread in strangers:
        thread.start()
    try:
        for i in range(200):
            phones["A"].iamat((b"kiwi", b"+1+2", b"%d" % (T0 + i)))
            assert web.ask("POST", "/owntracks?d=p", location(T0 + i))[0] == 200
        wait_until(lambda: refused(phones, "attempts") > 0, "attempts are limited")
    finally:
        leave.set()
        for thread in strangers:
            thread.join()
    assert not re.search(r"event=slow-turn thread=worker", phones["A"].log())


def test_a_stop_answers_what_is_under_way(phones):
    web = http(phones)
    body = location()
    web.send(f"POST /owntracks?d=p HTTP/1.1\r\nAuthorization: {basic('jane')}\r\nHost: a\r\n"
             f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    wait_until(lambda: metric(phones["A"], "herd_http_requests_total") == 1, "the request is there")
    phones["A"].send_signal(signal.SIGTERM)
    assert web.answer()[0] in (200, 503)
    assert phones["A"].wait_end() == 0


def test_doctor_names_a_listener_without_users_and_a_certificate_that_ends(tmp_path):
    cert, key = Authority(tmp_path).issue("phones", days=3)
    with PhoneHerd(tmp_path, ["A"], [], SETTINGS) as herd:
        herd.settings = herd.settings.replace("rate: 0", f"rate: 0, tls_cert: {cert}, tls_key: {key}")
        herd.write()
        herd.start()

        def findings():
            words = [HERDCTL, "-X", "-c", str(herd.path), "doctor", "-o", "json"]
            found = json.loads(subprocess.run(words, capture_output=True, cwd=tmp_path, timeout=DEADLINE_S).stdout)
            return {one["finding"]: one for one in found["findings"]}
        found = findings()
        assert found["no-users"]["next"].endswith("user add NAME")
        assert re.search(r"ends in [23] day", found["certificate-ends"]["text"])
        herd.add_user("jane")
        ca = Authority(tmp_path)
        ca.issue("phones", days=90)
        herd.ctl("config", "reload")
        wait_until(lambda: not findings().keys() & {"no-users", "certificate-ends"}, "both are fixed")
