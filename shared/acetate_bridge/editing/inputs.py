"""A request out of a document: the pictures that a mode takes, read where the plan says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from acetate_bridge.editing.editor import Editor
from acetate_bridge.editing.plan import Plan
from acetate_bridge.editing.thumbnails import alpha_statistics
from acetate_bridge.protocol.messages import ModeInfo, ModeInput
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Image, Recipe, Request


@dataclass(frozen=True)
class Gathered:
    """A request, and whether the layer that it starts from has no transparency itself."""

    request: Request
    opaque_source: bool = False


def gather(editor: Editor, plan: Plan, info: ModeInfo, recipe: Recipe, variants: int) -> Gathered:
    """Read what the mode's inputs need. Raises DocumentClosed and LayerGone."""
    images: dict[str, Image] = {}
    for wanted in info.inputs:
        image = _read(editor, plan, info.name, wanted)
        if image is not None:
            images[wanted.name] = image
    layer = images.get("layer")
    sized = replace(recipe, width=plan.frame.size.width, height=plan.frame.size.height)
    return Gathered(
        Request(sized, images, variants, plan.document.pixel_format, plan.frame),
        layer is not None and alpha_statistics(layer).opaque,
    )


def selection_image(plan: Plan) -> Image:
    """What is selected of a plan's canvas: white, and grey where it is selected in part."""
    canvas, inside = plan.frame.canvas, plan.frame.crop
    strengths = plan.mask.mask if plan.mask is not None else None
    grey = bytearray(canvas.size.pixels)
    for row in range(inside.height):
        start = (inside.y + row) * canvas.width + inside.x
        here = slice(row * inside.width, (row + 1) * inside.width)
        line = strengths[here] if strengths is not None else b"\xff" * inside.width
        grey[start : start + inside.width] = line
    pixels = bytearray(b"\xff") * (4 * len(grey))
    for channel in range(3):
        pixels[channel::4] = grey
    return Image(canvas.width, canvas.height, bytes(pixels))


def _read(editor: Editor, plan: Plan, mode: str, wanted: ModeInput) -> Image | None:
    document, canvas = plan.document.key, plan.frame.canvas
    pixel_format = plan.document.pixel_format
    source = plan.source.key if plan.source is not None else None
    if wanted.name == "mask" and mode_row(mode).needs_selection:
        return selection_image(plan)
    if wanted.kind == "control" or (wanted.name == "below" and not wanted.required):
        return None
    if mode_row(mode).reads == "difference":
        if wanted.name == "layer":
            return None
        return editor.read_below(
            document, source, canvas, pixel_format, including=wanted.name == "picture"
        )
    if wanted.kind == "picture":
        whole = mode_row(mode).reads != "beneath"
        return editor.read_below(document, source, canvas, pixel_format, including=whole)
    if source is None:
        return None
    return editor.read_layer(document, source, canvas, pixel_format)
