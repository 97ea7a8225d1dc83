"""Styles for few steps: fetched by their id, and applied by the scheduler that they are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate.model_import.style_pull import imported, pull_style
from acetate.models.families import FAMILIES
from acetate.models.few_steps import FEW_STEPS
from acetate.models.published_styles import published_styles, style_for
from acetate.models.pull import LicenceNeeded
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate_bridge.protocol.types import Recipe, Request
from tests.models.hub_server import Hub
from tests.support.original_layout import write_style
from tests.support.tiny_families import write_tiny_sd15

LCM = published_styles()["lcm-sd15"]


@pytest.fixture
def hub_with_lcm(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr(
        "acetate.models.licences.user_config_path", lambda name: tmp_path / "config" / name
    )
    style = write_style(tmp_path / "style.safetensors", "sd15", "kohya", gain=0.05)
    hub.files[LCM.file.repository] = {LCM.file.name: style.read_bytes()}
    return hub


@pytest.mark.parametrize("style", published_styles().values(), ids=str)
def test_each_is_for_a_scheduler_that_its_family_has(style: object) -> None:
    from acetate.models.published_styles import PublishedStyle

    assert isinstance(style, PublishedStyle)
    assert style.preset in FEW_STEPS and style.preset in FAMILIES[style.family].schedulers
    assert style_for(style.preset, style.family) == style
    assert style.file.name.endswith(".safetensors") and style.file.size > 100


def test_lightning_hyper_dmd2_and_lcm_are_there() -> None:
    assert {style.preset for style in published_styles().values()} == {
        "lightning", "hyper", "dmd2", "lcm",
    }  # fmt: skip


def test_it_is_fetched_under_its_id_once_its_licence_is_accepted(hub_with_lcm: Hub) -> None:
    with pytest.raises(LicenceNeeded, match="openrail"):
        pull_style(LCM, endpoint=hub_with_lcm.address)
    own = pull_style(LCM, accepted=True, endpoint=hub_with_lcm.address)
    assert (own.name, own.preset, own.families) == ("lcm-sd15.safetensors", "lcm", ("sd15",))
    assert imported(LCM) == own
    sent = hub_with_lcm.sent
    assert pull_style(LCM, endpoint=hub_with_lcm.address) == own and hub_with_lcm.sent == sent


@pytest.mark.slow
def test_its_scheduler_brings_it_and_without_it_says_what_to_fetch(
    hub_with_lcm: Hub, tmp_path: Path
) -> None:
    pipeline = load_folder(write_tiny_sd15(tmp_path / "tiny"), "cpu")
    told: list[str] = []
    pipeline.ladder.on_relief = told.append
    recipe = Recipe(
        "text", "a cat", seed=1, steps=2, guidance=1.0, passes=1, scheduler="lcm",
        width=128, height=128,
    )  # fmt: skip
    (bare,) = run(Request(recipe), pipeline)
    assert told == [
        "The scheduler lcm is for bases or styles that were distilled to few steps: "
        "`acetate models pull lcm-sd15` fetches one."
    ]
    told.clear()
    pull_style(LCM, accepted=True, endpoint=hub_with_lcm.address)
    (styled,) = run(Request(recipe), pipeline)
    assert not told and styled.image != bare.image
    assert styled.recipe is not None and styled.recipe.styles == {"lcm-sd15.safetensors": 1.0}
    (again,) = run(Request(styled.recipe), pipeline)
    assert again.image == styled.image
