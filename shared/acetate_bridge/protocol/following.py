"""What a recipe follows: its controls, and the image of the request that each of them speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from acetate_bridge.protocol.types import Control, ControlKind, Recipe

MOST_CONTROLS = 8
DERIVED: tuple[ControlKind, ...] = ("scribble", "lineart", "canny", "softedge", "tile")
"""Kinds whose map the server makes of an ordinary sketch or picture."""


def control_name(index: int) -> str:
    """Name of the image of a control, counted from 0: `control`, `control_2`, `control_3`, ..."""
    return "control" if index == 0 else f"control_{index + 1}"


def controls_of(recipe: Recipe) -> list[Control]:
    """Everything that is followed, in order."""
    first = [] if recipe.control is None else [recipe.control]
    return [*first, *recipe.controls]


def followed(recipe: Recipe) -> dict[str, Control]:
    """Everything that is followed, by the name of its image."""
    return {control_name(index): each for index, each in enumerate(controls_of(recipe))}


def with_controls(recipe: Recipe, controls: Sequence[Control]) -> Recipe:
    """The recipe with these in place of what it follows."""
    first = controls[0] if controls else None
    return replace(recipe, control=first, controls=list(controls[1:]))


def missing_control(name: str) -> str:
    """The sentence for an image that is to be followed and is not there."""
    return "There is no control image to follow" + (f": {name}." if name != "control" else ".")
