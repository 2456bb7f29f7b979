# SPDX-License-Identifier: GPL-3.0-or-later
"""Another implementation of the link protocol (peer.py) joins a herd."""
import http.client
import re
import socket
import time

import pytest

from nodes import TOP, Herd, wait_until
from peer import Peer, client_of, params, rank, siphash

SETTINGS = ("workers: 1\nplaces: {provider: none}\n"
            "link: {ping_after: 200ms, dead_after: 5s, redial_max: 100ms}\n")


class Joined:
    """Two nodes in a row, Riley and Sam, and a peer at Riley: Alice, who
    dials, or Zoe, who is dialled."""

    def __init__(self, folder, name, settings=SETTINGS, features=(b"pairs",)):
        self.herd = Herd(folder, ["Riley", "Sam", name], [("Riley", "Sam"), ("Riley", name)], settings)
        self.peer = Peer(name, features=features)
        self.riley, self.sam = self.herd["Riley"], self.herd["Sam"]
        self.riley.start()
        self.sam.start()
        self.riley.wait_log("event=link-up peer=Sam")
        self.sam.wait_log("event=link-up peer=Riley")
        # Whom Riley dials it finds when it has data: it says fresh=0.
        if name > "Riley":
            self.peer.listen(self.herd[name].peers)

    def connect(self, **hello):
        if self.peer.listener is not None:
            self.peer.accept(**hello)
        else:
            self.peer.dial(self.riley.peers, "Riley", **hello)

    def join(self):
        self.connect()
        return self.peer.sync()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.close()
        for node in (self.riley, self.sam):
            node.stop()


@pytest.fixture(params=["Alice", "Zoe", "Alice of the first edition"])
def joined(request, tmp_path):
    name, _, first = request.param.partition(" ")
    with Joined(tmp_path, name, features=() if first else (b"pairs",)) as joined:
        yield joined


def at(client, time_text, place="+1+2", origin="Elsewhere", skew="+0.500000000"):
    return f"AT {origin} {skew} {client} {place} {time_text}".encode()


def fill(node, prefix, count, when=1000):
    lines = node.iamat(*[(b"%s%d" % (prefix, i), b"+1+2", b"%d.%03d" % (when, i)) for i in range(count)])
    return {client_of(line): line for line in lines}


def test_siphash_is_that_of_its_paper():
    assert siphash(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5


class Sink:
    """A connection of which nobody reads."""

    def sendall(self, data):
        pass


@pytest.mark.parametrize("name,mine,others", [("Alice", "> ", "< "), ("Riley", "< ", "> ")])
def test_example_of_the_page_is_what_this_peer_says(name, mine, others):
    page = (TOP / "man" / "herd-protocol.7").read_text()
    example = page.split('BEGIN example\n')[1].split('.\\" END example')[0]
    said, heard = ([line[2:].encode() for line in example.splitlines() if line.startswith(mark)]
                   for mark in (mine, others))
    peer = Peer(name, features=(b"knock", b"limits", b"pairs"))
    peer.socket, peer.fresh = Sink(), b" fresh=1 " in said[0]
    peer.nonce = bytes.fromhex(said[0].split(b" nonce=")[1].split(b" ")[0].decode())
    held = [line.split(" ", 3) for line in re.sub(" +", " ", example).splitlines() if " AT " in line
            and line.startswith(("both ", name + " "))]
    peer.table = {client_of(line.encode()): line.encode() for *_, line in held}
    peer.answer(heard)
    assert f"\nkey {peer.tree.key.hex()}\n" in "\n" + re.sub(" +", " ", example)
    for _, path, value, line in held:
        assert peer.tree.path(client_of(line.encode())) == path
        assert siphash(peer.tree.key, line.encode()) == int(value, 16)
    # Its own clock is another, and HELLO has its words.
    assert [line for line in said if line.split(b" ")[0] not in (b"HELLO", b"PING", b"PONG")] == \
        [line for line in peer.said if not line.startswith(b"PONG ")]
    assert peer.synced and not peer.short_cut


def test_empty_peer_gets_the_table_and_an_empty_herd_gets_the_peers(joined):
    there = fill(joined.riley, b"there", 500)
    joined.peer.table = {b"here%d" % i: at(f"here{i}", i) for i in range(500)}
    here = dict(joined.peer.table)
    joined.join()
    assert joined.peer.table == {**here, **there}
    wait_until(lambda: joined.sam.at_lines(list(here)) == list(here.values()), "Sam has the peer's reports")
    joined.riley.wait_log(f"event=link-up peer={joined.peer.name.decode()}")


def test_empty_against_full_ends_at_the_roots(joined):
    there = fill(joined.riley, b"there", 300)
    joined.join()
    assert joined.peer.table == there
    assert joined.peer.words().count(b"DIGEST") == joined.peer.words(joined.peer.said).count(b"DIGEST") == 1
    assert joined.peer.words().count(b"AT") == 300


def test_equal_tables_move_two_lines_and_no_report(joined):
    joined.peer.table = fill(joined.riley, b"same", 1000)
    joined.join()
    peer = joined.peer
    assert [w for w in peer.words() if w not in (b"PING", b"PONG")] == [b"HELLO", b"CHECK", b"DIGEST", b"NEXT"]
    assert b"AT" not in peer.words(peer.said)


def test_differences_move_and_little_else(joined):
    same = fill(joined.riley, b"same", 1500)
    news = fill(joined.riley, b"news", 30)
    newer = fill(joined.riley, b"same", 10, 2000)
    ours = {b"ours%d" % i: at(f"ours{i}", i) for i in range(30)}
    ours_newer = {b"same%d" % i: at(f"same{i}", 3000) for i in range(100, 110)}
    peer = joined.peer
    peer.table = {**same, **ours, **ours_newer}
    joined.join()
    expected = {**same, **news, **newer, **ours, **ours_newer}
    assert peer.table == expected
    clients = list(expected)
    for node in (joined.riley, joined.sam):
        wait_until(lambda: node.at_lines(clients) == list(expected.values()), f"{node.name} has all")
    # 80 clients differ; a leaf seldom has a second one among 1,600.
    assert peer.words().count(b"AT") <= 100 and peer.words(peer.said).count(b"AT") <= 100
    assert peer.words().count(b"DIGEST") == peer.words(peer.said).count(b"DIGEST") > 2


def digests(lines):
    return [line for line in lines if line.startswith(b"DIGEST ")]


@pytest.mark.parametrize("same,newer", [(0, 1), (0, 60), (30, 30), (0, 900)])
def test_small_tables_that_differ_take_the_short_cut(joined, same, newer):
    there = fill(joined.riley, b"c", same + newer)
    peer = joined.peer
    peer.table = {**there, **{b"c%d" % i: at(f"c{i}", 2000) for i in range(newer)}}
    expected = dict(peer.table)
    joined.join()
    assert peer.table == expected
    wait_until(lambda: joined.sam.at_lines(list(expected)) == list(expected.values()), "Sam has all")
    assert peer.short_cut == bool(peer.features)
    heard, said = digests(peer.heard), digests(peer.said)
    assert len(heard) == len(said) and (len(heard) == 1) == peer.short_cut
    if peer.short_cut:
        # The table and little more, however many differ.
        assert sum(map(len, heard)) <= 800 and sum(map(len, said)) <= 800


@pytest.mark.parametrize("same,newer", [(2970, 30), (2000, 1)])
def test_large_tables_that_differ_little_compare_by_pairs(joined, same, newer):
    there = fill(joined.riley, b"c", same + newer)
    peer = joined.peer
    peer.table = {**there, **{b"c%d" % i: at(f"c{i}", 2000) for i in range(newer)}}
    joined.join()
    wait_until(lambda: joined.sam.at_line(b"c0") == peer.table[b"c0"], "Sam has the newer ones")
    assert not peer.short_cut
    heard, said = digests(peer.heard), digests(peer.said)
    # As many lines as a peer of the first edition, of 1,030 bytes each then.
    assert len(heard) == len(said) >= 3
    if peer.features:
        assert 23 * sum(map(len, heard)) < 10 * 1030 * len(heard) or newer == 1
        assert min(map(len, heard)) < 100
    else:
        assert {len(line) for line in heard} <= {1033, 1034}


def test_one_large_table_and_one_small_one(joined):
    there = fill(joined.riley, b"there", 3000)
    peer = joined.peer
    peer.table = {b"there1": at("there1", 2000), b"here": at("here", 1)}
    joined.join()
    assert len(peer.table) == 3001 and there.keys() < peer.table.keys()
    wait_until(lambda: joined.sam.at_line(b"here"), "Sam has the peer's")


def test_updates_flow_both_ways_and_never_back(joined):
    joined.join()
    peer = joined.peer
    heard = len(peer.heard)
    for i in range(20):
        line, = joined.sam.iamat((b"flow", b"+1+2", b"%d" % (5000 + i)))
        peer.run(lambda: peer.table.get(b"flow") == line, "the update comes")
    for i in range(20):
        peer.put(at("back", 6000 + i))
        wait_until(lambda: joined.sam.at_line(b"back") == peer.table[b"back"], "the update goes")
    fill(joined.sam, b"marker", 1)
    peer.run(lambda: b"marker0" in peer.table, "the marker comes")
    assert not any(b" back " in line for line in peer.heard[heard:])
    assert not any(b" flow " in line for line in peer.said)


def test_acks_count_what_was_applied(joined):
    joined.join()
    peer = joined.peer
    for i in range(600):
        peer.put(at(f"ack{i}", 1))
    peer.put(at("ack0", 1))
    peer.say(at("ack0", 1), at("ack1", 0))  # equal and stale ones count too
    said = peer.words(peer.said).count(b"AT")
    assert said == 602
    peer.run(lambda: b"ACK %d" % said in peer.heard, "the last ACK")
    acks = [int(line.split(b" ")[1]) for line in peer.heard if line.startswith(b"ACK ")]
    assert acks == sorted(set(acks))


def test_pong_echoes_the_number_and_tells_the_time(joined):
    joined.join()
    peer = joined.peer
    before = time.time()
    peer.say(b"PING 18446744073709551615")
    line = peer.run(lambda: next((h for h in peer.heard if h.startswith(b"PONG 18446744073709551615 ")), None))
    assert before - 0.01 <= float(line.split(b" ")[2]) <= time.time() + 0.01
    assert len(line.split(b".")[1]) == 9


def test_either_side_compares_again(joined):
    joined.join()
    peer = joined.peer
    fill(joined.riley, b"live", 100)
    peer.run(lambda: len(peer.table) == 100, "live reports come")
    # The peer loses reports without knowing; the next exchange heals it.
    del peer.table[b"live7"]
    peer.check()
    peer.run(lambda: peer.exchange == 2 and peer.synced, "the second exchange")
    assert len(peer.table) == 100
    assert peer.words().count(b"CHECK") == peer.words().count(b"NEXT") == 2


def test_herdd_compares_again_by_itself(tmp_path):
    with Joined(tmp_path, "Alice", "workers: 1\nplaces: {provider: none}\nlink: {verify_every: 500ms}\n") as joined:
        joined.join()
        joined.peer.run(lambda: joined.peer.exchange >= 3 and joined.peer.synced, "two more exchanges")
        assert {w for w in joined.peer.words() if w not in (b"PING", b"PONG")} == \
            {b"HELLO", b"CHECK", b"DIGEST", b"NEXT"}


def test_crossing_checks_answer_each_other(joined):
    fill(joined.riley, b"there", 50)
    peer = joined.peer
    # Both have data, so both begin at once.
    joined.connect(fresh=False)
    peer.sync()
    assert len(peer.table) == 50 and peer.words().count(b"CHECK") == 1


def test_a_node_with_data_waits_for_an_empty_ones_check(joined):
    peer = joined.peer
    peer.answers = False
    joined.connect(fresh=True)
    # Riley is SYNCED with Sam, we say fresh=1: it answers, it does not begin.
    peer.run(lambda: peer.words().count(b"PING") >= 2, "the link lives")
    assert b"CHECK" not in peer.words() and b" fresh=0" in peer.heard[0]


class Admin(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def test_removal_travels_both_ways(joined):
    fill(joined.sam, b"gone", 3)
    joined.join()
    peer = joined.peer
    peer.run(lambda: len(peer.table) == 3, "all that Sam heard is here")
    removal = b"GONE " + peer.name + b" gone0 2000.000000000"
    peer.put(removal)
    wait_until(lambda: joined.sam.at_line(b"gone0") is None, "Sam forgets")
    # Older than the removal: answered, and it changes nothing.
    joined.sam.iamat((b"gone0", b"+1+2", b"1999"), (b"gone1", b"+1+2", b"1500"))
    peer.run(lambda: b"1500" in peer.table[b"gone1"], "a later report comes")
    assert peer.table[b"gone0"] == removal and joined.riley.at_line(b"gone0") is None
    admin = Admin(joined.sam.admin)
    admin.request("DELETE", "/v1/clients/gone2")
    assert admin.getresponse().status == 200
    admin.close()
    peer.run(lambda: peer.table[b"gone2"].startswith(b"GONE Sam gone2 "), "GONE comes")
    assert rank(peer.table[b"gone2"])[0] <= time.time_ns()


def test_newer_report_after_a_removal_lives_again(joined):
    joined.join()
    peer = joined.peer
    peer.put(b"GONE Elsewhere back 100")
    line, = joined.sam.iamat((b"back", b"+1+2", b"101"))
    peer.run(lambda: peer.table[b"back"] == line, "the report comes")
    # At the same time the removal wins.
    peer.put(b"GONE A back 101")
    wait_until(lambda: joined.sam.at_line(b"back") is None, "Sam forgets")


def test_tables_at_any_split_of_the_stream(tmp_path):
    with Joined(tmp_path, "Alice") as joined:
        there = fill(joined.riley, b"there", 40)
        peer = joined.peer
        peer.table = {b"here%d" % i: at(f"here{i}", i) for i in range(40)}
        say = peer.say

        def dribble(*lines):
            peer.said += lines
            for byte in b"".join(line + b"\n" for line in lines):
                peer.socket.sendall(bytes([byte]))
        peer.say = dribble
        joined.join()
        peer.say = say
        assert there.items() <= peer.table.items()
        wait_until(lambda: None not in joined.sam.at_lines([b"here%d" % i for i in range(40)]), "Sam has all")


def test_cut_keeps_what_is_about_to_expire_out(tmp_path):
    settings = "workers: 1\nplaces: {provider: none}\nexpire_after: 1h\n"
    with Joined(tmp_path, "Alice", settings) as joined:
        joined.peer.params = params(expire_after_ns=3600 * 10 ** 9)
        now = int(time.time())
        ages = {b"young": 3000, b"near": 3600 - 60, b"old": 4000}
        joined.riley.iamat(*[(b"there-" + name, b"+1+2", b"%d" % (now - age)) for name, age in ages.items()])
        joined.peer.table = {b"here-" + name: at(f"here-{name.decode()}", now - age) for name, age in ages.items()}
        joined.join()
        peer = joined.peer
        # Nobody has agreed to Riley's clock: nothing is too old by it.
        assert next(line for line in peer.heard if line.startswith(b"CHECK ")) == b"CHECK 1 0"
        assert {b"there-" + name for name in ages} <= set(peer.table)
        # With two neighbours it is trusted, and the link compares once more.
        peer.run(lambda: peer.exchange == 2 and peer.synced, "compared again")
        cut = next(int(line.split(b" ")[2]) for line in peer.heard if line.startswith(b"CHECK 2 "))
        assert now - 3600 + 120 - 1 <= cut <= time.time() - 3600 + 120
        assert peer.cut_ns == cut * 10 ** 9
        wait_until(lambda: joined.sam.at_line(b"here-young"), "Sam has the young one")
        for old in (b"here-old", b"there-old"):
            wait_until(lambda: joined.riley.at_line(old) is None, "what is old is dropped")
        assert joined.riley.at_line(b"here-near")
        # Live, what a node still holds goes out; what has expired is refused.
        peer.put(at("live-near", now - 3590))
        peer.put(at("live-old", now - 3700))
        peer.put(at("marker", now))
        wait_until(lambda: joined.sam.at_line(b"marker"), "the marker goes")
        wait_until(lambda: joined.sam.at_line(b"live-near"), "still alive")
        assert joined.riley.at_line(b"live-old") is None
