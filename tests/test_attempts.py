"""A second attempt is for what the machine may have spoilt, and for nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SIDE_BY_SIDE = ("-p", "xdist.plugin", "--numprocesses", "2")
LATE = """
from pathlib import Path
import os
from tests.editors.patience import NotInTime

def test_late_once():
    seen = Path(__file__).with_name("seen")
    if not seen.exists():
        seen.touch()
        raise NotInTime("no window came")

def test_other():
    {other}
"""
WRONG_ONCE = """
    seen = Path(__file__).with_name("seen")
    if not seen.exists():
        seen.touch()
        assert 1 == 2

def test_other():
    {other}
"""
SLOW = f"""
import os
from pathlib import Path
import pytest

@pytest.mark.slow
def test_wrong_once():{WRONG_ONCE}"""
SERVED = f"""
from pathlib import Path
import pytest
from tests.support.other_process import OtherProcess

@pytest.fixture(scope="session")
def server():
    return OtherProcess()

@pytest.fixture
def page(server):
    return "a page of it"

def test_wrong_once(page):{WRONG_ONCE}"""


def outcome(tmp_path: Path, rule: str, tests: str, *words: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "test_unsteady.py"
    file.write_text(tests)
    command = [sys.executable, "-m", "tests.attempts", rule, str(file), *words]
    # Others' plug-ins of pytest take longer to load than these tests run.
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("rule", "tests", "name"),
    [
        ("late", LATE, "test_late_once"),
        ("slow", SLOW, "test_wrong_once"),
        ("slow", SERVED, "test_wrong_once"),
    ],
)
@pytest.mark.parametrize("words", [(), SIDE_BY_SIDE], ids=["alone", "side by side"])
def test_what_the_machine_may_have_spoilt_is_tried_once_more_and_named(
    tmp_path: Path, rule: str, tests: str, name: str, words: tuple[str, ...]
) -> None:
    done = outcome(tmp_path, rule, tests.format(other="pass"), *words)
    assert done.returncode == 0, done.stdout
    assert "Passed at the second attempt only" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(f"test_unsteady.py::{name}")


@pytest.mark.parametrize("other", ["assert 1 == 2", "raise TimeoutError"])
@pytest.mark.parametrize(("rule", "tests"), [("late", LATE), ("slow", SLOW), ("slow", SERVED)])
def test_what_is_wrong_counts_at_once(tmp_path: Path, rule: str, tests: str, other: str) -> None:
    done = outcome(tmp_path, rule, tests.format(other=other))
    assert done.returncode == 1
    assert "Once more" not in done.stdout


def test_a_process_of_tests_that_dies_counts_at_once(tmp_path: Path) -> None:
    done = outcome(tmp_path, "slow", SLOW.format(other="os._exit(3)"), *SIDE_BY_SIDE)
    assert done.returncode == 1
    assert "Once more" not in done.stdout


def test_what_comes_too_late_twice_has_failed(tmp_path: Path) -> None:
    other = 'raise NotInTime("nor the second time")'
    done = outcome(tmp_path, "late", LATE.format(other=other))
    assert done.returncode == 1
    assert "Once more" in done.stdout and "second attempt only" not in done.stdout


def test_where_much_is_wrong_the_machine_is_not_asked_again(tmp_path: Path) -> None:
    many = "\n".join(f"def test_{n}():\n    raise NotInTime('no')\n" for n in range(4))
    done = outcome(tmp_path, "late", LATE.format(other="pass") + many)
    assert done.returncode == 1
    assert "Once more" not in done.stdout
