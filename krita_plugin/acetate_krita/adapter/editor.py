"""`Editor` for Krita. Every call belongs on the GUI thread, as all of Krita's own do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import krita
from acetate_bridge.editing.editor import Document, Insertion, LayerInfo, Selection
from acetate_bridge.editing.recipes import recipe_text
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, PixelFormat
from acetate_krita.adapter import documents
from acetate_krita.adapter import insertion as inserting
from acetate_krita.adapter import layers as stack
from acetate_krita.adapter import metadata as keeping
from acetate_krita.adapter import pixels as reading
from acetate_krita.adapter import selection as selecting
from acetate_krita.adapter.colour import SRGB
from acetate_krita.adapter.gui_thread import GuiThread, hand_is_painting
from acetate_krita.adapter.undo import UndoChains


class KritaEditor:
    """Krita as the bridge sees it; layers go by the ids that Krita saves in the file."""

    def __init__(self) -> None:
        self._krita = krita.Krita.instance()
        self._documents = documents.Documents(self._krita)
        self._thread = GuiThread()
        self._chosen: tuple[str, str] | None = None
        self.undo_chains = UndoChains(self._documents)

    @property
    def name(self) -> str:
        return f"Krita {self._krita.version()}"

    def active_document(self) -> Document | None:
        found = self._documents.active()
        return documents.describe(*found) if found else None

    def documents(self) -> list[Document]:
        return [documents.describe(*each) for each in self._documents.all().items()]

    def layers(self, document: str) -> list[LayerInfo]:
        return [stack.describe(node) for node in stack.walk(self._find(document).rootNode())]

    def active_layer(self, document: str) -> LayerInfo | None:
        found = self._find(document)
        node = None
        if self._chosen is not None and self._chosen[0] == document:
            node = stack.find(found, self._chosen[1])
        node = node or found.activeNode()
        while node is not None and stack.is_mask(node):
            node = node.parentNode()
        if node is None or node.parentNode() is None:
            return None
        return stack.describe(node)

    def selection(self, document: str) -> Selection | None:
        return selecting.selection_of(self._find(document))

    def selection_bounds(self, document: str) -> Rect | None:
        """Where the selection lies, without reading it: cheap enough to ask all the time."""
        return selecting.bounds_of(self._find(document))

    def read_layer(
        self, document: str, layer: str, region: Rect, pixel_format: PixelFormat
    ) -> Image:
        found = self._find(document)
        return reading.read_layer(found, stack.layer_of(found, layer), region, pixel_format)

    def read_below(
        self,
        document: str,
        layer: str | None,
        region: Rect,
        pixel_format: PixelFormat,
        including: bool = False,
    ) -> Image:
        found = self._find(document)
        if layer is None:
            return reading.read_visible(found, region, pixel_format)
        node = stack.layer_of(found, layer)
        return reading.read_below(found, node, region, pixel_format, including)

    def insert(self, document: str, insertion: Insertion) -> list[str]:
        found = self._find(document)
        with self.undo_chains.deed(document, found) as steps:
            nodes = inserting.insert(krita, found, insertion, steps)
        keys = [stack.key_of(node) for node in nodes]
        recipes = {
            key: recipe_text(layer.recipe)
            for key, layer in zip(keys, insertion.layers)  # noqa: B905 (Python 3.8 knows no strict)
            if layer.recipe is not None
        }
        if recipes:
            keeping.write_recipes(found, recipes)
        if nodes:
            self._choose(document, found, nodes[0])
        return keys

    def remove(self, document: str, layers: list[str]) -> None:
        found = self._find(document)
        with self.undo_chains.deed(document, found) as steps:
            inserting.remove(found, layers, steps)

    def recipe(self, document: str, layer: str) -> str | None:
        return keeping.recipe_of(self._find(document), layer)

    def note(self, document: str) -> bytes:
        return keeping.read_note(self._find(document))

    def keep_note(self, document: str, data: bytes) -> None:
        keeping.write_note(self._find(document), data)

    def convert_to_colour(self, document: str) -> None:
        found = self._find(document)
        if found.colorModel() != "RGBA":
            found.setColorSpace("RGBA", found.colorDepth(), SRGB)

    def busy(self) -> bool:
        active = self._documents.active()
        return hand_is_painting(active[1] if active else None)

    def call_soon(self, action: Callable[[], None]) -> None:
        self._thread.soon(action)

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        self._thread.later(seconds, action)

    def _find(self, document: str) -> Any:
        return self._documents.find(document)

    def _choose(self, key: str, document: Any, node: Any) -> None:
        """Make a layer the active one, once Krita's loop has turned and its docker knows it."""
        chosen = self._chosen = (key, stack.key_of(node))

        def settle() -> None:
            if self._chosen == chosen:
                self._chosen = None
                if node.parentNode() is not None:
                    document.setActiveNode(node)

        self._thread.soon(settle)
