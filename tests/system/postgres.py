# SPDX-License-Identifier: GPL-3.0-or-later
"""Real PostgreSQL clusters for tests: each in a folder of its own, owned by an
ordinary user, on a Unix socket (TLS: on loopback); ended by pid."""
import atexit
import contextlib
import functools
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from nodes import DEADLINE_S, free_ports, give_back, wait_until

BIN = pathlib.Path(os.environ.get("PG_BIN") or max(
    pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name),
    default="/usr/lib/postgresql/15/bin"))
SETTINGS = """listen_addresses = ''
max_connections = 60
shared_buffers = 32MB
fsync = on
lc_messages = 'C'
logging_collector = off
restart_after_crash = on
"""


def owner():
    """Whom PostgreSQL accepts: the user of this process, but never root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError("no user postgres or nobody")


def as_owner():
    user = owner()
    return [] if user is None else ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                                    "--clear-groups", "--"]


def run(*words, **options):
    return subprocess.run([*as_owner(), *map(str, words)], check=True, cwd="/", capture_output=True,
                          text=True, timeout=60, **options).stdout


def new_folder():
    """Short, because a socket is in it, and the owner's."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="herd-pg-"))
    if owner() is not None:
        os.chown(folder, owner().pw_uid, owner().pw_gid)
    return folder


@functools.lru_cache
def template():
    """A cluster that was never started; initdb takes longer than a copy."""
    folder = new_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    run(BIN / "initdb", "-D", folder / "data", "-A", "trust", "-U", "herd", "-E", "UTF8", "--no-locale",
        "--no-sync")
    return folder / "data"


class Cluster:
    """One server. Use as a context manager."""

    def __init__(self, settings="", data=None):
        self.folder = new_folder()
        self.data = pathlib.Path(data) / "data" if data else self.folder / "data"
        self.settings, self.process, self.port = settings, None, 5432
        self.log_path = self.folder / "log"

    def make(self):
        run("cp", "-r", template(), self.data)
        self.configure(self.settings)
        return self

    def configure(self, settings):
        """The last of a setting's lines holds."""
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(SETTINGS + f"unix_socket_directories = '{self.folder}'\nport = {self.port}\n" + settings)

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*as_owner(), str(BIN / "postgres"), "-D", str(self.data)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        if wait:
            wait_until(self.is_ready, "the server is ready")
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            # After a kill -9 its children may hold the memory a moment longer.
            if b"shared memory block" in self.log_path.read_bytes():
                self.log_path.write_bytes(b"")
                self.start(wait=False)
                return False
            raise AssertionError(f"PostgreSQL ended: {self.log_path.read_text()[-3000:]}")
        return subprocess.run([BIN / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)],
                              check=False).returncode == 0

    def psql(self, text, user="herd", database="postgres"):
        return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p",
                str(self.port), "-U", user, "-d", database, "-c", text]

    def sql(self, text, **where):
        """What it prints."""
        done = subprocess.run(self.psql(text, **where), capture_output=True, text=True, timeout=DEADLINE_S,
                              check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def backends(self):
        """Pids of the connections of herdd."""
        return [int(pid) for pid in self.sql(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()").split()]

    def url(self, *others, user="herd", database="postgres", query=""):
        hosts = ",".join(str(one.folder).replace("/", "%2F") for one in (self, *others))
        return f"postgresql://{user}@{hosts}/{database}{query}"

    def url_file(self, folder, text=None, name="url"):
        """A file with the address, as store.url_file wants it."""
        path = pathlib.Path(folder) / name
        path.write_text((text or self.url()) + "\n")
        path.chmod(0o600)
        return path

    def family(self):
        """The server and what it has started."""
        found, todo = [], [self.process.pid]
        while todo:
            found.append(todo.pop())
            with contextlib.suppress(OSError):
                for task in pathlib.Path(f"/proc/{found[-1]}/task").iterdir():
                    todo += map(int, (task / "children").read_text().split())
        return found

    def signal_all(self, number):
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    @contextlib.contextmanager
    def frozen(self):
        """All of its processes are stopped."""
        self.process.send_signal(signal.SIGSTOP)  # it starts no more of them
        self.signal_all(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal_all(signal.SIGCONT)

    def stop(self, how=signal.SIGINT):
        """SIGINT: at once, but orderly; SIGKILL: the postmaster alone."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal_all(signal.SIGCONT)
            family = self.family()
            self.process.send_signal(how)
            self.process.wait(timeout=DEADLINE_S)
            wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in family), "its processes end")
        self.process = None

    def crash(self):
        self.stop(signal.SIGKILL)

    def standby(self, synchronous=True):
        """A second server that follows this one; with `synchronous`, commits
        here wait for it."""
        other = Cluster()
        run(BIN / "pg_basebackup", "-D", other.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-h",
            self.folder, "-p", self.port, "-U", "herd")
        other.configure(self.settings)
        other.start()
        if synchronous:
            self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.sql("SELECT pg_reload_conf()")
            wait_until(lambda: self.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1",
                       "the standby is synchronous")
        return other

    def promote(self):
        self.sql("ALTER SYSTEM RESET synchronous_standby_names")
        assert self.sql("SELECT pg_promote()") == "t"

    def listen_tls(self, certificate, key):
        """Also on loopback, with TLS and passwords alone."""
        self.port = free_ports(1)[0]
        for name, text in (("server.crt", certificate), ("server.key", key)):
            path = self.data / name
            path.write_bytes(text)
            path.chmod(0o600)
            if owner() is not None:
                os.chown(path, owner().pw_uid, owner().pw_gid)
        self.configure("listen_addresses = '127.0.0.1'\nssl = on\n")
        with open(self.data / "pg_hba.conf", "w") as hba:
            hba.write("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")

    def __enter__(self):
        return self.make().start()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if self.port != 5432:
                give_back([self.port])
            shutil.rmtree(self.folder, ignore_errors=True)
