"""`Editor` for GIMP 3.0 and 3.2. Every call belongs on the main loop: libgimp knows no threads."""

from __future__ import annotations

import time
from collections.abc import Callable

from gi.repository import Gimp, GLib

from acetate_bridge.editing.editor import (
    Document,
    Insertion,
    LayerInfo,
    Refusal,
    Selection,
)
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, PixelFormat
from adapter.closing import described, of_an_open_image
from adapter.documents import Attention, colour_of, traces
from adapter.hand import Hand
from adapter.insertion import insert_layers, remove_layers
from adapter.layers import (
    describe_layer,
    filter_words,
    find,
    image_of,
    is_open,
    key_of,
    layer_of,
    path_of,
    walk,
)
from adapter.metadata import mark, read_note, read_recipe_text, write_note
from adapter.pixels import check_sum, look_at, read_below, read_drawable, read_shown, read_visible
from adapter.selection import selection_of
from adapter.windows import button_is_down

_LOOK_EVERY = 0.25


class GimpEditor:
    """GIMP as the bridge sees it; keys are GIMP's own ids, which undo and redo keep.

    `attention` follows the painter from image to image, `hand` knows when it rests; `only` holds
    the editor on one image instead, and waits for nobody, which is what scripts want.
    """

    def __init__(self, only: Gimp.Image | None = None) -> None:
        self.attention = Attention()
        self.hand = Hand()
        self._only = only
        self._traces: tuple[str, object] = ("", None)
        self._look_again_at = 0.0
        # How often layers came or went by our hand; an undo leaves it as it is.
        self.deeds = 0

    @property
    def name(self) -> str:
        return f"GIMP {Gimp.version()}"

    def active_document(self) -> Document | None:
        image = self._only or self.attention.image()
        return described(image) if image is not None else None

    def documents(self) -> list[Document]:
        found = [described(image) for image in self.attention.images]
        return [document for document in found if document is not None]

    @of_an_open_image
    def layers(self, document: str) -> list[LayerInfo]:
        return [describe_layer(layer) for layer in walk(image_of(document))]

    @of_an_open_image
    def active_layer(self, document: str) -> LayerInfo | None:
        image = image_of(document)
        selected = image.get_selected_layers()
        # GIMP lists several in the order in which they were chosen.
        topmost = min(selected, key=lambda layer: path_of(image, layer), default=None)
        return describe_layer(topmost) if topmost is not None else None

    @of_an_open_image
    def selection(self, document: str) -> Selection | None:
        return selection_of(image_of(document))

    @of_an_open_image
    def read_layer(
        self, document: str, layer: str, region: Rect, pixel_format: PixelFormat
    ) -> Image:
        image = image_of(document)
        return read_shown(image, layer_of(image, layer), region, pixel_format)

    @of_an_open_image
    def read_own(self, document: str, layer: str, region: Rect, pixel_format: PixelFormat) -> Image:
        found = layer_of(image_of(document), layer)
        return read_drawable(found, region, pixel_format)

    @of_an_open_image
    def glance(self, document: str, layer: str | None, side: int) -> Image:
        image = image_of(document)
        found = layer_of(image, layer) if layer is not None else None
        return look_at(image, found, side)

    @of_an_open_image
    def read_below(
        self,
        document: str,
        layer: str | None,
        region: Rect,
        pixel_format: PixelFormat,
        including: bool = False,
        without: tuple[str, ...] = (),
    ) -> Image:
        image = image_of(document)
        if layer is None and not without:
            return read_visible(image, region, pixel_format)
        found = layer_of(image, layer) if layer is not None else None
        hidden = [each for key in without if (each := find(image, key)) is not None]
        return read_below(image, found, region, pixel_format, including, hidden)

    @of_an_open_image
    def insert(self, document: str, insertion: Insertion) -> list[str]:
        image = image_of(document)
        colour = colour_of(image)
        if colour:
            raise Refusal(
                f"This image is {colour} and cannot keep the colours of a painted layer. "
                "Convert it to RGB first."
            )
        self.attention.excuse(image)
        self.deeds += 1
        inserted = insert_layers(image, insertion)
        # The repainted layer, and what is hidden though the painter wanted the layer to come now.
        self.hand.has_hidden(image.get_selected_layers())
        return [key_of(layer) for layer in inserted]

    @of_an_open_image
    def remove(self, document: str, layers: list[str], shows: tuple[str, ...] = ()) -> None:
        image = image_of(document)
        self.attention.excuse(image)
        self.deeds += 1
        remove_layers(image, layers, shows)

    @of_an_open_image
    def choose(self, document: str, layer: str) -> None:
        image = image_of(document)
        self.attention.excuse(image)
        image.set_selected_layers([layer_of(image, layer)])
        Gimp.displays_flush()

    @of_an_open_image
    def recipe(self, document: str, layer: str) -> str | None:
        found = find(image_of(document), layer)
        return read_recipe_text(found) if found is not None else None

    @of_an_open_image
    def mark(self, document: str) -> str:
        return mark(image_of(document))

    @of_an_open_image
    def note(self, document: str) -> bytes:
        return read_note(image_of(document))

    @of_an_open_image
    def keep_note(self, document: str, data: bytes) -> None:
        image = image_of(document)
        self.attention.excuse(image)
        write_note(image, data)

    @of_an_open_image
    def convert_to_colour(self, document: str) -> None:
        image = image_of(document)
        if image.get_base_type() != Gimp.ImageBaseType.RGB:
            image.convert_rgb()
            Gimp.displays_flush()

    def busy(self, document: str) -> bool:
        if self._only is not None or not is_open(document):
            return False
        image = image_of(document)
        return self.hand.is_busy(image, in_front=image == self.attention.image())

    def why_busy(self, document: str) -> str:
        if self._only is not None or not is_open(document):
            return ""
        return self.hand.why_busy(image_of(document))

    @of_an_open_image
    def traces(self, document: str, anew: bool = False) -> object | None:
        image = image_of(document)
        if button_is_down() or image.get_floating_sel() is not None:
            return None
        now = time.monotonic()
        if anew or document != self._traces[0] or now > self._look_again_at:
            self._look_again_at = now + _LOOK_EVERY
            layers = image.get_selected_layers()
            places = [list(layer.get_offsets()) for layer in layers]
            # Of another shape a selection may lie in the same bounds.
            clips = [layer.get_mask() for layer in layers]
            if not Gimp.Selection.is_empty(image):
                clips.append(image.get_selection())
            sums = [check_sum(each) for each in (*layers, *clips) if each is not None]
            # A layer is read as its filters show it, and these change none of its own pixels.
            effects = [[filter_words(one) for one in each.get_filters()] for each in layers]
            self._traces = document, (traces(image)[1:], places, sums, effects)
        return self._traces

    def call_soon(self, action: Callable[[], None]) -> None:
        GLib.idle_add(_once, action, priority=GLib.PRIORITY_DEFAULT)

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        GLib.timeout_add(round(seconds * 1000), _once, action)


def _once(action: Callable[[], None]) -> bool:
    action()
    return False
