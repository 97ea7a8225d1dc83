"""What of a document's own layer comes back to the last bit, whatever the model made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from acetate.images.frame_pixels import keep_alpha
from acetate.images.selection import mix
from acetate_bridge.protocol.frame_planning import Frame
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Image, Layer, Recipe


def as_in_document(layer: Layer, recipe: Recipe, given: Mapping[str, Image], frame: Frame) -> Layer:
    """A placed layer with what the recipe keeps of the document.

    `given` are the request's images as they lie in the frame's region, at the document's size;
    an image that is missing keeps nothing. That is the alpha where transparency is kept, and
    everything outside a selection that was painted into (see `modes.fill`).
    """
    source, selection = given.get("layer"), given.get("mask")
    if source is None:
        return layer
    if recipe.keep_transparency or mode_row(recipe.mode).keeps_alpha:
        layer = keep_alpha(layer, source)
    if selection is None or not mode_row(recipe.mode).needs_selection:
        return layer
    if frame.resampled:
        layer = replace(layer, image=mix(source, layer.image, selection, recipe.fill))
    return layer
