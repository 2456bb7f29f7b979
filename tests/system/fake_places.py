# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake of the upstreams of Places, for tests.

It speaks TLS on a loopback port with a certificate of its own authority and
is reached under the upstreams' real names (places.connect_to, places.ca_file).
Each request is checked as the real service would; what is wrong with one goes
to `faults`. `mode` says how the next requests are answered: see MODES.

    with FakePlaces(folder) as fake:
        fake.mode = "http_503"
"""
import json
import math
import pathlib
import socket
import ssl
import struct
import subprocess
import threading
import urllib.parse

KEY = "AIzaTest-Key_0123456789abcdefghijklmnop"
NAMES = ["places.googleapis.com", "maps.googleapis.com", "photon.komoot.io"]
BASIC_MASK = [
    "places." + f for f in (
        "id displayName location viewport types shortFormattedAddress "
        "formattedAddress businessStatus plusCode iconMaskBaseUri iconBackgroundColor "
        "attributions").split()]
RICH_MASK = [
    "places." + f for f in (
        "rating userRatingCount priceLevel currentOpeningHours.openNow "
        "photos").split()]
EARTH_RADIUS_M = 6371008.8


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True,
                   timeout=60)


def make_authority(folder, name):
    """NAME.pem and NAME.key: an authority's certificate and key."""
    folder = pathlib.Path(folder)
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            f"/CN=Test {name}", "-keyout", str(key), "-out", str(cert))
    return cert, key


def make_certificate(folder, authority, name, hosts):
    """A certificate for `hosts`, signed by `authority` (a pair as above)."""
    folder = pathlib.Path(folder)
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    request, extra = folder / f"{name}.csr", folder / f"{name}.ext"
    extra.write_text("subjectAltName=" +
                     ",".join("DNS:" + host for host in hosts) + "\n")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", f"/CN={hosts[0]}", "-keyout", str(key),
            "-out", str(request))
    openssl("x509", "-req", "-in", str(request), "-days", "2", "-CA",
            str(authority[0]), "-CAkey", str(authority[1]),
            "-CAcreateserial", "-extfile", str(extra), "-out", str(cert))
    return cert, key


class Fault(Exception):
    """The request is not one that the real service would take."""


class Request:
    """One request, and what it asks."""

    def __init__(self, method, target, headers, body):
        self.method = method
        self.headers = headers
        self.body = body
        url = urllib.parse.urlsplit(target)
        self.path = url.path
        self.query = dict(urllib.parse.parse_qsl(url.query,
                                                 strict_parsing=bool(url.query)))
        self.host = headers.get("host", "")
        self.kind = None
        self.lat = self.lng = self.radius_m = 0.0
        self.max = 20

    def expect(self, fact, text):
        if not fact:
            raise Fault(f"{self.method} {self.path}: {text}")

    def check(self):
        reader = {"places.googleapis.com": self.check_google,
                  "maps.googleapis.com": self.check_legacy,
                  "photon.komoot.io": self.check_photon}
        name = self.host.split(":")[0]
        if name in ("127.0.0.1", "localhost"):  # places.base_url
            name = {"/v1/places:searchNearby": NAMES[0],
                    "/maps/api/place/nearbysearch/json": NAMES[1]}.get(
                        self.path, NAMES[2])
        self.expect(name in reader, f"host {self.host!r}")
        self.expect(self.headers.get("user-agent"), "no User-Agent")
        self.expect("accept-encoding" not in self.headers,
                    "asks for compressed bodies")
        reader[name]()
        self.expect(-90 <= self.lat <= 90 and -180 <= self.lng <= 180,
                    "not on the globe")
        self.expect(0 < self.radius_m <= 50000, "radius")
        self.expect(1 <= self.max <= 20, "count")

    def check_google(self):
        self.kind = "google"
        self.expect(self.method == "POST", "method")
        self.expect(self.path == "/v1/places:searchNearby", "path")
        self.expect(not self.query, "a query: keys belong into headers")
        self.expect(self.headers.get("content-type") == "application/json",
                    "Content-Type")
        self.expect(self.headers.get("x-goog-api-key") == KEY, "key")
        mask = self.headers.get("x-goog-fieldmask", "").split(",")
        self.expect(mask in (BASIC_MASK, BASIC_MASK + RICH_MASK),
                    f"mask {mask}")
        self.rich = mask != BASIC_MASK
        body = json.loads(self.body)
        circle = body["locationRestriction"]["circle"]
        self.lat = circle["center"]["latitude"]
        self.lng = circle["center"]["longitude"]
        self.radius_m = circle["radius"]
        self.max = body["maxResultCount"]
        self.expect(isinstance(self.max, int), "maxResultCount")
        self.expect(body.get("rankPreference") in ("POPULARITY", "DISTANCE"),
                    "rankPreference")
        self.expect(set(body) == {"locationRestriction", "maxResultCount",
                                  "rankPreference"}, "unknown fields")

    def check_legacy(self):
        self.kind = "google-legacy"
        self.expect(self.method == "GET", "method")
        self.expect(self.path == "/maps/api/place/nearbysearch/json", "path")
        self.expect(set(self.query) == {"location", "radius", "key"},
                    "parameters")
        self.expect(self.query["key"] == KEY, "key")
        self.lat, self.lng = map(float, self.query["location"].split(","))
        self.radius_m = float(self.query["radius"])
        self.expect("e" not in self.query["location"] + self.query["radius"],
                    "an exponent")

    def check_photon(self):
        self.kind = "photon"
        self.expect(self.method == "GET", "method")
        self.expect(self.path == "/reverse", "path")
        self.expect(set(self.query) == {"lon", "lat", "radius", "limit",
                                        "osm_tag"}, "parameters")
        self.lat, self.lng = float(self.query["lat"]), float(self.query["lon"])
        self.radius_m = float(self.query["radius"]) * 1000
        self.max = int(self.query["limit"])


# --- what it knows --------------------------------------------------------------

PLACE_NAMES = ["Café Müller", "東京タワー", "Tom & Jerry <Bar>", "O'Hara \"Pub\"",
               "Ελλάδα", "Plain Diner", "Emoji \U0001f35c House",
               "Tab\tName"] + [f"Place {i}" for i in range(8, 40)]


def points(request, count, outside=False):
    """`count` points around the centre, each farther than the one before."""
    start = request.radius_m * (1.2 if outside else 0.0)
    step = request.radius_m * 0.9 / max(count, 1)
    for i in range(count):
        m = start + step * i
        yield max(-90.0, min(90.0, request.lat + math.degrees(
            m / EARTH_RADIUS_M) * (1 if request.lat < 0 else -1))), request.lng


def google_place(request, i, lat, lng):
    place = {
        "id": f"ChIJ{i:04d}", "types": ["restaurant", "point_of_interest"],
        "location": {"latitude": lat, "longitude": lng},
        "viewport": {"low": {"latitude": lat - 0.001, "longitude": lng - 0.001},
                     "high": {"latitude": lat + 0.001,
                              "longitude": lng + 0.001}},
        "displayName": {"text": PLACE_NAMES[i], "languageCode": "en"},
        "shortFormattedAddress": f"{i} Main Street, Town",
        "businessStatus": "OPERATIONAL",
        "plusCode": {"globalCode": "85632HC3+XX",
                     "compoundCode": "2HC3+XX Town"},
        "iconMaskBaseUri": "https://maps.gstatic.com/icon",
        "iconBackgroundColor": "#FF9E67"}
    if i == 0:
        place["attributions"] = [{"provider": "Listings by Example & <Sons>",
                                  "providerUri": "https://example.org"}]
    if request.rich:
        place.update({
            "rating": 4.5, "userRatingCount": 120,
            "priceLevel": "PRICE_LEVEL_MODERATE",
            "currentOpeningHours": {"openNow": i % 2 == 0},
            "photos": [{"name": f"places/ChIJ{i:04d}/photos/x",
                        "widthPx": 4032, "heightPx": 3024,
                        "authorAttributions": [
                            {"displayName": "Ann",
                             "uri": "https://maps.google.com/ann"}]}]})
    return place


def legacy_place(i, lat, lng):
    return {"business_status": "OPERATIONAL",
            "geometry": {"location": {"lat": lat, "lng": lng}},
            "name": PLACE_NAMES[i], "place_id": f"ChIJ{i:04d}",
            "types": ["restaurant", "food"], "vicinity": "Main Street"}


def photon_feature(i, lat, lng):
    properties = {"osm_type": "N", "osm_id": 240109189 + i,
                  "osm_key": "amenity", "osm_value": "cafe",
                  "name": PLACE_NAMES[i], "street": "Hauptstraße",
                  "housenumber": str(i), "city": "Berlin",
                  "country": "Germany"}
    return {"type": "Feature", "properties": properties,
            "geometry": {"type": "Point", "coordinates": [lng, lat]}}


def answer_json(request, count=None, outside=False):
    """The service's own JSON, as an object, for `count` places."""
    if request.kind == "google-legacy":
        count = 20 if count is None else count
        return {"html_attributions": [], "next_page_token": "Aap_uEC6",
                "results": [legacy_place(i, *p) for i, p in enumerate(
                    points(request, count, outside))],
                "status": "OK" if count else "ZERO_RESULTS"}
    count = request.max if count is None else count
    where = list(enumerate(points(request, count, outside)))
    if request.kind == "google":
        found = [google_place(request, i, *p) for i, p in where]
        return {"places": found} if found else {}
    return {"type": "FeatureCollection",
            "features": [photon_feature(i, *p) for i, p in where]}


def empty_with(key, value):
    """The service's answer with its list replaced by a value."""
    def make(request):
        answer = answer_json(request, 1)
        name = {"google": "places", "google-legacy": "results",
                "photon": "features"}[request.kind]
        answer[name] = value if key == "list" else answer[name]
        if key == "lat":
            place = answer[name][0]
            if request.kind == "google":
                place["location"]["latitude"] = value
            elif request.kind == "photon":
                place["geometry"]["coordinates"][1] = value
        return json.dumps(answer)
    return make


def one_nowhere(request):
    """Three places, of which the second one has no location."""
    answer = answer_json(request, 3)
    if request.kind == "google":
        del answer["places"][1]["location"]
    elif request.kind == "photon":
        del answer["features"][1]["geometry"]
    return json.dumps(answer)


def google_error(status, word, key=KEY, message=None):
    """Google names the key in some of its messages."""
    if message is None:
        message = f"Told {word} to api_key:{key}" if key else f"Told {word}"
    return json.dumps({"error": {"code": status, "status": word,
                                 "message": message}})


def key_of(request):
    """The key that the request brought; Photon gets none."""
    return "" if request.kind == "photon" else KEY


def legacy_status(status):
    def make(request):
        return json.dumps({"error_message": f"Told {status}.",
                           "html_attributions": [], "results": [],
                           "status": status})
    return make


def deep(depth):
    return lambda request: "[" * depth + "]" * depth


def long_name(request):
    return json.dumps(answer_json(request, 1)).replace(
        "Caf", "C" + "a" * (1 << 20) + "f", 1)


def pretty(request, end="\n"):
    return json.dumps(answer_json(request), indent=3,
                      ensure_ascii=False).replace("\n", end)


# Modes that differ in the body only: a function of the request.
BODIES = {
    "good": pretty,
    "compact": lambda r: json.dumps(answer_json(r)),
    "fewer": lambda r: json.dumps(answer_json(r, 2)),
    "more": lambda r: json.dumps(answer_json(r, 30)),
    "none": lambda r: json.dumps(answer_json(r, 0)),
    "outside": lambda r: json.dumps(answer_json(r, 5, outside=True)),
    "blank_lines": lambda r: "\n\n" + pretty(r, "\n\n  \n") + "\n\n\n",
    "crlf": lambda r: pretty(r, "\r\n") + "\r\n",
    "bom": lambda r: "\ufeff" + pretty(r),
    "empty": lambda r: "",
    "null": lambda r: "null",
    "array": lambda r: "[]",
    "object": lambda r: "{}",
    "list_is_object": empty_with("list", {}),
    "list_is_text": empty_with("list", "none"),
    "list_of_null": empty_with("list", [None]),
    "lat_is_text": empty_with("lat", "34.0"),
    "lat_is_off": empty_with("lat", 91.5),
    "one_nowhere": one_nowhere,
    "deep": deep(1001),
    "deep_32": deep(33),
    "long_name": long_name,
    "html": lambda r: "<!DOCTYPE html><html><body>Sign in</body></html>",
    "junk_behind": lambda r: json.dumps(answer_json(r)) + "{}",
    "nul_in_name": lambda r: json.dumps(answer_json(r, 1)).replace(
        "Caf", "\\u0000Caf", 1),
    "cut": lambda r: json.dumps(answer_json(r))[:-20],
    "many_values": lambda r: "[" + "0," * 70000 + "0]",
    "status_unknown": legacy_status("SOMETHING_ELSE"),
    "status_over": legacy_status("OVER_QUERY_LIMIT"),
    "status_denied": legacy_status("REQUEST_DENIED"),
    "status_invalid": legacy_status("INVALID_REQUEST"),
    "status_error": legacy_status("UNKNOWN_ERROR"),
    "key_in_answer": lambda r: json.dumps(answer_json(r, 1)).replace(
        "Caf", key_of(r), 1),
}

# HTTP statuses with Google's error body.
STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED",
            403: "PERMISSION_DENIED", 404: "NOT_FOUND",
            429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 502: "BAD_GATEWAY",
            503: "UNAVAILABLE"}


# --- the server --------------------------------------------------------------------

class FakePlaces:
    """Listens on 127.0.0.1; `tls` False: plain HTTP, for places.base_url;
    `http2`: speaks that with who can."""

    def __init__(self, folder, hosts=None, authority=None, tls=True,
                 http2=False):
        folder = pathlib.Path(folder)
        self.mode = "good"
        self.modes = []       # taken one a request, before `mode`
        self.delay_s = 0.0    # before each answer
        self.message = None   # of errors, in place of Google's own
        self.faults = []
        self.requests = []
        self.connections = 0
        self.context = None
        if tls:
            authority = authority or make_authority(folder, "authority")
            self.ca_file = authority[0]
            cert, key = make_certificate(folder, authority, "server",
                                         hosts or NAMES)
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(cert, key)
            if http2:
                self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.h2_mode = "good"
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.gate = threading.Event()  # mode "gate" answers when it is set
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.gate.set()
        self.listener.close()
        with self.lock:
            for connection in self.open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def accept(self):
        while not self.closing.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(connection)
                number = self.connections
            threading.Thread(target=self.serve, args=(connection, number),
                             daemon=True).start()

    def serve(self, raw, number):
        connection = raw
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                connection = self.context.wrap_socket(raw, server_side=True)
                if connection.selected_alpn_protocol() == "h2":
                    from fake_places_h2 import Http2
                    Http2(self, connection, number, Request).run()
            while self.exchange(connection, raw):
                pass
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(raw)
            connection.close()

    @staticmethod
    def read_request(connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return None
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        while len(body) < length:
            body += connection.recv(65536)
        return Request(method, target, headers, body)

    def exchange(self, connection, raw):
        """One request and its answer; False: the connection ends."""
        request = self.read_request(connection)
        if request is None:
            return False
        with self.lock:
            self.requests.append(request)
            mode = self.modes.pop(0) if self.modes else self.mode
        try:
            request.check()
        except (Fault, KeyError, ValueError) as fault:
            with self.lock:
                self.faults.append(str(fault))
            self.send(connection, 400, google_error(400, "INVALID_ARGUMENT"))
            return True
        if self.delay_s:
            self.closing.wait(self.delay_s)
        if mode == "gate":
            self.gate.wait(20)
            mode = "good"
        if mode in BODIES:
            self.send(connection, 200, BODIES[mode](request))
            return True
        if mode.startswith("http_"):
            return self.send_status(connection, request, int(mode[5:]))
        return getattr(self, "do_" + mode)(connection, raw, request)

    def take(self, request, first):
        """A request over HTTP/2: its status and body; None: no answer."""
        with self.lock:
            self.requests.append(request)
        try:
            request.check()
        except (Fault, KeyError, ValueError) as fault:
            with self.lock:
                self.faults.append(str(fault))
            return 400, google_error(400, "INVALID_ARGUMENT")
        if self.delay_s:
            self.closing.wait(self.delay_s)
        if self.mode == "gate":
            self.gate.wait(20)
        if self.h2_mode == "silent" and first:
            return None, None
        return "reset" if self.h2_mode == "reset" else 200, \
            BODIES["good"](request)

    def send_status(self, connection, request, status):
        extra = ""
        if 300 <= status < 400:
            extra = "Location: https://maps.googleapis.com/elsewhere\r\n"
        body = google_error(status, STATUSES.get(status, "UNKNOWN"),
                            key_of(request), self.message)
        self.send(connection, status, body, extra)
        return True

    @staticmethod
    def send(connection, status, body, extra=""):
        data = body.encode("utf-8")
        connection.sendall(
            f"HTTP/1.1 {status} Text\r\nContent-Type: application/json; "
            f"charset=UTF-8\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
            .encode() + data)

    # Modes that break the connection's rules.

    def do_bad_utf8(self, connection, _, request):
        data = json.dumps(answer_json(request, 1)).encode().replace(
            b"Plain", b"\xff\xfe").replace(b"Caf", b"\xc3(")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                           % len(data) + data)
        return True

    def do_cut_with_length(self, connection, _, request):
        data = json.dumps(answer_json(request)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                           % len(data) + data[:len(data) // 2])
        return False

    def do_cut_without_length(self, connection, _, request):
        data = json.dumps(answer_json(request)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
                           + data[:len(data) // 2])
        return False

    def do_until_close(self, connection, _, request):
        data = json.dumps(answer_json(request)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
                           + data)
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
        return False

    def do_chunked(self, connection, _, request):
        data = json.dumps(answer_json(request)).encode()
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(0, len(data), 7):
            chunk = data[i:i + 7]
            connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        connection.sendall(b"0\r\n\r\n")
        return True

    def do_bad_chunk(self, connection, *_):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                           b"\r\n\r\n5\r\n{\"a\":\r\nzz\r\n")
        return False

    def do_huge_chunked(self, connection, *_):
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(64):
            connection.sendall(chunk)
        connection.sendall(b"0\r\n\r\n")
        return True

    def do_huge_length(self, connection, *_):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n"
                           b"\r\n")
        connection.sendall(b" " * 4194304)
        return True

    def do_huge_headers(self, connection, *_):
        connection.sendall(b"HTTP/1.1 200 OK\r\n" +
                           b"X-Fill: " + b"x" * 60000 + b"\r\n")
        for _ in range(40):
            connection.sendall(b"X-Fill: " + b"x" * 60000 + b"\r\n")
        return False

    def do_silence(self, *_):
        self.closing.wait(30)
        return False

    def do_drip(self, connection, _, request):
        data = json.dumps(answer_json(request)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                           % len(data))
        for i in range(len(data)):
            if self.closing.wait(0.1):
                break
            connection.sendall(data[i:i + 1])
        return True

    def do_reset(self, connection, raw, request):
        del request
        raw_fd = connection if not isinstance(connection, ssl.SSLSocket) \
            else raw
        try:
            raw_fd.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))
        except OSError:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack("ii", 1, 0))
        return False

    def do_not_http(self, connection, *_):
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        return False

    def do_close(self, *_):
        """Takes the request and says nothing."""
        return False

    def do_close_after(self, connection, _, request):
        """A good answer that promises to stay, and goes."""
        self.send(connection, 200, BODIES["good"](request))
        return False


MODES = sorted(BODIES) + [f"http_{s}" for s in STATUSES] + ["http_302"] + \
    sorted(m[3:] for m in dir(FakePlaces) if m.startswith("do_"))


def main():
    """fake_places.py [MODE [SECONDS [FOLDER]]]: serves until standard input
    ends, each answer after so many seconds; for benchmarks and by hand."""
    import sys
    import tempfile
    mode, delay, folder = (sys.argv[1:] + ["good", "0", ""][len(sys.argv) - 1:])[:3]
    with tempfile.TemporaryDirectory() as own, FakePlaces(folder or own) as fake:
        fake.mode, fake.delay_s = mode, float(delay)
        print(json.dumps({"connect_to": fake.address, "ca_file":
                          str(fake.ca_file), "key": KEY}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
