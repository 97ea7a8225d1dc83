"""`Editor` for Krita. Every call belongs on the GUI thread, as all of Krita's own do."""

from __future__ import annotations

import time
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
from acetate_krita.adapter.gui_thread import GuiThread
from acetate_krita.adapter.hand import is_busy
from acetate_krita.adapter.layer_box import Attention, LayerBox
from acetate_krita.adapter.settling import Settling
from acetate_krita.adapter.strokes import StrokeCount
from acetate_krita.adapter.undo import Deed, UndoChains
from acetate_krita.adapter.view_turns import ViewTurns

_LOOK_EVERY = 0.3


class KritaEditor:
    """Krita as the bridge sees it; layers go by the ids that Krita saves in the file.

    `is_leaving` says whether a window is about to go, so that Krita must not be asked much.
    """

    def __init__(self) -> None:
        self._krita = krita.Krita.instance()
        self._documents = documents.Documents(self._krita)
        self._thread = GuiThread()
        self._box = LayerBox(self._krita)
        self._settlings: dict[str, Settling] = {}
        self.strokes = StrokeCount()
        self.is_leaving: Callable[[], bool] = lambda: False
        self._seen: object = None
        self._traces: object = None
        self._look_again_at = 0.0
        self.undo_chains = UndoChains(self._documents, self._krita)
        self.view_turns = ViewTurns(self._krita, self._documents)

    @property
    def name(self) -> str:
        return f"Krita {self._krita.version()}"

    def active_document(self) -> Document | None:
        found = self._documents.active()
        return documents.describe(*found) if found else None

    def documents(self) -> list[Document]:
        return [documents.describe(*each) for each in self._documents.all().items()]

    def layers(self, document: str) -> list[LayerInfo]:
        found = self._find(document)
        shown_by = stack.clones(found)
        return [stack.describe(found, node, shown_by) for node in stack.walk(found.rootNode())]

    def active_layer(self, document: str) -> LayerInfo | None:
        found = self._find(document)
        settling = self._settlings.get(document)
        held = settling.active(found) if settling is not None else ""
        node = stack.find_any(found, held)
        node = node or self._documents.active_node(found)
        while node is not None and stack.is_mask(node):
            node = node.parentNode()
        if node is None or node.parentNode() is None:
            return None
        if settling is None:
            self.undo_chains.note_active(document, stack.key_of(node))
        return stack.describe(found, node, stack.clones(found))

    def standing(self, document: str) -> tuple[set[str], int]:
        """Acetate's own layers and groups in a document, and how many deeds of ours there were.

        Cheap enough to ask all the time. What was undone right away is as it was before.
        """
        chains = self.undo_chains
        return chains.present(document, self._find(document)), chains.deeds

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

    def read_own(self, document: str, layer: str, region: Rect, pixel_format: PixelFormat) -> Image:
        found = self._find(document)
        return reading.read_own(found, stack.layer_of(found, layer), region, pixel_format)

    def glance(self, document: str, layer: str | None, side: int) -> Image:
        found = self._find(document)
        node = stack.layer_of(found, layer) if layer is not None else None
        return reading.glance(found, node, side)

    def read_below(
        self,
        document: str,
        layer: str | None,
        region: Rect,
        pixel_format: PixelFormat,
        including: bool = False,
        without: tuple[str, ...] = (),
    ) -> Image:
        found = self._find(document)
        if layer is None and not without:
            return reading.read_visible(found, region, pixel_format)
        node = stack.layer_of(found, layer) if layer is not None else None
        return reading.read_below(found, node, region, pixel_format, including, without)

    def insert(self, document: str, insertion: Insertion) -> list[str]:
        found = self._find(document)
        attention = self._attention(document, found)
        self.view_turns.changed(document)
        deed = self.undo_chains.begin(document)
        inserted = inserting.insert(krita, found, insertion, deed.steps)
        keys = [stack.key_of(node) for node in inserted.nodes]
        recipes = {
            key: recipe_text(layer.recipe)
            for key, layer in zip(keys, insertion.layers)  # noqa: B905 (as many)
            if layer.recipe is not None
        }
        if recipes:
            keeping.write_recipes(found, recipes)
        replaced = list(insertion.replaces)
        if attention is not None and attention.active in replaced[: len(keys)]:
            attention.active, attention.current = keys[replaced.index(attention.active)], None
        self.undo_chains.replace(document, replaced, keys)
        self.undo_chains.hide(deed, found, keys, insertion.hides)
        new = [*inserted.nodes, *inserted.groups]
        self.undo_chains.know(document, [stack.key_of(node) for node in new])
        self._settle(deed, attention, inserted.to_the_bottom, new)
        return keys

    def remove(self, document: str, layers: list[str], shows: tuple[str, ...] = ()) -> None:
        found = self._find(document)
        self.view_turns.changed(document)
        deed = self.undo_chains.begin(document)
        inserting.remove(found, layers, deed.steps)
        self.undo_chains.forget(document, layers)
        self.undo_chains.show(deed, found, shows)
        self._settle(deed, None, [], [])

    def choose(self, document: str, layer: str) -> None:
        found = self._find(document)
        if settling := self._settlings.get(document):
            settling.turn_to(layer)
        found.setActiveNode(stack.layer_of(found, layer))
        self.undo_chains.note_active(document, layer)

    def recipe(self, document: str, layer: str) -> str | None:
        return keeping.recipe_of(self._find(document), layer)

    def mark(self, document: str) -> str:
        return keeping.mark(self._find(document))

    def note(self, document: str) -> bytes:
        return keeping.read_note(self._find(document))

    def keep_note(self, document: str, data: bytes) -> None:
        keeping.write_note(self._find(document), data)

    def convert_to_colour(self, document: str) -> None:
        found = self._find(document)
        if found.colorModel() != "RGBA":
            found.setColorSpace("RGBA", found.colorDepth(), SRGB)

    @property
    def known(self) -> documents.Documents:
        """Which documents are open, by their keys."""
        return self._documents

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be done after insertions, undo and redo."""
        return not self._settlings and self.undo_chains.settled

    def busy(self, document: str) -> bool:
        # Whichever it is: dialogs, keys and strokes are those of the document that is active.
        active = self._documents.active()
        return is_busy(self._krita, active[1] if active else None)

    def why_busy(self, document: str) -> str:
        return ""

    def traces(self, document: str, anew: bool = False) -> object | None:
        found = self._find(document)
        if self.strokes.down or self.is_leaving():
            return None
        seen, now = (document, self.strokes.count), time.monotonic()
        if anew or seen != self._seen or now > self._look_again_at:
            # Undo, the choice of a layer and what scripts do is noticed a little later.
            if not found.tryBarrierLock():
                return None
            found.unlock()
            self._seen, self._look_again_at = seen, now + _LOOK_EVERY
            self._traces = self._look(document)
        return seen, self._traces

    def _look(self, document: str) -> object:
        steps = self.undo_chains.position()
        return steps, self.active_layer(document), self.selection_bounds(document)

    def call_soon(self, action: Callable[[], None]) -> None:
        self._thread.soon(action)

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        self._thread.later(seconds, action)

    def _find(self, document: str) -> Any:
        return self._documents.find(document)

    def _attention(self, key: str, document: Any) -> Attention | None:
        """What the painter works on; None while they are in another document."""
        active = self._documents.active()
        if active is None or active[0] != key:
            return None
        held = self._settlings.get(key)
        found = self._box.attention(document)
        kept = held.active(document) if held is not None else ""
        if kept and kept != found.active:
            # Krita has turned to a layer of ours only just now.
            return Attention(kept)
        return found

    def _settle(
        self, deed: Deed, attention: Attention | None, to_the_bottom: list[Any], new: list[Any]
    ) -> None:
        """Do the rest when Krita's loop has turned."""

        def done() -> None:
            if self._settlings.get(deed.key) is settling:
                del self._settlings[deed.key]

        settling = Settling(
            self._documents,
            self._box,
            self.undo_chains,
            deed,
            attention,
            to_the_bottom,
            new,
            done,
        )
        self._settlings[deed.key] = settling
