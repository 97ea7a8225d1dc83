from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.editors.side_by_side import run


@pytest.mark.parametrize(("second", "status"), [("pass", 0), ("assert 1 == 2", 1)])
def test_what_all_say_is_printed_and_one_that_fails_is_enough(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    second: str,
    status: int,
) -> None:
    # Others' plug-ins of pytest take longer to load than these tests run.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    folders = tmp_path / "one", tmp_path / "another"
    for folder, body in zip(folders, (second, "pass"), strict=True):
        folder.mkdir()
        (folder / f"test_{folder.name}.py").write_text(f"def test_it():\n    {body}\n")
    assert run(*folders) == status
    said = capfd.readouterr().out
    assert "test_one.py" in said and "test_another.py" in said


LONG = """
import time
from pathlib import Path
import pytest

@pytest.fixture
def editor():
    Path(__file__).with_name("open").touch()
    yield
    Path(__file__).with_name("closed").touch()

def test_it(editor):
    time.sleep(300)
"""


def test_whoever_ends_it_ends_what_the_tests_have_opened(tmp_path: Path) -> None:
    (tmp_path / "test_long.py").write_text(LONG)
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "tests.editors.side_by_side", str(tmp_path)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], env=bare) as process:
        while not (tmp_path / "open").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
    assert process.returncode != 0 and (tmp_path / "closed").exists()
