# SPDX-License-Identifier: GPL-3.0-or-later
"""Real herdd processes for tests: a herd file in a folder of its own, free
ports, readiness by the log's `ready` event, an end by pid."""
import os
import pathlib
import random
import re
import select
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
HERDD = os.environ.get("HERDD", str(TOP / "build" / "herdd"))
HERDCTL = os.environ.get("HERDCTL", str(TOP / "build" / "herdctl"))
DEADLINE_S = float(os.environ.get("HERD_TEST_DEADLINE", "20"))
CLASSIC = {
    "nodes": ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard"],
    "links": [("Riley", "Jaquez"), ("Riley", "Juzang"), ("Bernard", "Jaquez"),
              ("Bernard", "Juzang"), ("Bernard", "Campbell"), ("Juzang", "Campbell")],
}


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Polls `condition` until it is true; its value. Never sleeps blindly."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        select.select([], [], [], 0.01)


# Below the range of outgoing connections: a node that is down for a while
# finds its port free, and who dials it does not meet itself.
PORTS = range(10000, 32000)
_reserved = {}


def free_ports(count):
    """Ports of this process alone, until it ends or gives them back: a name in
    the abstract namespace reserves each among all test processes of the machine."""
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().choice(PORTS)
        name, probe = socket.socket(socket.AF_UNIX), socket.socket()
        try:
            name.bind(b"\0herd-test-port-%d" % port)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
        except OSError:
            name.close()
        else:
            _reserved[port] = name
            ports.append(port)
        finally:
            probe.close()
    return ports


def give_back(ports):
    for port in ports:
        _reserved.pop(port).close()


class Node:
    """One herdd process of a Herd."""

    def __init__(self, herd, name, clients, peers):
        self.herd, self.name = herd, name
        self.clients, self.peers = clients, peers
        self.admin = str(herd.folder / f"{name}.sock")
        self.log_path = herd.folder / f"{name}.log"
        self.path = None  # a herd file of its own; None: the herd's
        self.env = None  # None: this process's
        self.process = None
        self.log_from = 0

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.log_from = log.tell()
            self.process = subprocess.Popen(
                [self.herd.herdd, "-c", str(self.path or self.herd.path), self.name],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.herd.folder, env=self.env)
        if wait:
            self.wait_ready()
        return self

    def log(self, whole=False):
        text = self.log_path.read_bytes()
        return (text if whole else text[self.log_from:]).decode()

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended: {self.log()}")
            return "event=ready" in self.log()
        wait_until(ready, f"{self.name} is ready")

    def wait_log(self, pattern, count=1):
        return wait_until(lambda: len(re.findall(pattern, self.log())) >= count,
                          f"{self.name} logs {pattern}: {self.log()}")

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, how=signal.SIGTERM):
        """Ends the process; its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
            if how == signal.SIGKILL or how == signal.SIGTERM:
                self.process.send_signal(signal.SIGCONT)
        return self.wait_end()

    def wait_end(self):
        """Waits until the process ends by itself; its exit status."""
        status = self.process.wait(timeout=DEADLINE_S)
        self.process = None
        return status

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.clients), timeout=DEADLINE_S)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def ask(self, data, pieces=None):
        """Sends, half-closes, reads to the end. `pieces`: sizes to split into."""
        with self.connect() as s:
            if pieces is None:
                s.sendall(data)
            else:
                at = 0
                for size in pieces:
                    s.sendall(data[at:at + size])
                    at += size
                s.sendall(data[at:])
            s.shutdown(socket.SHUT_WR)
            return read_all(s)

    def iamat(self, *reports):
        """Sends (client, location, time) as IAMATs; the AT lines."""
        lines = []
        for at in range(0, len(reports), 500):
            lines += self.ask(b"".join(b"IAMAT %s %s %s\n" % r for r in reports[at:at + 500])).splitlines()
        assert len(lines) == len(reports) and all(line.startswith(b"AT ") for line in lines), lines
        return lines

    def at_lines(self, clients):
        """The AT line of each client, None where it is unknown."""
        found = []
        for at in range(0, len(clients), 500):
            answer = self.ask(b"".join(b"WHATSAT %s 1 1\n" % c for c in clients[at:at + 500]))
            found += [None if line.startswith(b"? ") else line
                      for line in answer.splitlines() if line.startswith((b"AT ", b"? "))]
        assert len(found) == len(clients), f"{len(found)} of {len(clients)} answers"
        return found

    def at_line(self, client):
        """The AT line of a client as bytes, None if unknown."""
        answer = self.ask(b"WHATSAT " + client + b" 1 1\n")
        return answer.split(b"\n")[0] if answer.startswith(b"AT ") else None


def read_all(s):
    out = bytearray()
    while True:
        data = s.recv(65536)
        if not data:
            return bytes(out)
        out += data


def read_lines(s, count):
    """Exactly `count` lines, which must be all that comes so far."""
    out = bytearray()
    while out.count(b"\n") < count:
        data = s.recv(65536)
        assert data, f"closed after {bytes(out)!r}"
        out += data
    return bytes(out)


class Herd:
    """A herd file and its processes. Use as a context manager."""

    def __init__(self, folder, nodes=None, links=None, settings="", herdd=HERDD):
        self.folder = pathlib.Path(folder)
        self.herdd = herdd
        names = nodes or CLASSIC["nodes"]
        self.links = CLASSIC["links"] if links is None else links
        self.settings = settings
        ports = free_ports(2 * len(names))
        self.nodes = {name: Node(self, name, ports[2 * i], ports[2 * i + 1])
                      for i, name in enumerate(names)}
        self.path = self.folder / "herd.yaml"
        self.routes = {}  # (node, peer): the port where node dials peer
        self.write()

    def text(self, viewer=None, herd="ucla", links=None, settings=None):
        """The herd file as `viewer` is to see it."""
        lines = [f"herd: {herd}", "nodes:"]
        for node in self.nodes.values():
            peers = self.routes.get((viewer, node.name), node.peers)
            lines.append(f'  {node.name}: {{clients: "127.0.0.1:{node.clients}", '
                         f'peers: "127.0.0.1:{peers}", admin: "{node.admin}"}}')
        pairs = ", ".join(f"[{a}, {b}]" for a, b in (self.links if links is None else links))
        if pairs:
            lines.append(f"links: [{pairs}]")
        return "\n".join(lines) + "\n" + (self.settings if settings is None else settings)

    def write(self):
        self.path.write_text(self.text())

    def write_for(self, name, **changes):
        """Gives one node a herd file of its own; see text()."""
        node = self.nodes[name]
        node.path = self.folder / f"{name}.yaml"
        node.path.write_text(self.text(name, **changes))

    def through(self, network):
        """Every link goes through a proxy of `network`; by (dialler, other)."""
        proxies = {}
        for pair in self.links:
            dialler, other = sorted(pair)
            proxy = network.proxy(self.nodes[other].peers)
            self.routes[dialler, other] = proxy.port
            proxies[dialler, other] = proxy
        for name in self.nodes:
            self.write_for(name)
        return proxies

    def wait_equal(self, clients, nodes=None, deadline_s=DEADLINE_S):
        """All nodes (or those named) hold the same, known report of each; them."""
        seen = {}

        def equal():
            for name in nodes or self.nodes:
                seen[name] = self.nodes[name].at_lines(clients)
            first, *rest = seen.values()
            return None not in first and all(other == first for other in rest) and first
        try:
            return wait_until(equal, "equal", deadline_s)
        except AssertionError:
            first = next(iter(seen.values()))
            differ = {n: [(c, a, b) for c, a, b in zip(clients, first, s) if a != b or b is None][:3]
                      for n, s in seen.items()}
            raise AssertionError(f"tables differ after {deadline_s} s: {differ}") from None

    def __getitem__(self, name):
        return self.nodes[name]

    def __iter__(self):
        return iter(self.nodes.values())

    def start(self):
        for node in self:
            node.start(wait=False)
        for node in self:
            node.wait_ready()
        return self

    def wait_synced(self):
        """Every link is up on both sides."""
        for node in self:
            peers = {b if a == node.name else a for a, b in self.links if node.name in (a, b)}
            for peer in peers:
                node.wait_log(rf"event=link-up peer={peer}\b")

    def stop(self):
        """Ends what runs. A node that ended by itself, or not well, fails the test."""
        wrong = []
        for node in self:
            if node.process is not None and node.process.poll() is None:
                node.process.send_signal(signal.SIGCONT)
                node.process.send_signal(signal.SIGTERM)
        for node in self:
            if node.process is None:
                continue
            try:
                status = node.process.wait(timeout=DEADLINE_S)
            except subprocess.TimeoutExpired:
                node.process.kill()
                status = node.process.wait()
            node.process = None
            if status != 0:
                wrong.append(f"{node.name} ended with {status}: {node.log()[-4000:]}")
        assert not wrong, "\n".join(wrong)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            give_back(port for node in self for port in (node.clients, node.peers) if port in _reserved)
