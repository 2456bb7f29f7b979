# SPDX-License-Identifier: GPL-3.0-or-later
"""The links' port and those who do not belong there: without the herd's key
nobody becomes a link, strangers do not keep a neighbour out, and what a peer
invents leaves no trace."""
import hashlib
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
from nodes import HERDCTL, Herd, wait_until
from peer import Peer, params
from proxy import Network

SETTINGS = ("workers: 2\nlog: {level: debug}\nplaces: {provider: none}\n"
            "link: {ping_after: 200ms, dead_after: 5s, redial_max: 100ms}\n")
KEY = "correct horse battery staple"


def with_key(folder, text=KEY):
    path = folder / "links.key"
    path.write_text(text)
    path.chmod(0o600)
    return SETTINGS + f"key_file: {path}\n"


def refused(node, reason):
    text = Api(node.admin).get("/metrics").body.decode()
    return int(re.search(r'herd_links_refused_total\{reason="%s"\} (\d+)' % reason, text).group(1))


def certificate(folder, kind):
    new = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    if kind == "ed25519":
        new = ["ed25519"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *new, "-nodes", "-keyout", folder / "k.pem", "-out",
                    folder / "c.pem", "-subj", "/CN=Zoe", "-days", "1"], check=True, stderr=subprocess.DEVNULL)
    return folder / "c.pem", folder / "k.pem"


def openssl_server(port, *options):
    """Speaks TLS on that port; what it decrypts goes to its stdout."""
    server = subprocess.Popen(["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", *map(str, options)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def listens():
        assert server.poll() is None
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    wait_until(listens, "openssl listens")
    return server


IMPOSTORS = {
    "rsa": lambda folder: ("-tls1_3", "-cert", certificate(folder, "rsa")[0], "-key", folder / "k.pem"),
    "ec": lambda folder: ("-tls1_3", "-cert", certificate(folder, "ec")[0], "-key", folder / "k.pem"),
    "ed25519": lambda folder: ("-tls1_3", "-cert", certificate(folder, "ed25519")[0], "-key", folder / "k.pem"),
    "any version": lambda folder: ("-cert", certificate(folder, "rsa")[0], "-key", folder / "k.pem"),
    "TLS 1.2": lambda folder: ("-tls1_2", "-cert", certificate(folder, "rsa")[0], "-key", folder / "k.pem"),
    "TLS 1.2 with the key": lambda folder: ("-tls1_2", "-nocert", "-psk", hashlib.sha256(KEY.encode()).hexdigest()),
    "another key": lambda folder: ("-tls1_3", "-nocert", "-psk", hashlib.sha256(b"guess").hexdigest()),
    "another key or a certificate": lambda folder: (
        "-tls1_3", "-psk", hashlib.sha256(b"guess").hexdigest(), "-cert", certificate(folder, "ec")[0], "-key",
        folder / "k.pem"),
}


@pytest.mark.parametrize("impostor", IMPOSTORS)
def test_whoever_answers_without_the_key_gets_nothing(tmp_path, impostor):
    with Herd(tmp_path, ["Riley", "Zoe"], [("Riley", "Zoe")], with_key(tmp_path)) as herd:
        server = openssl_server(herd["Zoe"].peers, *IMPOSTORS[impostor](tmp_path))
        try:
            riley = herd["Riley"].start()
            riley.iamat((b"secret", b"+1+1", b"1"))
            riley.wait_log("event=link-down peer=Zoe reason=key ")
            assert refused(riley, "key") >= 1
            api = Api(riley.admin)
            wait_until(lambda: api.get("/v1/peers/Zoe").json["state"] == "refused", "it is refused")
            peer = api.get("/v1/peers/Zoe").json
            assert peer["sent"] == 0 and peer["connects"] == 0 and peer["last_error"].startswith("TLS: ")
        finally:
            server.stdin.close()
            server.kill()
            said = server.stdout.read()
            server.wait()
        assert said == b""


@pytest.mark.parametrize("dialler", [("-tls1_3",), ("-tls1_2",), ("-tls1_3", "-psk", "00" * 32), ("-tls1_3", "cert")])
def test_whoever_dials_without_the_key_gets_nothing(tmp_path, dialler):
    with Herd(tmp_path, ["Riley", "Alice"], [("Riley", "Alice")], with_key(tmp_path)) as herd:
        riley = herd["Riley"].start()
        riley.iamat((b"secret", b"+1+1", b"1"))
        options = list(dialler)
        if "cert" in options:
            options[-1:] = map(str, ("-cert", certificate(tmp_path, "ec")[0], "-key", tmp_path / "k.pem"))
        said = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{riley.peers}", *options],
                              input=b"HELLO herd/1 herd=ucla node=Alice peer=Riley\n", stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=60).stdout
        assert said == b""
        riley.wait_log("event=link-refused from=127.0.0.1.* reason=key ")
        assert refused(riley, "key") == 1


def test_a_handshake_with_random_bytes_changed_never_gets_in(tmp_path):
    """A stream that an attacker bends between two honest nodes: the link comes
    up unharmed or not at all, and comes up once the attacker is gone."""
    with Herd(tmp_path, ["A", "B"], [("A", "B")], with_key(tmp_path)) as herd:
        a, b = herd["A"], herd["B"]
        b.start()
        a.start()
        herd.wait_synced()
        seed = int.from_bytes(os.urandom(4), "little")
        print("seed", seed)
        # What an honest dialler says first, replayed and bent by one who has no key.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(20)
            a.stop()
            herd.routes["A", "B"] = listener.getsockname()[1]
            herd.write_for("A")
            a.start()
            s, _ = listener.accept()
            with s:
                s.settimeout(20)
                hello = s.recv(65536)
        a.stop()
        for i in range(120):
            bent = bytearray(hello)
            if i > 0:
                at = (seed + 7919 * i) % len(bent)
                bent[at] ^= 1 << (seed + i) % 8
            with socket.create_connection(("127.0.0.1", b.peers), timeout=20) as s:
                try:
                    s.sendall(bent + b"HELLO herd/1 herd=ucla node=A peer=B\n")
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
                except OSError as error:
                    assert not isinstance(error, TimeoutError), "not cut"
        # Not even the one that was replayed as it was.
        assert Api(b.admin).get("/v1/peers/A").json["connects"] == 1


# --- strangers in numbers


class Flood(threading.Thread):
    """Connects without end, up to `most` connections at a time, and says `words` or nothing."""

    def __init__(self, port, rate, words=b"", sources=("127.0.0.1",), most=700):
        super().__init__(daemon=True)
        self.address, self.rate, self.words, self.sources, self.most = ("127.0.0.1", port), rate, words, sources, most
        self.ends = threading.Event()
        self.count = 0

    def run(self):
        held = []
        while not self.ends.is_set():
            began = time.monotonic()
            for _ in range(self.rate // 50):
                s = socket.socket()
                s.setblocking(False)
                try:
                    s.bind((self.sources[self.count % len(self.sources)], 0))
                    s.connect_ex(self.address)
                    if self.words:
                        s.send(self.words)
                except OSError:
                    pass
                held.append(s)
                self.count += 1
            while len(held) > self.most:
                held.pop(0).close()
            self.ends.wait(max(0, 0.02 - (time.monotonic() - began)))
        for s in held:
            s.close()

    def __enter__(self):
        self.start()
        wait_until(lambda: self.count > self.most, "the flood is on")
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.join()


FLOODS = {
    "silent": {},
    "begin a TLS record": {"words": b"\x16\x03\x01\x02\x00\x01"},
    "say garbage": {"words": b"who?\n"},
    "of 60 addresses": {"sources": [f"127.0.1.{i}" for i in range(1, 61)]},
}


@pytest.mark.parametrize("flood", FLOODS)
def test_strangers_do_not_keep_a_neighbour_out(tmp_path, flood):
    with Network() as network, Herd(tmp_path, ["A", "B"], [("A", "B")], with_key(tmp_path)) as herd:
        herd.through(network)["A", "B"].delay = 0.05
        herd["B"].start()
        with Flood(herd["B"].peers, 1000, **FLOODS[flood]):
            herd["A"].start()
            herd.wait_synced()
            # At the first try: no handshake of its own was dropped for a stranger.
            assert Api(herd["A"].admin).get("/v1/peers/B").json["last_error"] is None
        text = Api(herd["B"].admin).get("/metrics").body.decode()
        most = int(re.search(r"herd_links_half_open_max (\d+)", text).group(1))
        assert int(re.search(r"herd_links_half_open (\d+)", text).group(1)) <= most
        # A line for each kind of refusal and address, not for each stranger.
        assert len(re.findall("event=link-refused", herd["B"].log())) <= 4 * len(
            FLOODS[flood].get("sources", ("127.0.0.1",)))


# --- what a peer invents


INVENTED = 66000  # more than 16 bits can count


def test_invented_origins_are_named_and_leave_no_trace(tmp_path):
    links = [("Alice", "Eve"), ("Alice", "Carol"), ("Carol", "Dora")]
    with Herd(tmp_path, ["Alice", "Carol", "Dora", "Eve"], links, SETTINGS) as herd, Peer("Eve") as eve:
        eve.listen(herd["Eve"].peers)
        alice, carol = herd["Alice"].start(), herd["Carol"].start()
        eve.accept()
        eve.sync()
        for begin in range(0, INVENTED, 500):
            eve.say(*(b"AT n%d +0.000000001 v%d +1-1 17%08d" % (i, i % 500, i) for i in range(begin, begin + 500)))
            eve.turn(0)

        def strange(node):
            return Api(node.admin).get("/v1/status").json["clients"]
        wait_until(lambda: strange(carol)["strange"] == 500, "Carol has them all", 60)
        assert len(strange(alice)["strange_origins"]) == 8
        check = subprocess.run([HERDCTL, "-c", herd.path, "herd", "check", "-o", "json"], stdout=subprocess.PIPE,
                               check=False)
        (finding,) = [c for c in json.loads(check.stdout)["checks"] if c["check"] == "origins"]
        assert finding["state"] == "warning" and finding["value"] == 500
        assert "Alice holds 500 of n" in finding["text"]
        # Who joins gets and gives reports: no name was one too many.
        dora = herd["Dora"].start()
        dora.iamat((b"kiwi", b"+1+1", b"2"))
        wait_until(lambda: alice.ask(b"WHATSAT kiwi 10 1\n").startswith(b"AT Dora "), "Alice knows kiwi")
        assert "too many names" not in alice.log() + carol.log() + dora.log()
        # The records go, and so do the names.
        for i in range(500):
            alice.iamat((b"v%d" % i, b"+1+1", b"1701000000"))
        for node in (alice, carol, dora):
            wait_until(lambda: strange(node)["strange"] == 0, "no invented origin is left", 60)
            assert strange(node)["strange_origins"] == []


ROWS = 3000


class PageReader(threading.Thread):
    """Reads pages of a node's clients in one order, again and again, until it
    saw ROWS of them, one that is `wrong`, or anything else go wrong."""

    def __init__(self, node, order, wrong):
        super().__init__()
        self.node, self.order, self.wrong = node, order, wrong
        self.rows, self.error, self.over = 0, None, False

    def run(self):
        try:
            while not self.over and self.rows < ROWS and self.error is None:
                self.read_all(Api(self.node.admin))
        except (OSError, KeyError, ValueError) as error:
            self.error = error

    def read_all(self, api):
        after = ""
        while not self.over and after is not None and self.error is None:
            page = api.get(f"/v1/clients?limit=37&sort={self.order}{after}").json
            self.rows += len(page["clients"])
            self.error = next(filter(self.wrong, page["clients"]), None)
            after = f"&after={page['next']}" if page.get("next") else None


def test_invented_origins_are_listed_as_they_are_while_they_change(tmp_path):
    """Each report has an origin of its own, which ends in the report's time, in
    a full table: those who copied it from a shard must have copied all."""
    settings = SETTINGS + "max_clients: 400\n"
    chance, at = random.Random(20), 1700000000
    with Herd(tmp_path, ["Alice", "Eve"], [("Alice", "Eve")], settings) as herd, \
            Peer("Eve", agreed=params(max_clients=400)) as eve:
        eve.listen(herd["Eve"].peers)
        alice = herd["Alice"].start()
        eve.accept()
        eve.sync()
        readers = [PageReader(alice, order, lambda row: not row["node"].endswith(f"y{row['time']}"))
                   for order in ("id", "time", "node", "received")]
        for reader in readers:
            reader.start()
        try:
            while any(reader.is_alive() for reader in readers):
                lines = []
                for at in range(at + 1, at + 101):
                    client = b"v%d" % chance.randrange(600) + b"x" * (chance.randrange(5) // 4 * 3000)
                    origin = b"n" + b"y" * chance.choice([1, 20, 50]) + b"%d" % at
                    lines.append(b"GONE %s %s %d" % (origin, client, at) if chance.random() < 0.1 else
                                 b"AT %s +0.000000001 %s +1-1 %d" % (origin, client, at))
                eve.say(*lines)
                eve.turn(0)
        finally:
            for reader in readers:
                reader.over = True
                reader.join()
        assert [reader.error for reader in readers] == [None] * len(readers)
        assert all(reader.rows >= ROWS for reader in readers)
