"""RGBA adapters on every family, tiny and random, through a running server and the client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from acetate.model_import.importing import import_any
from acetate_bridge import (
    Cancelled,
    Done,
    Failed,
    Frame,
    Image,
    LayerReady,
    ModelInfo,
    Preview,
    Progress,
    Recipe,
    Rect,
    Request,
    Role,
    plan_frame,
)
from tests.app.listening import Listener
from tests.app.server_process import TOKEN, RunningServer
from tests.app.small_instructed import shrink
from tests.support.tiny_adapters import (
    LORA,
    write_adapter,
    write_like_alphaanything,
    write_like_alphavae,
)
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl
from tests.support.tiny_flux import write_tiny_flux
from tests.support.tiny_flux2 import write_tiny_flux2
from tests.support.tiny_onnx import write_matting
from tests.support.tiny_qwen import write_tiny_qwen

pytestmark = [pytest.mark.slow, pytest.mark.matrix]


def told_of(folder: Path, base: Path, family: str) -> Path:
    return write_adapter(folder, base, family, family=family)


def like_alphavae(folder: Path, base: Path, family: str) -> Path:
    return write_like_alphavae(folder, base)


MADE = {
    "klein-clear": (write_tiny_flux2, "flux2", told_of, LORA),
    "sd15-clear": (write_tiny_sd15, "sd15", told_of, LORA),
    "sdxl-clear": (write_tiny_sdxl, "sdxl", told_of, LORA),
    "flux-alphavae": (write_tiny_flux, "flux", like_alphavae, f"finetune_diffusion/{LORA}"),
    "qwen-anything": (write_tiny_qwen, "qwen", write_like_alphaanything, LORA),
}
"""How base and adapter are written, and where the adapter's LoRA lies."""
MODELS = tuple(MADE)
REGION = Rect(-30, 12, 151, 149)
"""Nearly a square: long sides cost the most."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The real generator, with imported bases and an adapter on each."""
    folder = tmp_path_factory.mktemp("adapted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(folder / "models"))
        for name, (write, family, adapt, _) in MADE.items():
            base = write(folder / f"tiny-{name.partition('-')[0]}")
            import_any(str(base))
            import_any(str(adapt(folder / name, base, family)), base=base.name)
        import_any(str(write_matting(folder / "u2net.onnx")))
    shrink(folder / "models")
    with RunningServer(folder, painter="tests.app.small_instructed:open_small") as server:
        yield server


@pytest.fixture
def listener(served: RunningServer) -> Iterator[Listener]:
    with Listener(served.runtime.address, TOKEN) as listening:
        yield listening


def ready(listener: Listener, model: str) -> tuple[ModelInfo, Frame]:
    """What the server says of a model, and the frame of a small region for it."""
    info = listener.model(model, lambda info: info.state == "ready")
    assert info.frame is not None
    return info, plan_frame(REGION, info.frame)


def recipe(mode: str, model: str, steps: int = 2) -> Recipe:
    return Recipe(
        mode, "a red apple", model=model, seed=7, steps=steps, guidance=1.0, passes=1, strength=0.6
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_layer_comes_with_previews_at_its_place_and_comes_again(
    listener: Listener, model: str
) -> None:
    _, frame = ready(listener, model)
    job = listener.client.submit(Request(recipe("text", model), frame=frame))
    done = listener.ending(job)
    assert isinstance(done, Done), done
    steps = [event.step for event in listener.of(job, Progress) if event.stage != "loading"]
    # A reader that is slow is told only of the last.
    assert steps in ([2], [1, 2])
    preview = listener.of(job, Preview)[0].image
    assert len(set(preview.data)) > 8
    (event,) = listener.of(job, LayerReady)
    layer = event.layer
    assert (layer.x, layer.y, layer.role) == (REGION.x, REGION.y, Role.FOREGROUND)
    assert (layer.image.width, layer.image.height) == (REGION.width, REGION.height)
    # How much the alpha of a tiny network varies is chance.
    assert min(layer.image.data[3::4]) < 255
    assert done.recipe.model == model and f"adapter/{MADE[model][-1]}" in done.recipe.files
    again = listener.client.submit(Request(done.recipe, frame=frame))
    assert isinstance(listener.ending(again), Done)
    assert listener.of(again, LayerReady)[0].layer == layer


@pytest.mark.parametrize("model", MODELS)
def test_cancelling_ends_it_and_the_next_one_paints(listener: Listener, model: str) -> None:
    _, frame = ready(listener, model)
    # So many that the wish to stop is there long before the last, however slow the way.
    wish = Request(recipe("text", model, steps=150), frame=frame, variants=16)
    job = listener.client.submit(wish)
    listener.wait(lambda event: event.job == job and isinstance(event, Progress) and event.step > 0)
    listener.client.cancel(job)
    assert isinstance(listener.ending(job), Cancelled)
    assert listener.of(job, Progress)[-1].step < 150 * 16
    assert len(listener.of(job, LayerReady)) < 16
    after = listener.client.submit(Request(recipe("text", model, steps=1), frame=frame))
    assert isinstance(listener.ending(after), Done)


def test_a_layer_is_painted_into_a_picture_that_the_model_looks_at(listener: Listener) -> None:
    _, frame = ready(listener, "klein-clear")
    size = (frame.size.width, frame.size.height)
    layers: list[Image] = []
    for colour in (b"\x20\x80\x30\xff", b"\xd0\x20\x30\xff"):
        picture = Image(*size, colour * (size[0] * size[1]))
        wish = Request(recipe("foreground", "klein-clear"), {"picture": picture}, frame=frame)
        job = listener.client.submit(wish)
        done = listener.ending(job)
        assert isinstance(done, Done), done
        assert set(done.recipe.inputs) == {"picture"}
        layers.append(listener.of(job, LayerReady)[0].layer.image)
    assert layers[0] != layers[1]


def test_a_picture_is_taken_apart_with_a_matting_network(listener: Listener) -> None:
    info, _ = ready(listener, "sd15-clear")
    assert "decompose" in info.modes and info.frame is not None
    frame = plan_frame(Rect(0, 0, 128, 128), info.frame)
    shown = np.full((frame.size.height, frame.size.width, 4), (200, 220, 210, 255), np.uint8)
    shown[32:96, 32:96, :3] = (230, 10, 10)
    picture = Image(frame.size.width, frame.size.height, shown.tobytes())
    wish = Request(recipe("decompose", "sd15-clear"), {"picture": picture}, frame=frame)
    job = listener.client.submit(wish)
    done = listener.ending(job)
    assert isinstance(done, Done), done
    assert "matting/u2net.onnx" in done.recipe.files
    roles = [event.layer.role for event in listener.of(job, LayerReady)]
    assert roles == [Role.BACKGROUND, Role.FOREGROUND]
    # The whole red square, and nothing else, is in front.
    front = np.frombuffer(listener.of(job, LayerReady)[1].layer.image.data, np.uint8)
    assert 0 < (front[3::4] > 127).mean() < 0.5


def test_the_bare_base_says_what_it_needs_to_paint_layers(listener: Listener) -> None:
    info, frame = ready(listener, "tiny-klein")
    assert info.modes == ["background"]
    job = listener.client.submit(Request(recipe("text", "tiny-klein"), frame=frame))
    ended = listener.ending(job)
    assert isinstance(ended, Failed) and "tiny-klein" in ended.message
