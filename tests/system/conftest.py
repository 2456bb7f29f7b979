# SPDX-License-Identifier: GPL-3.0-or-later
"""What the system tests share: real herds, fake ones, herdctl as a script
writer calls it (`ctl`) and as an operator does, on a terminal (`Terminal`)."""
import os
import pathlib
import resource
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from fake_node import FakeHerd  # noqa: E402
from nodes import DEADLINE_S, HERDCTL, Herd  # noqa: E402
from terminal import Terminal  # noqa: E402

# What a program inherits as ignored stays ignored: under nohup, or in the
# background of a shell without job control, that would be SIGINT. The
# programs under test start as from a login shell.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler
                      if _number == signal.SIGINT else signal.SIG_DFL)


# Two thousand connections, and more in the nodes under test.
_, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))


def herdctl_env(home, **more):
    """An environment in which herdctl finds nothing of this machine's user."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8",
           "TERM": "xterm-256color", "PAGER": "cat"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"):
        if name in os.environ:
            env[name] = os.environ[name]
    env.update({k: str(v) for k, v in more.items() if v is not None})
    return env


class Ctl:
    """Runs herdctl without a terminal. ctl("status", ...) -> result."""

    def __init__(self, home, conf=None):
        self.home, self.conf = home, conf

    def env(self, **more):
        return herdctl_env(self.home, **{"HERD_CONF": self.conf, **more})

    def __call__(self, *words, stdin=None, env=None, timeout=DEADLINE_S, **more):
        return subprocess.run(
            [HERDCTL, *[w if isinstance(w, bytes) else str(w) for w in words]],
            input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
            env=self.env(**(env or {})), capture_output=True, timeout=timeout,
            text=more.pop("text", True), **more)


@pytest.fixture
def herd(tmp_path):
    """Real herdd processes: the five nodes of the sample herd, ready, synced."""
    with Herd(tmp_path) as started:
        started.start()
        started.wait_synced()
        yield started


@pytest.fixture
def fake(tmp_path):
    """Three fake nodes with a herd file."""
    with FakeHerd(tmp_path) as started:
        yield started


@pytest.fixture
def ctl(fake, tmp_path):
    """herdctl with the fake herd's file."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return Ctl(home, fake.path)


@pytest.fixture
def lone_ctl(tmp_path):
    """herdctl without any herd file."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return Ctl(home)


@pytest.fixture
def terminal(ctl):
    """terminal("status") or terminal() for the session: herdctl on a pty."""
    started = []

    def start(*words, env=None, size=(24, 100), conf=True):
        environment = ctl.env(**(env or {}))
        if not conf:
            environment.pop("HERD_CONF", None)
        started.append(Terminal([HERDCTL, *words], environment, size))
        return started[-1]

    yield start
    for one in started:
        one.close()
