# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may speak on a link, and what becomes of those who may not."""
import hashlib
import os
import random
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from api import Api
from nodes import Herd, read_all, wait_until
from peer import Peer

SETTINGS = ("workers: 1\nplaces: {provider: none}\n"
            "link: {ping_after: 200ms, dead_after: 5s, redial_max: 100ms}\n")
KEY = "correct horse battery staple"


@pytest.fixture(scope="module")
def riley(tmp_path_factory):
    """Riley alone; Alice may dial it, it dials Zoe."""
    with Herd(tmp_path_factory.mktemp("links"), ["Riley", "Alice", "Zoe"],
              [("Riley", "Alice"), ("Riley", "Zoe")], SETTINGS) as herd:
        herd["Riley"].start()
        yield herd["Riley"]


@pytest.fixture
def alice():
    with Peer("Alice") as alice:
        yield alice


def refused(node, reason):
    """How many connections were refused for that reason."""
    text = Api(node.admin).get("/metrics").body.decode()
    return int(re.search(rf'herd_links_refused_total{{reason="{reason}"}} (\d+)', text).group(1))


def test_neighbour_that_does_not_dial_is_told_of_once(tmp_path):
    # Each of the two files says that the other side dials.
    links = [("Ann", "Bob")]
    with Herd(tmp_path, ["Ann", "Bob"], links, SETTINGS) as herd:
        for name, other in (("Ann", "Bob"), ("Bob", "Ann")):
            herd.write_for(name)
            path = herd[name].path
            path.write_text(path.read_text().replace("[Ann, Bob]", f"{{between: [Ann, Bob], dial: {other}}}"))
        herd.start()
        for name, other in (("Ann", "Bob"), ("Bob", "Ann")):
            herd[name].wait_log(f"event=link-awaited peer={other} .*not dialled yet.* next=.*{other} is up.* dial")
            peer = Api(herd[name].admin).get(f"/v1/peers/{other}").json
            assert peer["state"] == "waiting"
            assert peer["last_error"].startswith("peer says not-configured: no link between ")
        # Fixed, it comes up, and nothing is awaited any more.
        herd["Ann"].path.write_text(herd.text("Ann"))
        herd["Ann"].send_signal(signal.SIGHUP)
        herd["Bob"].wait_log("event=link-up peer=Ann")
        assert herd["Bob"].log().count("event=link-awaited") == 1


def test_what_is_owed_while_the_socket_is_full_is_sent_when_it_is_not(tmp_path):
    # No PING ever comes to the rescue of a link that forgot to go on.
    settings = ("workers: 1\nplaces: {provider: none}\n"
                "link: {ping_after: 30m, dead_after: 1h, stall_after: 1h, redial_max: 100ms}\n")
    with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        herd.start()
        herd.wait_synced()
        a, b = herd["A"], herd["B"]
        api = Api(a.admin)
        for turn in range(10):
            api.post("/v1/peers/B/disable")
            for node, first in ((a, 0), (b, 1000)):
                node.iamat(*[(b"%d-%d" % (turn, first + i), b"+34.068930-118.445127", b"%d.%d" % (turn + 1, i))
                             for i in range(1000)])
            wait_until(lambda: Api(b.admin).get("/v1/peers/A").json["state"] != "synced", "down")
            api.post("/v1/peers/B/enable")
            a.wait_log("event=link-up peer=B", turn + 2)
            b.wait_log("event=link-up peer=A", turn + 2)


# --- refusals by name


@pytest.mark.parametrize("hello,word", [
    ({"version": b"herd/2"}, "version"),
    ({"version": b"SSH-2.0"}, "version"),
    ({"herd": b"mit"}, "wrong-herd"),
    ({"herd": b""}, "wrong-herd"),
    ({"other": "Sam"}, "wrong-node"),
    ({"params": b"0" * 16}, "params"),
    ({"params": b"%n%s"}, "params"),
    ({"node": b"Riley"}, "self"),
    ({"node": b"Mallory"}, "not-configured"),
    ({"node": b"Zoe"}, "not-configured"),  # whom Riley itself dials
    ({"node": b"a/b"}, "bad-line"),
    ({"node": b""}, "bad-line"),
    ({"node": b"x" * 65}, "bad-line"),
    ({"nonce": b""}, "bad-line"),
    ({"nonce": b"n" * 15}, "bad-line"),
])
def test_wrong_hello_is_refused_by_name_and_logged(riley, alice, hello, word):
    before = refused(riley, word)
    alice.answers = False
    alice.dial(riley.peers, **{"other": "Riley", **hello})
    last = alice.run_to_end()
    assert last.startswith(b"BYE %s " % word.encode()) and len(last) > len(word) + 10
    wait_until(lambda: refused(riley, word) == before + 1, "the refusal is counted")
    riley.wait_log(f"event=link-refused from=127.0.0.1:\\d+ reason={word} ")


def test_unknown_field_of_hello_is_for_later_versions(riley, alice):
    alice.features = (b"lazy", b"x")
    alice.dial(riley.peers, "Riley", more=[b"colour=blue"])
    alice.sync()


@pytest.mark.parametrize("hello,word", [({"herd": b"mit"}, "wrong-herd"), ({"params": b"0" * 16}, "params"),
                                        ({"node": b"Bob"}, "wrong-node")])
def test_dialler_refuses_by_name_and_says_what_next(tmp_path, hello, word):
    with Herd(tmp_path, ["Riley", "Zoe"], [("Riley", "Zoe")], SETTINGS) as herd, Peer("Zoe") as zoe:
        zoe.listen(herd["Zoe"].peers)
        riley = herd["Riley"].start()
        zoe.answers = False
        zoe.accept(**hello)
        assert zoe.run_to_end().startswith(b"BYE %s " % word.encode())
        riley.wait_log(rf'event=link-down peer=Zoe reason={word} .*operator must fix.*30 s')


@pytest.mark.parametrize("word", ["wrong-herd", "wrong-node", "version", "params", "not-configured", "self",
                                  "disabled"])
def test_dialler_that_is_refused_logs_the_peers_reason_once(tmp_path, word):
    with Herd(tmp_path, ["Riley", "Zoe"], [("Riley", "Zoe")], SETTINGS) as herd, Peer("Zoe") as zoe:
        zoe.listen(herd["Zoe"].peers)
        riley = herd["Riley"].start()
        zoe.answers = False
        zoe.accept()
        zoe.say(b"BYE %s no \x1b[2Jthank you" % word.encode())
        zoe.run_to_end()
        riley.wait_log(rf'event=link-down peer=Zoe reason={word} error="peer says {word}: no \\\\x1b\[2Jthank you"'
                       r'.*operator must fix.*30 s')
        assert riley.log().count("link-down") == 1


def test_refusals_say_what_either_side_is(riley, alice):
    for hello, said in [({"herd": b"mi\x1bt"}, rb'BYE wrong-herd Riley is of herd ucla, not of `mi\x1bt`'),
                        ({"version": b"herd/2"}, b'BYE version Riley speaks herd/1, not `herd/2`'),
                        ({"other": "Sam"}, b'BYE wrong-node this is node Riley, not `Sam`'),
                        ({"node": b"Zoe"}, b"BYE not-configured no link between Riley and Zoe here that Zoe dials")]:
        alice.answers = False
        alice.dial(riley.peers, **{"other": "Riley", **hello})
        assert alice.run_to_end() == said


def test_clients_port_in_place_of_a_peers_is_named_once(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS + "log: {level: debug}\n") as herd:
        herd.write_for("A")
        path = herd["A"].path
        ports = {str(herd["B"].peers): str(herd["B"].clients), str(herd["B"].clients): str(herd["B"].peers)}
        path.write_text(re.sub("|".join(ports), lambda m: ports[m[0]], path.read_text()))
        herd["B"].start()
        herd["A"].start()
        said = r'event=link-down peer=B reason=bad-line error="expected HELLO: that port takes clients, not nodes"'
        herd["A"].wait_log("level=warn " + said)
        herd["A"].wait_log("level=debug " + said, 3)
        assert herd["A"].log().count("level=warn event=link-down") == 1


# --- strangers


@pytest.mark.parametrize("said", [b"IAMAT kiwi +34-118 1\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\n",
                                  b"AT Riley +0.5 c +1+1 1\n", b"CHECK 1 0\n", b"\0\xff\n", b"HELLO\n",
                                  b"x" * 1025, b"HELLO herd/1 " + b"x" * 1012 + b"\n"])
def test_stranger_on_the_link_port_gets_bye(riley, said):
    before = refused(riley, "bad-line") + refused(riley, "version")
    with socket.create_connection(("127.0.0.1", riley.peers), timeout=20) as s:
        s.sendall(said)
        lines = read_all(s).split(b"\n")
    assert lines[0].startswith(b"HELLO herd/1 herd=ucla node=Riley nonce=") and lines[1].startswith(b"BYE ")
    wait_until(lambda: refused(riley, "bad-line") + refused(riley, "version") == before + 1, "it is counted")


def test_garbage_harms_nobody(riley, alice):
    rng = random.Random("garbage")
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", riley.peers), timeout=20) as s:
            try:
                s.sendall(rng.randbytes(rng.randrange(1, 5000)))
                s.shutdown(socket.SHUT_WR)
                read_all(s)
            except ConnectionError:
                pass
    alice.dial(riley.peers, "Riley")
    alice.sync()


def test_bye_before_hello_is_logged(riley):
    with socket.create_connection(("127.0.0.1", riley.peers), timeout=20) as s:
        s.sendall(b"BYE stop bored\n")
        assert read_all(s).count(b"\n") == 1
    riley.wait_log('event=link-refused .*peer says stop: bored')


def test_half_open_strangers_do_not_keep_a_peer_out_and_are_cut(riley, alice):
    strangers = [socket.create_connection(("127.0.0.1", riley.peers), timeout=20) for _ in range(40)]
    try:
        began = time.monotonic()
        # One of them says a byte now and then, which must not keep it alive.
        loris = strangers[-1]
        alice.dial(riley.peers, "Riley")
        alice.sync()
        assert time.monotonic() - began < 3

        def cut():
            alice.turn(0)
            try:
                loris.setblocking(False)
                try:
                    ended = not loris.recv(4096)
                except BlockingIOError:
                    ended = False
                if not ended:
                    loris.send(b"H")
                    return False
            except ConnectionError:
                pass  # cut while it spoke
            return True
        wait_until(cut, "the slow one is cut")
        assert 4 < time.monotonic() - began < 8
        for s in strangers[:-1]:
            read_all(s)  # to its end: none is left open
        assert alice.turn(0)
    finally:
        for s in strangers:
            s.close()


# --- rules of the session


def say_and_end(alice, riley, lines, synced):
    alice.dial(riley.peers, "Riley", fresh=True)
    if synced:
        alice.sync()
    else:
        alice.answers = False
        alice.run(lambda: alice.heard, "HELLO comes")
    alice.say(*lines)
    alice.answers = False
    return alice.run_to_end()


ZEROS = b"0" * 1024


@pytest.mark.parametrize("line", [b"NEXT", b"DIGEST - " + ZEROS, b"CHECK 2 0", b"CHECK 0 0", b"CHECK 1", b"CHECK",
                                  b"CHECK 1 17179869185", b"CHECK 1 -1", b"ACK 1", b"ACK", b"ACK -1", b"PING",
                                  b"PING x", b"PING 18446744073709551616", b"PONG 1", b"PONG 1 1.2.3",
                                  b"AT Riley +0.500000000 c +1+1 1", b"HELLO herd/1", b"IAMAT c +1+1 1", b"",
                                  b" ", b"\xff\x00", b"check 1 0", b"x" * 66561])
def test_line_out_of_turn_ends_the_session(riley, alice, line):
    assert say_and_end(alice, riley, [line], False).startswith(b"BYE bad-line ")


@pytest.mark.parametrize("line", [b"NEXT", b"DIGEST - " + ZEROS, b"CHECK 1 0", b"CHECK 3 0", b"ACK 1",
                                  b"AT Riley +0.500000000 c +91+1 1", b"AT Riley +0.500000000 c +1+1 17179869184",
                                  b"AT Riley 0.500000000 c +1+1 1", b"AT Riley +0.5 c +1+1 1",
                                  b"AT Riley -0.000000000 c +1+1 1", b"AT Ri/ley +0.500000000 c +1+1 1",
                                  b"AT Riley +0.500000000  c +1+1 1", b"AT Riley +0.500000000 c +1+1 1 ",
                                  b"AT Riley +0.500000000 c +1+1 1\r", b"AT Riley +0.500000000 c\x00d +1+1 1",
                                  b"AT Riley +0.500000000 c +1+1", b"AT " + b"x" * 65 + b" +0.500000000 c +1+1 1",
                                  b"GONE Riley c", b"GONE Riley c 1 1", b"GONE Riley +1+1 c 1", b"GONEX", b"AT "])
def test_bad_line_on_a_synced_link_ends_the_session(riley, alice, line):
    assert say_and_end(alice, riley, [line], True).startswith(b"BYE bad-line ")


def test_digest_that_is_malformed_or_unasked_ends_the_session(riley, alice):
    for line in [b"DIGEST A " + ZEROS, b"DIGEST AAA " + ZEROS, b"DIGEST - 0", b"DIGEST", b"DIGEST * " + ZEROS,
                 b"DIGEST - " + b"G" * 1024, b"DIGEST - " + b"A" * 1024]:
        alice.dial(riley.peers, "Riley")
        alice.run(lambda: b"CHECK" in alice.words(), "CHECK comes")
        say = alice.say
        alice.say(line, line)
        assert alice.run_to_end().startswith(b"BYE bad-line "), line
        assert say == alice.say


def test_peer_that_answers_but_never_acks_is_stalled(tmp_path, alice):
    settings = ("workers: 1\nplaces: {provider: none}\n"
                "link: {ping_after: 100ms, dead_after: 5s, stall_after: 600ms}\n")
    with Herd(tmp_path, ["Riley", "Alice"], [("Riley", "Alice")], settings) as herd:
        riley = herd["Riley"].start()
        alice.dial(riley.peers, "Riley")
        alice.sync()
        riley.iamat((b"c", b"+1+1", b"1"))
        alice.acked = 10 ** 9  # never says ACK again
        assert alice.run_to_end().startswith(b"BYE stalled ")
        riley.wait_log("event=link-down peer=Alice reason=stalled ")


def test_peer_that_falls_silent_is_dropped(tmp_path, alice):
    settings = "workers: 1\nplaces: {provider: none}\nlink: {ping_after: 100ms, dead_after: 500ms}\n"
    with Herd(tmp_path, ["Riley", "Alice"], [("Riley", "Alice")], settings) as herd:
        riley = herd["Riley"].start()
        alice.dial(riley.peers, "Riley")
        alice.sync()
        alice.answers = False
        assert alice.run_to_end().startswith(b"BYE silent ")
        assert b"PING" in alice.words()
        riley.wait_log("event=link-down peer=Alice reason=silent ")


def test_link_that_was_up_for_10_s_is_dialled_at_once_however_lately_verified(tmp_path):
    settings = ("workers: 1\nplaces: {provider: none}\nlog: {level: debug}\n"
                "link: {redial_max: 3s, verify_every: 500ms}\n")
    with Herd(tmp_path, ["Riley", "Zoe"], [("Riley", "Zoe")], settings) as herd, Peer("Zoe") as zoe:
        riley = herd["Riley"].start()
        # Then the next wait would be up to 3 s.
        riley.wait_log("event=link-down peer=Zoe", 6)
        zoe.listen(herd["Zoe"].peers)
        zoe.accept()
        zoe.sync()
        began = time.monotonic()
        zoe.run(lambda: time.monotonic() - began > 10.2 and zoe.synced)
        assert zoe.exchange > 10
        zoe.hang_up()
        began = time.monotonic()
        zoe.accept()
        assert time.monotonic() - began < 0.8


def test_newer_connection_replaces_the_older(riley, alice):
    alice.table = {b"kept": b"AT Alice +0.500000000 kept +1+1 1"}
    alice.dial(riley.peers, "Riley")
    alice.sync()
    with Peer("Alice") as again:
        again.dial(riley.peers, "Riley")
        again.sync()
        assert alice.run_to_end().startswith(b"BYE replaced ")
        assert b"kept" in again.table
        line, = riley.iamat((b"replaced", b"+1+1", b"1"))
        again.run(lambda: again.table.get(b"replaced") == line, "the newer one hears of updates")


def test_link_begun_many_times_at_once_ends_with_one(riley):
    peers = [Peer("Alice") for _ in range(20)]
    for peer in peers:
        peer.dial(riley.peers, "Riley", fresh=True)
    alive = [peer for peer in peers if peer.turn(0.05)]
    wait_until(lambda: sum(peer.turn(0.001) for peer in peers) == 1, "one is left")
    last = next(peer for peer in peers if not peer.closed)
    last.sync()
    assert alive
    for peer in peers:
        peer.close()


# --- TLS


def key_files(folder, *texts):
    paths = []
    for i, text in enumerate(texts):
        path = folder / f"key{i}"
        path.write_text(text)
        path.chmod(0o600)
        paths.append(path)
    return paths


def with_key(path, more=""):
    return SETTINGS + f"key_file: {path}\n" + more


def test_tls_links_work_in_a_herd_of_five(tmp_path):
    key, = key_files(tmp_path, KEY + "\n")
    with Herd(tmp_path, settings=with_key(key, "link_security: tls\n")) as herd:
        herd.start()
        herd.wait_synced()
        lines = herd["Riley"].iamat(*[(b"tls%d" % i, b"+1+1", b"1") for i in range(2000)])
        assert herd.wait_equal([b"tls%d" % i for i in range(2000)]) == lines
        herd["Juzang"].stop(signal.SIGKILL)
        herd["Juzang"].start()
        assert herd.wait_equal([b"tls%d" % i for i in range(2000)]) == lines


def test_openssl_and_the_key_files_digest_are_enough_to_join(tmp_path, alice):
    # White space at the end of the file is no part of the key.
    key, = key_files(tmp_path, KEY + " \r\n")
    secret = hashlib.sha256(KEY.encode()).hexdigest()
    with Herd(tmp_path, ["Riley", "Alice"], [("Riley", "Alice")], with_key(key)) as herd:
        riley = herd["Riley"].start()
        ours, theirs = socket.socketpair()
        client = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-psk", secret,
             "-psk_identity", "Alice", "-connect", f"127.0.0.1:{riley.peers}"],
            stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
        theirs.close()
        lines = riley.iamat((b"c", b"+1+1", b"1"))
        alice.begin(ours, "Riley")
        alice.sync()
        assert list(alice.table.values()) == lines
        alice.hang_up()
        client.terminate()
        client.wait()


def pair(folder, settings_a, settings_b):
    herd = Herd(folder, ["A", "B"], [("A", "B")])
    herd.write_for("A", settings=settings_a)
    herd.write_for("B", settings=settings_b)
    return herd


def test_wrong_key_is_named_on_both_sides(tmp_path):
    good, bad = key_files(tmp_path, KEY, KEY + "!")
    with pair(tmp_path, with_key(good), with_key(bad)) as herd:
        herd.start()
        herd["A"].wait_log(r'event=link-down peer=B .*error="TLS: wrong key')
        herd["B"].wait_log(r'event=link-refused .*error="TLS: wrong key')
        herd["B"].stop()
        herd.write_for("B", settings=with_key(good))
        herd["B"].start()
        herd.wait_synced()


def test_plaintext_dialler_at_a_tls_port_is_named(tmp_path):
    key, = key_files(tmp_path, KEY)
    with pair(tmp_path, SETTINGS, with_key(key)) as herd:
        herd.start()
        herd["B"].wait_log(r'event=link-refused .*error="TLS: not TLS: the peer speaks plaintext')
        herd["A"].wait_log(r"event=link-down peer=B ")
        assert herd["A"].iamat((b"c", b"+1+1", b"1"))


def test_tls_dialler_at_a_plaintext_port_is_named(tmp_path):
    key, = key_files(tmp_path, KEY)
    with pair(tmp_path, with_key(key), SETTINGS) as herd:
        herd.start()
        herd["A"].wait_log(r'event=link-down peer=B .*error="TLS: not TLS: the peer speaks plaintext')
        herd["B"].wait_log(r"event=link-refused ")


def test_strangers_at_a_tls_port_are_cut(tmp_path):
    key, = key_files(tmp_path, KEY)
    with pair(tmp_path, with_key(key), with_key(key)) as herd:
        herd["B"].start()
        began = time.monotonic()
        idle = [socket.create_connection(("127.0.0.1", herd["B"].peers), timeout=20) for _ in range(40)]
        for said in (b"IAMAT c +1+1 1\n", b"GET / HTTP/1.0\r\n\r\n", os.urandom(300), b"\x16\x03\x01\xff\xff" * 9):
            with socket.create_connection(("127.0.0.1", herd["B"].peers), timeout=20) as s:
                s.sendall(said)
                try:
                    assert b"HELLO" not in read_all(s)
                except ConnectionError:
                    pass
        # openssl with no key, and with TLS 1.2.
        for more in ([], ["-tls1_2"]):
            out = subprocess.run(["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{herd['B'].peers}", *more],
                                 input=b"", capture_output=True, timeout=20, check=False)
            assert b"HELLO" not in out.stdout
        herd["A"].start()
        herd.wait_synced()
        assert time.monotonic() - began < 4.5, "idle strangers kept the peer out"
        for s in idle:
            try:
                assert read_all(s) == b""
            except ConnectionError:
                pass
            s.close()
        assert time.monotonic() - began < 8


def refuse_to_start(folder, settings, peers=None):
    herd = Herd(folder, ["A", "B"], [("A", "B")], settings)
    if peers is not None:
        herd.path.write_text(herd.text().replace(f"127.0.0.1:{herd['A'].peers}", f"{peers}:{herd['A'].peers}"))
    node = herd["A"].start(wait=False)
    status = node.process.wait(timeout=20)
    node.process = None
    return status, node.log()


def test_plaintext_beyond_loopback_refuses_to_start(tmp_path):
    status, said = refuse_to_start(tmp_path, SETTINGS, "0.0.0.0")
    assert status == 8 and re.search(r"herd\.yaml:\d+:\d+: error: .*key_file", said), said


def test_link_security_none_permits_plaintext_beyond_loopback(tmp_path):
    herd = Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS + "link_security: none\n")
    herd.path.write_text(herd.text().replace(f"127.0.0.1:{herd['A'].peers}", f"0.0.0.0:{herd['A'].peers}"))
    out = subprocess.run([herd.herdd, "-c", str(herd.path), "--check-config", "A"], capture_output=True, timeout=20,
                         check=False)
    assert out.returncode == 0, out


@pytest.mark.parametrize("text,mode,word", [(None, None, "No such file"), (KEY, 0o644, "chmod 600"),
                                            ("short", 0o600, "16 bytes"), (" \n" * 20, 0o600, "16 bytes"),
                                            ("k" * 4097, 0o600, "longer than 4096 bytes")])
def test_bad_key_file_refuses_to_start(tmp_path, text, mode, word):
    path = tmp_path / "key"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    status, said = refuse_to_start(tmp_path, with_key(path))
    assert status != 0 and word in said and str(path) in said, said


def test_key_may_be_a_credential_of_systemd(tmp_path, monkeypatch):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "links").write_text(KEY)
    (credentials / "links").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    with Herd(tmp_path, ["A", "B"], [("A", "B")], with_key("credential:links")) as herd:
        herd.start()
        herd.wait_synced()
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    status, said = refuse_to_start(tmp_path, with_key("credential:links"))
    assert status != 0 and "LoadCredential=links" in said, said


def test_key_file_that_is_no_file_refuses_to_start(tmp_path):
    path = tmp_path / "key"
    os.mkfifo(path, 0o600)
    status, said = refuse_to_start(tmp_path, with_key(path))
    assert status != 0 and "not a regular file" in said and str(path) in said, said


def test_link_security_tls_without_a_key_refuses_to_start(tmp_path):
    status, said = refuse_to_start(tmp_path, SETTINGS + "link_security: tls\n")
    assert status == 8 and "key_file" in said


# --- reload


def reload(node, event="reloaded"):
    before = len(re.findall(rf"event={event}\b", node.log()))
    node.send_signal(signal.SIGHUP)
    node.wait_log(rf"event={event}\b", before + 1)


def dropped(node, peer):
    return re.search(rf"event=link-up peer={peer}\b.*event=link-down peer={peer}\b", node.log(), re.DOTALL)


def test_reload_adds_and_removes_links_and_nodes_without_dropping_others(tmp_path):
    with Herd(tmp_path, ["A", "B", "C", "D"], [("A", "B")], SETTINGS) as herd:
        def read(links, *names):
            herd.links = links
            herd.write()
            for name in names:
                reload(herd[name])
        nodes = dict(herd.nodes)
        for name in ("C", "D"):
            del herd.nodes[name]  # not yet in the file
        herd.write()
        herd["A"].start()
        herd["B"].start()
        herd.wait_synced()
        first, = herd["B"].iamat((b"first", b"+1+1", b"1"))
        herd.nodes["C"] = nodes["C"]
        read([("A", "B"), ("A", "C")], "A")
        herd["C"].start()
        herd.wait_synced()
        assert herd.wait_equal([b"first"]) == [first]
        herd.nodes["D"] = nodes["D"]
        read([("A", "B"), ("C", "D"), ("A", "C")], "C")
        herd["D"].start()
        herd["D"].wait_log("event=link-up peer=C")
        assert herd.wait_equal([b"first"]) == [first]
        assert not any(dropped(herd[name], peer) for name, peer in ["AB", "BA", "DC"])
        # C leaves: A must notice, B must not.
        read([("A", "B")], "A", "C")
        herd["A"].wait_log("event=link-down peer=C reason=not-configured ")
        herd["C"].wait_log("event=link-down peer=D reason=not-configured ")
        second, = herd["A"].iamat((b"second", b"+1+1", b"1"))
        assert herd.wait_equal([b"second"], ["A", "B"]) == [second]
        assert herd["C"].at_line(b"second") is None
        assert not dropped(herd["B"], "A")


def test_end_of_a_link_is_in_both_logs_whoever_ends_it(tmp_path):
    settings = SETTINGS + 'log: {traffic: "traffic-%n.log"}\n'
    with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        herd.start()
        herd.wait_synced()
        api = Api(herd["A"].admin)
        api.post("/v1/peers/B/disable")
        herd["A"].wait_log(r'event=link-down peer=B reason=disabled error="disabled by an operator" '
                           r'next="waiting for an operator to enable it"')
        herd["B"].wait_log(r'event=link-down peer=A reason=disabled error="peer says disabled: .*'
                           r'next="waiting for the peer to dial"')
        api.post("/v1/peers/B/enable")
        herd["A"].wait_log("event=link-up peer=B", 2)
        herd["B"].wait_log("event=link-up peer=A", 2)
        herd.stop()
        for name, peer in ["AB", "BA"]:
            text = (tmp_path / f"traffic-{name}.log").read_text()
            assert re.findall(rf" (link-\w+) {peer} ", text) == ["link-up", "link-down"] * 2, text


def test_report_of_a_link_that_is_gone_is_not_said_to_be_from_its_successor(tmp_path):
    with Herd(tmp_path, ["A", "B", "C"], [("A", "B")], SETTINGS) as herd:
        herd.start()
        herd.wait_synced()
        herd["B"].iamat((b"c", b"+1+1", b"1"))
        herd.wait_equal([b"c"], ["A", "B"])
        api = Api(herd["A"].admin)
        assert api.get("/v1/clients/c").json["from"] == "B"
        herd.links = [("A", "C")]
        herd.write()
        reload(herd["C"])
        reload(herd["A"])
        herd["A"].wait_log("event=link-up peer=C")
        assert 'next="the herd file has no such link any more"' in herd["A"].log()
        assert api.get("/v1/clients/c").json["from"] != "C"
        assert Api(herd["C"].admin).get("/v1/clients/c").json["from"] == "A"


def test_reload_again_and_again_keeps_name_and_links(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS) as herd:
        herd.start()
        herd.wait_synced()
        for _ in range(5):
            reload(herd["A"])
            reload(herd["B"])
        assert not dropped(herd["A"], "B") and not dropped(herd["B"], "A")
        # HELLO is sent again, with what a reload must not have touched.
        herd["B"].stop()
        herd["B"].start()
        herd.wait_synced()
        herd["A"].wait_log("event=link-up peer=B", 2)


def test_reload_of_a_broken_file_changes_nothing(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SETTINGS) as herd:
        herd.start()
        herd.wait_synced()
        good = herd.path.read_text()
        for broken in (good + "wokers: 3\n", good.replace("[A, B]", "[A, X]"), "", "{", good.replace("  A:", "  Z:"),
                       good.replace("dead_after: 5s", "dead_after: 1ms")):
            assert broken != good
            herd.path.write_text(broken)
            reload(herd["A"], "reload-rejected")
        herd.path.unlink()
        reload(herd["A"], "reload-rejected")
        assert re.search(r"event=config-error file=\S+ line=\d+ column=\d+ text=.*wokers.*workers", herd["A"].log())
        line, = herd["A"].iamat((b"c", b"+1+1", b"1"))
        assert herd.wait_equal([b"c"]) == [line]
        assert not dropped(herd["A"], "B") and not dropped(herd["B"], "A")
        herd.path.write_text(good)
        reload(herd["A"])
        herd["B"].stop()
        herd["B"].start()
        herd.wait_synced()


def test_reload_changes_the_timing_of_links_that_are_up(tmp_path, alice):
    with Herd(tmp_path, ["Riley", "Alice"], [("Riley", "Alice")], SETTINGS) as herd:
        riley = herd["Riley"].start()
        alice.dial(riley.peers, "Riley")
        alice.sync()
        herd.settings = SETTINGS.replace("dead_after: 5s", "dead_after: 600ms")
        herd.write()
        reload(riley)
        alice.answers = False
        began = time.monotonic()
        assert alice.run_to_end().startswith(b"BYE silent ")
        assert time.monotonic() - began < 3
