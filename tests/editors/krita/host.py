"""The contract's host inside Krita: the painter's hand, by Krita's own means."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image
from acetate_krita.adapter.editor import KritaEditor
from acetate_krita.qt import QtCore, QtWidgets
from krita import Krita, Selection
from tests.editors.host import Entry, Kind
from tests.editors.krita import zoo
from tests.editors.stage import Stage

SRGB = "sRGB-elle-V2-srgbtrc.icc"
LINEAR = "sRGB-elle-V2-g10.icc"
WIDE = "ClayRGB-elle-V2-g22.icc"
ROUNDING = "Krita's conversion between depths and profiles rounds at about 1 in 2000"
_MODELS = {"rgb": "RGBA", "gray": "GRAYA", "cmyk": "CMYKA"}


def _kinds() -> Sequence[Kind]:
    return (
        Kind("8-bit sRGB", profile=SRGB),
        Kind("16-bit sRGB", "u16", profile=SRGB),
        Kind("16-bit linear", "u16", profile=LINEAR, linear=True, off_by16=32, because=ROUNDING),
        Kind("half float", "f16", profile=SRGB, off_by16=32, because=ROUNDING),
        Kind("half float linear", "f16", "rgb", LINEAR, True, off_by16=32, because=ROUNDING),
        Kind("float", "f32", profile=SRGB, off_by16=32, because=ROUNDING),
        Kind("float linear", "f32", "rgb", LINEAR, True, off_by16=32, because=ROUNDING),
        Kind("8-bit wide gamut", profile=WIDE, off_by8=12, because="dark colours, in eight bits"),
        Kind("16-bit wide gamut", "u16", profile=WIDE, off_by16=32, because=ROUNDING),
        Kind("8-bit gray", "u8", "gray"),
        Kind("16-bit gray", "u16", "gray"),
        Kind("half float gray", "f16", "gray"),
        Kind("float gray", "f32", "gray"),
        Kind("8-bit CMYK", "u8", "cmyk"),
        Kind("16-bit CMYK", "u16", "cmyk"),
        Kind("float CMYK", "f32", "cmyk"),
    )


class KritaHost:
    """Fulfils `Host`, with Krita's loop turning between its calls (see `in_turns`)."""

    def __init__(self) -> None:
        self.editor = KritaEditor()
        self.kinds = _kinds()
        self._krita = Krita.instance()
        self._documents: dict[str, Any] = {}
        for name in ("edit_undo", "edit_redo"):
            self.editor.undo_chains.watch(self._krita.action(name))

    def new_document(self, width: int, height: int, kind: Kind) -> str:
        document = self._krita.createDocument(
            width, height, kind.name, _MODELS[kind.colour], kind.depth.upper(), kind.profile, 72.0
        )
        self._krita.activeWindow().addView(document)
        document.rootNode().setChildNodes([])
        return self._take(document)

    def paint(
        self, document: str, name: str, image: Image, x: int, y: int, group: str | None = None
    ) -> str:
        found = self._documents[document]
        # Converted in a copy, because converting is an undo step.
        copy = found.clone()
        node = copy.createNode(name, "paintlayer")
        node.setColorSpace("RGBA", {"rgba8": "U8", "rgba16": "U16"}[image.format], SRGB)
        size = 1 if image.format == "rgba8" else 2
        data = bytearray(image.data)
        for byte in range(size):
            red, blue = data[byte :: 4 * size], data[2 * size + byte :: 4 * size]
            data[byte :: 4 * size], data[2 * size + byte :: 4 * size] = blue, red
        node.setPixelData(QtCore.QByteArray(bytes(data)), x, y, image.width, image.height)
        if found.colorModel() == "RGBA":
            node.setColorSpace("RGBA", found.colorDepth(), found.colorProfile())
        copy.waitForDone()
        copy.setModified(False)
        copy.close()
        parent = self._node(document, group) if group else found.rootNode()
        parent.addChildNode(node, None)
        return node.uniqueId().toString()

    def make_group(self, document: str, name: str) -> str:
        found = self._documents[document]
        node = found.createGroupLayer(name)
        found.rootNode().addChildNode(node, None)
        return node.uniqueId().toString()

    def activate(self, document: str, layer: str) -> None:
        self._documents[document].setActiveNode(self._node(document, layer))

    def lock(self, document: str, layer: str, locked: bool) -> None:
        self._node(document, layer).setLocked(locked)

    def select(self, document: str, region: Rect, feather: int = 0) -> None:
        selection = Selection()
        selection.select(region.x, region.y, region.width, region.height, 255)
        if feather:
            selection.feather(feather)
        self._documents[document].setSelection(selection)

    def select_nothing(self, document: str) -> None:
        self._documents[document].setSelection(None)

    def stack(self, document: str) -> list[Entry]:
        found: list[Entry] = []

        def look(node: Any, level: int) -> None:
            for child in reversed(node.childNodes()):
                if not child.type().endswith("mask"):
                    found.append(Entry(child.name(), level, child.type() == "grouplayer"))
                    look(child, level + 1)

        look(self._documents[document].rootNode(), 0)
        return found

    def bounds(self, document: str, layer: str) -> Rect:
        found = self._node(document, layer).bounds()
        return Rect(found.x(), found.y(), found.width(), found.height())

    def visible(self, document: str, region: Rect) -> Image:
        found = self._documents[document]
        found.refreshProjection()
        found.waitForDone()
        seen = found.projection(region.x, region.y, region.width, region.height)
        seen = seen.convertToFormat(seen.Format.Format_RGBA8888)
        bits = seen.constBits()
        bits.setsize(4 * region.width * region.height)
        return Image(region.width, region.height, bytes(bits))

    def mixing(self, document: str, layer: str) -> object:
        node = self._node(document, layer)
        return node.opacity(), node.blendingMode(), node.inheritAlpha()

    def style(self, document: str, layer: str) -> str:
        """The layer style, as text."""
        return str(self._node(document, layer).layerStyleToAsl())

    def mask(self, document: str, layer: str, region: Rect) -> bytes | None:
        for child in self._node(document, layer).childNodes():
            if child.type() == "transparencymask":
                box = (region.x, region.y, region.width, region.height)
                return bytes(child.selection().pixelData(*box))
        return None

    def undo(self, document: str) -> None:
        self._press("edit_undo", document)

    def redo(self, document: str) -> None:
        self._press("edit_redo", document)

    def reopen(self, document: str) -> str:
        path = Path(tempfile.mkdtemp()) / "contract.kra"
        found = self._documents[document]
        found.setBatchmode(True)
        assert found.saveAs(str(path))
        found.waitForDone()
        self.close(document)
        again = self._krita.openDocument(str(path))
        self._krita.activeWindow().addView(again)
        return self._take(again)

    def close(self, document: str) -> None:
        found = self._documents.pop(document)
        found.waitForDone()
        found.setModified(False)
        found.close()

    def settle(self) -> None:
        QtWidgets.QApplication.processEvents()

    # ---- stacks like a painter's

    @property
    def zoo(self) -> Sequence[str]:
        return tuple(zoo.STACKS)

    def build(self, stack: str) -> str:
        return self._take(zoo.build(stack))

    def fingerprint(self, document: str, ours: frozenset[str]) -> dict[str, object]:
        return zoo.fingerprint(self._documents[document], ours)

    def hides(self, before: dict[str, object]) -> tuple[str, ...]:
        return tuple(key for key in before if key.endswith(("layer active", "/active")))

    def open_panel(self) -> Stage:
        return Stage(self.editor, self.settle)

    def _press(self, action: str, document: str) -> None:
        self._documents[document].waitForDone()
        self._krita.action(action).trigger()
        self._documents[document].waitForDone()

    def _take(self, document: Any) -> str:
        described = self.editor.active_document()
        assert described is not None
        self._documents[described.key] = document
        return described.key

    def _node(self, document: str, layer: str) -> Any:
        node = self._documents[document].nodeByUniqueID(QtCore.QUuid(layer))
        assert node is not None, layer
        return node
