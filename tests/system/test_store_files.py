# SPDX-License-Identifier: GPL-3.0-or-later
"""The store's files under a running node: removed, moved, replaced, written by
others. No write fails because of it, so the node must look."""
import os
import re
import shutil
import signal

import pytest

from api import Api
from nodes import Herd, wait_until

SYNC = "store: {engine: sqlite, durability: sync}\nplaces: {provider: none}\nworkers: 1\n"
ASYNC = SYNC.replace("sync", "async")


def wal(path):
    return path.with_name(path.name + "-wal")


def replace(path):
    """A new file with the same bytes, in its place."""
    shutil.copy2(path, path.with_name("copy"))
    os.replace(path.with_name("copy"), path)


def overwrite(path, data):
    """What cp does: the same file, other bytes."""
    with open(path, "r+b") as file:
        file.truncate(0)
        file.write(data)


def move_folder(path):
    path.parent.rename(path.parent.with_name("away"))
    path.parent.mkdir()


def point_elsewhere(path):
    """store.path was a symbolic link all the time."""
    target = os.readlink(path)
    shutil.copy(target, target + "-other")
    path.unlink()
    path.symlink_to(target + "-other")


LOSSES = {
    "removed": (lambda path: path.unlink(), "was removed"),
    "log removed": (lambda path: wal(path).unlink(), "-wal: was removed"),
    "both removed": (lambda path: (path.unlink(), wal(path).unlink()), "was removed"),
    "folder removed": (lambda path: shutil.rmtree(path.parent), "was removed"),
    "folder moved": (move_folder, "was removed"),
    "moved": (lambda path: path.rename(path.with_name("away")), "was removed"),
    "replaced": (replace, "was replaced"),
    "log replaced": (lambda path: replace(wal(path)), "-wal: was replaced"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "was replaced"),
    "old copy written over it": (lambda path: overwrite(path, path.read_bytes()[:4096]), "was written by another"),
    "same bytes written over it": (lambda path: overwrite(path, path.read_bytes()), "was written by another"),
    "log emptied": (lambda path: os.truncate(wal(path), 0), "-wal: was written by another"),
}


@pytest.fixture
def stored(tmp_path, request):
    """A node with some reports in a folder of the store's own; its path."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "s.sqlite"
    with Herd(tmp_path, ["Solo"], [], request.param.replace("sqlite,", f'sqlite, path: "{path}",')) as herd:
        solo = herd.start()["Solo"]
        solo.iamat(*((b"c%d" % i, b"+1+1", b"5") for i in range(100)))
        yield solo, path


def acknowledged(node, client):
    try:
        return node.ask(b"IAMAT %s +1+1 7\n" % client).startswith(b"AT ")
    except OSError:
        return False


@pytest.mark.parametrize("stored", [SYNC], indirect=True, ids=["sync"])
@pytest.mark.parametrize("lose,why", LOSSES.values(), ids=LOSSES.keys())
def test_no_report_is_acknowledged_into_a_lost_file(stored, lose, why):
    solo, path = stored
    lose(path)
    assert not any(acknowledged(solo, b"new%d" % i) for i in range(3))
    solo.wait_log(rf'event=store-failed error="[^"]*{why}[^"]*" next="clients are refused; put it back[^"]*restart this node"')
    api = Api(solo.admin)
    store = api.get("/v1/status").json["store"]
    assert store["state"] == "failed" and why in store["error"]
    assert "\nherd_store_failed 1\n" in api.get("/metrics").body.decode()
    wait_until(lambda: api.get("/readyz").status == 503, "it is out of service")
    assert api.post("/v1/undrain").status == 409
    # What is held is still there for the neighbours and for an export.
    assert api.get("/v1/clients?count").json["count"] >= 100
    assert solo.stop() == 0


@pytest.mark.parametrize("stored", [ASYNC], indirect=True, ids=["async"])
@pytest.mark.parametrize("lose,why", LOSSES.values(), ids=LOSSES.keys())
def test_without_sync_it_goes_on_from_memory(stored, lose, why):
    solo, path = stored
    wait_until(lambda: Api(solo.admin).get("/v1/status").json["store"]["lag"] == 0, "all is stored")
    lose(path)
    assert acknowledged(solo, b"new")
    solo.wait_log(rf'event=store-failed error="[^"]*{why}[^"]*" next="reports are kept in memory only; put it back')
    assert acknowledged(solo, b"newer")
    assert solo.stop() == 0


@pytest.mark.parametrize("stored", [SYNC], indirect=True, ids=["sync"])
def test_file_that_was_away_between_two_commits_is_no_loss(stored):
    solo, path = stored
    for _ in range(5):
        path.rename(path.with_name("away"))
        wal(path).rename(path.with_name("away-wal"))
        path.with_name("away").rename(path)
        path.with_name("away-wal").rename(wal(path))
        assert acknowledged(solo, b"new")
    os.chmod(path, 0o400)
    os.link(path, path.with_name("link"))
    assert acknowledged(solo, b"last")
    solo.stop(signal.SIGKILL)
    os.chmod(path, 0o600)
    solo.start()
    assert None not in solo.at_lines([b"c%d" % i for i in range(100)] + [b"new", b"last"])


@pytest.mark.parametrize("stored", [SYNC], indirect=True, ids=["sync"])
def test_file_that_is_put_back_has_all_that_was_acknowledged(stored):
    solo, path = stored
    path.rename(path.with_name("away"))
    assert not acknowledged(solo, b"new")
    path.with_name("away").rename(path)
    # It was out of service for good: that nothing was missed is not known.
    assert not acknowledged(solo, b"new")
    assert solo.stop() == 0
    solo.start()
    assert None not in solo.at_lines([b"c%d" % i for i in range(100)])
    assert acknowledged(solo, b"new")


@pytest.mark.parametrize("stored", [SYNC], indirect=True, ids=["sync"])
@pytest.mark.parametrize("commits", [0, 1])
def test_what_took_its_place_is_left_alone(stored, commits):
    """The end of a node must not take the log of a restored copy for its own."""
    solo, path = stored
    path.unlink()
    wal(path).unlink()
    path.write_bytes(b"restored")
    wal(path).write_bytes(b"its log")
    for _ in range(commits):
        assert not acknowledged(solo, b"new")
    assert solo.stop() == 0
    assert path.read_bytes() == b"restored" and wal(path).read_bytes() == b"its log"


def test_symbolic_link_that_leads_elsewhere_is_a_loss(tmp_path):
    (tmp_path / "disk").mkdir()
    link = tmp_path / "herd-Solo.sqlite"
    link.symlink_to(tmp_path / "disk" / "real.sqlite")
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        solo = herd.start()["Solo"]
        assert acknowledged(solo, b"a")
        assert (tmp_path / "disk" / "real.sqlite-wal").exists()
        point_elsewhere(link)
        assert not acknowledged(solo, b"b")
        solo.wait_log("event=store-failed .*was replaced")


@pytest.mark.parametrize("lost", ["A", "B"])
def test_neighbours_have_what_a_lost_file_had(tmp_path, lost):
    with Herd(tmp_path, ["A", "B"], [("A", "B")], SYNC) as herd:
        herd.start()
        herd.wait_synced()
        herd[lost].iamat(*((b"c%d" % i, b"+1+1", b"5") for i in range(100)))
        clients = [b"c%d" % i for i in range(100)]
        herd.wait_equal(clients)
        path = tmp_path / f"herd-{lost}.sqlite"
        path.unlink()
        wal(path).unlink()
        assert not acknowledged(herd[lost], b"new")
        assert herd[lost].stop() == 0
        herd[lost].start()
        herd.wait_equal(clients)


# --- modes and kinds of files -------------------------------------------------------


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder, pattern):
    return {file.name: oct(file.stat().st_mode & 0o777) for file in folder.glob(pattern)}


@pytest.mark.parametrize("settings", [SYNC, ASYNC])
def test_files_of_clients_data_are_the_nodes_alone(tmp_path, open_umask, settings):
    with Herd(tmp_path, ["Solo"], [], settings + "log: {traffic: t.log}\n") as herd:
        solo = herd.start()["Solo"]
        assert acknowledged(solo, b"a")
        wait_until(lambda: (tmp_path / "t.log").stat().st_size > 0, "traffic is logged")
        assert set(modes(tmp_path, "herd-Solo.sqlite*").values()) == {"0o600"}
        assert len(modes(tmp_path, "herd-Solo.sqlite*")) >= 2
        assert modes(tmp_path, "t.log") == {"t.log": "0o600"}
        assert "traffic-narrowed" not in solo.log()


def test_files_that_others_could_read_are_narrowed(tmp_path, open_umask):
    with Herd(tmp_path, ["Solo"], [], SYNC + "log: {traffic: t.log}\n") as herd:
        solo = herd.start()["Solo"]
        assert acknowledged(solo, b"a")
        wait_until(lambda: (tmp_path / "t.log").stat().st_size > 0, "traffic is logged")
        solo.stop(signal.SIGKILL)
        for file in tmp_path.glob("herd-Solo.sqlite*"):
            file.chmod(0o666)
        (tmp_path / "t.log").chmod(0o644)
        size = (tmp_path / "t.log").stat().st_size
        solo.start()
        assert solo.at_line(b"a")
        assert set(modes(tmp_path, "herd-Solo.sqlite*").values()) == {"0o600"}
        assert modes(tmp_path, "t.log") == {"t.log": "0o600"}
        assert (tmp_path / "t.log").stat().st_size >= size > 0
        solo.wait_log(rf"level=warn event=traffic-narrowed file={tmp_path}/t.log next=")


def start_failed(node):
    node.start(wait=False)
    assert node.wait_end() == 1
    return re.search(r'event=start-failed error="(.*)"', node.log()).group(1)


@pytest.mark.parametrize("make,why", [
    (lambda path: os.mkfifo(path), "not a regular file"),
    (lambda path: path.mkdir(), "it is a folder"),
    (lambda path: path.symlink_to("/dev/null"), "it is a symbolic link"),
    (lambda path: path.symlink_to(path.with_name("elsewhere")), "it is a symbolic link")])
def test_traffic_log_is_a_regular_file(tmp_path, make, why):
    with Herd(tmp_path, ["Solo"], [], "places: {provider: none}\nlog: {traffic: t.log}\n") as herd:
        make(tmp_path / "t.log")
        error = start_failed(herd["Solo"])
        assert error == f"log.traffic: cannot write {tmp_path}/t.log: {why if 'it' in why else 'it is ' + why}; " \
            "give it a regular file in a folder that the node may write"
        assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("suffix", ["", "-wal"])
@pytest.mark.parametrize("make,why", [
    (lambda path: os.mkfifo(path), "it is not a regular file"), (lambda path: path.mkdir(), "it is a folder")])
def test_store_is_a_regular_file(tmp_path, make, why, suffix):
    path = tmp_path / ("herd-Solo.sqlite" + suffix)
    make(path)
    with Herd(tmp_path, ["Solo"], [], SYNC) as herd:
        error = start_failed(herd["Solo"])
        assert error.startswith(f"store.path: cannot use {tmp_path}/herd-Solo.sqlite: ") and why in error
