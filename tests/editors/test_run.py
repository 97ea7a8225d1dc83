"""A second attempt is for what came too late, and for nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
from pathlib import Path
from tests.editors.patience import NotInTime

def test_late_once():
    seen = Path(__file__).with_name("seen")
    if not seen.exists():
        seen.touch()
        raise NotInTime("no window came")

def test_other():
    {other}
"""


def outcome(tmp_path: Path, other: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "test_late.py"
    file.write_text(TESTS.format(other=other))
    words = f"import sys; from tests.editors.run import run; sys.exit(run({str(file)!r}))"
    return subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True)


def test_what_came_too_late_is_tried_once_more_and_named(tmp_path: Path) -> None:
    done = outcome(tmp_path, "pass")
    assert done.returncode == 0, done.stdout
    assert "Passed at the second attempt only" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("test_late.py::test_late_once")


@pytest.mark.parametrize("other", ["assert 1 == 2", "raise OSError", "raise TimeoutError"])
def test_what_is_wrong_counts_at_once(tmp_path: Path, other: str) -> None:
    done = outcome(tmp_path, other)
    assert done.returncode == 1
    assert "once more" not in done.stdout


def test_what_comes_too_late_twice_has_failed(tmp_path: Path) -> None:
    done = outcome(tmp_path, 'raise NotInTime("nor the second time")')
    assert done.returncode == 1
    assert "once more" in done.stdout and "second attempt only" not in done.stdout
