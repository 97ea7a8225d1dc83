"""The images that are open, and which of them the painter works on.

GIMP does not tell a plug-in which image is in front, but the titles of its windows do. Where they
cannot be read, the image counts that the painter has chosen, until another one changes: then
nobody knows, and the painter is asked.
"""

from __future__ import annotations

import re

from gi.repository import Gimp

from acetate_bridge.editing.editor import Document
from acetate_bridge.protocol.geometry import Size
from adapter.layers import document_key
from adapter.metadata import mark_of
from adapter.windows import gimp_windows

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


def describe_image(image: Gimp.Image) -> Document:
    """An image in the words of the bridge."""
    colour = colour_of(image)
    file = image.get_file()
    return Document(
        document_key(image),
        # All that were never saved have one name; GIMP tells them apart by their number.
        image.get_name() if file is not None else f"{image.get_name()}-{image.get_id()}",
        Size(image.get_width(), image.get_height()),
        deep=image.get_precision() not in _SHALLOW,
        colour=colour,
        can_convert=bool(colour),
        file=file.get_uri() if file is not None else "",
        mark=mark_of(image),
        lasting=False,
    )


def colour_of(image: Gimp.Image) -> str:
    """The painter's word for a colour model without colours; empty for RGB."""
    return _WITHOUT_COLOUR.get(image.get_base_type(), "")


class Attention:
    """Knows in which image the painter is, or that nobody can know (`unsure`).

    `sees`: the screen tells, so that nobody has to be asked.
    """

    def __init__(self) -> None:
        self._chosen: int | None = None
        self._traces: dict[int, Traces] = {}
        self._excused: set[int] = set()
        self.unsure = False
        self.sees = False

    @property
    def images(self) -> list[Gimp.Image]:
        """All open images, in the order in which they were opened."""
        return sorted(Gimp.get_images(), key=lambda image: image.get_id())

    def turn_to(self, image: Gimp.Image) -> None:
        """The painter chose this image."""
        self._traces = {each.get_id(): traces(each) for each in self.images}
        self._chosen, self.unsure = image.get_id(), False

    def excuse(self, image: Gimp.Image) -> None:
        """What has changed there until the next look was not the painter's hand."""
        self._excused.add(image.get_id())

    def image(self) -> Gimp.Image | None:
        """The image that the painter works on; None without one, and while it is `unsure`."""
        images = self.images
        titles = [each.title for each in gimp_windows() or []]
        self.sees = bool(titles)
        if self.sees:
            self.unsure = False
            return in_front(images, titles)
        return self._guess({image.get_id(): image for image in images})

    def _guess(self, images: dict[int, Gimp.Image]) -> Gimp.Image | None:
        """The one that was chosen, as long as nothing speaks for another."""
        before, self._traces = self._traces, {key: traces(each) for key, each in images.items()}
        excused, self._excused = self._excused, set()
        if len(images) < 2:
            self._chosen, self.unsure = next(iter(images), None), False
            return next(iter(images.values()), None)
        touched = [
            key
            for key, now in self._traces.items()
            if key != self._chosen and key not in excused and now != before.get(key)
        ]
        if touched or self._chosen not in images:
            self.unsure = True
        return None if self.unsure or self._chosen is None else images[self._chosen]


def in_front(images: list[Gimp.Image], titles: list[str]) -> Gimp.Image | None:
    """The image of the topmost window that shows one: "name-7.0 (RGB …)" shows image 7."""
    named = {f"{image.get_name()}-{image.get_id()}.": image for image in images}
    numbered = {str(image.get_id()): image for image in images}
    for title in titles:
        for words, image in named.items():
            if words in title:
                return image
        for number in re.findall(r"-(\d+)\.\d+(?!\S)", title):
            if number in numbered:
                return numbered[number]
    # The painter may have given the titles another form.
    for title in titles:
        shown = [image for image in images if image.get_name() in title]
        if len(shown) == 1:
            return shown[0]
    return None


def traces(image: Gimp.Image) -> Traces:
    """What a painter's hand changes first, cheap to ask for."""
    return (
        image.is_dirty(),
        [layer.get_id() for layer in image.get_selected_layers()],
        [channel.get_id() for channel in image.get_selected_channels()],
        len(image.get_layers()),
        list(Gimp.Selection.bounds(image))[1:],
    )
