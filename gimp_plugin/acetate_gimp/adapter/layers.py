"""The layer stack of a GIMP image: finding, describing, and saying where something goes."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Iterator

from gi.repository import Gimp

from acetate_bridge.editing.editor import DocumentClosed, LayerGone, LayerInfo, Place
from acetate_bridge.protocol.geometry import Rect
from adapter.metadata import data_of, read_spot

SESSION = "acetate-session"
"""Where this GIMP keeps a word of its own for as long as it runs."""


def document_key(image: Gimp.Image) -> str:
    """What names an image while it is open: GIMP's number, which the next GIMP gives anew."""
    return f"{_session()}-{image.get_id()}"


def image_of(document: str) -> Gimp.Image:
    """The open image with this key; raises DocumentClosed."""
    if not is_open(document):
        raise DocumentClosed(document)
    return Gimp.Image.get_by_id(int(document.partition("-")[2]))


def is_open(document: str) -> bool:
    """Whether this GIMP has an image with this key."""
    session, _, number = document.partition("-")
    return session == _session() and number.isdigit() and Gimp.Image.id_is_valid(int(number))


def key_of(item: Gimp.Item) -> str:
    """What names a layer as long as it is there; undo and redo keep it."""
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


def path_of(image: Gimp.Image, layer: Gimp.Layer) -> list[int]:
    """Positions from the topmost level down to the layer."""
    return [image.get_item_position(item) for item in reversed((layer, *around(layer)))]


def around(layer: Gimp.Layer) -> list[Gimp.Layer]:
    """The groups that a layer lies in, the innermost first."""
    found: list[Gimp.Layer] = []
    parent = layer.get_parent()
    while parent is not None:
        found.append(parent)
        parent = parent.get_parent()
    return found


def bounds_of(drawable: Gimp.Drawable) -> Rect:
    """Where a drawable lies, painted or not: GIMP's layers have a size of their own."""
    _, x, y = drawable.get_offsets()
    return Rect(x, y, max(1, drawable.get_width()), max(1, drawable.get_height()))


def locked(layer: Gimp.Layer) -> bool:
    """Whether its pixels may not be changed, for its own sake or a group's around it."""
    return any(each.get_lock_content() for each in (layer, *around(layer)))


def dressed(layer: Gimp.Layer) -> bool:
    """Whether it is shown otherwise than its own pixels: masks and filters."""
    return layer.get_mask() is not None or bool(layer.get_filters())


def filter_words(effect: Gimp.DrawableFilter) -> tuple[object, ...]:
    """All of a filter that changes what is seen through it, to be compared."""
    config = effect.get_config()
    settings = [str(config.get_property(each.name)) for each in config.list_properties()]
    seen = effect.get_visible(), effect.get_opacity(), int(effect.get_blend_mode())
    return effect.get_id(), effect.get_operation_name(), *seen, settings


def derived(layer: Gimp.Layer) -> bool:
    """Whether it would draw itself anew: text, links, shapes and groups do."""
    kinds = ("is_group", "is_text_layer", "is_link_layer", "is_vector_layer")
    return any(getattr(layer, kind, _no)() for kind in kinds)


def _no() -> bool:
    return False


def describe_layer(layer: Gimp.Layer) -> LayerInfo:
    """A layer in the words of the bridge."""
    group, groups = layer.is_group(), around(layer)
    empty = group and not layer.get_children()
    hiding = next((each for each in groups if not each.get_visible()), None)
    return LayerInfo(
        key_of(layer),
        layer.get_name(),
        None if empty else bounds_of(layer),
        group,
        key_of(groups[0]) if groups else "",
        moved=moved(layer),
        locked=locked(layer),
        hidden=not layer.get_visible(),
        hidden_in=hiding.get_name() if hiding is not None else "",
        dressed=dressed(layer),
        mark=str(layer.get_tattoo()),
        derived=derived(layer),
        part_of=_part_of(layer) if layer.is_floating_sel() else "",
    )


def _part_of(floating: Gimp.Layer) -> str:
    """The layer that a floating selection goes into when it is anchored; empty for a channel."""
    under = floating.get_image().floating_sel_attached_to()
    if isinstance(under, Gimp.LayerMask):
        under = Gimp.Layer.from_mask(under)
    return key_of(under) if isinstance(under, Gimp.Layer) else ""


def spot(image: Gimp.Image, place: Place) -> tuple[Gimp.Layer | None, int]:
    """Group and position at which a new layer has to be inserted."""
    beside = find(image, place.layer) if place.layer is not None else None
    if beside is None:
        return None, len(image.get_layers()) if place.below else 0
    return beside.get_parent(), image.get_item_position(beside) + (1 if place.below else 0)


def moved(layer: Gimp.Layer) -> tuple[int, int]:
    """How far it was moved since it was inserted; any other layer's distance from the corner."""
    _, x, y = layer.get_offsets()
    then = read_spot(layer)
    return (x - then[0], y - then[1]) if then is not None else (x, y)


@functools.cache
def _session() -> str:
    """The word of this GIMP: the panel, opened again, finds its images by it."""
    if SESSION in Gimp.get_parasite_list():
        return data_of(Gimp.get_parasite(SESSION)).decode("ascii")
    word = secrets.token_hex(6)
    Gimp.attach_parasite(Gimp.Parasite.new(SESSION, 0, word.encode("ascii")))
    return word
