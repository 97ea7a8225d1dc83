"""Layers that a painting follows, and those that the model does not see.

A layer is remembered by its mark, which the document keeps when it is saved: keys last only as
long as it is open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from acetate_bridge.editing.editor import Editor, LayerInfo
from acetate_bridge.editing.plan import CannotPlan
from acetate_bridge.protocol.following import DERIVED
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.types import Control, ControlKind, Image, PixelFormat

_LEFT_OUT = b'{"left_out":'
_SAMPLES = 4096
_BLACK = 24
_MOSTLY = 0.5


@dataclass(frozen=True)
class Follow:
    """A layer to follow, by its mark; `name` says which it was when it is there no more."""

    mark: str
    name: str
    kind: ControlKind
    strength: float = 1.0
    end: float = 1.0


def read_followed(
    editor: Editor,
    document: str,
    follows: Sequence[Follow],
    canvas: Rect,
    pixel_format: PixelFormat,
) -> list[tuple[Control, Image]]:
    """What is followed, as the request has it. Raises CannotPlan, DocumentClosed, LayerGone."""
    layers = {layer.mark or layer.key: layer for layer in editor.layers(document)}
    found: list[tuple[Control, Image]] = []
    for each in follows:
        layer = layers.get(each.mark)
        if layer is None:
            raise CannotPlan(f"The layer “{each.name}” to follow is gone: choose another one.")
        if layer.bounds is None or layer.bounds.common(canvas) is None:
            raise CannotPlan(f"Nothing of “{layer.name}” lies where it would be painted.")
        image = editor.read_layer(document, layer.key, canvas, pixel_format)
        derived = each.kind in DERIVED and not is_map(image)
        found.append((Control(each.kind, each.strength, derived, end=each.end), image))
    return found


def unseen_layers(
    layers: Iterable[LayerInfo], left_out: frozenset[str], follows: Sequence[Follow]
) -> tuple[str, ...]:
    """Keys of the layers that the model does not see: left out, or followed for their lines."""
    lines = {each.mark for each in follows if each.kind != "reference"}
    return tuple(
        each.key for each in layers if (mark := each.mark or each.key) in left_out or mark in lines
    )


def is_map(image: Image) -> bool:
    """Whether a layer is a map already, light on black, and not a drawing to make one of."""
    data = image.data[1::2] if image.format == "rgba16" else image.data
    step = max(1, len(data) // 4 // _SAMPLES)
    pixels = [data[at : at + 4] for at in range(0, len(data), 4 * step)]
    black = sum(max(pixel[:3]) <= _BLACK and pixel[3] == 255 for pixel in pixels)
    return black > _MOSTLY * len(pixels) and all(pixel[3] == 255 for pixel in pixels)


def left_out_of(note: bytes) -> frozenset[str]:
    """Marks of the layers that a document's note leaves out of what the model sees."""
    for line in note.splitlines():
        if line.startswith(_LEFT_OUT):
            try:
                found: Any = read_json(line)["left_out"]
            except (ValueError, KeyError, TypeError):
                continue
            if isinstance(found, list):
                return frozenset(str(each) for each in cast("list[Any]", found))
    return frozenset()


def with_left_out(note: bytes, marks: Iterable[str]) -> bytes:
    """The note with these layers left out, and no others."""
    lines = [line for line in note.splitlines() if not line.startswith(_LEFT_OUT)]
    wanted = sorted(marks)
    own = [json.dumps({"left_out": wanted}).encode()] if wanted else []
    return b"\n".join([*own, *lines])


def is_left_out_line(line: bytes) -> bool:
    """Whether a line of the note is ours and no result."""
    return line.startswith(_LEFT_OUT)
