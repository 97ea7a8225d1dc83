"""The tests in one real editor: `python -m tests.editors.run gimp`, or krita.

Other people's windows come late now and then. Where that is all that went wrong, and in a few
tests only, their files are run once more in editors started anew, and that is said. A result that
is wrong, a picture that has changed, or an editor that has left counts at once.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.editors.patience import NotInTime

MOST = 3


class Failures:
    """A plug-in of pytest that tells what came too late from what is wrong."""

    def __init__(self) -> None:
        self.late: dict[str, Path] = {}
        self.wrong = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed:
            if call.excinfo is not None and call.excinfo.errisinstance(NotInTime):
                self.late[item.nodeid] = item.path
            else:
                self.wrong = True
        return report


def run(*words: str) -> int:
    """Run pytest with these words; its exit status, or that of the second attempt."""
    seen = Failures()
    status = int(pytest.main(list(words), plugins=[seen]))
    if status != pytest.ExitCode.TESTS_FAILED or seen.wrong or not 0 < len(seen.late) <= MOST:
        return status
    names = ", ".join(seen.late)
    print(f"Came too late, so once more with editors started anew: {names}", flush=True)
    files = dict.fromkeys(map(str, seen.late.values()))
    status = subprocess.run([sys.executable, "-m", "pytest", *files]).returncode
    if status == 0:
        print(f"Passed at the second attempt only: {names}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(run(*(str(Path(__file__).parent / editor) for editor in sys.argv[1:])))
