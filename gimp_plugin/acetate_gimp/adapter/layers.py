"""The layer stack of a GIMP image: finding, describing, and saying where something goes."""

from __future__ import annotations

from collections.abc import Iterator

from gi.repository import Gimp

from acetate_bridge.editing.editor import DocumentClosed, LayerGone, LayerInfo, Place
from acetate_bridge.protocol.geometry import Rect


def image_of(document: str) -> Gimp.Image:
    """The open image with this key; raises DocumentClosed."""
    if not Gimp.Image.id_is_valid(int(document)):
        raise DocumentClosed(document)
    return Gimp.Image.get_by_id(int(document))


def key_of(item: Gimp.Image | Gimp.Item) -> str:
    """What names an image or a layer as long as it is there; undo and redo keep it."""
    return str(item.get_id())


def find(image: Gimp.Image, key: str) -> Gimp.Layer | None:
    """The layer with this key, if it is in the image's stack now."""
    if not key.isdigit() or not Gimp.Item.id_is_valid(int(key)):
        return None
    layer = Gimp.Item.get_by_id(int(key))
    if not isinstance(layer, Gimp.Layer) or layer.get_image() != image:
        return None
    return layer if image.get_item_position(layer) >= 0 else None


def layer_of(image: Gimp.Image, key: str) -> Gimp.Layer:
    """The layer with this key; raises LayerGone."""
    layer = find(image, key)
    if layer is None:
        raise LayerGone(key)
    return layer


def siblings(image: Gimp.Image, parent: Gimp.Layer | None) -> list[Gimp.Layer]:
    """The layers of a group, or the topmost level, from the top downwards."""
    return list(parent.get_children() if parent else image.get_layers())


def walk(image: Gimp.Image, parent: Gimp.Layer | None = None) -> Iterator[Gimp.Layer]:
    """All layers from the top downwards, a group before its children."""
    for layer in siblings(image, parent):
        yield layer
        if layer.is_group():
            yield from walk(image, layer)


def bounds_of(layer: Gimp.Layer) -> Rect:
    """Where the layer lies, painted or not: GIMP's layers have a size of their own."""
    _, x, y = layer.get_offsets()
    return Rect(x, y, max(1, layer.get_width()), max(1, layer.get_height()))


def describe(layer: Gimp.Layer) -> LayerInfo:
    """A layer in the words of the bridge."""
    group = layer.is_group()
    empty = group and not layer.get_children()
    parent = layer.get_parent()
    return LayerInfo(
        key_of(layer),
        layer.get_name(),
        None if empty else bounds_of(layer),
        group,
        key_of(parent) if parent is not None else "",
    )


def spot(image: Gimp.Image, place: Place) -> tuple[Gimp.Layer | None, int]:
    """Group and position at which a new layer has to be inserted."""
    beside = find(image, place.layer) if place.layer is not None else None
    if beside is None:
        return None, len(image.get_layers()) if place.below else 0
    return beside.get_parent(), image.get_item_position(beside) + (1 if place.below else 0)
