"""What an editor must be able to do for Acetate, whichever editor it is.

An adapter translates these few verbs into its host's own calls. Everything is called on the
host's GUI thread; pixels are straight-alpha sRGB (see `Image`), converted by the adapter from and
to the document's own colour model, depth and profile. Places are document pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.types import Image, Layer, PixelFormat


class DocumentClosed(Exception):
    """The document is not open any more; what was meant for it can be offered elsewhere."""


class LayerGone(Exception):
    """The layer is not in its document any more."""


@dataclass(frozen=True)
class Document:
    """An open document as it stands now.

    `key` is stable as long as the document is open. `deep` says that its samples hold more than
    eight bits. `colour` is the painter's word for a colour model that cannot keep a colour layer
    as it is ("grayscale", "indexed"), or empty; `can_convert` says that `convert_to_colour` can
    mend that.
    """

    key: str
    title: str
    size: Size
    deep: bool = False
    colour: str = ""
    can_convert: bool = False

    @property
    def pixel_format(self) -> PixelFormat:
        """The wire format that loses nothing of this document's depth."""
        return "rgba16" if self.deep else "rgba8"


@dataclass(frozen=True)
class LayerInfo:
    """A layer or a group in the stack. `bounds` is None while nothing is painted on it.

    `parent` is the key of the group that it lies in; empty at the top level.
    """

    key: str
    name: str
    bounds: Rect | None
    group: bool = False
    parent: str = ""


@dataclass(frozen=True)
class Selection:
    """The selected part of a document: its bounds, and how strongly each pixel is selected.

    `mask` has one byte for each pixel of `bounds`, row by row; None when the selection is a plain
    rectangle that selects all of `bounds` fully.
    """

    bounds: Rect
    mask: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Place:
    """Where in the stack something goes: above or directly below a layer.

    Without a layer, or when that layer is gone: the top of the stack (`below`: its bottom).
    """

    layer: str | None = None
    below: bool = False


@dataclass(frozen=True)
class Insertion:
    """Layers to put into a document as one undo step.

    `layers` are listed from the top of the stack downwards; each carries its offset and its
    recipe. A `group` names a new group that takes them all. `mask` clips every layer without
    destroying a pixel. `replaces` names layers that leave in the same undo step, whose place the
    new ones take (then `place` does not matter).
    """

    layers: tuple[Layer, ...]
    place: Place = Place()
    group: str = ""
    mask: Selection | None = None
    replaces: tuple[str, ...] = ()


class Editor(Protocol):
    """The host of the panel. Calls with a document raise DocumentClosed once it is closed."""

    @property
    def name(self) -> str:
        """The host and its version, as "GIMP 3.0.4"."""
        ...

    def active_document(self) -> Document | None:
        """The document that the painter looks at."""
        ...

    def documents(self) -> list[Document]:
        """All open documents."""
        ...

    def layers(self, document: str) -> list[LayerInfo]:
        """All layers and groups from the top downwards, a group before its children."""
        ...

    def active_layer(self, document: str) -> LayerInfo | None:
        """The layer that the painter works on (the topmost, when there are several)."""
        ...

    def selection(self, document: str) -> Selection | None:
        """What is selected; None when nothing is."""
        ...

    def read_layer(
        self, document: str, layer: str, region: Rect, pixel_format: PixelFormat
    ) -> Image:
        """A layer's (or group's) own pixels, colour under alpha 0 included, transparent outside.

        The layer's opacity, blending mode and masks are not applied. Raises LayerGone.
        """
        ...

    def read_below(
        self,
        document: str,
        layer: str | None,
        region: Rect,
        pixel_format: PixelFormat,
        including: bool = False,
    ) -> Image:
        """What a painter sees of everything beneath a layer; of the whole stack for None.

        Opacity, blending modes, masks and visibility count. What lies inside the layer's own
        group but above it is left out, too. With `including` the layer itself is seen as well.
        Transparent outside the canvas. Raises LayerGone.
        """
        ...

    def insert(self, document: str, insertion: Insertion) -> list[str]:
        """Insert as one undo step, and return the keys of the new layers in the given order.

        The first new layer becomes the active one. Layers composite in sRGB, so that
        half-transparent pixels look as they were painted. Raises ValueError, with a sentence for
        the painter, when the document's colour model cannot keep the layers.
        """
        ...

    def remove(self, document: str, layers: list[str]) -> None:
        """Take layers out as one undo step; one that is gone already is left alone."""
        ...

    def recipe(self, document: str, layer: str) -> str | None:
        """The recipe stored with a layer, as JSON; None when it was not painted by Acetate."""
        ...

    def note(self, document: str) -> bytes:
        """What `keep_note` stored in the document; empty when nothing was."""
        ...

    def keep_note(self, document: str, data: bytes) -> None:
        """Store bytes in the document, saved with it and outside its undo history."""
        ...

    def convert_to_colour(self, document: str) -> None:
        """Convert the document to RGB, only ever when the painter asked for it."""
        ...

    def busy(self) -> bool:
        """Whether a hand is painting right now: then nothing may be inserted yet."""
        ...

    def call_soon(self, action: Callable[[], None]) -> None:
        """Run `action` on the GUI thread; the only method that any thread may call."""
        ...

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        """Run `action` on the GUI thread after a while."""
        ...
