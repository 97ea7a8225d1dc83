"""What a request may ask for: one row for each bound, and the seed of each variant.

Server, worker, command line, panels and procedures read these rows, and `welcome` announces them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from acetate_bridge.protocol.errors import AcetateError
from acetate_bridge.protocol.following import MOST_CONTROLS, controls_of
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Recipe


class OutOfBounds(AcetateError, ValueError):
    """A request asks for too much or too little."""

    def __init__(self, message: str, code: Literal["bad_request", "too_large"] = "bad_request"):
        super().__init__(message, code=code)


@dataclass(frozen=True)
class Bound:
    """A number from `least` to `most`; where `above` is set, `least` itself is too little.

    `sentence` says so, with both ends in braces. `step` is what a slider or spin button moves by.
    """

    least: float
    most: float
    sentence: str
    step: float = 1
    above: bool = False

    @property
    def lowest(self) -> float:
        """The smallest number that a slider reaches."""
        return self.least + self.step if self.above else self.least

    @property
    def words(self) -> str:
        """Both ends, as a help text names them: “2 to 8”, “above 0 up to 1”."""
        ends = f"{self.least:g} {'up ' if self.above else ''}to {self.most:g}"
        return f"above {ends}" if self.above else ends

    def allows(self, value: float) -> bool:
        """Whether a number is inside; one that is none (NaN) is not."""
        return self.least <= value <= self.most and not (self.above and value == self.least)

    def check(self, value: float) -> None:
        """Raise OutOfBounds unless the number is inside."""
        if not self.allows(value):
            said = self.sentence.format(least=self.least, most=self.most)
            raise OutOfBounds(f"{said}, not {value}.")

    def clamp(self, value: float) -> float:
        """The nearest number inside; the largest for what is no number (NaN)."""
        return max(self.lowest, value) if value <= self.most else self.most

    def clamp_whole(self, value: int) -> int:
        """The same for whole numbers."""
        return int(self.clamp(value))


STEPS = Bound(1, 150, "Ask for {least} to {most} steps")
GUIDANCE = Bound(0, 30, "Guidance lies between {least} and {most}", step=0.5)
STRENGTH = Bound(0, 1, "Strength lies above {least} and up to {most}", step=0.01, above=True)
STOP_AT = Bound(0, 1, "The share to stop at lies between {least} and {most}", step=0.05)
VARIANTS = Bound(1, 16, "Ask for {least} to {most} variants")
LAYERS = Bound(2, 8, "A picture is split into {least} to {most} layers")
STYLE_WEIGHT = Bound(-4, 4, "The weight of a style lies between {least} and {most}", step=0.05)
CONTROL_STRENGTH = Bound(
    0, 2, "The strength of the control lies between {least} and {most}", step=0.05
)
CONTROL_END = Bound(
    0, 1, "The share that a control is followed for lies above {least} and up to {most}",
    step=0.05, above=True,
)  # fmt: skip
SEED = Bound(0, 2**53 - 1, "A seed lies between {least} and {most}")
"""The largest is the largest integer that every client's numbers can hold."""

SCALES = (2, 4)
SCALE = Bound(SCALES[0], SCALES[-1], "A layer is enlarged {least} to {most} times", step=2)
LARGEST_SIDE = 8192
"""Of a layer that is worked on at its own size, and of an enlarged one, in pixels."""

LONGEST_SIDE = 16384
"""Of a picture that shall come back, in pixels: it is painted smaller and scaled to it."""

PASSES = (0, 1, 2, 4, 8)
"""Decodes of a layer whose median is taken; 0: as many as suit the model."""
MOST_STYLES = 16
MOST_LAYERS_IN_TURN = 15
PROMPT_CHARACTERS = 8000
"""Of each prompt alone."""


def one_of(numbers: Sequence[int]) -> str:
    """“1, 2, 4 or 8”."""
    *all_but_last, last = map(str, numbers)
    return f"{', '.join(all_but_last)} or {last}"


def needs_prompt(mode: str, fill: str = "fill") -> bool:
    """Whether it has to be said what to paint; `fill` says what a selection is painted for."""
    row = mode_row(mode)
    return row.prompted and not (row.needs_selection and fill == "remove")


def has_prompt(recipe: Recipe) -> bool:
    """Whether a recipe says what to paint, for all of it or a layer of it, or need not say it."""
    if not needs_prompt(recipe.mode, recipe.fill):
        return True
    return any(text.strip() for text in (recipe.prompt, *recipe.layer_prompts.values()))


def check_scale(recipe: Recipe, width: int, height: int) -> None:
    """Raise OutOfBounds unless a layer of this size in pixels can be worked on as is asked."""
    if recipe.scale not in SCALES:
        raise OutOfBounds(f"A layer is enlarged {one_of(SCALES)} times, not {recipe.scale}.")
    row = mode_row(recipe.mode)
    if row.own_pixels and max(width, height) > LARGEST_SIDE:
        raise OutOfBounds(
            f"A layer of {width} × {height} pixels is too large: its longer side may be "
            f"{LARGEST_SIDE} pixels.",
            "too_large",
        )
    if row.enlarges and max(width, height) * recipe.scale > LARGEST_SIDE:
        raise OutOfBounds(
            f"A layer of {width} × {height} pixels would become too large: "
            f"{recipe.scale} times its longer side may be {LARGEST_SIDE} pixels.",
            "too_large",
        )


def check_recipe(recipe: Recipe) -> None:
    """Raise OutOfBounds for the first number or text that makes sense for no model."""
    if not has_prompt(recipe):
        raise OutOfBounds("The prompt is empty: say what to paint.")
    own = (*recipe.layer_prompts.values(), *recipe.then)
    for text in (recipe.prompt, recipe.negative_prompt, *own):
        if len(text) > PROMPT_CHARACTERS:
            raise OutOfBounds(
                f"A prompt may have {PROMPT_CHARACTERS} characters, not {len(text)}.", "too_large"
            )
    STEPS.check(recipe.steps)
    GUIDANCE.check(recipe.guidance)
    STRENGTH.check(recipe.strength)
    STOP_AT.check(recipe.stop_at)
    if recipe.passes not in PASSES:
        raise OutOfBounds(
            f"A layer is decoded in {one_of(PASSES[1:])} passes (0: as suits the model), "
            f"not {recipe.passes}."
        )
    LAYERS.check(recipe.layers)
    check_scale(recipe, recipe.width, recipe.height)
    if len(recipe.styles) > MOST_STYLES:
        raise OutOfBounds(
            f"Take at most {MOST_STYLES} styles, not {len(recipe.styles)}.", "too_large"
        )
    for weight in recipe.styles.values():
        STYLE_WEIGHT.check(weight)
    controls = controls_of(recipe)
    if len(controls) > MOST_CONTROLS:
        raise OutOfBounds(f"Follow at most {MOST_CONTROLS} images, not {len(controls)}.")
    for control in controls:
        CONTROL_STRENGTH.check(control.strength)
        CONTROL_END.check(control.end)
    if len(recipe.then) > MOST_LAYERS_IN_TURN:
        raise OutOfBounds(
            f"Paint at most {MOST_LAYERS_IN_TURN} further layers in turn, not {len(recipe.then)}."
        )
    SEED.check(recipe.seed)
