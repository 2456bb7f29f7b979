# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs as an operator keeps them: rotated, with priorities for the journal,
with all addresses and limits of the start; and a herd file that has changed."""
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

from api import Api
from conftest import Ctl
from nodes import TOP, Herd, wait_until

SETTINGS = "workers: 1\nplaces: {provider: none}\n"
TRAFFIC = SETTINGS + 'log: {traffic: "traffic-%n.log"}\n'


@pytest.fixture
def start(tmp_path):
    """start(settings) -> a node alone that is ready, not started with wait=False."""
    herds = []

    def begin(settings=TRAFFIC, wait=True, prepare=lambda node: None):
        herds.append(Herd(tmp_path, ["A"], [], settings))
        node = herds[-1].nodes["A"]
        prepare(node)
        return node.start() if wait else node
    yield begin
    for herd in herds:
        herd.__exit__(None, None, None)


def report(node, name):
    node.iamat((name.encode(), b"+34.0-118.4", b"%.9f" % time.time()))


def has(path, text):
    return path.exists() and text.encode() in path.read_bytes()


def hang_up(node):
    """SIGHUP, and waits until that has opened the traffic log again."""
    done = len(re.findall("event=traffic-reopened", node.log()))
    node.send_signal(signal.SIGHUP)
    node.wait_log("event=traffic-reopened", done + 1)


# --- rotation -------------------------------------------------------------------


def test_a_file_that_was_renamed_is_left_on_sighup(start, tmp_path):
    node = start()
    file, old = tmp_path / "traffic-A.log", tmp_path / "traffic-A.log.1"
    report(node, "one")
    wait_until(lambda: has(file, "AT A"), "written")
    file.rename(old)
    report(node, "two")
    wait_until(lambda: has(old, "IAMAT two"), "the node does not know of it yet")
    hang_up(node)
    report(node, "three")
    wait_until(lambda: has(file, "IAMAT three"), "the new file is written")
    assert not has(old, "three") and not has(file, "two")
    assert file.stat().st_mode & 0o777 == 0o600
    old.unlink()
    open_files = [os.readlink(f"/proc/{node.process.pid}/fd/{n}") for n in os.listdir(f"/proc/{node.process.pid}/fd")
                  if os.path.exists(f"/proc/{node.process.pid}/fd/{n}")]
    assert not [path for path in open_files if path.endswith("(deleted)") and "traffic" in path]


def test_config_reload_opens_it_too(start, tmp_path):
    node = start()
    file = tmp_path / "traffic-A.log"
    report(node, "one")
    wait_until(lambda: has(file, "AT A"), "written")
    file.unlink()
    assert Api(node.admin).post("/v1/config/reload").status == 200
    report(node, "two")
    wait_until(lambda: has(file, "IAMAT two"), "the new file is written")


def test_a_file_that_was_copied_and_truncated_goes_on_at_its_start(start, tmp_path):
    node = start()
    file = tmp_path / "traffic-A.log"
    report(node, "one")
    wait_until(lambda: has(file, "AT A"), "written")
    shutil.copy(file, tmp_path / "copy")
    os.truncate(file, 0)
    report(node, "two")
    wait_until(lambda: has(file, "AT A"), "written again")
    assert b"\0" not in file.read_bytes() and not has(file, "one") and has(tmp_path / "copy", "one")


def test_a_wrong_herd_file_keeps_no_log_from_rotating(start, tmp_path):
    node = start()
    file = tmp_path / "traffic-A.log"
    node.herd.path.write_text("herd: [\n")
    file.rename(tmp_path / "old")
    hang_up(node)
    node.wait_log("event=reload-rejected")
    report(node, "two")
    wait_until(lambda: has(file, "IAMAT two"), "the new file is written")


def test_a_path_that_is_no_file_any_more_is_told(start, tmp_path):
    node = start()
    file = tmp_path / "traffic-A.log"
    file.rename(tmp_path / "old")
    file.mkdir()
    node.send_signal(signal.SIGHUP)
    node.wait_log("event=traffic-reopen-failed .*traffic-A.log")
    report(node, "two")
    wait_until(lambda: has(tmp_path / "old", "IAMAT two"), "the old file goes on")
    file.rmdir()
    hang_up(node)
    report(node, "three")
    wait_until(lambda: has(file, "IAMAT three"), "the new file is written")


def test_no_line_is_lost_in_rotations(start, tmp_path):
    node = start()
    file = tmp_path / "traffic-A.log"
    for i in range(20):
        for j in range(5):
            report(node, f"c{i}-{j}")
        file.rename(tmp_path / f"old-{i}")
        hang_up(node)
    assert node.stop() == 0
    text = b"".join(path.read_bytes() for path in [file, *tmp_path.glob("old-*")]).decode()
    asked = re.findall(r'^\S+ request \S+ "IAMAT (c\d+-\d+) ', text, re.M)
    assert sorted(asked) == sorted(f"c{i}-{j}" for i in range(20) for j in range(5))
    assert len(re.findall(r'^\S+ reply ', text, re.M)) == 100


def test_without_a_traffic_log_sighup_only_reloads(start):
    node = start(SETTINGS)
    node.send_signal(signal.SIGHUP)
    node.wait_log("event=reloaded")
    assert "event=traffic" not in node.log()


LOGROTATE = shutil.which("logrotate") or (os.path.exists("/usr/sbin/logrotate") and "/usr/sbin/logrotate")


@pytest.mark.skipif(not LOGROTATE, reason="needs logrotate")
def test_logrotate_does_it_by_the_file_that_is_installed(start, tmp_path):
    node = start(SETTINGS + 'log: {traffic: "var/log/herd/%n.log"}\n',
                 prepare=lambda node: (tmp_path / "var/log/herd").mkdir(parents=True))
    file = tmp_path / "var/log/herd/A.log"
    report(node, "one")
    wait_until(lambda: has(file, "AT A"), "written")
    text = (TOP / "server/dist/herd.logrotate").read_text()
    assert "/var/log/herd/*.log" in text and "\tsu herd herd\n" in text
    text, folders = re.subn(r"/var/(log|lib)/herd/", lambda m: f"{tmp_path}{m.group(0)}", text)
    assert folders == 2
    text = text.replace("\tsu herd herd\n", "").replace("create 0600 herd herd", "create 0600")
    text, orders = re.subn(r"\tpostrotate\n.*?\tendscript\n",
                           f"\tpostrotate\n\t\tkill -HUP {node.process.pid}\n\tendscript\n", text, flags=re.S)
    assert orders == 1
    conf = tmp_path / "rotate.conf"
    conf.write_text(text)
    conf.chmod(0o644)
    (tmp_path / "var/log/herd").chmod(0o755)
    subprocess.run([LOGROTATE, "-f", "-s", str(tmp_path / "state"), str(conf)], check=True, timeout=60)
    node.wait_log("event=traffic-reopened")
    report(node, "two")
    wait_until(lambda: has(file, "IAMAT two"), "the new file is written")
    assert has(tmp_path / "var/log/herd/A.log.1", "IAMAT one") and not has(file, "one")


# --- the journal ----------------------------------------------------------------


def as_journal(node, change=lambda device, inode: (device, inode)):
    node.log_path.touch()
    facts = node.log_path.stat()
    device, inode = change(facts.st_dev, facts.st_ino)
    node.env = {**os.environ, "JOURNAL_STREAM": f"{device}:{inode}"}


@pytest.mark.parametrize("style", ["logfmt", "json"])
def test_the_journal_gets_priorities(start, style):
    node = start(SETTINGS + f"log: {{format: {style}, level: debug}}\n", prepare=as_journal, wait=False)
    node.start(wait=False)
    wait_until(lambda: "ready" in node.log() and os.path.exists(node.admin), "it serves")
    node.herd.path.write_text("herd: [\n")
    node.send_signal(signal.SIGHUP)
    wait_until(lambda: "reload-rejected" in node.log(), "rejected")
    priority = {"debug": "<7>", "info": "<6>", "warn": "<4>", "error": "<3>"}
    seen = set()
    for line in node.log().splitlines():
        level = json.loads(line[3:])["level"] if style == "json" else re.search("level=([a-z]+)", line).group(1)
        assert line.startswith(priority[level] + ("{" if style == "json" else "time=")), line
        seen.add(level)
    assert {"info", "error"} <= seen
    # What the node keeps for `herdctl log tail` has none.
    kept = Api(node.admin).get("/v1/log?n=100").body.decode()
    assert "reload-rejected" in kept and not re.search("<[0-9]>", kept)


def test_the_journal_gets_why_a_file_is_refused(start):
    node = start(SETTINGS + "nonsense: 1\nmax_line: 3\n", prepare=as_journal, wait=False)
    node.start(wait=False)
    assert node.wait_end() == 8
    lines = node.log().splitlines()
    assert len(lines) == 2 and all(line.startswith(f"<3>{node.herd.path}:") for line in lines), lines


@pytest.mark.parametrize("change", [lambda d, i: (d, i + 1), lambda d, i: (d + 1, i), lambda d, i: ("", "")])
def test_another_stream_gets_none(start, change):
    """Who starts a node from a service of systemd has the variable of that service."""
    node = start(SETTINGS, prepare=lambda node: as_journal(node, change))
    assert all(line.startswith("time=") for line in node.log().splitlines())


# --- the start ------------------------------------------------------------------


def test_ready_line_has_every_listener(start, tmp_path):
    (tmp_path / "token").write_text("secret" * 8 + "\n")
    (tmp_path / "token").chmod(0o600)
    node = start(SETTINGS + 'admin: {listen: "127.0.0.1:0", token_file: token}\n')
    line, = re.findall("event=ready.*", node.log())
    addresses = Api(node.admin).get("/v1/status").json["addresses"]
    told = re.search('admin="([^"]*)"', line).group(1).split(" ")
    assert set(told) == {addresses["admin"], addresses["admin_listen"]}
    assert f"clients={addresses['clients']} peers={addresses['peers']} " in line


def test_limits_are_told_at_the_start_and_in_status(start, tmp_path):
    node = start(SETTINGS + "max_connections: 77\nmax_memory: 1G\nmax_clients: 1000\n")
    line, = re.findall("event=limits (.*)", node.log())
    told = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}
    assert node.log().index("event=limits") < node.log().index("event=ready")
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert told["max_connections"] == 77 and told["max_memory"] == 1 << 30 and told["max_clients"] == 1000
    assert told["open_files"] == files
    assert 0 < told["memory"] <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    bounds = Api(node.admin).get("/v1/status").json["bounds"]
    assert (bounds["connections_max"], bounds["table_bytes_max"], bounds["open_files_max"],
            bounds["memory_bytes_max"]) == (77, 1 << 30, files, told["memory"])
    assert 1 << 20 < bounds["memory_bytes"] < told["memory"]
    (tmp_path / "home").mkdir()
    row = json.loads(Ctl(tmp_path / "home", node.herd.path)("status", "-n", "A", "--json").stdout)["nodes"][0]
    assert (row["connections_max"], row["open_files_max"], row["table_bytes_max"],
            row["memory_bytes_max"]) == (77, files, 1 << 30, told["memory"])


def test_the_unit_fits_the_defaults():
    """LimitNOFILE= is enough for max_connections; MemoryMax= leaves room beside max_memory."""
    unit = (TOP / "server/herdd@.service.in").read_text()
    rows = (TOP / "include/herd/settings_rows.def").read_text()
    connections = int(re.search(r'SETTING\(max_connections,.*?initial = "(\d+)"', rows, re.S).group(1))
    reserved = sum(map(int, re.findall(r"LIMITS_\w+_MAX (\d+)u", (TOP / "server/node/limits.h").read_text())))
    part = int(re.search(r"LIMITS_MEMORY_PART (\d+)u", (TOP / "server/node/limits.h").read_text()).group(1))
    assert int(re.search("^LimitNOFILE=(\\d+)$", unit, re.M).group(1)) >= connections + reserved
    # The default of max_memory is a part of the machine's, and half of what the unit gives at most.
    assert 100 / part * 2 <= int(re.search("^MemoryMax=(\\d+)%$", unit, re.M).group(1)) < 100


# --- the herd file --------------------------------------------------------------


def test_config_has_changed_if_its_text_has(start, tmp_path):
    node = start(SETTINGS)
    (tmp_path / "home").mkdir()
    shutil.copy(node.herd.path, tmp_path / "copy.yaml")  # herdctl needs one to the end
    ctl = Ctl(tmp_path / "home", tmp_path / "copy.yaml")

    def changed():
        row = json.loads(ctl("status", "-n", "A", "--json").stdout)["nodes"][0]
        metric, = re.findall(r"^herd_config_changed (.*)$", Api(node.admin).get("/metrics").body.decode(), re.M) or [""]
        config = Api(node.admin).get("/v1/status").json["config"]
        assert row["config_changed"] is config["changed_on_disk"]
        assert metric == {True: "1", False: "0", None: ""}[config["content_changed"]]
        return config["changed_on_disk"]
    assert changed() is False
    os.utime(node.herd.path)
    assert changed() is False
    text = node.herd.path.read_text()
    new = pathlib.Path(f"{node.herd.path}.new")
    new.write_text(text + "max_ahead: 1h\n")
    os.utime(new, (time.time() - 3600,) * 2)  # as rsync -a, cp -p or a restore leave it
    new.rename(node.herd.path)
    assert changed() is True
    assert "max_ahead" in Ctl(tmp_path / "home", node.herd.path)("config", "diff", "-n", "A").stdout
    node.herd.path.write_text(text)
    assert changed() is False
    node.herd.path.unlink()
    assert changed() is True
