"""Whether the pixels of a layer are still those that they were."""

from __future__ import annotations

import hashlib

from acetate_bridge.editing.editor import Document, Editor, LayerInfo


def content_of(editor: Editor, document: Document, layer: LayerInfo) -> str:
    """A word for what is painted on a layer, wherever that lies. Raises LayerGone."""
    bounds = layer.bounds
    if bounds is None:
        return ""
    own = editor.read_own(document.key, layer.key, bounds, document.pixel_format)
    return f"{own.width} × {own.height} {hashlib.sha256(own.data).hexdigest()}"
