"""Layers into GIMP's stack and out of it, each call one undo step. What is selected stays so."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from gi.repository import Gegl, Gimp

from acetate_bridge.editing.editor import Insertion, Refusal, Selection
from acetate_bridge.editing.recipes import recipe_text
from acetate_bridge.protocol.types import Layer
from adapter.layers import find, key_of, locked, spot
from adapter.metadata import write_recipe, write_spot
from adapter.pixels import write_pixels
from adapter.selection import add_mask
from adapter.succession import Succession


@contextlib.contextmanager
def one_undo_step(image: Gimp.Image) -> Iterator[None]:
    """Everything inside is one step of the undo history."""
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()
        Gimp.displays_flush()


def insert_layers(image: Gimp.Image, insertion: Insertion) -> list[Gimp.Layer]:
    """Insert as one undo step; the new layers in the given order. Raises Refusal.

    Layers are made ready before they come into the stack: from then on GIMP draws the image
    anew, and each further call would have to wait for that.
    """
    leaving = [find(image, key) for key in insertion.replaces]
    _refuse_locked([old for old in leaving if old is not None])
    made: list[Gimp.Layer] = []
    taking: list[Succession] = []
    beside: list[Gimp.Layer] = []
    like = find(image, insertion.like) if insertion.like else None
    for index, source in enumerate(insertion.layers):
        old = leaving[index] if index < len(leaving) else None
        if old is not None:
            taking.append(Succession(image, old, source))
            made.append(taking[-1].new)
        else:
            beside.append(make_layer(image, source, insertion.mask))
            if like is not None:
                _blend_like(beside[-1], like)
            made.append(beside[-1])
    heirs = {key_of(each.old): each.new for each in taking}
    with _one_step_without_a_trace(image, heirs):
        for each in taking:
            each.take_place()
        place = insertion.place
        if place.layer in heirs:
            place = replace(place, layer=key_of(heirs[place.layer]))
        parent, position = spot(image, place)
        if beside and insertion.group and not taking:
            group = Gimp.GroupLayer.new(image, insertion.group)
            _composite_as_painted(group)
            image.insert_layer(group, parent, position)
            parent, position = group, 0
        for layer in reversed(beside):
            image.insert_layer(layer, parent, position)
        _take_out(image, [old for old in leaving[len(made) :] if old is not None])
        for key in insertion.hides:
            _set_visible(find(image, key), False)
    return made


def remove_layers(image: Gimp.Image, keys: list[str], shows: tuple[str, ...] = ()) -> None:
    """Take layers out as one undo step; those that are gone already are left alone."""
    leaving = [layer for key in keys if (layer := find(image, key))]
    _refuse_locked(leaving)
    if leaving or shows:
        with _one_step_without_a_trace(image, {}):
            _take_out(image, leaving)
            for key in shows:
                _set_visible(find(image, key), True)


def make_layer(image: Gimp.Image, source: Layer, mask: Selection | None = None) -> Gimp.Layer:
    """A layer with pixels, name, recipe and mask that is not in the stack yet."""
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
    write_pixels(layer, pixels)
    _composite_as_painted(layer)
    layer.set_offsets(source.x, source.y)
    write_spot(layer, (source.x, source.y))
    if source.recipe is not None:
        write_recipe(layer, recipe_text(source.recipe))
    if mask is not None:
        add_mask(layer, mask)
    return layer


def _composite_as_painted(layer: Gimp.Layer) -> None:
    """Half-transparent pixels are mixed in sRGB; GIMP would mix them in linear light."""
    layer.set_composite_space(Gimp.LayerColorSpace.RGB_NON_LINEAR)


def _blend_like(layer: Gimp.Layer, other: Gimp.Layer) -> None:
    """Let a layer mix with what is below as another one does."""
    mode = other.get_mode()
    layer.set_opacity(other.get_opacity())
    if mode not in (Gimp.LayerMode.NORMAL, Gimp.LayerMode.PASS_THROUGH):
        layer.set_mode(mode)
        layer.set_blend_space(other.get_blend_space())
        layer.set_composite_space(other.get_composite_space())
    if mode != Gimp.LayerMode.PASS_THROUGH:
        layer.set_composite_mode(other.get_composite_mode())


class _Selected:
    """What the painter works on: a layer that leaves hands that on to its heir, if it has one."""

    def __init__(self, image: Gimp.Image, heirs: dict[str, Gimp.Layer]) -> None:
        self._image, self._heirs = image, heirs
        self._layers = [key_of(layer) for layer in image.get_selected_layers()]
        self._channels = image.get_selected_channels()

    def restore(self) -> None:
        """Select it again: GIMP has selected what came in, or what was near."""
        left = [self._heirs.get(key) or find(self._image, key) for key in self._layers]
        there = [layer for layer in left if layer is not None]
        if self._channels:
            self._image.set_selected_channels(self._channels)
        elif there:
            # To select none is an error to GIMP, of which it would tell the painter in a window.
            self._image.set_selected_layers(there)

    def note(self) -> None:
        """Let undo and redo select it as well; belongs at both ends of the undo step.

        GIMP selects what comes back, and what was noted when a selected layer goes: this one
        comes and goes.
        """
        image = self._image
        if self._channels:
            passing = Gimp.Channel.new(image, "", 1, 1, 100.0, Gegl.Color.new("black"))
            image.insert_channel(passing, None, 0)
            image.remove_channel(passing)
        elif image.get_selected_layers():
            kind, mode = Gimp.ImageType.RGBA_IMAGE, Gimp.LayerMode.NORMAL
            layer = Gimp.Layer.new(image, "", 1, 1, kind, 100.0, mode)
            image.insert_layer(layer, None, 0)
            image.remove_layer(layer)


@contextlib.contextmanager
def _one_step_without_a_trace(image: Gimp.Image, heirs: dict[str, Gimp.Layer]) -> Iterator[None]:
    """Everything inside is one undo step, and what is selected stays so, undone and redone too."""
    selected = _Selected(image, heirs)
    with one_undo_step(image):
        selected.note()
        yield
        selected.restore()
        selected.note()
        selected.restore()


def _refuse_locked(leaving: list[Gimp.Layer]) -> None:
    for layer in leaving:
        if locked(layer):
            raise Refusal(f"“{layer.get_name()}” is locked: unlock it first.")


def _take_out(image: Gimp.Image, leaving: list[Gimp.Layer]) -> None:
    """Remove layers; some may have left with their group a moment ago."""
    for layer in leaving:
        if find(image, key_of(layer)) is not None:
            image.remove_layer(layer)


def _set_visible(layer: Gimp.Layer | None, visible: bool) -> None:
    """Show or hide a layer, unless the painter has locked that."""
    if layer is not None and not layer.get_lock_visibility():
        layer.set_visible(visible)
