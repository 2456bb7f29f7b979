#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What links cost: time and bytes of comparisons, idle propagation, CPU per
update of a herd of five, beside a Redis with four replicas. Prints one line
of JSON per measurement."""
import argparse
import contextlib
import http.client
import json
import pathlib
import re
import select
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from servers import TOP, Servers, cpu_ns, settled_cpu_ns
from nodes import Herd, wait_until
from peer import Peer

HERDD = None  # the program that is measured
SETTINGS = "workers: 1\nplaces: {provider: none}\n"
DEADLINE_S = 120
IDLE_S = 0.05


def admin(node, method, path):
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(node.admin)
    connection.request(method, path)
    body = connection.getresponse().read()
    connection.close()
    return json.loads(body)


def iamats(prefix, count, at):
    return [b"IAMAT %s%011d +34.068930-118.445127 %d.%09d\n" % (prefix, i, at, i) for i in range(count)]


def send(node, lines, deadline_s=DEADLINE_S):
    """All lines as fast as they go; every one is answered."""
    answered, at, step = 0, 0, 2000
    end = time.monotonic() + deadline_s
    with node.connect() as s:
        s.setblocking(False)
        out = b""
        while answered < len(lines):
            if not out and at < len(lines):
                out = memoryview(b"".join(lines[at:at + step]))
                at += step
            readable, writable, _ = select.select([s], [s] if out else [], [], 1)
            if readable:
                answered += s.recv(1 << 20).count(b"\n")
            if writable:
                out = out[s.send(out):]
            assert time.monotonic() < end, "too slow"


def events(node, event):
    """Times of an event in the node's log, in seconds of its day."""
    found = re.findall(rf"time=\S+T(\d+):(\d+):(\S+)Z \S+ event={event}\b", node.log())
    return [int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in found]


def count(node):
    return admin(node, "GET", "/v1/clients?count")["count"]


def link(node):
    return admin(node, "GET", "/v1/peers")["peers"][0]


def moved(node):
    peer = link(node)
    return peer["sent_bytes"] + peer["received_bytes"]


def say(what, **figures):
    print(json.dumps({"bench": what, **figures}), flush=True)


def wait_up(node, ups):
    wait_until(lambda: len(events(node, "link-up")) > ups, "the link is up", DEADLINE_S)
    return events(node, "link-up")[-1]


def bench_comparisons(folder, clients, settings, name):
    with Herd(folder, ["A", "B"], [("A", "B")], settings, herdd=HERDD) as herd:
        a, b = herd["A"], herd["B"]
        b.start()
        send(b, iamats(b"client-", clients, 1000))
        before = cpu_ns(b.process.pid)
        a.start()
        up = wait_up(a, 0)
        assert count(a) == clients
        say(f"resync of an empty node{name}", clients=clients, seconds=round(up - events(a, "ready")[0], 3),
            bytes=moved(a), cpu_s=round((cpu_ns(a.process.pid, b.process.pid) - before) / 1e9, 3))

        for what, differences in (("reconnect, equal tables", 0), ("reconnect, 1,000 differences", 1000)):
            times, bytes_moved = [], []
            for turn in range(5):
                admin(a, "POST", "/v1/peers/B/disable")
                wait_until(lambda: link(a)["state"] == "disabled", "down")
                if differences:
                    half = [f.replace(b"client-", b"diff-%d-" % turn) for f in iamats(b"client-", differences, 1)]
                    send(a, half[::2])
                    send(b, half[1::2])
                # B may not have seen the end yet, and would refuse the new one for nothing.
                wait_until(lambda: link(b)["state"] != "synced", "down on the other side")
                bytes_before, ups = moved(a), len(events(a, "link-up"))
                now = time.time() % 86400
                admin(a, "POST", "/v1/peers/B/enable")
                times.append(wait_up(a, ups) - now)
                wait_until(lambda: link(b)["state"] == "synced", "up on the other side")
                bytes_moved.append(moved(a) - bytes_before)
            assert count(a) == count(b)
            say(what + name, clients=count(a), seconds=round(sorted(times)[2], 3), bytes=sorted(bytes_moved)[2])


def bench_propagation(folder, samples):
    """From the first byte of IAMAT at A over A-B and B-Zoe to Zoe's socket."""
    with Herd(folder, ["A", "B", "Zoe"], [("A", "B"), ("B", "Zoe")], SETTINGS, herdd=HERDD) as herd, Peer("Zoe") as zoe:
        herd["A"].start()
        herd["B"].start()
        herd["A"].wait_log("event=link-up peer=B")
        zoe.listen(herd["Zoe"].peers)
        zoe.accept()
        zoe.sync()
        took = []
        with herd["A"].connect() as s:
            for i in range(samples):
                # Longer than the pause after which a link is not busy.
                zoe.run(lambda: not select.select([zoe.socket], [], [], IDLE_S)[0], "idle")
                known = len(zoe.table)
                began = time.perf_counter()
                s.sendall(b"IAMAT hop-%d +1+1 %d\n" % (i, i))
                zoe.run(lambda: len(zoe.table) > known, "it comes")
                took.append(time.perf_counter() - began)
                s.recv(4096)
        took.sort()
        say("idle propagation over two hops", samples=samples, p50_us=round(took[samples // 2] * 1e6),
            p99_us=round(took[samples * 99 // 100] * 1e6), max_us=round(took[-1] * 1e6))


# --- five nodes ----------------------------------------------------------------

class HerdOfFive:
    """The classic herd: five nodes, six links; updates at one node or at all."""
    protocol = "iamat"
    reported = 0

    def __init__(self, folder, build, everywhere):
        self.herd = Herd(folder, settings=SETTINGS, herdd=str(build / "herdd"))
        self.everywhere = everywhere
        self.name = "herd of five, updates at " + ("all" if everywhere else "one")

    def __enter__(self):
        self.herd.start()
        self.herd.wait_synced()
        self.nodes = list(self.herd)
        wait_until(lambda: all(admin(n, "GET", "/v1/status")["flood"]["rests"] for n in self.nodes), "links rest", 60)
        self.pids = [node.process.pid for node in self.nodes]
        self.ports = [node.clients for node in (self.nodes if self.everywhere else self.nodes[:1])]
        return self

    def __exit__(self, *what):
        self.herd.__exit__(*what)

    @staticmethod
    def request(client, at):
        return b"IAMAT client-%013d +34.068930-118.445127 %d.%09d\n" % (client, 2000 + at // 10 ** 6, at % 10 ** 6)

    def messages(self):
        return sum(p["sent"] for n in self.nodes for p in admin(n, "GET", "/v1/peers")["peers"])


class RedisOfFive:
    """A Redis with four replicas."""
    protocol = "redis-set"
    reported = 0
    name = "redis with four replicas"

    def __init__(self, build):
        self.servers = Servers(build)

    def __enter__(self):
        self.servers.__enter__()
        first = self.servers.redis("--repl-diskless-sync-delay", "0")
        rest = [self.servers.redis("--replicaof", f"127.0.0.1 {first[0]}") for _ in range(4)]
        wait_until(lambda: self.info(first[0]).count(b"state=online") == 4, "four replicas")
        self.pids = [pid for _, pid in (first, *rest)]
        self.ports = [first[0]]
        return self

    def __exit__(self, *what):
        self.servers.__exit__(*what)

    @staticmethod
    def info(port):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"INFO replication\r\n")
            return s.recv(65536)

    @staticmethod
    def request(client, at):
        return b"*3\r\n$3\r\nSET\r\n$20\r\nclient-%013d\r\n$36\r\n+34.068930-118.445127 %04d.%09d\r\n" % (
            client, 2000 + at // 10 ** 6, at % 10 ** 6)

    def messages(self):
        return 0


def paced(system, rate, seconds, clients):
    """`rate` updates per second, spread evenly over its ports; how many. Each
    is newer than all before."""
    first = system.reported
    sockets = [socket.create_connection(("127.0.0.1", port)) for port in system.ports]
    began, sent = time.monotonic(), 0
    try:
        while (now := time.monotonic() - began) < seconds:
            due = int(now * rate)
            for i, s in enumerate(sockets):
                mine = range(sent + (i - sent) % len(sockets), due, len(sockets))
                s.sendall(b"".join(system.request(n * 7919 % clients, first + n) for n in mine))
            sent = due
            for s in select.select(sockets, [], [], 0)[0]:
                s.recv(1 << 20)
            select.select([], [], [], 0.002)
    finally:
        system.reported += sent
        for s in sockets:
            s.close()
    return sent


def flat_out(system, build, depth, seconds):
    """As many as it takes from 50 connections, `depth` at once on each."""
    out = subprocess.run([str(build / "load"), system.protocol, str(system.ports[0]), str(system.pids[0]), "50",
                          str(depth), str(seconds), "100000"], check=True, capture_output=True, text=True).stdout
    return json.loads(out)["requests"]


def measure(system, load):
    """Updates of one load, their CPU time and messages; both of the whole herd
    and until it has come to rest."""
    before, sent, began = settled_cpu_ns(*system.pids), system.messages(), time.monotonic()
    updates = load(system)
    took = time.monotonic() - began
    cpu = settled_cpu_ns(*system.pids) - before
    return {"updates_per_s": updates / took, "cpu_us_per_update": cpu / 1000 / updates,
            "messages_per_update": (system.messages() - sent) / updates}


def bench_five(systems, build, seconds, rounds):
    """Each load on each system in turn, so that drift of the machine hits all
    alike; medians."""
    loads = {f"{rate:,}/s": (lambda system, rate=rate: paced(system, rate, seconds, 10000)) for rate in (2000, 10000)}
    loads.update({f"flat out, depth {depth}": (lambda system, depth=depth: flat_out(system, build, depth, seconds))
                  for depth in (16, 128)})
    with contextlib.ExitStack() as stack:
        for system in systems:
            stack.enter_context(system)
            paced(system, 10000, 1, 10000)
        for name, load in loads.items():
            able = [s for s in systems if len(s.ports) == 1 or "flat" not in name]
            rows = [{s.name: measure(s, load) for s in able} for _ in range(rounds)]
            for system in able:
                figures = {key: round(statistics.median(row[system.name][key] for row in rows), 2)
                           for key in rows[0][system.name]}
                if RedisOfFive.name in rows[0]:
                    figures["of_redis"] = round(statistics.median(
                        row[system.name]["cpu_us_per_update"] / row[RedisOfFive.name]["cpu_us_per_update"]
                        for row in rows), 2)
                say(system.name, load=name, **figures)


def main():
    global HERDD
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--clients", type=int, default=1000000)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("part", nargs="*", help="comparisons, tls, propagation, five; all without any")
    args = parser.parse_args()
    args.build = args.build.resolve()
    HERDD = str(args.build / "herdd")
    parts = args.part or ["comparisons", "tls", "propagation", "five"]

    def folder():
        return tempfile.TemporaryDirectory(prefix="herd-bench-")
    if "comparisons" in parts:
        with folder() as here:
            bench_comparisons(here, args.clients, SETTINGS, "")
    if "tls" in parts:
        with folder() as here:
            key = pathlib.Path(here) / "key"
            key.write_text("a key for a benchmark alone")
            key.chmod(0o600)
            bench_comparisons(here, args.clients, SETTINGS + f"key_file: {key}\n", " over TLS")
    if "propagation" in parts:
        with folder() as here:
            bench_propagation(here, 500)
    if "five" in parts:
        with folder() as one, folder() as all_:
            systems = [HerdOfFive(one, args.build, False), HerdOfFive(all_, args.build, True)]
            if shutil.which("redis-server"):
                systems.append(RedisOfFive(args.build))
            bench_five(systems, args.build, args.seconds, args.rounds)


if __name__ == "__main__":
    main()
