# SPDX-License-Identifier: GPL-3.0-or-later
"""Links whose hosts are names: looked up aside, so that a DNS server without
an answer stops nobody; all addresses of a name are tried."""
import os
import pathlib
import re
import socket
import subprocess
import time

import pytest

from nodes import Herd, wait_until
from peer import Peer
from test_links import SETTINGS, reload

SHIM = pathlib.Path(__file__).with_name("names_shim.c")
LINKS = [("Ann", "Bob"), ("Ann", "Zoe")]  # Ann dials both


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    built = tmp_path_factory.mktemp("shim") / "names_shim.so"
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O1", "-fPIC", "-shared",
                    "-o", str(built), str(SHIM)], check=True, timeout=60)
    return built


class Names:
    """What the resolver of the herd's nodes says."""

    def __init__(self, folder):
        self.path = folder / "names"
        self.known = {}
        self.fifos = []
        self.folder = folder

    def say(self, name, *words):
        self.known[name] = words
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(" ".join((name, *words)) + "\n" for name, words in self.known.items()))
        fresh.rename(self.path)

    def say_nothing(self, name, *later):
        """No answer to this name until release(), then `later`."""
        fifo = self.folder / f"fifo{len(self.fifos)}"
        os.mkfifo(fifo)
        self.fifos.append(fifo)
        self.say(name, f"@{fifo}", *later)
        return fifo

    @staticmethod
    def waits(fifo):
        """Does a lookup wait there? If so it waits no more."""
        try:
            os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            return False
        return True

    def release(self, fifo):
        wait_until(lambda: self.waits(fifo), "a lookup waits")


@pytest.fixture
def names(tmp_path, shim, monkeypatch):
    names = Names(tmp_path)
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    monkeypatch.setenv("HERD_TEST_NAMES", str(names.path))
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
    return names


def herd_of(folder, herd_names=("Ann", "Bob", "Zoe"), links=None, settings="", hosts=None):
    """Where Ann dials Zoe at zoe.test. No key for a name: link_security none."""
    herd = Herd(folder, list(herd_names), LINKS if links is None else links,
                SETTINGS + "link_security: none\n" + settings)
    text = herd.text()
    for name, host in (hosts or {"Zoe": "zoe.test"}).items():
        text = text.replace(f"127.0.0.1:{herd[name].peers}", f"{host}:{herd[name].peers}")
    herd["Ann"].path = herd.folder / "Ann.yaml"
    herd["Ann"].path.write_text(text)
    return herd


def threads(node):
    found = []
    for task in pathlib.Path(f"/proc/{node.process.pid}/task").iterdir():
        try:
            found.append((task / "comm").read_text().strip())
        except OSError:
            pass  # it has ended
    return found


def test_dns_server_without_an_answer_stops_no_other_link(tmp_path, names):
    fifo = names.say_nothing("zoe.test", "127.0.0.1")
    with herd_of(tmp_path) as herd:
        herd.start()
        ann, bob = herd["Ann"], herd["Bob"]
        ann.wait_log("event=link-up peer=Bob")
        wait_until(lambda: "lookup" in threads(ann), "Zoe is being looked up")
        began = time.monotonic()
        rounds = 0
        # Longer than the lookup's deadline, and its redial after that.
        while not re.search("event=link-down peer=Zoe", ann.log()) or rounds < 50:
            rounds += 1
            sent = time.monotonic()
            line, = ann.iamat((b"c%d" % rounds, b"+1+1", b"1"))
            wait_until(lambda: bob.at_line(b"c%d" % rounds) == line, "the other link flows")
            assert time.monotonic() - sent < 3, "the other link was held up"
        assert time.monotonic() - began > 4
        assert "link-down peer=Bob" not in ann.log().partition("link-up peer=Bob")[2]
        ann.wait_log(r'event=link-down peer=Zoe reason=none error="cannot look up zoe.test: no answer in 5 s" '
                     r'next="looking it up again with backoff; check the host of Zoe in the herd file, /etc/hosts '
                     r'and DNS"')
        assert threads(ann).count("lookup") == 1
        # The answer is of use however late it comes.
        names.say("zoe.test")
        names.release(fifo)
        ann.wait_log(rf"event=link-up peer=Zoe address=127\.0\.0\.1:{herd['Zoe'].peers}\b")
        wait_until(lambda: "lookup" not in threads(ann), "the lookup has ended")
        assert len(herd.wait_equal([b"c%d" % i for i in range(1, rounds + 1)])) == rounds


def test_stop_does_not_wait_for_a_lookup(tmp_path, names):
    names.say_nothing("zoe.test")
    with herd_of(tmp_path) as herd:
        ann = herd["Ann"].start()
        wait_until(lambda: "lookup" in threads(ann), "Zoe is being looked up")
        began = time.monotonic()
        assert ann.stop() == 0
        assert time.monotonic() - began < 3


def test_name_that_does_not_exist_is_logged_once_with_what_to_do(tmp_path, names):
    names.say("zoe.test")
    with herd_of(tmp_path) as herd:
        herd.start()
        ann = herd["Ann"]
        ann.wait_log(r'event=link-down peer=Zoe reason=none error="cannot look up zoe.test: Name or service not '
                     r'known" next="looking it up again with backoff; check the host of Zoe')
        ann.wait_log("event=link-up peer=Bob")
        names.say("zoe.test", "127.0.0.1")
        ann.wait_log("event=link-up peer=Zoe")
        assert ann.log().count("link-down peer=Zoe") == 1


def test_all_addresses_of_a_name_are_tried_in_turn(tmp_path, names):
    # Nobody listens at the first; at the second somebody else does.
    names.say("zoe.test", "127.0.0.2", "127.0.0.3", "127.0.0.1")
    with herd_of(tmp_path) as herd:
        with socket.create_server(("127.0.0.3", herd["Zoe"].peers)) as other:
            other.listen()
            herd["Zoe"].start()
            ann = herd["Ann"].start()
            other.settimeout(20)
            with other.accept()[0] as wrong:
                wrong.sendall(b"SSH-2.0-nobody\r\n")
                ann.wait_log(rf"event=link-up peer=Zoe address=127\.0\.0\.1:{herd['Zoe'].peers}\b")
            assert "link-down peer=Zoe" not in ann.log()


def test_silent_address_keeps_nobody_away_while_the_peer_knocks(tmp_path, names):
    # Zoe knocks on, and each knock may begin the attempt again.
    names.say("zoe.test", "127.0.0.3", "127.0.0.2", "127.0.0.1")
    with herd_of(tmp_path) as herd:
        with socket.create_server(("127.0.0.3", herd["Zoe"].peers)), \
                socket.create_server(("127.0.0.2", herd["Zoe"].peers)):
            herd["Zoe"].start()
            ann = herd["Ann"].start()
            ann.wait_log(rf"event=link-up peer=Zoe address=127\.0\.0\.1:{herd['Zoe'].peers}\b")


def test_knock_does_not_lose_what_was_looked_up(tmp_path, names):
    # With a slow resolver, knocks would else come faster than anything is dialled.
    names.say("zoe.test", "127.0.0.1")
    with herd_of(tmp_path) as herd:
        with socket.create_server(("127.0.0.1", herd["Zoe"].peers)) as zoe, Peer("Zoe") as knocks:
            zoe.settimeout(20)
            ann = herd["Ann"].start()
            with zoe.accept()[0]:
                names.say("zoe.test")
                knocks.dial(ann.peers, "Ann", more=[b"knock=1"])
                with zoe.accept()[0]:
                    pass
        ann.wait_log('event=link-down peer=Zoe reason=none error="cannot look up zoe.test: Name or service not known"')


def test_node_that_refuses_is_not_asked_at_its_other_addresses(tmp_path, names):
    names.say("zoe.test", "127.0.0.1", "127.0.0.2")
    with herd_of(tmp_path) as herd:
        herd.write_for("Zoe", links=[("Ann", "Bob")], settings=SETTINGS)
        herd["Zoe"].start()
        with socket.create_server(("127.0.0.2", herd["Zoe"].peers)) as other:
            ann = herd["Ann"].start()
            ann.wait_log(r'event=link-down peer=Zoe reason=not-configured error="peer says '
                         r'not-configured: .*an operator must fix it; dialling again in 30 s')
            other.setblocking(False)
            with pytest.raises(BlockingIOError):
                other.accept()


def test_when_no_address_of_a_name_answers_the_last_error_is_told(tmp_path, names):
    names.say("zoe.test", "127.0.0.2", "127.0.0.3", "127.0.0.1")
    with herd_of(tmp_path) as herd:
        ann = herd["Ann"].start()
        peers = herd["Zoe"].peers
        ann.wait_log(rf'event=link-down peer=Zoe reason=none error="127\.0\.0\.1:{peers}: Connection refused '
                     r'\(address 3 of 3 of zoe\.test\)" next="dialling again with backoff"')
        assert ann.log().count("link-down peer=Zoe") == 1
        herd["Zoe"].start()
        ann.wait_log("event=link-up peer=Zoe")


def test_numeric_hosts_begin_no_thread(tmp_path, names):
    names.say("zoe.test")
    with herd_of(tmp_path, hosts={"Zoe": "127.0.0.1"}) as herd:
        ann = herd["Ann"].start()
        ann.wait_log("event=link-down peer=Zoe")
        assert "lookup" not in threads(ann)


def test_link_that_leaves_the_file_while_its_name_is_looked_up_is_forgotten(tmp_path, names):
    fifo = names.say_nothing("zoe.test", "127.0.0.1")
    with herd_of(tmp_path) as herd:
        herd.start()
        ann = herd["Ann"]
        wait_until(lambda: "lookup" in threads(ann), "Zoe is being looked up")
        whole = ann.path.read_text()
        ann.path.write_text(whole.replace(", [Ann, Zoe]", ""))
        reload(ann)
        names.release(fifo)
        wait_until(lambda: "lookup" not in threads(ann), "the lookup has ended")
        ann.wait_log("event=link-up peer=Bob")
        line, = ann.iamat((b"c", b"+1+1", b"1"))
        wait_until(lambda: herd["Bob"].at_line(b"c") == line, "Bob has it")
        assert "peer=Zoe" not in ann.log()
        names.say("zoe.test", "127.0.0.1")
        ann.path.write_text(whole)
        reload(ann)
        ann.wait_log("event=link-up peer=Zoe")
        assert "link-down peer=Bob" not in ann.log().partition("link-up peer=Bob")[2]


def test_listening_on_a_name_that_does_not_exist_says_so(tmp_path, names):
    names.say("ann.test")
    with herd_of(tmp_path, hosts={"Ann": "ann.test"}) as herd:
        ann = herd["Ann"].start(wait=False)
        status = ann.process.wait(timeout=20)
        ann.process = None
        assert status != 0
        assert re.search(r"cannot listen on ann\.test:\d+: Name or service not known; is the host in the herd file "
                         r"spelled right", ann.log()), ann.log()


def test_listening_on_a_name_takes_the_first_address_that_is_here(tmp_path, names):
    names.say("ann.test", "192.0.2.1", "127.0.0.4")
    with herd_of(tmp_path, hosts={"Ann": "ann.test"}) as herd:
        herd["Ann"].start()
        with socket.create_connection(("127.0.0.4", herd["Ann"].peers), timeout=20) as s:
            assert s.recv(100).startswith(b"HELLO herd/1 ")


