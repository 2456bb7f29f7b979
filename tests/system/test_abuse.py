# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that misuse a node: others are served all the while, its memory
stays within the bound that it exports, and comes back when they leave."""
import json
import re

import pytest

from abusers import BIG_PLACE, BIG_QUESTION, Abusers, raise_file_limit
from api import Api
from nodes import Herd, read_lines, wait_until

IDLE, SLOW, READERS = 10000, 1000, 500
SETTINGS = "workers: 2\nmax_connections: 12000\n"
FILES = 13000


@pytest.fixture(autouse=True)
def files():
    if not raise_file_limit(FILES):
        pytest.skip(f"needs {FILES} open files")


@pytest.fixture
def start(tmp_path):
    herds = []

    def start(settings=""):
        herds.append(Herd(tmp_path, ["Solo"], [], SETTINGS + settings))
        return herds[-1].start()["Solo"]
    yield start
    for herd in herds:
        herd.stop()


def metrics(node):
    text = Api(node.admin).get("/metrics").body.decode()
    return {name: float(value) for name, value in re.findall(r"^(herd_\w+) (\S+)$", text, re.M)}


def assert_bounded(node):
    now = metrics(node)
    assert now["herd_resident_memory_bytes"] < now["herd_memory_bound_bytes"]
    return now


class Others:
    """One client that stays, and new ones: what each is told must be right."""

    def __init__(self, node):
        self.node, self.time, self.socket = node, 1000, node.connect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def check(self):
        self.time += 1
        at = b"%d" % self.time
        self.socket.sendall(b"IAMAT other " + BIG_PLACE + b" " + at + b"\n")
        told = read_lines(self.socket, 1)
        assert re.fullmatch(rb"AT Solo \+\d+\.\d{9} other " + re.escape(BIG_PLACE) + b" " + at + b"\n", told), told
        answer = self.node.ask(b"WHATSAT other 10 5\n")
        assert answer.startswith(told)
        assert len(json.loads(answer[len(told):])["results"]) == 5


def wait_gone(node, connections=1):
    """All but the one that stays have left, and hold nothing any more."""
    def gone():
        now = metrics(node)
        return now["herd_connections"] == connections and now["herd_connections_busy"] == 0
    wait_until(gone, "the connections are gone")


def assert_repeatable(node, abuse):
    """The same once more needs no more memory: it was given back."""
    first = abuse()
    wait_gone(node)
    second = abuse()
    wait_gone(node)
    assert second < first * 1.25 + (8 << 20), f"{first} bytes, then {second}"


def test_10000_idle_connections(start):
    node = start()
    before = metrics(node)
    with Others(node) as others:
        def abuse():
            with Abusers(node.clients, IDLE) as idle:
                wait_until(lambda: metrics(node)["herd_connections"] >= IDLE + 1, "all are in")
                for _ in range(20):
                    others.check()
                now = assert_bounded(node)
                # An idle connection costs no buffer.
                assert now["herd_connections_busy"] == 0
                grown = now["herd_resident_memory_bytes"] - before["herd_resident_memory_bytes"]
                assert grown < IDLE * 2048 + (16 << 20)
                # They are idle, not forgotten.
                assert idle.send(b"x\n") == IDLE
                waiting = set(range(IDLE))

                def answered():
                    for i in list(waiting):
                        try:
                            assert idle.sockets[i].recv(100) == b"? x\n"
                            waiting.discard(i)
                        except BlockingIOError:
                            pass
                    return not waiting
                wait_until(answered, "each has its answer")
                others.check()
                return metrics(node)["herd_resident_memory_bytes"]
        assert_repeatable(node, abuse)
    assert metrics(node)["herd_connections_refused_total"] == 0


def test_1000_connections_that_send_a_byte_at_a_time(start):
    node = start("request_timeout: 30s\n")
    request = b"IAMAT slow " + BIG_PLACE + b" 5\n"
    before = metrics(node)["herd_resident_memory_bytes"]
    with Others(node) as others:
        def abuse():
            with Abusers(node.clients, SLOW) as slow:
                for byte in request[:-1]:
                    assert slow.send(bytes([byte])) == SLOW
                    others.check()
                wait_until(lambda: metrics(node)["herd_connections_busy"] == SLOW, "all have begun")
                memory = assert_bounded(node)["herd_resident_memory_bytes"]
                # A request begun costs its own bytes, not a buffer to read into.
                assert memory < before + SLOW * 4096 + (16 << 20)
                assert slow.receive() == [b""] * SLOW
                assert slow.send(b"\n") == SLOW
                got = [b""] * SLOW

                def answered():
                    for i, more in enumerate(slow.receive()):
                        got[i] += more
                    return all(line.endswith(b"\n") for line in got)
                wait_until(answered, "each has its answer")
                assert all(line.startswith(b"AT Solo ") and line.endswith(b" 5\n") for line in got)
                return memory
        assert_repeatable(node, abuse)


def test_requests_that_do_not_end_are_ended(start):
    # A byte now and then does not buy time: it counts from the first one.
    node = start("request_timeout: 500ms\n")
    with Others(node) as others, Abusers(node.clients, SLOW) as slow:
        def all_gone():
            slow.send(b"x")
            others.check()
            return slow.receive() == [None] * SLOW
        wait_until(all_gone, "all slow requests are ended")
        others.check()
        wait_gone(node)
        assert metrics(node)["herd_connections_timed_out_total"] == SLOW


def test_500_readers_that_never_read(start):
    node = start("write_timeout: 2s\n")
    node.ask(b"IAMAT big " + BIG_PLACE + b" 5\n")
    with Others(node) as others:
        def abuse():
            ended = metrics(node)["herd_connections_timed_out_total"]
            peak = 0
            with Abusers(node.clients, READERS, receive_buffer=4096) as readers:
                readers.send(BIG_QUESTION * 400)

                def all_ended():
                    nonlocal peak
                    others.check()
                    now = assert_bounded(node)
                    peak = max(peak, now["herd_resident_memory_bytes"])
                    return now["herd_connections_timed_out_total"] == ended + READERS
                wait_until(all_ended, "all readers are dropped")
                wait_until(lambda: readers.dropped() == READERS, "they see it")
                return peak
        assert_repeatable(node, abuse)
