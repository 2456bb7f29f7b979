# SPDX-License-Identifier: GPL-3.0-or-later
"""What herdctl gives away and to whom, and what read-only holds back."""
import json
import os
import pathlib
import socket
import threading
import urllib.parse

import pytest

from fake_node import FakeHerd
from nodes import wait_until
from terminal import plain

HERE = "+34.068930-118.445127"
TOKEN = "0123456789abcdef"


def secret(path, text=TOKEN + "\n", mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


class Listener:
    """A stranger's admin listener: keeps what it is sent, never answers."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.got = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.got.append(connection.recv(65536))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def stranger():
    with Listener() as listener:
        yield listener


def herd_file(path, port, more=""):
    path.write_text(f'herd: x\nnodes: {{R: {{clients: "127.0.0.1:1", '
                    f'admin: "127.0.0.1:{port}"}}}}\n{more}')
    return path


def tcp_herd(fake, path, more=""):
    """A herd file whose one node is the fake Riley's admin listener over TCP."""
    return herd_file(path, fake["Riley"].start_admin_tcp(TOKEN), more)


# --- secrets ------------------------------------------------------------------------


def test_a_herd_file_in_the_current_folder_is_not_read(lone_ctl, stranger, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    secret(tmp_path / "mine")
    herd_file(here / "herd.yaml", stranger.port, f"admin: {{token_file: {tmp_path}/mine}}\n")
    for words in (("status",), ("__complete", "node", "show", ""), ("-n", "R", "client", "ls"),
                  ("config", "diff"), ("check", "all")):
        lone_ctl(*words, cwd=here)
    assert stranger.got == []
    assert lone_ctl("__complete", "node", "show", "", cwd=here).stdout == ""


@pytest.mark.parametrize("text, mode", [
    (TOKEN, 0o640), (TOKEN, 0o604), (TOKEN, 0o622),       # others get at it
    ("two words\n", 0o600), ("a\nb\n", 0o600),           # no token
    ("-----BEGIN KEY-----\nAAAA\n", 0o600), ("", 0o600), ("caf\u00e9\n", 0o600),
    ("x" * 513, 0o600), ("a\0b", 0o600)])
def test_only_a_secret_of_ones_own_is_sent(lone_ctl, stranger, tmp_path, text, mode):
    path = secret(tmp_path / "secret", text, mode)
    conf = herd_file(tmp_path / "h.yaml", stranger.port, "admin: {token_file: secret}\n")
    for words in (("-c", conf, "status"), ("-s", f"127.0.0.1:{stranger.port}", "--token-file", path,
                                           "status")):
        result = lone_ctl(*words)
        assert result.returncode == 8, result
        assert "token" in result.stderr and str(path.name) in result.stderr, result.stderr
    assert stranger.got == []


def test_a_token_file_that_cannot_be_read_is_an_error(lone_ctl, ctl, fake, tmp_path):
    for how in (("--token-file", tmp_path / "none"), ("--token-file", tmp_path)):
        result = ctl(*how, "client", "count")
        assert result.returncode == 8 and "token-file" in result.stderr
    assert ctl("client", "count", env={"HERD_TOKEN_FILE": tmp_path / "none"}).returncode == 8
    conf = tcp_herd(fake, tmp_path / "h.yaml", "admin: {token_file: absent}\n")
    result = lone_ctl("-c", conf, "node", "ls")
    assert result.returncode == 8
    assert "admin.token_file" in result.stderr and "No such file" in result.stderr
    assert lone_ctl("-c", conf, "events").returncode == 8


def test_the_token_that_may_only_read_is_taken_for_the_other(lone_ctl, fake, tmp_path):
    secret(tmp_path / "read")
    conf = tcp_herd(fake, tmp_path / "h.yaml", "admin: {token_file: absent, read_token_file: read}\n")
    assert lone_ctl("-c", conf, "node", "ls").returncode == 0
    secret(tmp_path / "read", mode=0o644)
    result = lone_ctl("-c", conf, "node", "ls")
    assert result.returncode == 8 and "admin.token_file" in result.stderr


def test_a_herd_file_that_others_can_write_names_no_token_file(lone_ctl, fake, tmp_path):
    secret(tmp_path / "token")
    conf = tcp_herd(fake, tmp_path / "h.yaml", "admin: {token_file: token}\n")
    assert lone_ctl("-c", conf, "node", "ls").returncode == 0
    conf.chmod(0o666)
    result = lone_ctl("-c", conf, "node", "ls")
    assert result.returncode == 8 and "can be changed by others" in result.stderr
    assert lone_ctl("-c", conf, "--token-file", tmp_path / "token", "node", "ls").returncode == 0


def test_a_contexts_token_goes_to_its_own_herd_only(lone_ctl, fake, stranger, tmp_path):
    secret(tmp_path / "token")
    mine = tcp_herd(fake, tmp_path / "mine.yaml", "admin: {token_file: absent}\n")
    other = herd_file(tmp_path / "other.yaml", stranger.port, "admin: {token_file: absent}\n")
    address = f"127.0.0.1:{stranger.port}"
    assert lone_ctl("context", "add", "lab", "-c", mine, "--token-file",
                    tmp_path / "token").returncode == 0
    assert lone_ctl("context", "use", "lab").returncode == 0
    assert lone_ctl("node", "ls").returncode == 0
    for words, env in ((("-c", other), {}), (("-s", address), {}), ((), {"HERD_CONF": other}),
                       ((), {"HERD_SERVER": address}), (("-C", "lab", "-s", address), {})):
        result = lone_ctl(*words, "node", "ls", "--timeout", "2s", env=env)
        assert result.returncode == 8, (words, result)
        why = "context's herd only" if address in [*words, *env.values()] else "admin.token_file"
        assert why in result.stderr, (words, result)
    result = lone_ctl("-f", "-", stdin=f"node ls\n-c {other} node ls\n")
    assert result.returncode == 8 and "admin.token_file" in result.stderr
    # What that herd's own file names is for it.
    secret(tmp_path / "absent", "another-token-of-theirs")
    lone_ctl("-c", other, "node", "ls")
    wait_until(lambda: stranger.got, "the stranger has read the request")
    assert b"another-token-of-theirs" in stranger.got.pop()
    assert stranger.got == []


@pytest.mark.parametrize("address", ["192.0.2.1:9", "[2001:db8::1]:9", "herd.invalid:9",
                                     "127.0.0.1.herd.invalid:9", "localhost.herd.invalid:9"])
def test_a_token_does_not_leave_the_machine_in_clear(lone_ctl, tmp_path, address):
    token = secret(tmp_path / "token")
    result = lone_ctl("-s", address, "--token-file", token, "node", "ls", "--timeout", "100ms")
    assert result.returncode == 8, result
    assert "in clear" in result.stderr and "--insecure" in result.stderr
    # It is tried, and there is nobody.
    result = lone_ctl("-s", address, "--token-file", token, "--insecure", "node", "ls",
                      "--timeout", "100ms")
    assert result.returncode in (3, 4), result
    # Without a token there is nothing to lose.
    assert lone_ctl("-s", address, "node", "ls", "--timeout", "100ms").returncode in (3, 4)


def test_insecure_of_a_context_is_for_its_own_herd(lone_ctl, tmp_path):
    token = secret(tmp_path / "token")
    assert lone_ctl("context", "add", "far", "-s", "192.0.2.1:9", "--token-file", token,
                    "--insecure").returncode == 0
    row, = json.loads(lone_ctl("context", "ls", "--json").stdout)["contexts"]
    assert row["insecure"] is True
    assert lone_ctl("-C", "far", "node", "ls", "--timeout", "100ms").returncode in (3, 4)
    result = lone_ctl("-C", "far", "-s", "192.0.2.2:9", "--token-file", token, "node", "ls")
    assert result.returncode == 8 and "--insecure" in result.stderr


def test_a_session_keeps_each_herds_token_apart(terminal, fake, stranger, tmp_path):
    """What is asked in the background while another context is chosen."""
    secret(tmp_path / "token")
    mine = tcp_herd(fake, tmp_path / "mine.yaml", "admin: {token_file: absent}\n")
    secret(tmp_path / "theirs", "another-token-of-theirs")
    other = herd_file(tmp_path / "other.yaml", stranger.port, "admin: {token_file: theirs}\n")
    session = terminal("-X", conf=False)
    session.prompt("herdctl")
    session.line(f"context add mine -c {mine} --token-file {tmp_path}/token")
    session.prompt("herdctl")
    session.line(f"context add other -c {other}")
    session.prompt("herdctl")
    session.line("context use mine")
    session.expect(r"mine/R( \(down\))?> ")
    for name in ("other", "mine", "other"):  # a line would end at the first error
        session.line(f"context use {name}")
        session.expect(rf"{name}/R( \(down\))?> ")
        session.line("node ls --timeout 200ms")
        session.expect(r"NODE|(?s:R: \S)")
        session.expect(rf"{name}/R( \(down\))?> ")
    wait_until(lambda: len(stranger.got) > 1, "the stranger is asked")
    session.send("\x04")
    session.end()
    assert not any(TOKEN.encode() in data for data in stranger.got)


# --- completion ---------------------------------------------------------------------

# What each of them is when it is inserted without quotes: a pipe, a file, a
# second command, a comment, an open quote, an option, a command to the terminal.
HOSTILE = [b"|touch${IFS}owned", b">owned", b">>owned", b";exit", b"#c", b"a'b", b'a"b', b"a\\b",
           b"$(touch owned)", b"`touch owned`", b"~root", b"!!", b"%1", b"*", b"?", b"[a]", b"{a,b}",
           b"a&b", b"(a)", b"<a", b"a=b", b"a,b", b"a:b", b"^a", b"@a", b"+a", b"--json", b"-h",
           b"-o", b"--", b"-", b".", b"..", b"a\x01b", b"\x1b[31mred", b"\x7f", b"\xff\xfe",
           "caf\u00e9".encode(), "\u202eabc".encode(), "\x9b31m".encode(), b"\\x41", b"\\",
           b"''", b'"', b"a" * 4096]


def shown_clients(node):
    """The ids that `client show` has asked the node for."""
    return [urllib.parse.unquote_to_bytes(path.removeprefix("/v1/clients/").split("?")[0])
            for method, path, _ in node.requests
            if method == "GET" and path.startswith("/v1/clients/")]


def forms(prefix):
    """The beginning of an id, as somebody may have typed it."""
    return [prefix, "'" + prefix, '"' + prefix]


def test_tab_inserts_ids_that_are_one_word(terminal, fake):
    riley = fake["Riley"]
    ids = [b"id%02d" % i + end for i, end in enumerate(HOSTILE)]
    for client in ids:
        riley.clients[client] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session = terminal(size=(24, 200))
    session.prompt()
    session.send("client show id\t")
    session.until(lambda: session.send("\t") or "id00" in plain(session.seen), "the ids are there")
    session.send("\x15")
    for i, client in enumerate(ids):
        for begun in forms("id%02d" % i):
            riley.requests.clear()
            session.send(f"client show {begun}\t\r")
            session.until(lambda: shown_clients(riley), f"{client} is shown from {begun}")
            assert shown_clients(riley) == [client], begun
            session.prompt()
    assert not os.path.exists("owned")
    # Nothing but readline's own sequences reached the terminal.
    for bad in ("\x1b[31m", "\x01", "\x9b", "\u202e"):
        assert bad not in session.seen.replace("\x01\x02", "")


@pytest.mark.parametrize("client", [b"|id", b";exit", b"#x", b"'", b'"', b"\\", b"-rf", b"--json",
                                    b"--", b"-", b"!x", b"~", b"> x", b"\xff"])
def test_tab_inserts_the_only_id_there_is(terminal, fake, client):
    riley = fake["Riley"]
    client = client.replace(b" ", b"")
    riley.clients[client] = (b"5", b"+1+1", b"Riley", b"+0.000000000")
    session = terminal()
    session.prompt()
    wait_until(lambda: any("/v1/clients?" in path for _, path, _ in riley.requests), "it is asked")
    session.ask("ping")
    session.send("client show ")
    end = b"".join(b"\\x%02x" % c if c > 126 else bytes([c]) for c in client)[-1:].decode()
    session.until(lambda: session.send("\t") or end in plain(session.seen).split("client show ")[-1],
                  "it is inserted")
    session.send("\r")
    session.until(lambda: shown_clients(riley), "it is shown")
    assert shown_clients(riley)[0] == client
    session.prompt()


def test_an_id_with_a_dash_is_an_argument(ctl, fake):
    for client in ("-rf", "--json", "-o", "--", "-h"):
        fake["Riley"].requests.clear()
        assert ctl("client", "show", "--", client).returncode == 1
        assert ctl("-f", "-", stdin=f'client show -- "{client}"\n').returncode == 1
        assert shown_clients(fake["Riley"]) == [client.encode()] * 2


def test_tab_completes_files_as_words(terminal, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("a b.yaml", "-x.yaml", "q;exit"):
        (folder / name).write_text("nonsense: 1\n")
    (folder / "sub").mkdir()
    (folder / "sub/c.yaml").write_text("nonsense: 1\n")
    os.symlink(folder, tmp_path / "home/f")
    session = terminal(size=(24, 200))
    session.prompt()
    base = str(folder)
    for begun, name in (("a", "a b.yaml"), ("'a", "a b.yaml"), ("q", "q;exit"), ("-x", "-x.yaml")):
        quote = begun[0] if begun[0] == "'" else ""
        text = session.ask(f"config check {quote}{base}/{begun.strip(quote)}\t")
        assert f"{base}/{name}" in text and "is not a valid herd file" in text, text
    session.send(f"config check {base}/su\tc\t\r")
    assert "is not a valid herd file" in session.prompt()
    session.send(f"status > {base}/a\t\r")
    session.prompt()
    assert "Riley" in (folder / "a b.yaml").read_text()


# --- read-only ----------------------------------------------------------------------

# Each command with words with which it would change something if it could,
# and whether it must be refused.
LINES = {
    "iamat": (["c", HERE], True), "whatsat": (["c", "1", "1"], False),
    "raw": (["IAMAT c +1+2 5"], True), "ping": ([], False), "trace": (["c", HERE], True),
    "bench": (["iamat", "--duration", "100ms"], True), "status": ([], False),
    "node ls": ([], False), "node show": (["Riley"], False), "node drain": (["Riley"], True),
    "node undrain": (["Riley"], True), "node stop": (["Riley", "--yes"], True),
    "peer ls": ([], False), "peer show": (["Jaquez"], False), "peer enable": (["Jaquez"], True),
    "peer disable": (["Jaquez", "--yes"], True), "peer reconnect": (["Jaquez"], True),
    "peer graph": ([], False), "client ls": ([], False), "client show": (["c"], False),
    "client near": ([HERE, "1"], False), "client count": ([], False),
    "client refused": ([], False), "client top": ([], False), "client track": (["c"], False),
    "conn ls": ([], False), "wait client": (["c", "--timeout", "1s"], False),
    "wait link": (["Jaquez", "synced", "--timeout", "1s"], False),
    "client forget": (["c", "--yes"], True), "client export": ([], False),
    "client import": (["/dev/null"], True), "herd status": ([], False),
    "herd wait": (["--timeout", "1s"], False), "herd diff": ([], False), "herd check": ([], False),
    "check": (["all"], False), "doctor": ([], False), "places status": ([], False), "places test": ([HERE], True),
    "places import": (["FILE"], False),
    "places reload": ([], True),
    "places cache": (["flush"], True), "config show": ([], False),
    "config check": (["/dev/null"], False), "config diff": ([], False),
    "config reload": ([], True), "init": (["/dev/null/x"], True), "cert new": (["/dev/null"], True), "key new": (["/dev/null"], True), "key drop": (["/dev/null"], True),
    "token new": (["/dev/null"], True), "token drop": (["/dev/null"], True), "log level": (["debug"], True), "log tail": (["-n", "1"], False),
    "events": (["--type", "nonsense"], False), "stats": ([], False), "top": (["-1"], False),
    "map": ([], False), "context ls": ([], False), "context show": (["lab"], False),
    "context add": (["new", "-c", "/x"], True), "context rm": (["lab", "--yes"], True),
    "context use": (["lab"], True), "context none": ([], True), "context previous": ([], True),
    "set": (["read-only", "off"], True), "alias": ([], False),
    "unalias": (["x"], False), "help": ([], False), "version": ([], False),
    "completion": (["bash"], False), "exit": ([], False), "quit": ([], False),
    "client erase": (["c", "--yes"], True), "store backup": (["-"], False), "store check": ([], False), "store retry": ([], True),
    "store restore": (["/dev/null", "--yes"], True), "store status": ([], False),
    "user add": (["jane/phone", "--key", "--users-file", "/dev/null"], True),
    "user rm": (["jane", "--yes", "--users-file", "/dev/null"], True),
    "user ls": (["--users-file", "/dev/null"], False),
    "phone url": (["jane/phone", "--app", "traccar", "--host", "x"], False),
    "__complete": ([""], False),
}


def files_below(folder):
    return {str(path): path.read_bytes() for path in pathlib.Path(folder).rglob("*")
            if path.is_file()}


def all_commands(ctl):
    """As a shell's Tab finds them, hidden ones added."""
    def words(*before):
        return ctl("__complete", *before, "").stdout.split()
    found = ["quit", "__complete"]
    for first in words():
        seconds = words(first)
        groups = [f"{first} {second}" for second in seconds
                  if ctl("help", first, second).returncode == 0 and
                  ctl(first, second, "--help").stdout.startswith(f"usage: herdctl {first} {second}")]
        found += groups or [first]
    return found


def test_every_command_is_held_back_by_read_only(ctl, fake):
    assert ctl("context", "add", "lab", "-c", fake.path).returncode == 0
    assert ctl("iamat", "c", HERE).returncode == 0
    assert ctl("context", "use", "lab").returncode == 0
    assert ctl("context", "none").returncode == 0
    commands = all_commands(ctl)
    assert sorted(commands) == sorted(LINES), "a command without a line here"
    before = files_below(ctl.home)
    for path, (words, refused) in LINES.items():
        for node in fake:
            node.lines.clear()
            node.requests.clear()
        result = ctl(*path.split(), *words, env={"HERD_READ_ONLY": "on"})
        assert ("this is read-only" in result.stderr) == refused, (path, result)
        # The plugin's UNKNOWN apart, it is a usage error.
        assert not refused or result.returncode == 2, (path, result)
        for node in fake:
            assert all(method == "GET" for method, _, _ in node.requests), (path, node.requests)
            assert not any(b"IAMAT" in line for line in node.lines), (path, node.lines)
        assert files_below(ctl.home) == before, path


def test_a_dry_run_changes_nothing(ctl, fake):
    assert ctl("iamat", "c", HERE).returncode == 0
    result = ctl("--read-only", "client", "forget", "c", "--dry-run")
    assert result.returncode == 0 and "c" in result.stdout.split(), result


@pytest.mark.parametrize("line", [
    "IAMAT c +1+2 5", " IAMAT c +1+2 5", "WHATSAT c 1 1\nIAMAT c +1+2 5", "WHATSAT c 1 1\n",
    "IAMAT c +1+2 5\nWHATSAT c 1 1", "WHATSAT c 99 1", "WHATSAT", "", "nonsense", "whatsat c 1 1",
    "WHATSAT c 1 1\rIAMAT c +1+2 5", "GET / HTTP/1.1"])
def test_raw_is_held_to_whatsat(ctl, fake, line):
    for env, words in (({}, ["--read-only"]), ({"HERD_READ_ONLY": "1"}, [])):
        result = ctl(*words, "raw", line, env=env)
        assert result.returncode == 2 and "read-only" in result.stderr, (line, result)
    assert fake["Riley"].lines == []


def test_raw_still_asks(ctl, fake):
    assert ctl("iamat", "c", HERE).returncode == 0
    for line in ("WHATSAT c 1 1", "  WHATSAT\tc 1 1 ", "WHATSAT c 1 1\nWHATSAT c 2 2"):
        result = ctl("--read-only", "raw", line)
        assert result.returncode == 0 and result.stdout.startswith("AT "), (line, result)


def test_nothing_lifts_read_only(ctl, fake, tmp_path):
    """Lines of a script that somebody else has written."""
    assert ctl("context", "add", "free", "-c", fake.path).returncode == 0
    free = ctl.home / ".config/herdctl/contexts/free"
    free.write_text(free.read_text() + "read-only off\n")
    for line in ("set read-only off; iamat c " + HERE, "set read-only; iamat c " + HERE,
                 "set read-only on; set read-only off; iamat c " + HERE,
                 "context use free; iamat c " + HERE, "-C free iamat c " + HERE,
                 "-C none iamat c " + HERE, "raw IAMAT c +1+2 5", "places cache flush", "places reload",
                 "log level debug --for 1s"):
        result = ctl("--read-only", "--keep-going", "-f", "-", stdin=line.replace("; ", "\n") + "\n")
        assert "read-only" in result.stderr, (line, result)
        result = ctl("--keep-going", "-f", "-", stdin=line.replace("; ", "\n") + "\n",
                     env={"HERD_READ_ONLY": "on"})
        assert "read-only" in result.stderr, (line, result)
    for node in fake:
        assert node.lines == [] and all(method == "GET" for method, _, _ in node.requests)
    # What `set` has begun it may end.
    assert ctl("-f", "-", stdin=f"set read-only on\nset read-only off\niamat c {HERE}\n").returncode == 0


def test_a_read_only_context_is_left_for_another(ctl, fake):
    assert ctl("context", "add", "shy", "-c", fake.path, "--read-only").returncode == 0
    assert ctl("context", "add", "lab", "-c", fake.path).returncode == 0
    assert ctl("context", "use", "shy").returncode == 0
    assert ctl("raw", f"IAMAT c {HERE} 5").returncode == 2
    assert ctl("context", "rm", "shy", "--yes").returncode == 2
    assert ctl("context", "use", "lab").returncode == 0
    assert ctl("raw", f"IAMAT c {HERE} 5").returncode == 0


def test_herds_of_two_names_stay_apart(ctl, fake, tmp_path):
    """-c on a line of a script is another herd, read-only holds for it too."""
    other = tmp_path / "other"
    other.mkdir()
    with FakeHerd(other, names=("Ottawa",)) as herd:
        result = ctl("--read-only", "-f", "-", stdin=f"-c {herd.path} iamat c {HERE}\n")
        assert result.returncode == 2 and herd["Ottawa"].lines == []
    assert os.path.exists(fake.path)
