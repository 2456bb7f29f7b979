# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals at any moment of a start and a stop: none kills the process wrongly,
none is lost that matters. A limit of file size is an error of the write."""
import os
import random
import re
import resource
import signal
import subprocess

import pytest

from api import Api
from nodes import HERDCTL, Herd, wait_until
from stores import blocked, make_format1, pause, read_rows, rows, wait_for_file, without_kind

ASYNC = "store: {engine: sqlite}\nplaces: {provider: none}\nworkers: 1\n"
SYNC = "store: {engine: sqlite, durability: sync}\nplaces: {provider: none}\nworkers: 1\n"
HELD = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
MANY = 200000


def wait_held(node):
    """Before its first line a process is the loader's, which holds nothing."""
    def held():
        assert node.process.poll() is None, node.log()
        return HELD <= blocked(node.process.pid)
    wait_until(held, "signals are held back")


def start_loading(node, path):
    node.start(wait=False)
    wait_for_file(node, path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_while_the_store_loads(tmp_path, number):
    path = tmp_path / "herd-Solo.sqlite"
    make_format1(path, rows(MANY))
    with Herd(tmp_path, ["Solo"], [], ASYNC) as herd:
        solo = herd["Solo"]
        for _ in range(3):  # it is of the older format, and so are its rows
            start_loading(solo, path)
            solo.send_signal(number)
            assert solo.wait_end() == 0
            assert f"event=stop by={number.name}" in solo.log()
            assert "event=stopped status=0" in solo.log()
        solo.start()
        solo.wait_log(f"store-loaded records={MANY} skipped=0")


def test_reload_while_the_store_loads_is_done_after_it(tmp_path):
    path = tmp_path / "herd-Solo.sqlite"
    make_format1(path, rows(MANY))
    with Herd(tmp_path, ["Solo"], [], ASYNC) as herd:
        solo = herd["Solo"]
        start_loading(solo, path)
        for _ in range(3):
            solo.send_signal(signal.SIGHUP)
        solo.wait_ready()
        solo.wait_log("event=reloaded by=SIGHUP")
        assert f"store-loaded records={MANY}" in solo.log()


def test_stop_and_reload_while_the_store_loads(tmp_path):
    path = tmp_path / "herd-Solo.sqlite"
    make_format1(path, rows(MANY))
    with Herd(tmp_path, ["Solo"], [], ASYNC) as herd:
        solo = herd["Solo"]
        start_loading(solo, path)
        solo.send_signal(signal.SIGHUP)
        solo.send_signal(signal.SIGTERM)
        assert solo.wait_end() == 0


def test_signals_while_it_stops_change_nothing(tmp_path):
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        solo = herd.start()["Solo"]
        acknowledged = [b"c%d" % i for i in range(500)]
        solo.iamat(*((client, b"+1+1", b"5") for client in acknowledged))
        with solo.connect() as slow:  # replies that nobody reads
            slow.setblocking(False)
            try:
                while True:
                    slow.send(b"WHATSAT c1 1 1\n" * 1000)
            except BlockingIOError:
                pass
            solo.send_signal(signal.SIGTERM)
            solo.wait_log("event=stop by=SIGTERM")
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2,
                           signal.SIGPIPE, signal.SIGXFSZ) * 3:
                if solo.process.poll() is None:
                    solo.send_signal(number)
        assert solo.wait_end() == 0
        assert "event=stopped status=0" in solo.log()
        solo.start()
        assert None not in solo.at_lines(acknowledged)


def test_signals_by_habit_do_not_kill(tmp_path):
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        solo = herd.start()["Solo"]
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGXFSZ):
            solo.send_signal(number)
        solo.iamat((b"a", b"+1+1", b"5"))
        assert solo.stop() == 0


def test_only_the_main_thread_takes_signals(tmp_path):
    settings = "store: {engine: sqlite}\nlog: {traffic: t.log}\n"
    with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        herd.start()
        herd.wait_synced()
        pid = herd["A"].process.pid
        threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
        assert len(threads) > 4
        for thread in threads:
            held = blocked(f"{pid}/task/{thread}")
            assert not HELD & held if thread == pid else HELD <= held


@pytest.mark.parametrize("words,status", [(["--help"], 0), (["--version"], 0), (["--check-config"], 0)])
def test_what_only_tells_does_not_hold_signals(tmp_path, words, status):
    with Herd(tmp_path, ["Solo"], []) as herd:
        done = subprocess.run([herd.herdd, "-c", str(herd.path), *words], capture_output=True)
        assert done.returncode == status


def test_signals_at_random_moments(tmp_path):
    seed = int(os.environ.get("HERD_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    rng = random.Random(seed)
    contents = rows(20000)
    make_format1(tmp_path / "herd-Solo.sqlite", contents)
    numbers = [signal.SIGHUP] * 3 + [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2,
                                     signal.SIGXFSZ, signal.SIGPIPE]
    acknowledged = {}
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        solo = herd["Solo"]
        for turn in range(40):
            solo.start(wait=False)
            wait_held(solo)
            reloads = 0
            while solo.process.poll() is None and rng.random() < 0.8:
                pause(rng.random() ** 3 * 0.2)
                number = rng.choice(numbers)
                reloads += number == signal.SIGHUP
                solo.send_signal(number)
                if rng.random() < 0.3:
                    name, at = b"new%d" % rng.randrange(20), 2000000000 + turn
                    try:
                        if solo.ask(b"IAMAT %s +1+1 %d\n" % (name, at)).startswith(b"AT "):
                            acknowledged[name] = at
                    except OSError:
                        pass  # not yet, or no longer
            solo.send_signal(signal.SIGTERM)
            assert solo.wait_end() == 0, solo.log()
            assert "event=stopped status=0" in solo.log()
            assert "reload-rejected" not in solo.log()
        solo.start()
        assert None not in solo.at_lines([row[0] for row in contents if row[1] == 0])
        for name, at in acknowledged.items():
            assert int(solo.at_line(name).split(b" ")[-1]) >= at
        assert solo.stop() == 0
        found, _ = read_rows(tmp_path / "herd-Solo.sqlite")
        assert set(without_kind(contents)) <= set(found)


# --- the limit of file size ---------------------------------------------------


def limit_files(node, size):
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size, size))


def lines_of_log(node):
    return "\n".join(Api(node.admin).get("/v1/log?n=1000").json["lines"])


def report_until(node, done):
    def more():
        try:
            node.ask(b"".join(b"IAMAT %s +1+1 5\n" % os.urandom(100).hex().encode() for _ in range(50)))
        except OSError:
            pass  # it refuses clients
        return done()
    wait_until(more, "the limit of file size is met")


@pytest.mark.parametrize("settings", [SYNC, ASYNC])
def test_store_at_the_limit_of_file_size_has_failed(tmp_path, settings):
    with Herd(tmp_path, ["Solo"], [], settings) as herd:
        solo = herd.start()["Solo"]
        solo.iamat((b"before", b"+1+1", b"5"))
        limit_files(solo, 60000)
        api = Api(solo.admin)
        report_until(solo, lambda: api.get("/v1/status").json["store"]["state"] == "failed")
        assert re.search("disk I/O error: File too large$", api.get("/v1/status").json["store"]["error"])
        assert "store-failed" in lines_of_log(solo)
        if settings is ASYNC:
            solo.iamat((b"after", b"+1+1", b"6"))
        else:
            wait_until(lambda: api.get("/readyz").status == 503, "it is out of service")
        assert solo.stop() == 0
        solo.start()
        assert solo.at_line(b"before")


def test_logs_at_the_limit_of_file_size_lose_lines(tmp_path):
    with Herd(tmp_path, ["Solo"], [], "places: {provider: none}\nlog: {traffic: t.log}\n") as herd:
        solo = herd.start()["Solo"]
        limit_files(solo, 40000)
        report_until(solo, lambda: "event=traffic-lost" in lines_of_log(solo))
        assert 'error="File too large"' in lines_of_log(solo)
        metrics = Api(solo.admin).get("/metrics").body.decode()
        assert "herd_traffic_lines_lost_total 0\n" not in metrics
        solo.iamat((b"after", b"+1+1", b"6"))
        # The log itself: what its file has no room for is in memory.
        for i in range(500):
            assert Api(solo.admin).put("/v1/log/level", {"level": "debug" if i % 2 else "info"}).status == 200
        assert solo.log_path.stat().st_size <= 40000
        assert solo.stop() == 0


# --- herdctl --------------------------------------------------------------------


def limited(size):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def test_herdctl_tells_of_the_limit_of_file_size(tmp_path):
    """The text of --help is longer than the limit."""
    with open(tmp_path / "out", "wb") as out:
        done = subprocess.run([HERDCTL, "--help"], stdout=out, stderr=subprocess.PIPE, preexec_fn=limited(100),
                              env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    assert done.returncode == 8, done
    assert b"cannot write the output: File too large" in done.stderr
    assert (tmp_path / "out").stat().st_size == 100


def test_herdctl_ends_a_stream_that_cannot_be_written(herd, tmp_path):
    with open(tmp_path / "out", "wb") as out:
        child = subprocess.Popen([HERDCTL, "-c", str(herd.path), "-n", "Riley", "-o", "json", "events"], stdout=out,
                                 stderr=subprocess.PIPE, preexec_fn=limited(1000), cwd=tmp_path,
                                 env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
        number = iter(range(1 << 20))

        def ended():
            herd["Riley"].iamat((b"a", b"+1+1", b"%d" % next(number)))
            return child.poll() is not None
        wait_until(ended, "it ends by itself")
        assert b"File too large" in child.stderr.read()
        child.stderr.close()
        assert child.returncode == 8


def test_mkgazetteer_leaves_nothing_at_the_limit_of_file_size(tmp_path):
    program = os.path.join(os.path.dirname(HERDCTL), "mkgazetteer")
    table = b"".join(b"p%d\t1\t1\tP\tName %d\t\tUS\tCA\t1\n" % (i, i) for i in range(5000))
    done = subprocess.run([program, str(tmp_path / "g.sqlite")], input=table, capture_output=True,
                          preexec_fn=limited(20000))
    assert done.returncode == 1 and b"File too large" in done.stderr, done
    assert list(tmp_path.iterdir()) == []
