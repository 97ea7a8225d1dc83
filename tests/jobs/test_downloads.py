"""Downloads whose process cannot be started or followed: said, and open to another try."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import pytest

from acetate.jobs.availability import Offers
from acetate.jobs.downloads import Downloads
from acetate.jobs.records import Refused
from acetate.workers.engine import Announcement
from acetate_bridge.protocol.messages import ModelInfo


def made(folder: Path, downloader: str = "acetate.workers.download_process") -> Downloads:
    offers = Offers()
    model = ModelInfo("m", "A model", state="missing")
    offers.announce("cpu", Announcement([model], []))
    return Downloads(offers, folder, lambda: None, downloader)


async def state_of(downloads: Downloads) -> ModelInfo:
    """Once it is not being fetched any more."""
    while True:
        model = downloads._known("m")  # pyright: ignore[reportPrivateUsage]
        if model.state not in ("missing", "downloading"):
            return model
        await asyncio.sleep(0)  # Looked at as soon as anybody can.


async def test_a_machine_without_room_for_a_process_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("asyncio.create_subprocess_exec", full)
    downloads = made(tmp_path)
    for _ in range(2):
        downloads.pull("m", [])
        model = await state_of(downloads)
        assert model.state == "failed" and "OSError" in model.reason and "again" in model.reason
    with pytest.raises(Refused, match="Too many open files"):
        await downloads.remove("m")
    await downloads.close()


PATIENT = """
import sys
import msgspec
from acetate.workers.download_process import Ended
sys.stdin.read()
print(msgspec.json.encode(Ended("stopped")).decode(), flush=True)
"""


async def test_a_download_that_is_paused_before_its_process_is_there_is_paused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, may_start = asyncio.create_subprocess_exec, asyncio.Event()

    async def later(*words: str, **options: Any) -> asyncio.subprocess.Process:
        await may_start.wait()
        return await start(*words, **options)

    (tmp_path / "patient.py").write_text(PATIENT)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("asyncio.create_subprocess_exec", later)
    downloads = made(tmp_path, "patient")
    downloads.pull("m", [])
    pausing = asyncio.ensure_future(downloads.pause("m"))
    await asyncio.sleep(0)
    may_start.set()
    await pausing
    assert (await state_of(downloads)).state == "paused" and not downloads.busy
    await downloads.close()


async def test_a_process_that_speaks_nonsense_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nonsense.py").write_text(
        "import time; print('{', flush=True); print('x' * 2**20, flush=True); time.sleep(600)"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert sys.path[0] == str(tmp_path)
    started: list[Process] = []
    start = asyncio.create_subprocess_exec

    async def noted(*words: Any, **settings: Any) -> Process:
        started.append(await start(*words, **settings))
        return started[-1]

    monkeypatch.setattr("asyncio.create_subprocess_exec", noted)
    downloads = made(tmp_path, "nonsense")
    downloads.pull("m", [])
    assert (await state_of(downloads)).state == "failed"
    assert len(started) == 1 and started[0].returncode is not None
    await downloads.close()


REMOVER = """
import json
import os
import sys
import time
from pathlib import Path
import msgspec
from acetate.workers.download_process import Ended
folder = Path(json.loads(sys.argv[1])["models_folder"])
(folder / str(os.getpid())).touch()
until = time.monotonic() + 60
while len(list(folder.iterdir())) < 2 and time.monotonic() < until:
    time.sleep(0.01)
print(msgspec.json.encode(Ended("")).decode(), flush=True)
"""


async def test_two_who_remove_one_model_at_once_are_both_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "remover.py").write_text(REMOVER)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "models").mkdir()
    downloads = made(tmp_path / "models", "remover")
    await asyncio.gather(downloads.remove("m"), downloads.remove("m"))
    await downloads.close()
