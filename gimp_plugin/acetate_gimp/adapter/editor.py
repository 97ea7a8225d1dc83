"""`Editor` for GIMP 3.0 and 3.2. Every call belongs on the main loop: libgimp knows no threads."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gimp, GLib

from acetate_bridge.editing.editor import Document, Insertion, LayerInfo, Selection
from acetate_bridge.editing.thumbnails import stretched
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, PixelFormat
from adapter import documents
from adapter import insertion as inserting
from adapter import layers as stack
from adapter import metadata as keeping
from adapter import pixels as reading
from adapter import selection as selecting


class GimpEditor:
    """GIMP as the bridge sees it; keys are GIMP's own ids, which undo and redo keep.

    `attention` follows the painter from image to image; `only` holds it on one image instead,
    which is what scripts want.
    """

    def __init__(self, only: Gimp.Image | None = None) -> None:
        self.attention = documents.Attention()
        self._only = only

    @property
    def name(self) -> str:
        return f"GIMP {Gimp.version()}"

    def active_document(self) -> Document | None:
        image = self._only or self.attention.image()
        return documents.describe(image) if image is not None and image.is_valid() else None

    def documents(self) -> list[Document]:
        return [documents.describe(image) for image in self.attention.images]

    def layers(self, document: str) -> list[LayerInfo]:
        return [stack.describe(layer) for layer in stack.walk(stack.image_of(document))]

    def active_layer(self, document: str) -> LayerInfo | None:
        selected = stack.image_of(document).get_selected_layers()
        return stack.describe(selected[0]) if selected else None

    def selection(self, document: str) -> Selection | None:
        return selecting.selection_of(stack.image_of(document))

    def read_layer(
        self, document: str, layer: str, region: Rect, pixel_format: PixelFormat
    ) -> Image:
        found = stack.layer_of(stack.image_of(document), layer)
        return reading.read_drawable(found, region, pixel_format)

    def read_own(self, document: str, layer: str, region: Rect, pixel_format: PixelFormat) -> Image:
        found = stack.layer_of(stack.image_of(document), layer)
        return reading.read_drawable(found, region, pixel_format)

    def glance(self, document: str, layer: str | None, side: int) -> Image:
        image = stack.image_of(document)
        if layer is None:
            canvas = Rect(0, 0, image.get_width(), image.get_height())
            return stretched(reading.read_visible(image, canvas, "rgba8"), side)
        found = stack.layer_of(image, layer)
        return stretched(reading.read_drawable(found, stack.bounds_of(found), "rgba8"), side)

    def read_below(
        self,
        document: str,
        layer: str | None,
        region: Rect,
        pixel_format: PixelFormat,
        including: bool = False,
    ) -> Image:
        image = stack.image_of(document)
        if layer is None:
            return reading.read_visible(image, region, pixel_format)
        found = stack.layer_of(image, layer)
        return reading.read_below(image, found, region, pixel_format, including)

    def insert(self, document: str, insertion: Insertion) -> list[str]:
        image = stack.image_of(document)
        colour = documents.colour_of(image)
        if colour:
            raise ValueError(
                f"This image is {colour} and cannot keep the colours of a painted layer. "
                "Convert it to RGB first."
            )
        self.attention.excuse(image)
        return [stack.key_of(layer) for layer in inserting.insert(image, insertion)]

    def remove(self, document: str, layers: list[str], shows: tuple[str, ...] = ()) -> None:
        image = stack.image_of(document)
        self.attention.excuse(image)
        inserting.remove(image, layers)

    def choose(self, document: str, layer: str) -> None:
        image = stack.image_of(document)
        image.set_selected_layers([stack.layer_of(image, layer)])
        Gimp.displays_flush()

    def recipe(self, document: str, layer: str) -> str | None:
        found = stack.find(stack.image_of(document), layer)
        return keeping.read_recipe_text(found) if found is not None else None

    def note(self, document: str) -> bytes:
        return keeping.read_note(stack.image_of(document))

    def keep_note(self, document: str, data: bytes) -> None:
        image = stack.image_of(document)
        self.attention.excuse(image)
        keeping.write_note(image, data)

    def convert_to_colour(self, document: str) -> None:
        image = stack.image_of(document)
        if image.get_base_type() != Gimp.ImageBaseType.RGB:
            image.convert_rgb()
            Gimp.displays_flush()

    def busy(self) -> bool:
        """Never: GIMP takes a layer in the middle of a stroke and leaves the stroke whole."""
        return False

    def call_soon(self, action: Callable[[], None]) -> None:
        GLib.idle_add(_once, action, priority=GLib.PRIORITY_DEFAULT)

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        GLib.timeout_add(round(seconds * 1000), _once, action)


def _once(action: Callable[[], None]) -> bool:
    action()
    return False
