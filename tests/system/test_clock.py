# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall clocks that are wrong, or set while nodes run: a shim moves them, each
node's by itself. Links compare by themselves every 10 minutes, so what is equal
within a test was never lost, or came back because of the clock."""
import os
import pathlib
import re
import shutil
import sqlite3
import struct
import subprocess
import time

import pytest

from api import Api
from conftest import Ctl
from fake_phones import PhoneHerd
from nodes import Herd, wait_until

SHIM = pathlib.Path(__file__).with_name("clock_shim.c")
HOUR, YEAR = 3600, 365 * 86400
NAMES = ["A", "B", "C", "D"]
LINE = [("A", "B"), ("B", "C"), ("C", "D")]
RING = LINE + [("A", "D")]
LINKS = "link: {ping_after: 200ms, dead_after: 5s, redial_max: 100ms, verify_every: 10m}\n"
SETTINGS = "workers: 1\nplaces: {provider: none}\n" + LINKS
STORE = "store: {engine: sqlite, durability: sync}\n"
PLACE = b"+34.068930-118.445127"


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    built = tmp_path_factory.mktemp("shim") / "clock_shim.so"
    subprocess.run([os.environ.get("CC", "gcc"), "-std=c11", "-D_GNU_SOURCE", "-O1", "-fPIC", "-shared",
                    "-o", str(built), str(SHIM)], check=True, timeout=60)
    return built


class Clocks:
    """The wall clocks of a herd's nodes."""

    def __init__(self, herd, shim):
        self.folder = herd.folder
        for node in herd:
            self.set(node.name, 0)
            node.env = {**os.environ, "LD_PRELOAD": str(shim), "CLOCK_SHIM": str(self.path(node.name))}

    def path(self, name):
        return self.folder / f"{name}.clock"

    def set(self, name, seconds):
        """Its wall clock is off by so much from now on."""
        path = self.path(name)
        with open(path, "r+b" if path.exists() else "wb") as file:
            file.write(struct.pack("q", seconds * 10 ** 9))


def clock(node):
    return Api(node.admin).get("/v1/status").json["clock"]


def wait_clock(node, state):
    wait_until(lambda: clock(node)["state"] == state, f"the clock of {node.name} is {state}: {clock(node)}")


def metric(node, name):
    """The sum over its labels."""
    text = Api(node.admin).get("/metrics").body.decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(rf"{name}[ {{]", line))


def on_disk(node):
    """Ids of the clients in its store, read from a copy."""
    copy = node.herd.folder / f"copy-{node.name}"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for end in ("", "-wal"):
        source = node.herd.folder / f"herd-{node.name}.sqlite{end}"
        if source.exists():
            shutil.copy(source, copy / f"x.sqlite{end}")
    with sqlite3.connect(copy / "x.sqlite") as db:
        return {bytes(row[0]) if isinstance(row[0], bytes) else row[0].encode()
                for row in db.execute("select client from reports")}


def report(node, ids, off=0.0):
    now = time.time() + off
    node.iamat(*[(client, PLACE, b"%.6f" % (now + i / 1e4)) for i, client in enumerate(ids)])


@pytest.mark.parametrize("links,wrong", [(RING, "B"), (LINE, "B"), (LINE, "A"), (LINE, "D")],
                         ids=["ring", "middle", "end", "other-end"])
@pytest.mark.parametrize("off", [2 * HOUR, -2 * HOUR, 10 * YEAR])
def test_wrong_clock_loses_nothing(tmp_path, shim, links, wrong, off):
    early, late = [b"early-%d" % i for i in range(50)], [b"late-%d" % i for i in range(20)]
    with Herd(tmp_path, NAMES, links, "expire_after: 1h\n" + SETTINGS + STORE) as herd:
        clocks = Clocks(herd, shim)
        herd.start()
        herd.wait_synced()
        for node in herd:
            wait_clock(node, "backed")
        report(herd["A"], early)
        herd.wait_equal(early)
        clocks.set(wrong, off)
        herd[wrong].wait_log(r"event=clock-stepped .*by_ms=")
        wait_clock(herd[wrong], "overruled")
        assert abs(clock(herd[wrong])["ahead_ms"] - off * 1000) < 2000
        report(herd["A"], late[:10])
        report(herd["D"], late[10:])
        herd.wait_equal(early + late)
        # The skew is by the judged time, so it is small.
        skew = float(herd[wrong].iamat((b"skew", PLACE, b"%.3f" % time.time()))[0].split()[2])
        assert abs(skew) < 60
        clocks.set(wrong, 0)
        wait_clock(herd[wrong], "backed")
        herd[wrong].wait_log("event=clock-trusted")
        herd.wait_equal(early + late)
        for node in herd:
            assert metric(node, "herd_reports_expired_total") == 0
            assert metric(node, "herd_link_repaired_records_total") == 0
            wait_until(lambda: on_disk(node) >= {*early, *late}, "all is on disk")
        assert metric(herd[wrong], "herd_clock_steps_total") == 2


@pytest.mark.parametrize("wrong", ["A", "B"])
def test_clock_that_is_wrong_from_the_start_harms_nobody(tmp_path, shim, wrong):
    ids = [b"c-%d" % i for i in range(50)]
    with Herd(tmp_path, NAMES, LINE, "expire_after: 1h\n" + SETTINGS + STORE) as herd:
        clocks = Clocks(herd, shim)
        herd.start()
        herd.wait_synced()
        report(herd["A"], ids)
        herd.wait_equal(ids)
        herd[wrong].stop()
        clocks.set(wrong, 10 * YEAR)
        herd[wrong].start()
        wait_clock(herd[wrong], "overruled")
        # Far ahead by the right clocks: refused, though its own is beyond.
        far = b"IAMAT far %s %d\n" % (PLACE, int(time.time()) + 9 * YEAR)
        assert herd[wrong].ask(far) == b"? " + far
        report(herd[wrong], [b"new"])
        herd.wait_equal([*ids, b"new"])
        # All commands that judge the herd say so.
        ctl = Ctl(tmp_path, herd.path)
        for words in (("herd", "check"), ("check", "all")):
            said = ctl(*words).stdout
            assert wrong in said and "ahead" in said and "wrong clocks" in said, said
        assert "overruled" in ctl("herd", "status").stdout


@pytest.mark.parametrize("off", [-2 * HOUR, 10 * YEAR])
def test_phones_and_ages_are_judged_by_the_right_clock(tmp_path, shim, off):
    with PhoneHerd(tmp_path, ["A", "B", "C"], [("A", "B"), ("B", "C")], SETTINGS) as herd:
        clocks, key, b = Clocks(herd, shim), herd.add_key("jane/phone"), herd["B"]

        def phone(time_s):
            query = f"http://127.0.0.1:{herd.http['B']}/?id={key}&lat=1&lon=2&timestamp={time_s}"
            return subprocess.run(["curl", "-s", query], check=True, capture_output=True, text=True, timeout=20).stdout
        herd.start()
        herd.wait_synced()
        clocks.set("B", off)
        wait_clock(b, "overruled")
        now = int(time.time())
        assert '"ahead"' in phone(now + 9 * YEAR)
        assert '"ok"' in phone(now)
        line, = herd.wait_equal([b"jane/phone"])
        assert line.split()[5] == b"%d" % now and abs(float(line.split()[2])) < 60
        b.iamat((b"old", PLACE, b"%d" % (now - HOUR)))
        row, = (row for page in Api(b.admin).pages() for row in page if row["client"] == "old")
        assert abs(row["age_s"] - HOUR) < 60


def test_wrong_clock_without_a_majority_waits(tmp_path, shim):
    ids = [b"c-%d" % i for i in range(50)]
    with Herd(tmp_path, ["A", "B"], [("A", "B")], "expire_after: 1h\n" + SETTINGS + STORE) as herd:
        clocks = Clocks(herd, shim)
        herd.start()
        herd.wait_synced()
        report(herd["A"], ids)
        herd.wait_equal(ids)
        clocks.set("B", 2 * HOUR)
        herd["B"].wait_log("event=clock-stepped .*state=waiting")
        assert clock(herd["B"])["state"] == "waiting"
        report(herd["A"], [b"during"])
        herd.wait_equal([*ids, b"during"])
        clocks.set("B", 0)
        herd["B"].wait_log("event=clock-stepped", 2)
        herd.wait_equal([*ids, b"during"])
        assert metric(herd["B"], "herd_reports_expired_total") == 0
        assert metric(herd["B"], "herd_clock_trusted") == 0


def test_table_of_a_clock_that_was_believed_comes_back(tmp_path, shim):
    # Two nodes: after expire_after the wrong clock is believed.
    settings = "expire_after: 5s\n" + SETTINGS
    with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        clocks = Clocks(herd, shim)
        herd.start()
        herd.wait_synced()
        clocks.set("B", 2 * HOUR)
        herd["B"].wait_log("event=clock-stepped")
        wait_clock(herd["B"], "alone")
        # It lies ahead, so it outlives the test however slow that is.
        report(herd["A"], [b"kiwi"], off=60)
        wait_until(lambda: metric(herd["B"], "herd_reports_expired_total") > 0, "B refuses it")
        assert herd["B"].at_line(b"kiwi") is None
        clocks.set("B", 0)
        herd.wait_equal([b"kiwi"])
        assert metric(herd["B"], "herd_link_repaired_records_total") == 0


@pytest.mark.parametrize("expire_s", [20, 60, 120, 180, 3600, 10 * YEAR])
def test_joining_node_gets_all_that_outlives_the_margin(tmp_path, expire_s):
    margin = max(2, min(120, expire_s / 8))
    # With time for a slow machine between a report and the comparison.
    ages = [age for age in (0, 2, 5, 20, 50, 100, 150, 170, 1000) if age < expire_s - margin - 10]
    ids = [b"age-%d" % age for age in ages]
    settings = f"expire_after: {expire_s}s\n" + SETTINGS
    with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        herd["A"].start()
        for client, age in zip(ids, ages):
            report(herd["A"], [client], off=-age)
        herd["B"].start()
        herd["B"].wait_log("event=link-up peer=A")
        assert None not in herd["B"].at_lines(ids)


def test_forget_reads_no_clock(tmp_path, shim):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS) as herd:
        clocks = Clocks(herd, shim)
        clocks.set("A", YEAR)
        herd.start()
        herd.wait_synced()
        report(herd["B"], [b"kiwi"])
        before = herd.wait_equal([b"kiwi"])[0]
        gone = Api(herd["A"].admin).delete("/v1/clients/kiwi").json
        assert gone["forgotten"] and gone["time"].encode() == before.split()[-1]
        wait_until(lambda: herd["B"].at_line(b"kiwi") is None, "forgotten on B")
        # The same again is old news; a newer one counts at once.
        herd["B"].ask(b"IAMAT kiwi %s %s\n" % (PLACE, before.split()[-1]))
        assert herd["B"].at_line(b"kiwi") is None
        report(herd["B"], [b"kiwi"])
        assert herd.wait_equal([b"kiwi"])[0] != before


def test_clients_in_the_future_are_counted(tmp_path):
    with Herd(tmp_path, ["A"], [], "max_ahead: 1h\n" + SETTINGS) as herd:
        herd.start()
        a = herd["A"]
        report(a, [b"now"])
        report(a, [b"later-1", b"later-2"], off=1800)
        wait_until(lambda: Api(a.admin).get("/v1/status").json["clients"]["ahead"] == 2, "two are ahead")
        assert metric(a, "herd_clients_ahead") == 2
