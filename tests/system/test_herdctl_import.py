# SPDX-License-Identifier: GPL-3.0-or-later
"""client import: files of every format, and what becomes of reports that are not taken."""
import base64
import contextlib
import gzip
import json
import os
import signal
import subprocess
import time

import pytest

from api import Api
from conftest import Ctl
from nodes import HERDCTL, Herd, wait_until
from terminal import Terminal

ISO, EPOCH = "2026-11-28T10:00:00Z", "1795860000.000000000"
FUTURE = str(int(time.time()) + 100000)


@pytest.fixture
def lone(tmp_path):
    """One real node, and herdctl for it."""
    with Herd(tmp_path, nodes=["Riley"], links=[]) as herd:
        herd.start()
        home = tmp_path / "home"
        home.mkdir()
        ctl = Ctl(home, herd.path)
        ctl.node, ctl.folder = herd["Riley"], tmp_path
        yield ctl


def row(result):
    return json.loads(result.stdout)["imports"][0]


def counts(result):
    r = row(result)
    return r["read"], r["reported"], r["refused"], r["malformed"]


def point(client, lon, lat, when):
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {"client": client, "time": when}}


FILES = {
    "csv": f'note,time,lat,client,lon\r\n"x\n""y""",{ISO},1.50,a,-2\r\n,5,-3,b,4\r\n',
    "tsv": f"client\tlocation\ttime\na\t+1.50-2\t{ISO}\nb\t-3,4\t5\n",
    "gpx": f'<?xml version="1.0"?><gpx><wpt lat="1.50" lon="-2"><time>{ISO}</time><name>a</name></wpt>'
           '<trk><name>b</name><trkseg><trkpt lat="-3" lon="4"><time>1970-01-01T00:00:05Z</time></trkpt>'
           "</trkseg></trk></gpx>",
    "geojson": json.dumps({"type": "FeatureCollection", "features": [
        point("a", -2, 1.5, ISO), point("b", 4, -3, "5")]}),
    "geojsonl": json.dumps(point("a", -2, 1.5, ISO)) + "\n" + json.dumps(point("b", 4, -3, 5)) + "\n",
    "jsonl": json.dumps({"client": "a", "location": "+1.50-2", "time": ISO}) + "\n"
             + json.dumps({"client": "b", "lat": -3, "lon": 4, "time": 5}) + "\n",
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", FILES)
def test_the_content_tells_format_and_packing(ctl, fake, tmp_path, kind, packed):
    data = FILES[kind].encode()
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(data) if packed else data)
    for words, stdin in (([path], None), (["-"], path.read_bytes())):
        fake["Riley"].clients.clear()
        result = ctl("client", "import", *words, "--json", stdin=stdin, text=False)
        assert result.returncode == 0 and result.stderr == b"", result
        assert counts(result) == (2, 2, 0, 0)
        held = fake["Riley"].clients
        assert held[b"a"][0].decode() == EPOCH and float(held[b"b"][0]) == 5
        assert held[b"a"][1] in (b"+1.50-2", b"+1.5-2") and held[b"b"][1] == b"-3+4"


def test_gpx_of_client_ls_comes_back(ctl, fake, tmp_path):
    fake["Riley"].clients = {
        b'a<&>"b': (b"1479413884.392014450", b"+34.068930-118.445127", b"Riley", b"+0.000000000")}
    path = tmp_path / "all.gpx"
    path.write_text(ctl("client", "ls", "-o", "gpx").stdout)
    result = ctl("-n", "Jaquez", "client", "import", path, "--json")
    assert result.returncode == 0, result.stderr
    time, place, *_ = fake["Jaquez"].clients[b'a<&>"b']
    assert (time, float(place[:9]), float(place[9:])) == (b"1479413884.392014450", 34.06893, -118.445127)


def test_geojson_of_client_ls_comes_back(ctl, fake, tmp_path):
    fake["Riley"].clients = {
        b"a\xff\x01": (b"1479413884.392014450", b"+34.068930-118.445127", b"Riley", b"+0.000000000"),
        b"b": (b"5.0", b"-1.000-0", b"Riley", b"+0.000000000")}
    path = tmp_path / "all.geojson"
    path.write_text(ctl("client", "ls", "-o", "geojson").stdout)
    result = ctl("-n", "Jaquez", "client", "import", path, "--json")
    assert result.returncode == 0, result.stderr
    for client, record in fake["Riley"].clients.items():
        assert fake["Jaquez"].clients[client][:2] == record[:2]


def test_each_refused_report_is_named(lone):
    text = (json.dumps({"client": "ok", "time": EPOCH, "location": "+34-118"}) + "\n"
            + json.dumps({"client": "future", "time": FUTURE, "location": "+34-118"}) + "\n")
    result = lone("client", "import", "-", stdin=text)
    assert result.returncode == 5
    assert result.stderr == ("herdctl: stdin:2: refused: its time is ahead of the node's clock by "
                             "more than max_ahead (client future)\n")
    assert lone.node.at_line(b"ok").startswith(b"AT Riley ")
    # as JSON, with the status of each
    error = json.loads(lone("client", "import", "-", "--json", stdin=text).stderr)["error"]
    assert error["status"] == 5 and "(client future)" in error["message"]


def test_a_reason_that_cannot_be_asked_for_is_guessed(ctl, fake):
    fake["Riley"].refuse = b"future"
    text = json.dumps({"client": "future", "time": FUTURE, "location": "+1-2"})
    result = ctl("client", "import", "-", stdin=text)
    assert result.returncode == 5
    assert "stdin:1: refused: its time is ahead of this machine's clock (client future)" in result.stderr


def test_ids_are_cleaned_in_messages(ctl):
    text = json.dumps({"client": "a\x1b[31m\u202e", "time": "x", "location": "+1-2"})
    result = ctl("client", "import", "-", stdin=text)
    assert result.returncode == 8 and "\x1b" not in result.stderr and "\u202e" not in result.stderr
    assert r"(client a\x1b[31m\u{202e})" in result.stderr


@pytest.mark.parametrize("kind", ["csv", "jsonl", "gpx", "geojson"])
def test_rejects_can_be_mended_and_imported(lone, kind):
    bad, future, good = "yesterday", FUTURE, EPOCH
    if kind == "gpx":
        future = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(FUTURE)))

    def text(*clients):
        if kind == "csv":
            return "client,location,time,note\n" + "".join(
                f'{c},+1-2,{t},"a\nb"\n' for c, t in clients)
        if kind == "jsonl":
            return "".join(json.dumps({"client": c, "time": t, "location": "+1-2"}) + "\n"
                           for c, t in clients)
        if kind == "gpx":
            return "<gpx>" + "".join(
                f'<trk><name>{c}</name><trkseg><trkpt lat="1" lon="-2"><time>{t}</time></trkpt>'
                "</trkseg></trk>" for c, t in clients) + "</gpx>"
        return json.dumps({"type": "FeatureCollection",
                           "features": [point(c, -2, 1, t) for c, t in clients]})
    path, rejects = lone.folder / "file", lone.folder / "rejects"
    path.write_text(text(("a", good), ("b", bad), ("c", good), ("d", future)))
    result = lone("client", "import", path, "--rejects", rejects, "--json")
    assert counts(result) == (4, 2, 1, 1) and result.returncode == 8
    kept = rejects.read_text()
    assert kept.count(bad) == 1 and kept.count(future) == 1
    rejects.write_text(kept.replace(bad, good).replace(future, good))
    result = lone("client", "import", rejects, "--json")
    assert counts(result) == (2, 2, 0, 0) and result.returncode == 0, result.stderr
    assert None not in lone.node.at_lines([b"a", b"b", b"c", b"d"])


def test_rejects_must_not_be_the_file_itself(ctl, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("nonsense\n{\n")
    result = ctl("client", "import", path, "--rejects", path)
    assert result.returncode == 2 and "is the file to import" in result.stderr
    assert path.read_text() == "nonsense\n{\n"
    assert ctl("client", "import", path, "--rejects", tmp_path / "no" / "x").returncode == 8
    if os.path.exists("/dev/full"):
        result = ctl("client", "import", path, "--rejects", "/dev/full", "--from", "jsonl")
        assert result.returncode == 8 and "/dev/full: the rejects could not be written" in result.stderr


def test_it_stops_after_max_errors(ctl, fake, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("client,location,time\n" + "a,b,c\n" * 5000)
    for words, named in ((["--max-errors", "3"], 3), ([], 100), (["--max-errors", "0"], 5000)):
        result = ctl("client", "import", path, "--json", *words)
        assert result.returncode == 8 and row(result)["malformed"] == named
        stopped = f"x.csv:{named + 1}: stopped here after {named} errors" in result.stderr
        assert stopped == (named < 5000)
        assert len(result.stderr.splitlines()) == named + stopped
    # refused ones count; those under way already are counted and not named
    fake["Riley"].refuse = b""
    path.write_text("client,location,time\n" + "a,+1-2,5\n" * 5000)
    rejects = tmp_path / "rejects"
    result = ctl("client", "import", path, "--json", "--max-errors", "3", "--rejects", rejects)
    assert result.returncode == 5
    assert row(result)["read"] < 5000 and row(result)["refused"] >= 3
    assert result.stderr.count("refused: ") == 3
    assert len(rejects.read_text().splitlines()) == row(result)["refused"] + 1


def test_a_dry_run_sends_nothing(ctl, fake, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("client,location,time\na,+1-2,5\nb,nowhere,5\n")
    rejects = tmp_path / "rejects"
    for words in ([], ["--read-only"], ["-s", "127.0.0.1:1"]):
        result = ctl("client", "import", path, "--dry-run", "--rejects", rejects, "--json", *words)
        assert result.returncode == 8 and counts(result) == (2, 0, 0, 1)
        assert ":3: the location is none (client b)" in result.stderr
        assert rejects.read_text() == "client,location,time\nb,nowhere,5\n"
    assert not fake["Riley"].lines
    result = ctl("client", "import", path, "--read-only")
    assert result.returncode == 2 and not fake["Riley"].lines


def test_options_give_what_the_file_lacks(ctl, fake, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("lat,lon\n1,-2\n")
    result = ctl("client", "import", path, "--client", "me")
    assert result.returncode == 2 and "no column `time'" in result.stderr and "--time" in result.stderr
    result = ctl("client", "import", path, "--time", "now")
    assert result.returncode == 2 and "no column `client'" in result.stderr
    assert not fake["Riley"].lines
    before = time.time()
    assert ctl("client", "import", path, "--client", "me", "--time", "now").returncode == 0
    assert before - 1 <= float(fake["Riley"].clients[b"me"][0]) <= time.time() + 1
    assert ctl("client", "import", path, "--client", "you", "--time", ISO).returncode == 0
    assert fake["Riley"].clients[b"you"][0].decode() == EPOCH
    gpx = tmp_path / "x.gpx"
    gpx.write_text('<gpx><trk><name>Morning Run</name><trkseg><trkpt lat="1" lon="2">'
                   "<time>2026-11-28T10:00:00Z</time></trkpt></trkseg></trk></gpx>")
    result = ctl("client", "import", gpx)
    assert result.returncode == 8
    assert "x.gpx:1: point 1: a client's id has no white space and no NUL (client Morning Run)" in result.stderr
    assert ctl("client", "import", gpx, "--client", "run").returncode == 0
    assert fake["Riley"].clients[b"run"][1] == b"+1+2"


@pytest.mark.parametrize("words, said", [
    (["--from", "xml"], "no format `xml'; there are csv gpx geojson jsonl"),
    (["--time", "yesterday"], "--time: use now, epoch seconds or ISO 8601"),
    (["--client", "a b"], "a b"), (["--max-errors", "x"], "max-errors")])
def test_wrong_options(ctl, fake, words, said):
    result = ctl("client", "import", "/dev/null", *words)
    assert result.returncode == 2 and said in result.stderr
    assert not fake["Riley"].lines


def test_from_says_the_format_where_the_content_does_not(ctl, tmp_path):
    path = tmp_path / "x"
    path.write_text("nonsense\n")
    result = ctl("client", "import", path)
    assert result.returncode == 8 and "--from" in result.stderr and str(path) in result.stderr
    path.write_text('nonsense\n{"client":"a","location":"+1-2","time":"5"}\n')
    result = ctl("client", "import", path, "--from", "jsonl", "--json")
    assert counts(result) == (2, 1, 0, 1)
    path.write_text("client\na\n")
    assert "neither `location'" in ctl("client", "import", path, "--from", "csv").stderr


def test_damaged_gzip_is_named(ctl, fake, tmp_path):
    lines = "".join(json.dumps({"client": f"c{i}", "location": "+1-2", "time": "5"}) + "\n"
                    for i in range(20000))
    whole = gzip.compress(lines.encode())
    path = tmp_path / "x.jsonl.gz"
    broken = bytearray(whole)
    broken[-6] ^= 0xff  # the checksum
    for data in (whole[:len(whole) // 2], bytes(broken), whole[:5], b"\x1f\x8bnonsense"):
        path.write_bytes(data)
        for words, stdin in (([path], None), (["-"], data)):
            result = ctl("client", "import", *words, "--max-errors", "0", stdin=stdin, text=False)
            assert result.returncode == 8
            name = b"stdin" if stdin else os.fsencode(path)
            assert name + b": its gzip data is damaged or not whole" in result.stderr
    # two in one file are one after the other
    path.write_bytes(whole + whole)
    assert counts(ctl("client", "import", path, "--json")) == (40000, 40000, 0, 0)
    # nor is what follows lost without a word, other than the zeros of a tape
    path.write_bytes(whole + b"\0" * 512)
    assert counts(ctl("client", "import", path, "--json")) == (20000, 20000, 0, 0)
    path.write_bytes(whole + b"x" + whole)
    result = ctl("client", "import", path)
    assert result.returncode == 8 and "what follows its gzip data is no gzip" in result.stderr
    # it does not wait for the rest of a pipe that it has no use for
    bad = gzip.compress(b"".join(os.urandom(32).hex().encode() + b"\n" for _ in range(20000)))
    with subprocess.Popen([HERDCTL, "client", "import", "-", "--from", "jsonl", "--max-errors", "1"],
                          env=ctl.env(), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with contextlib.suppress(BrokenPipeError):  # it was quick
            process.stdin.write(bad[:len(bad) // 2])
            process.stdin.flush()
        assert process.wait(timeout=30) == 8


def test_gzip_that_is_missing_is_said(ctl, tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"client,location,time\n"))
    result = ctl("client", "import", path, env={"PATH": str(tmp_path)})
    assert result.returncode == 8 and "gzip, which has to unpack it, is missing" in result.stderr


def test_reports_go_out_as_a_pipe_brings_them(ctl, fake):
    process = subprocess.Popen([HERDCTL, "client", "import", "-", "--timeout", "500ms"], env=ctl.env(),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.stdin.write(b"client,location,time\na,+1-2,5\nb,+1-2,5\n")
        process.stdin.flush()
        wait_until(lambda: len(fake["Riley"].clients) == 2, "both have come")
        # the deadline is the node's, not the pipe's
        asked = time.time()
        wait_until(lambda: time.time() > asked + 1, "the timeout has passed twice")
        assert process.poll() is None
        process.stdin.write(b"c,+1-2,5")
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0 and err == b"" and len(fake["Riley"].clients) == 3
    finally:
        process.kill()
        process.wait()


def test_a_silent_node_ends_it(ctl, fake, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("client,location,time\na,+1-2,5\n")
    for fault, status in (("silence", 4), ("close", 7), ("garbage", 7)):
        fake["Riley"].fault = fault
        result = ctl("client", "import", path, "--json", "--timeout", "1s")
        assert result.returncode == status, (fault, result)
        assert row(result)["reported"] == 0 and row(result)["error"]


def test_long_lines_are_malformed_and_memory_stays_small(ctl, fake, tmp_path):
    path = tmp_path / "x.jsonl"
    good = b'{"client":"a","location":"+1-2","time":"5"}\n'
    with open(path, "wb") as out:
        out.write(good + b'{"client":"')
        for _ in range(64):
            out.write(b"x" * (1 << 20))
        out.write(b'"}\n' + good)
    shell = f"ulimit -v 300000; exec {HERDCTL} client import {path} --json"
    result = subprocess.run(["/bin/bash", "-c", shell], env=ctl.env(), capture_output=True, text=True,
                            timeout=60)
    if "ASAN_OPTIONS" in os.environ:
        return
    assert result.returncode == 8 and counts(result) == (3, 2, 0, 1), result
    assert "x.jsonl:2: it is longer than 1 MB and was passed over" in result.stderr


def test_progress_is_shown_on_a_terminal_alone(ctl, fake, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("client,location,time\n" + "a,+1-2,5\n" * 60000 + "bad,,\n")
    argv = [HERDCTL, "client", "import", str(path), "-o", "plain"]
    shown = Terminal(argv, ctl.env())
    assert shown.end() == 8
    assert "ETA" in shown.seen and "/s" in shown.seen and " read  " in shown.seen
    # the line is taken away before another is written
    assert "\r\x1b[Kherdctl: " in shown.seen
    lines, _ = shown.lines()
    assert not any("ETA" in line for line in lines)
    result = ctl(*argv[1:])
    assert "ETA" not in result.stderr and "\x1b" not in result.stderr


def test_ctrl_c_in_a_session_leaves_the_session(terminal, fake, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    shown = terminal()
    shown.prompt()
    shown.line(f"client import {fifo}")
    with open(fifo, "wb") as out:
        out.write(b"client,location,time\na,+1-2,5\n")
        out.flush()
        wait_until(lambda: b"a" in fake["Riley"].clients, "the first has come")
        os.kill(shown.pid, signal.SIGINT)
        shown.prompt()


# --- exact ----------------------------------------------------------------------------


def exact(client, when, **more):
    coded = {} if isinstance(client, str) else {"client_b64": base64.b64encode(client).decode()}
    name = client if isinstance(client, str) else client.decode(errors="replace")
    return json.dumps({"client": name, "time": when, "location": "+1.50-2", "skew": "+0.250000000",
                       "node": "Juzang", "removed": False, **coded, **more}) + "\n"


def test_exact_keeps_origin_skew_and_removals(lone):
    path = lone.folder / "x.jsonl"
    path.write_text(exact("a", "5.250") + exact(b"b\xff", "6")
                    + exact("c", "7") + exact("c", "8", removed=True, location=None, skew=None))
    result = lone("client", "import", "--exact", path, "--json")
    assert result.returncode == 0, result
    assert counts(result) == (4, 4, 0, 0)
    assert lone.node.at_lines([b"a", b"b\xff", b"c"]) == [
        b"AT Juzang +0.250000000 a +1.50-2 5.250", b"AT Juzang +0.250000000 b\xff +1.50-2 6", None]
    # once more: nothing is newer, and what is older is stale
    path.write_text(exact("a", "5.250") + exact("a", "4") + exact("c", "7"))
    result = lone("client", "import", "--exact", path, "--json")
    assert result.returncode == 0 and counts(result) == (3, 3, 0, 0) and row(result)["stale"] == 2
    # a file that is not exact
    path.write_text(json.dumps({"client": "x", "time": "5", "location": "+1-2"}))
    result = lone("client", "import", "--exact", path)
    assert result.returncode == 8 and ":1: an exact import needs the origin" in result.stderr
    assert lone("client", "import", path, "--exact", "--read-only").returncode == 2


def table_of(ctl, node):
    """All that a node's reports have, in an order of its own."""
    result = ctl("client", "export", "--exact", "-n", node)
    assert result.returncode == 0, result
    return result.stdout, sorted(result.stdout.splitlines())


def digest(node):
    return Api(node.admin).get("/v1/digest?key=" + "5a" * 16).json["hashes"]


def test_exact_makes_the_same_table_in_another_herd(herd, tmp_path):
    """Five nodes with reports of each and removals, into five others."""
    ctl = Ctl(tmp_path, herd.path)
    for i, node in enumerate(herd):
        node.iamat(*[(b"%s-%02d\xff" % (node.name.encode(), k), b"+34.07-118.4%d" % i, b"%.6f" % (time.time() - k))
                     for k in range(30)])
    for node in herd:
        wait_until(lambda node=node: Api(node.admin).get("/v1/clients?count").json["count"] == 150, "flooded")
    assert ctl("client", "forget", "Juzang-*", "--where", "age > 10s", "--yes").returncode == 0
    for node in herd:
        wait_until(lambda node=node: digest(node) == digest(herd["Riley"]), "the removals are everywhere")
    text, lines = table_of(ctl, "Campbell")
    removed = sum(json.loads(line).get("removed", False) for line in lines)
    assert len(lines) == 150 and 0 < removed < 30
    (tmp_path / "all.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "other").mkdir()
    with Herd(tmp_path / "other") as other:
        other.start()
        other.wait_synced()
        there = Ctl(tmp_path, other.path)
        result = there("client", "import", "--exact", tmp_path / "all.jsonl.gz", "-n", "Bernard", "--json")
        assert result.returncode == 0 and counts(result) == (150, 150, 0, 0), result
        for node in other:
            wait_until(lambda node=node: digest(node) == digest(herd["Riley"]), f"{node.name} has the same table")
        assert table_of(there, "Riley")[1] == lines
        # Through a pipe, once more: nothing in it is newer.
        result = there("client", "import", "--exact", "-", "-n", "Riley", "--json", stdin=text)
        assert result.returncode == 0 and counts(result) == (150, 150, 0, 0), result
        assert table_of(there, "Riley")[1] == lines
        assert there("doctor").returncode == 0


def test_exact_takes_many_and_names_each_refused_one(ctl, fake, tmp_path):
    fake["Riley"].refuse = b"old"
    old = set(range(0, 20000, 400))  # 50, more than an answer names
    path, rejects = tmp_path / "x.jsonl", tmp_path / "rejects"
    path.write_text("".join(exact(f"old{i}" if i in old else f"c{i}", "5") for i in range(20000)))
    result = ctl("client", "import", "--exact", path, "--json", "--rejects", rejects)
    assert counts(result) == (20000, 19950, 50, 0) and result.returncode == 5
    named = {int(json.loads(line)["error"]["message"].split(":")[1]) - 1
             for line in result.stderr.splitlines()}
    assert named == old
    assert "x.jsonl:1: refused: as the test wants (client old0)" in result.stderr
    assert {json.loads(line)["client"] for line in rejects.read_text().splitlines()} == {
        f"old{i}" for i in old}
    assert len(fake["Riley"].clients) == 19950
    result = ctl("client", "import", "--exact", rejects, "--json", "--max-errors", "2")
    assert result.returncode == 5 and result.stderr.count("refused: ") == 2


def test_exact_believes_no_answer_that_does_not_add_up(ctl, fake, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(exact("a", "5") + exact("b", "5"))
    for lies in ({"put": 1}, {"put": -1}, {"put": 1e300}, {"put": None}, {"put": 1, "refused": 2},
                 {"put": "2"}, {"refused": [2]}):
        fake["Riley"].lies = lies
        result = ctl("client", "import", "--exact", path, "--json")
        assert result.returncode == 7 and row(result)["reported"] == 0, (lies, result)
        assert "does not account for" in row(result)["error"]
    # faults of lines that there are not, or that are none
    fake["Riley"].lies = {"put": 0, "refused": 2, "faults": [
        {"line": 0}, {"line": 3}, {"line": -1}, {"line": 1e300}, {"line": 2}, {}, 5, {"line": 1, "why": "\x1b[m"}]}
    result = ctl("client", "import", "--exact", path)
    assert result.returncode == 5 and "\x1b" not in result.stderr
    assert ":2: refused: no reason given (client b)" in result.stderr


def test_exact_beside_faulty_nodes(ctl, fake, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(exact("a", "5"))
    for fault, status in (("silence", 4), ("close", 7), ("garbage", 7), ("http-500", 5)):
        fake["Riley"].fault = fault
        result = ctl("client", "import", "--exact", path, "--json", "--timeout", "1s")
        assert result.returncode == status, (fault, result)
        assert row(result)["reported"] == 0 and row(result)["error"]
