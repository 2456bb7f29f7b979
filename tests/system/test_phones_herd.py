# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones through a herd whose nodes die: the apps' own stubbornness and a
store on each node lose nothing that was answered 200."""
import json
import signal

import pytest

from fake_phones import APPS, T0, OwnTracks, Overland, PhoneHerd, Traccar9, track
from nodes import wait_until

NODES = ["A", "B", "C"]
LINKS = [("A", "B"), ("B", "C"), ("A", "C")]
SETTINGS = ("workers: 1\nplaces: {provider: none}\nmax_ahead: 0\n"
            "store: {engine: sqlite, durability: sync}\n"
            "link: {ping_after: 200ms, dead_after: 2s, redial_max: 500ms}\n")
POSITIONS = 120


@pytest.fixture
def phones(tmp_path):
    """The herd, and two phones of each app that have not begun."""
    with PhoneHerd(tmp_path, NODES, LINKS, SETTINGS, "[[jane, john]]") as herd:
        herd.add_user("jane")
        herd.add_user("john")
        started = []
        for seed, app in enumerate(APPS):
            for user in ("jane", "john"):
                name = f"{user}/{app}"
                if APPS[app] is not OwnTracks:
                    herd.add_key(name)
                started.append(APPS[app](herd, name, track(POSITIONS, seed)))
        herd.start()
        yield herd, started
        for phone in started:
            phone.leave.set()
        for phone in started:
            if phone.ident is not None:
                phone.join()


def time_of(line):
    """The time of an AT line, in s; 0 if there is none."""
    return float(line.split(b" ")[5]) if line else 0


def newest_answered(phones, node=None):
    """{device: the newest time that was answered (by that node)}"""
    found = {}
    for phone in phones:
        times = [time for time, by in list(phone.answered) if node in (None, by)]
        if times:
            found[phone.name_.encode()] = max(times)
    return found


def not_lost(node, wanted):
    """Every device is there with that time or a newer one."""
    devices = sorted(wanted)
    return all(time_of(line) >= wanted[device]
               for device, line in zip(devices, node.at_lines(devices)))


def kill(node):
    node.send_signal(signal.SIGKILL)
    node.wait_end()


def test_nothing_is_lost_while_nodes_are_killed_in_turn(phones):
    herd, all_phones = phones
    for phone in all_phones:
        phone.start()
    for turn in range(6):
        victim = herd[NODES[turn % len(NODES)]]
        goal = POSITIONS * (turn + 1) // 8
        wait_until(lambda: all(len(phone.answered) >= goal for phone in all_phones),
                   f"{goal} answers to each phone")
        kill(victim)
        # What this node alone has answered is in its own file.
        wanted = newest_answered(all_phones, victim.name)
        victim.start()
        wait_until(lambda: not_lost(victim, wanted), f"{victim.name} has what it answered")
    for phone in all_phones:
        phone.join(60)
        assert not phone.queue and not phone.stopped, (phone.name_, phone.stopped, phone.refused[-3:])
    devices = sorted(newest_answered(all_phones))
    assert len(devices) == len(all_phones)
    lines = herd.wait_equal(devices)
    assert {time_of(line) for line in lines} == {T0 + POSITIONS - 1}
    # Some of them have met a dead node, or nothing was tried here.
    assert sum(phone.unreached for phone in all_phones) > 0
    # The digits are the phone's own.
    last = dict(zip(devices, lines))[b"jane/overland"].split(b" ")[4]
    _, lat, lon = track(POSITIONS, list(APPS).index("overland"))[-1]
    assert last.decode() == f"{lat:+}{lon:+}"


def test_what_a_node_answered_is_in_its_own_file(phones):
    herd, all_phones = phones
    for phone in all_phones:
        phone.start()
    wait_until(lambda: all(len(phone.answered) >= POSITIONS // 3 for phone in all_phones), "a third")
    for node in herd:
        node.send_signal(signal.SIGKILL)
    for node in herd:
        node.wait_end()
    for phone in all_phones:
        phone.leave.set()
    for phone in all_phones:
        phone.join()
    for node in herd:
        # Alone: no neighbour can help.
        herd.write_for(node.name, links=[])
        node.start()
        wanted = newest_answered(all_phones, node.name)
        assert wanted and not_lost(node, wanted), (node.name, wanted)


def test_an_owntracks_is_never_blocked_by_what_it_sends(phones):
    """What a node cannot use is answered, so that what comes after it gets there."""
    herd, _ = phones
    odd = ['{"_type":"transition","event":"enter","tst":1700000000}', '{"_type":"waypoints","waypoints":[]}',
           '{"_type":"status","iOS":{}}', '{"_type":"card","name":"Jane"}', '{"_type":"lwt","tst":1}', "",
           '{"_type":"encrypted","data":"AAAA"}', '{"_type":"dump","configuration":{}}', '{"_type":"steps"}',
           '{"_type":"location","lat":91,"lon":0,"tst":1700000000}', '{"_type":"location","tst":1700000000}',
           '{"_type":"location","lat":1e400,"lon":"x","tst":-5}', '{"_type":"location"', "not JSON", "[]", "null",
           '{"_type":"location","lat":1,"lon":2,"tst":99999999999999999999}', '"\\ud800"', "[" * 5000,
           '{"_type":"new in the next version"}', '{"_type":5}', "\0\0\0", "{}" * 20000]
    phone = OwnTracks(herd, "jane/odd", [(body, 0, 0) for body in odd] + track(3))
    phone.start()
    phone.join(60)
    assert not phone.queue, (phone.queue[0], phone.refused[-1:])
    assert phone.refused == [] and phone.unreached == 0
    assert time_of(herd.wait_equal([b"jane/odd"])[0]) == T0 + 2


def test_a_traccar_goes_on_after_positions_that_are_none(phones):
    herd, _ = phones
    herd.add_key("jane/drone")
    for node in NODES:
        herd.ctl("-n", node, "config", "reload")
    phone = Traccar9(herd, "jane/drone", [(T0, 91.5, 0), (T0 + 1, 0, 181), (T0 + 10 ** 9, 1, 1)] + track(3))
    phone.start()
    phone.join(60)
    assert not phone.queue and phone.stopped is None, phone.refused


def test_an_overland_sends_its_whole_backlog(phones):
    herd, _ = phones
    herd.add_key("jane/ipad")
    for node in NODES:
        herd.ctl("-n", node, "config", "reload")
    phone = Overland(herd, "jane/ipad", track(1000))
    phone.BATCH = 200
    phone.start()
    phone.join(60)
    assert not phone.queue and phone.refused == []
    assert time_of(herd.wait_equal([b"jane/ipad"])[0]) == T0 + 999


def test_friends_on_other_nodes_are_in_the_answer(phones):
    herd, all_phones = phones
    jane, john = (next(p for p in all_phones if p.name_ == f"{user}/owntracks") for user in ("jane", "john"))
    jane.at, john.at = NODES.index("A"), NODES.index("C")
    assert jane.send()
    herd.wait_equal([b"jane/owntracks"])

    def friends():
        status, body = john.post(*john.message([john.queue[0]]))
        assert status == 200
        return {row.get("topic") for row in json.loads(body)}
    wait_until(lambda: "owntracks/jane/owntracks" in friends(), "jane is seen")
