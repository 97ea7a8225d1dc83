"""Layers on their way into a stack: where they go, what they are called, what clips them."""

from __future__ import annotations

from dataclasses import replace

from acetate_bridge.editing.anchor import Shift
from acetate_bridge.editing.editor import LayerInfo, Place, Selection
from acetate_bridge.editing.job import Record, Result
from acetate_bridge.protocol.types import Layer


def moved_by(layers: tuple[Layer, ...], offsets: list[Shift]) -> tuple[Layer, ...]:
    """Each layer where its own offset leads."""
    pairs = zip(layers, offsets)  # noqa: B905 (as many)
    return tuple(replace(layer, x=layer.x + x, y=layer.y + y) for layer, (x, y) in pairs)


def with_names(layers: tuple[Layer, ...], names: list[str]) -> tuple[Layer, ...]:
    """Layers with other names, where there are any."""
    names = names + [""] * (len(layers) - len(names))
    pairs = zip(layers, names)  # noqa: B905 (longer ones do not matter)
    return tuple(replace(layer, name=name or layer.name) for layer, name in pairs)


def clip(record: Record, result: Result, shift: Shift) -> Selection | None:
    """The selection that a result is clipped to."""
    selection = record.selection
    if selection is None or result.whole:
        return None
    return Selection(selection.bounds.moved(*shift), selection.mask)


def first_of(keys: list[str], layers: dict[str, LayerInfo]) -> str:
    """The first of these layers that is there; empty where none is."""
    return next((key for key in keys if key in layers), "")


def near(keys: list[str], layers: dict[str, LayerInfo], otherwise: Place) -> Place:
    """Where layers go whose counterparts are gone: beside those that are still there."""
    there = [index for index, key in enumerate(keys) if key in layers]
    if not there:
        return otherwise
    # Those that are gone lay below, unless the topmost is among them.
    return Place(keys[there[0]]) if there[0] else Place(keys[there[-1]], below=True)


def summed(offset: Shift, now: Shift, then: Shift) -> Shift:
    """An offset, and how far something was moved between then and now."""
    return offset[0] + now[0] - then[0], offset[1] + now[1] - then[1]
