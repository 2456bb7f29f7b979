# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine of its own for tests of the package: Debian's base system in a
folder of build/, as a container or booted with its own systemd."""
import os
import pathlib
import shutil
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
FOLDER = TOP / "build" / "deb-check"
BASE = FOLDER / "base"
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
       "DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_NSPAWN_TMPFS_TMP": "0"}
DEADLINE_S = 600


def why_not():
    """Why this machine cannot have another one within; None if it can."""
    if os.geteuid() != 0:
        return "needs root, for debootstrap"
    missing = [tool for tool in ("debootstrap", "systemd-nspawn", "nsenter") if shutil.which(tool) is None]
    return f"needs {', '.join(missing)}" if missing else None


def codename():
    lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["VERSION_CODENAME"]


def make_base():
    """Debian's base system with systemd; kept in build/ for the next run."""
    if (BASE / "complete").exists():
        return
    shutil.rmtree(BASE, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["debootstrap", "--variant=minbase", "--include=systemd,dbus,procps", codename(), str(BASE)]
                          + ([os.environ["MIRROR"]] if "MIRROR" in os.environ else []),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (BASE / "complete").touch()


class Machine:
    """A copy of the base system. Use as a context manager."""

    def __init__(self, name):
        make_base()
        self.root = FOLDER / name
        self.leader = self.nspawn = None
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-a", str(BASE), str(self.root)], check=True, timeout=DEADLINE_S)
        shutil.copy("/etc/resolv.conf", self.root / "etc" / "resolv.conf")

    def boot(self):
        """Starts systemd as the machine's first process, and waits for it."""
        self.console = open(FOLDER / f"{self.root.name}.log", "wb")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=off", "--timezone=off",
             "--link-journal=no", "--hostname=herd-check", "-D", str(self.root), "--boot"],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console)
        self.wait(self.find_leader, "the machine's first process")
        self.wait(lambda: self.run("systemctl is-system-running", check=False).stdout.strip()
                  in ("running", "degraded"), "the machine has started")

    def find_leader(self):
        assert self.nspawn.poll() is None, "systemd-nspawn ended; its console is in build/deb-check"
        children = pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        for pid in children:
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                self.leader = pid
                return True
        return False

    def wait(self, condition, what, deadline_s=120):
        end = time.monotonic() + deadline_s
        while not condition():
            assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
            time.sleep(0.1)

    def run(self, script, check=True, user=None, cwd="/"):
        """Runs a script of sh in the machine."""
        if self.leader:
            enter = ["nsenter", "-t", self.leader, "-m", "-u", "-i", "-n", "-p", "-C", "--"]
        else:
            enter = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=off",
                     "--timezone=off", "--pipe", *(["-u", user] if user else []), "-D", str(self.root),
                     *(f"--setenv={name}={value}" for name, value in ENV.items())]
        done = subprocess.run([*enter, "/bin/sh", "-ec", f"cd {cwd}\n{script}"], env=ENV,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S)
        if check:
            assert done.returncode == 0, (script, done.stdout[-3000:], done.stderr[-3000:])
        return done

    def copy_in(self, path, to):
        shutil.copy(path, self.root / to.lstrip("/"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.nspawn is not None:
            if self.leader and self.nspawn.poll() is None:
                self.run("systemctl poweroff", check=False)
            try:
                self.nspawn.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
            self.console.close()
        shutil.rmtree(self.root, ignore_errors=True)
