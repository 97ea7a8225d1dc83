"""The stack of the editor in memory: its nodes, and what is done to a tree of them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

from acetate_bridge.editing.editor import LayerInfo, Place, Selection
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, PixelFormat
from tests.editors.pixels import converted, cut, over


@dataclass
class Node:
    """A layer or a group; `pixels` lie at `bounds`. `filters` only knows "invert"."""

    key: str
    name: str
    bounds: Rect | None = None
    pixels: Image | None = None
    recipe: str | None = None
    mask: Selection | None = None
    children: list[Node] | None = None
    moved: tuple[int, int] = (0, 0)
    opacity: int = 255
    blending: str = "normal"
    visible: bool = True
    locked: bool = False
    label: int = 0
    clipped: bool = False
    filters: tuple[str, ...] = ()
    mark: str = ""
    shown_by: str = ""


def beside(nodes: list[Node], place: Place) -> tuple[list[Node], int]:
    """The siblings among which something goes, and its index there."""
    found = siblings(nodes, place.layer) if place.layer is not None else None
    if found is None:
        return nodes, len(nodes) if place.below else 0
    level, index = found
    return level, index + 1 if place.below else index


def siblings(nodes: list[Node], key: str) -> tuple[list[Node], int] | None:
    for index, node in enumerate(nodes):
        if node.key == key:
            return nodes, index
        found = siblings(node.children or [], key)
        if found is not None:
            return found
    return None


def take_out(nodes: list[Node], key: str) -> None:
    found = siblings(nodes, key)
    if found is not None:
        del found[0][found[1]]


def take_over(nodes: list[Node], old: Node, node: Node) -> None:
    """Put a node in the place of another, with all that is not its pixels or its recipe."""
    found = siblings(nodes, old.key)
    assert found is not None
    kept = copy.copy(old)
    kept.key, kept.name, kept.pixels = node.key, node.name, node.pixels
    kept.recipe, kept.bounds = node.recipe, node.bounds
    found[0][found[1]] = kept


def around(nodes: list[Node], key: str) -> list[Node] | None:
    """The groups that a layer lies in."""
    for node in nodes:
        if node.key == key:
            return []
        inner = around(node.children or [], key)
        if inner is not None:
            return [node, *inner]
    return None


def filtered(data: bytes, filters: tuple[str, ...]) -> bytes:
    for _each in filters:
        data = bytes(value if index % 4 == 3 else 255 - value for index, value in enumerate(data))
    return data


def beneath(nodes: list[Node], key: str, including: bool) -> list[Node] | None:
    """What lies beneath a layer, the group that it is in cut off above it."""
    for index, node in enumerate(nodes):
        if node.key == key:
            return nodes[index if including else index + 1 :]
        inner = beneath(node.children, key, including) if node.children is not None else None
        if inner is not None:
            return [replace(node, children=inner), *nodes[index + 1 :]]
    return None


def walk(nodes: list[Node], parent: str = "", level: int = 0) -> list[tuple[Node, str, int]]:
    found: list[tuple[Node, str, int]] = []
    for node in nodes:
        found.append((node, parent, level))
        if node.children is not None:
            found += walk(node.children, node.key, level + 1)
    return found


def describe(node: Node, parent: str, around: list[Node]) -> LayerInfo:
    hidden = [group.name for group in around if not group.visible]
    return LayerInfo(
        node.key,
        node.name,
        node.bounds,
        node.children is not None,
        parent,
        node.moved,
        any(each.locked for each in (node, *around)),
        not node.visible,
        hidden[-1] if hidden else "",
        node.mask is not None or bool(node.filters),
        node.mark,
        derived=node.children is not None,
        shown_by=node.shown_by,
        clipped=node.clipped,
    )


def clear(region: Rect, pixel_format: PixelFormat) -> Image:
    size = 4 if pixel_format == "rgba8" else 8
    return Image(region.width, region.height, bytes(region.size.pixels * size), pixel_format)


def seen(nodes: list[Node], region: Rect, pixel_format: PixelFormat) -> Image:
    """What a painter sees of these nodes."""
    data = bytes(region.size.pixels * 4)
    for node in reversed(nodes):
        if not node.visible:
            continue
        if node.children is not None:
            picture = seen(node.children, region, "rgba8").data
        elif node.pixels is not None and node.bounds is not None:
            picture = cut(converted(node.pixels, "rgba8"), node.bounds, region).data
        else:
            continue
        strength = strengths(node.mask, region) if node.mask is not None else None
        if node.opacity != 255:
            every = strength or bytes((255,)) * region.size.pixels
            strength = bytes(value * node.opacity // 255 for value in every)
        data = over(filtered(picture, node.filters), data, strength)
    return converted(Image(region.width, region.height, data), pixel_format)


def strengths(mask: Selection, region: Rect) -> bytes:
    """How strongly each pixel of a region is selected; nothing is outside of the mask."""
    rows = bytearray()
    for y in range(region.y, region.bottom):
        for x in range(region.x, region.right):
            inside = mask.bounds.contains(Rect(x, y, 1, 1))
            index = (y - mask.bounds.y) * mask.bounds.width + x - mask.bounds.x
            rows.append((mask.mask[index] if mask.mask is not None else 255) if inside else 0)
    return bytes(rows)
