# SPDX-License-Identifier: GPL-3.0-or-later
"""make install and uninstall: what the unit needs is there, and goes again."""
import os
import re
import shutil
import subprocess

import pytest

from nodes import HERDD, TOP


MONITORING = ["herd-alerts.yml", "herd-dashboard.json", "herd-haproxy.cfg", "herd-scrape.yml"]


def make(target, *variables, env=None):
    done = subprocess.run(["make", "-s", "-o", "programs", target, *variables], cwd=TOP, capture_output=True,
                          text=True, env={**os.environ, **(env or {})})
    assert done.returncode == 0, done
    return done.stdout


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture
def built():
    if os.path.realpath(HERDD) != str(TOP / "build" / "release" / "herdd"):
        pytest.skip("installs the release programs")


@pytest.fixture
def tools(tmp_path):
    """Instead of those that would change this machine: they note their words."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("systemd-sysusers", "useradd", "getent"):
        path = folder / name
        status = 1 if name == "getent" else 0
        path.write_text(f"#!/bin/sh\necho {name} \"$@\" >>{tmp_path}/calls\nexit {status}\n")
        path.chmod(0o755)
    return folder


def calls(tmp_path):
    path = tmp_path / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_package_folder_has_unit_and_user_and_is_emptied(tmp_path, built, tools):
    env = {"PATH": f"{tools}:{os.environ['PATH']}"}
    root = tmp_path / "root"
    make("install", f"DESTDIR={root}", "PREFIX=/usr", env=env)
    assert {"usr/bin/herdd", "usr/bin/herdctl", "usr/bin/mkgazetteer", "usr/lib/systemd/system/herdd@.service",
            "usr/lib/sysusers.d/herd.conf", "usr/share/man/man8/herdd.8", "etc/logrotate.d/herd",
            *(f"usr/share/herd/monitoring/{name}" for name in MONITORING)} <= files(root)
    for page in ("man8/herdd.8", "man7/herd-ops.7"):
        assert "/usr/share/herd/gazetteer.sqlite" in (root / "usr/share/man" / page).read_text(), page
    # The package's folder is not this machine: it gets no user.
    assert calls(tmp_path) == []
    unit = (root / "usr/lib/systemd/system/herdd@.service").read_text()
    user = re.search("^User=(.+)$", unit, re.M).group(1)
    assert re.search(f"^u {user} - ", (root / "usr/lib/sysusers.d/herd.conf").read_text(), re.M)
    assert "@" not in re.search("^ExecStart=(.*)$", unit, re.M).group(1).split()[0]
    make("uninstall", f"DESTDIR={root}", "PREFIX=/usr", env=env)
    assert files(root) == set()


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="needs systemd-sysusers")
def test_user_file_makes_the_user(tmp_path):
    (tmp_path / "etc").mkdir()
    done = subprocess.run(["systemd-sysusers", f"--root={tmp_path}", str(TOP / "server" / "herd.sysusers")],
                          capture_output=True, text=True)
    assert done.returncode == 0, done
    line, = (tmp_path / "etc" / "passwd").read_text().splitlines()
    name, _, number, *_, home, shell = line.split(":")
    assert (name, home, shell) == ("herd", "/var/lib/herd", "/usr/sbin/nologin") and 0 < int(number) < 1000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes users")
@pytest.mark.parametrize("systemd", [True, False])
def test_install_makes_the_user_that_is_missing(tmp_path, built, tools, systemd):
    prefix = tmp_path / "prefix"
    path = f"{tools}:{os.environ['PATH']}"
    if not systemd:  # a PATH with all but that one
        (tools / "systemd-sysusers").unlink()
        for folder in os.environ["PATH"].split(":"):
            for name in os.listdir(folder) if os.path.isdir(folder) else ():
                if name != "systemd-sysusers" and not (tools / name).exists():
                    (tools / name).symlink_to(os.path.join(folder, name))
        path = str(tools)
    make("install", f"PREFIX={prefix}", env={"PATH": path})
    if systemd:
        assert calls(tmp_path) == [f"systemd-sysusers {prefix}/lib/sysusers.d/herd.conf"]
    else:
        asked, made = calls(tmp_path)
        assert asked == "getent passwd herd"
        assert made.startswith("useradd --system --user-group ") and made.endswith(" herd")
    make("uninstall", f"PREFIX={prefix}", env={"PATH": path})
    assert files(prefix) == set()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_unit_keeps_its_walls(tmp_path):
    unit = tmp_path / "herdd@.service"
    unit.write_text((TOP / "server" / "herdd@.service.in").read_text().replace("@PREFIX@", "/usr"))
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(unit)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
