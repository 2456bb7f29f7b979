# SPDX-License-Identifier: GPL-3.0-or-later
"""herdctl as scripts call it: grammar, exit statuses, streams, faults."""
import base64
import itertools
import json
import re
import signal
import subprocess
import time

import pytest

from nodes import HERDCTL, wait_until

KIWI = "kiwi.cs.ucla.edu"
HERE = "+34.068930-118.445127"
TIME = "1479413884.392014450"


def report(ctl, client=KIWI, at=HERE, when=TIME, *more):
    result = ctl("iamat", client, at, when, *more)
    assert result.returncode == 0, result.stderr
    return result


# --- data ---------------------------------------------------------------------------


@pytest.mark.parametrize("place, sent", [
    ("-33.86+151.20", b"-33.86+151.20"),
    ("+34.068930-118.445127", b"+34.068930-118.445127"),
    ("34.068930,-118.445127", b"+34.068930-118.445127"),
    ("-0-0", b"-0-0"),
])
def test_iamat_takes_every_place_as_an_argument(ctl, fake, place, sent):
    assert ctl("iamat", "c", place, "5.25").returncode == 0
    assert fake["Riley"].lines == [b"IAMAT c " + sent + b" 5.25\n"]


def test_iamat_passes_time_and_id_byte_for_byte(ctl, fake):
    client = b"\xff\xc3\xa9*\x01"
    result = ctl("iamat", client, HERE, "0001479413884.3920144501234", text=False)
    assert result.returncode == 0, result.stderr
    assert fake["Riley"].lines == [
        b"IAMAT " + client + b" " + HERE.encode() + b" 0001479413884.3920144501234\n"]
    row = json.loads(ctl("iamat", client, HERE, "1479413884.392014450", "-o", "json",
                         text=False).stdout)["reports"][0]
    assert row["time"] == "1479413884.392014450"
    assert base64.b64decode(row["client_b64"]) == client


def test_iamat_without_time_says_now(ctl, fake):
    before = time.time()
    assert ctl("iamat", "c", HERE).returncode == 0
    assert ctl("iamat", "c", HERE, "now").returncode == 0
    for line in fake["Riley"].lines:
        assert before - 1 <= float(line.split()[3]) <= time.time() + 1
        assert len(line.split()[3].split(b".")[1]) == 9


@pytest.mark.parametrize("words, part", [
    (("iamat", "c", "12"), "is no location"),
    (("iamat", "c", "+91+0"), "a latitude is from -90 to 90"),
    (("iamat", "c d", HERE), "is no client id"),
    (("iamat", "c", HERE, "1e5"), "is no time"),
    (("whatsat", "c", "51", "5"), "is no radius"),
    (("whatsat", "c", "0", "5"), "is no radius"),
    (("whatsat", "c", "1ly", "5"), "is no radius"),
    (("whatsat", "c", "10", "21"), "no number from 1 to 20"),
    (("client", "near", HERE, "far"), "is no distance"),
    (("log", "level", "loud"), "is not one of"),
    (("log", "tail", "--lines", "x"), "is not a number"),
    (("ping", "Rilye"), "did you mean `Riley'?"),
    (("-n", "Rilye", "status"), "did you mean `Riley'?"),
    (("status", "--where", "stat = x"), "did you mean `state'?"),
    (("status", "--timeout", "5"), "is not a duration"),
    (("-o", "jsn", "status"), "is not one of: table"),
    (("status", "--watch=0"), "--watch needs seconds"),
    (("top", "-2"), "is not one of: -1"),
    (("events", "--type", "link,reports"), "`reports' is not one of: report link places admin"),
    (("log", "tail", "--watch"), "cannot be watched: it can go on by itself"),
    (("client", "forget", "c", "--watch"), "cannot be watched: it changes something"),
])
def test_wrong_usage_is_named_with_status_2(ctl, words, part):
    result = ctl(*words)
    assert result.returncode == 2, result
    assert part in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("typed, sent", [
    ("10", b"10"), ("10km", b"10"), ("500m", b"0.500000"), ("2mi", b"3.218688"),
    ("0.50", b"0.50"), ("050", b"050"),
])
def test_whatsat_takes_units(ctl, fake, typed, sent):
    report(ctl)
    assert ctl("whatsat", KIWI, typed, "5").returncode == 0
    assert fake["Riley"].lines[-1] == b"WHATSAT " + KIWI.encode() + b" " + sent + b" 5\n"


def test_whatsat_json_is_the_servers_own(ctl, fake):
    report(ctl)
    raw = ctl("raw", "WHATSAT", KIWI, "10", "3", text=False).stdout
    own = ctl("whatsat", KIWI, "10", "3", "-o", "json", text=False).stdout
    assert raw.split(b"\n", 1)[1] == own + b"\n"
    assert json.loads(own)["status"] == "OK"


def test_whatsat_sorts_by_what_is_asked(ctl):
    report(ctl)
    def names(key):
        out = ctl("whatsat", KIWI, "10", "5", "-o", "name", "--sort", key).stdout
        return out.splitlines()
    assert names("rating")[0] == "UCLA"
    assert names("name")[0] == "Bel Air"
    assert names("distance")[0] == "UCLA" and names("distance")[-1] == "Brentwood"


def test_places_failures_are_status_5(ctl, fake):
    report(ctl)
    fake["Riley"].places_status = "OVER_QUERY_LIMIT"
    result = ctl("whatsat", KIWI, "10", "5")
    assert result.returncode == 5
    assert "OVER_QUERY_LIMIT: no more today" in result.stderr
    fake["Riley"].places_status = "ZERO_RESULTS"
    assert ctl("whatsat", KIWI, "10", "5").returncode == 0


def test_refusals_are_status_5_and_not_data(ctl):
    result = ctl("whatsat", "nobody", "10", "5")
    assert (result.returncode, result.stdout) == (5, "")
    assert "? WHATSAT nobody 10 5" in result.stderr


def test_a_refusal_says_what_it_may_mean(ctl):
    result = ctl("whatsat", "nobody", "10", "5")
    assert result.stderr == ("herdctl: Riley refused it: ? WHATSAT nobody 10 5 (it holds no such "
                             "client; `client show' with -n all asks every node)\n")


def test_an_error_says_what_to_look_at(ctl, lone_ctl, fake):
    fake["Riley"].stop()
    result = ctl("-n", "Riley", "status")
    assert result.returncode == 3
    assert re.search(rf"Riley: .* \(is herdd running\? Its admin listener is "
                     rf"{re.escape(fake['Riley'].admin)}\)$", result.stderr)
    result = ctl("-n", "Riley", "events")
    assert f"Its admin listener is {fake['Riley'].admin})" in result.stderr
    result = ctl("-n", "Riley", "whatsat", KIWI, "10", "5")
    assert (f"Connection refused (is herdd running? Its listener for clients is "
            f"127.0.0.1:{fake['Riley'].port})") in result.stderr
    # The table has no room for all that.
    (row,) = [r for r in json.loads(ctl("node", "ls", "--json").stdout)["nodes"]
              if r["node"] == "Riley"]
    assert len(row["error"]) < 30
    result = lone_ctl("-s", f"127.0.0.1:{fake['Juzang'].port}", "status")
    assert result.returncode == 7
    assert "an admin listener is asked here, not one for clients" in result.stderr


def test_raw_sends_and_shows_bytes(ctl, fake):
    result = ctl("raw", b"  IAMAT\tx -1+1 5 \xff;#|", text=False)
    assert fake["Riley"].lines == [b"  IAMAT\tx -1+1 5 \xff;#|\n"]
    assert result.stdout == b"?   IAMAT\tx -1+1 5 \xff;#|\n"
    assert result.returncode == 5
    result = ctl("raw", "IAMAT", "x", "-1+1", "5")
    assert result.returncode == 0 and result.stdout.startswith("AT Riley ")
    two = ctl("raw", "IAMAT y +1+1 5\nWHATSAT y 1 1").stdout
    assert two.startswith("AT Riley ") and two.count("\nAT Riley ") == 1 and two.endswith("}\n\n")


def test_a_node_may_be_chosen_each_time(ctl, fake):
    assert ctl("-n", "Juzang", "iamat", "c", HERE).returncode == 0
    assert ctl("iamat", "c", HERE, "-n", "Juzang,Jaquez").returncode == 0
    assert [len(node.lines) for node in fake] == [0, 1, 2]
    row = json.loads(ctl("iamat", "c", HERE, "-n", "all", "--json").stdout)["reports"]
    assert [r["node"] for r in row] == ["Riley", "Jaquez", "Juzang"]


# --- many nodes ---------------------------------------------------------------------


def test_every_node_is_a_row_reachable_or_not(ctl, fake):
    report(ctl)
    fake["Juzang"].stop()
    result = ctl("client", "show", KIWI, "-n", "all", "-o", "json")
    rows = json.loads(result.stdout)
    assert [r["status"] for r in rows["clients"]] == ["origin", "missing", "unreachable"]
    assert rows["converged"] is False
    assert result.returncode == 1
    result = ctl("node", "ls", "--json")
    assert result.returncode == 6
    rows = json.loads(result.stdout)["nodes"]
    assert [r["state"] for r in rows] == ["ready", "ready", "unreachable"]
    assert rows[2]["error"]
    error = json.loads(result.stderr)["error"]
    assert error["status"] in (3, 5) and "Juzang" in error["message"]


def test_client_show_knows_stale_reports(ctl, fake):
    for node, when in (("Riley", "100.5"), ("Jaquez", "90.25"), ("Juzang", "100.5")):
        at = (when.encode(), HERE.encode(), b"Riley", b"+0.100000000")
        fake[node].clients[KIWI.encode()] = at
    result = ctl("client", "show", KIWI, "-n", "all", "--json")
    assert result.returncode == 1
    rows = json.loads(result.stdout)
    assert [r["status"] for r in rows["clients"]] == ["origin", "stale by 10s", "same"]
    fake["Jaquez"].clients = dict(fake["Riley"].clients)
    result = ctl("client", "show", KIWI, "-n", "all", "--json")
    assert result.returncode == 0 and json.loads(result.stdout)["converged"] is True


def test_client_show_invents_no_lag(ctl, fake):
    """Nodes do not keep when a relayed report reached them; 0 would be a lie."""
    for node in fake:
        node.clients[KIWI.encode()] = (b"5", HERE.encode(), b"Riley", b"+0.100000000")
    assert "LAG" not in ctl("client", "show", KIWI, "-n", "all", "-o", "table").stdout
    rows = json.loads(ctl("client", "show", KIWI, "-n", "all", "--json").stdout)["clients"]
    assert [row["lag_ms"] for row in rows] == [None] * 3
    received = {row["received_at"] for row in rows}
    assert received == {"5.100000000"}


def test_all_unreachable_is_status_3(ctl, fake):
    for node in fake:
        node.stop()
    result = ctl("ping")
    assert result.returncode == 3
    assert result.stdout.count("unreachable") == 3
    result = ctl("iamat", "c", HERE)
    assert (result.returncode, result.stdout) == (3, "")
    assert "Riley: Connection refused" in result.stderr


def test_the_same_keys_whatever_the_count(ctl, fake):
    """JSON's shape does not depend on how many there are."""
    keys = set()
    for node in ("Riley", "all"):
        data = json.loads(ctl("status", "-n", node, "--json").stdout)
        assert isinstance(data["nodes"], list)
        keys |= {tuple(sorted(row)) for row in data["nodes"]}
    assert len(keys) == 1
    empty = json.loads(ctl("client", "ls", "--json").stdout)
    assert empty["clients"] == [] and empty["schema"] == "herd.clients/1"


def test_peer_show_tells_what_became_of_a_link(ctl, fake):
    fake["Riley"].peer_state["Juzang"] = "backoff"
    text = ctl("peer", "show", "Juzang", "-o", "table").stdout
    lines = text[text.index("HISTORY"):].splitlines()
    assert re.fullmatch(r"HISTORY +2023-11-1\d [\d:]{8} waiting", lines[0])
    assert re.fullmatch(r" +2023-11-1\d [\d:]{8} synced", lines[1])
    assert re.fullmatch(r" +2023-11-1\d [\d:]{8} backoff: connection refused, "
                        r"12 times until 2023-11-1\d [\d:]{8}", lines[2])
    assert lines[0].index("2023") == lines[2].index("2023")
    (line,) = [line for line in ctl("peer", "show", "Juzang").stdout.splitlines()
               if line.startswith("HISTORY\t")]
    assert line.count("; ") == 2
    (row,) = json.loads(ctl("peer", "show", "Juzang", "--json").stdout)["peers"]
    assert row["history"] == fake["Riley"].peer_history("Juzang")


def test_lists_are_words_for_people(ctl, fake):
    fake["Riley"].peer_state["Juzang"] = "backoff"
    assert "PEERS DOWN\tJuzang backoff connection refused\n" in ctl("status").stdout
    fake["Riley"].peer_state["Juzang"] = "synced"
    assert "PEERS DOWN\t-\n" in ctl("status").stdout
    assert json.loads(ctl("status", "--json").stdout)["nodes"][0]["peers_down"] == []


# --- faults -------------------------------------------------------------------------

FAULTS = {"silence": 4, "garbage": 7, "close": 7, "half": 7, "unasked": 7, "huge": 7}


@pytest.mark.parametrize("fault, status", FAULTS.items())
@pytest.mark.parametrize("words", [
    ("iamat", KIWI, HERE, TIME), ("ping", "Riley"), ("status",), ("client", "ls"),
    ("peer", "show", "Jaquez"),
])
def test_faults_end_in_time_with_their_status(ctl, fake, fault, status, words):
    fake["Riley"].fault = fault
    limit = 15 if fault == "huge" else 1
    began = time.monotonic()
    result = ctl(*words, "--timeout", f"{limit}s")
    assert time.monotonic() - began < limit + 4
    assert result.returncode == status, result
    assert "\x1b" not in result.stdout + result.stderr
    assert "Riley" in result.stderr or words[0] == "ping"


@pytest.mark.parametrize("words", [("iamat", KIWI, HERE, TIME), ("whatsat", KIWI, "10", "5"),
                                   ("status",)])
def test_one_byte_at_a_time_is_the_same_answer(ctl, fake, words):
    report(ctl)
    fake["Riley"].fault = "drip"
    assert ctl(*words).returncode == 0


def test_an_http_error_without_json_is_told(ctl, fake):
    fake["Riley"].fault = "http-500"
    result = ctl("status")
    assert result.returncode == 5 and "HTTP status 500" in result.stderr


def test_one_silent_node_costs_the_others_nothing(ctl, fake):
    fake["Juzang"].fault = "silence"
    began = time.monotonic()
    result = ctl("node", "ls", "--timeout", "1s", "--json")
    assert time.monotonic() - began < 4
    assert result.returncode == 6
    states = [r["state"] for r in json.loads(result.stdout)["nodes"]]
    assert states == ["ready", "ready", "unreachable"]


def test_a_name_that_does_not_resolve_is_status_3(lone_ctl):
    result = lone_ctl("-s", "no.such.host.invalid:1", "iamat", "c", HERE, "--timeout", "3s")
    assert result.returncode in (3, 4)
    assert result.stdout == ""


# --- streams and files ---------------------------------------------------------------


def test_stdout_is_data_only(ctl, fake):
    fake["Juzang"].stop()
    for words in (("status", "-n", "Juzang"), ("client", "show", "x"), ("nonsense",),
                  ("whatsat", "x", "1", "1"), ("-c", "/nowhere", "status")):
        result = ctl(*words)
        assert result.returncode != 0
        assert result.stdout == "", words
        assert result.stderr.startswith("herdctl: "), words


def test_errors_are_json_under_json(ctl):
    for words in (("client", "show", "x"), ("nonsense",), ("status", "--where", "x=1")):
        result = ctl("--json", *words)
        error = json.loads(result.stderr)["error"]
        assert error["status"] == result.returncode
        assert error["message"] and error["code"]


@pytest.mark.parametrize("words", [[], ["--exact"]])
def test_head_ends_it_quietly(ctl, fake, monkeypatch, words):
    """Also while the node still sends."""
    node = fake["Riley"]
    node.clients[b"kiwi"] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    rows = node.clients_stream({})
    monkeypatch.setattr(node, "clients_stream", lambda query: itertools.cycle(rows))
    process = subprocess.Popen([HERDCTL, "client", "export", *words, "-n", "Riley"], env=ctl.env(),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(10) == -signal.SIGPIPE
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_full_disk_is_an_error(ctl):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([HERDCTL, "help"], env=ctl.env(), stdout=full,
                                stderr=subprocess.PIPE, check=False)
    assert result.returncode == 8
    assert b"No space left" in result.stderr


def test_sigint_ends_a_one_shot_as_a_signal(ctl, fake):
    fake["Riley"].fault = "silence"
    process = subprocess.Popen([HERDCTL, "status", "--timeout", "20s"], env=ctl.env(),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: fake["Riley"].requests, "the request has come")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == -signal.SIGINT
    process.communicate()


def test_read_only_refuses_before_asking(ctl, fake):
    for words in (("iamat", "c", HERE), ("node", "drain", "Riley"), ("client", "forget", "c"),
                  ("log", "level", "debug"), ("places", "cache", "flush"),
                  ("config", "reload"), ("bench", "iamat")):
        result = ctl("--read-only", "--yes", *words)
        assert result.returncode == 2 and "read-only" in result.stderr, words
    assert not fake["Riley"].lines and not fake["Riley"].requests
    assert ctl("--read-only", "log", "level").returncode == 0


@pytest.mark.parametrize("words", [("client", "forget", KIWI), ("node", "stop", "Riley"),
                                   ("peer", "disable", "Jaquez")])
def test_destruction_wants_yes_without_a_terminal(ctl, fake, words):
    report(ctl)
    result = ctl(*words)
    assert result.returncode == 2 and "--yes" in result.stderr
    assert ctl(*words, "--yes").returncode == 0
    assert fake["Riley"].requests


def test_export_and_import_are_the_same_in_and_out(ctl, fake, tmp_path):
    for i in range(2500):
        fake["Riley"].clients[b"c%06d" % i] = (b"%d.5" % i, b"+1.25-2.5", b"Riley",
                                                b"+0.000000000")
    fake["Riley"].clients[b"odd\xff\x01"] = (b"9.000", b"-1+1", b"Riley", b"+0.000000000")
    exported = ctl("client", "export").stdout
    assert len(exported.splitlines()) == 2501
    path = tmp_path / "clients.jsonl"
    path.write_text(exported)
    result = ctl("-n", "Jaquez", "client", "import", path, "--json")
    assert result.returncode == 0, result.stderr
    row = json.loads(result.stdout)["imports"][0]
    assert (row["read"], row["reported"], row["refused"]) == (2501, 2501, 0)
    assert fake["Jaquez"].clients.keys() == fake["Riley"].clients.keys()
    for client, record in fake["Riley"].clients.items():
        assert fake["Jaquez"].clients[client][:2] == record[:2]
    result = ctl("-n", "Juzang", "client", "import", "-", stdin=exported)
    assert result.returncode == 0 and len(fake["Juzang"].clients) == 2501


def test_import_names_bad_lines(ctl, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"client":"a","location":"+1+1","time":"5"}\nnonsense\n{"client":"b"}\n')
    result = ctl("client", "import", path)
    assert result.returncode == 8
    assert f"{path}:2: not a JSON object" in result.stderr
    assert f"{path}:3: no client with location and time" in result.stderr
    assert ctl("client", "import", tmp_path / "none").returncode == 8


# --- where settings come from ---------------------------------------------------------


def test_settings_have_an_order_and_say_their_origin(ctl, tmp_path):
    rc = tmp_path / "home/.config/herdctl/rc"
    rc.parent.mkdir(parents=True)
    rc.write_text("# mine\noutput csv\nset timeout 7s\ncolor never\n")

    def origin(*words, **env):
        out = json.loads(ctl("config", "show", "--origin", "--json", *words, env=env).stdout)
        return {r["setting"]: (r["value"], r["origin"], r["where"]) for r in out["settings"]}

    got = origin()
    assert got["timeout"] == ("7s", "user file", f"{rc}:3")
    assert got["conf"][1] == "environment"
    got = origin(HERD_TIMEOUT="6s")
    assert got["timeout"] == ("6s", "environment", "HERD_TIMEOUT")
    got = origin("--timeout", "9s", HERD_TIMEOUT="6s")
    assert got["timeout"] == ("9s", "flag", "--timeout")
    assert origin("-X")["timeout"] == ("5s", "default", None)
    # a flag and its variable are both fine
    assert ctl("-n", "Riley", "client", "count", env={"HERD_NODE": "Jaquez"}).returncode == 0
    assert ctl("client", "count").stdout == "node,count,removals,error\nRiley,0,0,\n"
    rc.write_text("output csv\nnonsense here\n")
    result = ctl("status")
    assert result.returncode == 8 and f"{rc}:2: " in result.stderr


def test_the_herd_file_is_found(lone_ctl, fake, tmp_path):
    assert lone_ctl("ping").returncode == 8
    with open(fake.path, encoding="utf-8") as file:
        text = file.read()
    user = tmp_path / "home/.config/herd/herd.yaml"
    user.parent.mkdir(parents=True)
    user.write_text(text.replace("Riley", "Ulla"))
    assert "Ulla" in lone_ctl("ping").stdout
    here = tmp_path / "here"
    here.mkdir()
    (here / "herd.yaml").write_text(text)
    assert "Ulla" in lone_ctl("ping", cwd=here).stdout  # it may be a stranger's
    user.unlink()
    result = lone_ctl("ping", cwd=here)
    assert result.returncode == 8 and "-c FILE" in result.stderr
    assert "Riley" in lone_ctl("-c", fake.path, "ping").stdout


def test_errors_of_the_herd_file_have_places(lone_ctl, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("herd: lab\nnodes:\n  A: {clients: \"127.0.0.1:1\"}\nwokers: 3\nlog: {levl: x}\n")
    result = lone_ctl("-c", path, "status")
    assert result.returncode == 8
    assert f"{path}:4:1: " in result.stderr and "workers" in result.stderr
    result = lone_ctl("config", "check", path, "--json")
    assert result.returncode == 8
    data = json.loads(result.stdout)
    assert data["valid"] is False and {d["line"] for d in data["diagnostics"]} >= {4, 5}
    assert json.loads(result.stderr)["error"]["status"] == 8


def test_one_server_needs_no_herd_file(lone_ctl, fake):
    riley = fake["Riley"]
    assert lone_ctl("-s", f"127.0.0.1:{riley.port}", "iamat", "c", HERE).returncode == 0
    assert lone_ctl("-s", riley.admin, "status").returncode == 0
    assert lone_ctl("client", "count", env={"HERD_SERVER": riley.admin}).returncode == 0
    result = lone_ctl("-s", riley.admin, "iamat", "c", HERE)
    assert result.returncode == 8 and "no address for clients" in result.stderr
    assert lone_ctl("-s", "nonsense", "status").returncode == 2


def test_admin_over_tcp_wants_its_token(lone_ctl, fake, tmp_path):
    port = fake["Riley"].start_admin_tcp("s3cret")
    server = f"127.0.0.1:{port}"
    result = lone_ctl("-s", server, "node", "ls")
    assert result.returncode == 5 and "--token-file" in result.stderr
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)
    assert lone_ctl("-s", server, "node", "ls", "--token-file", token).returncode == 0


def test_contexts_are_made_used_and_removed(ctl, fake, tmp_path):
    def rows():
        return json.loads(ctl("context", "ls", "--json").stdout)["contexts"]
    assert ctl("context", "add", "lab", "-c", fake.path, "-n", "Juzang").returncode == 0
    assert ctl("context", "add", "one", "-s", fake["Riley"].admin, "--read-only",
               "--protected").returncode == 0
    assert [r["context"] for r in rows()] == ["lab", "one"]
    assert "Juzang" in ctl("-C", "lab", "client", "count").stdout
    assert ctl("context", "use", "lab").returncode == 0
    assert [r["used"] for r in rows()] == [True, False]
    assert ctl("context", "previous").returncode == 0  # there was none
    assert [r["used"] for r in rows()] == [False, False]
    assert ctl("context", "previous").returncode == 0
    assert [r["used"] for r in rows()] == [True, False]
    assert "Juzang" in ctl("client", "count", env={"HERD_CONF": None}).stdout
    assert ctl("-C", "one", "iamat", "c", HERE).returncode == 2
    result = ctl("-C", "one", "bench", "iamat")
    assert result.returncode == 2
    assert ctl("context", "use", "one").returncode == 0
    assert ctl("context", "previous").returncode == 0
    assert ctl("context", "show", "--json").stdout.count('"context":"lab"') == 1
    assert ctl("context", "none").returncode == 0
    assert ctl("context", "show").returncode == 1
    result = ctl("-C", "lba", "status")
    assert result.returncode == 8 and "did you mean `lab'?" in result.stderr
    assert ctl("context", "rm", "lab").returncode == 2
    assert ctl("context", "rm", "lab", "-y").returncode == 0
    assert [r["context"] for r in rows()] == ["one"]
    assert ctl("context", "add", "../evil", "-c", fake.path).returncode == 2
    mode = os.stat(tmp_path / "home/.config/herdctl/contexts/one").st_mode & 0o777
    assert mode == 0o600


def test_bench_refuses_a_protected_context(ctl, fake):
    assert ctl("context", "add", "prod", "-c", fake.path, "--protected").returncode == 0
    result = ctl("-C", "prod", "bench", "iamat", "--duration", "100ms")
    assert result.returncode == 2 and "protected" in result.stderr
    assert not fake["Riley"].lines


# --- the rest of the commands ---------------------------------------------------------


def test_bench_asks_for_clients_that_are_known(ctl, fake):
    """A refusal is no work: its time says nothing of a herd that answers."""
    for kind in ("whatsat", "mixed"):
        result = ctl("bench", kind, "--duration", "100ms", "--clients", "1200", "--prefix", kind,
                     "--yes", "--json")
        assert result.returncode == 0, result
        rows = {row["request"]: row for row in json.loads(result.stdout)["results"]}
        assert rows["whatsat"]["answered"] > 0
        assert [row["refused"] for row in rows.values()] == [0] * len(rows)
        assert len([c for c in fake["Riley"].clients if c.startswith(kind.encode())]) == 1200
    fake["Riley"].stop()
    result = ctl("-n", "Riley", "bench", "whatsat", "--duration", "100ms", "--yes", "--prefix", "x")
    assert result.returncode == 3 and result.stderr.count("\n") == 1


def test_bench_asks_and_leaves_nothing(ctl, fake):
    """Ids that nobody else has, gone at the end; or a line that says they stay."""
    words = ("bench", "iamat", "--duration", "100ms", "--clients", "20")
    fake["Riley"].clients[b"bench-1"] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    refused = ctl(*words)
    assert refused.returncode == 2 and "--yes" in refused.stderr and not fake["Riley"].lines
    assert ctl(*words, "--yes").returncode == 0
    ids = {line.split()[1] for line in fake["Riley"].lines}
    assert 1 < len(ids) <= 20 and all(re.fullmatch(rb"bench-[0-9a-f]{8}-\d+", i) for i in ids)
    assert list(fake["Riley"].clients) == [b"bench-1"]
    result = ctl(*words, "--yes", "--keep")
    assert result.returncode == 0 and result.stderr == "" and len(fake["Riley"].clients) > 1
    result = ctl("-s", f"127.0.0.1:{fake['Riley'].port}", *words, "--yes")
    assert result.returncode == 0 and "the clients of this bench stay; `client forget 'bench-" in result.stderr


def test_a_record_shows_everything(ctl, fake):
    """What `ls` keeps for -o wide."""
    shown = ctl("node", "show", "Riley", "-o", "table").stdout
    for title in ("PEERS", "ADMIN", "WORKERS", "PID", "HERD"):
        assert re.search(f"^{title} ", shown, re.M), title
    assert ctl("context", "add", "full", "-c", fake.path, "-o", "json", "--timeout",
               "2s").returncode == 0
    shown = ctl("context", "show", "full", "-o", "table").stdout
    assert re.search("^OUTPUT +json$", shown, re.M) and re.search("^TIMEOUT +2s$", shown, re.M)


def test_bench_measures(ctl, fake):
    result = ctl("bench", "mixed", "--duration", "300ms", "--connections", "3", "--pipeline",
                 "2", "--clients", "5", "--yes", "--json")
    assert result.returncode == 0, result.stderr
    rows = {r["request"]: r for r in json.loads(result.stdout)["results"]}
    assert rows["iamat"]["answered"] > 0 and rows["whatsat"]["answered"] > 0
    assert rows["iamat"]["p50_ms"] <= rows["iamat"]["p99_ms"] <= rows["iamat"]["max_ms"]
    reported_before = 5
    assert (rows["iamat"]["answered"] + rows["whatsat"]["answered"] + reported_before ==
            len(fake["Riley"].lines))
    result = ctl("bench", "iamat", "--duration", "500ms", "--rate", "100", "--yes", "--json")
    row = json.loads(result.stdout)["results"][0]
    assert 35 <= row["answered"] <= 55


def test_trace_prints_the_tree_of_hops(ctl, fake):
    names = list(fake.nodes)
    riley = fake["Riley"]
    original = riley.tell

    def spread(event):  # Riley -> Jaquez -> Juzang
        original(event)
        for hop, name in enumerate(names[1:]):
            fake[name].tell({**event, "from": names[hop], "at": f"{time.time():.9f}"})
    riley.tell = spread
    result = ctl("trace", "probe[1]", HERE, "--json")
    assert result.returncode == 0, result
    hops = json.loads(result.stdout)["hops"]
    assert [(h["node"], h["from"], h["hops"]) for h in hops] == [
        ("Riley", "client", 0), ("Jaquez", "Riley", 1), ("Juzang", "Jaquez", 2)]
    riley.tell = original
    result = ctl("trace", "probe", HERE, "--timeout", "1s", "-o", "table")
    assert result.returncode == 1
    assert "1 of 3 nodes have it" in result.stdout


def test_events_come_as_they_happen(ctl, fake):
    process = subprocess.Popen(
        [HERDCTL, "events", "-n", "all", "-o", "jsonl", "--limit", "2", "--type", "report"],
        env=ctl.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: all(node.watchers for node in fake), "all are watched")
    fake["Riley"].tell({"event": "link", "peer": "x", "state": "synced"})
    report(ctl)
    first = json.loads(process.stdout.readline())
    assert (first["node"], first["event"], first["client"]) == ("Riley", "report", KIWI)
    report(ctl, "other", HERE, "77", "-n", "Juzang")
    out, errors = process.communicate(timeout=10)
    assert json.loads(out)["node"] == "Juzang" and json.loads(out)["time"] == "77"
    assert process.returncode == 0 and errors == ""


def test_herd_wait_waits_until_all_are_synced(ctl, fake):
    fake["Juzang"].state = "syncing"
    fake["Riley"].peer_state["Jaquez"] = "connecting"
    result = ctl("herd", "wait", "--timeout", "400ms")
    assert result.returncode == 4 and "1 of 3 nodes" in result.stderr
    process = subprocess.Popen([HERDCTL, "herd", "wait", "--timeout", "20s"], env=ctl.env(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    before = len(fake["Riley"].requests)
    wait_until(lambda: len(fake["Riley"].requests) > before + 2, "it asks again")
    fake["Juzang"].state = "ready"
    fake["Riley"].enabled["Jaquez"] = False  # a link that is switched off does not count
    assert process.wait(10) == 0
    process.stderr.close()


@pytest.mark.parametrize("what, change, status, part", [
    ("all", None, 0, "HERD OK"),
    ("node", lambda f: f["Riley"].stop(), 2, "HERD CRITICAL - Riley unreachable"),
    ("node", lambda f: setattr(f["Riley"], "state", "draining"), 1, "Riley is draining"),
    ("peers", lambda f: f["Riley"].peer_state.update(Jaquez="backoff"), 1,
     "Riley has 1 of 2 links synced"),
    ("peers", lambda f: f["Riley"].peer_state.update(Jaquez="backoff", Juzang="backoff"), 2,
     "Riley has 0 of 2"),
    ("convergence", lambda f: f["Riley"].clients.update(
        {b"x": (b"5", b"+1+1", b"Riley", b"+0.000000000")}), 2, "another table"),
    ("places", None, 0, "Places ready"),
])
def test_check_is_a_monitoring_plugin(ctl, fake, what, change, status, part):
    if change:
        change(fake)
    result = ctl("check", what)
    assert result.returncode == status, result
    assert part in result.stdout and result.stdout.startswith("HERD ")
    assert len(result.stdout.splitlines()) == 1


def test_check_names_a_silent_node_once(ctl, fake):
    fake["Riley"].stop()
    result = ctl("check", "all")
    assert result.returncode == 2
    assert result.stdout.count("Riley unreachable") == 1
    for what in ("node", "peers", "places", "convergence"):
        result = ctl("check", what)
        assert result.returncode == 2 and result.stdout.count("Riley unreachable") == 1


def test_check_is_unknown_when_it_cannot_judge(ctl, lone_ctl):
    assert lone_ctl("check", "all").returncode == 3
    assert ctl("check", "weather").returncode == 3
    assert ctl("check").returncode == 3


def test_herd_diff_lists_what_differs(ctl, fake):
    same = (b"100.5", b"+1+1", b"Riley", b"+0.100000000")
    for node in fake:
        node.clients = {b"c%d" % i: same for i in range(200)}
    result = ctl("herd", "diff", "-o", "table")
    assert result.returncode == 0, result
    assert "tables are equal: 3 nodes, 200 clients" in result.stdout
    fake["Jaquez"].clients[b"c7"] = (b"90.5", b"+1+1", b"Riley", b"+0.100000000")
    del fake["Juzang"].clients[b"c7"]
    fake["Juzang"].clients[b"odd\xff"] = same
    result = ctl("herd", "diff", "--json")
    assert result.returncode == 1
    data = json.loads(result.stdout)
    rows = {r.get("client_b64") or r["client"]: r for r in data["clients"]}
    assert data["equal"] is False and len(rows) == 2
    assert rows["c7"]["stale_on"] == "Jaquez" and rows["c7"]["missing_on"] == "Juzang"
    assert rows["c7"]["behind_s"] == 10
    assert rows["b2Rk/w=="]["newest_on"] == "Juzang"
    fake["Jaquez"].stop()
    assert ctl("herd", "diff").returncode == 1


def test_herd_check_names_the_weak_points(tmp_path, lone_ctl):
    from fake_node import FakeHerd
    with FakeHerd(tmp_path, ["A", "B", "C", "D"], [("A", "B"), ("B", "C"), ("C", "A"),
                                                   ("C", "D")]) as herd:
        rows = json.loads(lone_ctl("-c", herd.path, "herd", "check", "--json").stdout)["checks"]
        facts = {r["check"]: r for r in rows}
        assert facts["diameter"]["value"] == 2
        assert facts["cost"]["value"] == 2 * 4 - 3
        assert facts["bridges"]["value"] == 1 and "C-D" in facts["bridges"]["text"]
        assert facts["cut nodes"]["value"] == 1 and facts["cut nodes"]["text"].endswith(": C")
        herd["D"].stop()
        result = lone_ctl("-c", herd.path, "herd", "check")
        assert result.returncode == 1 and "critical" in result.stdout


def test_peer_graph_has_both_ends_word(ctl, fake):
    fake["Riley"].peer_state["Jaquez"] = "connecting"
    rows = json.loads(ctl("peer", "graph", "--json").stdout)["links"]
    states = {(r["a"], r["b"]): r["state"] for r in rows}
    assert states[("Jaquez", "Riley")] == "connecting"
    assert states[("Jaquez", "Juzang")] == "synced"
    dot = ctl("peer", "graph", "-o", "dot").stdout
    assert dot.startswith('graph "lab" {') and '"Jaquez" -- "Riley" [label="connecting"' in dot


def test_log_level_and_tail(ctl, fake):
    assert ctl("log", "level", "debug", "--for", "10m").returncode == 0
    method, path, body = fake["Riley"].requests[-1]
    assert (method, path, json.loads(body)) == ("PUT", "/v1/log/level",
                                                {"level": "debug", "for_s": 600})
    assert "debug" in ctl("log", "level").stdout
    assert len(ctl("log", "tail").stdout.splitlines()) == 20
    assert ctl("log", "tail", "-n", "3").stdout.splitlines()[-1] == "level=info event=tick n=199"
    assert "Riley: level=" in ctl("-n", "all", "log", "tail", "-n", "1").stdout
    followed = ctl("log", "tail", "-f").stdout.splitlines()
    assert followed[0] == "level=info event=first"


def test_config_diff_and_reload(ctl, fake):
    result = ctl("config", "diff", "-n", "Riley", "--json")
    names = {d["name"] for d in json.loads(result.stdout)["differences"]}
    assert result.returncode == 1 and "workers" in names
    row = json.loads(ctl("config", "reload", "--json").stdout)["nodes"][0]
    assert row["applied"] == ["log.level"] and row["restart"] == ["workers"]


def test_stats_are_metrics(ctl):
    row = json.loads(ctl("stats", "--json").stdout)["metrics"][0]
    assert (row["metric"], row["value"]) == ("herd_clients", 2)
    assert ctl("stats", "-o", "prometheus").stdout.startswith("# TYPE herd_clients gauge\n")
    assert ctl("stats").stdout == "METRIC\tLABELS\tVALUE\nherd_clients\t-\t2\n"
    result = ctl("stats", "nothing")
    assert result.returncode == 1 and "there is no such metric" in result.stderr
    assert 'herd_clients{node="Juzang"} 2' in ctl("stats", "-n", "all", "-o", "raw").stdout


def test_every_command_has_help(ctl, lone_ctl):
    """--help and -h print help on stdout with status 0, in every place."""
    for path in commands(ctl):
        for flag in ("--help", "-h"):
            result = lone_ctl(*path.split(), flag)
            assert result.returncode == 0, path
            assert f"herdctl {path}" in result.stdout
    assert lone_ctl("--help").stdout.startswith("usage: herdctl")
    assert lone_ctl("peer", "--help").returncode == 0
    assert lone_ctl("help", "client", "show").returncode == 0
    assert "did you mean `whatsat'?" in lone_ctl("help", "whatsta").stderr


def commands(ctl):
    """The command paths, from the completion that the shells use."""
    paths = []
    for word in ctl("__complete", "").stdout.split():
        more = ctl("__complete", word, "").stdout.split()
        found = [f"{word} {second}" for second in more
                 if ctl(word, second, "--help").stdout.startswith(
                     f"usage: herdctl {word} {second}")]
        paths += found or [word]
    assert len(paths) > 50
    return paths


def test_startup_is_quick(ctl):
    """The fastest of many runs: what it costs without the machine's noise."""
    def best(*words):
        times = []
        for _ in range(15):
            began = time.perf_counter()
            assert ctl(*words).returncode == 0
            times.append(time.perf_counter() - began)
        return min(times)
    if "asan" in HERDCTL or "coverage" in HERDCTL:
        pytest.skip("an instrumented build")
    assert best("version") < 0.020
