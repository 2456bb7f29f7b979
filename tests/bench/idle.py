#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node that has nothing to do costs: how often its threads wake up, and
their CPU time, alone and as one of five, beside Redis and memcached."""
import argparse
import pathlib
import tempfile
import time

from servers import TOP, Servers, cpu_ns
from nodes import CLASSIC, Herd


def wakes(pid):
    """How often each thread has gone to sleep of itself, by name and number."""
    threads = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines() if ":" in line)
        threads[status["Name"].strip(), task.name] = int(status["voluntary_ctxt_switches"])
    return threads


def measure(targets, seconds):
    """{name: (wake-ups a second by thread, CPU in percent of a core)}"""
    before = {name: (wakes(pid), cpu_ns(pid)) for name, pid in targets.items()}
    time.sleep(seconds)
    rows = {}
    for name, pid in targets.items():
        now, was = wakes(pid), before[name][0]
        rows[name] = ({thread: (count - was.get(thread, 0)) / seconds for thread, count in now.items()},
                      (cpu_ns(pid) - before[name][1]) / seconds / 1e7)
    return rows


def print_rows(rows):
    print(f"{'':26}{'wake-ups/s':>11}{'% of a core':>13}  by thread")
    for name, (threads, cpu) in rows.items():
        by = ", ".join(f"{thread[0]} {rate:.1f}" for thread, rate in sorted(threads.items()) if rate >= 0.05)
        print(f"{name:26}{sum(threads.values()):11.1f}{cpu:13.3f}  {by}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    herdd = str(args.build.resolve() / "herdd")
    with tempfile.TemporaryDirectory(prefix="herd-bench-") as folder, Servers(args.build) as servers:
        folders = [pathlib.Path(folder) / name for name in ("one", "five")]
        for path in folders:
            path.mkdir()
        with Herd(folders[0], ["Solo"], [], herdd=herdd) as one, \
                Herd(folders[1], herdd=herdd, settings="expire_after: 1d\n") as five:
            one.start()
            five.start()
            five.wait_synced()
            targets = {"herdd alone": one["Solo"].process.pid}
            targets |= {f"herdd of five, {name}": five[name].process.pid for name in CLASSIC["nodes"]}
            for name, peer in (("redis-server", servers.redis()), ("memcached", servers.memcached())):
                if peer:
                    targets[name] = peer[1]
            measure(targets, 12)  # what came with the start is over
            print_rows(measure(targets, args.seconds))


if __name__ == "__main__":
    main()
