#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients that behave notice of those that do not: the latency of
IAMAT alone and beside each abuse, in turn, medians over rounds."""
import argparse
import contextlib
import json
import multiprocessing
import pathlib
import select
import statistics
import subprocess
import tempfile

from servers import TOP
from nodes import Herd
from abusers import BIG_PLACE, BIG_QUESTION, Abusers, raise_file_limit

IDLE, SLOW, READERS = 10000, 1000, 500
FILES = 13000


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


ABUSES = {
    "10,000 idle": (IDLE, None, idle),
    "1,000 at 1 byte/s": (SLOW, None, one_byte_a_second),
    "500 that never read": (READERS, 4096, never_read),
}


def misuse(name, port, control):
    """In a process of its own, until `control` is closed."""
    count, buffer, act = ABUSES[name]
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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    args = parser.parse_args()
    args.build = args.build.resolve()
    assert raise_file_limit(FILES), f"needs {FILES} open files"
    rows = {name: [] for name in (None, *ABUSES)}
    with tempfile.TemporaryDirectory(prefix="herd-bench-") as folder, \
            Herd(pathlib.Path(folder), ["Solo"], [], "workers: 1\nmax_connections: 12000\n",
                 herdd=str(args.build / "herdd")) as herd:
        node = herd.start()["Solo"]
        node.ask(b"IAMAT big " + BIG_PLACE + b" 5\n")
        load(args.build, node, 1)
        for _ in range(args.rounds):
            for name, samples in rows.items():
                with abused(name, node.clients):
                    samples.append(load(args.build, node, args.seconds))
    print(f"IAMAT, 8 connections at depth 1, medians of {args.rounds} rounds of {args.seconds} s in turn")
    print(f"{'':22}{'p50 us':>8}{'p99 us':>8}{'p99.9 us':>10}{'requests/s':>12}{'p99 of alone':>14}")
    for name, samples in rows.items():
        middle = {key: statistics.median(s[key] for s in samples) for key in ("p50_us", "p99_us", "p999_us", "rate")}
        ratio = statistics.median(s["p99_us"] / max(1, alone["p99_us"]) for s, alone in zip(samples, rows[None]))
        print(f"{name or 'alone':22}{middle['p50_us']:8.0f}{middle['p99_us']:8.0f}{middle['p999_us']:10.0f}"
              f"{middle['rate']:12,.0f}{ratio:13.2f}x")


if __name__ == "__main__":
    main()
