"""The layers of a document: naming them, finding them, looking through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from acetate_bridge.editing.editor import LayerGone, LayerInfo
from acetate_bridge.protocol.geometry import Rect
from acetate_krita.qt import QtCore


def key_of(node: Any) -> str:
    """What Krita names a node by, in the file too; undo and redo keep it."""
    return node.uniqueId().toString()


def is_mask(node: Any) -> bool:
    """Masks are children as well, but no layers."""
    return node.type().endswith("mask")


def is_group(node: Any) -> bool:
    """Whether a node is a layer group."""
    return node.type() == "grouplayer"


def children(node: Any) -> list[Any]:
    """Layers directly inside a group, from the top downwards."""
    return [child for child in reversed(node.childNodes()) if not is_mask(child)]


def walk(node: Any) -> Iterator[Any]:
    """Every layer inside, from the top downwards, a group before its children."""
    for child in children(node):
        yield child
        yield from walk(child)


def find(document: Any, key: str) -> Any | None:
    """The layer with this key, if it is in the stack."""
    identity = QtCore.QUuid(key)
    return None if identity.isNull() else document.nodeByUniqueID(identity)


def layer_of(document: Any, key: str) -> Any:
    """The layer with this key; raises LayerGone."""
    node = find(document, key)
    if node is None:
        raise LayerGone(key)
    return node


def find_any(document: Any, key: str) -> Any | None:
    """The layer or mask with this key."""
    return find(document, key) if key else None


def masks(node: Any) -> list[Any]:
    """The masks of a layer that count: those that are switched on, but no selection."""
    return [
        child
        for child in node.childNodes()
        if is_mask(child) and child.type() != "selectionmask" and child.visible()
    ]


def is_dressed(node: Any) -> bool:
    """Whether a layer is shown otherwise than it was painted: masks, filters, a style."""
    style = getattr(node, "layerStyleToAsl", None)
    return bool(masks(node)) or bool(style is not None and style())


def around(node: Any) -> list[Any]:
    """The groups that a node lies in, the innermost first, the image's own root left out."""
    found: list[Any] = []
    parent = node.parentNode()
    while parent is not None and parent.parentNode() is not None:
        found.append(parent)
        parent = parent.parentNode()
    return found


def bounds_of(node: Any) -> Rect | None:
    """Where a layer's pixels lie; None while it has none."""
    if is_group(node):
        # A group has no pixels of its own, and its projection may not be drawn yet.
        parts = [part for part in map(bounds_of, children(node)) if part is not None]
        if not parts:
            return None
        left, top = min(part.x for part in parts), min(part.y for part in parts)
        right, bottom = max(part.right for part in parts), max(part.bottom for part in parts)
        return Rect(left, top, right - left, bottom - top)
    found = node.bounds()
    if found.isEmpty():
        return None
    return Rect(found.x(), found.y(), found.width(), found.height())


def clones(document: Any) -> dict[str, str]:
    """The names of clones in a document, by the keys of the layers that they show."""
    found: dict[str, str] = {}
    for each in walk(document.rootNode()):
        source = each.sourceNode() if each.type() == "clonelayer" else None
        if source is not None:
            found.setdefault(key_of(source), each.name())
    return found


def describe(document: Any, node: Any, shown_by: dict[str, str]) -> LayerInfo:
    """A layer in the bridge's words; `shown_by` are the `clones` of its document."""
    groups, place = around(node), node.position()
    fills = node.type() in ("filllayer", "filterlayer")
    canvas = Rect(0, 0, document.width(), document.height())
    return LayerInfo(
        key_of(node),
        node.name(),
        canvas if fills else bounds_of(node),
        is_group(node),
        key_of(groups[0]) if groups else "",
        (place.x(), place.y()),
        any(each.locked() for each in (node, *groups)),
        not node.visible(),
        next((each.name() for each in groups if not each.visible()), ""),
        bool([child for child in node.childNodes() if is_mask(child)]) or is_dressed(node),
        derived=node.type() != "paintlayer",
        shown_by=shown_by.get(key_of(node), ""),
        clipped=node.inheritAlpha(),
    )
