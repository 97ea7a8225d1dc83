"""A control image in the recipe of a base of one's own, followed by what was imported for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from acetate.images.tensors import to_image
from acetate.model_import.importing import import_any
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate_bridge.protocol.types import Control, Image, Recipe, Request
from tests.support.original_layout import write_t2i
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

SIDE = 128


def sketch() -> Image:
    rgba = torch.zeros(1, 4, SIDE, SIDE)
    rgba[:, 3, 30:34, 20:100] = 1
    return to_image(rgba)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_an_imported_t2i_adapter_is_followed_and_named_in_the_recipe(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))
    write = {"sd15": write_tiny_sd15, "sdxl": write_tiny_sdxl}[family]
    pipeline = load_folder(write(tmp_path / "base"), "cpu")
    adapter = write_t2i(tmp_path / "t2i-adapter-sketch.safetensors", family, 1, False, "authors")
    own = import_any(str(adapter))
    assert (own.role, own.families, own.kind) == ("control", (family,), "scribble")
    control = Control("scribble", derived=True)
    recipe = Recipe("text", "a lantern", seed=3, steps=2, passes=1, width=SIDE, height=SIDE)
    weights = pipeline.denoiser.state_dict()
    before = {name: tensor.clone() for name, tensor in weights.items()}
    pictures = [
        run(Request(each, {"control": sketch()} if each.control else {}), pipeline)[0]
        for each in (recipe, replace(recipe, control=control), replace(recipe, control=control))
    ]
    alone, once, again = (picture.image.data for picture in pictures)
    assert once != alone and once == again
    assert all(torch.equal(before[name], tensor) for name, tensor in weights.items())
    told = pictures[1].recipe
    assert told is not None and told.control is not None
    assert told.control.model == own.name and own.name in told.files
