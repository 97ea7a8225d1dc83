"""When memory runs out, seen from a client of the server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from acetate.model_import.importing import import_any
from acetate_bridge import Done, Failed, LayerReady, Progress, Recipe, Request
from tests.app.listening import Listener
from tests.app.server_process import RunningServer
from tests.support.tiny_families import write_tiny_sd15

pytestmark = pytest.mark.slow
RUNGS = [
    "what was only remembered was let go",
    "the picture is decoded in pieces",
    "idle parts of the model wait outside",
    "the denoiser comes in layer by layer",
    "it is painted in smaller batches",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    root = tmp_path_factory.mktemp("hungry")
    shelf = root / "models"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(shelf))
        folder = write_tiny_sd15(root / "tiny-folder")
        import_any(str(folder))
        for path in (folder / "transparency").glob("*.safetensors"):
            import_any(str(path))
        shutil.copy(folder / "transparency" / "config.json", shelf)
    with RunningServer(root, painter="tests.models.hungry_painter:open_hungry") as running:
        yield running


@pytest.fixture
def listener(server: RunningServer) -> Iterator[Listener]:
    with Listener(server.runtime.address, server.runtime.token) as listening:
        yield listening


def request(prompt: str) -> Request:
    sizes = {"width": 128, "height": 128}
    return Request(Recipe("text", prompt, seed=1, steps=3, passes=1, model="tiny-folder", **sizes))


@pytest.mark.parametrize("rungs", range(1, 6))
def test_each_rung_is_told_and_the_layer_is_painted(listener: Listener, rungs: int) -> None:
    job = listener.client.submit(request(f"hungry {rungs}"))
    assert isinstance(listener.ending(job), Done)
    notes = [event.note for event in listener.of(job, Progress)]
    assert [rung for rung in RUNGS if rung in notes[-1]] == RUNGS[:rungs]
    assert len(listener.of(job, LayerReady)) == 1


def test_below_the_last_rung_there_is_an_error_with_need_and_have(listener: Listener) -> None:
    failed = listener.ending(listener.client.submit(request("hungry 99")))
    assert isinstance(failed, Failed) and failed.code == "out_of_memory"
    assert "needs 2.1 GB more, and" in failed.message and "free" in failed.message
    assert "Paint smaller" in failed.hint


def test_what_a_game_takes_in_mid_job_is_given_up_or_told(listener: Listener) -> None:
    job = listener.client.submit(request("shared 4"))
    assert isinstance(listener.ending(job), Done)
    note = listener.of(job, Progress)[-1].note
    assert [rung for rung in RUNGS if rung in note] == RUNGS[:4]
    failed = listener.ending(listener.client.submit(request("shared 99")))
    assert isinstance(failed, Failed) and failed.code == "out_of_memory"
    assert "are free" in failed.message


def test_the_next_job_works_and_is_told_nothing(listener: Listener) -> None:
    job = listener.client.submit(request("hungry 0"))
    assert isinstance(listener.ending(job), Done)
    assert {event.note for event in listener.of(job, Progress)} == {""}
