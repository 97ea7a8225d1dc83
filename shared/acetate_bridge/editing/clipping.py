"""Clipped layers, which are seen wherever something lies below them in their group.

What comes in below them is such a thing, so it must lie outside of that group, where it can.
"""

from __future__ import annotations

from collections.abc import Sequence

from acetate_bridge.editing.editor import LayerInfo, Place


def below_of(layer: LayerInfo, layers: Sequence[LayerInfo]) -> Place:
    """Directly below a layer, or below a group around it for the sake of clipped layers there.

    Where some are clipped to all that is in the picture, there is no such place; see `clipped_to`.
    """
    place = layer
    for each in _outwards(layer, layers):
        if _clipped(each, layers) is not None:
            outside = next((one for one in layers if one.key == each.parent), None)
            if outside is None:
                return Place(layer.key, below=True)
            place = outside
    return Place(place.key, below=True)


def clipped_to(layer: LayerInfo, layers: Sequence[LayerInfo]) -> LayerInfo | None:
    """A clipped layer that is seen on whatever comes in below a layer; None without one."""
    *_, outermost = _outwards(layer, layers)
    return _clipped(outermost, layers)


def _outwards(layer: LayerInfo, layers: Sequence[LayerInfo]) -> list[LayerInfo]:
    """A layer and the groups around it, the innermost first."""
    found = {each.key: each for each in layers}
    way = [layer]
    while way[-1].parent in found:
        way.append(found[way[-1].parent])
    return way


def _clipped(layer: LayerInfo, layers: Sequence[LayerInfo]) -> LayerInfo | None:
    """The lowest clipped layer among a layer and those above it in its group."""
    siblings = [each for each in layers if each.parent == layer.parent]
    here = next((index for index, each in enumerate(siblings) if each.key == layer.key), -1)
    return next((each for each in reversed(siblings[: here + 1]) if each.clipped), None)
