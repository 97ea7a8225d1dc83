"""What an editor must be able to do for Acetate, whichever editor it is.

An adapter translates these few verbs into its host's own calls. Everything is called on the
host's GUI thread; pixels are straight-alpha sRGB (see `Image`), converted by the adapter from and
to the document's own colour model, depth and profile. Places are document pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from acetate_bridge.protocol.errors import AcetateError
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.types import Image, Layer, PixelFormat


class DocumentClosed(Exception):
    """The document is not open any more; what was meant for it can be offered elsewhere."""


class LayerGone(Exception):
    """The layer is not in its document any more."""


class Refusal(AcetateError, ValueError):
    """The document cannot take what was meant for it."""

    code = "document_refuses"


@dataclass(frozen=True)
class Document:
    """An open document as it stands now.

    `key` is stable as long as the document is open, though the panel be closed meanwhile, and is
    never another document's, of a later run either. `file` is where it is saved (empty: nowhere
    yet) and `mark` what it carries itself (empty: nothing, see `Editor.mark`): by these it is found
    again under another key, when it or the whole editor was closed. `lasting`: its layers then
    have the keys that they had. `deep` says that its samples hold more than
    eight bits. `colour` is the painter's word for a colour model that cannot keep
    a colour layer as it is ("grayscale", "indexed"), or empty; `can_convert` says that
    `convert_to_colour` can mend that.
    """

    key: str
    title: str
    size: Size
    deep: bool = False
    colour: str = ""
    can_convert: bool = False
    file: str = ""
    mark: str = ""
    lasting: bool = True

    @property
    def pixel_format(self) -> PixelFormat:
        """The wire format that loses nothing of this document's depth."""
        return "rgba16" if self.deep else "rgba8"


@dataclass(frozen=True)
class LayerInfo:
    """A layer or a group in the stack. `bounds` is None while nothing is painted on it.

    A layer that fills everything by itself (a fill layer) has the canvas as its bounds. `parent` is
    the key of the group that it lies in; empty at the top level. `moved` is how far it was moved:
    since it was inserted for a layer of Acetate's, and for any other only differences count;
    painting on a layer does not move it. `locked`: it or a group around it may not be changed.
    `mark` names it in the saved file, too (empty: its key does). `hidden`: it itself is;
    `hidden_in` names a hidden group around it. `dressed`: it carries masks, filters or styles.
    `derived`: its pixels are drawn from something else (a group's layers, a text, shapes).
    `part_of` is the layer that it is to become a part of (a floating selection), else empty.
    `shown_by` names a clone that shows its pixels as well, so that it has to stay for that.
    `clipped`: it is only seen where something else lies below it in its group.
    """

    key: str
    name: str
    bounds: Rect | None
    group: bool = False
    parent: str = ""
    moved: tuple[int, int] = (0, 0)
    locked: bool = False
    hidden: bool = False
    hidden_in: str = ""
    dressed: bool = False
    mark: str = ""
    derived: bool = False
    part_of: str = ""
    shown_by: str = ""
    clipped: bool = False

    @property
    def replaceable(self) -> bool:
        """Whether other pixels can take its place: what it says, or shows elsewhere, would go."""
        return not self.derived and not self.shown_by


@dataclass(frozen=True)
class Selection:
    """The selected part of a document: its bounds, and how strongly each pixel is selected.

    `mask` has one byte for each pixel of `bounds`, row by row; None when the selection is a plain
    rectangle that selects all of `bounds` fully.
    """

    bounds: Rect
    mask: bytes | None = field(default=None, repr=False)

    def takes_all_of(self, region: Rect) -> bool:
        """Whether each pixel of a region is fully selected."""
        if not self.bounds.contains(region):
            return False
        if self.mask is None:
            return True
        first = (region.y - self.bounds.y) * self.bounds.width + region.x - self.bounds.x
        starts = range(first, first + region.height * self.bounds.width, self.bounds.width)
        full = bytes((255,)) * region.width
        return all(self.mask[start : start + region.width] == full for start in starts)


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
    destroying a pixel.

    `replaces` names layers that leave in the same undo step: the first new layer takes the place
    of the first of them, and so on, in everything but pixels, recipe and name: spot in the
    stack, opacity, blending, visibility, locks, label, clipping, styles, masks and filters (then
    `place`, `group` and `mask` do not matter). Where one is gone, its layer goes to `place`, which
    may name a layer that leaves: then the new one that takes its place is meant.
    `hides` names the painter's layers that are hidden in the same undo step. `like` names one
    that the new layers stand for: they have its opacity, blending and clipping.
    """

    layers: tuple[Layer, ...]
    place: Place = Place()
    group: str = ""
    mask: Selection | None = None
    replaces: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    like: str = ""


class Editor(Protocol):
    """The host of the panel. Calls with a document raise DocumentClosed once it is closed.

    The painter's work is untouchable: no call removes, moves, adds again or changes a layer that
    Acetate did not make, but for `Insertion.hides` and `remove(shows=)`; none changes what is
    active or selected, but for `choose`.
    """

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
        """A layer or group as it is shown, transparent outside.

        Masks, filters and styles of its own and masks of the groups around it are applied; its
        opacity, its blending mode and what else lies in the stack are not, and a hidden layer is
        seen all the same. A layer without any of these gives its own pixels exactly, colour under
        alpha 0 included. Raises LayerGone.
        """
        ...

    def read_own(self, document: str, layer: str, region: Rect, pixel_format: PixelFormat) -> Image:
        """A layer's own pixels, whatever masks and filters make of them. Raises LayerGone."""
        ...

    def read_below(
        self,
        document: str,
        layer: str | None,
        region: Rect,
        pixel_format: PixelFormat,
        including: bool = False,
        without: tuple[str, ...] = (),
    ) -> Image:
        """What a painter sees of everything beneath a layer; of the whole stack for None.

        Opacity, blending modes, masks and visibility count. What lies inside the layer's own
        group but above it is left out, too. With `including` the layer itself is seen as well;
        `without` names layers and groups that are not, as if they were hidden.
        Transparent outside the canvas. Raises LayerGone.
        """
        ...

    def glance(self, document: str, layer: str | None, side: int) -> Image:
        """A small square `rgba8` picture of the canvas as it is seen, or of a layer's pixels.

        Stretched to `side` pixels each way (a layer: from its bounds). Cheap: it only tells
        whether something is still what it was. Raises LayerGone.
        """
        ...

    def insert(self, document: str, insertion: Insertion) -> list[str]:
        """Insert as one undo step, and return the keys of the new layers in the given order.

        The active layer, the selection and the tool stay as they are. Layers composite in sRGB,
        so that half-transparent pixels look as they were painted. Raises Refusal, and changes
        nothing, when the document's colour model cannot
        keep the layers, or when a layer to be replaced is locked.
        """
        ...

    def remove(self, document: str, layers: list[str], shows: tuple[str, ...] = ()) -> None:
        """Take these layers out, and no other, as one undo step.

        One that is gone already is left alone. `shows` names layers that `Insertion.hides` hid
        and that are to be seen again in the same step. Raises Refusal, and changes nothing, when
        one of the layers is locked, or has to stay for another one.
        """
        ...

    def choose(self, document: str, layer: str) -> None:
        """Make a layer the active one: only ever because the painter asked for it."""
        ...

    def recipe(self, document: str, layer: str) -> str | None:
        """The recipe stored with a layer, as JSON; None when it was not painted by Acetate."""
        ...

    def mark(self, document: str) -> str:
        """A word by which a document is known from now on, kept in it and saved with it.

        To leave it there is no undo step and does not count as a change of the document.
        """
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

    def busy(self, document: str) -> bool:
        """Whether a hand or a tool is in the middle of something that a layer there would end.

        A stroke, an unconfirmed transformation, a text that is typed, an open dialog. Raises
        nothing for a document that is closed.
        """
        ...

    def why_busy(self, document: str) -> str:
        """What lets a layer in while the document is `busy`, where that is more than to rest.

        A sentence for the painter; empty when there is nothing more to say. Raises nothing for a
        document that is closed.
        """
        ...

    def traces(self, document: str, anew: bool = False) -> object | None:
        """What differs after the painter has changed something there; cheap, to be compared.

        It may be what was seen a moment ago, unless it is to be looked at `anew`. None while a
        hand is down: a button, a pen, an open stroke. Raises DocumentClosed.
        """
        ...

    def call_soon(self, action: Callable[[], None]) -> None:
        """Run `action` on the GUI thread; the only method that any thread may call."""
        ...

    def call_later(self, seconds: float, action: Callable[[], None]) -> None:
        """Run `action` on the GUI thread after a while."""
        ...
