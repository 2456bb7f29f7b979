# SPDX-License-Identifier: GPL-3.0-or-later
"""The peers that herdd is measured beside, and their CPU time. They listen on
loopback only and are ended by pid."""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "system"))

from nodes import free_ports, wait_until  # noqa: E402


def listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def cpu_ns(*pids):
    """CPU time of all threads of the processes so far."""
    return sum(int((task / "schedstat").read_text().split()[0])
               for pid in pids for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def settled_cpu_ns(*pids):
    """The same once they are done with what they were given."""
    before = cpu_ns(*pids)
    for _ in range(100):
        time.sleep(0.1)
        now = cpu_ns(*pids)
        if now - before < 2000000 * len(pids):
            return now
        before = now
    raise AssertionError("the servers do not come to rest")


class Servers:
    """Everything that is started here, ended here."""

    def __init__(self, build):
        self.build = build
        self.processes = []
        self.folder = tempfile.TemporaryDirectory(prefix="herd-bench-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self.folder.cleanup()

    def spawn(self, *command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def echo(self, program="echo"):
        process = self.spawn(str(self.build / program), stdout=subprocess.PIPE, text=True)
        return int(process.stdout.readline()), process.pid

    def redis(self, *options):
        """A server's port and pid; None without Redis."""
        if not shutil.which("redis-server"):
            return None
        port = free_ports(1)[0]
        process = self.spawn("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                             "--appendonly", "no", "--dir", self.folder.name, *options, stdout=subprocess.DEVNULL)
        wait_until(lambda: listening(port), "redis listens")
        return port, process.pid

    def memcached(self):
        if not shutil.which("memcached"):
            return None
        port = free_ports(1)[0]
        process = self.spawn("memcached", "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-t", "1",
                             "-m", "1024", "-u", "nobody", stderr=subprocess.DEVNULL)
        wait_until(lambda: listening(port), "memcached listens")
        return port, process.pid
