"""The event loop belongs to everybody: no single message may keep it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from acetate.app.webp import register_webp
from acetate_bridge import Done, LayerReady, Recipe, Request
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.workers.fake_painter import solid

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no clock of a thread's work"),
]


def blocked(server: RunningServer, since: int) -> list[str]:
    """What kept the loop since the log had this length: files may be opened at the start."""
    return [line for line in server.log.read_text()[since:].splitlines() if "BLOCKED" in line]


@pytest.mark.parametrize(
    ("local", "side"), [(True, 4096), (False, 2048)], ids=["raw pixels", "packed pixels"]
)
def test_large_pictures_never_keep_the_loop_for_fifty_milliseconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool, side: int
) -> None:
    register_webp()
    if not local:
        monkeypatch.setattr(
            "acetate_bridge.client.connection.preferred_encodings", lambda _: ["webp", "raw"]
        )
    picture = solid(side, side, 5)
    with RunningServer(tmp_path, debug=True) as server:
        found = ["not tried"]
        for _ in range(3):
            started = len(server.log.read_text())
            with Listener(server.runtime.address, TOKEN) as listener:
                request = Request(Recipe("echo", "x", steps=3), {"picture": picture})
                jobs = [listener.client.submit(request) for _ in range(2)]
                jobs += [listener.submit(seed=seed, width=side, height=side) for seed in range(2)]
                for job in jobs:
                    assert isinstance(listener.ending(job), Done)
                assert listener.of(jobs[0], LayerReady)[0].layer.image == picture
            found = blocked(server, started)
            if not found:
                break  # What keeps the loop does so every time, a machine that is put aside once.
        assert found == []


@pytest.mark.parametrize(
    ("pause", "said"), [(0.08, "BLOCKED for 0."), (-0.08, "BLOCKED by time.sleep")]
)
def test_a_callback_that_keeps_the_loop_for_eighty_milliseconds_is_found(
    tmp_path: Path, pause: float, said: str
) -> None:
    with RunningServer(tmp_path, debug=True, pause=pause) as server:
        started = len(server.log.read_text())
        with Listener(server.runtime.address, TOKEN) as listener:
            assert isinstance(listener.ending(listener.submit()), Done)
            until = time.monotonic() + LONG
            while not any(said in line for line in blocked(server, started)):
                assert time.monotonic() < until
                time.sleep(0.05)
