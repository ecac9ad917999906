"""Runs the unittest cases of a folder in parallel and closes with `N passed, N failed, N skipped`."""
import argparse
import fnmatch
import os
import sys
import threading
import time
import traceback
import unittest
from concurrent.futures import ThreadPoolExecutor

from . import namespace
from .case import SHOAL


class _Result(unittest.TestResult):
    """Collects the outcome of one test."""

    def __init__(self):
        super().__init__()
        self.text = None

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._explain(test, err)

    addError = addFailure

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._explain(test, err, f" {subtest._subDescription()}")

    def _explain(self, test, err, suffix=""):
        kind, error, trace = err
        frames = [f for f in traceback.extract_tb(trace) if os.path.basename(f.filename).startswith("test_")]
        where = [f"  {os.path.basename(f.filename)}:{f.lineno}: {f.line}" for f in frames]
        message = f"{kind.__name__}: {error}" if str(error) else kind.__name__
        text = "\n".join([suffix, *where, message[:6000]]).strip("\n")
        logs = [] if suffix else [log for log in (p.log() for p in getattr(test, "processes", [])) if log not in text]
        self.text = "\n".join([*filter(None, [self.text]), text, *logs[:1], *logs[1:][-6:]])


def _flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _flatten(item)
        else:
            yield item


def _title(test):
    return f"{type(test).__name__}: {test.shortDescription() or test._testMethodName}"


class _Run:
    def __init__(self):
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.lock = threading.Lock()

    def one(self, test):
        started = time.monotonic()
        result = _Result()
        test.run(result)
        seconds = time.monotonic() - started
        if result.skipped:
            outcome, detail = "skipped", f" ({result.skipped[0][1]})"
        elif result.text or not result.wasSuccessful():
            outcome, detail = "failed", "\n" + (result.text or "unexpected success").strip("\n")
        else:
            outcome, detail = "passed", ""
        with self.lock:
            self.counts[outcome] += 1
            print(f"{outcome:7} {seconds:5.1f} s  {_title(test)}{detail}", flush=True)


def main(folder, jobs=2 + (os.cpu_count() or 2)):
    parser = argparse.ArgumentParser(description="Runs the tests of this folder in namespaces of their own.")
    parser.add_argument("pattern", nargs="?", default="*", help="only tests whose name holds this (or matches this glob)")
    parser.add_argument("--jobs", type=int, default=jobs, help=f"tests at a time (default: {jobs})")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args()
    if not options.list:
        if not os.access(SHOAL, os.X_OK):
            sys.exit(f"there is no program at {SHOAL}: run scripts/setup, or name the binary in SHOAL")
        namespace.enter()
    sys.path.insert(0, folder)
    tests = list(_flatten(unittest.TestLoader().discover(folder, pattern="test_*.py", top_level_dir=folder)))
    pattern = options.pattern if "*" in options.pattern else f"*{options.pattern}*"
    tests = [t for t in tests if fnmatch.fnmatchcase(t.id().lower(), pattern.lower())]
    if options.list:
        print("\n".join(f"{t.id()}  {t.shortDescription() or ''}" for t in tests))
        return 0
    run = _Run()
    alone = [t for t in tests if _flag(t, "alone")]
    together = sorted((t for t in tests if not _flag(t, "alone")), key=lambda t: not _flag(t, "long"))
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        list(pool.map(run.one, together))
    for test in alone:
        run.one(test)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**run.counts))
    return 1 if run.counts["failed"] or not run.counts["passed"] + run.counts["skipped"] else 0


def _flag(test, name):
    method = getattr(test, test._testMethodName, None)
    return getattr(method, name, False) or getattr(test, name, False)


def alone(method):
    """Marks a test that must not share the processor: one that measures a rate or a share."""
    method.alone = True
    return method


def long(method):
    """Marks a test that takes long: it is started first, so that the others fill the time."""
    method.long = True
    return method
