"""What the contract suite needs of an editor beside its `Editor`: the painter's own hand.

A host does these things by the editor's own means and not through the adapter under test, so
that the two can be held against each other. Python 3.10 and no pytest: this runs inside editors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from acetate_bridge.editing.editor import Editor
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image

if TYPE_CHECKING:
    from tests.editors.stage import Stage


@dataclass(frozen=True)
class Kind:
    """A kind of document that the host can make.

    `profile` is in the host's own words; empty for its usual one. `off_by` is how far a sample
    may come back, of 255 (`rgba8`) or 65535 (`rgba16`): 0 means exactly; anything else is owed to
    the depth itself and says so in `because`. `keeps_colour` is False for grayscale and indexed
    documents whose adapter has to refuse a colour layer.
    """

    name: str
    depth: Literal["u8", "u16", "f16", "f32"] = "u8"
    colour: Literal["rgb", "gray", "indexed", "cmyk"] = "rgb"
    profile: str = ""
    linear: bool = False
    off_by8: int = 0
    off_by16: int = 0
    because: str = ""
    keeps_colour: bool = True

    @property
    def deep(self) -> bool:
        """Whether 16-bit pixels are asked of the server."""
        return self.depth != "u8"


@dataclass(frozen=True)
class Entry:
    """A layer as the host itself lists it: how many groups it lies in, and whether it is one."""

    name: str
    level: int = 0
    group: bool = False


class Host(Protocol):
    """An editor with hands. Keys of documents and layers are those that `editor` uses."""

    @property
    def editor(self) -> Editor:
        """The adapter under test."""
        ...

    @property
    def kinds(self) -> Sequence[Kind]:
        """Kinds of documents to be tested; the first is plain 8-bit sRGB."""
        ...

    def new_document(self, width: int, height: int, kind: Kind) -> str:
        """A new active document, without a layer if the host can; returns its key.

        A host that cannot has one empty layer in it, which `stack` leaves out.
        """
        ...

    def paint(
        self, document: str, name: str, image: Image, x: int, y: int, group: str | None = None
    ) -> str:
        """A new layer on top (of the group), exactly these sRGB pixels there, made active."""
        ...

    def make_group(self, document: str, name: str) -> str:
        """A new empty group on top."""
        ...

    def activate(self, document: str, layer: str) -> None:
        """Make a layer the active one."""
        ...

    def lock(self, document: str, layer: str, locked: bool) -> None:
        """Lock a layer against changes, or unlock it."""
        ...

    def select(self, document: str, region: Rect, feather: int = 0) -> None:
        """Select a rectangle, with soft edges if `feather` pixels are given."""
        ...

    def select_nothing(self, document: str) -> None:
        """No selection."""
        ...

    def stack(self, document: str) -> list[Entry]:
        """All layers from the top downwards, a group before its children."""
        ...

    def bounds(self, document: str, layer: str) -> Rect:
        """Where a layer's pixels lie."""
        ...

    def visible(self, document: str, region: Rect) -> Image:
        """What a painter sees (`rgba8`), transparent where nothing is."""
        ...

    def mixing(self, document: str, layer: str) -> object:
        """How a layer mixes with what is below it (opacity, blending, clipping), to be compared."""
        ...

    def mask(self, document: str, layer: str, region: Rect) -> bytes | None:
        """What a layer's mask lets through, a byte a pixel; None without a mask."""
        ...

    def undo(self, document: str) -> None:
        """Ctrl+Z."""
        ...

    def redo(self, document: str) -> None:
        """Ctrl+Shift+Z."""
        ...

    def reopen(self, document: str) -> str:
        """Save in the host's own format, close, open again; returns the new key."""
        ...

    def close(self, document: str) -> None:
        """Close without saving."""
        ...

    def settle(self) -> None:
        """Let the host do what it has put off (`call_soon`, redrawing)."""
        ...


class Zoo(Host, Protocol):
    """A host with stacks like a painter's, and eyes for all that is in them."""

    @property
    def zoo(self) -> Sequence[str]:
        """The stacks that it can build, by what is special about them."""
        ...

    def build(self, stack: str) -> str:
        """A new active document with that stack, something selected and a layer active."""
        ...

    def fingerprint(self, document: str, ours: frozenset[str]) -> dict[str, object]:
        """All that there is in a document but the layers and groups `ours`, to be compared.

        Each entry has a name: those of layers tell how a layer is, with order, place in the tree,
        attributes, masks, keyframes and a hash of the pixels; "active" and "selection" tell what
        these are, other entries whatever else the host has (guides, paths, channels …).
        """
        ...

    def hides(self, before: dict[str, object]) -> tuple[str, ...]:
        """The entries of a fingerprint that change when the active layer is hidden."""
        ...

    def open_panel(self) -> Stage:
        """A panel beside the active document."""
        ...
