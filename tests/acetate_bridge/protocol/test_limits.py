from __future__ import annotations

import math

import pytest

from acetate_bridge import Recipe
from acetate_bridge.protocol import limits
from acetate_bridge.protocol.limits import (
    STEPS,
    STRENGTH,
    Bound,
    OutOfBounds,
    check_recipe,
    has_prompt,
)

BOUNDS = {name: row for name, row in vars(limits).items() if isinstance(row, Bound)}


@pytest.mark.parametrize("bound", BOUNDS.values(), ids=BOUNDS)
def test_a_bound_names_both_ends_and_what_was_asked_for(bound: Bound) -> None:
    bound.check(bound.lowest)
    bound.check(bound.most)
    with pytest.raises(OutOfBounds) as caught:
        bound.check(bound.most + 1)
    for number in (bound.least, bound.most, bound.most + 1):
        assert str(number) in str(caught.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("bound", BOUNDS.values(), ids=BOUNDS)
def test_what_is_no_number_is_outside_and_is_brought_inside(bound: Bound, value: float) -> None:
    assert not bound.allows(value) and bound.allows(bound.clamp(value))


def test_the_least_strength_is_more_than_none() -> None:
    assert not STRENGTH.allows(0) and STRENGTH.allows(1e-9)
    assert STRENGTH.clamp(-1) == STRENGTH.lowest > 0
    assert STEPS.clamp_whole(0) == 1 and type(STEPS.clamp_whole(10**9)) is int


def test_a_prompt_of_blanks_is_none() -> None:
    assert not has_prompt(Recipe("text", " \n", layer_prompts={"foreground": " "}))
    assert has_prompt(Recipe("joint", layer_prompts={"foreground": "a cat"}))


def test_too_long_a_prompt_has_a_code_of_its_own() -> None:
    for recipe in (
        Recipe("text", "x" * 8001),
        Recipe("text", "a cat", negative_prompt="x" * 8001),
        Recipe("text", "a cat", layer_prompts={"foreground": "x" * 8001}),
    ):
        with pytest.raises(OutOfBounds, match="8000 characters") as caught:
            check_recipe(recipe)
        assert caught.value.code == "too_large"
