#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many questions at once against an upstream that takes 200 ms: how long they
wait, and what a client that only reports notices of it. The upstream is the
tests' fake one on loopback."""
import argparse
import contextlib
import json
import math
import pathlib
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time

from servers import TOP
from nodes import Herd, wait_until
import fake_places

QUESTIONS = 1000
UPSTREAM_S = 0.2


@contextlib.contextmanager
def upstream(folder):
    """The fake in a process of its own, so that it has its own time."""
    process = subprocess.Popen(
        [sys.executable, fake_places.__file__, "good", str(UPSTREAM_S), str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def ask_all(node):
    """Each question on a connection of its own, all at once: seconds until
    each is answered, and the answers' statuses."""
    waiting, took, statuses = {}, [], {}
    poll = select.epoll()
    sockets = [socket.create_connection(("127.0.0.1", node.clients)) for _ in range(QUESTIONS)]
    began = time.monotonic()
    for i, s in enumerate(sockets):
        s.sendall(b"WHATSAT place-%04d 10 5\n" % i)
        waiting[s.fileno()] = [s, b""]
        poll.register(s, select.EPOLLIN)
    while waiting:
        for fd, _ in poll.poll(30):
            entry = waiting[fd]
            entry[1] += entry[0].recv(65536)
            if not entry[1].endswith(b"\n\n"):
                continue
            took.append(time.monotonic() - began)
            body = json.loads(entry[1].split(b"\n", 1)[1])
            statuses[body["status"]] = statuses.get(body["status"], 0) + 1
            poll.unregister(fd)
            entry[0].close()
            del waiting[fd]
    poll.close()
    return sorted(took), statuses


def reports(build, node, seconds, out):
    """One client that reports, one at a time: its latency."""
    run = subprocess.run([str(build / "load"), "iamat", str(node.clients), str(node.process.pid), "1", "1",
                          str(seconds), "1000"], check=True, capture_output=True, text=True)
    out.append(json.loads(run.stdout))


def bench(build, concurrent):
    with tempfile.TemporaryDirectory(prefix="herd-bench-") as folder, upstream(folder) as fake:
        key = pathlib.Path(folder) / "key-file"
        key.write_text(fake_places.KEY)
        key.chmod(0o600)
        settings = (f"places: {{provider: google, key_file: {key}, connect_to: \"{fake['connect_to']}\", "
                    f"ca_file: {fake['ca_file']}, max_concurrent: {concurrent}}}\nworkers: 1\n")
        with Herd(pathlib.Path(folder), ["Solo"], [], settings, herdd=str(build / "herdd")) as herd:
            node = herd.start()["Solo"]
            node.ask(b"".join(b"IAMAT place-%04d +%08.4f+010.0000 1000\n" % (i, i / 20) for i in range(QUESTIONS)))
            alone, beside = [], []
            reports(build, node, 2, alone)
            thread = threading.Thread(target=reports, args=(build, node, 2, beside))
            thread.start()
            wait_until(lambda: thread.is_alive(), "the reports begin")
            took, statuses = ask_all(node)
            thread.join()
            print(json.dumps({
                "bench": f"{QUESTIONS} WHATSAT at once, upstream {UPSTREAM_S * 1000:.0f} ms, "
                         f"max_concurrent {concurrent}",
                "expected_s": round(math.ceil(QUESTIONS / concurrent) * UPSTREAM_S, 2),
                "p50_s": round(took[len(took) // 2], 2), "max_s": round(took[-1], 2), "statuses": statuses,
                "iamat_alone_us": {k: alone[0][f"{k}_us"] for k in ("p50", "p99")},
                "iamat_beside_us": {k: beside[0][f"{k}_us"] for k in ("p50", "p99")}}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    args = parser.parse_args()
    args.build = args.build.resolve()
    for concurrent in (16, 100):
        bench(args.build, concurrent)


if __name__ == "__main__":
    main()
