"""A layer that came out opaque or empty is painted once more, from another seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from acetate.images.alpha import alpha_warning
from acetate_bridge.protocol.limits import VARIANTS
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.seeds import variant_seed
from acetate_bridge.protocol.types import Layer, Request, Role

if TYPE_CHECKING:
    from acetate.pipelines.memory_ladder import Ladder


def painted_twice_at_most(
    request: Request, paint: Callable[[Request], list[Layer]], ladder: Ladder
) -> list[Layer]:
    """The layers of a request, or those of its second seed where the first shows no cut-out.

    The second seed lies beyond those of all variants, and stands in the recipe of what comes of
    it. Where that is no better, the layers of the seed that was asked for are returned.
    """
    layers = paint(request)
    wrong = _what_is_wrong(request, layers)
    if not wrong:
        return layers
    seed = variant_seed(request.recipe.seed, int(VARIANTS.most))
    ladder.tell(f"{wrong} Painting it once more, with seed {seed}.")
    others = paint(replace(request, recipe=replace(request.recipe, seed=seed)))
    if again := _what_is_wrong(request, others):
        ladder.tell(f"{again} So it did with two seeds: try other words.")
        return layers
    return others


def _what_is_wrong(request: Request, layers: Sequence[Layer]) -> str:
    """What nobody asked for: a layer all opaque or all clear; else nothing."""
    row = mode_row(request.recipe.mode)
    if row.opaque or request.recipe.keep_transparency:
        return ""
    if row.repaints and alpha_warning(request.images["layer"]):
        return ""  # As the layer was that it stands for.
    shown = (layer for layer in layers if layer.role is Role.FOREGROUND)
    said = next(filter(None, (alpha_warning(layer.image) for layer in shown)), "")
    return f"{said.partition(':')[0]}." if said else ""
