"""What a person ordered on the command line, and the request that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from acetate.cli.again import options_of
from acetate.cli.outputs import Outputs, settle
from acetate.errors import BadRequest
from acetate.images.formats import format_of
from acetate.models.families import Family, frames_of
from acetate.modes.run import image_hash
from acetate.modes.validation import check_enlarging, check_recipe, check_variants
from acetate_bridge.protocol.frame_planning import FrameLimits, plan_frame
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.json_text import BadFrame, check_plain
from acetate_bridge.protocol.limits import LONGEST_SIDE
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.serialization import to_plain
from acetate_bridge.protocol.types import Image, PixelFormat, Recipe, Request

T = TypeVar("T")

_OPAQUE = ("background",)
"""Modes whose layers have no transparency."""


@dataclass(frozen=True)
class Order:
    """A recipe whose frame is still open, with everything around it that is not the picture's.

    `size` is the size to return (None: the model's native one). `steps` and `guidance` of None
    take the family's own. `recipe.model_hash` and `recipe.inputs`, where set, must be met.
    `server` is the address to paint at, "local" for the server of this machine, "" for none;
    `code` pairs with it first, if given.
    `then` are prompts of further layers, each to be painted onto what is there by then. `force`
    replaces files that are there; `settled` are names that were chosen before. `whole` writes what
    the layer and the picture beside it make together, in place of the layer.
    """

    recipe: Recipe
    output: Path
    model: str
    device: str = "auto"
    size: Size | None = None
    steps: int | None = None
    guidance: float | None = None
    variants: int = 1
    pixel_format: PixelFormat = "rgba8"
    images: dict[str, Image] = field(default_factory=dict[str, Image])
    scene: Path | None = None
    server: str = ""
    token_file: Path | None = None
    code: str = ""
    then: tuple[str, ...] = ()
    force: bool = False
    settled: Outputs | None = None
    whole: bool = False

    @property
    def layers(self) -> int:
        """How many paths its layers need: of variants, or one after another."""
        return len(self.then) + 1 if self.then else self.variants


def settled(order: Order) -> Outputs:
    """The names of all that will be written. Raises BadRequest or CannotWrite."""
    if order.settled is not None:
        return order.settled
    scenes = 0 if order.scene is None else 1 if order.then else order.variants
    return settle(order.output, order.scene, order.layers, scenes, order.force)


def check(order: Order) -> None:
    """Raise BadRequest or CannotWrite for what is wrong whatever the model."""
    _check_words(order)
    check_recipe(replace(order.recipe, steps=_or(order.steps, 1), guidance=_or(order.guidance, 1)))
    check_variants(order.variants)
    _check_known_part(order)
    if order.then and order.variants > 1:
        raise BadRequest(
            "Layers one after another come in one variant: leave --variants or --then."
        )
    for prompt in order.then:
        check_recipe(replace(order.recipe, prompt=prompt, layer_prompts={}, steps=1, guidance=1))
    deep = order.pixel_format == "rgba16"
    opaque = _scene_is_opaque(order) if order.whole else order.recipe.mode in _OPAQUE
    format_of(order.output, alpha=not opaque, deep=deep)
    if order.scene is not None:
        format_of(order.scene, alpha=not _scene_is_opaque(order), deep=deep)
    size = order.size
    if size is not None and max(size.width, size.height) > LONGEST_SIDE:
        raise BadRequest(
            f"{size.width} × {size.height} pixels are too many: a side may have up to "
            f"{LONGEST_SIDE}."
        )


def _check_known_part(order: Order) -> None:
    """Lifting out takes what one of the two parts of a picture is, and tells the other."""
    if order.recipe.mode == "extract" and len({"background", "layer"} & {*order.images}) != 1:
        raise BadRequest(
            "Say what is known of the picture: name its background with --background, or the "
            "layer that stands in front of it with --layer; one of the two."
        )


def _scene_is_opaque(order: Order) -> bool:
    """Whether nothing shows through all of it together: its lowest picture is opaque."""
    from acetate.images.samples import is_opaque

    picture = order.images.get("picture")
    return picture is None or is_opaque(picture)


def _check_words(order: Order) -> None:
    """Arguments in another encoding than the terminal's arrive as letters that nobody can read."""
    try:
        check_plain(to_plain(order.recipe))
        check_plain({"then": list(order.then), "model": order.model, "server": order.server})
    except BadFrame as error:
        raise BadRequest(
            f"This cannot be read: {error}.",
            "Type it in the terminal's own encoding (UTF-8 in most).",
        ) from None


def plan_request(
    order: Order, family: Family, native: int, limits: FrameLimits, preset: str = ""
) -> Request:
    """The request for a model with this native size and these frames. Raises BadRequest.

    `preset` is the scheduler that the model was distilled for, if any.
    """
    from acetate.images.frame_pixels import on_canvas, show_frame

    limits = frames_of(order.recipe.mode, limits)
    if order.size is not None:
        check_enlarging(order.recipe, order.size)
    steps, guidance = family.advice(order.recipe.scheduler or preset)
    size = order.size or Size(native, native)
    frame = plan_frame(
        Rect(0, 0, size.width, size.height),
        limits,
        never_smaller=mode_row(order.recipe.mode).second_pass,
    )
    recipe = replace(
        order.recipe,
        steps=_or(order.steps, steps),
        guidance=_or(order.guidance, guidance),
        width=frame.size.width,
        height=frame.size.height,
    )
    images = {
        name: show_frame(on_canvas(image, frame), frame) for name, image in order.images.items()
    }
    _check_inputs(order.recipe, images)
    return Request(recipe, images, order.variants, order.pixel_format, frame)


def _or(given: T | None, otherwise: T) -> T:
    return otherwise if given is None else given


def _check_inputs(recipe: Recipe, images: dict[str, Image]) -> None:
    options = options_of(recipe)
    for name, wanted in recipe.inputs.items():
        option = options[name]
        if name not in images:
            raise BadRequest(f"The picture was painted with another one: name it with {option}.")
        if image_hash(images[name]) != wanted:
            nth = [each for each in options if options[each] == option].index(name) + 1
            given = option if nth == 1 else f"{option}, given {nth} times,"
            raise BadRequest(f"The picture given with {given} is not the one it was painted with.")
