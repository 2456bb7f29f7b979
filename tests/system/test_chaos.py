# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes are killed, stopped and started, links cut, slowed and lost, while
clients report. Then all is healed and every node must hold, within five
seconds, at least what was acknowledged last.

HERD_SEED repeats a run (what it prints); HERD_CHAOS_S makes each run longer."""
import os
import random
import signal
import socket
import time

import pytest

from nodes import CLASSIC, Herd, wait_until
from peer import rank
from proxy import Network

SETTINGS = ("workers: 1\nplaces: {provider: none}\n"
            "link: {ping_after: 150ms, dead_after: 600ms, stall_after: 2s, redial_max: 300ms}\n")
HEALED_S = 5.0


class Reporter:
    """Clients that report to whichever node is there, and remember what was
    acknowledged last: by whom and when."""

    def __init__(self, rng, herd, clients):
        self.rng, self.herd = rng, herd
        self.names = [b"walker-%d" % i for i in range(clients)]
        self.tick = 0
        self.newest = {}  # client: the greatest line acknowledged
        self.heard = {node.name: set() for node in herd}  # lines acknowledged
        self.said = set()  # (client, location, time), answered or not
        self.seen = {}  # (pid, client): the line last seen there

    def report(self, node, count):
        lines, got = [], bytearray()
        for client in self.rng.sample(self.names, count):
            # Some clients report the same moment twice, or an earlier one.
            self.tick += self.rng.choice([0, 1, 1, 1, 5])
            at = 1000 + self.tick - self.rng.choice([0, 0, 0, 0, 3, 1000])
            report = (client, b"+%d.5-%d" % (self.rng.randrange(90), self.rng.randrange(180)),
                      b"%d.%d" % (max(at, 0), self.rng.randrange(10)))
            self.said.add(report)
            lines.append(b"IAMAT %s %s %s\nWHATSAT %s 1 1\n" % (*report, self.rng.choice(self.names)))
        try:
            with socket.create_connection(("127.0.0.1", node.clients), timeout=0.3) as s:
                s.sendall(b"".join(lines))
                s.shutdown(socket.SHUT_WR)
                while data := s.recv(65536):
                    got += data
        except OSError:
            pass  # what came before the end counts
        for turn, line in enumerate(w for w in bytes(got).split(b"\n")[:-1] if w.startswith((b"AT ", b"? "))):
            if turn % 2:
                self.look(node, line)
                continue
            assert line.startswith(b"AT %s " % node.name.encode()), line
            client = line.split(b" ")[3]
            self.heard[node.name].add(line)
            if client not in self.newest or rank(line) > rank(self.newest[client]):
                self.newest[client] = line

    def look(self, node, line):
        """A node's report of a client never goes back while the node lives."""
        if line.startswith(b"? "):
            return
        at = (node.process.pid, line.split(b" ")[3])
        assert at not in self.seen or rank(line) >= rank(self.seen[at]), (node.name, line, self.seen[at])
        self.seen[at] = line


class Chaos:
    def __init__(self, folder, rng, names, links, clients, durable):
        self.rng = rng
        self.durable = durable
        self.network = Network()
        settings = SETTINGS
        if rng.random() < 0.5:
            (folder / "key").write_text("the key of a herd in chaos")
            (folder / "key").chmod(0o600)
            settings += "key_file: key\n"
        if durable:
            settings += "store: {engine: sqlite, path: \"%n.db\", durability: sync}\n"
        self.herd = Herd(folder, names, links, settings)
        self.proxies = list(self.herd.through(self.network).values())
        self.reporter = Reporter(rng, self.herd, clients)
        self.stopped, self.away = set(), set()
        self.lost = set()  # what was acknowledged by nodes that are gone
        self.deeds = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.herd.stop()
        finally:
            self.network.__exit__()

    # --- what may happen to processes

    def running(self):
        return [node for node in self.herd if node.name not in self.stopped | self.away]

    def may_take(self):
        """A node that may go, so that most of the herd stays; with durable
        stores all may go."""
        running = self.running()
        if self.durable:
            return self.rng.choice(running) if running else None
        return self.rng.choice(running) if len(running) > len(self.herd.nodes) // 2 + 1 else None

    def kill(self):
        node = self.may_take()
        if node is not None:
            self.retell(node)
            node.stop(signal.SIGKILL)
            self.away.add(node.name)

    def kill_all(self):
        for _ in self.running():
            self.kill()

    def terminate(self):
        node = self.may_take()
        if node is not None:
            self.retell(node)
            ready = "event=ready" in node.log()
            assert node.stop() == 0 or not ready
            self.away.add(node.name)

    def retell(self, node):
        """Without a store, a node that dies takes along what it alone knew:
        its clients have to say it again elsewhere, as real ones do. With a
        durable store it does not: what it acknowledged must come back."""
        if self.durable:
            return
        self.lost |= self.reporter.heard[node.name]
        self.reporter.heard[node.name] = set()

    def start(self):
        if self.away:
            name = self.rng.choice(sorted(self.away))
            self.herd[name].start(wait=False)
            self.away.remove(name)

    def freeze(self):
        node = self.may_take()
        if node is not None:
            node.send_signal(signal.SIGSTOP)
            self.stopped.add(node.name)

    def thaw(self):
        if self.stopped:
            name = self.rng.choice(sorted(self.stopped))
            self.herd[name].send_signal(signal.SIGCONT)
            self.stopped.remove(name)

    # --- what may happen to links

    def fault(self):
        proxy = self.rng.choice(self.proxies)
        kind = self.rng.choice(["delay", "rate", "chunk", "swallow", "down", "cut", "reset", "heal", "heal"])
        if kind in ("cut", "reset", "heal"):
            getattr(proxy, kind)()
        else:
            setattr(proxy, kind, {"delay": self.rng.choice([0.01, 0.1, 0.3]), "rate": self.rng.choice([300, 20000]),
                                  "chunk": self.rng.choice([1, 7, 1000]), "swallow": True, "down": True}[kind])
            if kind == "down":
                proxy.cut()

    def partition(self):
        """A random cut through the herd, in one blow."""
        side = set(self.rng.sample(sorted(self.herd.nodes), len(self.herd.nodes) // 2))
        for (a, b), port in self.herd.routes.items():
            if (a in side) != (b in side):
                proxy = next(p for p in self.proxies if p.port == port)
                proxy.down = True
                proxy.cut()

    def repair(self):
        for proxy in self.proxies:
            proxy.heal()

    def deed(self):
        what = self.rng.choice([self.kill, self.kill, self.terminate, self.start, self.start, self.start, self.freeze,
                                self.thaw, self.thaw, self.fault, self.fault, self.fault, self.fault, self.partition,
                                self.repair] + [self.kill_all] * self.durable)
        self.deeds.append(what.__name__)
        what()

    def heal(self):
        self.repair()
        while self.stopped:
            self.thaw()
        started = set(self.away)
        while self.away:
            self.start()
        for name in started:
            self.herd[name].wait_ready()
        for node in self.herd:
            assert node.process.poll() is None, f"{node.name} has died: {node.log()[-3000:]}"

    # --- the end

    def check(self):
        """Equal everywhere; nothing acknowledged by a node that lived on is
        lost; nothing is held that nobody acknowledged or was asked."""
        reporter = self.reporter
        names = sorted(reporter.newest)
        # Clients report again what only dead nodes may have known.
        again = [reporter.newest[c] for c in names if reporter.newest[c] in self.lost]
        began = time.monotonic()
        for line in again:
            _, _, _, client, place, at = line.split(b" ")
            told, = self.rng.choice(list(self.herd)).iamat((client, place, at))
            # Its origin may sort before the lost one's: that is gone for good.
            reporter.newest[client] = told
        held = self.herd.wait_equal(names, deadline_s=HEALED_S)
        took = time.monotonic() - began
        for client, line in zip(names, held):
            assert rank(line) >= rank(reporter.newest[client]), (client, line, reporter.newest[client])
            assert tuple(line.split(b" ")[3:]) in reporter.said, line
        return took


def random_links(rng, names, degree):
    """A ring, so that all are reached, and random chords up to the degree."""
    links = {tuple(sorted((names[i - 1], names[i]))) for i in range(len(names))}
    want = len(names) * degree // 2
    while len(links) < want:
        links.add(tuple(sorted(rng.sample(names, 2))))
    return sorted(links)


@pytest.mark.parametrize("size,seconds,clients,durable", [
    (5, 12, 200, False), (20, 15, 400, False), (5, 12, 200, True)])
def test_chaos_ends_in_equal_tables(tmp_path, size, seconds, clients, durable):
    seed = os.environ.get("HERD_SEED", str(random.SystemRandom().randrange(1 << 32)))
    seconds = float(os.environ.get("HERD_CHAOS_S", seconds))
    print(f"HERD_SEED={seed}")
    rng = random.Random(f"{seed}-{size}")
    if size == 5:
        names, links = CLASSIC["nodes"], CLASSIC["links"]
    else:
        names = [f"node{i:02d}" for i in range(size)]
        links = random_links(rng, names, 4)
    with Chaos(tmp_path, rng, names, links, clients, durable) as chaos:
        chaos.herd.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            # Turns with a pause for the faults to work, not to wait for any.
            turn = time.monotonic() + rng.choice([0.02, 0.1, 0.3])
            chaos.deed()
            while chaos.running() and time.monotonic() < turn:
                node = rng.choice(chaos.running())
                chaos.reporter.report(node, rng.choice([1, 5, 30]))
        # The end is always in discord.
        chaos.partition()
        for node in chaos.running():
            chaos.reporter.report(node, 50)
        chaos.heal()
        took = chaos.check()
        print(f"{len(chaos.deeds)} deeds, {chaos.reporter.tick} ticks, equal after {took:.2f} s")
        assert len(chaos.reporter.newest) == clients
