#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients that behave notice of those that do not: the latency of
IAMAT alone and beside each abuse, in turn, medians over rounds; and what the
abusers used, beside the bounds."""
import argparse
import contextlib
import json
import multiprocessing
import pathlib
import re
import select
import statistics
import subprocess
import tempfile
import time

from servers import TOP
from api import Api
from nodes import Herd
from abusers import BIG_PLACE, BIG_QUESTION, Abusers, raise_file_limit

IDLE, SLOW, READERS = 10000, 1000, 500
MOST, FILL, FLOODS = 12000, 12800, 4
FILES = 13000
# Few descriptors: half of them are for clients.
FEW_FILES, FEW_FILL = 512, 600
LONG = 60000
SETTINGS = "workers: 1\nmax_memory: 64M\n"
# What is used, what bounds it.
BOUNDS = {
    "table, bytes": ("herd_table_counted_bytes", "herd_table_max_bytes"),
    "connections": ("herd_connections", "herd_connections_max"),
    "open files": ("herd_open_files", "herd_open_files_max"),
    "memory, bytes": ("herd_resident_memory_bytes", "herd_memory_bound_bytes"),
}
COUNTERS = ("herd_connections_gave_way_total", "herd_connections_refused_total", "herd_connections_timed_out_total",
            "herd_requests_refused_total")


def idle(abusers, _):
    """They are there."""


def one_byte_a_second(abusers, turn):
    """A tenth of them each 100 ms; a request is ended before its time."""
    for s in abusers.sockets[turn % 10::10]:
        s.send(b"x\n"[turn // 10 % 2:turn // 10 % 2 + 1])


def never_read(abusers, turn):
    """Each asks until its replies fill all there is, then waits."""
    if turn == 0:
        abusers.send(BIG_QUESTION * 400)


def half_requests(abusers, turn):
    """A request begun on each, and never ended."""
    if turn % 50 == 0:
        abusers.send(b"IAMAT half")


def new_long_ids(abusers, turn):
    """Each connection reports clients that nobody knows, with long names."""
    if turn == 0:
        abusers.rest = [b""] * len(abusers.sockets)
    for i, s in enumerate(abusers.sockets):
        for j in range(20):
            name = b"%d-%d-%d-" % (i, turn, j)
            line = abusers.rest[i] or b"IAMAT %s%s +1-1 5\n" % (name, b"x" * (LONG - len(name)))
            try:
                abusers.rest[i] = line[s.send(line):]
            except BlockingIOError:
                abusers.rest[i] = line
                break
    abusers.receive()


def refused_reports(abusers, turn):
    """Times that are too far ahead, of ever other clients, in one line each."""
    at = b"%d" % (time.time() + 100000)
    abusers.send(b"".join(b"IAMAT r%d-%d +1-1 %s\n" % (turn, i, at) for i in range(200)))
    abusers.receive()


# Which node, how many connections, their receive buffer, what they do.
ABUSES = {
    "10,000 idle": ("Solo", IDLE, None, idle),
    "12,800 idle, 12,000 fit": ("Solo", FILL, None, idle),
    "1,000 at 1 byte/s": ("Solo", SLOW, None, one_byte_a_second),
    "1,000 half requests": ("Solo", SLOW, None, half_requests),
    "500 that never read": ("Solo", READERS, 4096, never_read),
    "4 with new long ids": ("Solo", FLOODS, None, new_long_ids),
    "4 that are refused": ("Solo", FLOODS, None, refused_reports),
    "600 idle, 512 files": ("Few", FEW_FILL, None, idle),
}


def misuse(name, port, control):
    """In a process of its own, until `control` is closed."""
    _, count, buffer, act = ABUSES[name]
    raise_file_limit(FILES)
    with Abusers(port, count, receive_buffer=buffer) as abusers:
        act(abusers, 0)
        control.send("begun")
        turn = 0
        while not select.select([control], [], [], 0.1)[0]:
            turn += 1
            act(abusers, turn)


@contextlib.contextmanager
def abused(name, port):
    """While it lasts, `name` goes on; None: nothing does."""
    if name is None:
        yield
        return
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=misuse, args=(name, port, theirs))
    process.start()
    try:
        ours.recv()
        yield
    finally:
        ours.send("enough")
        process.join()
        assert process.exitcode == 0, name


def load(build, node, seconds):
    out = subprocess.run([str(build / "load"), "iamat", str(node.clients), str(node.process.pid), "8", "1",
                          str(seconds), "100000"], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def metrics(node):
    """Sums over labels."""
    found = {}
    for name, value in re.findall(r"^(herd_\w+)(?:\{[^}]*\})? (\S+)$", Api(node.admin).get("/metrics").body.decode(), re.M):
        found[name] = found.get(name, 0) + float(value)
    return found


class Peaks:
    """The most that was used of each bound, while who did what."""

    def __init__(self):
        self.most = {}
        self.counted = dict.fromkeys(COUNTERS, 0)

    def note(self, node, name, before):
        now = metrics(node)
        for what, (used, bound) in BOUNDS.items():
            share = now[used] / now[bound]
            if share > self.most.get(what, (0,))[0]:
                self.most[what] = share, now[used], now[bound], name or "alone"
        for counter in COUNTERS:
            self.counted[counter] += now[counter] - before[counter]

    def show(self):
        print(f"\n{'most used':22}{'used':>16}{'bound':>16}{'share':>8}  while")
        for what, (share, used, bound, name) in self.most.items():
            print(f"{what:22}{used:16,.0f}{bound:16,.0f}{share:8.0%}  {name}")
        for counter, count in self.counted.items():
            print(f"{counter:38}{count:16,.0f}")


def write_limited(folder, herdd):
    """A program that is herdd with few descriptors."""
    path = folder / "limited"
    path.write_text(f'#!/bin/sh\nexec prlimit --nofile={FEW_FILES}:{FEW_FILES} {herdd} "$@"\n')
    path.chmod(0o755)
    return str(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    args = parser.parse_args()
    args.build = args.build.resolve()
    assert raise_file_limit(FILES), f"needs {FILES} open files"
    rows = {name: [] for name in (None, *ABUSES)}
    peaks = Peaks()
    herdd = str(args.build / "herdd")
    with tempfile.TemporaryDirectory(prefix="herd-bench-") as one, \
            tempfile.TemporaryDirectory(prefix="herd-bench-") as other, \
            Herd(pathlib.Path(one), ["Solo"], [], SETTINGS + f"max_connections: {MOST}\n", herdd=herdd) as many, \
            Herd(pathlib.Path(other), ["Few"], [], SETTINGS,
                 herdd=write_limited(pathlib.Path(other), herdd)) as few:
        nodes = {"Solo": many.start()["Solo"], "Few": few.start()["Few"]}
        for node in nodes.values():
            node.ask(b"IAMAT big " + BIG_PLACE + b" 5\n")
            load(args.build, node, 1)
        for _ in range(args.rounds):
            for name, samples in rows.items():
                node = nodes[ABUSES[name][0] if name else "Solo"]
                before = metrics(node)
                with abused(name, node.clients):
                    samples.append(load(args.build, node, args.seconds))
                    peaks.note(node, name, before)
    print(f"IAMAT, 8 connections at depth 1, medians of {args.rounds} rounds of {args.seconds} s in turn")
    print(f"{'':24}{'p50 us':>8}{'p99 us':>8}{'p99.9 us':>10}{'requests/s':>12}{'p99 of alone':>14}")
    for name, samples in rows.items():
        middle = {key: statistics.median(s[key] for s in samples) for key in ("p50_us", "p99_us", "p999_us", "rate")}
        ratio = statistics.median(s["p99_us"] / max(1, alone["p99_us"]) for s, alone in zip(samples, rows[None]))
        print(f"{name or 'alone':24}{middle['p50_us']:8.0f}{middle['p99_us']:8.0f}{middle['p999_us']:10.0f}"
              f"{middle['rate']:12,.0f}{ratio:13.2f}x")
    peaks.show()


if __name__ == "__main__":
    main()
