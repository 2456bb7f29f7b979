# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on other machines than the node's: admin listeners in a list, TLS
for them and for clients, and who is refused."""
import contextlib
import grp
import http.client
import json
import os
import re
import socket
import ssl
import stat
import subprocess
import time

import pytest

from api import Api
from certificates import Authority
from conftest import Ctl, herdctl_env
from nodes import DEADLINE_S, HERDCTL, HERDD, Herd, free_ports, read_all, wait_until
from terminal import Terminal

TOKEN = "write-0123456789abcdef"


def write_token(path):
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


class Solo(Herd):
    """One node whose admin listeners are its socket and a TCP port."""

    def __init__(self, folder, admin="", settings="", listen=True):
        self.port = free_ports(1)[0]
        self.listen = listen
        self.admin_settings = admin
        write_token(folder / "token")
        super().__init__(folder, ["Solo"], [], settings=settings)

    def text(self, *args, **kwargs):
        text = super().text(*args, **kwargs)
        admin = self["Solo"].admin
        if self.listen:
            text = text.replace(f'admin: "{admin}"', f'admin: ["{admin}", "127.0.0.1:{self.port}"]')
        return text + f"admin: {{token_file: token{self.admin_settings}}}\n"


def solo_of(*args, **kwargs):
    herd = Solo(*args, **kwargs)
    return herd, herd["Solo"]


@pytest.fixture
def ca(tmp_path):
    return Authority(tmp_path)


def ctl_of(herd, tmp_path, **kwargs):
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return Ctl(home, herd.path, **kwargs)


def over_tls(port, ca, pair=None, path="/v1/status", token=TOKEN, method="GET"):
    """A request over TLS; (status, body)."""
    context = ssl.create_default_context(cafile=ca.file)
    if pair:
        context.load_cert_chain(*pair)
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=DEADLINE_S, context=context)
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def connect_tls(port, ca, pair=None, version=None):
    """A connection to a listener with TLS; the handshake is done."""
    context = ssl.create_default_context(cafile=ca.file)
    if version:
        context.minimum_version = context.maximum_version = version
    if pair:
        context.load_cert_chain(*pair)
    plain = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def metric(node, name):
    body = Api(node.admin).get("/metrics").body.decode()
    return sum(float(v) for v in re.findall(rf"^{re.escape(name)} (\S+)$", body, re.M))


def refused(node, reason):
    return metric(node, f'herd_requests_refused_total{{reason="{reason}"}}')


# --- a list of addresses --------------------------------------------------------

def test_all_addresses_of_the_list_are_listened_at(tmp_path):
    herd, solo = solo_of(tmp_path)
    with herd:
        herd.start()
        want = f"{solo.admin}, 127.0.0.1:{herd.port}"
        assert Api(solo.admin).get("/v1/status").json["addresses"]["admin"] == want
        assert Api(("127.0.0.1", herd.port), TOKEN).get("/v1/status").status == 200
        assert Api(("127.0.0.1", herd.port)).get("/v1/status").status == 401
        assert f'admin="{solo.admin} 127.0.0.1:{herd.port}"' in solo.log()
        diff = ctl_of(herd, tmp_path)("config", "diff", "-n", "all", "-o", "json")
        assert diff.returncode == 0, diff.stdout


def test_listen_covers_an_address_of_the_list(tmp_path):
    (port,) = free_ports(1)
    herd, solo = solo_of(tmp_path, admin=f', listen: "0.0.0.0:{port}", plaintext: yes')
    herd.port = port
    herd.write()
    with herd:
        herd.start()
        addresses = Api(solo.admin).get("/v1/status").json["addresses"]
        assert addresses["admin"] == solo.admin
        assert addresses["admin_listen"] == f"0.0.0.0:{port}"
        ctl = ctl_of(herd, tmp_path)
        assert ctl("status").returncode == 0


def test_first_address_that_answers_is_taken(tmp_path):
    """A socket that is elsewhere, or that nobody serves, is passed over."""
    herd, solo = solo_of(tmp_path)
    ctl = ctl_of(herd, tmp_path)
    with herd:
        herd.start()
        here = herd.path.read_text()
        (dead,) = free_ports(1)
        stale = str(tmp_path / "stale.sock")
        s = socket.socket(socket.AF_UNIX)
        s.bind(stale)
        s.close()
        for first in ("/nowhere/Solo.sock", stale, f"127.0.0.1:{dead}"):
            herd.path.write_text(here.replace(solo.admin, first))
            result = ctl("status", "-v")
            assert result.returncode == 0, (first, result.stderr)
            assert "Solo" in result.stdout
            assert ctl("herd", "wait").returncode == 0
            assert "nowhere" not in result.stderr and "stale" not in result.stderr
        herd.path.write_text(here)
        os.unlink(stale)
    result = ctl("status")
    assert result.returncode == 3
    assert f"is herdd running? Its admin listener is 127.0.0.1:{herd.port}" in result.stderr


def test_no_node_named_is_the_one_of_this_machine(tmp_path):
    """The first node one of whose sockets is here, wherever it is in lists."""
    with Herd(tmp_path, ["A", "B"], [("A", "B")]) as herd:
        herd.start()
        text = herd.path.read_text()
        herd.path.write_text(
            text.replace(f'"{herd["A"].admin}"', '["/nowhere/A.sock", "/nowhere/A2.sock"]')
                .replace(f'"{herd["B"].admin}"', f'["/nowhere/B.sock", "{herd["B"].admin}"]'))
        ctl = ctl_of(herd, tmp_path)
        result = ctl("status", "-o", "json")
        assert json.loads(result.stdout)["nodes"][0]["node"] == "B", result
        assert ctl("-n", "A", "status").returncode == 3


class Machines:
    """Two machines: network namespaces with a wire between them. What a
    machine runs sees no socket of the other."""

    def __init__(self, folder):
        self.folder = folder
        tag = f"h{os.getpid() % 100000}{os.urandom(2).hex()}"
        self.names = [f"{tag}a", f"{tag}b"]
        self.run = [folder / "run-a", folder / "run-b"]

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def __enter__(self):
        for name, run in zip(self.names, self.run):
            run.mkdir()
            self.ip("netns", "add", name)
        a, b = self.names
        self.ip("-n", a, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", b)
        for i, name in enumerate(self.names):
            self.ip("-n", name, "addr", "add", f"10.77.0.{i + 1}/24", "dev", "wire")
            self.ip("-n", name, "link", "set", "wire", "up")
            self.ip("-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)

    def command(self, machine, *words):
        """The words as they are run there; the other's sockets are hidden."""
        hide = self.run[1 - machine]
        return ["ip", "netns", "exec", self.names[machine], "sh", "-c",
                f'mount -t tmpfs none "{hide}" && exec "$@"', "sh", *map(str, words)]


def machines_or_skip(folder):
    machines = Machines(folder)
    try:
        machines.__enter__()
    except (OSError, subprocess.CalledProcessError) as error:
        machines.__exit__()
        pytest.skip(f"no network namespaces here: {error}")
    return machines


@pytest.mark.parametrize("tls", [False, True], ids=["plaintext", "tls"])
def test_two_machines_are_run_from_each(tmp_path, ca, tls):
    machines = machines_or_skip(tmp_path)
    write_token(tmp_path / "token")
    key = tmp_path / "herd.key"
    key.write_text(os.urandom(24).hex())
    key.chmod(0o600)
    for i, name in enumerate("AB"):
        ca.issue(name, hosts=f"IP:10.77.0.{i + 1}")
    lines = ["herd: two", "nodes:"]
    for i, name in enumerate("AB"):
        host = f"10.77.0.{i + 1}"
        lines.append(f'  {name}: {{clients: "{host}:12001", peers: "{host}:12101", '
                     f'admin: ["{machines.run[i]}/{name}.sock", "{host}:12201"]}}')
    lines += ["links: [[A, B]]", "key_file: herd.key",
              "admin: {token_file: token, " +
              ('tls_cert: "%n.pem", tls_key: "%n.key"}' if tls else "plaintext: yes}")]
    if tls:
        lines.append('clients: {tls_cert: "%n.pem", tls_key: "%n.key"}')
    (tmp_path / "herd.yaml").write_text("\n".join(lines) + "\n")
    env = herdctl_env(tmp_path, HERD_CONF=tmp_path / "herd.yaml",
                      HERD_CA_FILE=ca.file if tls else None)
    more = [] if tls else ["--insecure"]

    def ctl(machine, *words):
        return subprocess.run(machines.command(machine, HERDCTL, *words, *more), env=env,
                              capture_output=True, text=True, timeout=60)
    nodes = []
    try:
        for i, name in enumerate("AB"):
            nodes.append(subprocess.Popen(
                machines.command(i, HERDD, "-c", tmp_path / "herd.yaml", name),
                stderr=open(tmp_path / f"{name}.log", "w"), stdin=subprocess.DEVNULL))
        for i, name in enumerate("AB"):
            result = ctl(i, "herd", "wait", "--timeout", "30s")
            assert result.returncode == 0, (result, (tmp_path / f"{name}.log").read_text())
            status = json.loads(ctl(i, "status", "-o", "json").stdout)
            assert status["nodes"][0]["node"] == name  # the one of this machine
            result = ctl(i, "node", "ls", "-o", "json")
            assert result.returncode == 0, result
            assert {row["state"] for row in json.loads(result.stdout)["nodes"]} == {"ready"}
            for what in ("node", "peers", "convergence", "all"):
                result = ctl(i, "check", what)
                assert result.returncode == 0, result
            assert ctl(i, "iamat", f"from{name}", "+1+1", "-n", "all").returncode == 0
            assert ctl(i, "ping").returncode == 0
        other = ctl(0, "-n", "B", "node", "drain", "B", "--yes")
        assert other.returncode == 0, other
        assert 'by="token 10.77.0.1:' in (tmp_path / "B.log").read_text()
    finally:
        for node in nodes:
            node.terminate()
        statuses = [node.wait(timeout=DEADLINE_S) for node in nodes]
        machines.__exit__()
    assert statuses == [0, 0]


# --- what is refused without TLS --------------------------------------------------

FAR = '  Solo: {{clients: "127.0.0.1:0", admin: ["{socket}", "0.0.0.0:0"]}}\n'


def test_tcp_beyond_loopback_wants_tls_or_consent(tmp_path, ca):
    ca.issue("Solo")
    path = tmp_path / "herd.yaml"
    write_token(tmp_path / "token")
    head = "herd: h\nnodes:\n" + FAR.format(socket=tmp_path / "s")
    reason = ("3:3: error: `admin` of node `Solo` can be reached from other machines: set "
              "`admin.tls_cert` and `admin.tls_key`, or `admin.plaintext: yes`")
    for settings, good in (("", False), (", plaintext: no", False), (", plaintext: yes", True),
                           (', tls_cert: "%n.pem", tls_key: "%n.key"', True)):
        path.write_text(head + f"admin: {{token_file: token{settings}}}\n")
        for words in (["--check-config"], ["--check-config", "Solo"], ["Solo"]):
            if good and words == ["Solo"]:
                continue
            result = subprocess.run([HERDD, "-c", path, *words], capture_output=True, text=True,
                                    timeout=DEADLINE_S)
            assert result.returncode == (0 if good else 8), result
            assert (reason in result.stderr) != good


def test_reload_refuses_what_a_start_refuses(tmp_path):
    herd, solo = solo_of(tmp_path)
    with herd:
        herd.start()
        herd.path.write_text(herd.text().replace("127.0.0.1:%d" % herd.port, "10.1.2.3:%d" % herd.port))
        reply = Api(solo.admin).post("/v1/config/reload")
        assert (reply.status, reply.error) == (422, "invalid-config")
        assert "admin.plaintext" in json.dumps(reply.json)
        herd.write()


@pytest.mark.parametrize("spoil, says", [
    (lambda d: (d / "Solo.pem").unlink(), r"admin\.tls_cert .*cannot read it: No such file"),
    (lambda d: (d / "Solo.pem").write_text("x"), r"admin\.tls_cert .*no certificate in PEM form"),
    (lambda d: (d / "Solo.key").write_text("x"), r"admin\.tls_key .*no key in PEM form"),
    (lambda d: (d / "Solo.key").chmod(0o644), r"admin\.tls_key .*chmod 600"),
    (lambda d: (d / "Solo.key").write_bytes((d / "ca.key").read_bytes()),
     r"admin\.tls_key .*it is not the key of admin\.tls_cert"),
    (lambda d: (d / "ca.pem").write_text("x"), r"admin\.client_ca .*no certificate in PEM form"),
], ids=["missing", "no-cert", "no-key", "open-key", "other-key", "no-ca"])
def test_bad_files_are_named(tmp_path, ca, spoil, says):
    """At the start, --check-config, and at a reload, which keeps the old ones."""
    ca.issue("Solo")
    trust = ca.file.read_text()
    herd, solo = solo_of(tmp_path, admin=', tls_cert: "%n.pem", tls_key: "%n.key", client_ca: ca.pem')
    operator = ca.issue("anna")
    with herd:
        herd.start()
        assert over_tls(herd.port, ca, operator)[0] == 200
        spoil(tmp_path)
        reply = Api(solo.admin).post("/v1/config/reload")
        assert reply.status == 422 and re.search(says, json.dumps(reply.json)), reply.json
        solo.wait_log("event=reload-rejected")
        ca.file = tmp_path / "trust.pem"
        ca.file.write_text(trust)
        assert over_tls(herd.port, ca, operator)[0] == 200
    for words in (["--check-config", "Solo"], ["Solo"]):
        result = subprocess.run([HERDD, "-c", herd.path, *words], capture_output=True, text=True,
                                timeout=DEADLINE_S)
        assert result.returncode != 0 and re.search(says, result.stderr), result


# --- TLS of admin listeners --------------------------------------------------------

TLS = ', tls_cert: "%n.pem", tls_key: "%n.key"'


def test_herdctl_speaks_tls_and_says_what_is_wrong(tmp_path, ca):
    cert, key = ca.issue("Solo")
    other = Authority(tmp_path, "other")
    herd, solo = solo_of(tmp_path, admin=TLS)
    remote = tmp_path / "remote.yaml"
    ctl = ctl_of(herd, tmp_path)
    ctl.conf = remote
    with herd:
        herd.start()
        remote.write_text(herd.path.read_text().replace(solo.admin, "/nowhere/s"))
        for words in (["--ca-file", ca.file], ["-s", f"tls://127.0.0.1:{herd.port}", "--token-file",
                                               tmp_path / "token", "--ca-file", ca.file]):
            result = ctl("status", *words)
            assert result.returncode == 0 and "Solo" in result.stdout, result
        cases = [
            (["--ca-file", other.file], 3, "not signed by a CA that is trusted here", "--ca-file"),
            ([], 3, "not signed by a CA that is trusted here", "--ca-file"),
            (["--ca-file", "nowhere"], 8, "cannot read nowhere", ""),
            (["--ca-file", ca.file, "--cert-file", cert], 8, "--cert-file needs --key-file", ""),
            (["-s", f"127.0.0.1:{herd.port}", "--token-file", tmp_path / "token"], 7,
             "closed the connection", "tls://HOST:PORT"),
        ]
        for words, status, says, hint in cases:
            result = ctl("status", *words)
            assert result.returncode == status, (words, result)
            assert says in result.stderr and hint in result.stderr, result.stderr
        # Certificates that are wrong, taken by a reload.
        for days, hosts, says in ((-1, "IP:127.0.0.1", "its certificate has expired"),
                                  (9, "IP:127.0.0.9", "its certificate is for another host"),
                                  (9, "DNS:localhost", "its certificate is for another host")):
            ca.issue("Solo", days=days, hosts=hosts)
            assert Api(solo.admin).post("/v1/config/reload").status == 200
            result = ctl("status", "--ca-file", ca.file)
            assert result.returncode == 3 and says in result.stderr, result
        solo.wait_log(r'event=certificate listener=admin name=Solo expires=\S+ error="it has expired"')


def test_contexts_have_the_files(tmp_path, ca):
    ca.issue("Solo")
    cert, key = ca.issue("anna")
    herd, solo = solo_of(tmp_path, admin=TLS + ", client_ca: ca.pem")
    ctl = ctl_of(herd, tmp_path)
    with herd:
        herd.start()
        remote = tmp_path / "remote.yaml"
        remote.write_text(herd.path.read_text().replace(solo.admin, "/nowhere/s"))
        ctl.conf = None
        assert ctl("context", "add", "far", "-c", remote, "--ca-file", ca.file,
                   "--cert-file", cert, "--key-file", key).returncode == 0
        (shown,) = json.loads(ctl("context", "show", "far", "-o", "json").stdout)["contexts"]
        assert (shown["ca_file"], shown["cert_file"], shown["key_file"]) == (
            str(ca.file), str(cert), str(key))
        assert ctl("--context", "far", "status").returncode == 0
        # For the context's herd only.
        result = ctl("--context", "far", "-s", f"tls://127.0.0.1:{herd.port}", "status")
        assert result.returncode == 3 and "not signed by a CA" in result.stderr


def test_operators_certificates_are_wanted_and_named(tmp_path, ca):
    other = Authority(tmp_path, "other")
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path, admin=TLS + ", client_ca: ca.pem")
    anna, eve = ca.issue("anna"), other.issue("eve", "anna")
    old = ca.issue("old", days=-1)
    strange = ca.issue("strange", "an na")
    ctl = ctl_of(herd, tmp_path)
    with herd:
        herd.start()
        remote = tmp_path / "remote.yaml"
        remote.write_text(herd.path.read_text().replace(solo.admin, "/nowhere/s"))
        ctl.conf = remote

        def words(pair):
            return ["--ca-file", ca.file, "--cert-file", pair[0], "--key-file", pair[1]]
        assert ctl("node", "drain", "Solo", "--yes", *words(anna)).returncode == 0
        solo.wait_log(r'event=admin verb=drain target=Solo by="anna 127.0.0.1:\d+"')
        # The token is asked for as before.
        status, body = over_tls(herd.port, ca, anna, token=None)
        assert status == 401 and body["error"]["code"] == "unauthorized"
        # A name that could be taken for another is not shown.
        assert over_tls(herd.port, ca, strange, "/v1/undrain", method="POST")[0] == 200
        solo.wait_log(r'event=admin verb=undrain target=Solo by="token 127.0.0.1:\d+"')
        for pair, says in ((eve, "does not trust the CA of your certificate"),
                           (old, "your certificate has expired")):
            result = ctl("status", *words(pair))
            # Its alert may be lost with the connection.
            assert result.returncode == 3, result
            assert says in result.stderr or "signed by its client_ca?" in result.stderr, result
        result = ctl("status", "--ca-file", ca.file)
        assert result.returncode == 3 and "certificate of yours" in result.stderr, result
        for pair in (None, eve, old):
            with pytest.raises((OSError, http.client.HTTPException)):
                over_tls(herd.port, ca, pair)


def test_a_certificate_is_enough_where_there_are_no_tokens(tmp_path, ca):
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path)
    herd.text = lambda: Herd.text(herd).replace(
        f'"{solo.admin}"', f'["{solo.admin}", "127.0.0.1:{herd.port}"]') + (
            f"admin: {{{TLS[2:]}, client_ca: ca.pem}}\n")
    herd.write()
    with herd:
        herd.start()
        assert over_tls(herd.port, ca, ca.issue("anna"), "/v1/drain", None, "POST")[0] == 200
        solo.wait_log(r'event=admin verb=drain target=Solo by="anna ')
        with pytest.raises((OSError, http.client.HTTPException)):
            over_tls(herd.port, ca, None, "/v1/undrain", None, "POST")


@pytest.mark.parametrize("how", ["reload", "SIGHUP"])
def test_a_new_certificate_is_taken_while_connections_go_on(tmp_path, ca, how):
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path, admin=TLS, settings='clients: {tls_cert: "%n.pem", tls_key: "%n.key"}\n')
    with herd:
        herd.start()
        old = connect_tls(solo.clients, ca)
        before = old.getpeercert(True)
        context = ssl.create_default_context(cafile=ca.file)
        stream = http.client.HTTPSConnection("127.0.0.1", herd.port, context=context, timeout=DEADLINE_S)
        stream.request("GET", "/v1/events", headers={"Authorization": f"Bearer {TOKEN}"})
        events = stream.getresponse()
        ca.issue("Solo")
        if how == "reload":
            reply = Api(solo.admin).post("/v1/config/reload")
            assert reply.status == 200 and set(reply.json["applied"]) == {"clients.tls_cert", "admin.tls_cert"}
            assert Api(solo.admin).post("/v1/config/reload").json["applied"] == []
        else:
            solo.send_signal(1)
            solo.wait_log("event=reloaded by=SIGHUP")
        for port in (solo.clients, herd.port):
            with connect_tls(port, ca) as new:
                assert new.getpeercert(True) != before
        old.sendall(b"IAMAT x +1+1 1621464827\n")
        assert old.recv(4096).startswith(b"AT Solo")
        old.close()
        assert events.readline()
        stream.close()


def test_tls_can_be_turned_on_and_off_by_reloads(tmp_path, ca):
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path)
    with herd:
        herd.start()
        plain = herd.path.read_text()
        assert Api(("127.0.0.1", herd.port), TOKEN).get("/v1/status").status == 200
        herd.path.write_text(plain.replace("token_file: token", f"token_file: token{TLS}"))
        reply = Api(solo.admin).post("/v1/config/reload")
        assert set(reply.json["applied"]) == {"admin.tls_cert", "admin.tls_key"}
        assert over_tls(herd.port, ca)[0] == 200
        with pytest.raises((OSError, http.client.HTTPException)):
            Api(("127.0.0.1", herd.port), TOKEN).get("/v1/status")
        herd.path.write_text(plain)
        assert Api(solo.admin).post("/v1/config/reload").status == 200
        assert Api(("127.0.0.1", herd.port), TOKEN).get("/v1/status").status == 200


# --- the socket's group ---------------------------------------------------------

def test_a_group_may_use_the_socket(tmp_path):
    group = grp.getgrgid(os.getgid() if os.geteuid() else 1).gr_name
    herd, solo = solo_of(tmp_path, admin=f", group: {group}")

    def facts():
        s = os.stat(solo.admin)
        return stat.S_IMODE(s.st_mode), grp.getgrgid(s.st_gid).gr_name
    with herd:
        herd.start()
        assert facts() == (0o660, group)
        herd.admin_settings = ""
        herd.write()
        assert Api(solo.admin).post("/v1/config/reload").json["applied"] == ["admin.group"]
        assert facts()[0] == 0o600
        herd.admin_settings = ", group: no-such-group"
        herd.write()
        assert Api(solo.admin).post("/v1/config/reload").status == 200
        solo.wait_log(r'event=admin-group error="admin.group: .*there is no such group')
        assert facts()[0] == 0o600
    result = subprocess.run([HERDD, "-c", herd.path, "Solo"], capture_output=True, text=True,
                            timeout=DEADLINE_S)
    assert result.returncode != 0 and "there is no such group" in result.stderr


# --- TLS of clients -------------------------------------------------------------

CLIENTS = 'clients: {tls_cert: "%n.pem", tls_key: "%n.key"'


def test_herdctl_reports_and_asks_over_tls(tmp_path, ca):
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path, settings=CLIENTS + "}\n")
    ctl = ctl_of(herd, tmp_path)
    with herd:
        herd.start()
        trust = ["--ca-file", ca.file]
        assert ctl("iamat", "kiwi", "+34.07-118.44", *trust).returncode == 0
        assert ctl("whatsat", "kiwi", "10", "5", *trust).returncode == 0
        assert ctl(*trust, "raw", "WHATSAT kiwi 10 5").stdout.startswith("AT Solo")
        assert ctl("ping", *trust).returncode == 0
        result = ctl("bench", "iamat", "--duration", "300ms", "--yes", *trust, "-o", "json")
        assert result.returncode == 0 and '"refused":0' in result.stdout.replace(" ", ""), result
        server = ["-s", f"tls://127.0.0.1:{solo.clients}"]
        assert ctl("whatsat", "kiwi", "10", "5", *server, *trust).returncode == 0
        result = ctl("iamat", "kiwi", "+1+1")
        assert result.returncode == 3 and "not signed by a CA that is trusted here" in result.stderr
        # Without TLS the line comes back, and is not taken.
        result = ctl("iamat", "plain", "+1+1", "-s", f"127.0.0.1:{solo.clients}")
        assert result.returncode == 5, result
        assert ctl("client", "show", "plain").returncode == 1
        # A script's session over one connection.
        result = ctl(*trust, stdin="iamat a +1+1\niamat b +2+2\nwhatsat b 10 1\n")
        assert result.returncode == 0, result


def test_replies_over_tls_are_those_without(tmp_path, ca):
    """Many requests in one write, and answers larger than a record."""
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path)
    count = 2000
    lines = b"".join(b"IAMAT c%d +34.07-118.44 1621464827\n" % i for i in range(count))
    lines += b"".join(b"WHATSAT c%d 50 20\n" % i for i in range(30)) + b"nonsense\n"

    def without_skew(reply):
        return re.sub(rb"(?m)^(AT Solo )\S+", rb"\1", reply)
    with herd:
        herd.start()
        plain = solo.ask(lines)
        herd.path.write_text(herd.path.read_text() + CLIENTS + "}\n")
        assert Api(solo.admin).post("/v1/config/reload").status == 200
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with connect_tls(solo.clients, ca, version=version) as s:
                s.settimeout(DEADLINE_S)
                s.sendall(lines)
                got = bytearray()
                while not got.endswith(b"? nonsense\n"):
                    data = s.recv(65536)
                    assert data
                    got += data
            assert without_skew(bytes(got)) == without_skew(plain)


def test_ids_are_bound_to_the_certificates_name(tmp_path, ca):
    ca.issue("Solo")
    other = Authority(tmp_path, "other")
    car, empty = ca.issue("car"), ca.issue("empty", "an na")
    herd, solo = solo_of(tmp_path, settings=CLIENTS + ", client_ca: ca.pem, bind_ids: yes}\n")
    with herd:
        herd.start()
        with connect_tls(solo.clients, ca, car) as s:
            s.sendall(b"IAMAT car7 +1+1 1621464827\nIAMAT bus7 +1+1 1621464827\nIAMAT ca +1+1 1621464827\n"
                      b"IAMAT car +1+1 1621464827\nWHATSAT bus7 1 1\n")
            got = b""
            while got.count(b"\n") < 5:
                got += s.recv(65536)
        rows = got.split(b"\n")
        assert rows[0].startswith(b"AT Solo ") and rows[3].startswith(b"AT Solo ")
        assert rows[1] == b"? IAMAT bus7 +1+1 1621464827" and rows[2] == b"? IAMAT ca +1+1 1621464827"
        assert refused(solo, "name") == 2
        listed = Api(solo.admin).get("/v1/refused").json["refused"]
        assert {(r["client"], r["reason"]) for r in listed} == {("bus7", "name"), ("ca", "name")}
        # A certificate without a useful name reports nothing.
        with connect_tls(solo.clients, ca, empty) as s:
            s.sendall(b"IAMAT car8 +1+1 1621464827\n")
            assert s.recv(4096) == b"? IAMAT car8 +1+1 1621464827\n"
        ctl = ctl_of(herd, tmp_path)
        words = ["--ca-file", ca.file, "--cert-file", car[0], "--key-file", car[1]]
        assert ctl("iamat", "car9", "+1+1", *words).returncode == 0
        assert ctl("iamat", "bus9", "+1+1", *words).returncode == 5
        result = ctl("iamat", "car9", "+1+1", "--ca-file", ca.file)
        assert result.returncode == 3 and "it wants a certificate of yours" in result.stderr
        cert, key = other.issue("eve", "car")
        result = ctl("iamat", "car9", "+1+1", "--ca-file", ca.file, "--cert-file", cert, "--key-file", key)
        assert result.returncode == 3 and "does not trust the CA" in result.stderr
        assert refused(solo, "tls") >= 2
        # A reload frees the ids, also of connections that exist.
        with connect_tls(solo.clients, ca, car) as s:
            herd.path.write_text(herd.path.read_text().replace("bind_ids: yes", "bind_ids: no"))
            assert Api(solo.admin).post("/v1/config/reload").json["applied"] == ["clients.bind_ids"]
            s.sendall(b"IAMAT bus7 +1+1 1621464827\n")
            assert s.recv(4096).startswith(b"AT Solo ")


# --- hostile --------------------------------------------------------------------

HELLO_HEAD = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


def is_closed(s):
    try:
        return s.recv(65536) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_handshakes_that_never_end_are_cut(tmp_path, ca):
    """Silent, begun, and a byte now and then: each has its time, and others
    are served meanwhile."""
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path, admin=TLS, settings=CLIENTS + "}\n")
    with herd:
        herd.start()
        held = []
        for port in (solo.clients, herd.port):
            for data in (b"", HELLO_HEAD, b"\x16"):
                s = socket.create_connection(("127.0.0.1", port))
                s.sendall(data)
                s.setblocking(False)
                held.append(s)
        trickle = held[2], held[5]
        states = {c["state"] for c in Api(solo.admin).get("/v1/connections").json["connections"]}
        assert states == {"handshake"}

        def all_cut():
            for s in trickle:
                with contextlib.suppress(OSError):
                    s.send(b"\x03")
            return all(is_closed(s) for s in held)
        with connect_tls(solo.clients, ca) as good:
            wait_until(all_cut, "handshakes are cut")
            good.sendall(b"IAMAT x +1+1 1621464827\n")
            assert good.recv(4096).startswith(b"AT Solo")
        assert over_tls(herd.port, ca)[0] == 200
        assert refused(solo, "tls") >= 3
        for s in held:
            s.close()


def test_many_handshakes_keep_nobody_out(tmp_path, ca):
    """More than there are places for: the oldest goes for the new one."""
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path, settings="workers: 1\n" + CLIENTS + "}\n")
    with herd:
        herd.start()
        held = []
        for _ in range(600):
            s = socket.create_connection(("127.0.0.1", solo.clients))
            s.sendall(HELLO_HEAD)
            s.setblocking(False)
            held.append(s)
        wait_until(lambda: sum(is_closed(s) for s in held) >= 600 - 512, "the oldest are closed")
        with connect_tls(solo.clients, ca) as good:
            good.sendall(b"IAMAT x +1+1 1621464827\n")
            assert good.recv(4096).startswith(b"AT Solo")
        solo.wait_log('event=request-refused reason=tls error="too many handshakes under way"')
        for s in held:
            s.close()


def test_garbage_and_other_protocols_at_tls_ports(tmp_path, ca):
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path, admin=TLS, settings=CLIENTS + "}\n")
    with herd:
        herd.start()
        # Plain text gets its line back, then the end.
        reply = solo.ask(b"IAMAT x +1+1 1621464827\nIAMAT y +1+1 1621464827\n")
        assert reply == b"? IAMAT x +1+1 1621464827\n"
        assert refused(solo, "plaintext") == 1
        assert solo.ask(b"") == b""
        for data in (HELLO_HEAD + os.urandom(3000), b"\x16\x03\x03\xff\xff" + b"x" * 70000,
                     b"\x16" + os.urandom(5000), b"\x16\x03\x03\x00\x00" * 1000):
            for port in (solo.clients, herd.port):
                with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as s:
                    with contextlib.suppress(OSError):
                        s.sendall(data)
                        s.shutdown(socket.SHUT_WR)
                        read_all(s)
        with pytest.raises((OSError, http.client.HTTPException)):
            Api(("127.0.0.1", herd.port), TOKEN).get("/v1/status")
        assert over_tls(herd.port, ca)[0] == 200
        assert Api(solo.admin).get("/v1/clients").json["clients"] == []


def test_renegotiation_is_refused(tmp_path, ca):
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path, admin=TLS, settings=CLIENTS + "}\n")
    with herd:
        herd.start()
        for port in (solo.clients, herd.port):
            client = subprocess.Popen(
                ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{port}", "-CAfile", ca.file],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            said = b""
            while b"Verify return code" not in said:
                line = client.stdout.readline()
                assert line, said
                said += line
            client.stdin.write(b"R\n")
            client.stdin.flush()
            rest, _ = client.communicate(timeout=DEADLINE_S)
            assert b"RENEGOTIATING" in rest and b"no renegotiation" in rest, rest
        assert over_tls(herd.port, ca)[0] == 200


def test_tls_at_a_port_without_says_so(tmp_path, ca):
    herd, solo = solo_of(tmp_path)
    ctl = ctl_of(herd, tmp_path)
    with herd:
        herd.start()
        token = tmp_path / "token"
        result = ctl("status", "-s", f"tls://127.0.0.1:{herd.port}", "--token-file", token,
                     "--ca-file", ca.file)
        assert result.returncode == 3 and "it does not speak TLS" in result.stderr, result
        result = ctl("ping", "-s", f"tls://127.0.0.1:{solo.clients}", "--ca-file", ca.file, "-o", "json")
        assert result.returncode != 0 and "speak TLS" in result.stdout, result
        result = ctl("status", "-s", "tls:///run/x")
        assert result.returncode == 2 and "tls://HOST:PORT" in result.stderr


def test_a_peer_that_vanishes_costs_nothing(tmp_path, ca):
    """Resets in the middle of handshakes, answers and streams."""
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path, admin=TLS, settings=CLIENTS + "}\n")
    with herd:
        herd.start()
        for _ in range(30):
            for port in (solo.clients, herd.port):
                with contextlib.suppress(OSError):
                    s = connect_tls(port, ca)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    s.sendall(b"IAMAT x +1+1 1621464827\nWHATSAT x 50 20\n" * 50
                              if port == solo.clients else
                              b"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n"
                              % TOKEN.encode())
                    s.close()
        start = time.monotonic()
        wait_until(lambda: Api(solo.admin).get("/v1/status").json["connections"] == 0, "all are gone")
        assert over_tls(herd.port, ca)[0] == 200, start


def test_a_session_lives_on_tls(tmp_path, ca):
    """The connection of a session is made again after a restart, with TLS."""
    ca.issue("Solo")
    herd, solo = solo_of(tmp_path, admin=TLS, settings=CLIENTS + "}\n")
    ctl = ctl_of(herd, tmp_path)
    remote = tmp_path / "remote.yaml"
    with herd:
        herd.start()
        remote.write_text(herd.path.read_text().replace(solo.admin, "/nowhere/s"))
        session = Terminal([HERDCTL], ctl.env(HERD_CA_FILE=ca.file, HERD_CONF=remote))
        try:
            session.prompt("ucla/Solo")
            session.line("iamat kiwi +1+1")
            assert "kiwi" in session.prompt("ucla/Solo")
            solo.stop()
            solo.start()

            def works():
                session.line("iamat kiwi2 +1+1")
                return "kiwi2  " in session.prompt("ucla/Solo")
            wait_until(works, "the session is back")
            session.line("status")
            session.expect("Solo  herdd")  # a notice may have its own prompt
            session.line("exit")
        finally:
            session.close()
