# SPDX-License-Identifier: GPL-3.0-or-later
"""A new herd from nothing: what init writes starts as it is; and what a start
would refuse is refused by --check-config before."""
import json
import os
import re
import stat
import subprocess

import pytest
import yaml

from conftest import Ctl
from nodes import DEADLINE_S, HERDCTL, HERDD, TOP, Herd, free_ports, wait_until

SETTINGS = "workers: 1\nplaces: {provider: none}\n"


@pytest.fixture
def operator(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Ctl(home)


def init(operator, folder, *words):
    out = operator("init", folder, *words)
    assert out.returncode == 0, out.stderr
    return yaml.safe_load((folder / "herd.yaml").read_text()), out.stdout


def check(path, *words, env=None):
    """Exit status and what it said of --check-config."""
    out = subprocess.run([HERDD, "-c", str(path), "--check-config", *words], capture_output=True, text=True,
                         timeout=DEADLINE_S, check=False, env={**os.environ, **(env or {})})
    return out.returncode, out.stdout + out.stderr


def base_ports(count):
    """Ports of which the two after each are free as well."""
    found = []
    while len(found) < count:
        port, = free_ports(1)
        try:
            for more in (1, 2):
                reserve(port + more)
        except OSError:
            continue
        found.append(port)
    return found


_held = []


def reserve(port):
    import socket
    name, probe = socket.socket(socket.AF_UNIX), socket.socket()
    try:
        name.bind(b"\0herd-test-port-%d" % port)
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    except OSError:
        name.close()
        raise
    finally:
        probe.close()
    _held.append(name)


# --- init


def modes(folder):
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
            for path in folder.rglob("*") if path.is_file()}


def test_init_writes_the_files_of_a_herd(operator, tmp_path):
    herd, said = init(operator, tmp_path / "new", "--herd", "lab", "--nodes", "A@192.0.2.1,B@b.example.com,C@[2001:db8::1]")
    assert herd["herd"] == "lab" and list(herd["nodes"]) == ["A", "B", "C"]
    assert herd["nodes"]["C"] == {"clients": "[2001:db8::1]:12000", "peers": "[2001:db8::1]:12001",
                                  "admin": ["/run/herd/C.sock", "[2001:db8::1]:12002"]}
    assert herd["ca_file"] == "ca.pem" and herd["admin"]["tls_cert"] == "tls-%n.pem"
    assert herd["links"] == [["A", "B"], ["A", "C"], ["B", "C"]]
    found = modes(tmp_path / "new")
    assert {name for name, mode in found.items() if mode == 0o600} == {"links.key", "admin.token", "read.token", "ca.key",
                                                                    "tls-A.key", "tls-B.key", "tls-C.key"}
    assert set(found) == {"herd.yaml", "links.key", "admin.token", "read.token", "monitoring/prometheus.yml",
                          "systemd/herdd@.service.d/herd.conf", "ca.pem", "ca.key",
                          *(f"tls-{node}.{end}" for node in "ABC" for end in ("pem", "key"))}
    secrets = [(tmp_path / "new" / name).read_text() for name in ("links.key", "admin.token", "read.token")]
    assert len(set(secrets)) == 3 and all(re.fullmatch(r"[0-9a-f]{64}\n", secret) for secret in secrets)
    assert not any(secret.strip() in said for secret in secrets)
    for line in ("ssh root@b.example.com systemctl enable --now herdd@B", "scp ", "'root@[2001:db8::1]:/etc/herd'"):
        assert line in said
    assert not any("ca.key" in line for line in said.splitlines() if line.startswith(("scp", "ssh", "cp")))
    status, text = check(tmp_path / "new" / "herd.yaml", "--as-service")
    assert status == 0 and "no errors" in text and "warning" not in text


def test_monitoring_asks_each_node(operator, tmp_path):
    init(operator, tmp_path / "new", "--nodes", "A@127.0.0.1:21000,B@127.0.0.1")
    job, = yaml.safe_load((tmp_path / "new" / "monitoring" / "prometheus.yml").read_text())
    assert [(c["targets"], c["labels"]) for c in job["static_configs"]] == [
        (["127.0.0.1:21002"], {"node": "A"}), (["127.0.0.1:12002"], {"node": "B"})]


def certificate(path, ca):
    """Its facts, if that CA has signed it."""
    def say(*words):
        out = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
        assert out.returncode == 0, out
        return out.stdout
    say("verify", "-x509_strict", "-CAfile", ca, path)
    return say("x509", "-in", path, "-noout", "-text")


def test_certificates_are_for_what_a_node_is_asked_by(operator, tmp_path):
    folder = tmp_path / "new"
    init(operator, folder, "--nodes", "A@192.0.2.1,B@b.example.com,C@[2001:db8::1]")
    for node, host in (("A", "IP Address:192.0.2.1\n"), ("B", "DNS:b.example.com\n"),
                       ("C", "IP Address:2001:DB8:0:0:0:0:0:1\n")):
        text = certificate(folder / f"tls-{node}.pem", folder / "ca.pem")
        assert f"Subject: CN = {node}\n" in text and host in text and "TLS Web Server Authentication" in text
        assert "CA:FALSE" in text
    ca = certificate(folder / "ca.pem", folder / "ca.pem")
    assert "CA:TRUE, pathlen:0" in ca and "Certificate Sign" in ca


def test_cert_new_renews_and_serves_new_nodes(operator, tmp_path):
    folder = tmp_path / "new"
    init(operator, folder, "--nodes", "A@192.0.2.1,B@192.0.2.2")
    before = {name: (folder / name).read_bytes() for name in ("ca.pem", "tls-A.pem", "tls-B.pem", "tls-B.key")}
    out = operator("cert", "new", folder, "B")
    assert out.returncode == 0, out.stderr
    assert "root@192.0.2.2:/etc/herd" in out.stdout and "192.0.2.1" not in out.stdout
    assert "ca.key" not in out.stdout and "herdctl -n B config reload" in out.stdout
    now = {name: (folder / name).read_bytes() for name in before}
    assert {name for name in before if before[name] != now[name]} == {"tls-B.pem", "tls-B.key"}
    certificate(folder / "tls-B.pem", folder / "ca.pem")
    assert stat.S_IMODE((folder / "tls-B.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "tls-B.pem").stat().st_mode) == 0o644
    path = folder / "herd.yaml"
    path.write_text(path.read_text().replace("nodes:", 'nodes:\n  C: {clients: "c:1", peers: "c:2", admin: "d:3"}', 1))
    assert operator("cert", "new", folder).returncode == 0
    assert "DNS:c, DNS:d\n" in certificate(folder / "tls-C.pem", folder / "ca.pem")
    assert not list(folder.glob("*.new"))


def test_a_ca_is_replaced_by_one_beside_it(operator, tmp_path):
    folder, other = tmp_path / "new", tmp_path / "other"
    init(operator, folder, "--nodes", "A@192.0.2.1")
    init(operator, other, "--nodes", "A@192.0.2.1")
    with open(folder / "ca.pem", "ab") as both:
        both.write((other / "ca.pem").read_bytes())
    (folder / "ca.key").write_bytes((other / "ca.key").read_bytes())
    certificate(folder / "tls-A.pem", folder / "ca.pem")
    out = operator("cert", "new", folder)
    assert out.returncode == 0, out.stderr
    certificate(folder / "tls-A.pem", other / "ca.pem")


def test_cert_new_says_what_it_lacks(operator, tmp_path):
    folder = tmp_path / "new"
    init(operator, folder, "--nodes", "A@192.0.2.1")
    out = operator("cert", "new", folder, "X")
    assert out.returncode == 2 and "no node `X'" in out.stderr
    (folder / "ca.key").write_bytes((folder / "tls-A.key").read_bytes())
    out = operator("cert", "new", folder)
    assert out.returncode == 8 and "no certificate is of this key" in out.stderr
    (folder / "ca.key").chmod(0o644)
    out = operator("cert", "new", folder)
    assert out.returncode == 8 and "chmod 600" in out.stderr
    (folder / "ca.key").unlink()
    out = operator("cert", "new", folder)
    assert out.returncode == 8 and "the folder that `init' made" in out.stderr
    out = operator("cert", "new", tmp_path)
    assert out.returncode == 8 and "cannot read" in out.stderr


def test_a_ca_of_a_file_that_others_can_change_is_not_taken(operator, tmp_path):
    """They could name a node of their own, and the CA that has signed it."""
    folder = tmp_path / "new"
    base, = base_ports(1)
    init(operator, folder, "--nodes", f"A@127.0.0.1:{base},B@192.0.2.2")
    path = folder / "herd.yaml"
    path.write_text(path.read_text().replace("/run/herd/A.sock", str(tmp_path / "A.sock")).replace(
        '"192.0.2.2', '"127.0.0.2'))
    with open(tmp_path / "A.log", "wb") as log, subprocess.Popen(
            [HERDD, "-c", str(path), "A"], stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: b"event=ready" in (tmp_path / "A.log").read_bytes(), "ready")
            (tmp_path / "A.sock").rename(tmp_path / "hidden")
            operator.conf = path
            out = operator("status", "-n", "A")
            assert out.returncode == 0, out.stderr
            path.chmod(0o666)
            out = operator("status", "-n", "A", "--token-file", folder / "admin.token")
            assert out.returncode == 3 and "not signed by a CA" in out.stderr, out
            out = operator("status", "-n", "A", "--token-file", folder / "admin.token", "--ca-file", folder / "ca.pem")
            assert out.returncode == 0, out.stderr
        finally:
            process.terminate()


@pytest.mark.parametrize("name", ["with space", "quote'd", "$(touch pwned)", "-x", "a:b"])
def test_printed_commands_are_safe_for_a_shell(operator, tmp_path, name):
    """Typed as they are, but with tools that only tell their words."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("ssh", "scp"):
        (tools / tool).write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
        (tools / tool).chmod(0o755)
    out = subprocess.run([HERDCTL, "init", "--nodes", "A@192.0.2.1", "--", name], cwd=tmp_path, capture_output=True,
                         text=True, env=operator.env(), check=False)
    assert out.returncode == 0, out.stderr
    lines = [line for line in out.stdout.splitlines() if line.startswith(("ssh", "scp"))]
    said = subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True,
                          env={"PATH": f"{tools}:/usr/bin:/bin"}, check=True).stdout.splitlines()
    copied = said[said.index(str(tools / "scp")) + 1:said.index("root@192.0.2.1:/etc/herd")]
    assert len(copied) == 7 and all((tmp_path / path).is_file() for path in copied)
    assert not any(path.startswith("-") or ":" in path.split("/")[0] for path in copied)
    assert not (tmp_path / "pwned").exists()


def test_a_folder_that_cannot_be_typed_is_refused(operator, tmp_path):
    out = operator("init", tmp_path / "a\nb")
    assert out.returncode == 2 and "control characters" in out.stderr


def test_links_are_a_mesh_of_few_and_a_ring_of_many(operator, tmp_path):
    four, _ = init(operator, tmp_path / "four", "--nodes", ",".join(f"N{i}@192.0.2.{i}" for i in range(4)))
    assert len(four["links"]) == 6
    six, _ = init(operator, tmp_path / "six", "--nodes", ",".join(f"N{i}@192.0.2.{i}" for i in range(6)))
    assert len(six["links"]) == 6 and ["N5", "N0"] in six["links"]
    one, _ = init(operator, tmp_path / "one")
    assert "links" not in one and len(one["nodes"]) == 1


@pytest.mark.parametrize("words,says", [
    (["--nodes", "A"], "NODE@HOST"), (["--nodes", "A@"], "NODE@HOST"), (["--nodes", "@h"], "NODE@HOST"),
    (["--nodes", "A@h,"], "NODE@HOST"), (["--nodes", ""], "NODE@HOST"), (["--nodes", "A@/run/x"], "NODE@HOST"),
    (["--nodes", "A@h:0"], "NODE@HOST"), (["--nodes", "A@h:65535"], "NODE@HOST"),
    (["--nodes", "A@h\n  evil: 1"], "NODE@HOST"), (["--nodes", 'A@h"'], ""), (["--nodes", "A@h,A@g"], "two nodes A"),
    (["--nodes", "A@h:5000,B@h:5002"], "ports"), (["--herd", "a b"], "no name for a herd"),
    (["--nodes", "-x@h"], "no herd can be made"),
    (("--nodes", "A@0.0.0.0,B@192.0.2.1"), "nobody can dial A at 0.0.0.0"),
    (("--nodes", "A@192.0.2.1,B@[::]"), "nobody can dial B at ::"),
])
def test_init_refuses_what_makes_no_herd(operator, tmp_path, words, says):
    out = operator("init", tmp_path / "new", *words)
    assert out.returncode == 2 and says in out.stderr, out
    assert not (tmp_path / "new").exists()


def test_init_overwrites_nothing(operator, tmp_path):
    (tmp_path / "new").mkdir()
    init(operator, tmp_path / "new")
    before = (tmp_path / "new" / "links.key").read_text()
    out = operator("init", tmp_path / "new")
    assert out.returncode == 8 and "not an empty folder" in out.stderr
    assert (tmp_path / "new" / "links.key").read_text() == before
    (tmp_path / "file").write_text("x")
    assert operator("init", tmp_path / "file").returncode == 8 and (tmp_path / "file").read_text() == "x"
    assert operator("init", tmp_path / "no" / "such").returncode == 8


@pytest.mark.parametrize("as_service", [False, True], ids=["by-hand", "service"])
def test_a_herd_of_init_starts_as_it_is(operator, tmp_path, as_service):
    """Three nodes; as services they cannot write beside the herd file."""
    folder = tmp_path / "new"
    bases = base_ports(3)
    nodes = {name: f"127.0.0.{i + 1}:{base}" for i, (name, base) in enumerate(zip("ABC", bases))}
    init(operator, folder, "--nodes", ",".join(f"{name}@{host}" for name, host in nodes.items()))
    env = {}
    if as_service:
        for name in ("STATE_DIRECTORY", "LOGS_DIRECTORY"):
            (tmp_path / name).mkdir(mode=0o700)
            env[name] = str(tmp_path / name)
        path = folder / "herd.yaml"
        path.write_text(path.read_text().replace("# traffic:", "traffic:"))
    processes = []
    try:
        for name in nodes:
            status, said = check(folder / "herd.yaml", name, env=env)
            assert status == 0, said
            with open(tmp_path / f"{name}.log", "wb") as log:
                processes.append(subprocess.Popen([HERDD, "-c", str(folder / "herd.yaml"), name],
                                                  env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        operator.conf = folder / "herd.yaml"

        def is_whole():
            out = operator("peer", "ls", "-n", "all", "-o", "json")
            rows = json.loads(out.stdout)["peers"] if out.stdout else []
            return len(rows) == 6 and all(row["state"] == "synced" and row["security"] == "tls" for row in rows)
        wait_until(is_whole, "all links are up")
        assert operator("iamat", "kiwi", "+34.068930-118.445127", "-n", "A").returncode == 0
        wait_until(lambda: operator("client", "show", "kiwi", "-n", "all").returncode == 0, "all have it")
        assert operator("config", "diff").returncode == 0
    finally:
        for process in processes:
            process.terminate()
        ends = [process.wait(timeout=DEADLINE_S) for process in processes]
    assert ends == [0, 0, 0], (tmp_path / "A.log").read_text()
    where = tmp_path / "STATE_DIRECTORY" if as_service else folder
    assert {f"{name}.sqlite" for name in nodes} <= {p.name for p in where.iterdir()}
    if as_service:
        assert {p.name for p in (tmp_path / "LOGS_DIRECTORY").iterdir()} == {f"{name}.traffic" for name in nodes}
        assert not list(folder.glob("*.sqlite*")) and not list(folder.glob("*.traffic"))


# --- where a node writes


def test_relative_paths_of_a_service_are_in_its_folders(tmp_path, monkeypatch):
    for name in ("state", "other", "logs"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/state:{tmp_path}/other")
    settings = SETTINGS + 'store: {engine: sqlite}\nlog: {traffic: "traffic-%n"}\n'
    with Herd(tmp_path, ["A"], [], settings) as herd:
        herd.start()
        herd["A"].stop()
        assert {"herd-A.sqlite", "traffic-A"} <= {p.name for p in (tmp_path / "state").iterdir()}
        monkeypatch.setenv("LOGS_DIRECTORY", str(tmp_path / "logs"))
        herd.start()
        herd["A"].stop()
        assert [p.name for p in (tmp_path / "logs").iterdir()] == ["traffic-A"]
        assert list((tmp_path / "other").iterdir()) == []
        # What is no absolute path is nothing that systemd gives.
        monkeypatch.setenv("LOGS_DIRECTORY", "logs")
        monkeypatch.setenv("STATE_DIRECTORY", "")
        herd.start()
        herd["A"].stop()
        assert (tmp_path / "traffic-A").exists() and (tmp_path / "herd-A.sqlite").exists()


# --- check-config


def start_status(herd, name="A"):
    """A start's exit status: None if it becomes ready."""
    node = herd[name].start(wait=False)
    wait_until(lambda: node.process.poll() is not None or "event=ready" in node.log(), "ready or ended")
    status = node.process.poll()
    if status is None:
        node.stop()
    node.process = None
    return status


def sabotage(kind, folder):
    """Settings that a start refuses, and the word of the setting."""
    if kind == "traffic-folder":
        return 'log: {traffic: "none/%n.log"}\n', "log.traffic"
    if kind == "traffic-is-folder":
        (folder / "sub").mkdir()
        return "log: {traffic: sub}\n", "log.traffic"
    if kind == "traffic-link":
        (folder / "link").symlink_to(folder / "target")
        return "log: {traffic: link}\n", "log.traffic"
    if kind == "read-only":
        return 'log: {traffic: "/proc/sys/kernel/traffic-%n"}\n', "log.traffic"
    if kind == "store-folder":
        return 'store: {engine: sqlite, path: "none/%n.sqlite"}\n', "store.path"
    if kind == "store-read-only":
        return 'store: {engine: sqlite, path: "/proc/sys/kernel/%n.sqlite"}\n', "store.path"
    if kind == "store-fifo":
        os.mkfifo(folder / "fifo", 0o600)
        return "store: {engine: sqlite, path: fifo}\n", "store.path"
    if kind == "key":
        return "key_file: none\n", "key_file"
    if kind == "token":
        (folder / "token").write_text("0123456789abcdef two\n")
        (folder / "token").chmod(0o600)
        return "admin: {token_file: token}\n", "admin.token_file"
    if kind == "read-token":
        (folder / "token").write_text("0123456789abcdef\n")
        (folder / "token").chmod(0o640)
        return "admin: {read_token_file: token}\n", "admin.read_token_file"
    if kind == "user":
        return "user: no-such-user\n", "user"
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["traffic-folder", "traffic-is-folder", "traffic-link", "read-only", "store-folder",
                                  "store-read-only", "store-fifo", "key", "token", "read-token", "user"])
def test_check_config_refuses_what_the_start_refuses(tmp_path, kind):
    if kind == "user" and os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    settings, word = sabotage(kind, tmp_path)
    herd = Herd(tmp_path, ["A"], [], SETTINGS + settings)
    status, said = check(herd.path, "A")
    assert status == 8 and f"{word}" in said and "error" in said, said
    assert not {p.name for p in tmp_path.iterdir()} & {"A.sqlite", "target", "none"}
    assert start_status(herd) not in (None, 0)


def test_check_config_takes_what_starts_and_makes_nothing(tmp_path):
    (tmp_path / "logs").mkdir()
    settings = SETTINGS + 'store: {engine: sqlite, path: "%n.sqlite"}\nlog: {traffic: "logs/%n"}\n'
    herd = Herd(tmp_path, ["A"], [], settings)
    before = {p.name for p in tmp_path.rglob("*")}
    assert check(herd.path, "A")[0] == 0
    assert {p.name for p in tmp_path.rglob("*")} == before
    assert start_status(herd) is None
    assert check(herd.path, "A")[0] == 0
    (tmp_path / "null").mkdir()
    herd = Herd(tmp_path / "null", ["A"], [], SETTINGS + "log: {traffic: /dev/null}\n")
    assert check(herd.path, "A")[0] == 0 and start_status(herd) is None


def test_without_a_node_only_the_file_is_checked(tmp_path):
    herd = Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS + "key_file: on-another-machine\n")
    assert check(herd.path)[0] == 0
    assert check(herd.path, "A")[0] == 8


@pytest.mark.parametrize("settings,says", [
    ('log: {traffic: "/etc/herd/traffic-%n.log"}\n', "log.traffic"),
    ('store: {engine: sqlite, path: "/etc/herd/%n.sqlite"}\n', "store.path"),
    ('store: {engine: sqlite, path: "/var/lib/herd/../x/%n.sqlite"}\n', "store.path"),
    ("key_file: /root/links.key\n", "ProtectHome"),
    ("admin: {group: adm}\n", "PrivateUsers"),
])
def test_as_service_refuses_what_the_sandbox_refuses(tmp_path, settings, says):
    herd = Herd(tmp_path, ["A"], [], SETTINGS + settings)
    herd.path.write_text(herd.text().replace(herd["A"].admin, "/run/herd/A.sock"))
    for words in (["--as-service"], ["--as-service", "A"]):
        status, said = check(herd.path, *words)
        assert status == 8 and says in said and said.count("error") == 1, said
    assert any(why in said for why in ("read-only for the service", "sees nothing", "has no group adm")), said


def test_as_service_takes_relative_paths_and_the_services_folders(tmp_path):
    settings = SETTINGS + 'store: {engine: sqlite}\nlog: {traffic: "%n.log"}\nadmin: {group: herd}\n'
    herd = Herd(tmp_path, ["A"], [], settings)
    herd.path.write_text(herd.text().replace(herd["A"].admin, "/run/herd/A.sock"))
    status, said = check(herd.path, "--as-service", "A")
    assert status == 0, said
    # The socket of the test's folder is outside of all that it may write.
    herd.write()
    status, said = check(herd.path, "--as-service", "A")
    assert status == 8 and "admin: " in said and "/run/herd" in said


def test_as_service_needs_check_config(tmp_path):
    out = subprocess.run([HERDD, "--as-service", "A"], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert out.returncode == 2 and "--check-config" in out.stderr


def test_folders_of_the_check_are_those_of_the_unit():
    unit, = TOP.glob("server/**/herdd@.service*")
    text = unit.read_text()
    header = (TOP / "server" / "node" / "files.h").read_text()
    for setting, name, root in (("StateDirectory", "STATE", "/var/lib"), ("LogsDirectory", "LOGS", "/var/log"),
                                ("RuntimeDirectory", "RUNTIME", "/run")):
        folder = re.search(rf"^{setting}=(\w+)$", text, re.M)[1]
        assert re.search(rf'^#define FILES_SERVICE_{name} "{root}/{folder}"$', header, re.M)
    assert re.search(r"^User=herd$", text, re.M) and "ProtectSystem=strict" in text and "ProtectHome=yes" in text
