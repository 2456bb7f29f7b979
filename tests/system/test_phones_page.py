# SPDX-License-Identifier: GPL-3.0-or-later
"""herd-phones(7), typed as it is: the herd file, the certificate, the users,
the reports and the questions."""
import os
import pathlib
import re
import subprocess

import pytest

from conftest import Ctl
from nodes import DEADLINE_S, HERDCTL, HERDD, TOP, Node, free_ports, give_back

PASSWORD = "correct-horse-battery"  # ~/.netrc has no spaces in words
PAGE = (TOP / "man" / "herd-phones.7").read_text()
BLOCK = re.compile(r"^\.\\\" (run|herd file|not run: [^\n]+)\n\.Bd -literal -offset indent\n(.*?)^\.Ed$", re.M | re.S)


def blocks():
    """(how, text) of each literal block."""
    found = [(how, text.replace("\\e", "\\").replace("\\-", "-")) for how, text in BLOCK.findall(PAGE)]
    assert len(found) == PAGE.count("\n.Bd "), "a block does not say whether it is run"
    return found


class Reader:
    """Somebody who types the page in a folder, with ports of his own."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.path, self.herdd = self.folder / "herd.yaml", HERDD
        self.clients, self.http = free_ports(2)
        self.node = Node(self, "A", self.clients, 0)
        home = self.folder / "home"
        home.mkdir()
        self.env = Ctl(home, self.path).env()
        self.env["PATH"] = os.path.dirname(HERDCTL) + ":" + self.env["PATH"]
        (home / ".curlrc").write_text(f'connect-to = "phones.example.org:443:127.0.0.1:{self.http}"\n'
                                      f'cacert = "{self.folder}/ca.crt"\nfail\nsilent\nshow-error\n')
        self.private(home / ".netrc", f"machine phones.example.org login john password {PASSWORD}\n")
        self.private(self.folder / "john.password", PASSWORD + "\n")

    @staticmethod
    def private(path, text):
        path.write_text(text)
        path.chmod(0o600)

    def mine(self, text):
        for old, new in (("/etc/herd", str(self.folder)), ("192.0.2.1:443", f"127.0.0.1:{self.http}"),
                         ("127.0.0.1:12001", f"127.0.0.1:{self.clients}")):
            text = text.replace(old, new)
        return text

    def type(self, how, text):
        """What a block says, as (command line, output) of its last command."""
        if how == "herd file":
            self.path.write_text(self.mine(text) + "places: {provider: gazetteer, data: "
                                 f"{TOP}/build/gazetteer.sqlite}}\n")
            return ""
        if not how.startswith("not run"):
            if "config reload" in text and self.node.process is None:
                self.node.start()
            done = subprocess.run(["bash", "-e", "-c", self.mine(text)], cwd=self.folder, env=self.env, text=True,
                                  capture_output=True, timeout=DEADLINE_S, stdin=subprocess.DEVNULL)
            assert done.returncode == 0, (text, done.stdout, done.stderr)
            return done.stdout
        return ""


@pytest.fixture
def reader(tmp_path):
    one = Reader(tmp_path)
    yield one
    one.node.stop()
    give_back([one.clients, one.http])


def test_the_page_works(reader):
    said = [reader.type(how, text) for how, text in blocks()]
    text = "\n".join(said)
    assert re.search(r"jane/car: a new key, shown only now: [0-9a-f]{32}\n", text)
    assert "https://phones.example.org/owntracks" in text
    assert "+48.858370+2.294481" in text, "the report of the script"
    assert "john/laptop" in said[-2], "client ls of the troubles"
    assert "48.856826" in said[-1], "where"
