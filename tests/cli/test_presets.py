"""A preset named on the command line: what it says is taken, and what is typed beside it wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate.cli import generate
from acetate.cli.request import Order
from acetate_bridge.client.presets import Preset, presets_folder, write_preset
from tests.cli.conftest import Acetate

INK = Preset(
    "Ink",
    model="favourite",
    styles={"ink": 0.8},
    words="{prompt}, ink wash",
    avoid="colour",
    steps=12,
    guidance=2.5,
    scheduler="euler",
)


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Order]:
    """What would be painted; nothing is."""
    monkeypatch.setenv("ACETATE_CONFIG_DIR", str(tmp_path / "config"))
    write_preset(presets_folder(), INK)
    found: list[Order] = []
    monkeypatch.setattr(generate, "carry_out", found.append)
    monkeypatch.setattr(generate, "grow", found.append)
    return found


def test_a_preset_says_model_styles_words_and_numbers(
    acetate: Acetate, orders: list[Order], tmp_path: Path
) -> None:
    outcome = acetate("generate", "text", "a cat", "--preset", "Ink", "-o", tmp_path / "a.png")
    assert outcome.code == 0, outcome.err
    (order,) = orders
    assert (order.model, order.steps, order.guidance) == ("favourite", 12, 2.5)
    recipe = order.recipe
    assert (recipe.prompt, recipe.negative_prompt) == ("a cat, ink wash", "colour")
    assert (recipe.styles, recipe.scheduler, recipe.preset) == ({"ink": 0.8}, "euler", "Ink")


def test_what_is_typed_beside_it_comes_first(
    acetate: Acetate, orders: list[Order], tmp_path: Path
) -> None:
    words = ["--model", "embedded", "--steps", "3", "--guidance", "0", "--style", "ink=0.2"]
    more = ["--style", "wash", "--scheduler", "unipc", "--avoid", "noise"]
    outcome = acetate(
        "generate", "text", "a cat", "--preset", "Ink", *words, *more, "-o", tmp_path / "a.png"
    )
    assert outcome.code == 0, outcome.err
    (order,) = orders
    assert (order.model, order.steps, order.guidance) == ("embedded", 3, 0)
    assert order.recipe.styles == {"ink": 0.2, "wash": 1.0}
    assert (order.recipe.scheduler, order.recipe.negative_prompt) == ("unipc", "noise, colour")


def test_without_a_preset_nothing_changes(
    acetate: Acetate, orders: list[Order], tmp_path: Path
) -> None:
    assert acetate("generate", "text", "a cat", "-o", tmp_path / "a.png").code == 0
    (order,) = orders
    assert (order.model, order.steps, order.guidance) == ("embedded", None, None)
    assert (order.recipe.prompt, order.recipe.preset) == ("a cat", "")


def test_a_missing_preset_is_named_with_its_cure(
    acetate: Acetate, orders: list[Order], tmp_path: Path
) -> None:
    outcome = acetate("generate", "text", "a cat", "--preset", "Wash", "-o", tmp_path / "a.png")
    assert outcome.code == 2 and not orders and not (tmp_path / "a.png").exists()
    assert "no preset called “Wash”" in outcome.err and "There are Ink" in outcome.err
    assert "config" in outcome.err and "Traceback" not in outcome.err
