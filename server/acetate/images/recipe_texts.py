"""The recipe that a picture carries: a text chunk of a PNG, or the image description of others.

The sheet of many pictures carries a list of recipes, and so does a scene of several layers; those
of a scene are marked as such.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from acetate.images.png_texts import SIGNATURE, png_texts
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain
from acetate_bridge.protocol.types import Recipe

RECIPE_KEY = "acetate.recipe"
"""Keyword of the text chunk that holds the recipe as JSON."""
_SCENE = "scene"
"""Stands in the recipe of a layer where the file shows more than that layer."""
_DESCRIPTION = 270


class BadRecipe(ValueError):
    """What is called a recipe cannot be read."""


@dataclass(frozen=True)
class Carried:
    """The recipes that a picture carries, and whether it is a scene stacked from their layers."""

    recipes: list[Recipe] = field(default_factory=list[Recipe])
    scene: bool = False


def recipe_text(recipe: Recipe | Sequence[Recipe] | None, scene: bool = False) -> str:
    """A recipe as JSON, several as a list, none as an empty text.

    `scene` says that the picture is stacked from their layers and what lies beneath.
    """
    if recipe is None or recipe == []:
        return ""
    mark = {_SCENE: True} if scene else {}
    if isinstance(recipe, Recipe):
        return json.dumps(to_plain(recipe) | mark, ensure_ascii=False)
    return json.dumps([to_plain(one) | mark for one in recipe], ensure_ascii=False)


def recipes_in(data: bytes) -> list[Recipe]:
    """The recipes that a picture of any format carries; none for a stranger's.

    Raises BadRecipe.
    """
    return carried_by(data).recipes


def carried_by(data: bytes) -> Carried:
    """The same with what they are the recipes of. Raises BadRecipe."""
    text = png_texts(data).get(RECIPE_KEY) if data.startswith(SIGNATURE) else _described(data)
    if text is None:
        return Carried()
    try:
        found: Any = read_json(text)
        many = cast("list[Any]", found if isinstance(found, list) and found else [found])
        recipes = [from_plain(Recipe, one, allow_unknown=True) for one in many]
        return Carried(recipes, all(one.get(_SCENE) is True for one in many))
    except (ValueError, Mismatch, RecursionError) as error:
        raise BadRecipe(str(error)) from error


def _described(data: bytes) -> str | None:
    from PIL import Image as Pillow

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(data), formats=["WEBP", "TIFF", "AVIF", "JPEG"]) as picture:
                words = picture.getexif().get(_DESCRIPTION)
        found = json.loads(words) if isinstance(words, str) else None
    except Exception:  # What a damaged file makes its library raise is anybody's guess.
        return None
    if not isinstance(found, dict) or RECIPE_KEY not in found:
        return None
    return json.dumps(found[RECIPE_KEY])
