"""The tests, with a second attempt at what the machine may have spoilt.

    python -m tests.attempts late [words of pytest]

The rule says which failures may be the machine's: `late`, what did not come in time (`NotInTime`)
and nothing else; `slow`, whatever fails in a test of processes at work: it bears that mark, or one
of its fixtures is an `OtherProcess`.
Where three tests at most failed, and all by the rule, their files run once more, alone, and the
last line names them: each such line is a fault that has still to be found.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from typing import Any

import pytest

from tests.editors.patience import NotInTime
from tests.support.other_process import OtherProcess

MOST = 3
RULES = ("late", "slow")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--second-attempt", choices=RULES, help="what may have been the machine's")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note it in the report, which travels from where the test ran to where reports are read."""
    report = yield
    if call.excinfo is not None:
        late = call.excinfo.errisinstance(NotInTime)
        rule = item.config.option.second_attempt
        report.by_the_machine = late if rule == "late" else has_processes(item)
        report.file = str(item.path)
    return report


def has_processes(item: pytest.Item) -> bool:
    """Other processes are at work in this test."""
    fixtures: dict[str, object] = getattr(item, "funcargs", {})
    others = any(isinstance(each, OtherProcess) for each in fixtures.values())
    return others or item.get_closest_marker("slow") is not None


class Failures:
    """A plug-in of pytest that tells what may be tried again from what counts."""

    def __init__(self) -> None:
        self.again: dict[str, str] = {}
        self.count = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.failed:
            return
        # The report of a process of pytest that died has no such note.
        if getattr(report, "by_the_machine", False):
            self.again[report.nodeid] = report.file
        else:
            self.count = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.count |= report.failed


def run(rule: str, *words: str) -> int:
    """Run pytest with these words; its exit status, or that of the second attempt."""
    # As Ctrl+C does, so that what the tests have started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seen = Failures()
    options = ("-p", "tests.attempts", "--second-attempt", rule)
    status = int(pytest.main([*options, *words], plugins=[seen]))
    if status != pytest.ExitCode.TESTS_FAILED or seen.count or not 0 < len(seen.again) <= MOST:
        return status
    names = ", ".join(seen.again)
    print(f"Once more, in a run of their own: {names}", flush=True)
    files = dict.fromkeys(seen.again.values())
    status = subprocess.run([sys.executable, "-m", "pytest", *files]).returncode
    if status == 0:
        print(f"Passed at the second attempt only: {names}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
