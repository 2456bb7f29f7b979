#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long herdctl takes as a whole process, in turn with redis-cli and
chronyc: medians of wall-clock and CPU time."""
import argparse
import os
import pathlib
import shutil
import statistics
import tempfile
import time

from servers import TOP, Servers
from nodes import Herd

CHRONYC = "/usr/bin/chronyc"


def run(command, env, null):
    """Wall-clock and CPU time of one whole process, in ms."""
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], command, env,
                         file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)])
    _, status, usage = os.wait4(pid, 0)
    took = time.perf_counter() - began
    assert os.waitstatus_to_exitcode(status) == 0, command
    return took * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--rounds", type=int, default=100)
    args = parser.parse_args()
    args.build = args.build.resolve()
    with tempfile.TemporaryDirectory(prefix="herd-bench-") as folder, Servers(args.build) as servers, \
            Herd(pathlib.Path(folder), settings="places: {provider: none}\nworkers: 1\n",
                 herdd=str(args.build / "herdd")) as herd:
        herd.start()
        herd.wait_synced()
        env = {"HOME": folder, "PATH": os.environ["PATH"], "HERD_CONFIG": str(herd.path), "TERM": "dumb"}
        ctl = [str(args.build / "herdctl"), "-c", str(herd.path), "-n", "Riley"]
        programs = {f"herdctl {' '.join(words)}": [*ctl, *words] for words in (
            ["version"], ["iamat", "here.example", "+34.068930-118.445127"], ["ping"], ["status"],
            ["-n", "all", "status"], ["peer", "ls"], ["herd", "status"])}
        redis = servers.redis()
        if redis:
            programs["redis-cli ping"] = [shutil.which("redis-cli"), "-p", str(redis[0]), "ping"]
        if os.access(CHRONYC, os.X_OK):
            programs["chronyc -v"] = [CHRONYC, "-v"]
        took = {name: [] for name in programs}
        null = os.open(os.devnull, os.O_RDWR)
        for _ in range(args.rounds):
            for name, command in programs.items():
                took[name].append(run(command, env, null))
        os.close(null)
        print(f"{'whole process, medians of ' + str(args.rounds):40}{'ms':>8}{'CPU ms':>8}")
        for name, samples in took.items():
            print(f"{name:40}" + "".join(f"{statistics.median(s[i] for s in samples):8.2f}" for i in (0, 1)))


if __name__ == "__main__":
    main()
