# SPDX-License-Identifier: GPL-3.0-or-later
"""A program on a pseudo-terminal, with pexpect; what its window shows, with
pyte."""
import re
import time

import pexpect
import pyte

from nodes import DEADLINE_S, wait_until

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>()][0-9A-B]?|\r|\x1b\][^\x07]*\x07")


def plain(text):
    """What a person reads of it."""
    return ESCAPE.sub("", text)


class Terminal:
    """expect(), send() and what was seen so far."""

    def __init__(self, argv, env, size=(24, 100)):
        self.child = pexpect.spawn(argv[0], [str(a) for a in argv[1:]], env=env,
                                   dimensions=size, timeout=DEADLINE_S, encoding="utf-8",
                                   codec_errors="replace")
        self.child.delaybeforesend = None
        self.seen = ""
        self.sizes = [(0, size)]  # where in `seen` the size changed
        self.child.logfile_read = self

    def write(self, text):  # pexpect's log
        self.seen += text

    def flush(self):
        pass

    @property
    def pid(self):
        return self.child.pid

    def expect(self, pattern, timeout=DEADLINE_S):
        """Waits for the pattern; the text in front of it and itself."""
        self.child.expect(pattern, timeout=timeout)
        return self.child.before + self.child.after

    def until(self, condition, what):
        """Reads on until the condition holds; what expect() has not had yet
        stays there for it."""
        def holds():
            self.child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=0.02)
            return condition()
        return wait_until(holds, what)

    def prompt(self, name="lab/Riley"):
        """Waits for the prompt; what a person read until then."""
        return plain(self.expect(re.escape(name) + "> "))

    def line(self, text):
        self.child.send(text + "\r")

    def send(self, text):
        self.child.send(text)

    def complete(self, pattern, deadline_s=DEADLINE_S):
        """Tab, again until the session knows what completes to the pattern."""
        end = time.monotonic() + deadline_s
        while True:
            self.send("\t")
            if self.child.expect([pattern, pexpect.TIMEOUT], timeout=0.3) == 0:
                return self.child.before + self.child.after
            assert time.monotonic() < end, f"no completion to {pattern}: {self.seen[-2000:]}"

    def ask(self, text, name="lab/Riley"):
        """A command and what it printed, echo and prompt taken off."""
        self.line(text)
        shown = self.prompt(name)
        at = shown.find(text)
        shown = shown[at + len(text):] if at >= 0 else shown
        return shown[:shown.rfind(name + "> ")].lstrip("\n")

    def end(self):
        """Waits for the end; the exit status, or minus the signal."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        if self.child.signalstatus is not None:
            return -self.child.signalstatus
        return self.child.exitstatus

    def resize(self, lines, columns):
        """Another size of the window; the program is told by SIGWINCH."""
        self.sizes.append((len(self.seen), (lines, columns)))
        self.child.setwinsize(lines, columns)

    def lines(self):
        """What the window shows now, line by line, and the cursor."""
        screen = pyte.Screen(80, 24)
        stream = pyte.Stream(screen)
        ends = [at for at, _ in self.sizes[1:]] + [len(self.seen)]
        for (at, (height, width)), end in zip(self.sizes, ends):
            screen.resize(height, width)
            stream.feed(self.seen[at:end])
        return [line.rstrip() for line in screen.display], screen.cursor

    def modes(self):
        """The terminal's settings, to compare before and after."""
        import termios
        return termios.tcgetattr(self.child.child_fd)

    def close(self):
        if self.child.isalive():
            self.child.close(force=True)
