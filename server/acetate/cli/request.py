"""What a person ordered on the command line, and the request that it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from acetate.errors import BadRequest
from acetate.images.files import check_writable
from acetate.models.families import Family, frames_of
from acetate.modes.run import image_hash
from acetate.modes.validation import check_recipe, check_variants
from acetate_bridge.protocol.geometry import Frame, FrameLimits, Rect, Size, plan_frame
from acetate_bridge.protocol.json_text import BadFrame, check_plain
from acetate_bridge.protocol.serialization import to_plain
from acetate_bridge.protocol.types import Image, PixelFormat, Recipe, Request

T = TypeVar("T")

SMALLEST_SIDE = 64


@dataclass(frozen=True)
class Order:
    """A recipe whose frame is still open, with everything around it that is not the picture's.

    `size` is the size to return (None: the model's native one). `steps` and `guidance` of None
    take the family's own. `recipe.model_hash` and `recipe.inputs`, where set, must be met.
    `server` is the address to paint at, "local" for the server of this machine, "" for none.
    `then` are prompts of further layers, each to be painted onto what is there by then.
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
    then: tuple[str, ...] = ()

    def outputs(self) -> list[Path]:
        """A path for each variant; several are numbered."""
        return _numbered(self.output, len(self.then) + 1 if self.then else self.variants)

    def scenes(self) -> list[Path]:
        """A path for the scene of each variant, if scenes were ordered."""
        if self.scene is None:
            return []
        return [self.scene] if self.then else _numbered(self.scene, self.variants)


def check(order: Order) -> None:
    """Raise BadRequest or CannotWrite for what is wrong whatever the model."""
    _check_words(order)
    check_recipe(replace(order.recipe, steps=_or(order.steps, 1), guidance=_or(order.guidance, 1)))
    check_variants(order.variants)
    if order.then and order.variants > 1:
        raise BadRequest(
            "Layers one after another come in one variant: leave --variants or --then."
        )
    for prompt in order.then:
        check_recipe(replace(order.recipe, prompt=prompt, layer_prompts={}, steps=1, guidance=1))
    for path in (*order.outputs(), *order.scenes()):
        if path.suffix.lower() != ".png":
            raise BadRequest(f"Layers are written as PNG: {path} should end in .png.")
        check_writable(path)


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
    limits = frames_of(order.recipe.mode, limits)
    steps, guidance = family.advice(order.recipe.scheduler or preset)
    size = order.size or Size(native, native)
    if not order.images:
        _check_size(size, limits)
    frame = plan_frame(Rect(0, 0, size.width, size.height), limits)
    recipe = replace(
        order.recipe,
        steps=_or(order.steps, steps),
        guidance=_or(order.guidance, guidance),
        width=frame.size.width,
        height=frame.size.height,
    )
    images = {name: _on_frame(image, frame) for name, image in order.images.items()}
    _check_inputs(order.recipe.inputs, images)
    return Request(recipe, images, order.variants, order.pixel_format, frame)


def _or(given: T | None, otherwise: T) -> T:
    return otherwise if given is None else given


def _check_size(size: Size, limits: FrameLimits) -> None:
    if not all(SMALLEST_SIDE <= side <= limits.highest for side in (size.width, size.height)):
        raise BadRequest(
            f"This model does not paint {size.width} × {size.height} pixels: "
            f"each side must lie between {SMALLEST_SIDE} and {limits.highest}."
        )


def _on_frame(image: Image, frame: Frame) -> Image:
    """A picture of the frame's region as the model sees it, with transparency around."""
    from acetate.images.frame import show_frame

    dtype = np.dtype("u1" if image.format == "rgba8" else "<u2")
    canvas = np.zeros((frame.canvas.height, frame.canvas.width, 4), dtype)
    inside = frame.crop
    samples = np.frombuffer(image.data, dtype).reshape(image.height, image.width, 4)
    canvas[inside.y : inside.bottom, inside.x : inside.right] = samples
    whole = Image(frame.canvas.width, frame.canvas.height, canvas.tobytes(), image.format)
    return show_frame(whole, frame)


def _check_inputs(expected: dict[str, str], images: dict[str, Image]) -> None:
    for name, wanted in expected.items():
        if name not in images:
            raise BadRequest(f"The picture was painted with another one: name it with --{name}.")
        if image_hash(images[name]) != wanted:
            raise BadRequest(f"The picture given with --{name} is not the one it was painted with.")


def _numbered(path: Path, variants: int) -> list[Path]:
    if variants == 1:
        return [path]
    return [path.with_stem(f"{path.stem}-{index}") for index in range(1, variants + 1)]
