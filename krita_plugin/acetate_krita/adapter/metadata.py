"""What travels with the document, as annotations: saved in the .kra, and outside undo.

Krita stores nothing with a layer, so all recipes stand in one annotation, keyed by the layer's id.
"""

from __future__ import annotations

import json
from typing import Any

from acetate_krita.adapter import layers as stack
from acetate_krita.qt import QtCore

RECIPES = "acetate_recipes.json"
NOTE = "acetate_note"
_MOST_LOST = 200


def read_recipes(document: Any) -> dict[str, Any]:
    """The recipe of each layer by its key; empty when there are none or they are damaged."""
    data = bytes(document.annotation(RECIPES))
    try:
        found = json.loads(data.decode("utf-8")) if data else {}
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
    """The recipe of a layer in the stack, as JSON."""
    recipe = read_recipes(document).get(key)
    if recipe is None or stack.find(document, key) is None:
        return None
    return json.dumps(recipe, ensure_ascii=False, sort_keys=True)


def read_note(document: Any) -> bytes:
    """What `write_note` stored."""
    return bytes(document.annotation(NOTE))


def write_note(document: Any, data: bytes) -> None:
    """Store bytes in the document."""
    document.setAnnotation(NOTE, "What Acetate remembers of this document", QtCore.QByteArray(data))
    document.setModified(True)
