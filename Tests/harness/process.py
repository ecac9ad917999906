"""Processes with logs in files, events read from them, and deadlines on every wait."""
import json
import os
import signal
import subprocess
import time


class Failed(AssertionError):
    """Something did not happen; the message says what, and shows the end of the logs."""


def until(condition, seconds, what, logs=lambda: "", every=0.01):
    """Polls until `condition()` is true and returns its value; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds} s for {what}\n{logs()}")
        time.sleep(every)


class Process:
    """One program, its standard output and error in files of `folder`."""

    def __init__(self, name, argv, folder, env=None, cwd=None, stdin=subprocess.DEVNULL, pty=None):
        self.name, self.argv = name, [str(a) for a in argv]
        os.makedirs(folder, exist_ok=True)
        self.stdout_path = os.path.join(folder, "stdout")
        self.stderr_path = os.path.join(folder, "stderr")
        self.events = []
        self._event_offset = 0
        self._final_log = None
        self.started = time.monotonic()
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            if pty is not None:
                stdin = out = err = pty
            self.child = subprocess.Popen(
                self.argv, stdin=stdin, stdout=out, stderr=err, cwd=cwd or folder, env=env,
                start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    @property
    def code(self):
        """The exit code as a shell shows it (128 + signal), or None while it runs."""
        code = self.child.poll()
        return 128 - code if code is not None and code < 0 else code

    @property
    def killed_by_signal(self):
        """Whether the kernel ended it, as after a crash; a program that exits with 143 is not that."""
        code = self.child.poll()
        return code is not None and code < 0

    def wait(self, seconds=20):
        until(lambda: self.code is not None, seconds, f"{self.name} to end", self.log)
        return self.code

    def signal(self, number):
        if self.code is None:
            os.kill(self.pid, number)

    def stop(self):
        """Ends it by id, politely first, and keeps the end of its log for the failure text."""
        if self.code is None:
            self.signal(signal.SIGTERM)
            try:
                self.child.wait(4)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
                self.child.wait(4)
        self._final_log = self._final_log or self.log()

    def stdout(self):
        with open(self.stdout_path, "rb") as f:
            return f.read()

    def stderr(self):
        with open(self.stderr_path, errors="replace") as f:
            return f.read()

    def log(self):
        """What it was, how it ended, and the last lines it wrote."""
        if self._final_log:
            return self._final_log
        state = "running" if self.code is None else f"exit {self.code}"
        text = [f"--- {self.name} (pid {self.pid}, {state}): {' '.join(self.argv)[:600]}"]
        for path in (self.stdout_path, self.stderr_path):
            with open(path, "rb") as f:
                f.seek(0, os.SEEK_END)
                f.seek(max(0, f.tell() - 20_000))
                lines = f.read().decode(errors="replace").strip().splitlines()
            # Of events that repeat, the last one is enough.
            for often in ('"event":"progress"', '"event":"dht"'):
                repeated = [line for line in lines if often in line.replace(": ", ":")][:-1]
                lines = [line for line in lines if line not in repeated]
            text += [f"    {os.path.basename(path)}: {line[:300]}" for line in lines[-8:]]
        return "\n".join(text)

    def read_events(self):
        """All events so far. A line of standard output that is no JSON object fails the test."""
        with open(self.stdout_path, "rb") as f:
            f.seek(self._event_offset)
            data = f.read()
        complete = data[:data.rfind(b"\n") + 1]
        self._event_offset += len(complete)
        for line in complete.splitlines():
            try:
                event = json.loads(line)
            except ValueError as error:
                raise Failed(f"{self.name}: not JSON: {line[:300]!r} ({error})") from error
            if not isinstance(event, dict) or "event" not in event:
                raise Failed(f"{self.name}: not an event: {line[:300]!r}")
            self.events.append(event)
        return self.events

    def all(self, event):
        return [e for e in self.read_events() if e["event"] == event]

    def event(self, name, seconds=20, where=lambda event: True):
        """The first event of this name for which `where` holds; fails if the process ends without it."""
        def find():
            ended = self.code is not None
            found = next((e for e in self.all(name) if where(e)), None)
            if found is None and ended:
                raise Failed(f"{self.name} ended without a '{name}' event\n{self.log()}")
            return found
        return until(find, seconds, f"event '{name}' of {self.name}", self.log)

    def last(self, name):
        found = self.all(name)
        return found[-1] if found else None

    def peers(self, key):
        """The highest value of `key` (`pieces`, `downloaded`) seen for each peer address."""
        totals = {}
        for e in self.all("peer"):
            totals[e["address"]] = max(totals.get(e["address"], 0), e.get(key, 0))
        return totals
