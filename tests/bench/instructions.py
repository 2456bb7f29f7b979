#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions of two fixed runs under callgrind: other work on the machine does
not change them, so that a small regression shows where times are noisy.

- flooding: the simulation of fixed seeds, without a clock;
- a node: one worker answers the same requests, in the same pieces, on one
  connection; what a start and a stop cost is taken off."""
import argparse
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from servers import TOP
from nodes import Herd

SEEDS = "1..40"
REPORTS, DEPTH, QUESTIONS = 25600, 128, 100


def callgrind(folder):
    """The command before a program."""
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/%p.callgrind",
            f"--log-file={folder}/valgrind.log"]


def instructions(folder):
    """Of the process that did the work: the program, or a child of it."""
    return max(int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1))
               for out in pathlib.Path(folder).glob("*.callgrind"))


def simulation(build, folder):
    subprocess.run([*callgrind(folder), str(build / "sim"), "--seeds", SEEDS, "--jobs", "1"], check=True,
                   stdout=subprocess.DEVNULL)
    return instructions(folder)


def receive(s, end, count):
    got = b""
    while got.count(end) < count:
        got += s.recv(1 << 20)


def node(build, folder, reports, questions):
    wrapper = pathlib.Path(folder) / "herdd"
    wrapper.write_text(f"#!/bin/sh\nexec {' '.join(callgrind(folder))} {build / 'herdd'} \"$@\"\n")
    wrapper.chmod(0o755)
    with Herd(pathlib.Path(folder), ["Solo"], [], "workers: 1\n", herdd=str(wrapper)) as herd:
        solo = herd.start()["Solo"]
        with socket.create_connection(("127.0.0.1", solo.clients), timeout=60) as s:
            for first in range(0, reports, DEPTH):
                s.sendall(b"".join(b"IAMAT client-%05d +34.068930-118.445127 1700000000.%09d\n" % (i % 10000, i)
                                   for i in range(first, first + DEPTH)))
                receive(s, b"\n", DEPTH)
            for number in range(questions):
                s.sendall(b"WHATSAT client-%05d 10 5\n" % number)
                receive(s, b"\n\n", 1)
        assert solo.stop() == 0
    return instructions(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    build = parser.parse_args().build.resolve()
    if not shutil.which("valgrind"):
        sys.exit("instructions.py: valgrind is missing: apt-get install valgrind")
    runs = {"simulation": lambda folder: simulation(build, folder),
            "reports": lambda folder: node(build, folder, REPORTS, 0),
            "questions": lambda folder: node(build, folder, DEPTH, QUESTIONS),
            "start": lambda folder: node(build, folder, DEPTH, 0)}
    counts = {}
    for name, run in runs.items():
        with tempfile.TemporaryDirectory(prefix="herd-bench-") as folder:
            counts[name] = run(folder)
    print(f"{'':34}{'instructions':>16}")
    print(f"{f'simulation of seeds {SEEDS}':34}{counts['simulation']:16,}")
    print(f"{f'an IAMAT at depth {DEPTH}':34}{(counts['reports'] - counts['start']) / (REPORTS - DEPTH):16,.0f}")
    print(f"{'a WHATSAT, 10 km / 5':34}{(counts['questions'] - counts['start']) / QUESTIONS:16,.0f}")


if __name__ == "__main__":
    main()
