"""Layers into a document and out of it.

A layer with its mask, or a group with its children, is put together first and enters the stack
whole: one step of Krita's undo history. Where that takes several steps, `UndoChains` ties them
together.
"""

from __future__ import annotations

from typing import Any

from acetate_bridge.editing.editor import Insertion, Place, Selection
from acetate_bridge.protocol.types import Layer
from acetate_krita.adapter import layers as stack
from acetate_krita.adapter.colour import paint
from acetate_krita.adapter.selection import mask_of
from acetate_krita.adapter.undo import Recorder


def insert(krita: Any, document: Any, insertion: Insertion, steps: Recorder) -> list[Any]:
    """Put layers in, and take out those that they replace; returns the new layers, as given."""
    old = _replaced(document, insertion.replaces)
    nodes = [_build(krita, document, layer, insertion.mask) for layer in insertion.layers]
    arriving = nodes
    if insertion.group:
        group = document.createGroupLayer(insertion.group)
        # This adds without a step of its own, which addChildNode would make.
        group.setChildNodes(list(reversed(nodes)))
        arriving = [group]
    place = Place(stack.key_of(old[0])) if old else insertion.place
    for node in reversed(arriving):
        _put(document, node, place, steps)
        place = Place(stack.key_of(node))
    for node in old:
        node.remove()
        steps.mark()
    return nodes


def remove(document: Any, keys: list[str], steps: Recorder) -> None:
    """Take layers out; one that is gone already is left alone."""
    for key in keys:
        node = stack.find(document, key)
        if node is not None:
            node.remove()
            steps.mark()


def _build(krita: Any, document: Any, layer: Layer, mask: Selection | None) -> Any:
    node = paint(document, layer.name, layer.image, layer.x, layer.y)
    if mask is not None:
        node.setChildNodes([mask_of(krita, document, mask)])
    return node


def _replaced(document: Any, keys: tuple[str, ...]) -> list[Any]:
    """The layers that leave, from the top downwards; their group, when it would be left empty."""
    leaving = [each for each in stack.walk(document.rootNode()) if stack.key_of(each) in keys]
    names = {stack.key_of(each) for each in leaving}
    found: dict[str, Any] = {}
    for node in leaving:
        parent = node.parentNode()
        inside = parent.parentNode() is not None
        if inside and all(stack.key_of(each) in names for each in stack.children(parent)):
            node = parent
        found[stack.key_of(node)] = node
    return list(found.values())


def _put(document: Any, node: Any, place: Place, steps: Recorder) -> None:
    root = document.rootNode()
    neighbour = stack.find(document, place.layer) if place.layer else None
    if neighbour is None:
        lowest = stack.children(root)[-1:] if place.below and place.layer is None else []
        if not lowest:
            root.addChildNode(node, None)
            steps.mark()
            return
        neighbour, place = lowest[0], Place(None, below=True)
    parent = neighbour.parentNode()
    if not place.below:
        parent.addChildNode(node, neighbour)
        steps.mark()
        return
    below = _just_below(parent, neighbour)
    if below is not None:
        parent.addChildNode(node, below)
        steps.mark()
        return
    # Nothing is beneath, and Krita only puts layers above others: let the neighbour step over.
    parent.addChildNode(node, neighbour)
    steps.mark()
    neighbour.remove()
    steps.mark()
    parent.addChildNode(neighbour, node)
    steps.mark()


def _just_below(parent: Any, node: Any) -> Any | None:
    nodes = parent.childNodes()
    index = [stack.key_of(each) for each in nodes].index(stack.key_of(node))
    return nodes[index - 1] if index else None
