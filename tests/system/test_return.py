# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that was away is whole again, whichever side dials; so is a link that was
refused, a process that was stopped, a network that was cut."""
import signal

import pytest

from api import Api
from nodes import Herd, wait_until
from peer import Peer
from proxy import Network

# An hour: who only redials after a refusal, or a long outage, is found out.
SLOW = ("workers: 1\nplaces: {provider: none}\nready_after: 200ms\n"
        "link: {ping_after: 200ms, dead_after: 1s, redial_max: 1h}\n")


def peer(node, name):
    return Api(node.admin).get(f"/v1/peers/{name}").json


@pytest.fixture(params=[1, 4])
def star(request, tmp_path):
    """B among its neighbours, all of which dial it (A1 sorts first)."""
    names = [f"A{i}" for i in range(request.param)]
    with Herd(tmp_path, [*names, "B"], [(name, "B") for name in names], SLOW) as herd:
        herd.start()
        herd.wait_synced()
        yield herd


def test_refused_dialler_comes_back_when_the_other_side_enables(star):
    b, a = star["B"], star["A0"]
    api = Api(b.admin)
    api.post("/v1/peers/A0/disable")
    wait_until(lambda: peer(a, "B")["state"] == "refused", "A0 is refused")
    # By itself it would dial again in half a minute.
    assert peer(a, "B")["retry_in_s"] > 20
    api.post("/v1/peers/A0/enable")
    wait_until(lambda: peer(a, "B")["state"] == "synced", "A0 dials at once")
    api = Api(a.admin)
    api.post("/v1/peers/B/disable")
    wait_until(lambda: peer(b, "A0")["state"] != "synced", "B has lost it")
    api.post("/v1/peers/B/enable")
    wait_until(lambda: peer(b, "A0")["state"] == "synced", "A0 dials at once")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_node_that_others_dial_is_whole_at_once(star, how):
    b = star["B"]
    diallers = [node for node in star if node is not b]
    b.stop(how)
    for node in diallers:
        wait_until(lambda: peer(node, "B")["state"] == "backoff", f"{node.name} has lost it")
    b.start()
    for node in diallers:
        name = node.name
        wait_until(lambda: peer(b, name)["state"] == "synced", f"{name} dials at once")


def test_stopped_process_is_whole_when_it_goes_on(star):
    b = star["B"]
    diallers = [node for node in star if node is not b]
    b.send_signal(signal.SIGSTOP)
    for node in diallers:
        wait_until(lambda: peer(node, "B")["state"] not in ("synced", "comparing"), "it is given up")
    b.send_signal(signal.SIGCONT)
    for node in diallers:
        name = node.name
        wait_until(lambda: peer(b, name)["state"] == "synced" and peer(node, "B")["state"] == "synced",
                   f"{name} is linked")


def test_survivor_stays_ready_and_says_that_it_is_alone(star):
    b = star["B"]
    api = Api(b.admin)
    assert api.get("/v1/status").json["isolated"] is False
    for node in star:
        if node is not b:
            node.stop(signal.SIGKILL)
    wait_until(lambda: api.get("/v1/status").json["isolated"], "B is alone")
    assert (api.get("/readyz").status, api.get("/readyz").body) == (200, b"ready\n")
    assert b"\nherd_isolated 1\n" in api.get("/metrics").body
    assert b.iamat((b"c", b"+1+1", b"1"))
    for node in star:
        if node is not b:
            node.start()
    wait_until(lambda: not api.get("/v1/status").json["isolated"], "B has company again")


def test_node_that_meets_nobody_serves_alone_after_a_while(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SLOW) as herd:
        a = herd["A"].start()
        api = Api(a.admin)
        wait_until(lambda: api.get("/readyz").status == 200, "ready_after has passed")
        assert api.get("/v1/status").json["isolated"] is True
        herd.write_for("A", settings=SLOW.replace("ready_after: 200ms", "ready_after: 1h"))
        a.stop()
        a.start()
        assert api.get("/readyz").status == 503
        assert api.get("/v1/status").json["state"] == "syncing"


def test_clone_of_a_machine_is_named_and_kept_out(tmp_path):
    (tmp_path / "clone").mkdir()
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SLOW) as herd, Herd(
            tmp_path / "clone", ["A", "B"], [("A", "B")], SLOW) as other:
        herd.start()
        herd.wait_synced()
        twin = other["A"]
        connects = peer(herd["B"], "A")["connects"]
        other.routes["A", "B"] = herd["B"].peers
        other.write_for("A")
        twin.start(wait=False)
        herd["B"].wait_log('event=link-twin peer=A error="two processes run as node A"')
        twin.wait_log("event=link-down peer=B reason=twin ")
        assert peer(herd["B"], "A")["state"] == "synced" and peer(herd["B"], "A")["connects"] == connects
        wait_until(lambda: Api(herd["B"].admin).get("/v1/status").json["peers"]["twins"] == ["A"], "it is shown")
        # The first one goes: the second takes its place, by an operator's word or its next attempt.
        herd["A"].stop(signal.SIGKILL)
        Api(twin.admin).post("/v1/peers/B/reconnect")
        wait_until(lambda: peer(herd["B"], "A")["state"] == "synced", "the twin is linked")


def test_first_edition_neighbours_still_work(tmp_path):
    """A dialler that knows no knock says not-configured: no refusal, no log line."""
    with Herd(tmp_path, ["Alice", "Riley"], [("Alice", "Riley")], SLOW) as herd, Peer("Alice") as alice:
        alice.listen(herd["Alice"].peers)
        riley = herd["Riley"].start()
        alice.answers = False
        alice.accept()
        alice.run(lambda: alice.heard, "the knock comes")
        assert b" knock=1" in alice.heard[0]
        alice.say(b"BYE not-configured no link that Riley dials")
        alice.hang_up()
        assert peer(riley, "Alice")["state"] == "waiting" and peer(riley, "Alice")["last_error"] is None
        alice.answers = True
        alice.dial(riley.peers, "Riley")
        alice.sync()
        alice.run(lambda: peer(riley, "Alice")["state"] == "synced", "Riley is synced")


def test_healed_partition_is_whole_again(tmp_path):
    settings = SLOW.replace("redial_max: 1h", "redial_max: 500ms")
    with Network() as network, Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        proxy = herd.through(network)["A", "B"]
        herd.start()
        herd.wait_synced()
        for _ in range(2):
            proxy.swallow = True
            for node, other in (("A", "B"), ("B", "A")):
                wait_until(lambda: peer(herd[node], other)["state"] not in ("synced", "comparing"), "it is noticed")
            proxy.swallow = False
            wait_until(lambda: peer(herd["A"], "B")["state"] == peer(herd["B"], "A")["state"] == "synced", "healed")
