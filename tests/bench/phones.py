#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of phones over HTTP: a node beside a bare evhttp server that answers
the same, and what the line protocol notices of a flood of them."""
import argparse
import hashlib
import os
import pathlib
import statistics
import subprocess
import tempfile

from servers import TOP, Servers
from bench import compare, load, print_rows
from fake_phones import PhoneHerd
from nodes import wait_until

DEVICES_OF_USER = 32  # as load.c has it
CONNECTIONS = 50


def write_users(path, clients, password_hash):
    lines = [f"bench-{user}:{password_hash}" for user in range(-(-clients // DEVICES_OF_USER))]
    for client in range(clients):
        digest = hashlib.sha256(b"%032x" % client).hexdigest()
        lines.append(f"bench-{client // DEVICES_OF_USER}/d{client % DEVICES_OF_USER}:key:{digest}")
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)


def sockets_of(pid):
    return sum(os.readlink(entry).startswith("socket:") for entry in os.scandir(f"/proc/{pid}/fd"))


def flooded(build, node, port, args):
    """The line protocol's samples while phones report to that port."""
    command = [str(build / "load"), "http-owntracks", str(port), str(node.process.pid), str(CONNECTIONS), "1",
               str(args.seconds + 1), str(args.clients)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as flood:
        wait_until(lambda: sockets_of(flood.pid) >= CONNECTIONS, "the phones are connected")
        sample = load(build, "iamat", node.clients, node.process.pid, 10, 1, args.seconds, args.clients)
        flood.communicate()
        assert flood.returncode == 0
    return sample


def line_protocol(build, node, http, bare, args):
    rows = {"no phones": [], "phones at a bare evhttp": [], "phones at the node": []}
    for _ in range(args.rounds):
        rows["no phones"].append(load(build, "iamat", node.clients, node.process.pid, 10, 1, args.seconds,
                                      args.clients))
        rows["phones at a bare evhttp"].append(flooded(build, node, bare, args))
        rows["phones at the node"].append(flooded(build, node, http, args))
    print(f"\nthe line protocol, 10 connections, beside {CONNECTIONS} phones on the same machine")
    for name, samples in rows.items():
        p50, p99 = (statistics.median(s[key] for s in samples) for key in ("p50_us", "p99_us"))
        print(f"{name:26}{statistics.median(s['rate'] for s in samples):11,.0f}/s   p50 {p50:6.0f} us   "
              f"p99 {p99:6.0f} us")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=1000)
    args = parser.parse_args()
    build = args.build.resolve()
    # A cheap hash: only a user's first report needs it, which is not measured.
    password_hash = subprocess.run(["openssl", "passwd", "-5", "-salt", "bench", "bench"], check=True,
                                   capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="herd-bench-") as folder, Servers(build) as servers, \
            PhoneHerd(pathlib.Path(folder), ["Solo"], [], "workers: 1\nmax_ahead: 0\nplaces: {provider: none}\n",
                      herdd=str(build / "herdd")) as herd:
        write_users(herd.folder / "users", args.clients, password_hash)
        solo = herd.start()["Solo"]
        pid, port = solo.process.pid, herd.http["Solo"]
        bare = servers.echo("bare_http")
        targets = {"herdd, password": ("http-owntracks", port, pid), "herdd, key": ("http-query", port, pid),
                   "bare evhttp, same": ("http-owntracks", *bare)}
        # Each password once, so that it is known.
        load(build, "http-owntracks", port, pid, CONNECTIONS, 1, 2, args.clients)
        print(f"{args.rounds} rounds of {args.seconds} s each, {args.clients:,} devices; medians")
        print_rows(f"reports over HTTP, {CONNECTIONS} connections with keep-alive",
                   compare(build, targets, 1, args, CONNECTIONS), "herdd, password")
        line_protocol(build, solo, port, bare[0], args)


if __name__ == "__main__":
    main()
