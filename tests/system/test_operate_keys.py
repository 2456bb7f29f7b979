# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and tokens change while the herd works: by the four commands of
herdd(8), under load, on four machines that each have their own copy."""
import json
import re
import shutil
import signal
import subprocess
import threading

import pytest

from api import Api
from conftest import Ctl
from nodes import TOP, Herd, free_ports, wait_until

SETTINGS = ("workers: 1\nplaces: {provider: none}\n"
            "link: {ping_after: 200ms, dead_after: 5s, redial_max: 500ms}\n")
NAMES = ["A", "B", "C", "D"]
RING = [("A", "B"), ("B", "C"), ("C", "D"), ("D", "A")]
FORM = re.compile(r"[0-9a-f]{8}")


def make(ctl, path, kind="key"):
    out = ctl(kind, "new", path)
    assert out.returncode == 0, out.stderr
    return path


def words_of(path):
    return path.read_text().split()


def put_words(path, *words):
    path.write_text("".join(word + "\n" for word in words))
    path.chmod(0o600)


def peers(node):
    return {row["peer"]: row for row in Api(node.admin).get("/v1/peers").json["peers"]}


def keys_of(node):
    return {ring["name"]: ring["fingerprints"] for ring in Api(node.admin).get("/v1/config").json["keys"]}


def reload(node):
    """The names of what has changed."""
    reply = Api(node.admin).post("/v1/config/reload")
    assert reply.status == 200, reply.body
    return reply.json["applied"]


def all_synced(herd, *names):
    return all(row["state"] == "synced" for name in names or herd.nodes for row in peers(herd[name]).values())


def connects(herd):
    """How often each end of each link came up."""
    return {(node.name, peer): row["connects"] for node in herd for peer, row in peers(node).items()}


def links_are_on(herd, fingerprint):
    return all(row["state"] == "synced" and row["key"] == fingerprint
               for node in herd for row in peers(node).values())


@pytest.fixture
def operator(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Ctl(home)


@pytest.fixture
def pair(tmp_path, operator):
    """A dials B; each has a key file of its own, with the same key."""
    make(operator, tmp_path / "key-A")
    shutil.copy(tmp_path / "key-A", tmp_path / "key-B")
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS + "key_file: key-%n\n") as herd:
        herd.start()
        wait_until(lambda: all_synced(herd), "synced")
        yield herd


# --- the rotation


def page_commands():
    """The commands of herdd(8), as the page has them."""
    page = (TOP / "man" / "herdd.8").read_text()
    block, = re.findall(r'^\.\\" BEGIN rotation\n(.*?)^\.\\" END rotation$', page, re.M | re.S)
    commands = [line.split() for line in block.splitlines() if not line.startswith(".")]
    assert len(commands) == 4 and all(words[0] == "herdctl" for words in commands)
    return [words[1:] for words in commands]


class Clients:
    """What others do to the herd meanwhile: requests to every node, and
    orders to the admin listeners over TCP, with the operator's token."""

    def __init__(self, operator, ports, token):
        self.operator, self.ports, self.token = operator, ports, token
        self.refused, self.asked, self.rows, self.failed = [], 0, [], []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=work) for work in (self.ask, self.load)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        while not self.over.is_set():
            for port in self.ports:
                reply = Api(("127.0.0.1", port), words_of(self.token)[0]).get("/v1/peers")
                self.asked += 1
                if reply.status != 200:
                    self.refused.append((port, reply.status, reply.body))
            self.over.wait(0.01)

    def load(self):
        while not self.over.is_set():
            out = self.operator("bench", "mixed", "--yes", "--duration", "2s", "-n", "all", "-o", "json", timeout=90)
            if out.returncode != 0:
                self.failed.append(out)
                return
            self.rows += next(rows for rows in json.loads(out.stdout).values() if isinstance(rows, list))

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert self.failed == []
        assert self.asked > 20 and self.refused == []
        assert sum(row["answered"] for row in self.rows) > 0
        assert sum(row["refused"] for row in self.rows) == 0


@pytest.fixture
def machines(tmp_path, operator):
    """Four nodes, each with its own copies, and an operator with a copy."""
    for kind, name in (("key", "links.key"), ("token", "admin.token")):
        made = make(operator, tmp_path / name, kind)
        for node in NAMES:
            shutil.copy(made, tmp_path / f"{name}-{node}")
    ports = free_ports(4)
    with Herd(tmp_path, NAMES, RING) as herd:
        for node, port in zip(NAMES, ports):
            herd.write_for(node, settings=SETTINGS + f'key_file: "links.key-{node}"\n'
                           f'admin: {{listen: "127.0.0.1:{port}", token_file: "admin.token-{node}"}}\n')
        herd.start()
        wait_until(lambda: all_synced(herd), "synced")
        yield herd, ports


def copy_to_machines(folder, name):
    for node in NAMES:
        shutil.copy(folder / name, folder / f"{name}-{node}")


@pytest.mark.parametrize("kind,file", [("key", "links.key"), ("token", "admin.token")])
def test_the_four_commands_of_the_page_lose_nothing_under_load(machines, operator, tmp_path, kind, file):
    herd, ports = machines
    operator.conf = herd.path
    clients = Clients(operator, ports, tmp_path / "admin.token")
    old, old_word = keys_of(herd["A"]), words_of(tmp_path / file)[0]
    wait_until(lambda: clients.asked > 20 and Api(herd["D"].admin).get("/v1/status").json, "load")

    def run(words):
        words = [word.replace("/etc/herd/links.key", str(tmp_path / file)) for word in words]
        if kind == "token" and words[0] == "key":
            words[0] = "token"
        out = operator(*words)
        assert out.returncode == 0, (words, out.stdout, out.stderr)

    before = connects(herd)
    add, take, drop, again = page_commands()
    run(add)
    copy_to_machines(tmp_path, file)
    run(take)
    setting = "key_file" if kind == "key" else "admin.token_file"
    both = keys_of(herd["A"])[setting]
    assert both[0] == old[setting][0] and len(both) == 2
    assert all(keys_of(node)[setting] == both for node in herd)
    assert operator("config", "diff", "--where", "name ~ fingerprints").stdout.count("\n") <= 1
    # Nothing is made again yet.
    assert links_are_on(herd, old["key_file"][0]) and connects(herd) == before

    run(drop)
    copy_to_machines(tmp_path, file)
    run(again)
    assert all(keys_of(node)[setting] == both[1:] for node in herd)
    if kind == "key":
        wait_until(lambda: links_are_on(herd, both[1]), "every link is on the new key", 60)
        # Each link was made again once, by the one or the other side.
        assert connects(herd) == {end: count + 1 for end, count in before.items()}
    else:
        assert connects(herd) == before
    clients.end()
    secrets = words_of(tmp_path / file)
    for node in herd:
        assert not any(secret in node.log(whole=True) for secret in secrets)
    if kind == "token":
        assert Api(("127.0.0.1", ports[0]), old_word).get("/v1/peers").status == 401


def test_nodes_may_read_the_file_in_any_order(pair, operator, tmp_path):
    """At every step a link that breaks comes back, from either side."""
    old = words_of(tmp_path / "key-A")[0]
    new = operator("key", "new").stdout.strip()

    def again():
        for name in "AB":
            other = "B" if name == "A" else "A"
            count = peers(pair[name])[other]["connects"]
            assert Api(pair[name].admin).post(f"/v1/peers/{other}/reconnect").status == 200
            wait_until(lambda: peers(pair[name])[other]["connects"] > count and all_synced(pair), "again")

    for first, second in (("A", "B"), ("B", "A")):
        put_words(tmp_path / f"key-{first}", old, new)
        assert reload(pair[first]) == ["key_file"]
        again()
        put_words(tmp_path / f"key-{second}", old, new)
        assert reload(pair[second]) == ["key_file"]
        again()
        put_words(tmp_path / f"key-{first}", new)
        assert reload(pair[first]) == ["key_file"]
        wait_until(lambda: all_synced(pair) and links_are_on(pair, keys_of(pair[first])["key_file"][0]), "new", 60)
        again()
        put_words(tmp_path / f"key-{second}", new)
        assert reload(pair[second]) == ["key_file"]
        again()
        old, new = new, operator("key", "new").stdout.strip()


def test_sighup_takes_the_file_and_an_unchanged_one_changes_nothing(pair, operator, tmp_path):
    before = connects(pair)
    assert reload(pair["A"]) == []
    assert operator("key", "new", "--add", tmp_path / "key-A").returncode == 0
    pair["A"].send_signal(signal.SIGHUP)
    pair["A"].wait_log(r"event=reloaded by=SIGHUP applied=1 restart=0")
    used, accepted = re.findall(r'event=link-keys used=(\w+) accepted="(\w+ \w+)"', pair["A"].log())[-1]
    assert accepted.split()[0] == used and keys_of(pair["A"])["key_file"] == accepted.split()
    assert connects(pair) == before


@pytest.mark.parametrize("break_it,says", [
    (lambda path: path.write_text("short\n"), "shorter than 16 bytes"),
    (lambda path: path.write_text("# 0123456789abcdef\n"), "no word of 16 bytes"),
    (lambda path: path.chmod(0o644), "chmod 600"),
    (lambda path: path.unlink(), "No such file"),
    (lambda path: path.write_text("".join(f"0123456789abcdef{i}\n" for i in range(9))), "more than 8"),
], ids=["short", "comment", "open", "gone", "nine"])
def test_a_bad_key_file_rejects_the_reload(pair, tmp_path, break_it, says):
    before, keys = connects(pair), keys_of(pair["A"])
    break_it(tmp_path / "key-A")
    reply = Api(pair["A"].admin).post("/v1/config/reload")
    assert reply.status == 409 or reply.status == 400 or reply.status == 422, reply.status
    assert says in json.dumps(reply.json) and "key_file" in json.dumps(reply.json)
    pair["A"].wait_log(rf"event=config-error .*{says}")
    assert keys_of(pair["A"]) == keys and connects(pair) == before and all_synced(pair)


def test_links_on_a_key_that_stays_are_untouched(tmp_path, operator):
    """A has its links to B and C on two keys; one of them goes."""
    first, second = (operator("key", "new").stdout.strip() for _ in range(2))
    third = operator("key", "new").stdout.strip()
    put_words(tmp_path / "key-A", first, second, third)
    put_words(tmp_path / "key-B", first, third)
    put_words(tmp_path / "key-C", second)
    with Herd(tmp_path, ["A", "B", "C"], [("A", "B"), ("A", "C")], SETTINGS + "key_file: key-%n\n") as herd:
        herd.start()
        wait_until(lambda: all_synced(herd), "synced")
        names = keys_of(herd["A"])["key_file"]
        assert peers(herd["A"])["B"]["key"] == names[0] and peers(herd["A"])["C"]["key"] == names[1]
        put_words(tmp_path / "key-A", second, third)
        assert reload(herd["A"]) == ["key_file"]
        wait_until(lambda: peers(herd["A"])["B"]["key"] == names[2], "B's link is on the third key", 60)
        assert peers(herd["A"])["C"]["connects"] == 1 and peers(herd["A"])["C"]["key"] == names[1]
        history = peers_history(herd["A"], "B")
        assert any("its key was removed from key_file" in (row["error"] or "") for row in history)


def peers_history(node, peer):
    return Api(node.admin).get(f"/v1/peers/{peer}").json["history"]


def test_the_side_that_is_dialled_makes_links_anew_too(pair, operator, tmp_path):
    """B, which only listens, has dropped the key; A still offers it first."""
    old = words_of(tmp_path / "key-A")[0]
    new = operator("key", "new").stdout.strip()
    put_words(tmp_path / "key-A", old, new)
    put_words(tmp_path / "key-B", new)
    reload(pair["A"])
    reload(pair["B"])
    new_name = keys_of(pair["B"])["key_file"][0]
    wait_until(lambda: links_are_on(pair, new_name), "the link is on the new key", 60)


# --- other versions, strangers


def psk_client(port, secret, identity):
    """What openssl as a dialler of that identity reads of the node."""
    out = subprocess.run(
        ["openssl", "s_client", "-quiet", "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-psk", secret,
         "-psk_identity", identity, "-connect", f"127.0.0.1:{port}"],
        input=b"", capture_output=True, timeout=20, check=False)
    return out.stdout


def digest(word):
    out = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=word.encode(), capture_output=True, check=True)
    return out.stdout.split()[0].decode()


def test_the_identity_says_which_key(pair, operator, tmp_path):
    """A node of an older version sends its name alone: the first key."""
    first = words_of(tmp_path / "key-B")[0]
    assert operator("key", "new", "--add", tmp_path / "key-B").returncode == 0
    second = words_of(tmp_path / "key-B")[1]
    reload(pair["B"])
    names = keys_of(pair["B"])["key_file"]
    port = pair["B"].peers
    assert b"HELLO" in psk_client(port, digest(first), "A")
    assert b"HELLO" not in psk_client(port, digest(second), "A")
    assert b"HELLO" in psk_client(port, digest(second), f"A#{names[1]}")
    assert b"HELLO" in psk_client(port, digest(first), f"A#{names[0]}")
    assert b"HELLO" not in psk_client(port, digest(first), f"A#{names[1]}")
    for identity in ("A#", "A#0", f"A#{names[0]}x", f"A#{names[0].upper()}Z", "#" * 200, f"A#{names[0]}#"):
        assert b"HELLO" not in psk_client(port, digest(first), identity), identity


def test_a_stranger_writes_nothing_into_a_link_that_is_up(pair):
    psk_client(pair["B"].peers, "00" * 32, "A#deadbeef")
    pair["B"].wait_log(r'event=link-refused .*reason=key error="TLS: wrong key: the peer offered deadbeef, this node')
    row = peers(pair["B"])["A"]
    assert row["state"] == "synced" and "deadbeef" not in (row["last_error"] or "")
    psk_client(pair["B"].peers, "00" * 32, "A#\x1b[31mevil")
    assert "\x1b" not in pair["B"].log() and "evil" not in pair["B"].log()


def test_both_sides_name_a_wrong_key(tmp_path, operator):
    for name in "AB":
        make(operator, tmp_path / f"key-{name}")
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS + "key_file: key-%n\n") as herd:
        herd.start()
        a, b = (keys_of(herd[name])["key_file"][0] for name in "AB")
        assert FORM.fullmatch(a) and FORM.fullmatch(b) and a != b
        says = f"TLS: wrong key: the peer offered {a}, this node has {b}"
        wait_until(lambda: peers(herd["B"])["A"]["last_error"] == says, "the acceptor names it")
        operator.conf = herd.path
        shown = operator("peer", "show", "A", "-n", "B")
        assert says in shown.stdout, shown.stdout
        differ = operator("config", "diff", "-o", "json")
        assert differ.returncode == 1
        rows = [row for row in json.loads(differ.stdout)["differences"] if row["name"] == "key_file.fingerprints"]
        assert [(row["node"], row["running"], row["file"]) for row in rows] == [("B", b, a)]
        secrets = words_of(tmp_path / "key-A") + words_of(tmp_path / "key-B")
        for text in (differ.stdout, shown.stdout, *(Api(node.admin).get(path).body.decode() for node in herd
                                                    for path in ("/v1/peers", "/v1/config"))):
            assert not any(secret in text or digest(secret) in text for secret in secrets)


def test_keys_are_columns(pair, operator):
    operator.conf = pair.path
    key = keys_of(pair["A"])["key_file"][0]
    assert f"KEY\t{key}" in operator("peer", "show", "B", "-n", "A").stdout
    wide = operator("peer", "ls", "-o", "wide", "-n", "all").stdout.splitlines()
    assert "KEY" in wide[0].split() and all(key in line for line in wide[1:3])
    rows = json.loads(operator("peer", "ls", "-o", "json", "-n", "A").stdout)["peers"]
    assert rows[0]["key"] == key
    assert operator("peer", "ls", "-n", "A", "--columns", "peer,key").stdout.count(key) == 1


def test_links_without_a_key_have_none(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS) as herd:
        herd.start()
        wait_until(lambda: all_synced(herd), "synced")
        assert peers(herd["A"])["B"]["key"] is None and keys_of(herd["A"]) == {}
        assert reload(herd["A"]) == []


# --- the commands


@pytest.mark.parametrize("kind", ["key", "token"])
def test_new_makes_adds_and_drops(operator, tmp_path, kind):
    path = tmp_path / "secret"
    printed = operator(kind, "new").stdout
    assert re.fullmatch(r"[0-9a-f]{64}\n", printed) and printed != operator(kind, "new").stdout
    out = operator(kind, "new", path)
    assert out.returncode == 0 and path.stat().st_mode & 0o777 == 0o600
    first, = words_of(path)
    assert first not in out.stdout
    out = operator(kind, "new", path)
    assert out.returncode == 8 and "not overwritten" in out.stderr and words_of(path) == [first]
    link = tmp_path / "link"
    link.symlink_to(path)
    out = operator(kind, "new", "--add", link)
    assert out.returncode == 0, out.stderr
    assert link.is_symlink() and words_of(path)[0] == first and len(words_of(path)) == 2
    second = words_of(path)[1]
    path.chmod(0o400)
    assert operator(kind, "drop", path).returncode == 0
    assert words_of(path) == [second] and path.stat().st_mode & 0o777 == 0o400
    assert operator(kind, "drop", path).returncode == 0 and words_of(path) == [second]
    for i in range(7):
        assert operator(kind, "new", "--add", path).returncode == 0
    out = operator(kind, "new", "--add", path)
    assert out.returncode == 8 and "no node takes more" in out.stderr and len(words_of(path)) == 8
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "link", "secret"]


def test_new_refuses_what_is_no_key_file(operator, tmp_path):
    assert operator("key", "new", "--add", tmp_path / "none").returncode == 8
    assert operator("key", "new", "--add").returncode == 2
    assert operator("key", "drop", tmp_path / "none").returncode == 1
    assert operator("key", "new", tmp_path / "no" / "folder").returncode == 8
    (tmp_path / "open").write_text("0123456789abcdef\n")
    (tmp_path / "open").chmod(0o644)
    out = operator("key", "new", "--add", tmp_path / "open")
    assert out.returncode == 8 and "chmod 600" in out.stderr
    assert (tmp_path / "open").read_text() == "0123456789abcdef\n"
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert operator("key", "new", tmp_path / "dangling").returncode == 8
    assert not (tmp_path / "nowhere").exists()


def test_herdctl_sends_the_first_token_of_its_file(operator, tmp_path):
    first, second = "first-0123456789abcdef", "second-0123456789abcdef"
    put_words(tmp_path / "tokens", first, second)
    put_words(tmp_path / "operators", second, first)
    port, = free_ports(1)
    settings = SETTINGS + f'admin: {{listen: "127.0.0.1:{port}", token_file: tokens}}\n'
    with Herd(tmp_path, ["A"], [], settings) as herd:
        herd.start()
        for token in (first, second):
            assert Api(("127.0.0.1", port), token).get("/v1/status").status == 200
        put_words(tmp_path / "tokens", first)
        assert reload(herd["A"]) == ["admin.token_file"]
        assert Api(("127.0.0.1", port), first).get("/v1/status").status == 200
        assert Api(("127.0.0.1", port), second).get("/v1/status").status == 401
        put_words(tmp_path / "tokens", first, second)
        assert reload(herd["A"]) == ["admin.token_file"]
        assert Api(("127.0.0.1", port), second).get("/v1/status").status == 200
