# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse flooding: links rest, wake when others are lost, and show it."""
import signal

import pytest

from api import Api
from nodes import CLASSIC, Herd, wait_until

SETTINGS = "link: {rest_after: 300ms, redial_max: 100ms}\n"
CHORD = {"Bernard", "Juzang"}  # without it five links make a ring


def api_of(node):
    return Api(node.admin)


def flood(node):
    return api_of(node).get("/v1/status").json["flood"]


def reload(node):
    assert api_of(node).post("/v1/config/reload").status == 200


def links(herd, key):
    """A value of every link that is seen, by its ends in order of view."""
    return {(node.name, peer["peer"]): peer[key] for node in herd if node.process is not None
            for peer in api_of(node).get("/v1/peers").json["peers"]}


def wait_resting(herd):
    wait_until(lambda: all(flood(node)["rests"] for node in herd), "links rest")
    wait_until(lambda: all((word == "resting") == (set(ends) == CHORD)
                           for ends, word in links(herd, "flood").items()), "only the chord rests")


@pytest.fixture
def herd(tmp_path):
    with Herd(tmp_path, settings=SETTINGS) as herd:
        for name in CLASSIC["nodes"]:
            herd.write_for(name)
        herd.start()
        wait_resting(herd)
        yield herd


def report(number):
    return (b"client.%d" % number, b"+34.068930-118.445127", b"%d.5" % (1600000000 + number))


def sent(herd):
    return sum(links(herd, "sent").values())


def test_reports_go_round_the_ring(herd):
    flooded = links(herd, "flood")
    assert all(word == ("resting" if set(ends) == CHORD else "eager")
               for ends, word in flooded.items())
    before, quiet = sent(herd), links(herd, "sent")["Bernard", "Juzang"]
    for i, name in enumerate(CLASSIC["nodes"]):
        herd[name].iamat(report(i))
        herd.wait_equal([report(i)[0]])
    # 2E-(N-1) over five links; two nodes may send each other the same one
    wait_until(lambda: sent(herd) - before >= 5 * 4, "all is counted")
    assert sent(herd) - before <= 5 * 6
    assert links(herd, "sent")["Bernard", "Juzang"] == quiet
    assert flood(herd["Riley"]).pop("since_s") > 0
    assert flood(herd["Riley"]).items() >= {"mode": "sparse", "rests": True, "wakes": 0, "because": None,
                                            "node": None, "peer": None}.items()


def test_a_resting_link_wakes_and_rests_again(herd):
    for name in ("Jaquez", "Campbell"):
        herd[name].stop(signal.SIGKILL)
    herd["Bernard"].iamat(report(1))
    alive = ["Bernard", "Juzang", "Riley"]
    herd.wait_equal([report(1)[0]], alive)
    wait_until(lambda: links(herd, "flood")["Bernard", "Juzang"] == "awake", "the chord is awake")
    wait_until(lambda: flood(herd["Riley"])["because"] == "link-down", "Riley knows")
    why = flood(herd["Riley"])
    assert not why["rests"] and why["wakes"] >= 1
    assert why["peer"] in ("Jaquez", "Campbell")
    herd["Riley"].iamat(report(2))
    herd.wait_equal([report(2)[0]], alive)
    for name in ("Jaquez", "Campbell"):
        herd[name].start()
    herd.wait_equal([report(1)[0], report(2)[0]])
    wait_resting(herd)
    assert set(links(herd, "repaired").values()) == {0}


def test_nothing_rests_unless_all_nodes_say_so(herd):
    herd.write_for("Riley", settings=SETTINGS + "flood: all\n")
    reload(herd["Riley"])
    wait_until(lambda: flood(herd["Bernard"])["because"] == "flood-all", "Riley floods on all")
    assert flood(herd["Bernard"])["node"] == "Riley"
    assert flood(herd["Riley"])["mode"] == "all"
    wait_until(lambda: links(herd, "flood")["Bernard", "Juzang"] == "awake", "the chord is awake")
    # The setting can be reloaded.
    herd.write_for("Riley", settings=SETTINGS)
    reload(herd["Riley"])
    wait_resting(herd)


def test_a_rolling_reload_wakes_until_all_have_the_file(herd):
    links_now = CLASSIC["links"] + [("Riley", "Campbell")]
    for name in CLASSIC["nodes"]:
        herd.write_for(name, links=links_now)
        reload(herd[name])
        if name == "Juzang":
            wait_until(lambda: flood(herd["Riley"])["because"] == "other-file", "files differ")
            herd["Bernard"].iamat(report(7))
            herd.wait_equal([report(7)[0]])
    wait_until(lambda: all(flood(node)["rests"] for node in herd), "links rest again")
    herd["Campbell"].iamat(report(8))
    herd.wait_equal([report(8)[0]])


def test_a_node_that_left_the_file_does_not_keep_links_awake(herd):
    stay = [name for name in CLASSIC["nodes"] if name != "Campbell"]
    less = [pair for pair in CLASSIC["links"] if "Campbell" not in pair]
    for name in stay:
        lines = herd.text(name, links=less).splitlines(keepends=True)
        herd[name].path.write_text("".join(line for line in lines if not line.startswith("  Campbell:")))
        reload(herd[name])
    wait_until(lambda: all(flood(herd[name])["rests"] for name in stay), "links rest without Campbell")
    # It still runs, and has the file in which it has links.
    wait_until(lambda: not flood(herd["Campbell"])["rests"], "Campbell is alone")
    herd["Riley"].iamat(report(1))
    herd.wait_equal([report(1)[0]], stay)
    for name in stay:
        herd.write_for(name)
        reload(herd[name])
    herd.wait_equal([report(1)[0]])
    wait_resting(herd)


def test_a_link_that_is_disabled_keeps_links_awake(herd):
    ends = api_of(herd["Riley"])
    assert ends.post("/v1/peers/Jaquez/disable").status == 200
    wait_until(lambda: flood(herd["Campbell"])["because"] == "link-down", "Campbell knows")
    wait_until(lambda: links(herd, "flood")["Juzang", "Bernard"] == "awake", "the chord is awake")
    herd["Jaquez"].iamat(report(1))
    herd.wait_equal([report(1)[0]])
    assert ends.post("/v1/peers/Jaquez/enable").status == 200
    wait_resting(herd)


def test_metrics_tell_of_it(herd):
    text = api_of(herd["Bernard"]).get("/metrics").body.decode()
    assert "\nherd_flood_sparse 1\n" in text and "\nherd_flood_rests 1\n" in text
    assert 'herd_link_resting{peer="Juzang"} 1' in text
    assert 'herd_link_eager{peer="Campbell"} 1' in text
