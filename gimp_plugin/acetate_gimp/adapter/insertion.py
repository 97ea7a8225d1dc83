"""Layers into GIMP's stack and out of it, each call one undo step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from gi.repository import Gimp

from acetate_bridge.editing.editor import Insertion
from acetate_bridge.editing.recipes import recipe_text
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Layer
from adapter.layers import find, key_of, spot
from adapter.metadata import write_recipe
from adapter.pixels import FORMATS, rectangle
from adapter.selection import add_mask

Spot = tuple["Gimp.Layer | None", int]


@contextlib.contextmanager
def one_undo_step(image: Gimp.Image) -> Iterator[None]:
    """Everything inside is one step of the undo history."""
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()
        Gimp.displays_flush()


def insert(image: Gimp.Image, insertion: Insertion) -> list[Gimp.Layer]:
    """Insert as one undo step; the new layers in the given order, the first one selected.

    Layers are made ready before they come into the stack: from then on GIMP draws the image
    anew, and each further call would have to wait for that.
    """
    made = [make_layer(image, layer) for layer in insertion.layers]
    if insertion.mask is not None:
        for layer in made:
            add_mask(layer, insertion.mask)
    leaving = [layer for key in insertion.replaces if (layer := find(image, key))]
    parent, position = _spot_of(leaving[0], image) if leaving else spot(image, insertion.place)
    if len(made) == 1 and not leaving and not insertion.group:
        # One step of its own.
        image.insert_layer(made[0], parent, position)
        Gimp.displays_flush()
        return made
    with one_undo_step(image):
        if insertion.group:
            group = Gimp.GroupLayer.new(image, insertion.group)
            _composite_as_painted(group)
            image.insert_layer(group, parent, position)
            parent, position = group, 0
        # GIMP selects what was inserted last.
        for layer in reversed(made):
            image.insert_layer(layer, parent, position)
        _take_out(image, leaving)
    return made


def remove(image: Gimp.Image, keys: list[str]) -> None:
    """Take layers out as one undo step; those that are gone already are left alone."""
    leaving = [layer for key in keys if (layer := find(image, key))]
    if leaving:
        with one_undo_step(image):
            _take_out(image, leaving)


def make_layer(image: Gimp.Image, source: Layer) -> Gimp.Layer:
    """A layer with pixels, name and recipe that is not in the stack yet."""
    pixels = source.image
    layer = Gimp.Layer.new(
        image,
        source.name,
        pixels.width,
        pixels.height,
        Gimp.ImageType.RGBA_IMAGE,
        100.0,
        Gimp.LayerMode.NORMAL,
    )
    buffer = layer.get_buffer()
    whole = rectangle(Rect(0, 0, pixels.width, pixels.height))
    buffer.set(whole, FORMATS[pixels.format], pixels.data)
    buffer.flush()
    _composite_as_painted(layer)
    layer.set_offsets(source.x, source.y)
    if source.recipe is not None:
        write_recipe(layer, recipe_text(source.recipe))
    return layer


def _composite_as_painted(layer: Gimp.Layer) -> None:
    """Half-transparent pixels are mixed in sRGB; GIMP would mix them in linear light."""
    layer.set_composite_space(Gimp.LayerColorSpace.RGB_NON_LINEAR)


def _spot_of(leaving: Gimp.Layer, image: Gimp.Image) -> Spot:
    """Directly above a layer that is about to leave."""
    return leaving.get_parent(), image.get_item_position(leaving)


def _take_out(image: Gimp.Image, leaving: list[Gimp.Layer]) -> None:
    """Remove layers; some may have left with their group a moment ago."""
    for layer in leaving:
        if find(image, key_of(layer)) is not None:
            image.remove_layer(layer)
