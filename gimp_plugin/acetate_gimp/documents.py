"""The images that are open, and which of them the painter works on.

GIMP does not tell a plug-in which image is in front. The one that a menu was opened on, or that
the painter chose in the panel, is taken, and then whichever changes.
"""

from __future__ import annotations

from gi.repository import Gimp

from acetate_bridge.editor import Document
from acetate_bridge.geometry import Size
from stack import key_of

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
    colour = _WITHOUT_COLOUR.get(image.get_base_type(), "")
    return Document(
        key_of(image),
        image.get_name(),
        Size(image.get_width(), image.get_height()),
        deep=image.get_precision() not in _SHALLOW,
        colour=colour,
        can_convert=bool(colour),
    )


class Attention:
    """Follows the painter from image to image."""

    def __init__(self) -> None:
        self._current: Gimp.Image | None = None
        self._traces: dict[int, Traces] = {}

    @property
    def images(self) -> list[Gimp.Image]:
        """All open images, in the order in which they were opened."""
        return sorted(Gimp.get_images(), key=lambda image: image.get_id())

    def turn_to(self, image: Gimp.Image) -> None:
        """The painter chose this image."""
        self._current = image
        self._traces = {each.get_id(): traces(each) for each in self.images}

    def image(self) -> Gimp.Image | None:
        """The image that the painter works on."""
        images = self.images
        if not images:
            self._current = None
            return None
        ids = {image.get_id() for image in images}
        if self._current is not None and self._current.get_id() not in ids:
            self._current = None
        if len(images) == 1:
            self._current = images[0]
            return images[0]
        now = {image.get_id(): traces(image) for image in images}
        touched = [each for each in images if now[each.get_id()] != self._before(each)]
        self._traces = now
        if touched and self._current not in touched:
            self._current = touched[-1]
        elif self._current is None:
            self._current = images[-1]
        return self._current

    def _before(self, image: Gimp.Image) -> Traces | None:
        return self._traces.get(image.get_id())


def traces(image: Gimp.Image) -> Traces:
    """What a painter's hand changes first, cheap to ask for."""
    return (
        image.is_dirty(),
        [layer.get_id() for layer in image.get_selected_layers()],
        len(image.get_layers()),
        list(Gimp.Selection.bounds(image))[1:],
    )
