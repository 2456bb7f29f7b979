# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian package on a machine of its own, with its own systemd: it is
installed, upgraded while nodes run, removed and purged."""
import pathlib
import re
import subprocess

import pytest

from machine import TOP, Machine, why_not

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

HERD_FILE = """\
herd: test
nodes:
  A: {clients: "127.0.0.1:21001", peers: "127.0.0.1:21101", admin: /run/herd/A.sock}
  B: {clients: "127.0.0.1:21002", peers: "127.0.0.1:21102", admin: /run/herd/B.sock}
  C: {clients: "127.0.0.1:21003", peers: "127.0.0.1:21103", admin: /run/herd/C.sock}
links: [[A, B], [A, C]]
store: {engine: sqlite, path: "/var/lib/herd/%n.sqlite", durability: sync}
"""


@pytest.fixture(scope="module")
def package():
    """What `make deb` built of this version."""
    version = re.search('HERD_VERSION "(.*)"', (TOP / "include" / "herd" / "version.h").read_text()).group(1)
    path, = (TOP / "build").glob(f"herd_{version}_*.deb")
    return path


@pytest.fixture
def machine():
    with Machine("machine") as started:
        started.boot()
        yield started


def later(path, folder):
    """The same package as version +1: what an upgrade is to dpkg."""
    tree = folder / "tree"
    subprocess.run(["dpkg-deb", "-R", path, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub("^Version: (.*)$", r"Version: \1+1", control.read_text(), flags=re.M))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, folder / "later.deb"], check=True,
                   capture_output=True)
    return folder / "later.deb"


def main_pid(machine, node):
    return int(machine.run(f"systemctl show -P MainPID herdd@{node}").stdout)


def start(machine, *nodes):
    """As services; their log says why one did not start."""
    units = " ".join(f"herdd@{node}" for node in nodes)
    done = machine.run(f"systemctl enable --now {units}", check=False)
    assert done.returncode == 0, machine.run("journalctl --no-pager -n 40 -u 'herdd@*'").stdout


def check_group(machine, node):
    """admin.group opens the service's socket to the group's members, and to no other user."""
    ask = "setpriv --reuid %s --regid %s --init-groups env HOME=/ herdctl -n " + node + " client ls"
    machine.run("useradd -G herd member && useradd other")
    for user in ("member", "other"):
        assert machine.run(ask % (user, user), check=False).returncode != 0
    (machine.root / "etc/herd/herd.yaml").write_text(HERD_FILE + "admin: {group: herd}\n")
    machine.run(f"systemctl reload herdd@{node}")
    machine.wait(lambda: machine.run(ask % ("member", "member"), check=False).returncode == 0, "the group may ask")
    assert machine.run(ask % ("other", "other"), check=False).returncode != 0


def test_install_upgrade_remove_purge(machine, package, tmp_path):
    machine.copy_in(package, "/root/herd.deb")
    machine.run("apt-get update && apt-get install -y --no-install-recommends /root/herd.deb")
    assert machine.run("getent passwd herd").stdout.endswith(":/var/lib/herd:/usr/sbin/nologin\n")
    for path in ("/usr/share/bash-completion/completions/herdctl", "/usr/share/zsh/vendor-completions/_herdctl",
                 "/usr/share/fish/vendor_completions.d/herdctl.fish", "/usr/share/doc/herd/changelog.gz",
                 "/usr/share/herd/gazetteer.sqlite", "/etc/herd"):
        machine.run(f"test -e {path}")
    # Stripped: the symbols are in the package beside it.
    assert "not stripped" not in subprocess.run(["file", machine.root / "usr/bin/herdd"], capture_output=True,
                                                text=True).stdout
    assert list((TOP / "build").glob("herd-dbgsym_*.deb"))

    (machine.root / "etc/herd/herd.yaml").write_text(HERD_FILE)
    start(machine, "A", "B")
    machine.run("herdctl wait link A synced -n B --timeout 60s")
    machine.run("herdctl -n A iamat kiwi 34.0,-118.0 && herdctl -n B client show kiwi")

    check_group(machine, "A")

    # An upgrade restarts the nodes that run, and no other.
    before = {node: main_pid(machine, node) for node in "ABC"}
    assert before["A"] and before["B"] and not before["C"]
    machine.copy_in(later(package, tmp_path), "/root/later.deb")
    machine.run("dpkg -i /root/later.deb")
    after = {node: main_pid(machine, node) for node in "ABC"}
    assert after["A"] not in (0, before["A"]) and after["B"] not in (0, before["B"]) and after["C"] == 0
    machine.run("systemctl is-active herdd@A herdd@B")
    machine.run("herdctl -n A client show kiwi && herdctl -n B client show kiwi")
    assert machine.run("systemctl is-failed herdd@A herdd@B", check=False).returncode != 0

    # A removal stops them, and keeps what they know.
    machine.run("dpkg -r herd")
    assert machine.run("pgrep -x herdd", check=False).stdout == ""
    machine.run("test -s /etc/herd/herd.yaml && test -s /var/lib/herd/A.sqlite && getent passwd herd")

    machine.run("dpkg -P herd")
    for path in ("/etc/herd", "/var/lib/herd", "/run/herd", "/var/log/herd", "/usr/share/herd",
                 "/usr/lib/systemd/system/herdd@.service"):
        machine.run(f"! test -e {path}")
    assert machine.run("ls /etc/systemd/system/multi-user.target.wants").stdout.count("herdd") == 0
    assert machine.run("getent passwd herd", check=False).returncode != 0
    assert machine.run("find / -xdev -nouser", check=False).stdout == ""


def test_purge_stops_running_nodes(machine, package):
    machine.copy_in(package, "/root/herd.deb")
    machine.run("apt-get update && apt-get install -y --no-install-recommends /root/herd.deb")
    (machine.root / "etc/herd/herd.yaml").write_text(HERD_FILE)
    start(machine, "A")
    machine.run("apt-get purge -y herd")
    assert machine.run("pgrep -x herdd", check=False).stdout == ""
    assert machine.run("getent passwd herd", check=False).returncode != 0


def steps(path):
    """The Containerfile's stages: name and instructions."""
    stages = []
    for line in pathlib.Path(path).read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        word, rest = line.split(" ", 1)
        if word == "FROM":
            stages.append((rest.split(" AS ")[-1] if " AS " in rest else None, []))
        else:
            stages[-1][1].append((word, rest))
    return stages


def copy_tree(machine, to):
    """What COPY . takes: all but what .containerignore has."""
    (machine.root / to.lstrip("/")).mkdir(parents=True, exist_ok=True)
    ignored = [f"--exclude=.{line}" for line in (TOP / ".containerignore").read_text().split()]
    pack = subprocess.Popen(["tar", "-c", *ignored, "."], cwd=TOP, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "--no-same-owner", "-C", str(machine.root / to.lstrip("/"))], stdin=pack.stdout,
                   check=True)
    assert pack.wait() == 0


def build(machine, instructions, stages):
    """Runs a stage's instructions; the user, folder and entry point that it leaves."""
    state = {"USER": None, "WORKDIR": "/", "ENTRYPOINT": None}
    for word, rest in instructions:
        if word == "RUN":
            machine.run(rest, user=state["USER"], cwd=state["WORKDIR"])
        elif word == "COPY" and rest.startswith("--from="):
            source, path, to = rest.removeprefix("--from=").split()
            for found in stages[source].root.glob(path.lstrip("/")):
                machine.copy_in(found, f"{to}{found.name}")
        elif word == "COPY":
            copy_tree(machine, rest.split()[1])
        else:
            assert word in state, word
            state[word] = rest
            if word == "WORKDIR":
                (machine.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
    return state


def test_containerfile_builds_a_node():
    stages = {}
    last = None
    try:
        for name, instructions in steps(TOP / "server" / "dist" / "Containerfile"):
            last = Machine(name or "image")
            stages[name] = last
            state = build(last, instructions, stages)
        assert state["USER"] == "herd" and state["ENTRYPOINT"] == '["/usr/bin/herdd", "-c", "/etc/herd/herd.yaml"]'
        (last.root / "etc/herd/herd.yaml").write_text(HERD_FILE)
        # Unlike an engine, systemd-nspawn lays an empty /run over the image's.
        folders, = (rest for word, rest in instructions if word == "RUN" and rest.startswith("install -d"))
        last.run(f"{folders} && setpriv --reuid herd --regid herd --clear-groups "
                 "/usr/bin/herdd -c /etc/herd/herd.yaml --check-config A", cwd=state["WORKDIR"])
        last.run("herdctl --version")
    finally:
        for one in stages.values():
            one.__exit__()
