"""Where a job's region lies by the time that its layers come: the painter goes on meanwhile."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from acetate_bridge.editing.editor import Document, Editor, LayerGone, LayerInfo
from acetate_bridge.editing.stack_order import StackEntry, entries_of, renamed

Shift = tuple[int, int]

SIDE = 12
_SAME = 3.0
"""Mean difference of two glances, of 255, that rounding and a small stroke may make."""
_TELLING = 8.0
"""What a turned picture has to differ from the old one to be taken for turned."""


@dataclass(frozen=True)
class Anchor:
    """How a document lay when a job was asked for, as plain values for a file.

    `spots` holds for each layer how far it had been moved and the size of what is painted on it;
    `look` and `source_look` are glances (see `Editor.glance`), packed. `stack` is the whole stack
    from the top downwards. A width of 0: unknown.
    """

    width: int = 0
    height: int = 0
    source: str = ""
    spots: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    look: str = field(default="", repr=False)
    source_look: str = field(default="", repr=False)
    stack: list[StackEntry] = field(default_factory=list[StackEntry], repr=False)

    def opened_again(self, keys: dict[str, str]) -> Anchor:
        """The same in the keys that the layers have in the file that is open again."""
        spots = {keys[key]: spot for key, spot in self.spots.items() if key in keys}
        source, stack = keys.get(self.source, ""), renamed(self.stack, keys)
        return replace(self, source=source, spots=spots, stack=stack)


def anchor_of(editor: Editor, document: Document, source: str) -> Anchor:
    """Note how a document lies now; `source` is the layer that the job belongs to, or empty."""
    layers = editor.layers(document.key)
    spots = {layer.key: _spot(layer) for layer in layers if not layer.group}
    return Anchor(
        document.size.width,
        document.size.height,
        source,
        spots,
        _packed(editor.glance(document.key, None, SIDE).data),
        _packed(editor.glance(document.key, source, SIDE).data) if source else "",
        entries_of(layers),
    )


def shift_since(editor: Editor, document: Document, anchor: Anchor) -> Shift | None:
    """How far the region has gone since; None when it was scaled or turned, or nobody can say."""
    if not anchor.width:
        return 0, 0
    now = {layer.key: layer for layer in editor.layers(document.key)}
    source = now.get(anchor.source)
    if source is not None and anchor.source in anchor.spots:
        return _shift_of_source(editor, document, anchor, source)
    resized = (document.size.width, document.size.height) != (anchor.width, anchor.height)
    if _turned(anchor.look, lambda: editor.glance(document.key, None, SIDE).data):
        return None
    return _common_shift(anchor, now) if resized else (0, 0)


def _shift_of_source(
    editor: Editor, document: Document, anchor: Anchor, source: LayerInfo
) -> Shift | None:
    x, y, width, height = anchor.spots[anchor.source]
    size = (source.bounds.width, source.bounds.height) if source.bounds else (0, 0)

    def glance() -> bytes:
        try:
            return editor.glance(document.key, source.key, SIDE).data
        except LayerGone:
            return b""

    if _turned(anchor.source_look, glance):
        return None
    # What is scaled looks as before within its new bounds; what is painted on does not.
    scaled = size != (width, height) and _alike(_unpacked(anchor.source_look), glance())
    resized = (document.size.width, document.size.height) != (anchor.width, anchor.height)
    if scaled or (resized and size != (width, height)):
        return None
    return source.moved[0] - x, source.moved[1] - y


def _common_shift(anchor: Anchor, now: dict[str, LayerInfo]) -> Shift | None:
    """How far all layers have gone, when they went together and none has changed its size."""
    shifts: set[Shift] = set()
    for key, (x, y, width, height) in anchor.spots.items():
        layer = now.get(key)
        if layer is None or not width:
            continue
        if layer.bounds is None or (layer.bounds.width, layer.bounds.height) != (width, height):
            return None
        shifts.add((layer.moved[0] - x, layer.moved[1] - y))
    return shifts.pop() if len(shifts) == 1 else None


def _spot(layer: LayerInfo) -> list[int]:
    width, height = (layer.bounds.width, layer.bounds.height) if layer.bounds else (0, 0)
    return [*layer.moved, width, height]


def _turned(packed: str, glance: Callable[[], bytes]) -> bool:
    """Whether a picture is the old one mirrored or rotated."""
    old = _unpacked(packed)
    if not old:
        return False
    new = glance()
    if _difference(old, new) < _TELLING:
        return False
    return any(_alike(turned, new) for turned in _turns(old))


def _turns(look: bytes) -> list[bytes]:
    rows = [[look[4 * (y * SIDE + x) :][:4] for x in range(SIDE)] for y in range(SIDE)]
    mirrored = [row[::-1] for row in rows]
    found = [mirrored, rows[::-1], mirrored[::-1]]
    for each in (rows, mirrored):
        turned = [list(row) for row in zip(*each[::-1])]  # noqa: B905 (all of one length)
        found += [turned, [row[::-1] for row in turned][::-1]]
    return [b"".join(b"".join(row) for row in each) for each in found]


def _alike(one: bytes, other: bytes) -> bool:
    return _difference(one, other) <= _SAME


def _difference(one: bytes, other: bytes) -> float:
    """Mean difference of two looks, colours weighted by their alpha."""
    if len(one) != len(other) or not one:
        return 255.0
    total = 0
    for i in range(0, len(one), 4):
        a, b = one[i + 3], other[i + 3]
        total += 255 * abs(a - b)
        total += sum(abs(one[i + c] * a - other[i + c] * b) for c in range(3))
    return total / 255 / len(one)


def _packed(look: bytes) -> str:
    return base64.b64encode(look).decode("ascii")


def _unpacked(packed: str) -> bytes:
    try:
        return base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return b""
