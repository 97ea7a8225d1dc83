"""Results that stand in a document already: painted before the panel, or the editor, was opened."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from acetate_bridge.editing.editor import Document, DocumentClosed, Editor, LayerInfo
from acetate_bridge.editing.job import Record
from acetate_bridge.editing.metadata import HistoryEntry
from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.protocol.types import Image, Recipe


@dataclass(frozen=True)
class Standing:
    """The layers of a result that are in the document, and its small picture."""

    picture: Image
    layers: tuple[LayerInfo, ...]


def layers_with(editor: Editor, document: str, recipe: Recipe | None) -> tuple[LayerInfo, ...]:
    """The layers that carry a recipe, from the top downwards; none in a closed document."""
    try:
        return _by_recipe(editor, document, [recipe])[0] if recipe is not None else ()
    except DocumentClosed:
        return ()


def last_results(
    editor: Editor, document: Document, entries: Sequence[HistoryEntry]
) -> tuple[Record, list[Standing]] | None:
    """What stands in a document of the job that its history has last; None when nothing does.

    `entries` are listed from the newest. Results of one job differ in nothing but their seed.
    Raises DocumentClosed.
    """
    if not entries:
        return None
    newest = entries[0]
    same = list(itertools.takewhile(lambda each: _of_one_job(each, newest), entries))[::-1]
    layers = _by_recipe(editor, document.key, [each.recipe for each in same])
    found = [Standing(each.picture, there) for each, there in zip(same, layers) if there]  # noqa: B905 (as many)
    record = Record(
        f"in {document.key}",
        document.key,
        document.title,
        newest.recipe.mode,
        newest.region,
        newest.recipe,
        file=document.file,
        mark=document.mark,
    )
    return (record, found) if found else None


def _by_recipe(
    editor: Editor, document: str, recipes: Sequence[Recipe]
) -> list[tuple[LayerInfo, ...]]:
    texts = [(each, editor.recipe(document, each.key)) for each in editor.layers(document)]
    read = [(each, read_recipe(text)) for each, text in texts if text]
    return [tuple(each for each, own in read if own == wanted) for wanted in recipes]


def _of_one_job(entry: HistoryEntry, other: HistoryEntry) -> bool:
    same = replace(entry.recipe, seed=0) == replace(other.recipe, seed=0)
    return same and entry.region == other.region
