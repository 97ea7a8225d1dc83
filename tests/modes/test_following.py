"""A control image in the recipe of a base of one's own, followed by what was imported for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from acetate.adapters import PatchMismatch
from acetate.adapters.control_network import followed_by
from acetate.images.tensors import to_image
from acetate.model_import.importing import import_any
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate_bridge.protocol.types import Control, ControlKind, Image, Recipe, Request
from tests.support.original_layout import tiny_denoiser, write_control, write_t2i, write_union
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


def test_a_union_control_network_follows_several_kinds_each_in_its_own_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))
    pipeline = load_folder(write_tiny_sdxl(tmp_path / "base"), "cpu")
    own = import_any(str(write_union(tmp_path / "promax.safetensors")))
    assert own.families == ("sdxl",)
    assert own.follows == (
        "pose", "depth", "scribble", "softedge", "canny", "lineart", "segment", "tile",
    )  # fmt: skip
    recipe = Recipe("text", "a lantern", seed=3, steps=2, passes=1, width=SIDE, height=SIDE)

    def painted(kind: ControlKind) -> tuple[bytes, str]:
        request = Request(replace(recipe, control=Control(kind)), {"control": sketch()})
        (layer,) = run(request, pipeline)
        assert layer.recipe is not None and layer.recipe.control is not None
        return layer.image.data, layer.recipe.control.model

    pose, depth, again = painted("pose"), painted("depth"), painted("pose")
    assert pose != depth and pose == again and pose[1] == own.name
    alone = import_any(str(write_control(tmp_path / "only-depth.safetensors", "sdxl")))
    assert painted("depth")[1] == alone.name, "one of this kind alone goes before"
    assert painted("pose")[1] == own.name


def test_a_union_network_of_fewer_kinds_says_what_it_does_not_follow(tmp_path: Path) -> None:
    path = write_union(tmp_path / "six.safetensors", tasks=6)
    with pytest.raises(PatchMismatch, match="follows no tile image"):
        followed_by(
            path, tiny_denoiser("sdxl"), torch.zeros(1, 3, 64, 64), 1.0, 1.0, "tile",
            (torch.device("cpu"), torch.float32),
        )  # fmt: skip
