"""The contract's host for the editor in memory."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image
from tests.editors.contract_pictures import picture
from tests.editors.host import Entry, Kind
from tests.editors.memory_editor import KINDS, MemoryEditor
from tests.editors.memory_stack import Node, strengths, walk
from tests.editors.pixels import converted
from tests.editors.stage import Stage


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

    def lock(self, document: str, layer: str, locked: bool) -> None:
        self.editor.node(document, layer).locked = locked

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

    def mixing(self, document: str, layer: str) -> object:
        node = self.editor.node(document, layer)
        return node.opacity, node.blending, node.clipped

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

    # ---- stacks like a painter's

    @property
    def zoo(self) -> Sequence[str]:
        return tuple(_STACKS)

    def build(self, stack: str) -> str:
        document = self.editor.new(48, 32)
        sheet = self.editor.sheet(document)
        sheet.nodes = copy.deepcopy(_STACKS[stack])
        for number, (node, _, _) in enumerate(walk(sheet.nodes)):
            node.key = f"painters-{number}"
            if node.name == "active":
                sheet.active = node.key
        sheet.selected = Selection(Rect(8, 4, 24, 20))
        return document

    def fingerprint(self, document: str, ours: frozenset[str]) -> dict[str, object]:
        sheet = self.editor.sheet(document)
        found: dict[str, object] = {"selection": sheet.selected, "size": sheet.size}
        number = 0
        for node, parent, level in walk(sheet.nodes):
            if node.key in ours:
                continue
            kept = {name: value for name, value in vars(node).items() if name != "children"}
            found[f"{number} {node.name}"] = (parent, level, kept)
            if node.key == sheet.active:
                found["active"] = node.name
            number += 1
        return found

    def hides(self, before: dict[str, object]) -> tuple[str, ...]:
        return tuple(key for key in before if key.endswith(" active"))

    def open_panel(self) -> Stage:
        return Stage(self.editor, self.settle)


def _sheet(name: str, **how: Any) -> Node:
    """A painted layer, its pixels different from its neighbours'."""
    return Node("", name, Rect(2, 3, 40, 24), picture(40, 24, turn=len(name)), **how)


_SOFT = Selection(Rect(0, 0, 48, 32), bytes(index % 256 for index in range(48 * 32)))
_STACKS: dict[str, list[Node]] = {
    "one layer with a mask": [_sheet("active", mask=_SOFT)],
    "only a group with children and a mask": [
        Node("", "folder", mask=_SOFT, opacity=90, children=[_sheet("one"), _sheet("active")])
    ],
    "nested groups": [
        Node(
            "",
            "outer",
            label=2,
            children=[
                Node("", "inner", blending="multiply", children=[_sheet("active")]),
                _sheet("low"),
            ],
        )
    ],
    "locked": [_sheet("high", locked=True), _sheet("active"), _sheet("low", locked=True)],
    "hidden": [_sheet("high", visible=False), _sheet("active"), _sheet("low", visible=False)],
    "clipped": [_sheet("high", clipped=True), _sheet("active", clipped=True), _sheet("low")],
    "filtered": [_sheet("active", filters=("invert",), opacity=70, blending="screen")],
    "moved": [_sheet("active", moved=(5, -2), label=4), _sheet("low")],
}


def _edge(place: int, length: int, feather: int) -> int:
    """Strength at a distance from both ends: half on the edge, a straight ramp around it."""
    inside = min(place + 0.5, length - place - 0.5)
    return max(0, min(255, round(255 * (0.5 + inside / (2 * feather)))))
