# SPDX-License-Identifier: GPL-3.0-or-later
"""What watches a herd: names and forms of metrics, histograms, OpenMetrics, and
the files for Prometheus and Grafana, whose expressions real nodes answer."""
import json
import os
import re
import resource
import shutil
import subprocess
import time

import pytest
import yaml

from api import Api
from certificates import Authority
from conftest import Ctl
from fake_places import FakePlaces
from nodes import DEADLINE_S, TOP, Herd, wait_until
from postgres import Cluster

SETTINGS = ("workers: 2\nready_after: 1s\n"
            "link: {ping_after: 100ms, dead_after: 2s, redial_max: 100ms}\n")
DIST = TOP / "server" / "dist"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool, of the package prometheus")
SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')


def samples(node):
    """{(name, labels): value} of /metrics."""
    found = {}
    for line in Api(node.admin).get("/metrics").body.decode().splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            found[name, labels or ""] = float(value)
    return found


def ask_metrics(node, accept):
    connection = Api(node.admin).connection()
    connection.request("GET", "/metrics", headers={"Accept": accept} if accept else {})
    response = connection.getresponse()
    return response.headers["Content-Type"], response.read().decode()


def now():
    return b"%.9f" % time.time()


@pytest.fixture
def pair(tmp_path):
    settings = SETTINGS + "store: {engine: sqlite, durability: sync}\nlog: {traffic: traffic-%n.log}\n"
    with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        herd.start()
        herd.wait_synced()
        yield herd


# --- the process's own ----------------------------------------------------------


def test_process_has_the_names_that_prometheus_gives(pair):
    node = pair["A"]
    first = samples(node)
    pid = node.process.pid
    status = (f"/proc/{pid}/status")
    with open(status, encoding="ascii") as file:
        facts = dict(line.split(":", 1) for line in file)
    assert first["process_max_fds", ""] == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert abs(first["process_open_fds", ""] - len(os.listdir(f"/proc/{pid}/fd"))) <= 3
    assert abs(first["process_virtual_memory_bytes", ""] - 1024 * int(facts["VmSize"].split()[0])) < 256 << 20
    assert abs(first["process_resident_memory_bytes", ""] - 1024 * int(facts["VmRSS"].split()[0])) < 64 << 20
    assert 0 < first["process_cpu_seconds_total", ""] < 1000
    # Within the start of this test; and it is the same at each scrape.
    assert time.time() - 60 - DEADLINE_S < first["process_start_time_seconds", ""] <= time.time()
    second = samples(node)
    for name in ("process_start_time_seconds", "herd_start_time_seconds"):
        assert first[name, ""] == second[name, ""]
    for old, new in (("herd_open_files_max", "process_max_fds"), ("herd_cpu_seconds_total", "process_cpu_seconds_total")):
        assert first[old, ""] <= second[new, ""]


def test_times_are_timestamps(pair):
    node = pair["A"]
    at = round(time.time()) - 100
    node.iamat((b"old", b"+34.0-118.4", b"%d" % at))
    wait_until(lambda: samples(node).get(("herd_oldest_report_timestamp_seconds", "")) == at, "counted")
    seen = samples(node)
    assert seen["herd_newest_report_timestamp_seconds", ""] == at
    for name in ("herd_link_state_timestamp_seconds", "herd_link_synced_timestamp_seconds"):
        age = seen[name.replace("timestamp", "age"), 'peer="B"']
        assert abs(seen[name, 'peer="B"'] + age - time.time()) < 60


# --- histograms -----------------------------------------------------------------


def histogram(seen, name, labels=""):
    """The cumulative counts by bound, the sum; what all have to be is checked."""
    comma = "," if labels else ""
    rows = [(float(re.search('le="([^"]*)"', key[1]).group(1)), value) for key, value in seen.items()
            if key[0] == f"{name}_bucket" and key[1].startswith(f"{labels}{comma}le=")]
    assert rows == sorted(rows) and [n for _, n in rows] == sorted(n for _, n in rows), rows
    assert rows[-1] == (float("inf"), seen[f"{name}_count", labels])
    return dict(rows), seen[f"{name}_sum", labels]


def test_requests_are_timed_by_kind(pair):
    node = pair["A"]
    node.iamat(*[(b"c%d" % i, b"+34.0-118.4", now()) for i in range(1000)])
    node.at_lines([b"c%d" % i for i in range(50)])
    node.ask(b"nonsense\n" * 7 + b"WHATSAT nobody 1 1\n")
    seen = samples(node)
    for kind, count in (("iamat", 1000), ("whatsat", 50), ("invalid", 8)):
        counts, total = histogram(seen, "herd_request_duration_seconds", f'kind="{kind}"')
        assert counts[float("inf")] == count == seen["herd_requests_total", f'kind="{kind}"']
        assert total > 0
    # A commit is waited for: it takes longer than a line in memory could.
    assert histogram(seen, "herd_request_duration_seconds", 'kind="iamat"')[0][1e-05] == 0


def test_a_request_that_waits_for_places_counts_until_they_come(tmp_path):
    with FakePlaces(tmp_path, tls=False) as upstream:
        settings = (f'workers: 1\nplaces: {{provider: photon, base_url: "http://{upstream.address}"}}\n')
        with Herd(tmp_path, ["A"], [], settings) as herd:
            node = herd.start()["A"]
            node.iamat((b"one", b"+34.0-118.4", now()))
            upstream.delay_s = 0.3
            assert node.ask(b"WHATSAT one 1 1\n").startswith(b"AT ")
            seen = samples(node)
    counts, total = histogram(seen, "herd_request_duration_seconds", 'kind="whatsat"')
    assert counts[0.25] == 0 and counts[float("inf")] == 1 and total >= 0.3
    counts, total = histogram(seen, "herd_places_answer_duration_seconds", 'provider="photon"')
    assert counts[0.25] == 0 and counts[float("inf")] == 1 and total >= 0.25
    assert histogram(seen, "herd_request_duration_seconds", 'kind="iamat"')[0][0.25] == 1


def test_an_unfinished_request_is_an_instant(tmp_path):
    with Herd(tmp_path, ["A"], [], "workers: 1\nplaces: {provider: none}\nrequest_timeout: 100ms\n") as herd:
        node = herd.start()["A"]
        with node.connect() as s:
            s.sendall(b"IAMAT half")
            assert s.recv(100).startswith(b"? ")

        def counts():
            return histogram(samples(node), "herd_request_duration_seconds", 'kind="invalid"')[0]
        wait_until(lambda: counts()[float("inf")] == 1, "counted, after the reply")
        assert counts()[1e-05] == 1


def test_commits_are_timed(pair):
    node = pair["A"]
    for i in range(5):
        node.iamat((b"c%d" % i, b"+34.0-118.4", now()))
    wait_until(lambda: samples(node)["herd_store_committed_records_total", ""] == 5, "stored")
    seen = samples(node)
    counts, total = histogram(seen, "herd_store_commit_duration_seconds")
    assert counts[float("inf")] == seen["herd_store_commits_total", ""] and total > 0
    disk = os.statvfs(pair.folder)
    assert seen["herd_store_disk_bytes", ""] == disk.f_blocks * disk.f_frsize
    assert 0 <= seen["herd_store_disk_free_bytes", ""] <= seen["herd_store_disk_bytes", ""]


def propagation(node, peer):
    return histogram(samples(node), "herd_link_propagation_seconds", f'peer="{peer}"')


def test_propagation_is_timed_from_the_neighbour_that_heard_the_client(tmp_path):
    settings = SETTINGS + "places: {provider: none}\n"
    with Herd(tmp_path, ["A", "B", "C"], [("A", "B"), ("B", "C")], settings) as herd:
        herd.start()
        herd.wait_synced()
        for node, peer in (("B", "A"), ("B", "C"), ("A", "B"), ("C", "B")):
            wait_until(lambda n=node, p=peer: ("herd_link_clock_difference_seconds", f'peer="{p}"') in samples(herd[n]),
                       "clocks are known")
        # The client's clock does not matter: it is an hour late.
        names = [b"c%d" % i for i in range(100)]
        herd["A"].iamat(*[(name, b"+34.0-118.4", b"%d" % (time.time() - 3600)) for name in names])
        herd.wait_equal(names)
        wait_until(lambda: propagation(herd["B"], "A")[0][float("inf")] == 100, "the links tell their counts now and then")
        assert propagation(herd["B"], "A")[1] < 100 * DEADLINE_S
        wait_until(lambda: samples(herd["C"])["herd_link_accepted_records_total", 'peer="B"'] == 100, "told")
        # B heard none of them from a client: for C they are no measure.
        assert propagation(herd["C"], "B")[0][float("inf")] == 0
        assert propagation(herd["B"], "C")[0][float("inf")] == 0
        # What a node missed while it was down says nothing about the link.
        herd["B"].stop()
        herd["A"].iamat(*[(b"late" + name, b"+34.0-118.4", now()) for name in names])
        herd["B"].start()
        herd.wait_synced()
        herd.wait_equal([b"late" + name for name in names])
        wait_until(lambda: sum(samples(herd["B"])["herd_link_accepted_records_total", f'peer="{peer}"']
                               for peer in "AC") == 200, "told")
        assert propagation(herd["B"], "A")[0][float("inf")] == 0


# --- formats --------------------------------------------------------------------


def test_open_metrics_if_asked(pair):
    pair["A"].ask(b"nonsense\n")
    plain_type, plain = ask_metrics(pair["A"], None)
    assert plain_type == "text/plain; version=0.0.4; charset=utf-8" and "EOF" not in plain
    assert ask_metrics(pair["A"], "text/plain")[0] == plain_type
    kind, text = ask_metrics(pair["A"], "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3")
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1
    family, types = None, {}
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            family, what = line.split(" ")[2:]
            assert family not in types
            types[family] = what
        elif line.startswith("# HELP "):
            assert "\\" not in line
        else:
            name = SAMPLE.fullmatch(line).group(1)
            ends = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"],
                    "summary": ["", "_sum", "_count"]}[types[family]]
            assert name in [family + end for end in ends], line
    assert types["process_cpu_seconds"] == types["herd_requests"] == "counter"
    # All else is the same.
    names = [{line.split("{")[0].split(" ")[0] for line in t.splitlines() if line[0] != "#"} for t in (plain, text)]
    assert names[0] == names[1]


@needs_promtool
def test_promtool_finds_no_fault_in_the_metrics(pair):
    pair["A"].iamat((b"c", b"+34.0-118.4", now()))
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=ask_metrics(pair["A"], None)[1], text=True,
                             capture_output=True, timeout=60)
    complaints = [line for line in (checked.stdout + checked.stderr).splitlines() if line]
    assert not [line for line in complaints if "error" in line.lower()], complaints
    # It has rules of style beside those of form; these names are older than it is.
    assert checked.returncode in (0, 3), complaints


# --- alerts and dashboard -------------------------------------------------------

RULES = yaml.safe_load((DIST / "herd-alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((DIST / "herd-dashboard.json").read_text())
QUERIES = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


def metrics_of(expression):
    """Names of metrics in an expression, and of labels with each."""
    expression = re.sub(r'"[^"]*"', '""', expression)
    return set(re.findall(r"\b(?:herd|process)_[a-z_]+\b", expression))


def labels_of(expression):
    expression = re.sub(r'"[^"]*"', '""', expression)
    by = ",".join(re.findall(r"\bby \(([^)]*)\)", expression))
    return set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)\"\"", expression)) | set(re.findall(r"[a-z_]+", by))


@pytest.fixture
def photon_herd(tmp_path):
    """Nodes that have every metric but a shared store's: links, a store, places on the network, all used."""
    Authority(tmp_path).issue("node", days=90)
    with FakePlaces(tmp_path, tls=False) as upstream:
        settings = SETTINGS + (f'store: {{engine: sqlite, durability: sync}}\nlog: {{traffic: traffic-%n.log}}\n'
                               f'places: {{provider: [photon, gazetteer], base_url: "http://{upstream.address}"}}\n'
                               "admin: {tls_cert: node.pem, tls_key: node.key}\n")
        with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
            herd.start()
            herd.wait_synced()
            herd["A"].iamat((b"c", b"+34.0-118.4", now()))
            herd["A"].ask(b"WHATSAT c 1 1\n")
            wait_until(lambda: ("herd_newest_report_timestamp_seconds", "") in samples(herd["A"]), "counted")
            wait_until(lambda: ("herd_link_rtt_seconds", 'peer="B"') in samples(herd["A"]), "pinged")
            wait_until(lambda: samples(herd["A"])["herd_link_up", 'peer="B"'] == 1, "all is well")
            yield herd


@pytest.fixture
def well(photon_herd, tmp_path):
    """What a node tells that is well, and what only one with a shared store does."""
    own = samples(photon_herd["A"])
    names = {name for name, _ in own}
    folder = tmp_path / "shared"
    folder.mkdir()
    with Cluster() as cluster:
        settings = SETTINGS + (f"store: {{engine: postgres, url_file: {cluster.url_file(folder)}}}\n"
                               "places: {provider: none}\n")
        with Herd(folder, ["S"], [], settings) as herd:
            node = herd.start()["S"]
            node.wait_log("event=store-connected")
            return own | {key: value for key, value in samples(node).items() if key[0] not in names}


def test_every_expression_asks_for_what_a_node_has(well):
    names = {name for name, _ in well}
    labels = {}
    for name, text in well:
        labels.setdefault(name, {"job", "instance"}).update(re.findall('([a-z_]+)="', text))
    asked = [(rule["alert"], rule["expr"]) for rule in RULES] + QUERIES
    assert len(asked) > 60
    for title, expression in asked:
        metrics = metrics_of(expression)
        assert metrics <= names, (title, metrics - names)
        assert metrics or "up{" in expression, title
        for label in labels_of(expression):
            assert label in {"job", "instance"} or any(label in labels[name] for name in metrics), (title, label)
    for rule in RULES:
        for label in re.findall(r"\$labels\.([a-z_]+)", rule["annotations"]["summary"]):
            assert label == "instance" or any(label in labels[name] for name in metrics_of(rule["expr"])), rule


def test_dashboard_is_whole():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    places = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24 and (at["x"], at["y"]) not in places
        places.add((at["x"], at["y"]))
        assert panel["type"] == "row" or panel["targets"]
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{?([a-z]+)", json.dumps(DASHBOARD))) <= variables


def test_findings_and_alerts_agree():
    """A label `finding` is a word of doctor, and the bounds are doctor's."""
    findings = (TOP / "client/cmd/findings.h").read_text()
    known = dict(re.findall(r'X\(FINDING_[A-Z_]+, "([a-z-]+)", PLUGIN_([A-Z]+)', findings))
    bounds = {}
    for name in ("judge_nodes.c", "judge_herd.c", "exam.h"):
        text = (TOP / "client/cmd" / name).read_text()
        bounds.update({key: float(value) for key, value in re.findall(r"^#define ([A-Z_]+) ([0-9.e]+)\b", text, re.M)})
    by_finding = {rule["labels"]["finding"]: rule for rule in RULES if "finding" in rule["labels"]}
    assert set(by_finding) <= set(known)
    for word, rule in by_finding.items():
        assert rule["labels"]["severity"] == known[word].lower(), word

    def numbers(word):
        return sorted(float(n) for n in re.findall(r"(?<![\w.\[])(\d+(?:\.\d+)?(?:e\d+)?)(?![\w\]])",
                                                   by_finding[word]["expr"]))
    near = bounds["NEAR_BOUND"]
    for word in ("memory-bound", "process-bound", "connections-bound", "files-bound"):
        assert numbers(word) == [near], word
    assert near in numbers("clients-bound")
    assert numbers("disk-full") == sorted([bounds["DISK_FULL_PART"], bounds["DISK_FULL_BYTES"]])
    assert numbers("disk-nearly-full") == sorted([bounds["DISK_LOW_PART"], bounds["DISK_LOW_BYTES"]])
    assert numbers("store-lagging") == sorted([bounds["STORE_LAG_MOST"], bounds["STORE_COMMIT_MS_MOST"] / 1000])
    assert numbers("certificate-ends") == [bounds["CERTIFICATE_DAYS"], 86400]
    assert numbers("certificate-expired") == [0]
    assert numbers("clock-off") == [bounds["CLOCK_MOST_S"]]
    assert numbers("client-floods") == sorted([bounds["FLOOD_PART"], bounds["FLOOD_PER_S"]])
    assert numbers("address-floods") == [bounds["INVALID_PER_S"]]
    assert numbers("link-flapping") == [bounds["EXAM_RESTLESS_TIMES"]]
    assert f"[{bounds['EXAM_RESTLESS_S'] / 60:.0f}m]" in by_finding["link-flapping"]["expr"]


MINUTES = 120  # longer than any alert waits


def constant(value):
    return f"{value:.9f}x{MINUTES}"


def growing(per_minute):
    return f"0+{per_minute}x{MINUTES}"


# This machine is the tests', not a node's.
CALM = {("herd_store_disk_bytes", ""): constant(1e11), ("herd_store_disk_free_bytes", ""): constant(5e10),
        ("herd_store_commit_seconds", ""): constant(0.01), ("herd_link_lag_seconds", ""): constant(0),
        ("herd_flood_rests", ""): constant(1)}

# What makes each alert fire: (metric, a part of its labels) -> its values; the
# rest is as a real node has it.
FIRE = {
    "HerdNodeDown": {("up", ""): constant(0)},
    "HerdNodeNotReady": {("herd_ready", ""): constant(0)},
    "HerdNodeDraining": {("herd_draining", ""): constant(1), ("herd_ready", ""): constant(0)},
    "HerdNodeRestarts": {("process_start_time_seconds", ""): growing(600)},
    "HerdVersionsDiffer": {("herd_build_info", "+version"): constant(1)},
    "HerdConfigChanged": {("herd_config_changed", ""): constant(1)},
    "HerdCertificateExpired": {("herd_certificate_expiry_timestamp_seconds", ""): constant(60)},
    "HerdCertificateEnds": {("herd_certificate_expiry_timestamp_seconds", ""): constant(30 * 86400)},
    "HerdNodeCutOff": {("herd_link_up", ""): constant(0)},
    "HerdNodeIsolated": {("herd_isolated", ""): constant(1)},
    "HerdLinkDown": {("herd_link_up", ""): constant(0)},
    "HerdLinkRefused": {("herd_link_state", 'state="refused"'): constant(1)},
    "HerdLinkDisabled": {("herd_link_enabled", ""): constant(0)},
    "HerdLinkFlapping": {("herd_link_connects_total", ""): growing(1)},
    "HerdLinksAwake": {("herd_flood_rests", ""): constant(0), ("herd_link_eager", ""): constant(0)},
    "HerdLinkTwin": {("herd_link_twins_total", ""): growing(2)},
    "HerdLinkLags": {("herd_link_lag_seconds", ""): constant(6)},
    "HerdPropagationSlow": {("herd_link_propagation_seconds_bucket", 'le="2.5"'): growing(60),
                            ("herd_link_propagation_seconds_bucket", 'le="5.0"'): growing(60),
                            ("herd_link_propagation_seconds_bucket", 'le="10.0"'): growing(60),
                            ("herd_link_propagation_seconds_bucket", 'le="60.0"'): growing(60),
                            ("herd_link_propagation_seconds_bucket", 'le="+Inf"'): growing(60)},
    "HerdTablesRepaired": {("herd_link_repaired_records_total", ""): growing(1)},
    "HerdClockOverruled": {("herd_clock_overruled", ""): constant(1)},
    "HerdClockOff": {("herd_link_clock_difference_seconds", ""): f"-1.1x{MINUTES}"},
    "HerdClientsAhead": {("herd_clients_ahead", ""): constant(1)},
    "HerdStrangeOrigin": {("herd_clients_strange_origin", ""): constant(1)},
    "HerdStoreFailed": {("herd_store_failed", ""): constant(1)},
    "HerdStoreRefused": {("herd_store_refused", ""): constant(1)},
    "HerdStoreAway": {("herd_store_away_since_seconds", ""): constant(120)},
    "HerdStoreLagging": {("herd_store_owed_records", ""): constant(100001)},
    "HerdStoreDamaged": {("herd_store_damaged_records", ""): constant(1)},
    "HerdDiskFull": {("herd_store_disk_bytes", ""): constant(1e11), ("herd_store_disk_free_bytes", ""): constant(4e8)},
    "HerdDiskNearlyFull": {("herd_store_disk_bytes", ""): constant(1e11),
                           ("herd_store_disk_free_bytes", ""): constant(4e9)},
    "HerdTableNearBound": {("herd_table_counted_bytes", ""): constant(9e8), ("herd_table_max_bytes", ""): constant(1e9)},
    "HerdClientsNearBound": {("herd_clients", ""): constant(9e6)},
    "HerdConnectionsNearBound": {("herd_connections", ""): constant(9e3), ("herd_connections_max", ""): constant(1e4)},
    "HerdFilesNearBound": {("process_open_fds", ""): constant(930), ("process_max_fds", ""): constant(1024)},
    "HerdMemoryNearBound": {("process_resident_memory_bytes", ""): constant(95e7),
                            ("herd_memory_max_bytes", ""): constant(1e9)},
    "HerdConnectionsRefused": {("herd_connections_refused_total", ""): growing(1)},
    "HerdClientFloods": {("herd_busiest_client_reports_per_second", ""): constant(100),
                         ("herd_reported_per_second", ""): constant(400)},
    "HerdInvalidRequests": {("herd_requests_refused_total", 'reason="invalid"'): growing(660)},
    "HerdRequestsSlow": {("herd_request_duration_seconds_bucket", f'kind="iamat",le="{le}"'): growing(60)
                         for le in ("0.5", "1.0", "2.5", "5.0", "10.0", "60.0", "+Inf")},
    "HerdLoopsSlow": {("herd_slow_turns_total", 'thread="links"'): growing(2)},
    "HerdPlacesFailing": {("herd_places_answers_total", 'provider="photon",status="UNKNOWN_ERROR"'): growing(1)},
    "HerdTrafficLogLost": {("herd_traffic_lines_lost_total", ""): growing(1)},
}


def series_of(seen, change=()):
    """A scrape as Prometheus would store it at each minute, with changes."""
    rows = {("up", ""): constant(1), **{key: constant(value) for key, value in seen.items()}}
    for (name, part), values in dict(change).items():
        if part.startswith("+"):  # a second one, with another value of that label
            (key, labels), = [key for key in rows if key[0] == name]
            rows[name, re.sub(f'{part[1:]}="[^"]*"', f'{part[1:]}="other"', labels)] = values
            continue
        keys = [key for key in rows if key[0] == name and part in key[1]]
        assert keys or change is CALM, f"a real node has no {name} {part}"
        for key in keys:
            rows[key] = values
    return [{"series": f'{name}{{{labels}{"," if labels else ""}instance="a:9470",job="herd"}}', "values": values}
            for (name, labels), values in rows.items()]


def firing(tmp_path, tests):
    """Runs promtool; a test is (series, names of alerts that have to fire and no others)."""
    names = [rule["alert"] for rule in RULES]

    def expect(name, fires):
        return {"expr": f'count(count by (alertname) (ALERTS{{alertname="{name}",alertstate="firing"}}))',
                "eval_time": f"{MINUTES}m", "exp_samples": [{"labels": "{}", "value": 1}] if fires else []}
    (tmp_path / "test.yml").write_text(yaml.safe_dump({
        "rule_files": [str(DIST / "herd-alerts.yml")], "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [expect(n, n in fire) for n in names]}
                  for series, fire in tests]}, sort_keys=False))
    done = subprocess.run([PROMTOOL, "test", "rules", str(tmp_path / "test.yml")], capture_output=True, text=True,
                          timeout=500)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


# What one trouble brings along.
ALSO = {"HerdCertificateExpired": {"HerdCertificateEnds"}, "HerdNodeCutOff": {"HerdLinkDown"}, "HerdLinkDown": {"HerdNodeCutOff"}, "HerdDiskFull": {"HerdDiskNearlyFull"}}


@needs_promtool
def test_each_alert_fires_and_rests(well, tmp_path):
    """With the figures of a node that is well none fires; with one change its own."""
    assert set(FIRE) == {rule["alert"] for rule in RULES}
    tests = [(series_of(well, CALM), set())]
    for name, change in FIRE.items():
        metrics = metrics_of(" ".join(rule["expr"] for rule in RULES if rule["alert"] == name)) | {"up"}
        fire = {name} | ALSO.get(name, set())
        metrics |= metrics_of(" ".join(rule["expr"] for rule in RULES if rule["alert"] in fire))
        metrics |= {key[0] for key in change}
        part = {key: value for key, value in well.items() if key[0] in metrics}
        tests.append((series_of(part, change), fire))
    firing(tmp_path, tests)


@needs_promtool
def test_nodes_in_trouble_fire_alerts_and_doctor_agrees(tmp_path):
    """Each alert of a state into which a real node can be put is a finding of doctor."""
    settings = SETTINGS + ("places: {provider: none}\nmax_clients: 10\nmax_ahead: 0\n"
                           "store: {engine: sqlite, durability: async}\n")
    with Herd(tmp_path, ["A", "B", "C"], [("A", "B"), ("A", "C")], settings) as herd:
        herd.start()
        herd.wait_synced()
        node = herd["A"]
        node.iamat(*[(b"c%d" % i, b"+34.0-118.4", b"%d" % (time.time() + 3600)) for i in range(9)])
        herd["B"].stop()
        assert Api(node.admin).post("/v1/peers/C/disable").status == 200
        assert Api(node.admin).post("/v1/drain").status == 200
        with open(herd.path, "a", encoding="utf-8") as file:
            file.write("# edited\n")

        def is_counted():
            seen = samples(node)
            return seen.get(("herd_clients_ahead", ""), 0) > 0 and seen["herd_isolated", ""] == 1 and \
                seen["herd_link_up", 'peer="B"'] == 0 and seen["herd_link_enabled", 'peer="C"'] == 0
        wait_until(is_counted, "all shows in the metrics")
        seen = samples(node)
        (tmp_path / "home").mkdir()
        said = json.loads(Ctl(tmp_path / "home", herd.path)("doctor", "--json", "--timeout", "10s").stdout)
    fire = {"HerdNodeDraining", "HerdConfigChanged", "HerdNodeCutOff", "HerdNodeIsolated", "HerdLinkDown",
            "HerdLinkDisabled", "HerdClientsAhead", "HerdClientsNearBound"}
    firing(tmp_path, [(series_of(seen, CALM), fire)])
    words = {rule["labels"]["finding"] for rule in RULES if rule["alert"] in fire}
    found = {finding["finding"] for finding in said["findings"]}
    # Doctor can ask B, so it tells why the link is down, not that it is.
    assert "down" in found and words - {"link-down", "cut-off"} <= found, said


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="needs haproxy")
def test_haproxy_takes_the_file():
    done = subprocess.run(["haproxy", "-c", "-f", str(DIST / "herd-haproxy.cfg")], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0 and "WARNING" not in done.stdout + done.stderr, done


@needs_promtool
def test_promtool_finds_no_fault_in_the_files(tmp_path):
    for name in ("herd-alerts.yml", "herd-scrape.yml"):
        shutil.copy(DIST / name, tmp_path)
    text = (tmp_path / "herd-scrape.yml").read_text()
    token = tmp_path / "token"
    token.write_text("secret\n")
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/herd.token", str(token)))
    done = subprocess.run([PROMTOOL, "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    job, = yaml.safe_load(text)["scrape_configs"]
    assert job["job_name"] == "herd"
