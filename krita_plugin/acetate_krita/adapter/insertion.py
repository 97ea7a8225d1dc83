"""Layers into a document and out of it.

A layer with its mask, or a group with its children, is put together first and enters the stack
whole: one step of Krita's undo history. Where that takes several steps, `UndoChains` ties them
together. No layer is ever taken out that is not named, and none is put in again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from acetate_bridge.editing.editor import Insertion, Place, Refusal, Selection
from acetate_bridge.editing.plan import has_to_stay
from acetate_bridge.protocol.types import Layer
from acetate_krita.adapter import layers as stack
from acetate_krita.adapter.colour import paint, repaint
from acetate_krita.adapter.selection import mask_of
from acetate_krita.adapter.undo import Recorder


@dataclass
class Inserted:
    """The new layers as they were given, and those that have still to go below their siblings.

    `groups` are those that were made for them.
    """

    nodes: list[Any] = field(default_factory=list[Any])
    groups: list[Any] = field(default_factory=list[Any])
    to_the_bottom: list[Any] = field(default_factory=list[Any])


def insert(krita: Any, document: Any, insertion: Insertion, steps: Recorder) -> Inserted:
    """Put layers in, and take out those that they replace.

    Raises Refusal, before anything is changed, when one of these may not be replaced.
    """
    leaving = [stack.find(document, key) if key else None for key in insertion.replaces]
    for old in filter(None, leaving):
        _assert_replaceable(document, old)
    found = Inserted()
    like = stack.find(document, insertion.like) if insertion.like else None
    arriving: list[Any] = []
    place = insertion.place
    for index, layer in enumerate(insertion.layers):
        old = leaving[index] if index < len(leaving) else None
        if old is not None:
            found.nodes.append(_exchange(document, old, layer, steps))
            if insertion.replaces[index] == place.layer:
                place = replace(place, layer=stack.key_of(found.nodes[-1]))
            continue
        node = _build(krita, document, layer, insertion.mask)
        if like is not None:
            _blend_like(node, like, steps)
        found.nodes.append(node)
        arriving.append(node)
    for old in filter(None, leaving[len(insertion.layers) :]):
        old.remove()
        steps.mark()
    if arriving and insertion.group and not any(leaving):
        group = document.createGroupLayer(insertion.group)
        # This adds without a step of its own, which addChildNode would make.
        group.setChildNodes(list(reversed(arriving)))
        arriving = found.groups = [group]
    for node in reversed(arriving):
        if _put(document, node, place):
            found.to_the_bottom.append(node)
        steps.mark()
        place = Place(stack.key_of(node))
    return found


def remove(document: Any, keys: list[str], steps: Recorder) -> None:
    """Take these layers out, and what lies in those that are groups.

    Raises Refusal, before anything is changed, when one of these has to stay.
    """
    leaving = [node for key in keys if (node := stack.find(document, key)) is not None]
    for node in leaving:
        _assert_may_go(document, node)
    for node in leaving:
        if any(stack.key_of(each) in keys for each in stack.around(node)):
            continue
        node.remove()
        steps.mark()


def _assert_replaceable(document: Any, node: Any) -> None:
    _assert_may_go(document, node)
    if node.type() != "paintlayer":
        raise Refusal(f"“{node.name()}” is no paint layer, and stays as it is.")


def _assert_may_go(document: Any, node: Any) -> None:
    for each in (node, *stack.around(node)):
        if each.locked():
            raise Refusal(f"“{each.name()}” is locked: unlock it first.")
    name, clone = node.name(), stack.clones(document).get(stack.key_of(node))
    if clone is not None:
        raise Refusal(has_to_stay(name, clone))


def _exchange(document: Any, old: Any, layer: Layer, steps: Recorder) -> Any:
    """Put new pixels in the place of a layer, with all that the painter did to that.

    The new layer is a copy of the old one, as Krita has no step that changes pixels.
    """
    node = old.clone()
    node.setName(layer.name)
    repaint(document, node, layer.image, layer.x, layer.y)
    old.parentNode().addChildNode(node, old)
    steps.mark()
    old.remove()
    steps.mark()
    return node


def _build(krita: Any, document: Any, layer: Layer, mask: Selection | None) -> Any:
    node = paint(document, layer.name, layer.image, layer.x, layer.y)
    if mask is not None:
        node.setChildNodes([mask_of(krita, document, mask)])
    return node


def _blend_like(node: Any, other: Any, steps: Recorder) -> None:
    """Let a layer that is not in the stack yet mix with what is below as another one does.

    To set a blending mode is a step of the history even there, and of one that it has already.
    """
    node.setOpacity(other.opacity())
    if node.blendingMode() != other.blendingMode():
        node.setBlendingMode(other.blendingMode())
        steps.mark()
    node.setInheritAlpha(other.inheritAlpha())


def _put(document: Any, node: Any, place: Place) -> bool:
    """Add a node where it belongs; True when it has still to go below its siblings.

    Krita only puts layers above others.
    """
    root = document.rootNode()
    neighbour = stack.find(document, place.layer) if place.layer else None
    if neighbour is None:
        lowest = stack.children(root)[-1:] if place.below and place.layer is None else []
        if not lowest:
            root.addChildNode(node, None)
            return False
        neighbour, place = lowest[0], Place(None, below=True)
    parent = neighbour.parentNode()
    if not place.below:
        parent.addChildNode(node, neighbour)
        return False
    below = _just_below(parent, neighbour)
    parent.addChildNode(node, below if below is not None else neighbour)
    return below is None


def _just_below(parent: Any, node: Any) -> Any | None:
    nodes = parent.childNodes()
    index = [stack.key_of(each) for each in nodes].index(stack.key_of(node))
    return nodes[index - 1] if index else None
