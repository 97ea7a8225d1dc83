"""Everything in a GIMP image that a painter could miss, as plain values: runs inside GIMP."""

# pyright: reportMissingImports=false
from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp  # noqa: E402

_OF_ALL = (
    *("name", "mode", "visible", "color_tag", "expanded"),
    *("lock_content", "lock_position", "lock_visibility", "lock_alpha"),
    *("blend_space", "composite_space", "composite_mode"),
)
_WITH_MASK = ("apply_mask", "edit_mask", "show_mask")
_OURS = "acetate-"


def fingerprint(image: Gimp.Image, ours: frozenset[str] = frozenset()) -> dict[str, object]:
    """The image as it stands, but for the layers and groups with these numbers."""
    layers = [
        found for found in _walk(image.get_layers(), "") if str(found[1].get_id()) not in ours
    ]
    selected = image.get_selected_layers(), image.get_selected_channels()
    return {
        **{
            f"{number} {layer.get_name()}": {"parent": parent, **_layer(layer)}
            for number, (parent, layer) in enumerate(layers)
        },
        **{f"channel {each.get_name()}": _channel(each) for each in image.get_channels()},
        "active": [sorted(each.get_name() for each in items) for items in selected],
        "active path": [each.get_name() for each in image.get_selected_paths()],
        "selection": _pixels(image.get_selection()),
        "floating": image.get_floating_sel() is not None,
        "size": (image.get_width(), image.get_height()),
        "kind": (int(image.get_base_type()), int(image.get_precision())),
        "paths": [_path(each) for each in image.get_paths()],
        "guides": _guides(image),
        "parasites": _parasites(image),
    }


def _walk(level: list[Gimp.Layer], parent: str) -> Iterator[tuple[str, Gimp.Layer]]:
    for layer in level:
        yield parent, layer
        if layer.is_group():
            yield from _walk(layer.get_children(), layer.get_name())


def _layer(layer: Gimp.Layer) -> dict[str, Any]:
    mask = layer.get_mask()
    names = (*_OF_ALL, *(_WITH_MASK if mask is not None else ()))
    # A group is as large as what is in it, and shows that.
    own = {} if layer.is_group() else _own(layer)
    return {
        **{name: str(getattr(layer, f"get_{name}")()) for name in names},
        **own,
        "opacity": round(layer.get_opacity(), 3),
        "kind": type(layer).__name__,
        "text": layer.get_text() if layer.is_text_layer() else "",
        "mask": _channel(mask) if mask is not None else None,
        "filters": [_filter(each) for each in layer.get_filters()],
        "parasites": _parasites(layer),
    }


def _own(layer: Gimp.Layer) -> dict[str, Any]:
    return {
        "offsets": list(layer.get_offsets())[1:],
        "size": (layer.get_width(), layer.get_height()),
        "pixels": _pixels(layer),
    }


def _channel(channel: Gimp.Channel) -> dict[str, Any]:
    return {
        "visible": channel.get_visible(),
        # A file keeps it in 255 steps.
        "opacity": round(channel.get_opacity()),
        "offsets": list(channel.get_offsets())[1:],
        "pixels": _pixels(channel),
    }


def _filter(effect: Gimp.DrawableFilter) -> list[Any]:
    config = effect.get_config()
    settings = {each.name: str(config.get_property(each.name)) for each in config.list_properties()}
    told = (effect.get_operation_name(), effect.get_name(), round(effect.get_opacity(), 5))
    return [*told, effect.get_visible(), settings]


def _pixels(drawable: Gimp.Drawable) -> str:
    buffer = drawable.get_buffer()
    extent = buffer.get_extent()
    pixel_format = "Y float" if isinstance(drawable, Gimp.Channel) else "R'G'B'A float"
    data = bytes(buffer.get(extent, 1.0, pixel_format, Gegl.AbyssPolicy.NONE))
    return f"{extent.width} × {extent.height} {hashlib.sha256(data).hexdigest()[:16]}"


def _path(path: Gimp.Path) -> tuple[str, bool, int]:
    return path.get_name(), path.get_visible(), len(path.get_strokes())


def _parasites(item: Gimp.Image | Gimp.Item) -> dict[str, str]:
    names = [name for name in item.get_parasite_list() if not name.startswith((_OURS, "gimp-"))]
    return {name: str(item.get_parasite(name).get_data()) for name in sorted(names)}


def _guides(image: Gimp.Image) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    guide = image.find_next_guide(0)
    while guide:
        found.append((int(image.get_guide_orientation(guide)), image.get_guide_position(guide)))
        guide = image.find_next_guide(guide)
    return found
