"""An editor in memory with layers, groups, masks, undo and a selection: fulfils the contract."""

from __future__ import annotations

import copy
import itertools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from acetate_bridge.editing.editor import (
    Document,
    DocumentClosed,
    Insertion,
    LayerGone,
    LayerInfo,
    Refusal,
    Selection,
)
from acetate_bridge.editing.recipes import recipe_text
from acetate_bridge.editing.thumbnails import stretched
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.types import Image, PixelFormat
from tests.editors.host import Entry, Kind
from tests.editors.memory_stack import (
    Node,
    around,
    beneath,
    beside,
    clear,
    describe,
    filtered,
    seen,
    strengths,
    take_out,
    take_over,
    walk,
)
from tests.editors.pixels import converted, cut, over

PLAIN = Kind("8-bit sRGB")
KINDS = (
    PLAIN,
    Kind("16-bit sRGB", "u16"),
    Kind("grayscale", colour="gray", keeps_colour=False),
)


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
    mark: str = ""
    past: list[list[Node]] = field(default_factory=list[list[Node]])
    future: list[list[Node]] = field(default_factory=list[list[Node]])

    def step(self) -> None:
        """What follows is one undo step."""
        self.past.append(copy.deepcopy(self.nodes))
        self.future.clear()


class MemoryEditor:
    """Fulfils `Editor`; `painting` is a hand at work, `later` what was put off.

    Unless it is `lasting`, the layers of a document that is opened again get keys anew; `why`
    tells what a hand waits for.
    """

    def __init__(self, name: str = "Memory 1.0") -> None:
        self._name = name
        self.sheets: dict[str, Sheet] = {}
        self.active = ""
        self.painting, self.lasting = False, True
        self.why = ""
        self.soon: list[Callable[[], None]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        self._keys, self._run = itertools.count(1), uuid.uuid4().hex[:8]

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
        nodes = self.sheet(document).nodes
        return [
            describe(node, parent, around(nodes, node.key) or []) for node, parent, _ in walk(nodes)
        ]

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
        groups = around(self.sheet(document).nodes, layer) or []
        masks = [each.mask for each in (node, *groups) if each.mask is not None]
        image = self.read_own(document, layer, region, pixel_format)
        if not masks and not node.filters:
            return image
        data = filtered(converted(image, "rgba8").data, node.filters)
        for mask in masks:
            data = over(data, bytes(len(data)), strengths(mask, region))
        return converted(Image(region.width, region.height, data), pixel_format)

    def read_own(self, document: str, layer: str, region: Rect, pixel_format: PixelFormat) -> Image:
        node = self.node(document, layer)
        if node.children is not None:
            return seen(node.children, region, pixel_format)
        if node.pixels is None or node.bounds is None:
            return clear(region, pixel_format)
        return cut(converted(node.pixels, pixel_format), node.bounds, region)

    def read_below(
        self,
        document: str,
        layer: str | None,
        region: Rect,
        pixel_format: PixelFormat,
        including: bool = False,
        without: tuple[str, ...] = (),
    ) -> Image:
        sheet = self.sheet(document)
        nodes = copy.deepcopy(sheet.nodes) if without else sheet.nodes
        for node, _, _ in walk(nodes):
            if node.key in without:
                node.visible = False
        if layer is not None:
            self.node(document, layer)
            nodes = beneath(nodes, layer, including) or []
        canvas = Rect(0, 0, sheet.size.width, sheet.size.height)
        inside = canvas.common(region)
        if inside is None:
            return clear(region, pixel_format)
        return cut(seen(nodes, inside, pixel_format), inside, region)

    def glance(self, document: str, layer: str | None, side: int) -> Image:
        size = self.sheet(document).size
        canvas = Rect(0, 0, size.width, size.height)
        if layer is None:
            return stretched(self.read_below(document, None, canvas, "rgba8"), side)
        bounds = self.node(document, layer).bounds
        if bounds is None:
            return Image(side, side, bytes(4 * side * side))
        return stretched(self.read_own(document, layer, bounds, "rgba8"), side)

    def insert(self, document: str, insertion: Insertion) -> list[str]:
        sheet = self.sheet(document)
        if not sheet.kind.keeps_colour:
            raise Refusal("This image is grayscale: convert it to RGB to keep the colours.")
        leaving = self._leaving(document, insertion.replaces)
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
        if insertion.like:
            like = self.node(document, insertion.like)
            for node in new:
                node.opacity, node.blending = like.opacity, like.blending
                node.clipped = like.clipped
        for old, node in zip(leaving, list(new)):  # noqa: B905 (they may be fewer)
            if old is not None:
                take_over(sheet.nodes, old, node)
                new.remove(node)
                if sheet.active == old.key:
                    sheet.active = node.key
        for old in leaving[len(keys) :]:
            if old is not None:
                take_out(sheet.nodes, old.key)
        if new and insertion.group and not any(leaving):
            new = [Node(self._key("group"), insertion.group, children=new)]
        heirs = dict(zip(insertion.replaces, keys))  # noqa: B905 (they may be fewer)
        near = insertion.place.layer or ""
        if any(old is not None and old.key == near for old in leaving):
            near = heirs.get(near, near)
        siblings, index = beside(sheet.nodes, replace(insertion.place, layer=near or None))
        siblings[index:index] = new
        for key in insertion.hides:
            self._show(document, key, False)
        return keys

    def remove(self, document: str, layers: list[str], shows: tuple[str, ...] = ()) -> None:
        sheet = self.sheet(document)
        self._leaving(document, layers)
        sheet.step()
        for key in layers:
            take_out(sheet.nodes, key)
        for key in shows:
            self._show(document, key, True)

    def choose(self, document: str, layer: str) -> None:
        self.sheet(document).active = self.node(document, layer).key

    def recipe(self, document: str, layer: str) -> str | None:
        self.sheet(document)
        try:
            return self.node(document, layer).recipe
        except LayerGone:
            return None

    def mark(self, document: str) -> str:
        sheet = self.sheet(document)
        sheet.mark = sheet.mark or uuid.uuid4().hex
        return sheet.mark

    def note(self, document: str) -> bytes:
        return self.sheet(document).kept

    def keep_note(self, document: str, data: bytes) -> None:
        self.sheet(document).kept = data

    def convert_to_colour(self, document: str) -> None:
        self.sheet(document).kind = PLAIN

    def busy(self, document: str) -> bool:
        return self.painting

    def why_busy(self, document: str) -> str:
        return self.why if self.painting else ""

    def traces(self, document: str, anew: bool = False) -> object | None:
        sheet = self.sheet(document)
        if self.painting:
            return None
        nodes = [(node.key, node.pixels, node.visible) for node, _, _ in walk(sheet.nodes)]
        return nodes, sheet.active, sheet.selected

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
        if not self.lasting:
            for number, (node, _, _) in enumerate(walk(old.nodes)):
                # As numbers are: those of others by then.
                then, node.mark = node.key, node.mark or node.key
                node.key = f"numbered-{number}"
                if then == old.active:
                    self.sheets[key].active = node.key
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
            for node, _, level in walk(self.sheet(document).nodes)
        ]

    def sheet(self, document: str) -> Sheet:
        if document not in self.sheets:
            raise DocumentClosed
        return self.sheets[document]

    def node(self, document: str, key: str) -> Node:
        for node, _, _ in walk(self.sheet(document).nodes):
            if node.key == key:
                return node
        raise LayerGone

    def _describe(self, sheet: Sheet) -> Document:
        colour = "" if sheet.kind.keeps_colour else "grayscale"
        return Document(
            sheet.key,
            sheet.title,
            sheet.size,
            sheet.kind.deep,
            colour,
            bool(colour),
            mark=sheet.mark,
            lasting=self.lasting,
        )

    def _key(self, what: str) -> str:
        return f"{what}-{self._run}-{next(self._keys)}"

    def _leaving(self, document: str, keys: Sequence[str]) -> list[Node | None]:
        """The layers that are to go, None for one that is gone; raises Refusal."""
        found: list[Node | None] = []
        for key in keys:
            try:
                node = self.node(document, key)
            except LayerGone:
                found.append(None)
                continue
            if node.locked:
                raise Refusal(f"“{node.name}” is locked: unlock it first.")
            found.append(node)
        return found

    def _show(self, document: str, key: str, visible: bool) -> None:
        try:
            self.node(document, key).visible = visible
        except LayerGone:
            return
