"""What the panel shows of a picture before it is in the document: a part of `view.PanelView`."""

from __future__ import annotations

from dataclasses import dataclass

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image


@dataclass(frozen=True)
class LiveView:
    """The live preview: whether it is `on` and can be, and why not.

    `sentence` says why nothing is shown, `painting` that a preview is on its way, and `can_keep`
    that one is shown, which `keep_live` puts into the document.
    """

    on: bool = False
    offered: bool = False
    why_not: str = ""
    sentence: str = ""
    painting: bool = False
    can_keep: bool = False


@dataclass(frozen=True)
class Placed:
    """A picture and the part of a document, in its pixels, over which it is stretched."""

    image: Image
    place: Rect


@dataclass(frozen=True)
class InPlaceView:
    """Pictures over a document that are not in it, listed from the top downwards.

    `job` has painted them. They are seen within `region` only, and through `mask` where there is
    one. `backdrop` is what lies behind them in `seen`, which holds the region: without it, that is
    the document as it is. `cover` is what lies above them there; None where nothing does.
    """

    document: str
    job: str
    region: Rect
    pictures: tuple[Placed, ...]
    mask: Selection | None
    seen: Rect
    backdrop: Image | None
    cover: Image | None = None
