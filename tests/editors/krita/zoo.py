"""Inside Krita: stacks like a painter's, and all that is in a document to be compared."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from acetate_bridge.protocol.geometry import Rect
from acetate_krita.qt import QtCore, QtGui
from krita import InfoObject, Krita, Selection

SRGB = "sRGB-elle-V2-srgbtrc.icc"
WIDTH, HEIGHT = 64, 48
SELECTED = Rect(8, 6, 40, 30)
BASE = Rect(10, 8, 20, 20)
"""Where the figure lies that another layer is clipped to."""
PAPER = (200, 210, 220, 255)
STYLE = """<asl>
 <node type="Descriptor" classId="null" name="">
  <node type="UnitFloat" unit="#Prc" key="Scl " value="100"/>
  <node type="Boolean" key="masterFXSwitch" value="1"/>
  <node type="Descriptor" classId="SoFi" key="SoFi" name="">
   <node type="Boolean" key="enab" value="1"/>
   <node type="Enum" key="Md  " value="Nrml" typeId="BlnM"/>
   <node type="UnitFloat" unit="#Prc" key="Opct" value="100"/>
   <node type="Descriptor" classId="RGBC" key="Clr " name="">
    <node type="Double" key="Rd  " value="200"/>
    <node type="Double" key="Grn " value="40"/>
    <node type="Double" key="Bl  " value="90"/>
   </node>
  </node>
 </node>
 <node type="Descriptor" classId="Styl" name="">
  <node type="Descriptor" classId="documentMode" key="documentMode" name=""/>
 </node>
</asl>
"""
"""A colour (200, 40, 90) laid over all of a layer, as Krita writes it."""


def build(stack: str) -> Any:
    """A new document with a stack, in the active window; its active layer is called "active"."""
    krita = Krita.instance()
    document = krita.createDocument(WIDTH, HEIGHT, stack, "RGBA", "U8", SRGB, 72.0)
    krita.activeWindow().addView(document)
    root = document.rootNode()
    first = root.childNodes()[0]
    {**STACKS, **MORE}[stack](document, root)
    first.remove()
    document.setHorizontalGuides([7.0])
    chosen = Selection()
    chosen.select(SELECTED.x, SELECTED.y, SELECTED.width, SELECTED.height, 255)
    document.setSelection(chosen)
    document.refreshProjection()
    document.waitForDone()
    return document


def painted(document: Any, name: str, turn: int = 0) -> Any:
    """A painted layer, every pixel different, not in the stack yet."""
    node = document.createNode(name, "paintlayer")
    data = bytes(
        value
        for y in range(30)
        for x in range(40)
        for value in (x * 6, y * 8, (turn * 40 + x) % 256, (0, 255, 128)[(x + y) % 3])
    )
    node.setPixelData(QtCore.QByteArray(data), 5 + turn, 4, 40, 30)
    return node


def _masked(document: Any, node: Any) -> Any:
    mask = document.createTransparencyMask("a soft mask")
    chosen = Selection()
    chosen.select(10, 10, 30, 20, 150)
    mask.setSelection(chosen)
    node.setChildNodes([*node.childNodes(), mask])
    return node


def _filtered(document: Any, node: Any) -> Any:
    chosen = Selection()
    chosen.select(0, 0, WIDTH, HEIGHT, 255)
    mask = document.createFilterMask("inverted", Krita.instance().filter("invert"), chosen)
    node.setChildNodes([*node.childNodes(), mask])
    return node


def _group(document: Any, name: str, *children: Any) -> Any:
    group = document.createGroupLayer(name)
    group.setChildNodes(list(children))
    return group


def _add(root: Any, *nodes: Any) -> None:
    for node in nodes:
        root.addChildNode(node, None)


def _one_with_masks(document: Any, root: Any) -> None:
    _add(root, _filtered(document, _masked(document, painted(document, "active"))))


def _only_a_group(document: Any, root: Any) -> None:
    group = _group(document, "folder", painted(document, "active"), painted(document, "high", 1))
    group.setOpacity(120)
    group.setBlendingMode("multiply")
    _add(root, group)
    # A group takes a mask only by itself: with its children it would be left out.
    mask = document.createTransparencyMask("a soft mask")
    group.addChildNode(mask, None)
    chosen = Selection()
    chosen.select(10, 10, 30, 20, 150)
    mask.setSelection(chosen)


def _nested(document: Any, root: Any) -> None:
    inner = _group(document, "inner", painted(document, "active"))
    inner.setPassThroughMode(True)
    outer = _group(document, "outer", painted(document, "low", 1), inner)
    outer.setColorLabel(3)
    outer.setCollapsed(True)
    _add(root, outer, painted(document, "high", 2))


def _states(document: Any, root: Any) -> None:
    low, high = painted(document, "low", 1), painted(document, "high", 2)
    active, top = painted(document, "active"), painted(document, "top", 3)
    low.setLocked(True)
    high.setVisible(False)
    active.setOpacity(90)
    active.setBlendingMode("screen")
    active.setColorLabel(5)
    active.setAlphaLocked(True)
    top.setInheritAlpha(True)
    _add(root, low, active, high, top)


def _kinds(document: Any, root: Any) -> None:
    krita = Krita.instance()
    chosen = Selection()
    chosen.select(0, 0, WIDTH, HEIGHT, 255)
    active = painted(document, "active")
    fill = document.createFillLayer("paper", "color", InfoObject(), chosen)
    vector = document.createVectorLayer("letters")
    filtered = document.createFilterLayer("inverted", krita.filter("invert"), chosen)
    _add(root, fill, active, document.createCloneLayer("clone", active), vector, filtered)
    vector.addShapesFromSvg(
        '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40">'
        '<rect x="4" y="4" width="20" height="9" fill="#ff0000"/>'
        '<text x="4" y="30" font-size="12">text</text></svg>'
    )
    path = Path(tempfile.mkdtemp()) / "file.png"
    picture = QtGui.QImage(9, 9, QtGui.QImage.Format.Format_ARGB32)
    picture.fill(QtGui.QColor("blue"))
    picture.save(str(path))
    root.addChildNode(document.createFileLayer("file", str(path), "None"), None)


def _animated(document: Any, root: Any) -> None:
    active = painted(document, "active")
    _add(root, active, painted(document, "high", 1))
    active.enableAnimation()
    document.setFullClipRangeEndTime(10)


STACKS: dict[str, Callable[[Any, Any], None]] = {
    "one layer with masks": _one_with_masks,
    "only a group with children and a mask": _only_a_group,
    "nested groups": _nested,
    "locked, hidden, clipped": _states,
    "clone, fill, filter, vector, text, file": _kinds,
    "animated": _animated,
}


def _flat(document: Any, name: str, place: Rect, colour: tuple[int, ...]) -> Any:
    """A layer of one colour, given as it is seen."""
    node = document.createNode(name, "paintlayer")
    red, green, blue, alpha = colour
    data = QtCore.QByteArray(bytes((blue, green, red, alpha)) * place.size.pixels)
    node.setPixelData(data, place.x, place.y, place.width, place.height)
    return node


def _clipped_in_a_group(document: Any, root: Any) -> None:
    whole = Rect(0, 0, WIDTH, HEIGHT)
    shade = _flat(document, "shade", whole, (0, 0, 90, 128))
    shade.setInheritAlpha(True)
    figure = _group(document, "figure", _flat(document, "active", BASE, (20, 200, 30, 255)), shade)
    _add(root, _flat(document, "paper", whole, PAPER), figure)


def _half_transparent(document: Any, root: Any) -> None:
    whole = Rect(0, 0, WIDTH, HEIGHT)
    sketch = _flat(document, "active", whole, (220, 20, 20, 128))
    _add(root, _flat(document, "paper", whole, PAPER), sketch)


def _cloned(document: Any, root: Any) -> None:
    active = _flat(document, "active", BASE, (20, 200, 30, 255))
    _add(root, active, document.createCloneLayer("clone", active))


def _styled(document: Any, root: Any) -> None:
    active = _flat(document, "active", BASE, (20, 200, 30, 255))
    _add(root, active)
    active.setLayerStyleFromAsl(STYLE)


MORE: dict[str, Callable[[Any, Any], None]] = {
    "clipped in a group": _clipped_in_a_group,
    "half transparent": _half_transparent,
    "cloned": _cloned,
    "styled": _styled,
}
"""Stacks that no story of the contract is told on."""


def fingerprint(document: Any, ours: frozenset[str]) -> dict[str, object]:
    """All that there is in a document but these layers and groups."""
    document.waitForDone()
    found: dict[str, object] = {
        "size": (document.width(), document.height(), document.resolution()),
        "guides": (document.horizontalGuides(), document.verticalGuides()),
        "time": (document.currentTime(), document.fullClipRangeEndTime()),
        "selection": _selection(document.selection()),
    }
    names: list[str] = []
    for path, node in _walk(document.rootNode(), ()):
        key = node.uniqueId().toString()
        if key in ours or any(each in ours for each in _around(node)):
            continue
        if node.type() == "selectionmask":
            continue
        names.append("/".join(path))
        found[f"layer {'/'.join(path)}"] = _describe(node)
    found["order"] = names
    active = document.activeNode()
    found["active"] = active.name() if active is not None else ""
    return found


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for child in node.childNodes():
        yield (*path, child.name()), child
        yield from _walk(child, (*path, child.name()))


def _around(node: Any) -> Iterator[str]:
    parent = node.parentNode()
    while parent is not None:
        yield parent.uniqueId().toString()
        parent = parent.parentNode()


def _describe(node: Any) -> dict[str, object]:
    bounds, place = node.bounds(), node.position()
    style = getattr(node, "layerStyleToAsl", None)
    kind = node.type()
    found: dict[str, object] = {
        "kind": kind,
        "opacity": node.opacity(),
        "blending": node.blendingMode(),
        "visible": node.visible(),
        "locked": (node.locked(), node.alphaLocked()),
        "clipped": node.inheritAlpha(),
        "label": node.colorLabel(),
        "collapsed": node.collapsed(),
        "style": style() if style is not None else "",
        "place": (place.x(), place.y()),
        "frames": [time for time in range(11) if node.hasKeyframeAtTime(time)],
    }
    if kind == "grouplayer":
        found["passes"] = node.passThroughMode()
    elif kind == "vectorlayer":
        found["shapes"] = node.toSvg()
    elif kind == "clonelayer":
        found["source"] = node.sourceNode().name()
    elif kind == "filelayer":
        found["file"] = Path(node.path()).name  # Krita saves it relative to the document
    elif kind == "transparencymask":
        found["mask"] = _selection(node.selection())
    if kind in ("filtermask", "filterlayer"):
        found["filter"] = (node.filter().name(), node.filter().configuration().properties())
    if kind == "paintlayer" and not bounds.isEmpty():
        box = (bounds.x(), bounds.y(), bounds.width(), bounds.height())
        found["bounds"] = box
        found["pixels"] = hashlib.sha256(bytes(node.pixelData(*box))).hexdigest()
    return found


def _selection(selection: Any) -> object:
    if selection is None or selection.width() < 1:
        return None
    box = (selection.x(), selection.y(), selection.width(), selection.height())
    return box, hashlib.sha256(bytes(selection.pixelData(*box))).hexdigest()
