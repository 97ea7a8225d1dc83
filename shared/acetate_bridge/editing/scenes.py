"""Scenes in a stack: layers of one job that lie together in the group that was made for them."""

from __future__ import annotations

from collections.abc import Sequence

from acetate_bridge.editing.editor import Editor, LayerInfo
from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.protocol.modes import mode_row


def scene_of(
    editor: Editor, document: str, layer: LayerInfo, layers: Sequence[LayerInfo]
) -> list[LayerInfo]:
    """The layers of the scene that a layer belongs to, from the top downwards; empty for none.

    They lie in one group and have one recipe, of a mode whose layers come in a group.
    """
    text = editor.recipe(document, layer.key)
    recipe = read_recipe(text) if text and layer.parent else None
    if recipe is None or not mode_row(recipe.mode).grouped:
        return []
    beside = [each for each in layers if each.parent == layer.parent and not each.group]
    found = [each for each in beside if editor.recipe(document, each.key) == text]
    return found if len(found) > 1 else []
