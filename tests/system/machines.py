# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines for tests: each is a set of namespaces with its own addresses on one
network, its own /etc, /var/lib and /run, and tools that do in it what systemd,
ssh, scp and apt-get would do. Commands run there as an operator types them."""
import os
import pathlib
import shutil
import subprocess

from nodes import DEADLINE_S, HERDCTL, HERDD, TOP, wait_until

SETUP = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs {disk}
cd {disk}
for folder in etc var root; do
	mkdir -p $folder-up $folder-work
	mount -t overlay -o lowerdir=/$folder,upperdir={disk}/$folder-up,workdir={disk}/$folder-work overlay /$folder
done
mount -t tmpfs tmpfs /run
rm -rf /etc/herd /var/lib/herd
getent passwd herd >/dev/null || useradd --system --user-group --home-dir /var/lib/herd --no-create-home herd
install -d /etc/herd
install -d -o herd -g herd -m 700 /var/lib/herd /run/herd
hostname {name}
ip link set lo up
echo $$ >{pid}
exec sleep infinity
"""
# Holds the network that the machines are on, and their processes: all end with
# it. As the first process it also waits for those whose parents ended.
SWITCH = """
set -e
mount -t tmpfs tmpfs /run
mount --bind {folder} /mnt
ip link add name lan type bridge
ip link set lan up
echo $$ >{pid}
sleep infinity &
while :; do wait; done
"""

# What of systemctl, journalctl, timedatectl, ssh, scp and apt-get the machines
# have. A node runs in the background as the unit's user; its log is a file.
SYSTEMCTL = r"""#!/bin/bash
state={share}/$(hostname)
running() {{ [ -s "$state/$1.pid" ] && grep -qs '^State:.[^Z]' "/proc/$(cat "$state/$1.pid")/status"; }}
start() {{
	running "$1" && return
	cd /var/lib/herd || exit 1
	from=$(($(wc -l 2>/dev/null <"$state/$1.log") + 1))
	export STATE_DIRECTORY=/var/lib/herd RUNTIME_DIRECTORY=/run/herd
	[ -f "$state/$1.env" ] && export $(cat "$state/$1.env")
	LC_ALL=C setsid setpriv --reuid herd --regid herd --clear-groups {herdd} -c /etc/herd/herd.yaml "$1" \
	    </dev/null >>"$state/$1.log" 2>&1 &
	echo $! >"$state/$1.pid"
	# Type=notify: done when the node says so.
	until tail -n +"$from" "$state/$1.log" | grep -q event=ready; do
		running "$1" || {{ tail -n 5 "$state/$1.log" >&2; exit 1; }}
		sleep 0.05
	done
}}
stop() {{
	running "$1" || return 0
	kill "$(cat "$state/$1.pid")"
	while running "$1"; do sleep 0.05; done
}}
units=()
for word in "$@"; do
	case $word in
	herdd@*) word=${{word#herdd@}}; units+=("${{word%.service}}") ;;
	--now) now=1 ;;
	-*) ;;
	*) verb=${{verb:-$word}} ;;
	esac
done
for unit in "${{units[@]}}"; do
	case $verb in
	start) start "$unit" ;;
	stop) stop "$unit" ;;
	restart) stop "$unit"; start "$unit" ;;
	enable) [ -z "$now" ] || start "$unit" ;;
	disable) [ -z "$now" ] || stop "$unit" ;;
	reload) kill -HUP "$(cat "$state/$unit.pid")" ;;
	is-active) running "$unit" ;;
	*) echo "systemctl: $verb?" >&2; exit 1 ;;
	esac || exit
done
"""
JOURNALCTL = r"""#!/bin/bash
for word in "$@"; do
	case $word in herdd@*) cat "{share}/$(hostname)/${{word#herdd@}}.log" ;; esac
done
"""
TIMEDATECTL = r"""#!/bin/bash
head -c 8 /dev/zero | dd conv=notrunc status=none of="{share}/$(hostname)/clock"
"""
SSH = r"""#!/bin/bash
machine=${{1#root@}}
shift
case $machine in
192.0.2.1) machine=one ;;
192.0.2.2) machine=two ;;
192.0.2.3) machine=three ;;
one|two|three) ;;
*) exit 255 ;;
esac
exec nsenter -t "$(cat "{share}/$machine/pid")" -m -u -n -- bash -c "cd /root; $*"
"""
# A new file has the mode of its original.
SCP = r"""#!/bin/bash
set -e
target=${{!#}}
for file in "${{@:1:$#-1}}"; do
	{tools}/ssh "${{target%%:*}}" "path=${{target#*:}}; [ ! -d \$path ] || path=\$path/$(basename "$file")
		[ -e \$path ] || install -m $(stat -c %a "$file") /dev/null \$path; cat >\$path" <"$file"
done
"""
# As the package does it: nodes that run are started again.
APT_GET = r"""#!/bin/bash
for pid in {share}/$(hostname)/*.pid; do
	node=$(basename "$pid" .pid)
	! {tools}/systemctl is-active "herdd@$node" || {tools}/systemctl restart "herdd@$node"
done
"""


def why_not():
    """Why there can be no machines here; None if there can."""
    if os.geteuid() != 0:
        return "machines need root, for namespaces with addresses of their own"
    tools = ("unshare", "nsenter", "ip", "setpriv", "useradd", "curl")
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        return f"machines need {', '.join(missing)}"
    tried = subprocess.run(["unshare", "-m", "-n", "-p", "-u", "-f", "sh", "-c",
                            "ip link add name va type veth peer name vb && mount -t tmpfs tmpfs /mnt &&"
                            " mkdir /mnt/u /mnt/w && mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w"
                            " overlay /etc"], capture_output=True, text=True)
    return f"no namespaces here: {tried.stderr.strip()}" if tried.returncode else None


class Machines:
    """Machines one, two and three at 192.0.2.1 to .3. A context manager."""

    NAMES = ("one", "two", "three")

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.share, self.tools = self.folder / "share", self.folder / "tools"
        self.holders = {}

    def __enter__(self):
        # The user herd reaches what its node runs with, but not by the path
        # that the folder has outside.
        self.folder.chmod(0o755)
        self.tools.mkdir()
        for name, text in (("systemctl", SYSTEMCTL), ("journalctl", JOURNALCTL), ("timedatectl", TIMEDATECTL),
                           ("ssh", SSH), ("scp", SCP), ("apt-get", APT_GET)):
            path = self.tools / name
            path.write_text(text.format(share=self.seen(self.share), tools=self.seen(self.tools),
                                        herdd=self.program(HERDD)))
            path.chmod(0o755)
        self.program(TOP / "build" / "gazetteer.sqlite")
        for program in (HERDD, HERDCTL):
            (self.tools / os.path.basename(program)).symlink_to(self.program(program))
        try:
            self.hold("switch", SWITCH, ["unshare", "--mount", "--net", "--uts", "--pid", "--fork", "--kill-child",
                                         "--mount-proc"])
            unshare = self.holders["switch"].pid
            self.first, = pathlib.Path(f"/proc/{unshare}/task/{unshare}/children").read_text().split()
            for number, name in enumerate(self.NAMES, 1):
                self.hold(name, SETUP, [*self.inside(), "unshare", "--mount", "--net", "--uts"])
                self.join(name, f"192.0.2.{number}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def seen(self, path):
        """A path in the folder as the machines see it."""
        return pathlib.Path("/mnt") / path.relative_to(self.folder)

    def program(self, path):
        """A copy that any user of a machine can reach; its path there."""
        copy = self.folder / "bin" / os.path.basename(path)
        copy.parent.mkdir(exist_ok=True)
        if not copy.exists():
            shutil.copy(os.path.realpath(path), copy)
            copy.chmod(0o755)
        return self.seen(copy)

    def inside(self, name=None):
        """What runs a command among the machines' processes, or on one machine."""
        enter = ["nsenter", "-t", self.first, "-m", "-n", "-u", "-p", "--"]
        if name:
            enter += ["nsenter", "-t", (self.share / name / "pid").read_text().strip(), "-m", "-u", "-n", "--"]
        return enter

    def hold(self, name, script, within):
        """A process that holds the namespaces of `name`."""
        (self.share / name).mkdir(parents=True)
        disk, pid = self.folder / f"{name}-disk", self.share / name / "pid"
        disk.mkdir()
        with open(self.share / name / "console", "wb") as console:
            self.holders[name] = subprocess.Popen(
                [*within, "bash", "-c", script.format(name=name, folder=self.folder, disk=self.seen(disk),
                                                    pid=self.seen(pid))],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console)

        def held():
            assert self.holders[name].poll() is None, (self.share / name / "console").read_text()
            return pid.exists() and pid.read_text().endswith("\n")
        wait_until(held, f"machine {name}")

    def join(self, name, address):
        """One cable from the switch."""
        def ip(where, *words):
            done = subprocess.run([*self.inside(where if where != "switch" else None), "ip", *words],
                                  capture_output=True, text=True, timeout=DEADLINE_S)
            assert done.returncode == 0, (words, done)
        pid = (self.share / name / "pid").read_text().strip()
        ip("switch", "link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "netns", pid)
        ip("switch", "link", "set", name, "master", "lan", "up")
        ip(name, "address", "add", f"{address}/24", "dev", "eth0")
        ip(name, "link", "set", "eth0", "up")

    def cable(self, name, state):
        """Pulls the cable of a machine ("down") or puts it back ("up")."""
        subprocess.run([*self.inside(), "ip", "link", "set", name, state], check=True, timeout=DEADLINE_S)

    def run(self, name, script, deadline_s=3 * DEADLINE_S):
        """Types a script on a machine: its exit status and all that it said."""
        env = {"PATH": f"{self.seen(self.tools)}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([*self.inside(name), "bash", "-c", f"cd /root\n{script}"], env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=deadline_s)
        return done.returncode, done.stdout

    def __exit__(self, *_):
        for holder in self.holders.values():
            holder.kill()
            holder.wait()
