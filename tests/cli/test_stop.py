from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acetate_bridge.client.discovery import Runtime, write_runtime
from tests.app.server_process import RunningServer
from tests.cli.conftest import Acetate


@pytest.mark.slow
def test_the_server_that_runs_here_is_stopped(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunningServer(tmp_path / "server") as server:
        monkeypatch.setenv("ACETATE_RUNTIME_DIR", server.environment["ACETATE_RUNTIME_DIR"])
        outcome = acetate("stop")
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out == f"The server at {server.runtime.address} has stopped.\n"
        assert server.wait() == 0
    assert acetate("stop").out == "No server is running.\n"


def test_a_process_that_has_got_the_number_of_a_dead_server_is_left_alone(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run").mkdir(mode=0o700)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        runtime = Runtime(stranger.pid, "127.0.0.1", 7860, "token", 1)
        os.utime(write_runtime(runtime, tmp_path / "run"), (0, 0))
        assert acetate("stop").out == "No server is running.\n"
        assert stranger.poll() is None
