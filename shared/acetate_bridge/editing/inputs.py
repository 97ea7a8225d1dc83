"""A request out of a document: the pictures that a mode takes, read where the plan says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from acetate_bridge.editing.editor import Editor
from acetate_bridge.editing.guides import Follow, read_followed, unseen_layers
from acetate_bridge.editing.plan import Plan
from acetate_bridge.editing.thumbnails import alpha_statistics
from acetate_bridge.protocol.following import control_name, with_controls
from acetate_bridge.protocol.messages import ModeInfo, ModeInput
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Image, Recipe, Request


@dataclass(frozen=True)
class Gathered:
    """A request, and whether the layer that it starts from has no transparency in the region."""

    request: Request
    opaque_source: bool = False


def gather(
    editor: Editor,
    plan: Plan,
    info: ModeInfo,
    recipe: Recipe,
    variants: int,
    follows: Sequence[Follow] = (),
    left_out: frozenset[str] = frozenset(),
    replaces: Sequence[str] = (),
) -> Gathered:
    """Read what the mode's inputs need, and the layers to follow.

    `left_out` are the marks of layers that the model does not see. What takes the place of a layer
    in `replaces` gets its masks and filters, so of that one its own pixels are read. Raises
    CannotPlan, DocumentClosed and LayerGone.
    """
    images: dict[str, Image] = {}
    document, canvas = plan.document, plan.frame.canvas
    unseen = unseen_layers(editor.layers(document.key), left_out, follows)
    for wanted in info.inputs:
        image = _read(editor, plan, info.name, wanted, unseen, replaces)
        if image is not None:
            images[wanted.name] = image
    layer = images.get("layer")
    followed = read_followed(editor, document.key, follows, canvas, document.pixel_format)
    for index, (_, image) in enumerate(followed):
        images[control_name(index)] = image
    recipe = with_controls(recipe, [control for control, _ in followed])
    sized = replace(recipe, width=plan.frame.size.width, height=plan.frame.size.height)
    return Gathered(
        Request(sized, images, variants, plan.document.pixel_format, plan.frame),
        # Around it there may be nothing, which the model sees as well.
        layer is not None and alpha_statistics(layer, plan.frame.crop).opaque,
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


def _read(
    editor: Editor,
    plan: Plan,
    mode: str,
    wanted: ModeInput,
    unseen: tuple[str, ...],
    replaces: Sequence[str],
) -> Image | None:
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
        including = wanted.name == "picture"
        return editor.read_below(document, source, canvas, pixel_format, including, unseen)
    if wanted.kind == "picture":
        whole = mode_row(mode).reads != "beneath"
        return editor.read_below(document, source, canvas, pixel_format, whole, unseen)
    if source is None:
        return None
    read = editor.read_own if source in replaces else editor.read_layer
    return read(document, source, canvas, pixel_format)
