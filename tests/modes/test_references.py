"""A reference in the recipe of a family that goes by pictures with an image adapter."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from acetate.errors import BadRequest
from acetate.images.tensors import to_image
from acetate.models.files import read_config
from acetate.models.hashing import file_hash
from acetate.models.own_register import Own, own_folder, register
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import from_plain, to_plain
from acetate_bridge.protocol.types import Aspect, Control, Image, Recipe, Request
from tests.support.tiny_families import write_tiny_sd15
from tests.support.tiny_image_adapters import PROJECTION, write_image_adapter, write_image_encoder

SIDE = 128


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionPipeline:
    loaded = load_folder(write_tiny_sd15(tmp_path_factory.mktemp("sd15") / "base"), "cpu")
    assert isinstance(loaded, StableDiffusionPipeline)
    return loaded


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))


@pytest.fixture
def imported(pipeline: StableDiffusionPipeline, tmp_path: Path) -> dict[str, str]:
    """Adapter and encoder on the shelf, as an import leaves them; their hashes by name."""
    own_folder().mkdir(parents=True)
    folder = write_image_encoder(tmp_path / "image_encoder")
    adapter = write_image_adapter(own_folder() / "ip.safetensors", pipeline.unet)
    encoder = shutil.copy(folder / "model.safetensors", own_folder() / "encoder.safetensors")
    facts = {"image_width": PROJECTION, "image_states": False}
    config = read_config(folder / "config.json")
    hashes = {path.name: file_hash(path) for path in (adapter, encoder)}
    for role, path, known in (
        ("image adapter", adapter, facts),
        ("image encoder", encoder, config),
    ):
        register(Own(path.name, role, ("sd15",), hashes[path.name], str(path), facts=known))
    return hashes


def layer(hue: int) -> Image:
    rgba = torch.zeros(1, 4, SIDE, SIDE)
    rgba[:, [hue, 3], 30:90, 20:100] = 1
    return to_image(rgba)


def request(mode: str = "text", **settings: object) -> Request:
    recipe = Recipe(mode, "a lantern", seed=3, steps=2, passes=1, width=SIDE, height=SIDE)
    recipe = replace(recipe, strength=0.6 if mode != "text" else 1.0, **settings)
    images = {"control": layer(0), "control_2": layer(2)}
    mask = to_image(torch.ones(1, 4, SIDE, SIDE))
    if mode != "text":
        images["layer"] = layer(1)
    return Request(recipe, images | ({"mask": mask} if mode == "fill" else {}))


REFERENCE = Control("reference", 0.9)


@pytest.mark.parametrize("mode", ["text", "refine", "fill"])
def test_a_reference_changes_the_layer_and_is_in_the_recipe(
    pipeline: StableDiffusionPipeline, imported: dict[str, str], mode: str
) -> None:
    (plain,) = run(request(mode), pipeline)
    (shown,) = run(request(mode, control=REFERENCE), pipeline)
    assert shown.image != plain.image
    assert shown.recipe is not None and shown.recipe.control is not None
    assert shown.recipe.control == replace(REFERENCE, model="ip.safetensors")
    assert {name: shown.recipe.files[name] for name in imported} == imported
    assert run(request(mode), pipeline)[0].image == plain.image


@pytest.mark.parametrize("aspect", ["style", "composition"])
def test_an_aspect_alone_is_in_the_recipe_and_paints_the_same_again(
    pipeline: StableDiffusionPipeline, imported: dict[str, str], aspect: Aspect
) -> None:
    asked = request(control=replace(REFERENCE, aspect=aspect))
    (layer,) = run(asked, pipeline)
    (whole,) = run(request(control=REFERENCE), pipeline)
    assert layer.image != whole.image and layer.recipe is not None
    written = read_json(json.dumps(to_plain(layer.recipe)))
    recipe = from_plain(Recipe, written)
    assert recipe.control is not None and recipe.control.aspect == aspect
    (again,) = run(Request(recipe, asked.images), pipeline)
    assert again.image == layer.image


def test_a_whole_reference_is_written_as_older_readers_know_it() -> None:
    assert "aspect" not in to_plain(REFERENCE)


def test_only_of_a_reference_an_aspect_is_gone_by(pipeline: StableDiffusionPipeline) -> None:
    with pytest.raises(BadRequest, match="not in a canny image"):
        run(request(control=Control("canny", aspect="style")), pipeline)


def test_several_are_gone_by_together_and_again(
    pipeline: StableDiffusionPipeline, imported: dict[str, str]
) -> None:
    asked = request(control=REFERENCE, controls=[Control("reference", 0.5)])
    (both,) = run(asked, pipeline)
    (one,) = run(request(control=REFERENCE), pipeline)
    assert both.image != one.image and both.recipe is not None
    assert [each.model for each in both.recipe.controls] == ["ip.safetensors"]
    (again,) = run(Request(both.recipe, asked.images), pipeline)
    assert again.image == both.image


def test_without_an_adapter_the_cure_is_named(pipeline: StableDiffusionPipeline) -> None:
    with pytest.raises(BadRequest, match="needs an image adapter") as refused:
        run(request(control=REFERENCE), pipeline)
    assert "acetate models import" in str(refused.value.hint)


def test_an_adapter_that_is_not_here_is_named(
    pipeline: StableDiffusionPipeline, imported: dict[str, str]
) -> None:
    with pytest.raises(BadRequest, match="no image adapter called “other”"):
        run(request(control=replace(REFERENCE, model="other")), pipeline)
