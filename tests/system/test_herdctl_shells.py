# SPDX-License-Identifier: GPL-3.0-or-later
"""herdctl's completion in bash, zsh and fish themselves: on a terminal, by
the Tab key, with the script where that shell looks for it."""
import shutil

import pytest

from fake_node import FakeHerd
from nodes import HERDCTL, wait_until
from terminal import Terminal, plain

READY = "READY% "


def start_bash(home, script, folder):
    (home / ".bashrc").write_text(f"{script}\nbind 'set show-all-if-ambiguous on'\nPS1='{READY}'; cd '{folder}'\n")
    return ["bash", "--rcfile", home / ".bashrc", "-i"]


def start_zsh(home, script, folder):
    functions = home / "functions"
    functions.mkdir()
    (functions / "_herdctl").write_text(script)
    (home / ".zshrc").write_text(
        f"fpath=('{functions}' $fpath); autoload -Uz compinit; compinit -u -d '{home}/dump'\n"
        f"unsetopt prompt_sp; PS1='READY%% '; cd '{folder}'\n")
    return ["zsh", "-d", "-i"]


def start_fish(home, script, folder):
    config = home / ".config/fish"
    (config / "completions").mkdir(parents=True)
    (config / "completions/herdctl.fish").write_text(script)
    (config / "config.fish").write_text(
        f"set -g fish_autosuggestion_enabled 0; set -g fish_greeting\ncd '{folder}'\n"
        f"function fish_prompt; echo -n '{READY}'; end\n")
    return ["fish", "-i"]


SHELLS = {"bash": start_bash, "zsh": start_zsh, "fish": start_fish}


class Shell:
    """An interactive shell that knows herdctl's completion."""

    def __init__(self, ctl, name, folder):
        self.name = name
        script = ctl("completion", name).stdout
        argv = SHELLS[name](ctl.home, script, folder)
        # herdctl shows its words instead of doing anything.
        env = ctl.env(SHOWN=ctl.home / "shown", XDG_RUNTIME_DIR=ctl.home / "run")
        # Without such a folder, of this mode, fish leaves one in /tmp.
        (ctl.home / "run").mkdir(mode=0o700)
        env["PATH"] = f"{ctl.home}/bin:{env['PATH']}"
        wrapper = ctl.home / "bin/herdctl"
        wrapper.parent.mkdir()
        wrapper.write_text(
            f'#!/bin/sh\n'
            'if [ "$1" = __complete ] && [ -e "$HOME/words" ]; then cat "$HOME/words"; exit; fi\n'
            f'[ "$1" = __complete ] && exec {HERDCTL} "$@"\n'
            'printf "%s\\n" "$@" >"$SHOWN.new"; mv "$SHOWN.new" "$SHOWN"\n')
        wrapper.chmod(0o755)
        self.shown = ctl.home / "shown"
        self.terminal = Terminal([shutil.which(argv[0]), *argv[1:]], env, (24, 200))
        self.terminal.expect(READY)

    def complete(self, text):
        """The words that the line holds once Tab has been pressed."""
        if self.shown.exists():
            self.shown.unlink()
        self.terminal.send(f"herdctl {text}\t\r")
        wait_until(self.shown.exists, f"{text!r} has run: {plain(self.terminal.seen)!r}")
        self.terminal.expect(READY)
        return self.shown.read_text().splitlines()

    def suggest(self, text, *words):
        """Types a line that has several ends, and waits for all of them."""
        at = len(self.terminal.seen)
        self.terminal.send(f"herdctl {text}\t")
        self.terminal.until(
            lambda: all(word in plain(self.terminal.seen[at:]) for word in words),
            f"{words} for {text!r}")
        self.terminal.send("\x15\r")
        self.terminal.expect(READY)


@pytest.fixture(params=SHELLS)
def shell(request, ctl, fake, tmp_path):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed (`make deps` brings it)")
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("my herd.yaml", "other.yaml"):
        (folder / name).write_text("")
    started = Shell(ctl, request.param, folder)
    yield started
    started.terminal.close()


def test_tab_completes_in_the_shell_itself(shell):
    for typed, words in [
            ("wha", "whatsat"),                              # commands
            ("pee", "peer"),
            ("peer s", "peer show"),                         # and their second words
            ("status --outp", "status --output"),            # options
            ("whatsat k 1 1 --ma", "whatsat k 1 1 --map"),
            ("status -o geo", "status -o geojson"),          # their values
            ("status --output=geo", "status --output=geojson"),
            ("peer ls --columns peer,lag", "peer ls --columns peer,lag_ms"),
            ("node show Ri", "node show Riley"),             # nodes
            ("-n Jaquez peer show Ri", "-n Jaquez peer show Riley"),  # its neighbours
            ("client show k -n Jaq", "client show k -n Jaquez"),
            ("client show k --node=Jaq", "client show k --node=Jaquez"),
            ("iamat k -33+151 n", "iamat k -33+151 now"),    # a place is no option
            ("bench mi", "bench mixed"),
            ("'pee", "peer"),                                # quotes
            ("node show \"R", "node show Riley"),
            ("config check ot", "config check other.yaml"),  # files
            ("--conf=ot", "--conf=other.yaml"),
            ("peer zz", "peer zz")]:                         # nothing fits
        assert shell.complete(typed) == words.split(), typed
    assert shell.complete("config check my") == ["config", "check", "my herd.yaml"]


def test_tab_lists_what_is_ambiguous(shell):
    shell.suggest("peer ", "disable", "enable", "graph", "reconnect", "show")
    shell.suggest("node show ", "Jaquez", "Juzang", "Riley")


def test_tab_knows_the_nodes_of_the_herd_that_the_line_names(shell, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    with FakeHerd(other, names=("Ottawa", "Oslo")) as herd:
        assert shell.complete(f"-c {herd.path} node show Ott") == [
            "-c", herd.path, "node", "show", "Ottawa"]
        assert shell.complete(f"--conf={herd.path} node show Os") == [
            f"--conf={herd.path}", "node", "show", "Oslo"]


HOSTILE = ["|touch owned", ">owned", ";touch owned", "#x", "a'b", 'a"b', "a\\b", "$(touch owned)",
           "`touch owned`", "~root", "!!", "%1", "*", "?", "[a]", "{a,b}", "a&b", "(a)", "<a", "a=b",
           "a:b", "^a", "+a", "a b", "$HOME", "caf\u00e9", "-x", "''", '"', "\\", "a" * 300]


def test_tab_inserts_any_word_as_one(shell, ctl):
    """Whatever herdctl may suggest one day."""
    for end in HOSTILE:
        (ctl.home / "words").write_text("w" + end + "\n")
        for begun in ("", "'w", '"w'):
            assert shell.complete(f"node show {begun}") == ["node", "show", "w" + end], (begun, end)
        (ctl.home / "words").write_text(end + "\n")
        # fish inserts a tilde as a command to itself: it gets no such word.
        inserted = [] if (shell.name, end) == ("fish", "~root") else [end]
        assert shell.complete("node show ") == ["node", "show", *inserted], end
    assert not (ctl.home / "owned").exists()


def test_suggestions_are_lines_and_no_options(ctl):
    (ctl.home / ".config/herdctl/contexts").mkdir(parents=True)
    for name in ("good", "-bad", "--json", "two\nlines", "a\x1bb", "a b"):
        (ctl.home / ".config/herdctl/contexts" / name).write_text("conf /x\n")
    assert ctl("__complete", "context", "use", "").stdout.split("\n") == ["good", "none", ""]


def test_completion_is_for_three_shells(ctl):
    assert ctl("completion", "tcsh").returncode == 2
