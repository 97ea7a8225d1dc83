"""The documented ways to start several processes, with the launcher that came with Acetate."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.conversion.line_stage import Points, trainer_of, weights
from tests.training.conversion.processes import PATIENCE, ROOT


def documented(beginning: str) -> list[str]:
    """The words of a command in the guide, its lines joined."""
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = [each for each in text.splitlines() if each.strip().startswith(beginning)]
    return shlex.split(line)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_documented_command_starts_processes_that_learn_what_one_does(tmp_path: Path) -> None:
    command = documented("accelerate launch --multi_gpu --num_machines 1")
    flags = command[2 : command.index("-m")]
    for name, value in (("--num_processes", "2"), ("--mixed_precision", "no")):
        flags[flags.index(name) + 1] = value
    trainer_of(tmp_path / "one").run(Points())
    with socket.create_server(("127.0.0.1", 0), backlog=64) as taken:
        # Where its port is taken, accelerate has the processes meet on one that it opens itself:
        # nobody can take that one meanwhile.
        flags += ["--main_process_port", str(taken.getsockname()[1])]
        stage = ["-m", "tests.training.conversion.line_stage", str(tmp_path / "two"), "12"]
        done = subprocess.run(
            [sys.executable, "-m", "accelerate.commands.launch", *flags, *stage],
            cwd=ROOT,
            env={**os.environ, **ON_PROCESSOR},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    told = {path.name for path in (tmp_path / "two").glob("process-*")}
    assert told == {"process-0-of-2", "process-1-of-2"}
    assert weights(tmp_path / "two") == pytest.approx(weights(tmp_path / "one"), abs=1e-5)


ON_PROCESSOR = {
    "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("", "server", "shared")),
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "ACCELERATE_USE_CPU": "true",
    "GLOO_SOCKET_IFNAME": "lo",
}
