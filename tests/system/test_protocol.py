# SPDX-License-Identifier: GPL-3.0-or-later
"""The client protocol through real sockets: every rule of herd-protocol(7)."""
import json
import re
import socket
import subprocess
import time

import pytest

from nodes import HERDD, TOP, Herd, read_all, read_lines, wait_until

SPACES = [b" ", b"\t", b"\r", b"\x0c", b"\x0b"]
KIWI = b"kiwi.cs.ucla.edu"
PLACE = b"+34.068930-118.445127"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with Herd(tmp_path_factory.mktemp("one"), ["Riley"], [], "workers: 2\n") as herd:
        herd.start()
        yield herd["Riley"]


def iamat(client=KIWI, place=PLACE, at=b"1621464827.959498503"):
    return b"IAMAT " + client + b" " + place + b" " + at


def assert_at(reply, client, place, at, name=b"Riley"):
    pattern = (rb"AT " + re.escape(name) + rb" ([+-]\d+\.\d{9}) " + re.escape(client) + b" "
               + re.escape(place) + b" " + re.escape(at) + rb"\n")
    match = re.fullmatch(pattern, reply)
    assert match, reply
    return float(match.group(1))


def assert_invalid(node, line):
    assert node.ask(line + b"\n") == b"? " + line + b"\n"


def test_iamat_answers_at_with_the_fields_as_they_came(node):
    at = b"%.9f" % (time.time() - 2)
    skew = assert_at(node.ask(iamat(at=at) + b"\n"), KIWI, PLACE, at)
    assert 1.9 < skew < 10


def test_iamat_from_a_clock_ahead_has_a_negative_skew(node):
    at = b"%.9f" % (time.time() + 100)
    assert -100.1 < assert_at(node.ask(iamat(b"ahead", at=at) + b"\n"), b"ahead", PLACE, at) < -90


def test_stale_and_repeated_iamat_are_answered_and_change_nothing(node):
    for at in (b"2000", b"2000", b"1000"):
        assert_at(node.ask(iamat(b"stale", at=at) + b"\n"), b"stale", PLACE, at)
    assert node.at_line(b"stale").endswith(b" 2000")


@pytest.mark.parametrize("space", SPACES)
def test_any_white_space_separates_leads_and_trails(node, space):
    at = b"1621464827"
    fields = [b"IAMAT", KIWI, PLACE, at]
    assert_at(node.ask(space.join(fields) + b"\n"), KIWI, PLACE, at)
    assert_at(node.ask(space * 3 + (space * 2).join(fields) + space + b"\n"), KIWI, PLACE, at)


@pytest.mark.parametrize("odd", [b"\xc2\xa0", b"\x1c", b"\x1d", b"\x1e", b"\x1f", b"\x85", b"\x00"])
def test_other_bytes_are_no_white_space(node, odd):
    assert_invalid(node, b"IAMAT" + odd + KIWI + b" " + PLACE + b" 1")


@pytest.mark.parametrize("client", [b"x", b"\xff\xfe", "käse→".encode(), b"\x01\x7f", b"%s%n%d", b"'\"\\",
                                    b"c" * 20000])
def test_client_ids_are_any_bytes(node, client):
    assert_at(node.ask(iamat(client) + b"\n"), client, PLACE, b"1621464827.959498503")
    assert node.at_line(client).split(b" ")[3] == client


@pytest.mark.parametrize("place", [b"+12-118", b"+6.9-6.9", b"+90-180", b"-90.000+180.000", b"+0+0",
                                   b"+00034.5-000118.4", b"+89.9999999999-179.9999999999",
                                   b"+1." + b"0" * 300 + b"-1"])
def test_good_locations(node, place):
    assert_at(node.ask(iamat(b"loc", place) + b"\n"), b"loc", place, b"1621464827.959498503")


@pytest.mark.parametrize("place", [b"34-118", b"+34118", b"+34.-118.", b"+.5-.5", b"++34-118", b"+34--118",
                                   b"+34,-118", b"+3e1-118", b"+nan-nan", b"+inf+inf", b"+0x10+0x10",
                                   b"+90.0000000001+0", b"-91+0", b"+0+180.00000000000000001", b"+0-181",
                                   b"+34-118/", b"+34-118+5", b"+34-118-5/", "+٣٤-118".encode(), b"+34", b"+34-"])
def test_bad_locations(node, place):
    assert_invalid(node, iamat(b"loc", place))


@pytest.mark.parametrize("at", [b"0", b"1", b"0.0", b"1621464827.959498503", b"17179869183",
                                b"17179869183.999999999"])
def test_good_times(node, at):
    reply = node.ask(iamat(b"t" + at, at=at) + b"\n")
    if int(at.split(b".")[0]) > time.time() + 300:
        assert reply.startswith(b"? ")
    else:
        assert_at(reply, b"t" + at, PLACE, at)


@pytest.mark.parametrize("at", [b"-1", b"+1", b"1e3", b"1.", b".5", b"1.2.3", b"nan", b"inf", b"0x1",
                                b"17179869184", b"99999999999999999999", b"1" * 33, b"1.5s", b"1_000"])
def test_bad_times(node, at):
    assert_invalid(node, iamat(b"t", at=at))


def test_time_of_33_characters_is_invalid_and_of_32_is_not(node):
    good = b"1621464827." + b"5" * 21
    assert len(good) == 32
    assert_at(node.ask(iamat(b"t32", at=good) + b"\n"), b"t32", PLACE, good)
    assert_invalid(node, iamat(b"t32", at=good + b"5"))


def test_more_than_five_minutes_ahead_is_invalid(node):
    at = b"%d" % (time.time() + 280)
    assert_at(node.ask(iamat(b"a", at=at) + b"\n"), b"a", PLACE, at)
    assert_invalid(node, iamat(b"a", at=b"%d" % (time.time() + 320)))


@pytest.mark.parametrize("line", [b"", b" ", b"\t\r", b"hello", b"iamat a +1+1 1", b"IAMAT", b"IAMAT a",
                                  b"IAMAT a +1+1", b"IAMAT a +1+1 1 x", b"WHATSAT", b"WHATSAT a", b"WHATSAT a 1",
                                  b"WHATSAT a 1 1 1", b"WHATSAT nobody 10 5", b"AT Riley +0.1 a +1+1 1",
                                  b"GONE Riley a 1", b"HELLO herd/1 herd=ucla", b"PING 1", b"CHECK 1 0",
                                  b"%s%s%n%x%d", b"IAMAT a\x00b +1+1 1", b"GET / HTTP/1.1\r", b"Host: x\r"])
def test_anything_else_is_answered_with_itself(node, line):
    assert_invalid(node, line)


@pytest.mark.parametrize("radius,bound,good", [
    (b"50", b"20", True), (b"50.0", b"1", True), (b"0.001", b"020", True), (b"010", b"5", True),
    (b"0", b"5", False), (b"0.0", b"5", False), (b"50.00000000001", b"5", False), (b"51", b"5", False),
    (b"-1", b"5", False), (b"+1", b"5", False), (b"1e1", b"5", False), (b"1.", b"5", False), (b".5", b"5", False),
    (b"10", b"0", False), (b"10", b"21", False), (b"10", b"+5", False), (b"10", b"5.0", False),
    (b"10", b"99999999999999999999", False)])
def test_radius_and_bound(node, radius, bound, good):
    node.ask(iamat() + b"\n")
    line = b"WHATSAT " + KIWI + b" " + radius + b" " + bound
    if good:
        assert node.ask(line + b"\n").startswith(b"AT Riley ")
    else:
        assert_invalid(node, line)


def test_whatsat_is_the_at_line_json_and_an_empty_line(node):
    at = b"%.9f" % time.time()
    reply = node.ask(iamat(at=at) + b"\n")
    answer = node.ask(b"WHATSAT " + KIWI + b" 10 5\n")
    assert answer.startswith(reply)
    body = answer[len(reply):]
    assert body.endswith(b"}\n\n") and b"\n\n" not in body[:-2]
    places = json.loads(body)
    assert places["status"] == "OK" and 0 < len(places["results"]) <= 5
    assert any("GeoNames" in notice for notice in places["html_attributions"])
    assert all({"name", "place_id", "geometry", "types", "vicinity"} <= set(p) for p in places["results"])


def test_whatsat_in_the_middle_of_the_sea_finds_nothing(node):
    node.ask(iamat(b"sea", b"-48.876667-123.393333") + b"\n")
    answer = node.ask(b"WHATSAT sea 50 20\n").split(b"\n", 1)[1]
    assert json.loads(answer)["status"] == "ZERO_RESULTS"


def test_request_without_lf_is_answered_after_the_half_close(node):
    assert_at(node.ask(iamat(b"nolf", at=b"5")), b"nolf", PLACE, b"5")
    assert node.ask(b"") == b""
    assert node.ask(b"x") == b"? x\n"


def test_replies_keep_the_order_of_pipelined_requests(node):
    lines, expected = [], []
    for i in range(500):
        if i % 3 == 2:
            lines.append(b"bad %d" % i)
            expected.append(b"? bad %d" % i)
        else:
            lines.append(iamat(b"pipe%d" % i, at=b"%d" % (i + 1)))
            expected.append(b"pipe%d " % i)
    replies = node.ask(b"\n".join(lines) + b"\n").split(b"\n")[:-1]
    assert len(replies) == 500
    for reply, want in zip(replies, expected):
        assert want in reply


def test_whatsat_between_iamats_keeps_the_order(node):
    request = iamat(b"o", at=b"7") + b"\nWHATSAT o 10 1\n" + iamat(b"o", at=b"8") + b"\nWHATSAT o 10 1\n"
    answer = node.ask(request)
    ats = re.findall(rb"^AT Riley \S+ o \S+ (\d)$", answer, re.M)
    assert ats == [b"7", b"7", b"8", b"8"]


def test_same_answer_however_the_bytes_are_split(node):
    request = iamat(b"split", at=b"9") + b"\r\n?\nWHATSAT split 1 1\n"
    whole = re.sub(rb"[+-]\d+\.\d{9} split", b"SKEW split", node.ask(request))
    for cut in range(1, len(request)):
        assert re.sub(rb"[+-]\d+\.\d{9} split", b"SKEW split", node.ask(request, [cut])) == whole
    assert re.sub(rb"[+-]\d+\.\d{9} split", b"SKEW split", node.ask(request, [1] * len(request))) == whole


def test_a_connection_serves_many_requests_one_after_the_other(node):
    with node.connect() as s:
        for i in range(50):
            s.sendall(iamat(b"many", at=b"%d" % (100 + i)) + b"\n")
            assert read_lines(s, 1).count(b"\n") == 1


def test_each_reply_is_one_write(node):
    node.ask(iamat() + b"\n")
    with node.connect() as s:
        for _ in range(20):
            s.sendall(b"WHATSAT " + KIWI + b" 10 1\n")
            assert s.recv(65536).endswith(b"\n\n")


def test_line_at_the_limit_is_served_and_one_beyond_is_cut(node):
    tail = b" +1+1 1"
    good = b"IAMAT " + b"c" * (65536 - 6 - len(tail)) + tail
    assert len(good) == 65536
    if len(good.split(b" ")[1]) <= 65535:
        assert node.ask(good + b"\n").startswith(b"AT Riley ")
    assert node.ask(b"x" * 65536 + b"\n") == b"? " + b"x" * 65536 + b"\n"
    assert node.ask(b"x" * 65537 + b"\n") == b"? " + b"x" * 64 + b"\n"


def test_a_megabyte_without_lf_gets_its_reply_and_no_reset(node):
    with node.connect() as s:
        s.sendall(b"y" * (1 << 20))
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b"? " + b"y" * 64 + b"\n"


def test_who_was_cut_is_closed_in_time_whoever_else_is_slow(tmp_path):
    """Each deadline has a queue of its own: a request half sent, with 30 s,
    does not keep one open whose input is discarded, with 5 s."""
    with Herd(tmp_path, ["Solo"], [], "request_timeout: 30s\nworkers: 1\n") as herd:
        solo = herd.start()["Solo"]
        with solo.connect() as slow, solo.connect() as cut:
            slow.sendall(b"IAMAT half")
            assert solo.ask(b"x\n") == b"? x\n"  # the worker has seen it
            cut.sendall(b"y" * 70000)
            began = time.monotonic()
            assert read_all(cut) == b"? " + b"y" * 64 + b"\n"

            def closed():
                try:
                    cut.send(b"z")
                except ConnectionError:
                    return True
                return False
            wait_until(closed, "it is closed", 15)
            assert time.monotonic() - began > 4


def test_nothing_is_sent_unasked(node):
    with node.connect() as s:
        s.settimeout(0.3)
        with pytest.raises(socket.timeout):
            s.recv(1)


def test_a_slow_reader_gets_everything(tmp_path):
    # Unread replies go far beyond the write timeout, but they do go.
    with Herd(tmp_path, ["Solo"], [], "write_timeout: 1s\n") as herd:
        solo = herd.start()["Solo"]
        solo.ask(iamat() + b"\n")
        count = 400
        s = solo.connect()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.sendall((b"WHATSAT " + KIWI + b" 50 20\n") * count)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s).count(b"\n\n") == count
        s.close()


def test_a_reader_that_stops_is_dropped(tmp_path):
    with Herd(tmp_path, ["Solo"], [], "write_timeout: 200ms\n") as herd:
        solo = herd.start()["Solo"]
        solo.ask(iamat() + b"\n")
        with solo.connect() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall((b"WHATSAT " + KIWI + b" 50 20\n") * 2000)

            def dropped():
                try:
                    s.send(b"x\n", socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return False
                except ConnectionError:
                    return True
                return False
            wait_until(dropped, "the connection is dropped")
            assert solo.ask(iamat() + b"\n").startswith(b"AT ")


def test_2000_connections_are_served(node):
    sockets = [node.connect() for _ in range(1000)]
    try:
        for i, s in enumerate(sockets):
            s.sendall(iamat(b"conn%d" % i, at=b"3") + b"\n")
        for i, s in enumerate(sockets):
            assert b"conn%d " % i in read_lines(s, 1)
    finally:
        for s in sockets:
            s.close()


def test_sigterm_finishes_and_exits_0(tmp_path):
    with Herd(tmp_path, ["Solo"], []) as herd:
        herd.start()
        with herd["Solo"].connect() as idle:
            idle.sendall(iamat() + b"\n")
            read_lines(idle, 1)
            assert herd["Solo"].stop() == 0
            assert idle.recv(1) == b""


def test_sigterm_does_not_wait_for_who_takes_no_reply(tmp_path):
    with Herd(tmp_path, ["Solo"], [], "write_timeout: 5m\n") as herd:
        solo = herd.start()["Solo"]
        solo.ask(iamat() + b"\n")
        with solo.connect() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.setblocking(False)
            request = b"WHATSAT " + KIWI + b" 50 20\n"

            def refused():
                try:
                    return s.send(request * 100) == 0
                except BlockingIOError:
                    return True
            wait_until(refused, "nothing more is taken from it")
            began = time.monotonic()
            assert solo.stop() == 0
            assert 10 < time.monotonic() - began < 19
            assert "event=clients-cut connections=1" in solo.log()


def test_a_request_that_does_not_end_is_answered_and_closed(tmp_path):
    settings = "request_timeout: 100ms\n"
    with Herd(tmp_path, ["Solo"], [], settings) as herd:
        solo = herd.start()["Solo"]
        with solo.connect() as slow, solo.connect() as idle:
            slow.sendall(b"IAMAT half")
            assert read_all(slow) == b"? IAMAT half\n"
            idle.sendall(iamat() + b"\n")
            assert read_lines(idle, 1).startswith(b"AT ")


def test_request_rate_slows_a_connection_down(tmp_path):
    with Herd(tmp_path, ["Solo"], [], "request_rate: 20\n") as herd:
        solo = herd.start()["Solo"]
        start = time.monotonic()
        assert solo.ask(b"x\n" * 40).count(b"\n") == 40
        assert time.monotonic() - start > 0.5


def test_traffic_log_has_requests_replies_and_links_in_ascii(tmp_path):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], 'log: {traffic: "traffic-%n.log"}\n') as herd:
        herd.start()
        herd.wait_synced()
        herd["A"].ask(b"IAMAT c\xff\x1b[2J +1+1 5\n")
        herd.stop()
        text = (tmp_path / "traffic-A.log").read_bytes()
        assert all(32 <= b < 127 or b == 10 for b in text)
        assert b"request" in text and rb"c\xff\x1b[2J" in text and b"link-up B" in text
        assert re.search(rb'reply 127\.0\.0\.1:\d+ "AT A ', text)


def test_traffic_log_on_a_full_disk_costs_no_service(tmp_path):
    with Herd(tmp_path, ["Solo"], [], 'log: {traffic: "/dev/full"}\n') as herd:
        solo = herd.start()["Solo"]
        for _ in range(3):
            assert solo.ask(iamat() + b"\n").startswith(b"AT ")
        solo.wait_log("traffic-lost")


def test_rewritten_positions_of_one_client_come_back_newest(node):
    for i in range(10):
        node.ask(iamat(b"moves", b"+%d+%d" % (i, i), b"%d" % (100 + i)) + b"\n")
    assert node.at_line(b"moves").split(b" ")[4] == b"+9+9"


def test_a_node_alone_needs_neither_peers_nor_admin(tmp_path):
    with Herd(tmp_path, ["Solo"], []) as herd:
        solo = herd["Solo"]
        herd.path.write_text(f'herd: ucla\nnodes: {{Solo: {{clients: "127.0.0.1:{solo.clients}"}}}}\n')
        herd.start()
        assert solo.ask(iamat() + b"\n").startswith(b"AT Solo ")
        assert solo.stop() == 0


def test_help_and_the_manual_name_the_same_options():
    help_text = subprocess.run([HERDD, "--help"], check=True, capture_output=True, text=True).stdout
    options = set(re.findall(r"(?<!\S)(--[a-z-]+)", help_text))
    manual = (TOP / "man" / "herdd.8").read_text()
    assert options == {"--" + name for name in re.findall(r"Fl -([a-z-]+)", manual)}
