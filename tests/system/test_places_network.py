# SPDX-License-Identifier: GPL-3.0-or-later
"""Places over the network, against a fake upstream on TLS.

The real library in a small driver (places_probe), the real names, the real
certificates' checks; only the address is the fake's.
"""
import json
import os
import pathlib
import queue
import subprocess
import textwrap
import threading
import time

import pytest

import fake_places
from fake_places import KEY, FakePlaces
from nodes import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HERD_BUILD", ROOT / "build/release"))
PROBE = BUILD / "tests/system/places_probe"
PROVIDERS = ["google", "google-legacy", "photon"]
HERE = "+34.068930-118.445127"
SOON_S = 15


class Probe:
    """places_probe with settings; replies come as dictionaries."""

    def __init__(self, settings, env=None):
        assert PROBE.exists(), "`make system` builds it"
        arguments = [f"places.{k}={v}" for k, values in settings.items()
                     for v in (values if isinstance(values, list)
                               else [values])]
        self.process = subprocess.Popen(
            [str(PROBE), *arguments], stdin=subprocess.PIPE, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
            env={**os.environ, **(env or {})})
        self.lines = queue.Queue()
        self.seen = []
        self.asked = 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def wait(self, what, timeout_s=SOON_S, **facts):
        """The next reply of that kind, seen or to come."""
        end = time.monotonic() + timeout_s
        while True:
            for reply in self.seen:
                if reply["what"] == what and all(
                        reply[k] == v for k, v in facts.items()):
                    self.seen.remove(reply)
                    return reply
            reply = self.lines.get(timeout=max(0, end - time.monotonic()))
            assert reply is not None, self.process.stderr.read()
            self.seen.append(reply)

    def say(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def ask(self, where=HERE, km="10", count=5):
        self.asked += 1
        self.say(f"ask {self.asked} {where} {km} {count}")
        return str(self.asked)

    def answer(self, number, timeout_s=SOON_S):
        reply = self.wait("answer", timeout_s, id=number)
        check_look(reply["json"])
        reply["answer"] = json.loads(reply["json"])
        return reply

    def get(self, *args, **kwargs):
        return self.answer(self.ask(*args, **kwargs))["answer"]

    def report(self, command):
        self.say(command)
        return self.wait(command.split()[0])["text"]

    def status(self):
        return json.loads(self.report("status"))

    def provider(self, index=0):
        return self.status()["providers"][index]

    def until(self, fact, timeout_s=SOON_S):
        """Waits until fact(first provider's status) holds."""
        def state_of_it():
            state = self.provider()
            return state if fact(state) else None
        return wait_until(state_of_it, "the provider's status", timeout_s)

    def quit(self):
        if self.process.poll() is None:
            try:
                self.say("quit")
            except BrokenPipeError:
                pass
        code = self.process.wait(SOON_S)
        errors = self.process.stderr.read()
        assert code == 0, errors
        assert KEY not in errors
        return errors


def check_look(text):
    """What holds for every answer of every provider."""
    assert "\n\n" not in text and "\r" not in text
    assert text == text.strip()
    assert KEY not in text
    answer = json.loads(text)
    assert {"html_attributions", "results", "status"} <= set(answer)
    assert isinstance(answer["results"], list)
    assert answer["status"] in (
        "OK", "ZERO_RESULTS", "INVALID_REQUEST", "OVER_QUERY_LIMIT",
        "REQUEST_DENIED", "UNKNOWN_ERROR")
    assert (answer["status"] == "OK") == (len(answer["results"]) > 0)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("places")


@pytest.fixture(scope="session")
def authority(folder):
    return fake_places.make_authority(folder, "authority")


@pytest.fixture(scope="session")
def key_file(folder):
    path = folder / "key"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def fake(folder, authority):
    with FakePlaces(folder, authority=authority) as server:
        yield server


@pytest.fixture
def start(fake, key_file):
    """Starts probes against the fake; each must end well."""
    probes = []

    def start_one(provider, env=None, server=fake, **settings):
        base = {"provider": provider, "key_file": key_file,
                "connect_to": server.address, "ca_file": fake.ca_file}
        base.update(settings)
        probe = Probe({k: v for k, v in base.items() if v is not None}, env)
        probes.append(probe)
        probe.wait("ready")
        return probe

    yield start_one
    for probe in probes:
        probe.quit()
    assert fake.faults == []


def refused(settings, env=None):
    """What the driver says when it does not start."""
    probe = Probe(settings, env)
    assert probe.process.wait(SOON_S) == 1
    text = probe.process.stderr.read()
    assert KEY not in text
    return text


# --- answers -------------------------------------------------------------------

@pytest.mark.parametrize("provider", PROVIDERS)
def test_good_answer_has_googles_form(start, provider):
    answer = start(provider).get(count=8)
    assert answer["status"] == "OK"
    names = [place["name"] for place in answer["results"]]
    assert names == fake_places.PLACE_NAMES[:8]
    assert "error_message" not in answer


def test_google_mapping_is_complete(start):
    place = start("google", google_fields="rich").get(count=3)["results"][0]
    assert place == {
        "business_status": "OPERATIONAL",
        "geometry": {
            "location": {"lat": 34.06893, "lng": -118.445127},
            "viewport": {
                "northeast": {"lat": 34.06993, "lng": -118.444127},
                "southwest": {"lat": pytest.approx(34.06793),
                              "lng": -118.446127}}},
        "icon": "https://maps.gstatic.com/mapfiles/place_api/icons/v1/"
                "png_71/restaurant-71.png",
        "icon_background_color": "#FF9E67",
        "icon_mask_base_uri": "https://maps.gstatic.com/icon",
        "name": "Café Müller", "opening_hours": {"open_now": True},
        "photos": [{"height": 3024, "html_attributions": [
            '<a href="https://maps.google.com/ann">Ann</a>'],
            "photo_reference": "places/ChIJ0000/photos/x", "width": 4032}],
        "place_id": "ChIJ0000",
        "plus_code": {"compound_code": "2HC3+XX Town",
                      "global_code": "85632HC3+XX"},
        "price_level": 2, "rating": 4.5, "reference": "ChIJ0000",
        "scope": "APP", "types": ["restaurant", "point_of_interest"],
        "user_ratings_total": 120, "vicinity": "0 Main Street, Town"}


def test_google_basic_fields_invent_nothing(start):
    answer = start("google").get(count=2)
    assert answer["html_attributions"] == [
        '<a href="https://example.org">Listings by Example &amp; &lt;Sons&gt;</a>']
    for place in answer["results"]:
        assert not {"rating", "price_level", "opening_hours", "photos",
                    "user_ratings_total"} & set(place)


@pytest.mark.parametrize("provider", ["google", "photon"])
def test_mapped_answer_has_the_look(start, provider):
    probe = start(provider)
    text = probe.answer(probe.ask(count=3))["json"]
    lines = text.split("\n")
    assert lines[0] == "{" and lines[-1] == "}"
    assert all(line == line.rstrip() for line in lines)
    assert all((len(line) - len(line.lstrip())) % 3 == 0 for line in lines)
    assert '         "name" : "Tom & Jerry \\u003cBar\\u003e",' in lines
    assert '         "name" : "Café Müller",' in lines
    keys = list(json.loads(text)["results"][0])
    assert keys == sorted(keys)


def test_legacy_text_is_kept(start, fake):
    probe = start("google-legacy")
    for count in (1, 3, 19, 20):
        text = probe.answer(probe.ask(count=count))["json"]
        whole = fake_places.pretty(fake.requests[-1])
        cut = json.loads(whole)
        cut["results"] = cut["results"][:count]
        expected = json.dumps(cut, indent=3, ensure_ascii=False)
        assert text == expected
        assert json.loads(text)["next_page_token"] == "Aap_uEC6"


@pytest.mark.parametrize("mode", ["blank_lines", "crlf", "bom", "compact"])
def test_legacy_newlines_are_squeezed(start, fake, mode):
    fake.mode = mode
    probe = start("google-legacy")
    text = probe.answer(probe.ask(count=2))["json"]
    whole = fake_places.answer_json(fake.requests[-1])
    whole["results"] = whole["results"][:2]
    assert text == (json.dumps(whole) if mode == "compact" else json.dumps(
        whole, indent=3, ensure_ascii=False))


GOOD = ("OK", 5)
NONE = ("ZERO_RESULTS", 0)
BAD = ("UNKNOWN_ERROR", 0)
# Mode: what each provider makes of it (one for all, or one each).
MATRIX = {
    "good": GOOD, "compact": GOOD, "bom": GOOD, "crlf": GOOD,
    "blank_lines": GOOD, "chunked": GOOD, "until_close": GOOD,
    "close_after": GOOD,
    "fewer": ("OK", 2), "more": GOOD, "none": NONE,
    "outside": {"google": NONE, "google-legacy": ("OK", 5), "photon": NONE},
    "empty": BAD, "null": BAD, "array": BAD,
    "object": {"google": NONE, "google-legacy": BAD, "photon": BAD},
    "list_is_object": BAD, "list_is_text": BAD, "list_of_null": BAD,
    "lat_is_text": {"google": BAD, "google-legacy": ("OK", 1),
                    "photon": BAD},
    "lat_is_off": {"google": BAD, "google-legacy": ("OK", 1), "photon": BAD},
    "one_nowhere": {"google": ("OK", 2), "google-legacy": ("OK", 3),
                    "photon": ("OK", 2)},
    "deep": BAD, "deep_32": BAD, "long_name": BAD, "html": BAD,
    "junk_behind": BAD, "nul_in_name": BAD, "cut": BAD, "many_values": BAD,
    "bad_utf8": BAD, "cut_with_length": BAD, "cut_without_length": BAD,
    "bad_chunk": BAD, "huge_chunked": BAD, "huge_length": BAD,
    "huge_headers": BAD, "reset": BAD, "not_http": BAD, "close": BAD,
    "http_302": BAD, "http_400": ("INVALID_REQUEST", 0),
    "http_401": ("REQUEST_DENIED", 0), "http_403": ("REQUEST_DENIED", 0),
    "http_404": BAD, "http_429": ("OVER_QUERY_LIMIT", 0), "http_500": BAD,
    "http_502": BAD, "http_503": BAD, "key_in_answer": ("OK", 1),
}
LEGACY_MATRIX = {
    "status_unknown": BAD, "status_over": ("OVER_QUERY_LIMIT", 0),
    "status_denied": ("REQUEST_DENIED", 0),
    "status_invalid": ("INVALID_REQUEST", 0), "status_error": BAD,
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_mode_gives_its_answer(start, fake, provider):
    probe = start(provider, cache="no")
    modes = dict(MATRIX)
    if provider == "google-legacy":
        modes.update(LEGACY_MATRIX)
    for number, (mode, expected) in enumerate(modes.items()):
        if isinstance(expected, dict):
            expected = expected[provider]
        fake.mode = mode
        answer = probe.get(where=f"+10.{number:03d}+20", count=5)
        got = answer["status"], len(answer["results"])
        assert got == expected, (mode, answer.get("error_message"))
        assert ("error_message" in answer) == (
            expected[0] not in ("OK", "ZERO_RESULTS")), mode
        # Good answers between keep the breaker closed.
        fake.mode = "good"
        for degree in (30, 31):
            assert probe.get(
                where=f"+{degree}.{number:03d}+20")["status"] == "OK", mode


@pytest.mark.parametrize("provider", ["google", "photon"])
def test_place_without_location_is_left_out_and_counted(start, fake, provider):
    probe = start(provider, cache="no")
    fake.mode = "one_nowhere"
    assert len(probe.get(count=5)["results"]) == 2
    assert probe.get(count=5)["status"] == "OK"
    assert probe.provider()["left_out"] == 2


def test_matrix_has_every_mode():
    slow = {"silence", "drip"}
    assert set(fake_places.MODES) - slow == set(MATRIX) | set(LEGACY_MATRIX)


def test_upstreams_own_words_reach_the_client(start, fake):
    fake.mode = "http_403"
    message = start("google").get()["error_message"]
    assert message == ("google: HTTP 403: Told PERMISSION_DENIED to "
                       "api_key:[key]")
    fake.mode = "status_over"
    message = start("google-legacy").get()["error_message"]
    assert message == "google-legacy: OVER_QUERY_LIMIT: Told OVER_QUERY_LIMIT."


@pytest.mark.parametrize("provider", PROVIDERS)
def test_questions_at_the_edges_are_asked_rightly(start, provider):
    probe = start(provider)
    for where in ("+90+180", "-90-180", "+0+0", "-0.000000001+0.000000001",
                  "+89.999999999-179.999999999"):
        for km in ("50", "0.001", "49.999999", "0.000001"):
            assert probe.get(where=where, km=km, count=1)["status"] in (
                "OK", "ZERO_RESULTS")


# --- time -----------------------------------------------------------------------

@pytest.mark.parametrize("provider", PROVIDERS)
def test_silence_ends_at_the_timeout(start, fake, provider):
    fake.mode = "silence"
    probe = start(provider, timeout="700ms")
    reply = probe.answer(probe.ask())
    assert reply["answer"]["status"] == "UNKNOWN_ERROR"
    assert 600 <= reply["ms"] < 3000
    assert len(fake.requests) == 1  # a timeout is not tried again


def test_drip_is_too_slow(start, fake):
    fake.mode = "drip"
    probe = start("google", timeout="9s")
    reply = probe.answer(probe.ask())
    assert "too slow" in reply["answer"]["error_message"]
    assert reply["ms"] < 9000


def test_every_question_is_answered_within_ten_seconds(start, fake):
    """Also those that wait for the calls before them."""
    fake.mode = "silence"
    probe = start("google", timeout="6s", max_concurrent="2")
    asks = [probe.ask(where=f"+1.{i}+1") for i in range(8)]
    for number in asks:
        reply = probe.answer(number)
        assert reply["answer"]["status"] == "UNKNOWN_ERROR"
        assert reply["ms"] < 10000


def test_connecting_has_its_own_timeout(start):
    """A full listen queue takes no connection and refuses none."""
    import socket
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = "127.0.0.1:%d" % full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        probe = start("google", connect_timeout="300ms", connect_to=address)
        reply = probe.answer(probe.ask())
        assert reply["answer"]["status"] == "UNKNOWN_ERROR"
        assert reply["ms"] < 4000
        for filler in fillers:
            filler.close()


def test_name_server_that_never_answers_is_waited_for_in_bounds(
        start, folder):
    """getaddrinfo() hangs; libcurl's thread for it must not hold us up."""
    source = folder / "hang.c"
    source.write_text(textwrap.dedent("""
        #include <netdb.h>
        #include <unistd.h>
        int getaddrinfo(const char *n, const char *s,
            const struct addrinfo *h, struct addrinfo **r)
        { (void)n; (void)s; (void)h; (void)r; sleep(60); return EAI_AGAIN; }
        """))
    library = folder / "hang.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library),
                    str(source)], check=True)
    preload = str(library)
    if "asan" in BUILD.name or "tsan" in BUILD.name:
        pytest.skip("the sanitizer wants to be loaded first")
    probe = start("google", connect_to=None, connect_timeout="500ms",
                  env={"LD_PRELOAD": preload})
    started = time.monotonic()
    reply = probe.answer(probe.ask())
    assert reply["answer"]["status"] == "UNKNOWN_ERROR"
    assert reply["ms"] < 4000
    probe.quit()
    assert time.monotonic() - started < 8


# --- connections ------------------------------------------------------------------

def test_connection_is_kept(start, fake):
    probe = start("google")
    for i in range(10):
        assert probe.get(where=f"+1.{i}+1")["status"] == "OK"
    assert fake.connections == 1


def test_connection_that_the_upstream_closed_is_replaced(start, fake):
    fake.mode = "close_after"
    probe = start("google")
    for i in range(10):
        assert probe.get(where=f"+1.{i}+1")["status"] == "OK"
    assert len(fake.requests) == 10


def test_wrong_authority_is_refused(start, folder):
    other = fake_places.make_authority(folder, "other")
    with FakePlaces(folder, authority=other) as impostor:
        probe = start("google", server=impostor)
        message = probe.get()["error_message"]
        assert "certificate" in message, message
        assert impostor.requests == []


def test_wrong_name_is_refused(start, folder, authority):
    with FakePlaces(folder, authority=authority,
                    hosts=["evil.example"]) as impostor:
        for provider in PROVIDERS:
            message = start(provider, server=impostor).get()["error_message"]
            assert "certificate" in message, message
        assert impostor.requests == []


def test_systems_certificates_do_not_know_the_fake(start, fake):
    probe = start("google", ca_file=None)
    assert probe.get()["status"] == "UNKNOWN_ERROR"
    assert fake.requests == []


def test_proxies_of_the_environment_are_not_used(start):
    dead = "http://127.0.0.1:9"
    probe = start("google", env={"https_proxy": dead, "HTTPS_PROXY": dead,
                                 "all_proxy": dead, "http_proxy": dead})
    assert probe.get()["status"] == "OK"


def test_plain_http_on_this_machine_by_base_url(start, folder):
    with FakePlaces(folder, tls=False) as plain:
        for provider in PROVIDERS:
            probe = start(provider, connect_to=None,
                          base_url=f"http://{plain.address}/")
            assert probe.get()["status"] == "OK"
        assert plain.faults == []


def test_redirect_is_not_followed(start, fake):
    fake.mode = "http_302"
    answer = start("google-legacy").get()
    assert "redirect" in answer["error_message"]
    assert len(fake.requests) == 1


# --- second attempts, breaker, rate, queue --------------------------------------------

@pytest.mark.parametrize("mode,tries", [
    ("http_502", 2), ("http_503", 2), ("close", 2), ("http_500", 1),
    ("http_429", 1), ("http_403", 1), ("cut", 1), ("cut_with_length", 1)])
def test_second_attempt_only_where_it_may_help(start, fake, mode, tries):
    probe = start("google")
    fake.modes = [mode]
    answer = probe.get()
    assert len(fake.requests) == tries
    assert (answer["status"] == "OK") == (tries == 2)
    assert probe.provider()["retries"] == tries - 1


def test_second_attempt_is_the_last(start, fake):
    fake.mode = "http_503"
    assert start("google").get()["status"] == "UNKNOWN_ERROR"
    assert len(fake.requests) == 2


def test_refused_connection_is_tried_again_and_told(start):
    import socket
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = "127.0.0.1:%d" % unused.getsockname()[1]
        probe = start("google", connect_to=address)
        answer = probe.get()
    assert answer["status"] == "UNKNOWN_ERROR"
    assert "onnect" in answer["error_message"]
    assert probe.provider()["retries"] == 1


def test_breaker_opens_and_spares_the_upstream(start, fake):
    fake.mode = "http_500"
    probe = start("google")
    for i in range(20):
        assert probe.get(where=f"+1.{i:02d}+1")["status"] == "UNKNOWN_ERROR"
    assert len(fake.requests) == 20
    answer = probe.get(where="+2+2")
    assert "too many calls failed" in answer["error_message"]
    assert len(fake.requests) == 20
    state = probe.provider()
    assert state["breaker"] == "open" and state["state"] == "open"
    assert state["refused_breaker"] == 1
    event = probe.wait("event")
    assert event["message"].startswith("google fails: HTTP 500")
    assert "10 of the last 20 calls failed" in probe.wait("event")["message"]


def test_breaker_lets_one_call_try_and_closes(start, fake):
    fake.mode = "http_500"
    probe = start("google")
    for i in range(20):
        probe.get(where=f"+1.{i:02d}+1")
    fake.mode = "good"
    wait_until(lambda: probe.get(where="+2+2")["status"] == "OK", "it asks again", SOON_S)
    assert len(fake.requests) == 21
    assert probe.provider()["breaker"] == "closed"
    assert probe.get(where="+3+3")["status"] == "OK"


def test_refusals_do_not_open_the_breaker(start, fake):
    fake.mode = "http_429"
    probe = start("google")
    for i in range(30):
        assert probe.get(where=f"+1.{i:02d}+1")["status"] == \
            "OVER_QUERY_LIMIT"
    assert len(fake.requests) == 30
    assert probe.provider()["breaker"] == "closed"


def test_rate_is_kept(start, fake):
    probe = start("google", rate="3")
    got = [probe.get(where=f"+1.{i}+1")["status"] for i in range(6)]
    assert got[:3] == ["OK"] * 3
    assert got.count("OVER_QUERY_LIMIT") >= 2
    assert len(fake.requests) <= 4
    assert probe.provider()["refused_rate"] == got.count("OVER_QUERY_LIMIT")
    wait_until(lambda: probe.get(where="+2+2")["status"] == "OK", "it asks again", SOON_S)


def test_queue_is_bounded(start, fake):
    fake.mode = "gate"
    probe = start("google", max_concurrent="2", max_queued="3")
    asks = [probe.ask(where=f"+1.{i}+1") for i in range(7)]
    for number in asks[5:]:
        answer = probe.answer(number)["answer"]
        assert answer["status"] == "OVER_QUERY_LIMIT"
        assert "too many questions" in answer["error_message"]
    state = probe.until(lambda s: s["active"] == 2 and s["queued"] == 3)
    assert state["refused_queue"] == 2
    fake.gate.set()
    for number in asks[:5]:
        assert probe.answer(number)["answer"]["status"] == "OK"
    assert len(fake.requests) == 5


# --- HTTP/2 ----------------------------------------------------------------------

@pytest.fixture
def fake_h2(folder, authority):
    with FakePlaces(folder, authority=authority, http2=True) as server:
        yield server
    assert server.faults == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_http2_calls_share_a_connection(start, fake_h2, provider):
    fake_h2.mode = "gate"
    probe = start(provider, server=fake_h2, ca_file=fake_h2.ca_file,
                  max_concurrent="30")
    asks = [probe.ask(where=f"+1.{i:02d}+1", count=3) for i in range(30)]
    wait_until(lambda: len(fake_h2.requests) == 30, "all under way at once")
    fake_h2.gate.set()
    for number in asks:
        answer = probe.answer(number)["answer"]
        assert len(answer["results"]) == 3
    assert fake_h2.connections == 1


def test_http2_connection_that_fell_silent_is_not_used_again(start, fake_h2):
    fake_h2.h2_mode = "silent"
    probe = start("google", server=fake_h2, ca_file=fake_h2.ca_file,
                  timeout="700ms")
    answer = probe.get(where="+1+1")
    assert answer["status"] == "UNKNOWN_ERROR"
    for i in range(5):
        assert probe.get(where=f"+2+{i}")["status"] == "OK"
    assert fake_h2.connections == 2


def test_http2_connection_that_is_called_off_is_replaced(start, fake_h2):
    fake_h2.h2_mode = "goaway"
    probe = start("google", server=fake_h2, ca_file=fake_h2.ca_file)
    for i in range(5):
        assert probe.get(where=f"+2+{i}")["status"] == "OK"
    assert fake_h2.connections == 5


def test_http2_reset_stream_is_an_error_of_one_call(start, fake_h2):
    probe = start("google", server=fake_h2, ca_file=fake_h2.ca_file)
    assert probe.get(where="+1+1")["status"] == "OK"
    fake_h2.h2_mode = "reset"
    answer = probe.get(where="+2+2")
    assert answer["status"] == "UNKNOWN_ERROR"
    assert answer["error_message"]
    fake_h2.h2_mode = "good"
    assert probe.get(where="+3+3")["status"] == "OK"
    assert fake_h2.connections == 1


# --- sharing, cancelling, cache -----------------------------------------------------------

@pytest.mark.parametrize("provider", PROVIDERS)
def test_same_questions_share_a_call(start, fake, provider):
    fake.mode = "gate"
    probe = start(provider)
    asks = [probe.ask() for _ in range(20)]
    other = probe.ask(count=4)
    probe.until(lambda s: s["active"] == 2 and s["shared"] == 19)
    fake.gate.set()
    replies = [probe.answer(number)["json"] for number in asks]
    assert len(set(replies)) == 1
    assert len(probe.answer(other)["answer"]["results"]) == 4
    assert len(fake.requests) == 2


def test_call_goes_on_for_the_others(start, fake):
    fake.mode = "gate"
    probe = start("google")
    asks = [probe.ask() for _ in range(5)]
    probe.until(lambda s: s["shared"] == 4)
    for number in asks[:4]:
        probe.say(f"cancel {number}")
        probe.wait("cancelled")
    fake.gate.set()
    assert probe.answer(asks[4])["answer"]["status"] == "OK"
    probe.until(lambda s: s["active"] == 0)
    probe.quit()
    assert not [r for r in probe.seen if r and r["what"] == "answer"]
    assert len(fake.requests) == 1


def test_call_of_nobody_still_fills_the_cache(start, fake):
    fake.mode = "gate"
    probe = start("photon")
    number = probe.ask()
    probe.until(lambda s: s["active"] == 1)
    probe.say(f"cancel {number}")
    probe.wait("cancelled")
    fake.gate.set()
    probe.until(lambda s: s["cache"]["entries"] == 1)
    reply = probe.answer(probe.ask())
    assert reply["at_once"] and reply["answer"]["status"] == "OK"
    assert len(fake.requests) == 1


def test_photons_answers_are_kept_and_googles_never(start, fake):
    for provider, calls in (("photon", 1), ("google", 3),
                            ("google-legacy", 3)):
        fake.requests.clear()
        probe = start(provider, cache="yes")
        texts = {probe.answer(probe.ask())["json"] for _ in range(3)}
        assert len(texts) == 1
        assert len(fake.requests) == calls
        state = probe.provider()
        assert state["cached"] == 3 - calls
        assert (state["cache"] is None) == (provider != "photon")


def test_cache_can_be_flushed_and_switched_off(start, fake):
    probe = start("photon")
    probe.get()
    probe.get(count=4)
    assert probe.report("flush") == "2"
    probe.get()
    assert len(fake.requests) == 3
    fake.requests.clear()
    probe = start("photon", cache="no")
    probe.get()
    probe.get()
    assert len(fake.requests) == 2


def test_failure_is_remembered_for_a_moment(start, fake):
    fake.mode = "http_500"
    probe = start("photon")
    first = probe.get()
    assert probe.get() == first
    assert len(fake.requests) == 1


# --- chains ---------------------------------------------------------------------------------

def test_next_provider_answers_when_one_fails(start, fake):
    fake.modes = ["http_403"]
    probe = start(["google", "photon"])
    answer = probe.get()
    assert answer["status"] == "OK"
    assert answer["results"][0]["place_id"].startswith("osm-")
    assert [r.kind for r in fake.requests] == ["google", "photon"]


def test_gazetteer_answers_when_the_network_is_out(start, fake):
    fake.mode = "http_500"
    probe = start(["google", "photon", "gazetteer"],
                  data="build/gazetteer.sqlite")
    answer = probe.get()
    assert answer["status"] == "OK"
    assert "GeoNames" in answer["html_attributions"][0]
    status = probe.status()
    assert [p["failed"] for p in status["providers"]] == [1, 1, 0]
    assert (status["answered"], status["failed"]) == (1, 0)


def test_gazetteer_answers_at_the_deadline(start, fake):
    fake.mode = "silence"
    probe = start(["google", "gazetteer"], timeout="20s",
                  data="build/gazetteer.sqlite")
    reply = probe.answer(probe.ask())
    assert reply["answer"]["status"] == "OK"
    assert reply["ms"] < 10000


def test_all_failures_are_told(start, fake):
    fake.modes = ["http_429", "http_500"]
    answer = start(["google", "photon"]).get()
    assert answer["status"] == "OVER_QUERY_LIMIT"
    assert answer["error_message"] == (
        "google: HTTP 429: Told RESOURCE_EXHAUSTED to api_key:[key]; "
        "photon: HTTP 500: Told INTERNAL")


def test_first_provider_without_network_answers_at_once(start, fake):
    probe = start(["gazetteer", "google"], data="build/gazetteer.sqlite")
    assert probe.answer(probe.ask())["at_once"]
    assert fake.requests == []


# --- the key ------------------------------------------------------------------------------------

def test_key_is_nowhere_to_be_seen(start, fake):
    probe = start("google")
    fake.modes = ["key_in_answer", "http_403"]
    assert "[key]" in probe.get()["results"][0]["name"]
    assert "[key]" in probe.get()["error_message"]
    texts = [probe.report("status"), probe.report("metrics"),
             probe.report(f"test {HERE} 10 5"),
             json.dumps(probe.seen), json.dumps(probe.wait("event"))]
    pid = probe.process.pid
    for name in ("cmdline", "environ"):
        texts.append(pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
                     .decode("latin-1"))
    assert not [text for text in texts if KEY in text]


def test_key_is_masked_before_a_message_is_cut(start, fake):
    """No part of it is left at the end of a text that was too long."""
    probe = start("google")
    fake.mode = "http_403"
    for before in (*range(450, 520, 7), *range(980, 1040, 7)):
        fake.message = "x" * before + KEY
        texts = [probe.get()["error_message"], probe.report("status"),
                 probe.report(f"test {HERE} 10 5")]
        assert not [text for text in texts if KEY[:4] in text], before


def test_long_message_is_cut_between_characters(start, fake):
    """What the operator and the client read stays UTF-8."""
    probe = start(["google", "gazetteer"], data="build/gazetteer.sqlite")
    fake.mode = "http_403"
    for shift in range(4):
        fake.message = "x" * shift + "\U0001f35c" * 400
        assert probe.get()["status"] == "OK"  # the gazetteer's
        for report in (probe.provider(), json.loads(
                probe.report(f"test {HERE} 10 5"))["steps"][0]):
            text = report.get("last_error") or report["error_message"]
            assert set(text[len("HTTP 403: ") + shift:]) == {"\U0001f35c"}
        assert "\ufffd" not in json.dumps(probe.status(), ensure_ascii=False)
    only = start("google")
    message = only.get()["error_message"]
    assert set(message[len("google: HTTP 403: xxx"):]) == {"\U0001f35c"}


def test_key_file_must_be_closed_to_others(folder):
    path = folder / "open-key"
    path.write_text(KEY)
    for mode in (0o644, 0o640, 0o604, 0o660):
        path.chmod(mode)
        text = refused({"provider": "google", "key_file": path})
        assert f"{mode:04o}" in text and "chmod 600" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away")
def test_key_file_must_have_the_right_owner(folder):
    path = folder / "foreign-key"
    path.write_text(KEY)
    path.chmod(0o600)
    os.chown(path, 12345, 12345)
    assert "belongs to user 12345" in refused(
        {"provider": "google", "key_file": path})


@pytest.mark.parametrize("text,why", [
    ("", "1 to 512"), (" \n", "1 to 512"), ("two words", "one word"),
    ("k\u00e9y", "one word"), ("k" * 513, "1 to 512"),
    ("a\r\nX-Evil: 1", "one word"), ("k" * 5000, "1 to 512")])
def test_key_must_be_one_word(folder, text, why):
    path = folder / "odd-key"
    path.write_text(text, newline="")
    path.chmod(0o600)
    message = refused({"provider": "google", "key_file": path})
    assert why in message
    assert "X-Evil" not in message


def test_key_file_must_be_there(folder):
    assert "No such file" in refused(
        {"provider": "google", "key_file": folder / "none"})
    assert "not a regular file" in refused(
        {"provider": "google", "key_file": folder})
    assert "places.key_file" in refused({"provider": "google"})


def test_key_as_a_credential_of_systemd(start, folder, key_file):
    credentials = folder / "credentials"
    credentials.mkdir()
    (credentials / "places").write_text(KEY)
    (credentials / "places").chmod(0o440)
    env = {"CREDENTIALS_DIRECTORY": str(credentials)}
    probe = start("google", env=env, key_file="credential:places")
    assert probe.get()["status"] == "OK"
    settings = {"provider": "google"}
    for name, why in (("none", "No such file"), ("../key", "not a cred"),
                      ("", "not a cred"), (".hidden", "not a cred")):
        assert why in refused(
            {**settings, "key_file": f"credential:{name}"}, env)
    assert "LoadCredential=places" in refused(
        {**settings, "key_file": "credential:places"},
        {"CREDENTIALS_DIRECTORY": ""})


# --- settings -------------------------------------------------------------------------------------

@pytest.mark.parametrize("url,why", [
    ("http://photon.example/", "https://"),
    ("http://10.0.0.1:2322", "https://"),
    ("http://localhost@evil.example/", "user's name"),
    ("https://me:s3cret@photon.example", "user's name"),
    ("http://127.0.0.1.evil.example/", "https://"),
    ("ftp://127.0.0.1/", "https://"), ("photon.example", "https://"),
    ("https://photon.example/?a=b", "not scheme, host and path"),
    ("https://photon.example/a b", "not scheme, host and path")])
def test_base_url_is_checked(url, why):
    message = refused({"provider": "photon", "base_url": url})
    assert why in message and "s3cret" not in message


def test_base_url_for_two_is_ambiguous(key_file):
    assert "places.base_url is for one provider" in refused(
        {"provider": ["google", "photon"], "key_file": key_file,
         "base_url": "https://photon.example"})


def test_ca_file_must_be_readable(key_file):
    assert "/nonexistent" in refused(
        {"provider": "google", "key_file": key_file,
         "ca_file": "/nonexistent"})


def test_user_agent_is_herds_or_the_operators(start, fake):
    start("photon").get()
    assert fake.requests[-1].headers["user-agent"].startswith("herdd/")
    start("photon", user_agent="example.org ops@example.org").get()
    assert fake.requests[-1].headers["user-agent"] == \
        "example.org ops@example.org"


# --- what the operator sees ---------------------------------------------------------------------------

def test_test_call_tells_times_and_goes_past_the_cache(start, fake):
    probe = start("photon")
    probe.get()
    report = json.loads(probe.report(f"test {HERE} 10 5"))
    assert report["provider"] == "photon" and report["status"] == "OK"
    assert report["results"] == 5 and report["http_status"] == 200
    times = [report[f"{name}_ms"] for name in (
        "dns", "connect", "tls", "first_byte", "total")]
    assert 0 < times[0] and times == sorted(times)
    assert len(fake.requests) == 2 and fake.connections == 2
    probe.get(where="+3+3")
    assert fake.connections == 2  # on the first one


def test_test_call_lists_the_chain(start, fake):
    fake.mode = "http_403"
    probe = start(["google", "gazetteer"], data="build/gazetteer.sqlite")
    report = json.loads(probe.report(f"test {HERE} 10 5"))
    assert report["provider"] == "gazetteer" and report["status"] == "OK"
    google = report["steps"][0]
    assert google["status"] == "REQUEST_DENIED"
    assert google["http_status"] == 403
    assert google["error_message"].startswith("HTTP 403")


def test_failure_and_recovery_are_told_once(start, fake):
    probe = start("google")
    fake.mode = "http_404"
    for i in range(3):
        probe.get(where=f"+1.{i}+1")
    fake.mode = "good"
    for i in range(3):
        probe.get(where=f"+2.{i}+1")
    messages = [probe.wait("event")["message"] for _ in range(2)]
    assert messages[0].startswith("google fails: HTTP 404")
    assert messages[1] == "google answers again"
    state = probe.provider()
    assert state["last_error"].startswith("HTTP 404")
    assert state["state"] == "ready" and state["by_status"]["OK"] == 3
    assert not [r for r in probe.seen if r["what"] == "event"]


def test_metrics_of_the_network(start):
    probe = start("photon")
    probe.get()
    probe.get()
    lines = probe.report("metrics").split("\n")
    assert 'herd_places_calls_total{provider="photon"} 1' in lines
    assert 'herd_places_cached_total{provider="photon"} 1' in lines
    assert 'herd_places_breaker_open{provider="photon"} 0' in lines
    names = [line.split(" ")[2] for line in lines
             if line.startswith("# TYPE ")]
    assert len(names) == len(set(names))


def test_closing_answers_what_is_pending(start, fake):
    fake.mode = "silence"
    probe = start("google", max_concurrent="2")
    asks = [probe.ask(where=f"+1.{i}+1") for i in range(6)]
    probe.until(lambda s: s["active"] == 2 and s["queued"] == 4)
    started = time.monotonic()
    probe.say("quit")
    for number in asks:
        answer = probe.answer(number)["answer"]
        assert answer["error_message"] == "herdd: this node is stopping"
    assert probe.process.wait(SOON_S) == 0
    assert time.monotonic() - started < 3
