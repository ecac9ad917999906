"""A program that is typed at, on a pseudo-terminal or through a pipe."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading

from .case import environment
from .process import Process, until

KINDS = ("terminal", "pipe")

# The terminal becomes the controlling one, as a person's is; then exec, same id.
CONTROL = ("import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
           "os.execv(sys.argv[1], sys.argv[1:])")


class Typist:
    """Types lines, and waits for words."""

    def __init__(self, kind, name, argv, folder, home, env=None, cwd=None):
        self.kind, self.offset, self.shown = kind, 0, b""
        env = {**environment(home), **(env or {})}
        if kind == "pipe":
            self.process = Process(name, argv, folder, env=env, cwd=cwd, stdin=subprocess.PIPE)
            return
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.process = Process(name, [sys.executable, "-c", CONTROL, *argv], folder, env=env, cwd=cwd, pty=theirs)
        self.theirs = theirs
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data = os.read(self.ours, 65536)
            except OSError:
                return
            if not data:
                return
            self.shown += data

    @property
    def text(self):
        """All that it said, on both streams."""
        if self.kind == "terminal":
            return self.shown.decode(errors="replace").replace("\r\n", "\n")
        return self.process.stdout().decode(errors="replace") + self.process.stderr()

    def type(self, *lines):
        for line in lines:
            data = line.encode() + b"\n"
            if self.kind == "terminal":
                os.write(self.ours, data)
            else:
                self.process.child.stdin.write(data)
                self.process.child.stdin.flush()

    def password(self, word, question="Password", again=True):
        """Types a password when it is asked for: on a terminal, and there twice where it is new; in a pipe it is a line."""
        if self.kind == "pipe":
            return self.type(word)
        self.expect(question)
        self.type(word)
        if again:
            self.expect("Again")
            self.type(word)

    def end_input(self):
        if self.kind == "terminal":
            os.write(self.ours, b"\x04")
        else:
            self.process.child.stdin.close()

    def expect(self, pattern, seconds=15):
        """Waits for words; on a terminal for what comes behind those of the last call."""
        def find():
            if self.kind == "pipe":
                return re.search(pattern, self.text)
            found = re.compile(pattern).search(self.text, self.offset)
            if found:
                self.offset = found.end()
            return found
        return until(find, seconds, f"'{pattern}' of {self.process.name}", lambda: self.text[-3000:])

    def close(self):
        self.process.stop()
        if self.kind == "terminal":
            os.close(self.theirs)
            os.close(self.ours)
        elif not self.process.child.stdin.closed:
            try:
                self.process.child.stdin.close()
            except BrokenPipeError:
                pass
