#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lists of a large table cost: herdctl beside redis-cli and psql with the
same clients on the same machine in the same run. Each line is the median over
rounds in turn: when the first line came, when the last, and CPU of the server
and of the command. PostgreSQL and Redis are left out where they are missing."""
import argparse
import os
import pathlib
import pwd
import shutil
import statistics
import subprocess
import tempfile
import time

from servers import TOP, Servers, cpu_ns
from nodes import Herd, free_ports, read_lines, wait_until

POSTGRES = "/usr/lib/postgresql/15/bin"
SPAN_S = 7200  # how old the oldest report is


def rows(count, now):
    """id, latitude, longitude, time."""
    for i in range(count):
        yield (f"vehicle-{i:08d}.example", 34 + i % 1000 / 1000, 118 + i // 1000 % 1000 / 1000,
               f"{now - i * SPAN_S / count - 0.5:.9f}")


def fill_herd(node, count, now):
    with node.connect() as s:
        chunk = []
        for n, (client, lat, lon, at) in enumerate(rows(count, now), 1):
            chunk.append(b"IAMAT %s %+.6f-%.6f %s\n" % (client.encode(), lat, lon, at.encode()))
            if len(chunk) == 1000 or n == count:
                s.sendall(b"".join(chunk))
                read_lines(s, len(chunk))
                chunk = []


def fill_redis(port, count, now):
    cli = subprocess.Popen(["redis-cli", "-p", str(port), "--pipe"], stdin=subprocess.PIPE,
                           stdout=subprocess.DEVNULL)
    for client, lat, lon, at in rows(count, now):
        cli.stdin.write(f"SET {client} {lat:+.6f}-{lon:.6f},{at}\r\n".encode())
    cli.stdin.close()
    assert cli.wait() == 0


class Postgres:
    """A cluster in a folder of its own, as a user that PostgreSQL accepts."""

    def __init__(self, folder, servers):
        self.folder, self.port = folder, free_ports(1)[0]
        self.user = []
        if os.getuid() == 0:
            self.user = ["runuser", "-u", "nobody", "--"]
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        subprocess.run([*self.user, f"{POSTGRES}/initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "bench",
                        "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd="/")
        self.process = servers.spawn(*self.user, f"{POSTGRES}/postgres", "-D", f"{folder}/data", "-p",
                                     str(self.port), "-h", "127.0.0.1", "-k", str(folder), cwd="/",
                                     stderr=subprocess.DEVNULL)
        wait_until(lambda: subprocess.run([f"{POSTGRES}/pg_isready", "-h", "127.0.0.1", "-p", str(self.port)],
                                          stdout=subprocess.DEVNULL, check=False).returncode == 0, "ready")
        self.sql("CREATE TABLE clients (client text PRIMARY KEY, lat float8, lon float8, at numeric)")

    def psql(self, text):
        return ["psql", "-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench",
                "-d", "postgres", "-c", text]

    def sql(self, text, **options):
        return subprocess.run(self.psql(text), check=True, **options)

    def fill(self, count, now):
        text = "".join(f"{c}\t{lat}\t{-lon}\t{at}\n" for c, lat, lon, at in rows(count, now))
        self.sql("\\copy clients from stdin", input=text.encode())
        self.sql("VACUUM ANALYZE clients")

    def pids(self):
        """The server and what it has started so far."""
        found, todo = [], [self.process.pid]
        while todo:
            found.append(todo.pop())
            for task in pathlib.Path(f"/proc/{found[-1]}/task").iterdir():
                todo += map(int, (task / "children").read_text().split())
        return found


def children_cpu(server):
    """CPU of a server's processes, those that have ended too."""
    def ticks(pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15]))
    return sum(ticks(pid) for pid in server.pids()) * 1000 / os.sysconf("SC_CLK_TCK")


def measure(command, server_ms):
    """First and last line and CPU, in ms; and how many lines there were."""
    before, began = server_ms(), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd="/")
    first, lines = None, 0
    while True:
        data = os.read(process.stdout.fileno(), 1 << 20)
        if not data:
            break
        lines += data.count(b"\n")
        # A plain table's first line is its titles.
        if first is None and lines > 1:
            first = (time.monotonic() - began) * 1000
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return {"first": first or 0, "last": (time.monotonic() - began) * 1000, "server": server_ms() - before,
            "command": (usage.ru_utime + usage.ru_stime) * 1000, "lines": lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release")
    parser.add_argument("--clients", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    build, now = args.build.resolve(), time.time()
    with tempfile.TemporaryDirectory(prefix="herd-bench-") as folder, Servers(build) as servers, \
            Herd(pathlib.Path(folder), ["Solo"], [], "places: {provider: none}\nworkers: 1\n",
                 herdd=str(build / "herdd")) as herd:
        node = herd.start()["Solo"]
        fill_herd(node, args.clients, now)
        ctl = [str(build / "herdctl"), "-c", str(herd.path), "-n", "Solo", "-X"]

        def herd_ms():
            return cpu_ns(node.process.pid) / 1e6
        few = f"'*{args.clients // 2 % 100000:05d}.example'"
        tests = [
            ("herdctl client ls", [*ctl, "client", "ls"], herd_ms),
            ("herdctl client ls, sorted, 20", [*ctl, "client", "ls", "--sort", "received_at:desc", "--limit",
                                               "20"], herd_ms),
            ("herdctl client ls --where, few", [*ctl, "client", "ls", "--where", f"client ~ {few}"], herd_ms),
            ("herdctl client count --where age", [*ctl, "client", "count", "--where", "age > 1h"], herd_ms),
            ("the ids for a Tab", ["curl", "-s", "--unix-socket", node.admin,
                                   "http://x/v1/clients?limit=1000&sort=table&prefix=vehicle-00123"], herd_ms),
            ("herdctl client export", [*ctl, "client", "export"], herd_ms),
            ("herdctl client export --exact", [*ctl, "client", "export", "--exact"], herd_ms),
            ("curl /v1/clients?stream (the bytes)", ["curl", "-sN", "--unix-socket", node.admin,
                                                     "http://x/v1/clients?stream"], herd_ms)]
        if redis := servers.redis():
            port, pid = redis
            fill_redis(port, args.clients, now)

            def redis_ms():
                return cpu_ns(pid) / 1e6
            tests += [("redis-cli --scan", ["redis-cli", "-p", str(port), "--scan"], redis_ms),
                      ("redis-cli --scan --pattern, few", ["redis-cli", "-p", str(port), "--scan", "--pattern",
                                                           few.strip("'")], redis_ms)]
        if os.path.exists(f"{POSTGRES}/initdb") and shutil.which("psql"):
            (pathlib.Path(servers.folder.name) / "pg").mkdir()
            os.chmod(servers.folder.name, 0o755)
            base = Postgres(f"{servers.folder.name}/pg", servers)
            base.fill(args.clients, now)

            def base_ms():
                return children_cpu(base)
            tests += [("psql \\copy to stdout", base.psql("\\copy clients to stdout"), base_ms),
                      ("psql ORDER BY at DESC LIMIT 20", base.psql(
                          "SELECT * FROM clients ORDER BY at DESC LIMIT 20"), base_ms),
                      ("psql WHERE client LIKE, few", base.psql(
                          "SELECT * FROM clients WHERE client LIKE '%s'" % few.strip("'").replace("*", "%")), base_ms),
                      ("psql count WHERE age", base.psql(
                          f"SELECT count(*) FROM clients WHERE at < {now - 3600}"), base_ms)]
        samples = {name: [] for name, _, _ in tests}
        for _ in range(args.rounds):
            for name, command, server_ms in tests:
                samples[name].append(measure(command, server_ms))
        print(f"{args.clients:,} clients; medians of {args.rounds} rounds in turn; ms")
        print(f"{'':38}{'first line':>11}{'last':>9}{'server CPU':>12}{'command CPU':>13}{'lines':>11}")
        for name, _, _ in tests:
            middle = {key: statistics.median(s[key] for s in samples[name]) for key in samples[name][0]}
            print(f"{name:38}{middle['first']:11.1f}{middle['last']:9.0f}{middle['server']:12.0f}"
                  f"{middle['command']:13.0f}{middle['lines']:11,.0f}")
        whole = [statistics.median(s["server"] + s["command"] for s in samples["herdctl client export"]),
                 statistics.median(s["server"] for s in samples["curl /v1/clients?stream (the bytes)"])]
        print(f"export, node and herdctl together: {whole[0] / whole[1]:.1f} x the node's CPU for the same lines")
        slow = node.log(whole=True).count("event=slow-turn")
        print(f"turns of a loop of 50 ms or more: {slow}")


if __name__ == "__main__":
    main()
