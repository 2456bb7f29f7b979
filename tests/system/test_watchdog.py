# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watchdog tells systemd and the log."""
import fcntl
import os
import re
import signal
import socket
import subprocess
import time

from api import Api
from nodes import Herd, wait_until


def test_systemd_hears_that_the_node_lives(tmp_path, monkeypatch):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(path))
        s.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        with Herd(tmp_path, ["Solo"], []) as herd:
            solo = herd.start()["Solo"]
            heard = [s.recv(100) for _ in range(4)]
            assert sorted(set(heard)) == [b"READY=1", b"WATCHDOG=1"]
            assert solo.stop() == 0
            while heard[-1] != b"STOPPING=1":
                heard.append(s.recv(100))
            s.setblocking(False)
            try:
                assert s.recv(100) == b"WATCHDOG=1"  # it was under way
            except BlockingIOError:
                pass


def test_the_watchdog_is_not_anothers(tmp_path, monkeypatch):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(path))
        s.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "1000")
        monkeypatch.setenv("WATCHDOG_PID", "1")
        with Herd(tmp_path, ["Solo"], []) as herd:
            solo = herd.start()["Solo"]
            assert solo.stop() == 0
        assert [s.recv(100), s.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_a_pause_of_the_process_is_told(tmp_path):
    with Herd(tmp_path, ["Solo"], []) as herd:
        solo = herd.start()["Solo"]
        solo.send_signal(signal.SIGSTOP)
        until = time.monotonic() + 2.2
        wait_until(lambda: time.monotonic() > until, "the pause")
        solo.send_signal(signal.SIGCONT)
        solo.wait_log(r"level=warn event=paused ms=\d{4}\b")
        assert solo.ask(b"WHATSAT x 1 1\n") == b"? WHATSAT x 1 1\n"


def test_turns_are_metrics(tmp_path):
    with Herd(tmp_path, ["Solo"], [], "workers: 2\n") as herd:
        solo = herd.start()["Solo"]
        for thread in ("main", "links", "worker-0", "worker-1"):
            for metric in ("herd_slow_turns_total", "herd_longest_turn_seconds"):
                sample = rf'^{metric}{{thread="{thread}"}} [0-9.e-]+$'
                wait_until(lambda: re.search(sample, Api(solo.admin).get("/metrics").body.decode(), re.M), sample)


def test_log_that_nobody_reads_stops_nobody(tmp_path):
    """The reader of standard error stops reading: lines are lost, and later
    counted, but clients and links go on."""
    with Herd(tmp_path, ["Solo", "Peer"], [("Peer", "Solo")], "log: {level: debug}\n") as herd:
        solo = herd["Solo"]
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 8192)
        solo.process = subprocess.Popen([herd.herdd, "-c", str(herd.path), "Solo"], stdin=subprocess.DEVNULL,
                                        stdout=writer, stderr=writer)
        os.close(writer)
        said = b""
        while b"event=ready" not in said:
            said += os.read(reader, 4096)
        api = Api(solo.admin)

        strangers = iter(range(256, 1 << 16))

        def stranger():
            # Each from an address of its own: the log is told of each once.
            source = "127.1.%d.%d" % divmod(next(strangers), 256)
            with socket.create_connection(("127.0.0.1", solo.peers), timeout=20, source_address=(source, 0)) as s:
                s.sendall(b"who?\n")
                while s.recv(4096):
                    pass

        def log_lines():
            return api.get("/v1/log?n=1000").body.count(b"link-refused")

        # Two seconds' worth of what one event may log is more than fits.
        def full():
            stranger()
            return log_lines() > 80
        wait_until(full, "the pipe is full")
        began = time.monotonic()
        assert solo.ask(b"IAMAT c +1+1 5\n").startswith(b"AT Solo ")
        herd["Peer"].start()
        herd["Peer"].wait_log("event=link-up peer=Solo")
        assert time.monotonic() - began < 15
        os.set_blocking(reader, False)
        said = b""

        def told():
            nonlocal said
            stranger()
            try:
                said += os.read(reader, 65536)
            except BlockingIOError:
                pass
            return re.search(rb'event=log-lost count=\d+ error="nobody read the log" next="GET /v1/log', said)
        wait_until(told, "what was lost is told")
        os.close(reader)
        assert solo.stop() == 0
