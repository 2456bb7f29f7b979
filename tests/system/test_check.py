# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/check.sh and tests/install.sh: what `make check` and `make deps` show,
with a make and an apt-get that only say what they would do."""
import os
import re
import subprocess

import pytest

from nodes import TOP, wait_until
from terminal import Terminal, plain

MAKE = """#!/bin/sh
for target; do :; done
case $target in
slow) echo 'tests: 40%'; read line <{go}; echo '3 passed in 0.1s' ;;
bad) touch "$TMPDIR/evidence"; echo '1 failed, 2 passed in 0.1s'; exit 1 ;;
quoted) echo 'E   before: == one (0 s) 2 passed in 0.1s'; echo '1 passed, 1 skipped in 10.9s (0:00:10)' ;;
*) touch "$TMPDIR/left"; echo '2 passed in 0.1s' ;;
esac
"""


@pytest.fixture
def tree(tmp_path):
    """A folder with check.sh, a make of its own, and a temporary folder."""
    for folder in ("tests", "tools", "tmp"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tests" / "check.sh").write_text((TOP / "tests" / "check.sh").read_text())
    os.mkfifo(tmp_path / "go")
    make = tmp_path / "tools" / "make"
    make.write_text(MAKE.format(go=tmp_path / "go"))
    make.chmod(0o755)
    return tmp_path


def environment(tree):
    return {"PATH": f"{tree}/tools:{os.environ['PATH']}", "TMPDIR": str(tree / "tmp"), "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color"}


def test_check_adds_up_and_leaves_nothing(tree):
    """Also beside lines of a runner that another test has shown."""
    done = subprocess.run(["bash", tree / "tests" / "check.sh", "one", "two", "quoted"], env=environment(tree),
                          capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "5 passed, 0 failed", done
    assert "\r" not in done.stdout
    assert list((tree / "tmp").iterdir()) == []


def test_check_keeps_what_a_failed_test_left(tree):
    done = subprocess.run(["bash", tree / "tests" / "check.sh", "one", "bad"], env=environment(tree),
                          capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout.splitlines()[-1] == "4 passed, 1 failed", done
    kept, = (tree / "tmp").iterdir()
    assert (kept / "evidence").exists() and str(kept) in done.stdout


def test_check_shows_progress_on_a_terminal(tree):
    shown = Terminal(["bash", str(tree / "tests" / "check.sh"), "one", "slow"], environment(tree))
    try:
        shown.expect(r"== 2 of 2: slow, \d+ s +tests: 40%")
        with open(tree / "go", "w", encoding="ascii") as go:
            go.write("go\n")
        assert shown.end() == 0
        assert "5 passed, 0 failed" in plain(shown.seen)
    finally:
        shown.close()


def test_interrupted_check_leaves_nothing(tree):
    shown = Terminal(["bash", str(tree / "tests" / "check.sh"), "slow"], environment(tree))
    try:
        shown.expect("tests: 40%")
        shown.send("\x03")
        assert shown.end() in (130, -2)
        wait_until(lambda: not list((tree / "tmp").iterdir()), "nothing left")
    finally:
        shown.close()


def install(tmp_path, *packages, sudo=True):
    tools = tmp_path / "tools"
    tools.mkdir()
    plan = "Inst libb [2] (1 Debian)\\nInst liba (1 Debian)\\nInst have-not (1 Debian)\\n"
    programs = {
        "dpkg-query": "echo have installed; exit 1",
        "apt-get": f'case " $* " in *" -s "*) printf "{plan}" ;; *) echo "apt-get $*" ;; esac',
        "id": "echo 1000", "sudo": 'shift; "$@"',
    }
    if not sudo:
        del programs["sudo"]
    for name, text in programs.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    for name in ("bash", "sh", "awk", "sort", "comm", "fold", "sed", "printf"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    return subprocess.run([TOP / "tests" / "install.sh", *packages], env={"PATH": str(tools)}, capture_output=True,
                          text=True)


def test_install_names_all_before_it_installs(tmp_path):
    done = install(tmp_path, "have", "have-not")
    assert done.returncode == 0, done
    named = done.stdout.index("3 packages, for the 1 that are missing:\n    have-not liba libb\n")
    assert named < done.stdout.index("apt-get install -y -qq --no-install-recommends have-not")
    assert "recommends have " not in done.stdout


def test_install_does_nothing_when_nothing_is_missing(tmp_path):
    done = install(tmp_path, "have")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_install_without_root_says_what_to_type(tmp_path):
    done = install(tmp_path, "have", "have-not", sudo=False)
    assert done.returncode == 1
    assert re.search("as root: apt-get install .*have-not", done.stderr), done.stderr
