# SPDX-License-Identifier: GPL-3.0-or-later
"""The store that nodes share, on real PostgreSQL servers: what is written,
what is read, and who is refused."""
import csv
import json
import re
import time
import xml.etree.ElementTree

import pytest

from api import Api
from certificates import Authority
from conftest import Ctl
from nodes import Herd, wait_until
from postgres import Cluster
from test_clock import Clocks, shim  # noqa: F401, a fixture

PAIR = (["Ann", "Bob"], [("Ann", "Bob")])


@pytest.fixture
def cluster():
    with Cluster() as one:
        yield one


def store(url_file, more="durability: sync", rest=""):
    return f"store: {{engine: postgres, url_file: {url_file}, {more}}}\n{rest}"


def rows(cluster, what="count(*)", where="true"):
    return cluster.sql(f"SELECT {what} FROM herd_reports WHERE {where}")


def status(node):
    return Api(node.admin).get("/v1/store?brief=1").json


def test_each_report_is_written_once_and_comes_back(tmp_path, cluster):
    settings = store(cluster.url_file(tmp_path))
    with Herd(tmp_path, *PAIR, settings) as herd:
        herd.start().wait_synced()
        ann, bob = herd["Ann"], herd["Bob"]
        ann.iamat(*((b"c%d" % i, b"+1+1", b"%d" % (1000 + i)) for i in range(2000)))
        bob.iamat((b"c7", b"+2+2", b"5000"), (b"c8", b"+3+3", b"5"))
        line = herd.wait_equal([b"c7", b"c8", b"c1999"])
        assert rows(cluster) == "2000"
        assert cluster.sql("SELECT origin FROM herd_positions WHERE client_text = 'c7'") == "Bob"
        assert cluster.sql("SELECT origin FROM herd_positions WHERE client_text = 'c8'") == "Ann"
        # All nodes lose all they have: what they know comes from the server.
        herd.stop()
        herd.start()
        assert herd.wait_equal([b"c7", b"c8", b"c1999"]) == line
        ann.wait_log("event=store-loaded records=2000")


def test_view_that_cannot_be_made_is_told(tmp_path, cluster):
    with Herd(tmp_path, ["Ann"], [], store(cluster.url_file(tmp_path))) as herd:
        herd.start()["Ann"].wait_log("event=store-connected")
        assert "store-lacks" not in herd["Ann"].log()
        herd.stop()
        cluster.sql("DROP VIEW herd_positions; CREATE ROLE writer LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC; "
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO writer")
        cluster.url_file(tmp_path, cluster.url(user="writer"))
        ann = herd["Ann"].start()
        ann.wait_log('event=store-lacks error="herd_positions: 42501: permission denied for schema public" next=')
        ann.iamat((b"c", b"+1+1", b"1"))
        assert rows(cluster) == "1"


def test_host_that_cannot_be_looked_up_is_named(tmp_path):
    (tmp_path / "url").write_text("postgresql://herd@nowhere.invalid/herd?sslmode=verify-full\n")
    (tmp_path / "url").chmod(0o600)
    with Herd(tmp_path, ["Ann"], [], store("url", "durability: async")) as herd:
        herd.start()["Ann"].wait_log(r'event=store-away error="cannot look up nowhere\.invalid: \w')


def test_node_far_from_the_others_gets_the_table(tmp_path, cluster):
    settings = store(cluster.url_file(tmp_path), "require: yes")
    with Herd(tmp_path, ["Ann", "Far"], [], settings) as herd:
        ann, far = herd["Ann"], herd["Far"]
        ann.start()
        ann.iamat(*((b"c%d" % i, b"+1+1", b"5") for i in range(3000)))
        wait_until(lambda: rows(cluster) == "3000", "all is written")
        cluster.stop()
        far.start()
        assert Api(far.admin).get("/readyz").status == 503
        cluster.start()
        wait_until(lambda: Api(far.admin).get("/readyz").status == 200, "it is ready")
        assert far.at_line(b"c2999") == ann.at_line(b"c2999")
        assert status(far)["state"] == "ok"


def test_view_is_for_everybody_whatever_a_client_sends(tmp_path, cluster):
    settings = store(cluster.url_file(tmp_path), rest="max_ahead: 0\n")
    with Herd(tmp_path, ["Ann"], [], settings) as herd:
        ann = herd.start()["Ann"]
        zeros = b"0" * 400
        ann.iamat((b"plain", b"+34.068930-118.445127", b"1479413884.392014450"),
                  (b"zeros", b"+" + zeros + b"1.5-" + zeros + b"2." + zeros, b"5.000000001"),
                  (b"short", b"+1-0.25", b"5"), (b"small", b"+0.5-00.5", b"5"),
                  (b"digits", b"-1." + b"9" * 20000 + b"+180", b"17179869183.999999999"),
                  (b"bad\xff\xc0", b"-90+0", b"0"), ("\u65e5\u672c".encode(), b"+0-0", b"5"),
                  (b"\xed\xa0\x80", b"+0-0", b"5"), (b"x" * 3000, b"+1+1", b"5"))
        assert cluster.sql("SELECT count(*), count(client_text) FROM herd_positions") == "9|7"
        found = dict(line.split("|", 1) for line in cluster.sql(
            "SET timezone = 'UTC'; SELECT left(client_text, 10), lat, lon, time FROM herd_positions"
            " WHERE client_text IS NOT NULL").splitlines())
        assert found["plain"] == "34.06893|-118.445127|2016-11-17 20:18:04.392014+00"
        assert found["zeros"] == "1.5|-2|1970-01-01 00:00:05+00"
        assert found["short"] == "1|-0.25|1970-01-01 00:00:05+00"
        assert found["small"] == "0.5|-0.5|1970-01-01 00:00:05+00"
        assert found["digits"] == "-2|180|2514-05-30 01:53:03.999999+00"
        assert found["\u65e5\u672c"].startswith("0|0|")
        assert ann.stop() == 0
        ann.start().wait_log("store-loaded records=9 skipped=0")


def test_removal_stays_and_the_view_has_none(tmp_path, cluster):
    settings = store(cluster.url_file(tmp_path))
    with Herd(tmp_path, ["Ann"], [], settings) as herd:
        ann = herd.start()["Ann"]
        ann.iamat((b"kiwi", b"+1+1", b"5"))
        assert Api(ann.admin).delete("/v1/clients/kiwi").status == 200
        wait_until(lambda: rows(cluster, "kind") == "1", "the removal is written")
        assert cluster.sql("SELECT count(*) FROM herd_positions") == "0"


def test_rows_are_checked(tmp_path, cluster):
    settings = store(cluster.url_file(tmp_path))
    with Herd(tmp_path, ["Ann"], [], settings) as herd:
        ann = herd.start()["Ann"]
        ann.iamat(*((b"c%d" % i, b"+1+1", b"5") for i in range(1200)))
        cluster.sql("UPDATE herd_reports SET location = '+91+1' WHERE client = 'c1'")
        cluster.sql("UPDATE herd_reports SET ord = '\\x00' WHERE client = 'c2'")
        cluster.sql("UPDATE herd_reports SET key = '\\x00' WHERE client = 'c3'")
        reply = Api(ann.admin).get("/v1/store/check").json
        assert (reply["rows"], reply["damaged"]) == (1200, 3)


def test_five_nodes_at_once_make_one_set_of_tables(tmp_path, cluster):
    names = ["A", "B", "C", "D", "E"]
    settings = store(cluster.url_file(tmp_path), "history: 1d")
    with Herd(tmp_path, names, [], settings) as herd:
        herd.start()
        for node in herd:
            node.wait_log("event=store-connected")
        assert cluster.sql("SELECT version, herd FROM herd_meta") == "1|ucla"


@pytest.mark.parametrize("change,error", [
    ("UPDATE herd_meta SET herd = 'other'", "the tables are those of herd other"),
    ("UPDATE herd_meta SET version = 0", "the tables have format 0"),
    ("UPDATE herd_meta SET version = 2", "the tables have format 2"),
    ("ALTER TABLE herd_reports RENAME skew TO skewed", "42703"),
])
def test_tables_of_others_are_refused_until_they_are_not(tmp_path, cluster, change, error):
    settings = store(cluster.url_file(tmp_path), "durability: async")
    with Herd(tmp_path, ["Ann"], [], settings) as herd:
        ann = herd.start()["Ann"]
        ann.iamat((b"a", b"+1+1", b"5"))
        wait_until(lambda: status(ann)["state"] == "ok", "ok")
        ann.stop()
        cluster.sql(change)
        ann.start().wait_log(f"event=store-refused error=.*{error}")
        ann.iamat((b"b", b"+1+1", b"5"))
        assert status(ann)["state"] == "refused"
        cluster.sql("DROP VIEW herd_positions; DROP TABLE herd_meta, herd_reports")
        assert Api(ann.admin).post("/v1/store/retry").status == 200
        ann.wait_log("event=store-connected")
        wait_until(lambda: rows(cluster) == "1", "what was owed is written")


def test_password_is_checked_and_never_shown(tmp_path, cluster):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    cluster.sql("CREATE ROLE app LOGIN PASSWORD 'right'")
    cluster.sql("GRANT CREATE ON SCHEMA public TO app")
    cluster.stop()
    cluster.listen_tls(certificate.read_bytes(), key.read_bytes())
    cluster.start()

    def url(password, ca):
        return (f"postgresql://app:{password}@127.0.0.1:{cluster.port}/postgres"
                f"?sslmode=verify-full&sslrootcert={ca}")
    path = cluster.url_file(tmp_path, url("s3cret", authority.file))
    other = tmp_path / "other"
    other.mkdir()
    with Herd(tmp_path, ["Ann"], [], store(path)) as herd:
        ann = herd.start()["Ann"]
        ann.wait_log("event=store-refused error=.*28P01")
        cluster.url_file(tmp_path, url("right", Authority(other).file))
        assert Api(ann.admin).post("/v1/store/retry").status == 200
        ann.wait_log("event=store-away error=.*certificate verify failed")
        cluster.url_file(tmp_path, url("right", authority.file))
        assert Api(ann.admin).post("/v1/store/retry").status == 200
        ann.wait_log("event=store-connected")
        ann.iamat((b"a", b"+1+1", b"5"))
        shown = ann.log(whole=True) + str(status(ann)) + str(Api(ann.admin).get("/v1/config").json)
        assert "s3cret" not in shown and "right@" not in shown and ":right" not in shown
        assert cluster.sql("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                           " WHERE usename = 'app'") == "t"


@pytest.mark.parametrize("url,error", [
    ("postgresql://app:s3cret@db.example/d", "sslmode=verify-full"),
    ("host=db.example password=s3cret", "postgresql://"),
    ("postgresql:///d?password=s3cret", "names no host"),
])
def test_addresses_that_are_refused_at_the_start(tmp_path, url, error):
    path = tmp_path / "url"
    path.write_text(url)
    path.chmod(0o600)
    with Herd(tmp_path, ["Ann"], [], store(path)) as herd:
        ann = herd["Ann"].start(wait=False)
        assert ann.wait_end() != 0
        assert error in ann.log() and "s3cret" not in ann.log()


def test_history_is_kept_by_day_and_dropped(tmp_path, cluster):
    settings = store(cluster.url_file(tmp_path), "durability: sync, history: 1d", "max_ahead: 0\n")
    with Herd(tmp_path, *PAIR, settings) as herd:
        herd.start().wait_synced()
        ann, bob = herd["Ann"], herd["Bob"]
        for at in range(1, 6):
            ann.iamat((b"kiwi", b"+1.%d+1" % at, b"%d" % at))
        ann.iamat((b"kiwi", b"+0+0", b"3"))  # an older one
        herd.wait_equal([b"kiwi"])
        reply = Api(bob.admin).get("/v1/clients/kiwi/track").json
        assert [row["time"] for row in reply["track"]] == ["1", "2", "3", "4", "5"]
        assert reply["track"][4]["location"] == "+1.5+1" and reply["next"] is None
        page = Api(bob.admin).get("/v1/clients/kiwi/track?since=2&limit=2").json
        assert [row["time"] for row in page["track"]] == ["2", "3"]
        assert page["next"] == "3.000000001"
        assert Api(bob.admin).get("/v1/clients/other/track").json["track"] == []
        assert Api(bob.admin).get("/v1/clients/kiwi/track?since=x").error == "bad-request"
        days = cluster.sql("SELECT relname FROM pg_class WHERE relname ~ '^herd_history_[0-9]*$'").split()
        assert len(days) == 1
        # Erased here, erased in the history.
        assert Api(ann.admin).post("/v1/clients/kiwi/erase").json["store"] == "deleted"
        assert cluster.sql("SELECT count(*) FROM herd_history") == "0"
        assert rows(cluster, "kind") == "1"


def test_herdctl_shows_a_track(tmp_path, cluster):
    settings = store(cluster.url_file(tmp_path), "durability: sync, history: 30d", "max_ahead: 0\n")
    home = tmp_path / "home"
    home.mkdir()
    with Herd(tmp_path, ["Ann"], [], settings) as herd:
        ann, ctl = herd.start()["Ann"], Ctl(home, herd.path)
        now = int(time.time())
        for at in range(now - 7200, now, 1800):
            ann.iamat((b"ki&wi", b"+1.%d+1" % (at % 7), b"%d" % at))
        rows = list(csv.DictReader(ctl("client", "track", "ki&wi", "-o", "csv").stdout.splitlines()))
        assert [int(row["time"]) for row in rows] == list(range(now - 7200, now, 1800))
        assert len(ctl("client", "track", "ki&wi", "--since", "95m", "-o", "jsonl").stdout.splitlines()) == 3
        features = json.loads(ctl("client", "track", "ki&wi", "-o", "geojson").stdout)["features"]
        assert [f["geometry"]["coordinates"][0] for f in features] == [1, 1, 1, 1]
        gpx = xml.etree.ElementTree.fromstring(ctl("client", "track", "ki&wi", "-o", "gpx").stdout)
        points = gpx.findall(".//{*}trkseg/{*}trkpt")
        assert [point.find("{*}name").text for point in points] == ["ki&wi"] * 4
        shown = ctl("map", "--track", "ki&wi")
        assert "4 positions" in shown.stdout and "ki&wi" in shown.stdout, shown
        assert ctl("map", "--track", "nobody").returncode == 0
        assert ctl("map", "ki&wi", "--track", "ki&wi").returncode == 2
        # The server is away: so is the history.
        cluster.stop()
        result = ctl("client", "track", "ki&wi")
        assert result.returncode != 0 and result.stdout == ""


def test_old_days_of_a_history_are_dropped(tmp_path, cluster):
    """When the clock is trusted, by the node that compares."""
    settings = store(cluster.url_file(tmp_path), "durability: sync, history: 2d")
    with Herd(tmp_path, ["Ann"], [], settings) as herd:
        ann = herd.start()["Ann"]
        ann.iamat((b"a", b"+1+1", b"5"))
        cluster.sql("CREATE TABLE herd_history_20200101 PARTITION OF herd_history FOR VALUES IN ('2020-01-01');"
                    " CREATE TABLE herd_history_notes (x int); CREATE TABLE herd_history_1999_old (x int)")
        ann.stop()
        ann.start()
        wait_until(lambda: cluster.sql("SELECT to_regclass('herd_history_20200101')") == "", "it is dropped", 40)
        assert cluster.sql("SELECT count(*) FROM pg_class WHERE relname ~ '^herd_history_' AND relkind = 'r'") == "3"
        assert len(Api(ann.admin).get("/v1/clients/a/track").json["track"]) == 1


def test_clock_that_is_ahead_deletes_nothing_of_the_herds(tmp_path, cluster, shim):
    """A node alone believes its own clock; the server's has to agree."""
    settings = store(cluster.url_file(tmp_path), "durability: sync, history: 2d")
    with Herd(tmp_path, ["Ann"], [], settings) as herd:
        clocks, ann = Clocks(herd, shim), herd["Ann"]
        ann.start().wait_log("event=store-connected")
        ann.iamat((b"new", b"+1+1", b"%d" % time.time()))
        herd.stop()
        cluster.sql("CREATE TABLE herd_history_20200101 PARTITION OF herd_history FOR VALUES IN ('2020-01-01')")
        clocks.set("Ann", 10 * 365 * 86400)
        ann.start().wait_log("event=store-loaded")
        looked = ("SELECT count(*) FROM pg_stat_activity WHERE query ~ 'extract.epoch FROM now' "
                  "AND application_name = 'Ann'")
        wait_until(lambda: cluster.sql(looked) != "0", "it has looked at the server's clock", 60)
        assert cluster.sql("SELECT count(*) FROM herd_history") == "1"
        assert cluster.sql("SELECT to_regclass('herd_history_20200101')") != ""
        # With a clock that is right all of it goes on.
        herd.stop()
        clocks.set("Ann", 0)
        ann.start()
        wait_until(lambda: cluster.sql("SELECT to_regclass('herd_history_20200101')") == "", "it is dropped", 60)
        assert cluster.sql("SELECT count(*) FROM herd_history") == "1"


def test_view_has_a_geography_where_postgis_is(tmp_path, cluster):
    if cluster.sql("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgis'") == "0":
        pytest.skip("PostGIS is not installed: make check-postgis does it")
    with Herd(tmp_path, ["Ann"], [], store(cluster.url_file(tmp_path))) as herd:
        ann = herd.start()["Ann"]
        ann.iamat((b"a", b"+34.068930-118.445127", b"5"))
        # It comes later than the tables.
        cluster.sql("CREATE EXTENSION postgis")
        ann.stop()
        ann.start()
        ann.wait_log("event=store-connected")
        assert cluster.sql("SELECT ST_AsText(geog) FROM herd_positions") == "POINT(-118.445127 34.06893)"


def test_role_that_only_reads(tmp_path, cluster):
    """What herd.yaml(5) grants is enough, and no more."""
    settings = store(cluster.url_file(tmp_path))
    with Herd(tmp_path, ["Ann"], [], settings) as herd:
        ann = herd.start()["Ann"]
        ann.iamat((b"a", b"+1+1", b"5"))
        cluster.sql("CREATE ROLE analyst LOGIN; GRANT SELECT ON herd_positions TO analyst")
        assert cluster.sql("SELECT lat FROM herd_positions", user="analyst") == "1"
        with pytest.raises(AssertionError, match="permission denied"):
            cluster.sql("SELECT 1 FROM herd_reports", user="analyst")


def test_role_without_the_right_to_create_uses_tables_that_are_there(tmp_path, cluster):
    """An administrator makes the tables with another role."""
    with Herd(tmp_path, ["Ann"], [], store(cluster.url_file(tmp_path))) as herd:
        herd.start()["Ann"].iamat((b"a", b"+1+1", b"5"))
    cluster.sql("CREATE ROLE app LOGIN")
    path = cluster.url_file(tmp_path, cluster.url(user="app"))
    with Herd(tmp_path, ["Ann"], [], store(path)) as herd:
        ann = herd.start()["Ann"]
        ann.wait_log("event=store-refused error=.*42501")
        cluster.sql("GRANT SELECT ON herd_meta TO app;"
                    " GRANT SELECT, INSERT, UPDATE, DELETE ON herd_reports TO app")
        assert Api(ann.admin).post("/v1/store/retry").status == 200
        ann.wait_log("event=store-loaded records=1")
        ann.iamat((b"b", b"+1+1", b"5"))
        assert rows(cluster) == "2"


def test_text_of_the_server_is_only_text(tmp_path, cluster):
    """What a server says is shown without what a terminal would obey."""
    cluster.sql("CREATE TABLE herd_meta (id int, version text, herd text, params text)")
    cluster.sql("INSERT INTO herd_meta VALUES (1, '1', E'\\u001b[31m\\nevent=forged', '')")
    with Herd(tmp_path, ["Ann"], [], store(cluster.url_file(tmp_path), "durability: async")) as herd:
        ann = herd.start()["Ann"]
        ann.wait_log("event=store-(refused|away)")
        assert "\x1b" not in ann.log() and not re.search("^event=forged", ann.log(), re.M)
