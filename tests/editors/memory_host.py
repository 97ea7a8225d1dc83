"""The contract's host for the editor in memory."""

from __future__ import annotations

from collections.abc import Sequence

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image
from tests.editors.host import Entry, Kind
from tests.editors.memory_editor import KINDS, MemoryEditor
from tests.editors.memory_stack import Node, strengths
from tests.editors.pixels import converted


class MemoryHost:
    """Fulfils `Host`."""

    def __init__(self) -> None:
        self.editor = MemoryEditor()

    @property
    def kinds(self) -> Sequence[Kind]:
        return KINDS

    def new_document(self, width: int, height: int, kind: Kind) -> str:
        return self.editor.new(width, height, kind)

    def paint(
        self, document: str, name: str, image: Image, x: int, y: int, group: str | None = None
    ) -> str:
        deep = self.editor.sheet(document).kind.deep
        pixels = converted(image, "rgba16" if deep else "rgba8")
        return self.editor.add(
            document, Node("", name, Rect(x, y, image.width, image.height), pixels), group
        )

    def make_group(self, document: str, name: str) -> str:
        return self.editor.add(document, Node("", name, children=[]))

    def activate(self, document: str, layer: str) -> None:
        self.editor.sheet(document).active = layer

    def select(self, document: str, region: Rect, feather: int = 0) -> None:
        mask, bounds = None, region
        if feather:
            bounds = region.grown(feather)
            mask = bytes(
                min(
                    _edge(x - region.x, region.width, feather),
                    _edge(y - region.y, region.height, feather),
                )
                for y in range(bounds.y, bounds.bottom)
                for x in range(bounds.x, bounds.right)
            )
        self.editor.sheet(document).selected = Selection(bounds, mask)

    def select_nothing(self, document: str) -> None:
        self.editor.sheet(document).selected = None

    def stack(self, document: str) -> list[Entry]:
        return self.editor.stack(document)

    def bounds(self, document: str, layer: str) -> Rect:
        bounds = self.editor.node(document, layer).bounds
        assert bounds is not None
        return bounds

    def visible(self, document: str, region: Rect) -> Image:
        return self.editor.read_below(document, None, region, "rgba8")

    def mask(self, document: str, layer: str, region: Rect) -> bytes | None:
        mask = self.editor.node(document, layer).mask
        return strengths(mask, region) if mask is not None else None

    def undo(self, document: str) -> None:
        self.editor.undo(document)

    def redo(self, document: str) -> None:
        self.editor.redo(document)

    def reopen(self, document: str) -> str:
        return self.editor.reopen(document)

    def close(self, document: str) -> None:
        self.editor.close(document)

    def settle(self) -> None:
        self.editor.settle()


def _edge(place: int, length: int, feather: int) -> int:
    """Strength at a distance from both ends: half on the edge, a straight ramp around it."""
    inside = min(place + 0.5, length - place - 0.5)
    return max(0, min(255, round(255 * (0.5 + inside / (2 * feather)))))
