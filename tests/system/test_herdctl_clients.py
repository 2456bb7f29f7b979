# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of clients that the nodes choose, sort and send as they find them:
client ls, count, export and forget, and /v1/clients under them."""
import json
import random
import re
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest

from api import Api
from conftest import Ctl
from nodes import HERDCTL, Herd, read_lines, wait_until
from terminal import Terminal, plain

CLIENTS = 4000
PAIR = dict(nodes=["Ann", "Bob"], links=[("Ann", "Bob")],
            settings="places: {provider: none}\nworkers: 1\n")


def q(text):
    return urllib.parse.quote(text)


class Fleet:
    """Clients of two nodes, and what they reported."""

    def __init__(self, herd):
        self.now = time.time()
        chance = random.Random(12)
        self.rows = {}
        requests = {"Ann": [], "Bob": []}
        for i in range(CLIENTS):
            client = f"{chance.choice(['bus', 'tram', 'ferry'])}-{i:04d}"
            self.rows[client] = {
                "time": f"{self.now - chance.randrange(1, 7200) - i / 1e6:.9f}",
                "lat": chance.randrange(-80, 80), "lon": chance.randrange(-170, 170),
                "origin": chance.choice(["Ann", "Bob"])}
            row = self.rows[client]
            requests[row["origin"]].append(
                f"IAMAT {client} {row['lat']:+d}{row['lon']:+d} {row['time']}\n".encode())
        for name, lines in requests.items():
            with herd[name].connect() as s:
                s.sendall(b"".join(lines))
                replies = read_lines(s, len(lines))
            assert replies.count(b"AT ") == len(lines)

    def ids(self, wanted=lambda client, row: True):
        return {c for c, r in self.rows.items() if wanted(c, r)}

    def age(self, client):
        return self.now - float(self.rows[client]["time"])


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with Herd(tmp_path_factory.mktemp("clients"), **PAIR) as herd:
        herd.start()
        herd.wait_synced()
        herd.fleet = Fleet(herd)
        for node in herd:
            wait_until(lambda: Api(node.admin).get("/v1/clients?count").json["count"] == CLIENTS,
                       "all is flooded")
        yield herd


@pytest.fixture
def ctl(pair, tmp_path):
    return Ctl(tmp_path, pair.path)


def rows_of(result):
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def names_of(result):
    return {row["client"] for row in rows_of(result)}


# --- what is chosen ---------------------------------------------------------------


def test_a_list_has_each_client_once(pair, ctl):
    rows = rows_of(ctl("client", "ls", "-n", "Ann", "-o", "jsonl"))
    assert len(rows) == CLIENTS and {r["client"] for r in rows} == set(pair.fleet.rows)
    for row in rows:
        mine = pair.fleet.rows[row["client"]]
        assert (row["time"], row["lat"], row["lon"], row["origin"]) == (
            mine["time"], mine["lat"], mine["lon"], mine["origin"])
        assert abs(row["age_s"] - pair.fleet.age(row["client"])) < 300 and row["ahead_s"] is None
        assert row["from"] == ("client" if mine["origin"] == "Ann" else "Bob")


def test_every_format_has_all_rows(ctl):
    document = json.loads(ctl("client", "ls", "-n", "Ann", "--json").stdout)
    assert len(document["clients"]) == CLIENTS and document["complete"] is True
    assert len(json.loads(ctl("client", "ls", "-n", "Ann", "-o", "geojson").stdout)["features"]) == CLIENTS
    for form in ("csv", "tsv", "plain"):
        assert len(ctl("client", "ls", "-n", "Ann", "-o", form).stdout.splitlines()) == CLIENTS + 1, form
    assert len(ctl("client", "ls", "-n", "Ann", "-o", "name").stdout.splitlines()) == CLIENTS
    assert len(ctl("client", "ls", "-n", "Ann", "-o", "raw").stdout.splitlines()) == CLIENTS


def test_few_are_in_order_and_all_nodes_have_their_rows(pair, ctl):
    few = sorted(pair.fleet.ids(lambda c, _: c.startswith("bus-00")))
    rows = rows_of(ctl("client", "ls", "bus-00", "-n", "all", "-o", "jsonl"))
    assert [(r["node"], r["client"]) for r in rows] == \
        [(n, c) for n in ("Ann", "Bob") for c in few]


WHERE = [
    ("client ~ 'tram-*7'", lambda f, c, r: c.startswith("tram") and c.endswith("7")),
    ("client ~ '*-[0-4]*[!05]' and origin = Bob",
     lambda f, c, r: c.split("-")[1][0] in "01234" and c[-1] not in "05" and r["origin"] == "Bob"),
    ("lat > 0 and (lon < -100 or lon >= 100)",
     lambda f, c, r: r["lat"] > 0 and (r["lon"] < -100 or r["lon"] >= 100)),
    ("not from = client", lambda f, c, r: r["origin"] == "Bob"),
    ("ahead", lambda f, c, r: False),
    ("location = null or skew = null", lambda f, c, r: False),
]


@pytest.mark.parametrize("where, wanted", WHERE)
def test_where_is_what_it_says(pair, ctl, where, wanted):
    meant = pair.fleet.ids(lambda c, r: wanted(pair.fleet, c, r))
    assert names_of(ctl("client", "ls", "-n", "Ann", "--where", where, "-o", "jsonl")) == meant
    assert names_of(ctl("client", "export", "-n", "Ann", "--where", where)) == meant
    counts = rows_of(ctl("client", "count", "-n", "Ann", "--where", where, "-o", "jsonl"))
    assert [row["count"] for row in counts] == [len(meant)]


def test_ages_are_compared_in_any_unit(pair, ctl):
    """Between two ages that no client has, because time goes on meanwhile."""
    ages = sorted(pair.fleet.age(c) for c in pair.fleet.rows)
    gap, low = max((b - a, a) for a, b in zip(ages, ages[1:]))
    meant = pair.fleet.ids(lambda c, _: pair.fleet.age(c) > low)
    age = f"{time.time() - pair.fleet.now + low + gap / 2:.3f}s"
    found = names_of(ctl("client", "ls", "-n", "Ann", "--where", f"age > {age}", "-o", "jsonl"))
    # Whatever the machine's haste, nobody but the gap's neighbours may change sides.
    assert len(found ^ meant) <= 20
    assert names_of(ctl("client", "ls", "-n", "Ann", "--where", "age > 2d", "-o", "jsonl")) == set()
    everyone = names_of(ctl("client", "ls", "-n", "Ann", "--where", "age < 5h and received_at > "
                            f"{pair.fleet.now - 3600:.9f}", "-o", "jsonl"))
    assert everyone == set(pair.fleet.rows)


@pytest.mark.parametrize("glob, wanted", [
    ("bus", lambda c: c.startswith("bus")), ("bus-*9", lambda c: c.startswith("bus") and c[-1] == "9"),
    ("*-123?", lambda c: c[-4:-1] == "123"), ("[ft]*00", lambda c: c[0] in "ft" and c.endswith("00")),
    ("nobody*", lambda c: False)])
def test_globs(pair, ctl, glob, wanted):
    meant = pair.fleet.ids(lambda c, _: wanted(c))
    assert names_of(ctl("client", "ls", glob, "-n", "Ann", "-o", "jsonl")) == meant
    assert names_of(ctl("client", "export", glob, "-n", "Bob")) == meant
    (row,) = rows_of(ctl("client", "count", glob, "-n", "Ann", "-o", "jsonl"))
    assert row["count"] == len(meant)


@pytest.mark.parametrize("words, says", [
    (("--where", "clinet = x"), "did you mean `client'?"), (("--where", "age > soon"), "`soon' is no value"),
    (("--where", "lat"), None), (("--sort", "clinet"), "did you mean"), (("--sort", "age:up"), "asc")])
def test_wrong_questions_never_reach_a_node(ctl, words, says):
    for command in ("ls", "export"):
        result = ctl("client", command, "-n", "Ann", *words)
        if says is None:
            assert result.returncode == 0
        else:
            assert result.returncode == 2 and says in result.stderr and result.stdout == ""


# --- order and limit --------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 20, 998, 999, 1000, 1500])
@pytest.mark.parametrize("sort, key", [
    ("time:desc", lambda f, c: -float(f.rows[c]["time"])), ("age:desc", lambda f, c: float(f.rows[c]["time"])),
    ("client:desc", None), ("time", lambda f, c: float(f.rows[c]["time"]))])
def test_sorted_and_cut(pair, ctl, sort, key, limit):
    rows = rows_of(ctl("client", "ls", "-n", "Ann", "--sort", sort, "--limit", limit, "-o", "jsonl"))
    order = sorted(pair.fleet.rows, key=lambda c: key(pair.fleet, c)) if key else \
        sorted(pair.fleet.rows, reverse=True)
    assert [r["client"] for r in rows] == order[:limit]


def test_sorted_over_all_nodes(pair, ctl):
    rows = rows_of(ctl("client", "ls", "-n", "all", "--sort", "time:desc", "--limit", 6, "-o", "jsonl"))
    newest = sorted(pair.fleet.rows, key=lambda c: -float(pair.fleet.rows[c]["time"]))[:3]
    assert [r["client"] for r in rows] == [c for c in newest for _ in range(2)]


def test_several_keys_and_no_limit(pair, ctl):
    rows = rows_of(ctl("client", "ls", "-n", "Ann", "--sort", "origin,time:desc", "-o", "jsonl"))
    assert [(r["origin"], -float(r["time"])) for r in rows] == \
        sorted((r["origin"], -float(r["time"])) for r in rows) and len(rows) == CLIENTS


def test_what_is_left_out_is_said(ctl):
    for words in ((), ("--sort", "time")):
        document = json.loads(ctl("client", "ls", "-n", "Ann", "--limit", "7", "--json", *words).stdout)
        assert len(document["clients"]) == 7 and document["complete"] is False
        text = ctl("client", "ls", "-n", "Ann", "--limit", "7", "-o", "table", *words).stdout
        assert len(text.splitlines()) == 9 and "more clients than shown (--limit)" in text
    document = json.loads(ctl("client", "ls", "-n", "Ann", "--limit", str(CLIENTS), "--json").stdout)
    assert len(document["clients"]) == CLIENTS and document["complete"] is True


def test_near_is_sorted_by_distance(pair, ctl):
    rows = rows_of(ctl("client", "near", "0,0", "3000", "-n", "Ann", "-o", "jsonl"))
    distances = [r["distance_m"] for r in rows]
    assert distances == sorted(distances) and distances[-1] <= 3e6
    first = rows_of(ctl("client", "near", "0,0", "3000", "-n", "Ann", "-o", "jsonl", "--limit", "5"))
    assert [r["distance_m"] for r in first] == distances[:5]
    chosen = rows_of(ctl("client", "near", "0,0", "3000", "-n", "Ann", "-o", "jsonl",
                         "--where", "distance < 2000km and lat >= 0"))
    assert {r["client"] for r in chosen} == \
        {r["client"] for r in rows if r["distance_m"] < 2e6 and r["lat"] >= 0}


# --- on a terminal ----------------------------------------------------------------


def test_columns_keep_their_places_and_the_reader_may_leave(ctl):
    session = Terminal([HERDCTL, "client", "ls", "-n", "Ann", "--no-pager"], ctl.env(), (24, 80))
    try:
        assert session.end() == 0
        lines = plain(session.seen).splitlines()
        assert len(lines) == CLIENTS + 1 and all(len(line) <= 80 for line in lines)
        assert len({line.find(":") for line in lines[1:]}) == 1
    finally:
        session.close()
    reader = subprocess.Popen([HERDCTL, "client", "ls", "-n", "Ann"], env=ctl.env(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert reader.stdout.readline().startswith(b"CLIENT\t")
    reader.stdout.close()
    assert reader.wait(20) == -signal.SIGPIPE and reader.stderr.read() == b""
    reader.stderr.close()


# --- the API ----------------------------------------------------------------------


@pytest.mark.parametrize("query, part", [
    ("where=clinet", "did you mean"), ("sort=weight", "sort is"), ("sort=time:up", "sort is"),
    ("stream&sort=time", "a stream has no"), ("stream&limit=0", "limit is"), ("limit=1001", "1 to 1000"),
    ("stream=maybe", "truth"), ("removals=maybe", "truth"), pytest.param("where=" + q("(" * 2000), "too long", id="deep"),
    ("sort=time&after=zzzz", "cursor")])
def test_bad_parameters_are_named(pair, query, part):
    reply = Api(pair["Ann"].admin).get("/v1/clients?" + query)
    assert reply.status == 400 and reply.error == "bad-request"
    assert part in reply.json["error"]["message"] + reply.json["error"]["hint"]


def test_pages_of_any_order_are_whole(pair):
    for sort in ("age:desc", "origin", "location:desc", "received_at", "from", "skew:desc"):
        pages = list(Api(pair["Ann"].admin).pages(f"sort={sort}&limit=700"))
        names = [row["client"] for page in pages for row in page]
        assert len(pages) == 6 and sorted(names) == sorted(pair.fleet.rows), sort


def test_a_slow_reader_gets_all_and_the_node_goes_on(pair):
    """The node makes no more lines than its reader takes."""
    api = Api(pair["Ann"].admin)
    with socket.socket(socket.AF_UNIX) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(pair["Ann"].admin)
        slow.sendall(b"GET /v1/clients?stream HTTP/1.1\r\nHost: x\r\n\r\n")
        data = slow.recv(100)
        assert api.get("/v1/clients?count").json["count"] == CLIENTS
        while not data.endswith(b"\r\n0\r\n\r\n"):
            more = slow.recv(1000)
            assert more
            data += more
    assert data.count(b'{"client":') == CLIENTS


# --- a stream that is cut ---------------------------------------------------------


@pytest.fixture
def doomed(tmp_path):
    herd = Herd(tmp_path, ["Solo"], [], "places: {provider: none}\nworkers: 1\n")
    herd.start()
    node = herd["Solo"]
    lines = [f"IAMAT c{i:06d} +1+2 {time.time():.9f}\n".encode() for i in range(30000)]
    with node.connect() as s:
        for i in range(0, len(lines), 1000):
            s.sendall(b"".join(lines[i:i + 1000]))
            read_lines(s, 1000)
    yield herd
    if node.process.poll() is None:
        herd.stop()


@pytest.mark.parametrize("how, says", [(signal.SIGTERM, "the node stops|in the middle of an answer"),
                                       (signal.SIGKILL, "in the middle of an answer")])
def test_a_list_that_is_cut_says_so(doomed, tmp_path, how, says):
    node = doomed["Solo"]
    reader = subprocess.Popen([HERDCTL, "client", "ls"], env=Ctl(tmp_path, doomed.path).env(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert reader.stdout.readline()  # and no more: the node waits for us
    node.process.send_signal(how)
    node.process.wait(20)
    out, err = reader.communicate(timeout=20)
    assert re.search(says, err.decode()) and reader.returncode in (5, 7), (reader.returncode, err)
    assert out.count(b"\n") < 30000


# --- forget -----------------------------------------------------------------------


@pytest.fixture
def herd(tmp_path):
    with Herd(tmp_path, **PAIR) as started:
        started.start()
        started.wait_synced()
        yield started


def fill(herd, counts):
    for name, count in counts.items():
        lines = [f"IAMAT {name.lower()}-{i:03d} +1+2 {time.time() - 60 * i:.9f}\n".encode()
                 for i in range(count)]
        with herd[name].connect() as s:
            s.sendall(b"".join(lines))
            read_lines(s, count)
    total = sum(counts.values())
    for node in herd:
        wait_until(lambda: Api(node.admin).get("/v1/clients?count").json["count"] == total, "flooded")


def test_forget_of_many(herd, tmp_path):
    ctl = Ctl(tmp_path, herd.path)
    fill(herd, {"Ann": 30, "Bob": 20})
    # What it would do, without being asked and without doing it.
    dry = rows_of(ctl("client", "forget", "ann-*", "--where", "age > 20m", "--dry-run", "-o", "jsonl"))
    assert {r["client"] for r in dry} == {f"ann-{i:03d}" for i in range(20, 30)}
    assert {r["node"] for r in dry} == {"Ann", "Bob"}
    refused = ctl("client", "forget", "ann-*")
    assert refused.returncode == 2 and "--yes" in refused.stderr
    assert ctl("client", "forget").returncode == 2
    nobody = ctl("client", "forget", "nobody", "--yes")
    assert nobody.returncode == 1 and nobody.stderr.splitlines() == [
        f"herdctl: {name}: holds no report of that client" for name in ("Ann", "Bob")]
    assert rows_of(ctl("client", "count", "-n", "Ann", "-o", "jsonl"))[0]["count"] == 50
    rows = rows_of(ctl("client", "forget", "ann-*", "--where", "age > 20m", "--yes", "-o", "jsonl"))
    assert sorted(r["node"] for r in rows) == ["Ann", "Bob"]
    assert max(r["forgotten"] for r in rows) == 10 and all(r["error"] is None for r in rows)
    for node in herd:
        wait_until(lambda: Api(node.admin).get("/v1/clients?count").json == {"count": 40, "removals": 10},
                   "forgotten everywhere")
    assert "verb=forget-many" in herd["Ann"].log()
    # A glob byte in an id is meant with a backslash.
    herd["Ann"].ask(b"IAMAT a*b +1+2 5\nIAMAT axb +1+2 5\n")
    assert ctl("client", "forget", r"a\*b", "--yes").returncode == 0
    assert Api(herd["Ann"].admin).get("/v1/clients/axb").status == 200
    assert Api(herd["Ann"].admin).get("/v1/clients/a%2Ab").status == 404


def test_forget_of_many_asks_with_the_count(herd, tmp_path):
    fill(herd, {"Ann": 30, "Bob": 20})
    session = Terminal([HERDCTL, "client", "forget", "bob-*"], Ctl(tmp_path, herd.path).env(), (24, 100))
    try:
        session.expect(r"Forget 20 clients in the whole herd, by 2 nodes \(ucla\)\?")
        session.line("y")
        assert session.end() == 0
    finally:
        session.close()
    wait_until(lambda: Api(herd["Bob"].admin).get("/v1/clients?count").json["count"] == 30, "forgotten")


def test_the_api_forgets_nothing_by_a_slip(herd):
    api = Api(herd["Ann"].admin)
    fill(herd, {"Ann": 3})
    for query in ("", "?all=0", "?all=maybe", "?glob=x*&all=1", "?where=agee"):
        assert api.delete("/v1/clients" + query).status == 400, query
    assert api.get("/v1/clients?count").json["count"] == 3
    assert api.delete("/v1/clients?all=1").json == {"forgotten": 3, "newer": 0}
    assert api.get("/v1/clients?count").json == {"count": 0, "removals": 3}


# --- exactly as it was ------------------------------------------------------------


def exact_lines(ctl, node):
    return [json.loads(line) for line in ctl("client", "export", "--exact", "-n", node).stdout.splitlines()]


def body_of(rows):
    return "".join(
        f"GONE {r['origin']} {r['client']} {r['time']}\n" if r.get("removed") else
        f"AT {r['origin']} {r['skew']} {r['client']} {r['location']} {r['time']}\n" for r in rows).encode()


def test_export_exact_has_all_that_a_report_has(herd, tmp_path):
    ctl = Ctl(tmp_path, herd.path)
    fill(herd, {"Ann": 40, "Bob": 40})
    assert ctl("client", "forget", "bob-00*", "--yes").returncode == 0
    for node in herd:
        wait_until(lambda: Api(node.admin).get("/v1/clients?count").json["removals"] == 10, "removed")
    rows = exact_lines(ctl, "Bob")
    assert len(rows) == 80 and sum(bool(r.get("removed")) for r in rows) == 10
    digest = "/v1/digest?key=" + "0" * 32
    before = Api(herd["Bob"].admin).get(digest).json["hashes"]
    with Herd(tmp_path / "other" if (tmp_path / "other").mkdir() is None else "", **PAIR) as other:
        other.start()
        other.wait_synced()
        reply = Api(other["Ann"].admin).ask("POST", "/v1/clients", body_of(rows)).json
        assert reply == {"put": 80, "stale": 0, "refused": 0, "faults": []}
        for node in other:
            wait_until(lambda: Api(node.admin).get(digest).json["hashes"] == before, "the same table")
    for words in (("-o", "csv"), ("--limit", "3"), ("--columns", "client"), ("--sort", "age")):
        assert ctl("client", "export", "--exact", "-n", "Ann", *words).returncode == 2


def test_put_names_what_it_refuses(herd):
    api = Api(herd["Ann"].admin)
    old = b"AT Ann +0.000000000 kiwi +1+2 %d.5\n" % (time.time() - 60)
    new = b"AT Cy +0.000000000 kiwi +1+2 %d.5\n" % time.time()
    reply = api.ask("POST", "/v1/clients", new + old + b"\nIAMAT x +1+2 5\nAT Ann x\n").json
    assert (reply["put"], reply["stale"], reply["refused"]) == (1, 1, 2)
    assert [f["line"] for f in reply["faults"]] == [4, 5]
    assert api.get("/v1/clients/kiwi").json["node"] == "Cy"
    try:
        assert api.ask("POST", "/v1/clients", b"x" * (300 << 10)).status == 413
    except OSError:
        pass  # it does not read on


@pytest.mark.parametrize("verb", ["forget", "put"])
def test_many_wait_for_the_disk(tmp_path, verb):
    """With durability sync the answer comes when all of them are stored."""
    settings = "places: {provider: none}\nstore: {engine: sqlite, path: solo.sqlite, durability: sync}\n"
    with Herd(tmp_path, ["Solo"], [], settings) as herd:
        node = herd.start()["Solo"]
        lines = b"".join(b"AT Solo +0.000000000 c%d +1+2 %d.5\n" % (i, time.time() - i) for i in range(500))
        assert Api(node.admin).ask("POST", "/v1/clients", lines).json["put"] == 500
        if verb == "forget":
            assert Api(node.admin).delete("/v1/clients?glob=c*").json["forgotten"] == 500
        node.stop(signal.SIGKILL)
        node.start()
        counts = Api(node.admin).get("/v1/clients?count").json
        assert (counts["count"], counts["removals"]) == ((0, 500) if verb == "forget" else (500, 0))
