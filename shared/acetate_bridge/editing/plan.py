"""Where something is painted and where its layers go: decided without reading a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from acetate_bridge.editing.editor import Document, LayerInfo, Place, Selection
from acetate_bridge.protocol.errors import AcetateError
from acetate_bridge.protocol.frame_planning import Frame, FrameLimits, plan_frame
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.modes import Mode, mode_row

Origin = Literal["selection", "layer", "canvas"]

SMALLEST_SELECTION = 8
"""A shorter side, in pixels, is a slip of the hand and nothing to paint in."""
_LEAST_CONTEXT = 16
_MOST_CONTEXT = 256


@dataclass(frozen=True)
class Situation:
    """What the painter looks at: document, active layer and selection at one moment."""

    document: Document | None = None
    layer: LayerInfo | None = None
    selection: Selection | None = None


@dataclass(frozen=True)
class Plan:
    """A region with its frame, where it comes from, and the place of the layers in the stack."""

    document: Document
    origin: Origin
    frame: Frame
    place: Place
    mask: Selection | None = None
    source: LayerInfo | None = None

    @property
    def region(self) -> Rect:
        """What will be returned, in document pixels."""
        return self.frame.region

    def covers(self, layer: LayerInfo) -> bool:
        """Whether all that is painted on a layer lies in the region, and is fully selected."""
        bounds, mask = layer.bounds, self.mask
        if bounds is None:
            return True
        if not self.region.contains(bounds):
            return False
        return mask is None or mask.takes_all_of(bounds)


class CannotPlan(AcetateError):
    """It cannot be painted here."""

    code = "cannot_plan"


def plan(mode: str, situation: Situation, limits: FrameLimits, region: Rect | None = None) -> Plan:
    """Where a mode would paint now; `region` insists on a place. Raises CannotPlan.

    The selection, else the active layer's bounds for a repainting, else the canvas.
    """
    row, document, layer = mode_row(mode), situation.document, situation.layer
    if document is None:
        raise CannotPlan("Open or create an image first.")
    if document.colour:
        raise CannotPlan(
            f"This image is {document.colour}: a layer in colour needs it converted first."
        )
    if row.needs_layer and layer is None:
        raise CannotPlan("Choose the layer to work on first.")
    if row.needs_layer and layer is not None and layer.bounds is None:
        raise CannotPlan(f"Nothing is painted on “{layer.name}” yet.")
    if row.needs_selection and situation.selection is None and region is None:
        raise CannotPlan("Select the part to paint into first.")
    origin, found = _region(row, situation, document)
    if origin == "selection" and min(found.width, found.height) < SMALLEST_SELECTION:
        raise CannotPlan(
            f"The selection is only {found.width} × {found.height} pixels: select more, or "
            "nothing to paint on the whole canvas."
        )
    if region is not None:
        origin, found = "layer", region
    soft = situation.selection if origin == "selection" else None
    context = _context(row, found) if origin == "selection" else 0
    if row.own_pixels:
        canvas = found.grown(context)
        frame = Frame(found, canvas, canvas.size)
    else:
        frame = plan_frame(found, limits, context, never_smaller=row.second_pass)
    if row.needs_selection and layer is not None and layer.bounds is not None:
        _check_touched(layer.name, layer.bounds.common(frame.canvas))
    return Plan(
        document,
        origin,
        frame,
        Place((layer.part_of or layer.key) if layer else None, below=row.below),
        soft if soft is not None and soft.mask is not None else None,
        layer,
    )


def has_to_stay(name: str, clone: str) -> str:
    """Why a layer cannot be replaced or taken out: a clone shows its pixels."""
    return f"“{clone}” is a clone of “{name}”, which has to stay for it."


def _check_touched(name: str, common: Rect | None) -> None:
    if common is None:
        raise CannotPlan(
            f"The selection lies far from “{name}”: select a part of it, or beside it."
        )


def above_of(layer: LayerInfo, layers: list[LayerInfo]) -> LayerInfo:
    """The sibling directly above, of a stack listed from the top. Raises CannotPlan."""
    siblings = [one for one in layers if one.parent == layer.parent]
    place = next((i for i, one in enumerate(siblings) if one.key == layer.key), 0)
    if place == 0:
        raise CannotPlan(f"No layer lies above “{layer.name}” to make a background for.")
    return siblings[place - 1]


def _region(mode: Mode, situation: Situation, document: Document) -> tuple[Origin, Rect]:
    if situation.selection is not None and not mode.enlarges:
        return "selection", situation.selection.bounds
    layer = situation.layer
    if mode.layer_extent and layer is not None and layer.bounds is not None:
        return "layer", layer.bounds
    return "canvas", Rect(0, 0, document.size.width, document.size.height)


def _context(mode: Mode, region: Rect) -> int:
    if not mode.context:
        return 0
    share = round(mode.context * max(region.width, region.height))
    return min(_MOST_CONTEXT, max(_LEAST_CONTEXT, share))
