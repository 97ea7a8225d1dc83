"""Every mode on tiny random models of the SD 1.5 and SDXL families, from request to layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from acetate.errors import BadRequest, ModelDamaged, ModelMissing
from acetate.models.families import FAMILIES
from acetate.modes import mode_named, run
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import Interrupted, Step
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request, Role
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

pytestmark = pytest.mark.matrix

FAMILY_MODES = [(family, mode) for family in ("sd15", "sdxl") for mode in FAMILIES[family].modes]
BLENDING = {
    "background": [Role.BACKGROUND, Role.BLENDED],
    "foreground": [Role.FOREGROUND, Role.BLENDED],
}
JOINT = [Role.FOREGROUND, Role.BACKGROUND, Role.BLENDED]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {"sd15": write_tiny_sd15(root / "sd15"), "sdxl": write_tiny_sdxl(root / "sdxl")}


@pytest.fixture(scope="module")
def pipelines(folders: dict[str, Path]) -> dict[str, Pipeline]:
    return {family: opened(folder) for family, folder in folders.items()}


def opened(folder: Path) -> Pipeline:
    """A model that is asked for less than it would be offered for: no mode depends on the size."""
    pipeline = load_folder(folder, "cpu")
    pipeline.limits = FrameLimits(64, 64, 512, 512 * 512)
    return pipeline


def blob(width: int, height: int, colour: tuple[int, int, int] = (200, 30, 30)) -> Image:
    samples = np.zeros((height, width, 4), np.uint8)
    samples[height // 4 : height // 2, width // 4 : width // 2] = (*colour, 255)
    return Image(width, height, samples.tobytes())


def request(mode: str, width: int = 64, height: int = 128, **changes: object) -> Request:
    fields = {"seed": 7, "steps": 2, "passes": 1, "guidance": 5.0, "strength": 1.0, **changes}
    if mode == "refine":
        fields["strength"] = 0.5
    recipe = replace(Recipe(mode, "a red apple", width=width, height=height), **fields)
    wanted = [item.name for item in mode_named(mode).info.inputs if item.required]
    images = {name: blob(width, height) for name in wanted}
    if mode == "extract":
        images["background"] = blob(width, height, (20, 30, 200))
    return Request(recipe, images)


@pytest.mark.parametrize(("family", "mode"), FAMILY_MODES)
def test_a_mode_gives_its_layers_and_leaves_no_trace(
    pipelines: dict[str, Pipeline], family: str, mode: str
) -> None:
    pipeline = pipelines[family]
    before = snapshot(pipeline.denoiser)
    steps: list[Step] = []
    layers = run(request(mode), pipeline, steps.append)
    expected = BLENDING.get(mode, JOINT if mode == "joint" else [Role.FOREGROUND])
    assert [layer.role for layer in layers] == expected
    for layer in layers:
        assert (layer.image.width, layer.image.height) == (64, 128)
        assert layer.recipe is not None and layer.recipe.mode == mode and layer.recipe.model_hash
    assert [step.index for step in steps] == list(range(1, steps[-1].total + 1))
    assert_untouched(pipeline.denoiser, before)
    assert run(request(mode), pipeline) == layers


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_a_batch_of_three_and_its_last_alone(pipelines: dict[str, Pipeline], family: str) -> None:
    three = run(replace(request("joint"), variants=3), pipelines[family])
    alone = run(request("joint", seed=9), pipelines[family])
    assert len(three) == 9
    assert three[6:] == alone


@pytest.mark.parametrize(("family", "mode"), [("sd15", "joint"), ("sdxl", "background")])
def test_stopping_in_mid_run_leaves_no_trace(
    pipelines: dict[str, Pipeline], family: str, mode: str
) -> None:
    before = snapshot(pipelines[family].denoiser)

    def stop(step: Step) -> None:
        step.preview()
        raise Interrupted

    with pytest.raises(Interrupted):
        run(request(mode), pipelines[family], stop)
    assert_untouched(pipelines[family].denoiser, before)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_words_of_one_layer_change_the_picture(pipelines: dict[str, Pipeline], family: str) -> None:
    plain = run(request("joint"), pipelines[family])
    worded = run(request("joint", layer_prompts={"background": "hills"}), pipelines[family])
    assert worded[1].image != plain[1].image


def test_stopping_the_patch_early_changes_the_background(pipelines: dict[str, Pipeline]) -> None:
    whole = run(request("background", steps=4), pipelines["sdxl"])
    half = run(request("background", steps=4, stop_at=0.5), pipelines["sdxl"])
    assert half[0].image != whole[0].image
    assert half[1].image == whole[1].image


def test_a_background_is_cleaned_by_the_bare_base_as_its_authors_advise(
    pipelines: dict[str, Pipeline],
) -> None:
    for mode, family, advised in (
        ("background", "sdxl", 0.5),
        ("background", "sd15", 1.0),
        ("extract", "sdxl", 1.0),
        ("foreground", "sdxl", 1.0),
    ):
        layer = run(request(mode, stop_at=0.0), pipelines[family])[0]
        assert layer.recipe is not None and layer.recipe.stop_at == advised


def test_extracting_needs_one_known_layer(pipelines: dict[str, Pipeline]) -> None:
    known = request("extract")
    both = replace(known, images=known.images | {"layer": blob(64, 128)})
    with pytest.raises(BadRequest, match="either the background"):
        run(both, pipelines["sdxl"])
    behind = {"picture": known.images["picture"], "layer": known.images["background"]}
    (layer,) = run(replace(known, images=behind), pipelines["sdxl"])
    assert layer.role is Role.BACKGROUND


def test_a_mode_that_a_family_has_not_is_refused(pipelines: dict[str, Pipeline]) -> None:
    with pytest.raises(BadRequest, match="cannot do the mode “extract”: it does text"):
        run(request("extract"), pipelines["sd15"])


def test_long_prompts_are_read_to_the_end(pipelines: dict[str, Pipeline]) -> None:
    for pipeline in pipelines.values():
        long = "red apple, " * 20
        embedded = pipeline.encode_prompt([long + "cat", long + "dog"], ["", ""])
        assert embedded.positive.shape[1] == embedded.negative.shape[1] > 77
        assert not torch.equal(embedded.positive[0], embedded.positive[1])


def test_a_missing_or_foreign_patch_is_named(folders: dict[str, Path], tmp_path: Path) -> None:
    pipeline = opened(folders["sd15"])
    patch = folders["sd15"] / "transparency" / "layer_sd15_joint.safetensors"
    kept = patch.read_bytes()
    try:
        foreign = folders["sdxl"] / "transparency" / "layer_xl_fg2ble.safetensors"
        patch.write_bytes(foreign.read_bytes())
        with pytest.raises(ModelDamaged, match="layer_sd15_joint.*first tensor diffusion_model"):
            run(request("joint"), pipeline)
        patch.unlink()
        with pytest.raises(ModelMissing, match="layer_sd15_joint.safetensors is missing"):
            run(request("joint"), pipeline)
    finally:
        patch.write_bytes(kept)
