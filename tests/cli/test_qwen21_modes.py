"""A tiny Qwen-Image-2.1 from the command line and at a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acetate.images.files import read_image, read_recipe, write_image
from acetate.models.families import FAMILIES
from acetate.modes.registry import mode_named
from acetate.pipelines import instructed_pipeline
from acetate_bridge import (
    Cancelled,
    Done,
    LayerReady,
    Preview,
    Progress,
    Recipe,
    Rect,
    Request,
    plan_frame,
)
from acetate_bridge.protocol.types import Image
from tests.app.listening import Listener
from tests.app.server_process import RunningServer
from tests.app.small_instructed import SIDE, shrink
from tests.cli.conftest import Acetate
from tests.support.tiny_qwen21 import write_tiny_qwen21

pytestmark = pytest.mark.slow

MODES = FAMILIES["qwen21"].modes
WIDTH, HEIGHT = 90, 100
"""No multiples of 32."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("qwen21")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(root / "models"))
        patch.setenv("ACETATE_RUNTIME_DIR", str(root / "run"))
        patch.setattr(instructed_pipeline, "NATIVE", SIDE)
        write_tiny_qwen21(root / "tiny-qwen21")
        for name, around in (("layer", 0), ("picture", 255), ("background", 255), ("mask", 255)):
            samples = np.full((HEIGHT, WIDTH, 4), (10, 120, 20, around), np.uint8)
            samples[30:70, 30:60] = (255, 255, 255, 255)
            write_image(root / f"{name}.png", Image(WIDTH, HEIGHT, samples.tobytes()))
        yield root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[RunningServer]:
    with RunningServer(root, painter="tests.app.small_instructed:open_small") as running:
        yield running


def words(root: Path, mode: str) -> list[str | Path]:
    inputs = [wanted.name for wanted in mode_named(mode).info.inputs if wanted.required]
    pictures = [root / f"{name}.png" for name in inputs if name != "mask"]
    command = ["generate", mode, *pictures, "a red apple", "--model", "tiny-qwen21"]
    command += ["--steps", "1", "--seed", "7"]
    if not inputs:
        command += ["--size", f"{WIDTH}x{HEIGHT}"]
    if "mask" in inputs:
        command += ["--mask", root / "mask.png"]
    return [*command, "--background", root / "background.png"] if mode == "extract" else command


def test_a_folder_of_it_is_taken_over(root: Path, acetate: Acetate) -> None:
    outcome = acetate("models", "import", root / "tiny-qwen21")
    assert outcome.code == 0, outcome.err
    shrink(root / "models")


@pytest.mark.parametrize("mode", ["text", "foreground", "extract", "fill"])
def test_a_server_paints_the_layer_at_its_size(
    root: Path, server: RunningServer, acetate: Acetate, mode: str
) -> None:
    there = root / f"there-{mode}.png"
    outcome = acetate(*words(root, mode), "--server", "local", "-o", there)
    assert outcome.code == 0, outcome.err + server.log.read_text()[-2000:]
    image, recipe = read_image(there), read_recipe(there)
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    assert (recipe.mode, recipe.model, recipe.scheduler) == (mode, "tiny-qwen21", "euler_cached")
    assert recipe.width % 32 == recipe.height % 32 == 0
    assert (set(image.data[3::4]) == {255}) == (mode == "background")


@pytest.mark.parametrize("mode", ["foreground", "extract"])
def test_the_command_line_paints_the_same_alone(root: Path, acetate: Acetate, mode: str) -> None:
    here = root / f"here-{mode}.png"
    assert acetate(*words(root, mode), "-o", here).code == 0
    assert here.read_bytes() == (root / f"there-{mode}.png").read_bytes()


def test_the_editors_are_offered_its_modes(server: RunningServer) -> None:
    with Listener(server.runtime.address, server.runtime.token) as painter:
        info = painter.model("tiny-qwen21", lambda info: info.state == "ready")
        assert (tuple(info.modes), info.steps, info.guidance) == (MODES, 40, 1.0)
    with Listener(server.runtime.address, server.runtime.token) as painter:
        published = painter.model("qwen21", lambda info: True)
        assert published.state == "missing" and published.licences == ["qwen-research"]


def test_an_editor_sees_it_come_and_can_stop_it(server: RunningServer) -> None:
    recipe = Recipe("text", "a red apple", model="tiny-qwen21", seed=7)
    with Listener(server.runtime.address, server.runtime.token) as painter:
        info = painter.model("tiny-qwen21", lambda info: info.state == "ready")
        assert info.frame is not None
        frame = plan_frame(Rect(0, 0, WIDTH, HEIGHT), info.frame)
        wish = Request(replace(recipe, steps=150), frame=frame, variants=16)
        job = painter.client.submit(wish)
        painter.wait(
            lambda event: event.job == job and isinstance(event, Progress) and event.step > 0
        )
        painter.client.cancel(job)
        assert isinstance(painter.ending(job), Cancelled)
        assert painter.of(job, Progress)[-1].step < 150 * 16
        after = painter.client.submit(Request(replace(recipe, steps=2), frame=frame))
        assert isinstance(painter.ending(after), Done)
        assert len(set(painter.of(after, Preview)[0].image.data)) > 8
        assert len(painter.of(after, LayerReady)) == 1
