"""A mode is one row of a table and one module; menu, door and worker follow."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from acetate.jobs.admission import DEFAULT_LIMITS, check_submit
from acetate.jobs.records import Refused
from acetate.models.families import FAMILIES
from acetate.modes import registry, run
from acetate.modes.context import Painting
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep
from acetate.workers.engine import Announcement
from acetate_bridge.panel.menus import mode_choices
from acetate_bridge.protocol import modes
from acetate_bridge.protocol.messages import ModeInput, ModelInfo, Models, Submit
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request, Role
from tests.support.toy_family import TOY, write_toy

MIRROR = modes.Mode(
    "mirror",
    "Mirror Layer",
    "Mirror this layer",
    "Mirrors {name} on a new layer: {place}",
    "mirror-layer",
    "Mirrors the layer on a new one",
    inputs=(ModeInput("layer", "layer", "the layer to mirror"),),
    needs_layer=True,
    layer_extent=True,
    prompted=False,
)


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """The layer, its left side on the right."""
    painting = Painting(request, pipeline, on_step)
    latent = pipeline.encode_layer(painting.picture("layer")).flip(-1)
    return [painting.transparent(latent, Role.FOREGROUND)]


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a new mode needs: its row, its module, and a family that does it."""
    module = ModuleType("acetate.modes.mirror")
    module.paint = paint  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "acetate.modes.mirror", module)
    monkeypatch.setitem(modes.MODES, "mirror", MIRROR)
    row = registry.Mode(MIRROR.info, "acetate.modes.mirror")
    monkeypatch.setitem(registry.MODES, "mirror", row)
    monkeypatch.setitem(FAMILIES, "toy", replace(TOY, modes=(*TOY.modes, "mirror")))


def halves() -> Image:
    """Red on the left, nothing on the right."""
    return Image(64, 64, (bytes((255, 0, 0, 255)) * 32 + bytes(4) * 32) * 64)


@pytest.mark.usefixtures("mirror")
def test_a_mode_that_is_added_as_a_row_is_painted(tmp_path: Path) -> None:
    pipeline = load_folder(write_toy(tmp_path / "toy"), "cpu")
    recipe = Recipe("mirror", width=64, height=64, steps=1)
    [layer] = run(Request(recipe, {"layer": halves()}), pipeline)
    assert layer.image.data[3::4] == (bytes(32) + bytes((255,)) * 32) * 64


@pytest.mark.usefixtures("mirror")
def test_it_stands_in_the_menu_and_comes_in_by_the_door() -> None:
    model = ModelInfo("toy", "Toy", "toy", [*TOY.modes, "mirror"])
    infos = [row.info for row in modes.MODES.values()]
    choices = {each.name: each for each in mode_choices(Models([model], infos))}
    assert choices["mirror"].label == "Mirror layer" and choices["mirror"].available
    submit = Submit("job-00001", Recipe("mirror", model="toy", width=64, height=64))
    with pytest.raises(Refused, match="needs the layer to mirror"):
        check_submit(submit, DEFAULT_LIMITS, Announcement([model], infos))
