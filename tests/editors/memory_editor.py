"""An editor in memory with layers, groups, masks, undo and a selection: fulfils the contract."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from acetate_bridge.editing.editor import (
    Document,
    DocumentClosed,
    Insertion,
    LayerGone,
    LayerInfo,
    Place,
    Selection,
)
from acetate_bridge.editing.recipes import recipe_text
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.types import Image, PixelFormat
from tests.editors.host import Entry, Kind
from tests.editors.pixels import converted, cut, over

PLAIN = Kind("8-bit sRGB")
KINDS = (
    PLAIN,
    Kind("16-bit sRGB", "u16"),
    Kind("grayscale", colour="gray", keeps_colour=False),
)


@dataclass
class Node:
    """A layer or a group; `pixels` lie at `bounds`."""

    key: str
    name: str
    bounds: Rect | None = None
    pixels: Image | None = None
    recipe: str | None = None
    mask: Selection | None = None
    children: list[Node] | None = None


@dataclass
class Sheet:
    """A document. `nodes` go from the top downwards; `past` and `future` hold whole stacks."""

    key: str
    title: str
    size: Size
    kind: Kind
    nodes: list[Node] = field(default_factory=list[Node])
    active: str = ""
    selected: Selection | None = None
    kept: bytes = b""
    past: list[list[Node]] = field(default_factory=list[list[Node]])
    future: list[list[Node]] = field(default_factory=list[list[Node]])

    def step(self) -> None:
        """What follows is one undo step."""
        self.past.append(copy.deepcopy(self.nodes))
        self.future.clear()


class MemoryEditor:
    """Fulfils `Editor`; `painting` is a hand at work, `later` what was put off."""

    def __init__(self, name: str = "Memory 1.0") -> None:
        self._name = name
        self.sheets: dict[str, Sheet] = {}
        self.active = ""
        self.painting = False
        self.soon: list[Callable[[], None]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        self._keys = itertools.count(1)

    # ---- Editor

    @property
    def name(self) -> str:
        return self._name

    def active_document(self) -> Document | None:
        sheet = self.sheets.get(self.active)
        return self._describe(sheet) if sheet is not None else None

    def documents(self) -> list[Document]:
        return [self._describe(sheet) for sheet in self.sheets.values()]

    def layers(self, document: str) -> list[LayerInfo]:
        return [_info(node, parent) for node, parent, _ in _walk(self.sheet(document).nodes)]

    def active_layer(self, document: str) -> LayerInfo | None:
        sheet = self.sheet(document)
        found = (each for each in self.layers(document) if each.key == sheet.active)
        return next(found, None)

    def selection(self, document: str) -> Selection | None:
        return self.sheet(document).selected

    def read_layer(
        self, document: str, layer: str, region: Rect, pixel_format: PixelFormat
    ) -> Image:
        node = self.node(document, layer)
        if node.children is not None:
            return _seen(node.children, region, pixel_format)
        if node.pixels is None or node.bounds is None:
            return _clear(region, pixel_format)
        return cut(converted(node.pixels, pixel_format), node.bounds, region)

    def read_below(
        self,
        document: str,
        layer: str | None,
        region: Rect,
        pixel_format: PixelFormat,
        including: bool = False,
    ) -> Image:
        sheet = self.sheet(document)
        nodes = sheet.nodes
        if layer is not None:
            self.node(document, layer)
            nodes = _from(nodes, layer, including) or []
        canvas = Rect(0, 0, sheet.size.width, sheet.size.height)
        inside = canvas.common(region)
        if inside is None:
            return _clear(region, pixel_format)
        return cut(_seen(nodes, inside, pixel_format), inside, region)

    def insert(self, document: str, insertion: Insertion) -> list[str]:
        sheet = self.sheet(document)
        if not sheet.kind.keeps_colour:
            raise ValueError("This image is grayscale: convert it to RGB to keep the colours.")
        sheet.step()
        new = [
            Node(
                self._key("layer"),
                layer.name,
                Rect(layer.x, layer.y, layer.image.width, layer.image.height),
                converted(layer.image, "rgba16" if sheet.kind.deep else "rgba8"),
                recipe_text(layer.recipe) if layer.recipe is not None else None,
                insertion.mask,
            )
            for layer in insertion.layers
        ]
        keys = [node.key for node in new]
        if insertion.group:
            new = [Node(self._key("group"), insertion.group, children=new)]
        siblings, index = self._place(sheet, insertion)
        siblings[index:index] = new
        for key in insertion.replaces:
            _take_out(sheet.nodes, key)
        sheet.active = keys[0]
        return keys

    def remove(self, document: str, layers: list[str]) -> None:
        sheet = self.sheet(document)
        sheet.step()
        for key in layers:
            _take_out(sheet.nodes, key)

    def recipe(self, document: str, layer: str) -> str | None:
        self.sheet(document)
        try:
            return self.node(document, layer).recipe
        except LayerGone:
            return None

    def note(self, document: str) -> bytes:
        return self.sheet(document).kept

    def keep_note(self, document: str, data: bytes) -> None:
        self.sheet(document).kept = data

    def convert_to_colour(self, document: str) -> None:
        self.sheet(document).kind = PLAIN

    def busy(self) -> bool:
        return self.painting

    def call_soon(self, action: Callable[[], None]) -> None:
        self.soon.append(action)

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        self.later.append((seconds, action))

    # ---- for hosts and tests

    def new(self, width: int, height: int, kind: Kind = PLAIN, title: str = "") -> str:
        """A new active document without layers."""
        key = self._key("document")
        self.sheets[key] = Sheet(key, title or f"{key}.ora", Size(width, height), kind)
        self.active = key
        return key

    def add(self, document: str, node: Node, group: str | None = None) -> str:
        """A painter's own layer or group on top, as an undo step."""
        sheet = self.sheet(document)
        sheet.step()
        siblings = sheet.nodes
        if group is not None:
            children = self.node(document, group).children
            assert children is not None
            siblings = children
        node.key = self._key("layer")
        siblings.insert(0, node)
        sheet.active = node.key
        return node.key

    def close(self, document: str) -> None:
        """Close without saving."""
        del self.sheets[document]
        self.active = next(reversed(self.sheets), "")

    def reopen(self, document: str) -> str:
        """The same document under another key, its history gone."""
        old = self.sheets.pop(document)
        key = self._key("document")
        self.sheets[key] = replace(old, key=key, past=[], future=[])
        self.active = key
        return key

    def undo(self, document: str) -> None:
        """One step back."""
        sheet = self.sheet(document)
        if sheet.past:
            sheet.future.append(sheet.nodes)
            sheet.nodes = sheet.past.pop()

    def redo(self, document: str) -> None:
        """One step forward."""
        sheet = self.sheet(document)
        if sheet.future:
            sheet.past.append(sheet.nodes)
            sheet.nodes = sheet.future.pop()

    def settle(self) -> None:
        """Run what was put off until nothing is left of it."""
        while self.soon:
            self.soon.pop(0)()

    def pass_time(self) -> None:
        """Run what waits for a time, once, and what follows from it."""
        due, self.later = self.later, []
        for _, action in due:
            action()
        self.settle()

    def stack(self, document: str) -> list[Entry]:
        """All layers with their depth in groups."""
        return [
            Entry(node.name, level, node.children is not None)
            for node, _, level in _walk(self.sheet(document).nodes)
        ]

    def sheet(self, document: str) -> Sheet:
        if document not in self.sheets:
            raise DocumentClosed
        return self.sheets[document]

    def node(self, document: str, key: str) -> Node:
        for node, _, _ in _walk(self.sheet(document).nodes):
            if node.key == key:
                return node
        raise LayerGone

    def _describe(self, sheet: Sheet) -> Document:
        colour = "" if sheet.kind.keeps_colour else "grayscale"
        return Document(sheet.key, sheet.title, sheet.size, sheet.kind.deep, colour, bool(colour))

    def _key(self, what: str) -> str:
        return f"{what}-{next(self._keys)}"

    def _place(self, sheet: Sheet, insertion: Insertion) -> tuple[list[Node], int]:
        for key in insertion.replaces:
            found = _siblings(sheet.nodes, key)
            if found is not None:
                return found
        return _beside(sheet.nodes, insertion.place)


def _beside(nodes: list[Node], place: Place) -> tuple[list[Node], int]:
    found = _siblings(nodes, place.layer) if place.layer is not None else None
    if found is None:
        return nodes, len(nodes) if place.below else 0
    siblings, index = found
    return siblings, index + 1 if place.below else index


def _siblings(nodes: list[Node], key: str) -> tuple[list[Node], int] | None:
    for index, node in enumerate(nodes):
        if node.key == key:
            return nodes, index
        found = _siblings(node.children or [], key)
        if found is not None:
            return found
    return None


def _take_out(nodes: list[Node], key: str) -> None:
    found = _siblings(nodes, key)
    if found is not None:
        del found[0][found[1]]


def _from(nodes: list[Node], key: str, including: bool) -> list[Node] | None:
    """What lies beneath a layer, the group that it is in cut off above it."""
    for index, node in enumerate(nodes):
        if node.key == key:
            return nodes[index if including else index + 1 :]
        inner = _from(node.children, key, including) if node.children is not None else None
        if inner is not None:
            return [replace(node, children=inner), *nodes[index + 1 :]]
    return None


def _walk(nodes: list[Node], parent: str = "", level: int = 0) -> list[tuple[Node, str, int]]:
    found: list[tuple[Node, str, int]] = []
    for node in nodes:
        found.append((node, parent, level))
        if node.children is not None:
            found += _walk(node.children, node.key, level + 1)
    return found


def _info(node: Node, parent: str) -> LayerInfo:
    return LayerInfo(node.key, node.name, node.bounds, node.children is not None, parent)


def _clear(region: Rect, pixel_format: PixelFormat) -> Image:
    size = 4 if pixel_format == "rgba8" else 8
    return Image(region.width, region.height, bytes(region.size.pixels * size), pixel_format)


def _seen(nodes: list[Node], region: Rect, pixel_format: PixelFormat) -> Image:
    """What a painter sees of these nodes."""
    data = bytes(region.size.pixels * 4)
    for node in reversed(nodes):
        if node.children is not None:
            picture = _seen(node.children, region, "rgba8")
        elif node.pixels is not None and node.bounds is not None:
            picture = cut(converted(node.pixels, "rgba8"), node.bounds, region)
        else:
            continue
        strength = strengths(node.mask, region) if node.mask is not None else None
        data = over(picture.data, data, strength)
    return converted(Image(region.width, region.height, data), pixel_format)


def strengths(mask: Selection, region: Rect) -> bytes:
    """How strongly each pixel of a region is selected; nothing is outside of the mask."""
    rows = bytearray()
    for y in range(region.y, region.bottom):
        for x in range(region.x, region.right):
            inside = mask.bounds.contains(Rect(x, y, 1, 1))
            index = (y - mask.bounds.y) * mask.bounds.width + x - mask.bounds.x
            rows.append((mask.mask[index] if mask.mask is not None else 255) if inside else 0)
    return bytes(rows)
