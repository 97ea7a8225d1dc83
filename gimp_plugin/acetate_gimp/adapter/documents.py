"""The images that are open, and which of them the painter works on.

GIMP does not tell a plug-in which image is in front. The one that a menu was opened on, or that
the painter chose in the panel, is taken, and then whichever changes.
"""

from __future__ import annotations

from gi.repository import Gimp

from acetate_bridge.editing.editor import Document
from acetate_bridge.protocol.geometry import Size
from adapter.layers import key_of

_SHALLOW = (
    Gimp.Precision.U8_LINEAR,
    Gimp.Precision.U8_NON_LINEAR,
    Gimp.Precision.U8_PERCEPTUAL,
)
_WITHOUT_COLOUR = {
    Gimp.ImageBaseType.GRAY: "grayscale",
    Gimp.ImageBaseType.INDEXED: "indexed",
}

Traces = tuple[object, ...]


def describe(image: Gimp.Image) -> Document:
    """An image in the words of the bridge."""
    colour = colour_of(image)
    return Document(
        key_of(image),
        image.get_name(),
        Size(image.get_width(), image.get_height()),
        deep=image.get_precision() not in _SHALLOW,
        colour=colour,
        can_convert=bool(colour),
    )


def colour_of(image: Gimp.Image) -> str:
    """The painter's word for a colour model without colours; empty for RGB."""
    return _WITHOUT_COLOUR.get(image.get_base_type(), "")


class Attention:
    """Follows the painter from image to image, and back when one of them is closed."""

    def __init__(self) -> None:
        self._recent: list[int] = []
        self._traces: dict[int, Traces] = {}
        self._excused: set[int] = set()

    @property
    def images(self) -> list[Gimp.Image]:
        """All open images, in the order in which they were opened."""
        return sorted(Gimp.get_images(), key=lambda image: image.get_id())

    def turn_to(self, image: Gimp.Image) -> None:
        """The painter chose this image."""
        self._traces = {each.get_id(): traces(each) for each in self.images}
        self._turn(image.get_id())

    def excuse(self, image: Gimp.Image) -> None:
        """What has changed there until the next look was not the painter's hand."""
        self._excused.add(image.get_id())

    def image(self) -> Gimp.Image | None:
        """The image that the painter works on."""
        images = {image.get_id(): image for image in self.images}
        before, self._traces = self._traces, {key: traces(each) for key, each in images.items()}
        excused, self._excused = self._excused, set()
        known = [key for key in self._recent if key in images]
        self._recent = [key for key in images if key not in known] + known
        arrived = [key for key in images if key not in before]
        touched = [
            key
            for key, now in self._traces.items()
            if key not in excused and now != before.get(key)
        ]
        if arrived:
            self._turn(arrived[-1])
        elif touched and self._recent[-1] not in touched:
            self._turn(touched[-1])
        return images[self._recent[-1]] if images else None

    def _turn(self, key: int) -> None:
        """The last of `recent` is the one that the painter works on."""
        self._recent = [each for each in self._recent if each != key] + [key]


def traces(image: Gimp.Image) -> Traces:
    """What a painter's hand changes first, cheap to ask for."""
    return (
        image.is_dirty(),
        [layer.get_id() for layer in image.get_selected_layers()],
        len(image.get_layers()),
        list(Gimp.Selection.bounds(image))[1:],
    )
