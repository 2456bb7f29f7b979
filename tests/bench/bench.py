#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed of herdd beside its peers, in one run on one machine: server CPU time
per request and ratios, medians over rounds in turn. Servers listen on loopback
only and are ended by pid."""
import argparse
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from servers import TOP, Servers
from nodes import Herd

PARTS = ["node", "links", "places", "start", "clients", "store", "phones", "abuse", "idle", "instructions"]


def load(build, protocol, port, pid, connections, depth, seconds, clients):
    out = subprocess.run([str(build / "load"), protocol, str(port), str(pid), str(connections), str(depth),
                          str(seconds), str(clients)], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def compare(build, targets, depth, args, connections=50):
    """One row per target; the rounds go in turn, so drift hits all alike."""
    rows = {name: [] for name in targets}
    for _ in range(args.rounds):
        for name, (protocol, port, pid) in targets.items():
            rows[name].append(load(build, protocol, port, pid, connections, depth, args.seconds, args.clients))
    return rows


def print_rows(title, rows, base):
    print(f"\n{title}")
    print(f"{'':22}{'CPU us/request':>15}{'requests/s':>13}{'p50 us':>9}{'p99 us':>9}{'of herdd':>10}")
    for name, samples in rows.items():
        ratios = [mine["cpu_us"] / other["cpu_us"] for mine, other in zip(rows[base], samples) if other["cpu_us"]]
        print(f"{name:22}{median(samples, 'cpu_us'):15.3f}{median(samples, 'rate'):13,.0f}"
              f"{median(samples, 'p50_us'):9.0f}{median(samples, 'p99_us'):9.0f}"
              f"{'' if name == base or not ratios else f'{statistics.median(ratios):.2f}x':>10}")


def seed_geo(port):
    """The gazetteer's points, into Redis."""
    import sqlite3
    db = sqlite3.connect(f"file:{TOP}/build/gazetteer.sqlite?mode=ro", uri=True)
    rows = db.execute("SELECT id, lat, lng FROM place WHERE abs(lat) < 85").fetchall()
    with socket.create_connection(("127.0.0.1", port)) as s:
        file = s.makefile("rb")
        for at in range(0, len(rows), 500):
            chunk = rows[at:at + 500]
            words = ["GEOADD", "places"]
            for number, lat, lng in chunk:
                words += [str(lng), str(lat), str(number)]
            s.sendall(f"*{len(words)}\r\n".encode() + b"".join(
                b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words))
            reply = file.readline()
            assert reply.startswith(b":"), reply
    return len(rows)


def bench_node(build, args):
    """One node with one worker beside the peers, all on one machine."""
    herdd = str(build / "herdd")
    with tempfile.TemporaryDirectory() as folder, Servers(build) as servers:
        folders = [pathlib.Path(folder) / name for name in ("plain", "sync", "async")]
        for path in folders:
            path.mkdir()
        store = "workers: 1\nstore: {engine: sqlite, durability: %s}\n"
        with Herd(folders[0], ["Solo"], [], "workers: 1\n", herdd=herdd) as herd, \
                Herd(folders[1], ["Solo"], [], store % "sync", herdd=herdd) as durable, \
                Herd(folders[2], ["Solo"], [], store % "async", herdd=herdd) as lazy:
            solo = herd.start()["Solo"]
            redis, memcached = servers.redis(), servers.memcached()
            targets = {"herdd IAMAT": ("iamat", solo.clients, solo.process.pid),
                       "bare echo": ("echo", *servers.echo())}
            if redis:
                targets["redis SET"] = ("redis-set", *redis)
            if memcached:
                targets["memcached set"] = ("memcached-set", *memcached)
            print(f"{args.rounds} rounds of {args.seconds} s each, 50 connections, {args.clients:,} clients; "
                  "medians; `of herdd`: herdd's CPU per request by the other's")
            for depth in (128, 16, 1):
                print_rows(f"IAMAT, depth {depth}", compare(build, targets, depth, args), "herdd IAMAT")
            geo = {"herdd WHATSAT": ("whatsat", solo.clients, solo.process.pid)}
            if redis:
                print(f"\n{seed_geo(redis[0]):,} points in Redis for GEOSEARCH")
                geo["redis GEOSEARCH"] = ("redis-geo", *redis)
            print_rows("WHATSAT 10 km / 20 with whole JSON, depth 16",
                       compare(build, geo, 16, args), "herdd WHATSAT")
            pair = {}
            for name, which in (("sync", durable), ("async", lazy)):
                node = which.start()["Solo"]
                pair[name] = ("iamat", node.clients, node.process.pid)
            rows = compare(build, pair, 16, args, connections=64)
            print_rows("durability, 64 connections at depth 16", rows, "async")
            print(f"sync/async throughput: {median(rows['sync'], 'rate') / median(rows['async'], 'rate'):.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=100000)
    parser.add_argument("part", nargs="*", help="some of: " + ", ".join(PARTS) + "; all of them without any")
    args = parser.parse_args()
    build = args.build.resolve()
    parts = args.part or PARTS
    if "node" in parts:
        bench_node(build, args)
    for part in parts:
        if part != "node":
            print(f"\n{part}", flush=True)
            subprocess.run([sys.executable, str(TOP / "tests" / "bench" / f"{part}.py"), "--build", str(build)],
                           check=True)


if __name__ == "__main__":
    start = time.monotonic()
    main()
    print(f"\n{time.monotonic() - start:.0f} s")
