# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators see and do when the store that nodes share is away, refuses,
or differs from the tables."""
import json
import subprocess

import pytest

from api import Api
from conftest import Ctl
from fake_phones import PhoneHerd
from nodes import Herd, wait_until
from postgres import Cluster

PAIR = (["Ann", "Bob"], [("Ann", "Bob")])
# Of 1970, so that no origin is about to write them.
OLD = "".join(f"AT Ann +0.000000001 c{i} +1+1 1000\n" for i in range(50))


@pytest.fixture
def cluster():
    with Cluster() as one:
        yield one


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def settings(url_file, store="", more=""):
    return f"store: {{engine: postgres, url_file: {url_file}, timeout: 500ms, {store}}}\n{more}"


def put(node):
    return Api(node.admin).ask("POST", "/v1/clients", OLD)


def count(cluster):
    return int(cluster.sql("SELECT count(*) FROM herd_reports"))


def rows(ctl, *words):
    reply = ctl(*words, "--json")
    return reply.returncode, json.loads(reply.stdout)["stores"]


def test_node_is_not_ready_while_replies_wait(tmp_path, home, cluster):
    with Herd(tmp_path, ["Ann"], [], settings(cluster.url_file(tmp_path), "durability: sync")) as herd:
        ann, ctl = herd.start()["Ann"], Ctl(home, herd.path)
        api = Api(ann.admin)
        ann.iamat((b"c", b"+1+1", b"5"))
        with cluster.frozen():
            with ann.connect() as s:
                s.sendall(b"IAMAT c +2+2 6\n")
                assert s.recv(100) == b""
            wait_until(lambda: api.get("/readyz").status == 503, "it is not ready")
            assert api.get("/readyz").body == b"stalled\n"
            reply = put(ann)
            assert (reply.status, reply.error) == (503, "unavailable")
            assert "did not commit in time" in reply.json["error"]["message"]
            assert api.delete("/v1/clients/c").status == 503
            code, (row,) = rows(ctl, "store", "status")
            assert (code, row["state"], row["engine"]) == (0, "away", "postgres")
            found = [f["finding"] for f in json.loads(ctl("doctor", "--json").stdout)["findings"]]
            assert "store-stalled" in found and "starting" not in found
        wait_until(lambda: api.get("/readyz").status == 200, "it is ready by itself")
        assert put(ann).json["put"] == 50
        wait_until(lambda: api.get("/v1/store").json["state"] == "ok", "all is loaded, too")
        status = api.get("/v1/store").json
        assert status["retries"] > 0 and status["error"] is None
        assert status["server"].startswith("PostgreSQL 15")


def test_phone_is_answered_while_replies_wait(tmp_path, cluster):
    with PhoneHerd(tmp_path, ["Ann"], [], settings(cluster.url_file(tmp_path), "durability: sync")) as herd:
        key = herd.add_key("jane/phone")
        herd.start()["Ann"].wait_log("event=store-connected")

        def report(lat):
            query = f"http://127.0.0.1:{herd.http['Ann']}/?id={key}&lat={lat}&lon=2"
            return subprocess.run(["curl", "-s", "-w", "%{http_code}", query], check=True, timeout=20,
                                  capture_output=True, text=True).stdout
        assert report(1).endswith("200")
        with cluster.frozen():
            for _ in range(2):
                told = report(2)
                assert told.endswith("503") and '"error":"store"' in told
        wait_until(lambda: report(3).endswith("200"), "the store is back")


@pytest.mark.parametrize("words", [("store", "retry"), ("config", "reload")])
def test_refusal_is_final_until_a_retry(tmp_path, home, cluster, words):
    url_file = cluster.url_file(tmp_path)
    with Herd(tmp_path, ["Ann"], [], settings(url_file)) as herd:
        herd.start()["Ann"].wait_log("event=store-connected")
    cluster.sql("UPDATE herd_meta SET herd = 'other'")
    with Herd(tmp_path, ["Ann"], [], settings(url_file)) as herd:
        ann, ctl = herd.start()["Ann"], Ctl(home, herd.path)
        ann.iamat((b"c", b"+1+1", b"5"))
        ann.wait_log("event=store-refused")
        assert Api(ann.admin).get("/readyz").status == 200
        cluster.sql("UPDATE herd_meta SET herd = 'ucla'")
        found = [f["finding"] for f in json.loads(ctl("doctor", "--json").stdout)["findings"]]
        assert "store-refused" in found
        assert ctl(*words).returncode == 0
        wait_until(lambda: rows(ctl, "store", "status")[1][0]["state"] == "ok", "it is accepted")
        wait_until(lambda: count(cluster) == 1, "what was owed is written")


def test_require_waits_for_all_rows(tmp_path, cluster):
    url_file = cluster.url_file(tmp_path)
    cluster.stop()
    with Herd(tmp_path, ["Ann"], [], settings(url_file, "require: yes")) as herd:
        ann = herd["Ann"]
        ann.start(wait=False)
        api = Api(ann.admin)
        ann.wait_log("event=store-away")
        assert (api.get("/readyz").status, api.get("/readyz").body) == (503, b"loading\n")
        cluster.start()
        wait_until(lambda: api.get("/readyz").status == 200, "all is loaded")


def test_differences_are_shown_and_mended(tmp_path, home, cluster):
    url_file = cluster.url_file(tmp_path)
    with Herd(tmp_path, *PAIR, settings(url_file)) as herd:
        herd.start().wait_synced()
        ann, ctl = herd["Ann"], Ctl(home, herd.path)
        assert put(ann).json["put"] == 50
        wait_until(lambda: count(cluster) == 50, "all are written")
        herd.wait_equal([b"c0", b"c49"])
        assert ctl("herd", "diff", "--store").returncode == 0
        cluster.sql("DELETE FROM herd_reports WHERE client IN ('c1', 'c2', 'c3')")
        code, found = rows(ctl, "herd", "diff", "--store")
        assert code == 1 and len(found) == 2
        for row in found:
            assert (row["compared_rows"], row["missing"]) == (47, 3)
            assert (row["stale"], row["unknown"], row["newer"]) == (0, 0, 0)
        assert count(cluster) == 47
    with Herd(tmp_path, *PAIR, settings(url_file, more="link: {verify_every: 200ms}\n")) as herd:
        herd.start().wait_synced()
        ann = herd["Ann"]
        # As if their origin had died before it wrote them.
        assert put(ann).json["put"] == 50
        wait_until(lambda: count(cluster) == 50, "all are there")
        cluster.sql("DELETE FROM herd_reports WHERE client IN ('c1', 'c2', 'c3')")
        wait_until(lambda: count(cluster) == 50, "what was missing is there")
        wait_until(lambda: Api(ann.admin).get("/v1/store").json["repaired"] == 3, "it is counted")
        # Ann leads: its name comes first.
        assert Api(herd["Bob"].admin).get("/v1/store").json["repaired"] == 0


def test_backup_is_the_databases_own(tmp_path, home, cluster):
    with Herd(tmp_path, ["Ann"], [], settings(cluster.url_file(tmp_path))) as herd:
        ann, ctl = herd.start()["Ann"], Ctl(home, herd.path)
        ann.wait_log("event=store-connected")
        reply = Api(ann.admin).get("/v1/store/backup")
        assert (reply.status, reply.error) == (409, "conflict")
        assert reply.json["error"]["message"] == "this store's engine has no backup"
        assert "pg_dump" in reply.json["error"]["hint"]
        file = tmp_path / "copy"
        for name in (file, "-"):
            reply = ctl("store", "backup", name)
            assert reply.returncode != 0 and reply.stdout == ""
            assert "this store's engine has no backup" in reply.stderr and "pg_dump" in reply.stderr
        assert not list(tmp_path.glob("copy*"))
        # The refusal changes nothing.
        assert put(ann).json["put"] == 50
        wait_until(lambda: count(cluster) == 50, "the rows are written")
