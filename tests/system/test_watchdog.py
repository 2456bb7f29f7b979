# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watchdog tells systemd and the log."""
import re
import signal
import socket
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
        until = time.monotonic() + 1.2
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
