# SPDX-License-Identifier: GPL-3.0-or-later
"""The process as the system sees it: no core that holds keys and reports, no
socket or file that is taken for standard output, no root without a word."""
import itertools
import os
import pwd
import resource
import signal
import subprocess

import pytest

from nodes import HERDCTL, HERDD, Herd

SETTINGS = "workers: 1\nplaces: {provider: none}\n"


def allow_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)


@pytest.fixture
def cores(tmp_path, monkeypatch):
    """Children may leave cores; skips where the system keeps none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard != resource.RLIM_INFINITY:
        pytest.skip("the limit of cores cannot be raised")
    allow_cores()
    other = subprocess.Popen(["cat"], stdin=subprocess.PIPE, cwd=tmp_path)
    other.send_signal(signal.SIGABRT)
    dumped = os.WCOREDUMP(os.waitpid(other.pid, 0)[1])
    other.returncode = 0
    other.stdin.close()
    if not dumped:
        pytest.skip("this system keeps no cores")
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def limit_of_cores(pid):
    with open(f"/proc/{pid}/limits") as limits:
        line, = (line for line in limits if line.startswith("Max core file size"))
    return line.split()[4:6]


def end_by(process, number):
    process.send_signal(number)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = 0
    return status


@pytest.mark.parametrize("user", ["", "nobody"])
def test_no_core_is_left(tmp_path, cores, user):
    if user and os.geteuid() != 0:
        pytest.skip("becomes another user")
    lines = SETTINGS + (f"user: {user}\n" if user else "")
    folder = tmp_path / "herd"
    folder.mkdir(mode=0o755)
    for place in (tmp_path, *tmp_path.parents[:-2]):
        place.chmod(0o755)
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    with Herd(folder, ["Solo"], [], lines) as herd:
        node = herd.start()["Solo"]
        assert limit_of_cores(node.process.pid) == ["0", "0"]
        if user:
            owner = os.stat(f"/proc/{node.process.pid}/status").st_uid
            assert owner == 0  # not dumpable: its files there are root's
        status = end_by(node.process, signal.SIGABRT)
        assert os.WTERMSIG(status) == signal.SIGABRT and not os.WCOREDUMP(status)
        node.process = None


# --- standard descriptors -----------------------------------------------------------

CLOSED = [fds for n in (1, 2, 3) for fds in itertools.combinations((0, 1, 2), n)]


def closing(fds):
    def close():
        for fd in fds:
            os.close(fd)
    return close


@pytest.mark.parametrize("fds", CLOSED)
def test_closed_standard_descriptors_are_no_sockets(tmp_path, fds):
    settings = SETTINGS + "store: {engine: sqlite}\nlog: {traffic: t.log}\n"
    with Herd(tmp_path, ["A", "B"], [("A", "B")], settings) as herd:
        a = herd["A"]
        with open(a.log_path, "ab") as log:
            a.process = subprocess.Popen([herd.herdd, "-c", str(herd.path), "A"], stdin=subprocess.DEVNULL,
                                         stdout=log, stderr=log, cwd=tmp_path, preexec_fn=closing(fds))
        herd["B"].start()
        herd["B"].wait_log("event=link-up peer=A")
        a.iamat((b"a", b"+1+1", b"5"))
        for fd in fds if os.geteuid() == 0 else ():  # only root may look
            assert os.readlink(f"/proc/{a.process.pid}/fd/{fd}") == "/dev/null"
        assert ("event=ready" in a.log()) == (2 not in fds)
        assert a.stop() == 0
        assert (tmp_path / "herd-A.sqlite").read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("fds", CLOSED)
def test_herdctl_with_closed_standard_descriptors(herd, tmp_path, fds):
    """Its connections must not be written to as standard output."""
    done = subprocess.run([HERDCTL, "-c", str(herd.path), "-n", "Riley", "iamat", "a", "+1+1"], capture_output=True,
                          cwd=tmp_path, env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
                          preexec_fn=closing(fds))
    assert done.returncode == (8 if 1 in fds else 0), done
    assert herd["Riley"].at_line(b"a")
    if 1 in fds and 2 not in fds:
        assert b"cannot write the output: Bad file descriptor" in done.stderr


@pytest.mark.parametrize("fds", CLOSED)
def test_mkgazetteer_with_closed_standard_descriptors(tmp_path, fds):
    program = os.path.join(os.path.dirname(HERDCTL), "mkgazetteer")
    done = subprocess.run([program, str(tmp_path / "g.sqlite")], capture_output=True, preexec_fn=closing(fds),
                          input=b"p1\t1\t1\tP\tName\t\tUS\tCA\t1\n")
    if 0 in fds:  # there is no table to read
        assert done.returncode == 1 and list(tmp_path.iterdir()) == []
    else:
        assert done.returncode == 0
        assert (tmp_path / "g.sqlite").read_bytes().startswith(b"SQLite format 3")


# --- root -----------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="starts as root")
@pytest.mark.parametrize("user,warns", [("", True), ("root", False), ("nobody", False)])
def test_root_without_a_user_is_told(tmp_path, user, warns):
    folder = tmp_path / "herd"
    folder.mkdir(mode=0o755)
    for place in (tmp_path, *tmp_path.parents[:-2]):
        place.chmod(0o755)
    if user == "nobody":
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    with Herd(folder, ["Solo"], [], SETTINGS + (f"user: {user}\n" if user else "")) as herd:
        node = herd.start()["Solo"]
        assert ("level=warn event=runs-as-root next=\"set user: in the herd file" in node.log()) == warns


@pytest.mark.parametrize("kind, words", [("fifo", "it is not a regular file"), ("folder", "it is a folder"),
                                         ("device", "it is not a regular file")])
def test_herd_file_that_is_no_file_is_named_as_what_it_is(tmp_path, kind, words):
    path = tmp_path / "herd.yaml"
    {"fifo": os.mkfifo, "folder": os.mkdir, "device": lambda at: at.symlink_to("/dev/zero")}[kind](path)
    for command in ([HERDD, "-c", str(path), "A"], [HERDCTL, "-X", "-c", str(path), "herd", "status"]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        assert done.returncode == 8 and str(path) in done.stderr and words in done.stderr, done.stderr
