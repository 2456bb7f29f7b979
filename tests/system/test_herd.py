# SPDX-License-Identifier: GPL-3.0-or-later
"""Five nodes and six links: what one hears all know, whatever happens to
processes and links."""
import signal
import time

import pytest

from nodes import CLASSIC, Herd, wait_until
from proxy import Network

# Quick links; no places, so that an answer is the table's alone.
FAST = ("workers: 1\nplaces: {provider: none}\n"
        "link: {ping_after: 200ms, dead_after: 1s, stall_after: 3s, redial_max: 200ms}\n")
PATIENT = ("workers: 1\nplaces: {provider: none}\n"
           "link: {ping_after: 100ms, dead_after: 20s, redial_max: 200ms}\n")
NAMES = CLASSIC["nodes"]
# Most messages of one update on a stable herd: 2E - (N - 1).
COST = 2 * len(CLASSIC["links"]) - (len(NAMES) - 1)


@pytest.fixture(scope="module")
def herd(tmp_path_factory):
    with Herd(tmp_path_factory.mktemp("herd"), settings=FAST) as herd:
        herd.start()
        herd.wait_synced()
        yield herd


@pytest.fixture
def own(tmp_path):
    """A herd of the test alone, for rough handling."""
    with Herd(tmp_path, settings=FAST) as herd:
        herd.start()
        herd.wait_synced()
        yield herd


def reports(name, count, at=1000):
    return [(b"%s-%d" % (name.encode(), i), b"+%d.5-%d.25" % (i % 90, i % 180), b"%d.%09d" % (at, i))
            for i in range(count)]


def clients_of(sent):
    return [client for client, _, _ in sent]


@pytest.mark.parametrize("name", NAMES)
def test_report_at_one_node_is_seen_at_all(herd, name):
    sent = reports("at" + name, 20)
    lines = herd[name].iamat(*sent)
    assert herd.wait_equal(clients_of(sent)) == lines


def test_newest_wins_whoever_hears_it(herd):
    last = {}
    for at, name in enumerate(NAMES * 3, 2000):
        last[b"moves"] = herd[name].iamat((b"moves", b"+1+1", b"%d" % at))[0]
    assert herd.wait_equal([b"moves"]) == [last[b"moves"]]


def test_tie_is_won_by_the_greater_origin_then_location(herd):
    for turn, order in enumerate([("Riley", "Bernard"), ("Bernard", "Riley")]):
        client = b"tie-%d" % turn
        lines = {name: herd[name].iamat((client, b"+1+1", b"77.5"))[0] for name in order}
        wait_until(lambda: herd.wait_equal([client]) == [lines["Riley"]], "Riley's is held by all")
    for turn, order in enumerate([(b"+1+1", b"+2+2"), (b"+2+2", b"+1+1")]):
        client = b"place-tie-%d" % turn
        held = [herd["Jaquez"].iamat((client, place, b"77.5"))[0] for place in order]
        greater = next(line for line in held if b" +2+2 " in line)
        wait_until(lambda: herd.wait_equal([client]) == [greater], "the greater location is held by all")


def test_tie_of_time_in_other_digits_is_one_report_for_all(herd):
    herd["Campbell"].iamat((b"digits", b"+1+1", b"5"))
    herd["Riley"].iamat((b"digits", b"+1+1", b"5.000000000000"))
    line, = herd.wait_equal([b"digits"])
    assert line.startswith(b"AT Riley ")


def test_stale_report_changes_nothing_anywhere(herd):
    newest = herd["Riley"].iamat((b"stale", b"+1+1", b"9000"))
    assert herd.wait_equal([b"stale"]) == newest
    for name in NAMES:
        herd[name].iamat((b"stale", b"+2+2", b"8999.999999999"), (b"after-" + name.encode(), b"+3+3", b"1"))
    herd.wait_equal([b"after-" + name.encode() for name in NAMES])
    assert herd.wait_equal([b"stale"]) == newest


def test_odd_bytes_travel_unchanged(herd):
    sent = [(b"\xff\xfe\x01", b"+0012.50-000.0", b"0000012.5"), (b"%s%n", b"-0+0", b"0"),
            (b"x" * 60000, b"+90-180", b"1." + b"1" * 30), (b"HELLO", b"+1+1", b"1")]
    lines = herd["Campbell"].iamat(*sent)
    assert herd.wait_equal(clients_of(sent)) == lines


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_node_that_was_away_gets_what_it_missed(own, how):
    early = reports("early", 300)
    own["Juzang"].iamat(*early)
    own.wait_equal(clients_of(early))
    own["Juzang"].stop(how)
    late = reports("late", 300) + reports("early", 100, 2000)
    own["Campbell"].iamat(*late)
    rest = [name for name in NAMES if name != "Juzang"]
    own.wait_equal(clients_of(late), rest)
    own["Juzang"].start()
    own.wait_equal(clients_of(early) + clients_of(late))


def test_stopped_process_is_given_up_and_catches_up(own):
    own["Jaquez"].send_signal(signal.SIGSTOP)
    for name in ("Riley", "Bernard"):
        own[name].wait_log(r"event=link-down peer=Jaquez")
    late = reports("late", 300)
    own["Campbell"].iamat(*late)
    own.wait_equal(clients_of(late), [name for name in NAMES if name != "Jaquez"])
    own["Jaquez"].send_signal(signal.SIGCONT)
    own.wait_equal(clients_of(late))


def test_all_nodes_but_one_restarted_empty_are_refilled(own):
    sent = reports("kept", 2000)
    own["Riley"].iamat(*sent)
    lines = own.wait_equal(clients_of(sent))
    others = [name for name in NAMES if name != "Riley"]
    for name in others:
        own[name].stop(signal.SIGKILL)
    for name in others:
        own[name].start()
    assert own.wait_equal(clients_of(sent)) == lines


@pytest.mark.parametrize("away", ["down", "swallow"])
def test_partition_heals(tmp_path, away):
    with Network() as network, Herd(tmp_path, settings=FAST) as herd:
        proxies = herd.through(network)
        herd.start()
        herd.wait_synced()
        cut = [proxies["Juzang", "Riley"], proxies["Bernard", "Jaquez"]]
        for proxy in cut:
            setattr(proxy, away, True)
            if away == "down":
                proxy.cut()
        herd["Juzang"].wait_log("event=link-down peer=Riley")
        herd["Bernard"].wait_log("event=link-down peer=Jaquez")
        ours, theirs = reports("ours", 200), reports("theirs", 200)
        both = reports("both", 50)
        herd["Riley"].iamat(*ours, *both)
        herd["Campbell"].iamat(*theirs, *[(c, b"+7+7", b"3000") for c in clients_of(both[:25])],
                               *[(c, b"+7+7", b"2") for c in clients_of(both[25:])])
        herd.wait_equal(clients_of(ours), ["Riley", "Jaquez"])
        herd.wait_equal(clients_of(theirs), ["Juzang", "Bernard", "Campbell"])
        assert herd["Jaquez"].at_line(theirs[0][0]) is None
        assert herd["Juzang"].at_line(ours[0][0]) is None
        for proxy in cut:
            proxy.heal()
        herd.wait_equal(clients_of(ours) + clients_of(theirs) + clients_of(both))
        held = herd["Bernard"].at_lines(clients_of(both))
        assert all(b" +7+7 3000" in line for line in held[:25])
        assert all(line.startswith(b"AT Riley ") for line in held[25:])


def settled(proxies):
    """Report lines on all links once no more come; a count per proxy."""
    state = {"counts": None, "since": 0.0}

    def quiet():
        counts = [sum(word in (b"AT", b"GONE") for word in proxy.lines()) for proxy in proxies]
        if counts != state["counts"]:
            state.update(counts=counts, since=time.monotonic())
        return time.monotonic() - state["since"] > 0.15 and counts
    return wait_until(quiet, "links are quiet")


def test_an_update_costs_at_most_2e_minus_n_plus_1_messages(tmp_path):
    with Network() as network, Herd(tmp_path, settings=PATIENT) as herd:
        proxies = herd.through(network).values()
        herd.start()
        herd.wait_synced()
        for proxy in proxies:
            proxy.record = True
        updates = 25
        for i in range(updates):
            sent = (b"cost-%d" % (i % 5), b"+1+1", b"%d" % (100 + i))
            lines = herd[NAMES[i % 5]].iamat(sent)
            wait_until(lambda: herd.wait_equal([sent[0]]) == lines, "the update is everywhere")
        counts = settled(proxies)
        assert updates * (len(NAMES) - 1) <= sum(counts) <= updates * COST, counts


def test_quiet_herd_sends_only_ping_and_pong(tmp_path):
    with Network() as network, Herd(tmp_path, settings=PATIENT) as herd:
        proxies = herd.through(network).values()
        herd.start()
        herd.wait_synced()
        sent = reports("quiet", 50)
        herd["Riley"].iamat(*sent)
        herd.wait_equal(clients_of(sent))
        settled(proxies)
        for proxy in proxies:
            proxy.record = True
        # Acknowledgements of the last reports may still be under way.
        wait_until(lambda: all(proxy.lines(True).count(b"PING") >= 2 for proxy in proxies), "links are alive")
        for proxy in proxies:
            proxy.forget()
        wait_until(lambda: all(proxy.lines(d).count(b"PING") >= 3 for proxy in proxies for d in (True, False)),
                   "links are alive")
        assert {word for proxy in proxies for word in proxy.lines()} == {b"PING", b"PONG"}


def test_graceful_stop_hands_on_what_was_acknowledged_before(own):
    for turn, name in enumerate(["Riley", "Campbell"]):
        sent = reports("last" + name, 3000)
        with own[name].connect() as s:
            s.sendall(b"".join(b"IAMAT %s %s %s\n" % r for r in sent))
            got = bytearray()
            while got.count(b"\n") < len(sent):
                got += s.recv(65536)
            assert own[name].stop() == 0
        own.wait_equal(clients_of(sent), [n for n in NAMES if n not in ("Riley", "Campbell")[:turn + 1]])


def test_graceful_stop_lets_an_exchange_end(tmp_path):
    # The link has just come up: what is acknowledged is not yet owed to it.
    with Network() as network, Herd(tmp_path, ["A", "B"], [("A", "B")], PATIENT) as herd:
        proxy, = herd.through(network).values()
        proxy.down = True
        herd.start()
        sent = reports("kept", 20000)
        herd["A"].iamat(*sent)
        proxy.record = True
        proxy.delay = 0.02
        proxy.down = False
        wait_until(lambda: b"CHECK" in proxy.lines(True), "A compares")
        assert herd["A"].stop() == 0
        assert None not in herd["B"].at_lines(clients_of(sent))
