"""What travels with the document, as annotations: saved in the .kra, and outside undo.

Krita stores nothing with a layer, so all recipes stand in one annotation, keyed by the layer's id.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from acetate_bridge.protocol.json_text import read_json
from acetate_krita.adapter import layers as stack
from acetate_krita.qt import QtCore

RECIPES = "acetate_recipes.json"
NOTE = "acetate_note"
MARK = "acetate_mark"
_MOST_LOST = 200


def read_recipes(document: Any) -> dict[str, Any]:
    """The recipe of each layer by its key; empty when there are none or they are damaged."""
    data = bytes(document.annotation(RECIPES))
    try:
        found = read_json(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def write_recipes(document: Any, new: dict[str, str]) -> None:
    """Add recipes (as JSON). Those of layers that are gone stay a while: undo may bring them."""
    recipes = {**read_recipes(document), **{key: json.loads(text) for key, text in new.items()}}
    lost = [key for key in recipes if stack.find(document, key) is None]
    for key in lost[:-_MOST_LOST]:
        del recipes[key]
    text = json.dumps(recipes, ensure_ascii=False, sort_keys=False)
    document.setAnnotation(
        RECIPES, "How Acetate painted its layers", QtCore.QByteArray(text.encode("utf-8"))
    )


def recipe_of(document: Any, key: str) -> str | None:
    """The recipe of a layer in the stack, as JSON; that of its original for a duplicate."""
    node = stack.find(document, key)
    recipes = read_recipes(document) if node is not None else {}
    if not recipes:
        return None
    recipe = recipes.get(key)
    if recipe is None:
        recipe = next((recipes[each] for each in recipes if _alike(document, node, each)), None)
        if recipe is None:
            return None
        # From now on it may be painted on: it is known by its own name.
        write_recipes(document, {key: json.dumps(recipe)})
    return json.dumps(recipe, ensure_ascii=False, sort_keys=True)


def _alike(document: Any, node: Any, key: str) -> bool:
    """Whether a layer is a fresh duplicate: Krita names it anew and tells scripts nothing of it."""
    original = stack.find(document, key)
    if original is None or node.type() != "paintlayer" or original.type() != "paintlayer":
        return False
    box = node.bounds()
    if box.isEmpty() or box != original.bounds() or original.name() not in node.name():
        return False
    middle = (box.x(), box.y() + box.height() // 2, box.width(), 1)
    whole = (box.x(), box.y(), box.width(), box.height())
    # A row first: most layers differ there.
    return all(
        bytes(node.pixelData(*part)) == bytes(original.pixelData(*part)) for part in (middle, whole)
    )


def mark_of(document: Any) -> str:
    """The word by which a document is known when it is opened again; empty without one."""
    return bytes(document.annotation(MARK)).decode("ascii", "replace")


def mark(document: Any) -> str:
    """That word, given to the document if it has none: no change that has to be saved."""
    if not mark_of(document):
        word = uuid.uuid4().hex.encode("ascii")
        document.setAnnotation(MARK, "How Acetate knows this document", QtCore.QByteArray(word))
    return mark_of(document)


def read_note(document: Any) -> bytes:
    """What `write_note` stored."""
    return bytes(document.annotation(NOTE))


def write_note(document: Any, data: bytes) -> None:
    """Store bytes in the document."""
    document.setAnnotation(NOTE, "What Acetate remembers of this document", QtCore.QByteArray(data))
    document.setModified(True)
