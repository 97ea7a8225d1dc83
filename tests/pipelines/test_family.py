"""A family of models is one folder and one row of a table; nothing else knows it by name."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from acetate.errors import BadRequest, ModelDamaged
from acetate.models.families import FAMILIES
from acetate.models.folder_kinds import family_of_folder, family_painted
from acetate.modes import run
from acetate.pipelines.family import loader_of
from acetate.pipelines.loading import load_folder
from acetate_bridge.protocol.types import Recipe, Request
from tests.support.toy_family import TOY, write_toy

SERVER = Path(__file__).parents[2] / "server" / "acetate"
RECIPE = Recipe("text", "a disc", seed=3, steps=2, guidance=1.0, width=64, height=64, passes=0)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "toy", TOY)


@pytest.mark.usefixtures("toy")
def test_a_new_family_paints_by_its_folder_and_its_row_alone(tmp_path: Path) -> None:
    pipeline = load_folder(write_toy(tmp_path / "red"), "cpu")
    [layer] = run(Request(RECIPE, {}), pipeline)
    samples = np.frombuffer(layer.image.data, np.uint8).reshape(64, 64, 4)
    assert samples[32, 32].tolist() == [200, 40, 40, 255]
    assert samples[0, 0, 3] == 0
    assert layer.recipe is not None
    assert (layer.recipe.model, layer.recipe.passes) == ("red", TOY.passes)
    assert list(layer.recipe.files) == ["colour.json"]


@pytest.mark.usefixtures("toy")
def test_its_row_says_what_it_cannot_do(tmp_path: Path) -> None:
    pipeline = load_folder(write_toy(tmp_path / "red"), "cpu")
    with pytest.raises(BadRequest, match=r"cannot do the mode “joint”: it does text, refine\."):
        run(Request(replace(RECIPE, mode="joint"), {}), pipeline)
    with pytest.raises(BadRequest, match="no scheduler “turbo” for this model: use euler"):
        run(Request(replace(RECIPE, scheduler="turbo"), {}), pipeline)


def test_without_its_row_its_folder_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="ToyPipeline"):
        load_folder(write_toy(tmp_path / "red"), "cpu")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_has_its_folder(family: str) -> None:
    package = FAMILIES[family].package
    assert {part for part in ("loader", "pipeline") if find_spec(f"{package}.{part}")} == {
        "loader",
        "pipeline",
    }
    loader = loader_of(family)
    assert type(loader).__module__ == f"{package}.loader"


def test_what_loads_models_knows_no_family_by_name() -> None:
    names = "|".join(FAMILIES)
    for path in (
        "pipelines/loading.py",
        "pipelines/family.py",
        "pipelines/model_cache.py",
        "models/folder_kinds.py",
        "model_import/base_import.py",
        "model_import/imported_files.py",
        "cli/memory_report.py",
        "jobs/admission.py",
    ):
        text = (SERVER / path).read_text(encoding="utf-8")
        assert re.findall(rf'"(?:{names})"', text) == [], path


@pytest.mark.parametrize(
    ("said", "family", "imported"),
    [
        ("StableDiffusionPipeline", "sd15", True),
        ("StableDiffusionControlNetImg2ImgPipeline", "sd15", True),
        ("LatentConsistencyModelPipeline", "sd15", True),
        ("StableDiffusionXLPipeline", "sdxl", True),
        ("StableDiffusionXLInpaintPipeline", "sdxl", True),
        ("FluxPipeline", "flux", True),
        ("FluxControlNetPipeline", "flux", True),
        ("QwenImage21Pipeline", "qwen21", True),
        ("QwenImagePipeline", "qwen", True),
        ("QwenImageEditPlusPipeline", "qwen", True),
        ("QwenImageEditPipeline", "", False),
        ("QwenImageLayeredPipeline", "layered", False),
        ("AcetateEmbedded", "embedded", False),
        ("StableDiffusion3Pipeline", "", False),
        ("Flux3Pipeline", "", False),
        ("FluxControlPipeline", "", False),
        ("FluxFillPipeline", "", False),
        ("FluxPriorReduxPipeline", "", False),
        ("StableDiffusion", "", False),
        ("None", "", False),
        ("", "", False),
    ],
)
def test_a_folder_is_known_by_what_it_says(said: str, family: str, imported: bool) -> None:
    assert family_painted(said) == family
    assert family_of_folder(said) == (family if imported else "")
