"""Processes of ours run our code, whatever lies in the folder in which the server was started."""

import subprocess
import sys
from pathlib import Path

import pytest

from acetate.workers.own_module import module_command, module_environment

OURS = (
    "acetate.workers.process",
    "acetate.workers.download_process",
    "acetate.app.unpacking",
)


@pytest.mark.parametrize("module", OURS)
def test_a_module_that_somebody_left_in_the_folder_is_not_run(module: str, tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    for name in ("msgspec", "logging", "acetate"):
        planted = f"open({str(mark)!r}, 'w').close()\n"
        (tmp_path / f"{name}.py").write_text(planted, encoding="utf-8")
    # What it is told is no order, so it ends once it has imported what it needs.
    done = subprocess.run(
        module_command(module, "no order"),
        cwd=tmp_path,
        env=module_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert b"msgspec" in done.stderr
    assert not mark.exists()


def test_the_plants_of_these_tests_would_be_run_without_that(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    (tmp_path / "msgspec.py").write_text(f"open({str(mark)!r}, 'w').close()\n", encoding="utf-8")
    words = [word for word in module_command(OURS[0], "no order") if word != "-P"]
    environment = {**module_environment(), "PYTHONSAFEPATH": ""}
    subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert mark.exists()


def test_no_other_place_starts_a_module_of_ours() -> None:
    server = Path(sys.modules["acetate"].__file__ or "").parent
    starters = {
        path.relative_to(server).as_posix()
        for path in server.rglob("*.py")
        if '"-m"' in path.read_text(encoding="utf-8")
    }
    # The other two name a command for people, and one for the folder of the user's own.
    assert starters == {
        "workers/own_module.py",
        "models/machine.py",
        "cli/own_command.py",
    }
