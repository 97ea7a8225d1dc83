"""Which documents are open. Krita hands out a new object for each question, so keys are ours."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from acetate_bridge.editing.editor import Document, DocumentClosed
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_krita.adapter.metadata import mark_of
from acetate_krita.adapter.views import active_node


class Documents:
    """Gives every open document a key that it keeps until it is closed."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._known: dict[str, Any] = {}

    def all(self) -> dict[str, Any]:
        """All open documents by their keys."""
        found: dict[str, Any] = {}
        for document in self._application.documents():
            key = next((key for key, known in self._known.items() if known == document), None)
            found[key or uuid.uuid4().hex] = document
        self._known = found
        return found

    def find(self, key: str) -> Any:
        """The document with this key; raises DocumentClosed."""
        try:
            return self.all()[key]
        except KeyError:
            raise DocumentClosed(key) from None

    def active(self) -> tuple[str, Any] | None:
        """The document that the painter looks at, with its key."""
        document = self._application.activeDocument()
        if document is None or document.rootNode() is None:
            return None
        return next(((key, each) for key, each in self.all().items() if each == document), None)

    def active_node(self, document: Any) -> Any | None:
        """The layer or mask that the painter works on in a document."""
        return active_node(self._application, document)


def describe(key: str, document: Any) -> Document:
    """A document in the bridge's words. Krita keeps colour layers in any colour model."""
    file = document.fileName()
    return Document(
        key,
        Path(file).name if file else document.name() or "Unnamed",
        Size(document.width(), document.height()),
        deep=document.colorDepth() != "U8",
        file=file,
        mark=mark_of(document),
    )


def canvas_of(document: Any) -> Rect:
    """The whole canvas."""
    return Rect(0, 0, document.width(), document.height())
