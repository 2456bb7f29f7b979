# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that is none: the client protocol and the admin API's shapes, in
threads of the test. What a real herdd never does it does on request: garbage,
silence, an end in the middle of an answer, one byte at a time."""
import base64
import fnmatch
import hashlib
import http.server
import json
import os
import re
import socket
import socketserver
import threading
import time
import urllib.parse

IAMAT = re.compile(
    rb"^[ \t]*IAMAT[ \t]+(\S+)[ \t]+([+-]\d+(?:\.\d+)?[+-]\d+(?:\.\d+)?)[ \t]+(\d+(?:\.\d+)?)[ \t]*$")
WHATSAT = re.compile(rb"^[ \t]*WHATSAT[ \t]+(\S+)[ \t]+(\d+(?:\.\d+)?)[ \t]+(\d+)[ \t]*$")
LOCATION = re.compile(r"^([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)$")

PLACES = [
    ("Westwood", 34.0561, -118.4290, "locality", "Los Angeles", None, None),
    ("Caf\u00e9 \u6771\u4eac \x1b[31mred", 34.0700, -118.4400, "cafe", "1 Way", 4.5, True),
    ("Bel Air", 34.0842, -118.4440, "neighborhood", "Los Angeles", 3.9, False),
    ("UCLA", 34.0689, -118.4452, "university", "405 Hilgard Avenue", 4.8, True),
    ("Brentwood", 34.0521, -118.4740, "neighborhood", "Los Angeles", None, None),
]


def places_json(bound, status="OK", message=None):
    results = [{
        "geometry": {"location": {"lat": lat, "lng": lng}},
        "name": name, "place_id": f"id{i}", "types": [kind, "political"], "vicinity": vicinity,
        **({"rating": rating} if rating is not None else {}),
        **({"opening_hours": {"open_now": is_open}} if is_open is not None else {}),
    } for i, (name, lat, lng, kind, vicinity, rating, is_open) in enumerate(PLACES)]
    answer = {"html_attributions": ["Place names: <a href=\"x\">GeoNames</a>, CC BY 4.0"],
              "results": results[:bound] if status == "OK" else [], "status": status}
    if message:
        answer["error_message"] = message
    return json.dumps(answer, indent=3, ensure_ascii=False, sort_keys=True).replace("\x1b", "\\u001b")


def silent(*_):
    """Clients that leave early are what the tests are about."""


class FakeNode:
    """One fake node. `fault` is None or one of FAULTS, for both listeners."""
    FAULTS = ("garbage", "silence", "close", "half", "drip", "unasked", "huge", "http-500")

    def __init__(self, name, folder, peers=(), herd="lab"):
        self.name, self.herd, self.peers = name, herd, list(peers)
        self.folder = str(folder)
        self.fault = None
        self.clients = {}
        self.lies = {}  # members of put_lines' answer
        self.refuse = None  # clients whose ids begin so are refused
        self.state = "ready"
        self.peer_state = {peer: "synced" for peer in self.peers}
        self.enabled = {peer: True for peer in self.peers}
        self.file_changed = False
        self.mute = ()    # paths of the admin API that get no answer
        self.says = {}    # in /v1/status: "store.state": "failed"
        self.keys = {}  # in /v1/config: the fingerprints of a key file
        self.settings = {}  # in /v1/config, other than the usual ones
        self.top = None   # the answer of /v1/top; None: no such route
        self.level = "info"
        self.places_status = "OK"
        self.requests = []  # of the admin API: (method, path, body)
        self.lines = []     # of the client protocol
        self.token = None
        self.began = time.time()
        self.connections = set()
        self.calls = set()  # connections to the admin API
        self.watchers = []
        self.lock = threading.Lock()
        self.client_server = self.admin_server = None
        self.port = 0
        self.admin = os.path.join(self.folder, f"{name}.sock")

    # --- life ---

    def start(self, port=None):
        node = self

        class Clients(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128
            handle_error = silent

        class Client(socketserver.StreamRequestHandler):
            def handle(self):
                with node.lock:
                    node.connections.add(self.request)
                try:
                    node.serve_client(self.rfile, self.wfile, self.request)
                except OSError:
                    pass
                finally:
                    with node.lock:
                        node.connections.discard(self.request)

        class Admin(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            request_queue_size = 128
            handle_error = silent

        self.client_server = Clients(("127.0.0.1", port or self.port), Client)
        self.port = self.client_server.server_address[1]
        if os.path.exists(self.admin):
            os.unlink(self.admin)
        self.admin_server = Admin(self.admin, admin_handler(self))
        for server in (self.client_server, self.admin_server):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def start_admin_tcp(self, token):
        """The admin API over TCP as well; its port."""
        self.token = token

        class Admin(socketserver.ThreadingTCPServer):
            daemon_threads = True

        server = Admin(("127.0.0.1", 0), admin_handler(self, token))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self.tcp_server = server
        return server.server_address[1]

    def drop_connections(self):
        with self.lock:
            held = [*self.connections, *self.calls]
        for s in held:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        for server in (self.client_server, self.admin_server):
            if server is not None:
                server.shutdown()
                server.server_close()
        self.client_server = self.admin_server = None
        self.drop_connections()
        for watcher in self.watchers:
            watcher.set()
        if os.path.exists(self.admin):
            os.unlink(self.admin)

    def yaml(self):
        return (f'  {self.name}: {{clients: "127.0.0.1:{self.port}", '
                f'peers: "127.0.0.1:{self.port + 1 if self.port < 65535 else 1}", '
                f'admin: "{self.admin}"}}\n')

    # --- the client protocol ---

    def serve_client(self, rfile, wfile, sock):
        if self.fault == "close":
            return
        if self.fault == "unasked":
            wfile.write(b"hello there\n")
        for line in rfile:
            self.lines.append(line)
            if self.fault == "silence":
                sock.settimeout(30)
                while sock.recv(100):
                    pass
                return
            if self.fault == "garbage":
                wfile.write(b"\x1b]0;owned\x07HTTP/1.0 400 no\r\n\r\n")
                continue
            if self.fault == "huge":
                wfile.write(b"AT " + b"x" * (6 << 20))
                continue
            reply = self.reply(line.rstrip(b"\n"))
            if self.fault == "half":
                wfile.write(reply[:len(reply) // 2])
                return
            if self.fault == "drip":
                for i in range(len(reply)):
                    wfile.write(reply[i:i + 1])
                continue
            wfile.write(reply)

    def put_lines(self, body):
        """POST /v1/clients; the answer names as few faults as a real node's."""
        assert len(body) <= 256 << 10
        faults, put = [], 0
        for number, line in enumerate(body.splitlines(), 1):
            word, origin, *fields = line.split(b" ")
            client = fields[-2] if word == b"GONE" else fields[1]
            if self.refuse is not None and client.startswith(self.refuse):
                faults.append({"line": number, "why": "as the test wants"})
                continue
            put += 1
            if word == b"AT":
                skew, client, location, when = fields
                self.clients[client] = (when, location, origin, skew)
        return {"put": put, "stale": 0, "refused": len(faults), "faults": faults[:20], **self.lies}

    def reply(self, line):
        match = IAMAT.match(line)
        if match:
            client, location, when = match.groups()
            if self.refuse is not None and client.startswith(self.refuse):
                return b"? %s\n" % line
            skew = f"{time.time() - float(when):+.9f}".encode()
            record = (when, location, self.name.encode(), skew)
            with self.lock:
                held = self.clients.get(client)
                if held is None or float(held[0]) < float(when):
                    self.clients[client] = record
                    self.tell({"event": "report", "at": f"{time.time():.9f}",
                               **self.client_json(client)})
            return b"AT %s %s %s %s %s\n" % (self.name.encode(), skew, client, location, when)
        match = WHATSAT.match(line)
        if match and match.group(1) in self.clients:
            client, radius, bound = match.groups()
            if 0 < float(radius) <= 50 and 1 <= int(bound) <= 20:
                when, location, origin, skew = self.clients[client]
                message = None if self.places_status in ("OK", "ZERO_RESULTS") else "no more today"
                text = places_json(int(bound), self.places_status, message)
                return b"AT %s %s %s %s %s\n%s\n\n" % (
                    origin, skew, client, location, when, text.encode())
        return b"? " + line + b"\n"

    # --- the admin API ---

    def client_json(self, client):
        when, location, origin, skew = self.clients[client]
        lat, lon = map(float, LOCATION.match(location.decode()).groups())
        out = {"client": client.decode("utf-8", "replace"), "time": when.decode(),
               "location": location.decode(), "lat": lat, "lon": lon, "node": origin.decode(),
               "skew": skew.decode(), "received_at": f"{float(when) + float(skew):.9f}",
               "from": "client" if origin == self.name.encode() else origin.decode()}
        try:
            client.decode()
        except UnicodeDecodeError:
            out["client_b64"] = base64.b64encode(client).decode()
        return out

    def tell(self, event):
        for watcher in self.watchers:
            watcher.put(event)

    def node_json(self):
        return {"schema": "herd.node/1", "node": self.name, "herd": self.herd, "version": "1.0.0",
                "pid": os.getpid(), "state": self.state, "uptime_s": time.time() - self.began,
                "workers": 2, "addresses": {"clients": f"127.0.0.1:{self.port}",
                                            "peers": "127.0.0.1:1", "admin": self.admin},
                "connections": len(self.connections), "isolated": False, "time": f"{time.time():.9f}",
                "rss_bytes": 12345678, "table_bytes": 4096}

    def peer_json(self, peer):
        state = self.peer_state[peer] if self.enabled[peer] else "disabled"
        up = state == "synced"
        return {"peer": peer, "state": state, "since_s": 41.5, "address": "127.0.0.1:12102",
                "direction": "dial", "security": "plaintext", "enabled": self.enabled[peer],
                "rtt_ms": 0.412 if up else None, "clock_ms": 0.1 if up else None, "sent": 48120,
                "received": 47990, "stale": 912, "owed": 0 if up else 57,
                "lag_ms": 0.0 if up else None, "repaired": 0, "exchanges": 3, "connects": 1,
                "sent_bytes": 4090200, "received_bytes": 4079150,
                "last_error": None if up else "connection refused",
                "last_error_s": None if up else 0.5, "retry_in_s": None if up else 4.0,
                "verified_s": 12.0, "file_line": 7, "file_column": 5}

    def peer_history(self, peer):
        changes = [("waiting", None, 1, 0), ("synced", None, 1, 1),
                   ("backoff", "connection refused", 12, 9)]
        if self.peer_state[peer] == "synced":
            changes.append(("synced", None, 1, 20))
        return [{"at": f"{1700000000 + at}.000000000", "state": state, "error": error,
                 "times": times, "last": f"{1700000000 + at + times - 1}.000000000"}
                for state, error, times, at in changes]

    def status_json(self):
        synced = [p for p in self.peers if self.peer_json(p)["state"] == "synced"]
        down = [{k: self.peer_json(p)[k] for k in
                 ("peer", "state", "since_s", "last_error", "retry_in_s")}
                for p in self.peers if p not in synced]
        out = self.node_json()
        out.update({
            "schema": "herd.status/1",
            "config": {"path": "/x/herd.yaml", "loaded_ago_s": 7200.0,
                       "changed_on_disk": self.file_changed, "content_changed": self.file_changed},
            "certificates": [],
            "clock": {"state": "backed", "ahead_ms": 0, "steps": 0, "step_ms": None,
                      "step_ago_s": None},
            "peers": {"total": len(self.peers), "synced": len(synced), "down": down,
                      "owed": 57 * len(down), "lag_ms": 0.0 if synced else None, "twins": []},
            "flood": {"mode": "sparse", "rests": not down, "since_s": 9.0, "wakes": 2,
                      "because": "link-down" if down else None, "node": self.name if down else None,
                      "peer": down[0]["peer"] if down else None},
            "clients": {"count": len(self.clients), "removals": 0, "max": 0, "ahead": 0,
                        "reported_per_s": 12.0, "newest_s": 0.2, "oldest_s": 262800.0,
                        "strange": 0, "strange_origins": []},
            "bounds": {"table_bytes": 4096, "table_bytes_max": 1 << 30, "connections": 3,
                       "connections_max": 1000, "open_files": 40, "open_files_max": 1024,
                       "memory_bytes": 30 << 20, "memory_bytes_max": 4 << 30},
            "requests": {"iamat": 10, "whatsat": 4, "invalid": 1},
            "places": {"provider": "gazetteer", "state": "ready", "answered": 9120, "failed": 0,
                       "p50_ms": 0.1, "p99_ms": 0.4},
            "store": {"engine": "sqlite", "durability": "sync", "state": "ok", "lag": 0,
                      "last_commit_ms": 3.0, "error": None, "damaged": 0,
                      "disk_bytes": 100 << 30, "disk_free_bytes": 50 << 30}})
        for path, value in self.says.items():
            *above, last = path.split(".")
            part = out
            for key in above:
                part = part[key]
            part[last] = value
        return out

    def clients_meant(self, query):
        """Ids by prefix, glob, and a `where` of a glob only; real nodes know more."""
        where = re.fullmatch(r"client ~ (\S+)", query.get("where", ["client ~ *"])[0])
        assert where, query
        prefix = query.get("prefix", [""])[0].encode("utf-8", "surrogateescape")
        glob = query.get("glob", ["*"])[0].encode("utf-8", "surrogateescape")
        return [i for i in sorted(self.clients)
                if i.startswith(prefix) and fnmatch.fnmatchcase(i, glob) and
                fnmatch.fnmatchcase(i, where[1].encode())]

    def client_rows(self, ids, query):
        rows = [self.client_json(i) for i in ids]
        if "near" in query:
            for i, client in enumerate(rows):
                client["distance_m"] = 100.5 * (i + 1)
        return rows

    def clients_stream(self, query):
        ids = self.clients_meant(query)
        return self.client_rows(ids[:int(query.get("limit", [len(ids)])[0])], query)

    def clients_json(self, query):
        ids = self.clients_meant(query)
        if "count" in query:
            return {"count": len(ids), "removals": 0}
        after = query.get("after", [""])[0]
        limit = min(int(query.get("limit", ["100"])[0]), 1000)
        ids = [i for i in ids if not after or i.hex() > after]
        page = ids[:limit]
        out = self.client_rows(page, query)
        return {"schema": "herd.clients/1", "node": self.name, "clients": out,
                "next": page[-1].hex() if len(ids) > limit else None}


DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def bucket_of(client):
    """Three digits, by the id alone."""
    value = int.from_bytes(hashlib.sha256(client).digest()[:4], "big")
    return "".join(DIGITS[value >> shift & 63] for shift in (0, 6, 12))


def digest_json(node, path, key):
    path = "" if path == "-" else path
    below = [c for c in sorted(node.clients) if bucket_of(c).startswith(path)]
    if len(path) == 3:
        return {"path": path, "clients": [node.client_json(c) for c in below]}
    hashes = dict.fromkeys(DIGITS, 0)
    for client in below:
        record = repr((key, client, node.clients[client])).encode()
        hashes[bucket_of(client)[len(path)]] ^= int.from_bytes(
            hashlib.sha256(record).digest()[:8], "big")
    return {"path": path or "-", "count": len(below), "key": key,
            "hashes": [f"{hashes[d]:016x}" for d in DIGITS]}


class Error(Exception):
    def __init__(self, http, code, message, hint=None):
        super().__init__(message)
        self.http = http
        self.json = {"error": {"code": code, "message": message, "hint": hint}}


def answer_get(node, path, query):
    if path == "/v1/node":
        return node.node_json()
    if path == "/v1/status":
        return node.status_json()
    if path == "/v1/peers":
        return {"schema": "herd.peers/1", "node": node.name,
                "peers": [node.peer_json(p) for p in node.peers], "next": None}
    if path.startswith("/v1/peers/"):
        peer = find_peer(node, path.split("/")[3])
        return {**node.peer_json(peer), "history": node.peer_history(peer)}
    if path == "/v1/clients":
        return node.clients_json(query)
    if path.startswith("/v1/clients/"):
        return node.client_json(find_client(node, path))
    if path == "/v1/config":
        return {"schema": "herd.config/1", "path": "/x/herd.yaml", "herd": node.herd,
                "settings": [{"name": "workers", "value": node.settings.get("workers", "2"), "default": "0", "origin": "file",
                              "reloadable": False, "help": "Threads."},
                             {"name": "log.level", "value": node.level, "default": "info",
                              "origin": "default", "reloadable": True, "help": "Log level."}],
                "keys": [{"name": name, "fingerprints": words} for name, words in node.keys.items()],
                "nodes": [], "links": []}
    if path == "/v1/top" and node.top is not None:
        return {"schema": "herd.top/1", "node": node.name, "window_s": 10, **node.top}
    if path == "/v1/places/search":
        return {"lat": 34.0, "lon": -118.0, "answer": {
            "html_attributions": [], "results": [], "status": "ZERO_RESULTS"}}
    if path == "/v1/places":
        return {"providers": [{"name": "gazetteer", "state": "ready", "answered": 12, "failed": 0,
                               "p50_ms": 0.1, "p99_ms": 0.4}],
                "cache": {"entries": 3, "bytes": 4096, "hits": 7, "misses": 5}}
    if path == "/v1/digest" or path.startswith("/v1/digest/"):
        return digest_json(node, urllib.parse.unquote(path[len("/v1/digest/"):]),
                           query.get("key", [""])[0])
    if path == "/v1/log/level":
        return {"level": node.level}
    if path == "/v1/log":
        count = int(query.get("n", ["100"])[0])
        return {"lines": [f"level=info event=tick n={i}" for i in range(200)][-count:]}
    raise Error(404, "not-found", f"no {path}")


def find_peer(node, text):
    name = urllib.parse.unquote(text)
    if name not in node.peers:
        raise Error(404, "not-found", f"no peer {name}", "`peer ls` lists them")
    return name


def find_client(node, path):
    client = urllib.parse.unquote_to_bytes(path[len("/v1/clients/"):])
    if client not in node.clients:
        raise Error(404, "not-found", "no such client")
    return client


def answer_post(node, path, query, body):
    if path == "/v1/clients":
        return node.put_lines(body)
    if path.startswith("/v1/peers/"):
        peer, verb = find_peer(node, path.split("/")[3]), path.split("/")[4]
        if verb in ("enable", "disable"):
            node.enabled[peer] = verb == "enable"
        return node.peer_json(peer)
    if path in ("/v1/drain", "/v1/undrain", "/v1/stop"):
        node.state = {"drain": "draining", "undrain": "ready", "stop": "stopping"}[path[4:]]
        return {"state": node.state}
    if path == "/v1/config/reload":
        return {"applied": ["log.level"], "restart": ["workers"], "rejected": []}
    if path == "/v1/places/reload":
        return {"changed": True}
    if path == "/v1/places/test":
        step = {"provider": "gazetteer", "status": "OK", "results": 5, "total_ms": 0.7}
        return {**step, "steps": [step]}
    raise Error(404, "not-found", f"no {path}")


def answer_delete(node, path, query):
    if path == "/v1/places/cache":
        return {"flushed": 3}
    if path == "/v1/clients":
        meant = node.clients_meant(query)
        for client in meant:
            del node.clients[client]
        return {"forgotten": len(meant), "newer": 0}
    client = find_client(node, path)
    del node.clients[client]
    return {"client": client.decode("utf-8", "replace"), "time": f"{time.time():.9f}",
            "forgotten": True}


def admin_handler(node, token=None):
    import queue

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            with node.lock:
                node.calls.add(self.connection)

        def finish(self):
            with node.lock:
                node.calls.discard(self.connection)
            super().finish()

        def address_string(self):
            return "local"

        def log_message(self, *_):
            pass

        def send(self, http_status, data, kind="application/json"):
            if isinstance(data, (dict, list)):
                data = (json.dumps(data) + "\n").encode()
            self.send_response(http_status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if node.fault == "half":
                self.wfile.write(data[:len(data) // 2])
                self.close_connection = True
            elif node.fault == "drip":
                for i in range(len(data)):
                    self.wfile.write(data[i:i + 1])
            else:
                self.wfile.write(data)

        def faulty(self):
            """Does what the fault says; True when that was all."""
            if node.fault == "close":
                self.close_connection = True
                return True
            if node.fault in ("garbage", "unasked"):
                self.wfile.write(b"\x1b]0;owned\x07 this is not HTTP at all\r\n")
                self.close_connection = True
                return True
            if node.fault == "silence" or self.path.partition("?")[0] in node.mute:
                self.connection.settimeout(30)
                while self.connection.recv(100):
                    pass
                self.close_connection = True
                return True
            if node.fault == "huge":
                self.send_response(200)
                self.end_headers()
                for _ in range(80):
                    self.wfile.write(b"x" * (1 << 20))
                self.close_connection = True
                return True
            if node.fault == "http-500":
                self.send(500, b"oops", "text/plain")
                return True
            return False

        def stream(self, lines):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.close_connection = True
            for line in lines:
                data = (line if isinstance(line, str) else json.dumps(line)).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            if node.fault != "half":
                self.wfile.write(b"0\r\n\r\n")

        def events(self, query):
            events = queue.Queue()
            events.set = lambda: events.put(None)
            node.watchers.append(events)
            kinds = query.get("type", [""])[0]
            glob = query.get("client", ["*"])[0]

            def wanted(event):
                return ((not kinds or event["event"] in kinds.split(",")) and
                        fnmatch.fnmatchcase(event.get("client", "*"), glob))

            def lines():
                yield {"event": "hello", "node": node.name}
                while True:
                    event = events.get()
                    if event is None:
                        return
                    if wanted(event):
                        yield event
            try:
                self.stream(lines())
            finally:
                node.watchers.remove(events)

        def handle_method(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            node.requests.append((self.command, self.path, body))
            if self.faulty():
                return
            url = urllib.parse.urlsplit(self.path)
            query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
            try:
                if token and self.headers.get("Authorization") != f"Bearer {token}":
                    raise Error(401, "forbidden", "no valid token",
                                "give the token's file with --token-file")
                if url.path == "/v1/events":
                    self.events(query)
                elif url.path == "/v1/clients" and "stream" in query and self.command == "GET":
                    self.stream(node.clients_stream(query))
                elif url.path == "/v1/log" and "follow" in query:
                    self.stream(["level=info event=first", "level=warn event=second \x1b[31m"])
                elif url.path == "/metrics":
                    self.send(200, b"# TYPE herd_clients gauge\nherd_clients 2\n", "text/plain")
                elif self.command == "GET":
                    self.send(200, answer_get(node, url.path, query))
                elif self.command == "POST":
                    self.send(200, answer_post(node, url.path, query, body))
                elif self.command == "PUT" and url.path == "/v1/log/level":
                    node.level = json.loads(body)["level"]
                    self.send(200, {"level": node.level})
                elif self.command == "DELETE":
                    self.send(200, answer_delete(node, url.path, query))
                else:
                    raise Error(405, "method", "not that method")
            except Error as error:
                self.send(error.http, error.json)
            except (BrokenPipeError, ConnectionResetError):
                pass

        do_GET = do_POST = do_PUT = do_DELETE = handle_method

    return Handler


class FakeHerd:
    """Fake nodes and a herd file for them. A context manager."""

    def __init__(self, folder, names=("Riley", "Jaquez", "Juzang"), links=None):
        self.folder = folder
        links = links if links is not None else [
            (a, b) for i, a in enumerate(names) for b in names[i + 1:]]
        self.links = links
        self.nodes = {}
        for name in names:
            peers = [b if a == name else a for a, b in links if name in (a, b)]
            self.nodes[name] = FakeNode(name, folder, peers)
        self.path = os.path.join(str(folder), "herd.yaml")

    def __getitem__(self, name):
        return self.nodes[name]

    def __iter__(self):
        return iter(self.nodes.values())

    def __enter__(self):
        for node in self:
            node.start()
        text = "herd: lab\nnodes:\n" + "".join(node.yaml() for node in self)
        if self.links:
            text += "links: [" + ", ".join(f"[{a}, {b}]" for a, b in self.links) + "]\n"
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        return self

    def __exit__(self, *_):
        for node in self:
            node.stop()
