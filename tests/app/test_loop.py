"""The event loop belongs to everybody: no single message may keep it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from acetate.app.webp import register_webp
from acetate_bridge import Done, LayerReady, Recipe, Request
from tests.app.listening import Listener
from tests.app.server_process import TOKEN, RunningServer
from tests.workers.fake_painter import solid

pytestmark = pytest.mark.slow


@pytest.mark.skipif(sys.platform != "linux", reason="counts what only Linux counts per thread")
@pytest.mark.parametrize("local", [True, False], ids=["raw pixels", "packed pixels"])
def test_large_pictures_never_keep_the_loop_for_fifty_milliseconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool
) -> None:
    register_webp()
    if not local:
        monkeypatch.setattr("acetate_bridge.link.preferred_encodings", lambda _: ["webp", "raw"])
    picture = solid(2048, 2048, 5)
    blocked: list[str] = []
    with RunningServer(tmp_path, debug=True) as server:
        for _ in range(5):
            said = len(server.log.read_text())
            with Listener(server.runtime.address, TOKEN) as listener:
                request = Request(Recipe("echo", "x", steps=3), {"picture": picture})
                jobs = [listener.client.submit(request) for _ in range(2)]
                jobs += [listener.submit(seed=seed, width=2048, height=2048) for seed in range(2)]
                for job in jobs:
                    assert isinstance(listener.ending(job), Done)
                assert listener.of(jobs[0], LayerReady)[0].layer.image == picture
            blocked = [
                line for line in server.log.read_text()[said:].splitlines() if "BLOCKED" in line
            ]
            # Once without is proof; noise of the machine is never the same five times.
            if not blocked:
                return
    raise AssertionError("\n".join(blocked))
