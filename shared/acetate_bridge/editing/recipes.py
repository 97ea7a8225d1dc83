"""Recipes as text, the way they are stored with a layer or in a document."""

from __future__ import annotations

import json

from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain
from acetate_bridge.protocol.types import Recipe


def recipe_text(recipe: Recipe) -> str:
    """A recipe as one line of JSON."""
    return json.dumps(to_plain(recipe), ensure_ascii=False, sort_keys=True)


def read_recipe(text: str) -> Recipe | None:
    """The recipe in a text; None when it is damaged. A newer version's additions are left out."""
    try:
        return from_plain(Recipe, read_json(text), allow_unknown=True)
    except (ValueError, Mismatch):
        return None
