"""Keeps Krita from a crash when the painter comes back to a view."""

from __future__ import annotations

from typing import Any

from acetate_krita.adapter.documents import Documents
from acetate_krita.adapter.views import active_view, chosen_in

_BACK = "switchToPreviouslyActiveNode"


class ViewTurns:
    """Has a view forget a layer that went while the painter was elsewhere.

    Each view remembers the shape that stands for its active layer. When that goes while another
    view is in front, Krita tells the one in front alone, and the next layer that comes in makes
    it follow a pointer to nothing, whoever adds it. To choose the root and go back to the layer
    makes the view forget it.
    """

    def __init__(self, application: Any, documents: Documents) -> None:
        self._application = application
        self._documents = documents
        self._seen: dict[str, list[Any]] = {}
        self._changed: set[str] = set()

    def changed(self, document: str) -> None:
        """Layers are taken out of a document, or put in, by us."""
        active = self._documents.active()
        if active is None or active[0] != document:
            self._changed.add(document)

    def turned(self) -> None:
        """The painter may have come to another view."""
        active = self._documents.active()
        view = active_view(self._application, active[1]) if active is not None else None
        if active is None or view is None:
            return
        key, document = active
        known = self._documents.all()
        self._seen = {each: self._seen[each] for each in self._seen if each in known}
        seen = self._seen.get(key, [])
        elsewhere = key in self._changed or seen[-1:] != [view]
        self._changed.discard(key)
        known_view = view in seen
        self._seen[key] = [*(each for each in seen if each != view), view]
        if known_view and elsewhere:
            self._renew(document, view)

    def _renew(self, document: Any, view: Any) -> None:
        node = chosen_in(self._application, view)
        if node is None:
            return
        shapes = node.shapes() if node.type() == "vectorlayer" else []
        selected = [shape for shape in shapes if shape.isSelected()]
        # This lets Krita's loop turn first, in which the painter may go on to another view. The way
        # back must not: nobody shall meet the root as the active layer.
        document.setActiveNode(document.rootNode())
        self._application.action(_BACK).trigger()
        for shape in selected:
            shape.select()
