#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the store costs: SQLite and PostgreSQL side by side in one run. First
each engine alone: rows a second, CPU of the process that writes per row, and a
load of the whole table. Then herdd with each of them, and without a store:
requests a second and CPU of herdd per report."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from servers import TOP, settled_cpu_ns
from nodes import Herd, wait_until
from postgres import Cluster

SETTINGS = "shared_buffers = 256MB\nmax_wal_size = 4GB\n"
CLIENTS = 10000


def alone(build, engine, file, rows, batch):
    out = subprocess.run([str(build / "bench_store"), engine, str(file), str(rows), str(batch), "2"], check=True,
                         capture_output=True, text=True).stdout
    return json.loads(out)


def engines(build, rows):
    print(f"\nEngines alone, {rows:,} clients: first written, then updated, then loaded")
    print(f"{'':14}{'rows/s':>20}{'CPU us/row here':>20}{'load s':>9}{'of SQLite CPU':>15}")
    base = None
    for engine, batch in (("sqlite", 8192), ("postgres", 1000)):
        with tempfile.TemporaryDirectory(prefix="herd-bench-") as folder, Cluster(SETTINGS) as cluster:
            file = pathlib.Path(folder) / "file" if engine == "sqlite" else cluster.url_file(folder)
            found = alone(build, engine, file, rows - rows % batch, batch)
        cpu = [one["cpu_us"] for one in found["rounds"]]
        base = base or cpu
        print(f"{engine:14}" + f"{' / '.join(format(round(one['rows_s']), ',') for one in found['rounds']):>20}"
              f"{' / '.join(f'{one:.2f}' for one in cpu):>20}{found['load_s']:9.2f}"
              f"{' / '.join(f'{a / b:.2f}' for a, b in zip(cpu, base)):>15}")


def load(build, node, seconds):
    out = subprocess.run([str(build / "load"), "iamat", str(node.clients), str(node.process.pid), "50", "16",
                          str(seconds), str(CLIENTS)], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def committed(node):
    from api import Api
    return Api(node.admin).get("/v1/store?brief=1").json


def whole(build, seconds, rounds):
    """One node with each store, in turn."""
    print(f"\nherdd, 50 connections with 16 reports under way, {CLIENTS:,} clients, median of {rounds}")
    print(f"{'':22}{'reports/s':>12}{'CPU us/report':>15}{'p99 us':>10}")
    stores = [("none", "none", ""), ("sqlite async", "sqlite", "async"), ("postgres async", "postgres", "async"),
              ("sqlite sync", "sqlite", "sync"), ("postgres sync", "postgres", "sync")]
    found = {name: [] for name, _, _ in stores}
    for _ in range(rounds):
        for name, engine, durability in stores:
            with tempfile.TemporaryDirectory(prefix="herd-bench-") as folder, Cluster(SETTINGS) as cluster:
                more = f", durability: {durability}" if durability else ""
                if engine == "postgres":
                    more += f", url_file: {cluster.url_file(folder)}"
                settings = f"store: {{engine: {engine}{more}}}\n"
                with Herd(folder, ["Solo"], [], settings, herdd=str(build / "herdd")) as herd:
                    node = herd.start()["Solo"]
                    if engine == "postgres":
                        node.wait_log("event=store-connected")
                    before = settled_cpu_ns(node.process.pid)
                    one = load(build, node, seconds)
                    if engine != "none":
                        wait_until(lambda node=node: committed(node)["lag"] == 0, "all is committed", 60)
                    # With what the store's thread does after the last reply.
                    cpu = settled_cpu_ns(node.process.pid) - before
                    one["all_us"] = cpu / 1000 / (one["rate"] * seconds)
                    found[name].append(one)
    for name, samples in found.items():
        rate, cpu, p99 = (statistics.median(one[key] for one in samples) for key in ("rate", "all_us", "p99_us"))
        print(f"{name:22}{rate:12,.0f}{cpu:15.2f}{p99:10,.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--rows", type=int, default=200000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if not os.path.exists("/usr/lib/postgresql/15/bin/postgres"):
        sys.exit("PostgreSQL 15 is not installed: make bench installs it")
    engines(args.build, args.rows)
    whole(args.build, args.seconds, args.rounds)


main()
