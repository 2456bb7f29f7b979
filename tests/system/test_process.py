# SPDX-License-Identifier: GPL-3.0-or-later
"""The process as the system sees it: no core that holds keys and reports."""
import os
import pwd
import resource
import signal
import subprocess

import pytest

from nodes import Herd

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
