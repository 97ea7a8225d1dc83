"""What was painted in a document: kept in the document itself, oldest forgotten first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from acetate_bridge.editing.editor import Selection
from acetate_bridge.editing.guides import Follow, is_left_out_line
from acetate_bridge.editing.masks import unpacked
from acetate_bridge.editing.thumbnails import pack_thumbnail, unpack_thumbnail
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain
from acetate_bridge.protocol.types import Image, Recipe

MOST_BYTES = 1024 * 1024
MOST_ENTRIES = 100
MOST_OF_A_MASK = 32 * 1024
"""Letters, so that a large and soft selection does not take the place of other entries."""


@dataclass(frozen=True)
class HistoryEntry:
    """A result: how it was painted, where, a small picture of it, and the line that says so.

    `selected`: the region was a selection, of which `mask` holds the strengths, packed as in a
    `Record` (empty: all of it, or too large to be kept). `follows` are the layers it followed.
    """

    recipe: Recipe
    region: Rect
    picture: Image
    line: bytes = field(repr=False, compare=False)
    selected: bool = False
    mask: str = field(default="", repr=False)
    follows: tuple[Follow, ...] = ()

    @property
    def selection(self) -> Selection | None:
        """What was selected when it was painted; None when nothing was."""
        if not self.selected:
            return None
        return Selection(self.region, unpacked(self.mask, self.region) if self.mask else None)


def entry_of(
    recipe: Recipe,
    region: Rect,
    picture: Image,
    selected: bool = False,
    mask: str = "",
    follows: Sequence[Follow] = (),
) -> HistoryEntry:
    """An entry for a result and its thumbnail."""
    mask = mask if len(mask) <= MOST_OF_A_MASK else ""
    value: dict[str, Any] = {
        "recipe": to_plain(recipe),
        "region": to_plain(region),
        "picture": pack_thumbnail(picture),
    }
    if selected:
        value.update(selected=True, mask=mask)
    if follows:
        value.update(follows=to_plain(list(follows)))
    line = json.dumps(value).encode()
    return HistoryEntry(recipe, region, picture, line, selected, mask, tuple(follows))


def read_history(note: bytes, known: Iterable[HistoryEntry] = ()) -> list[HistoryEntry]:
    """The entries in a document's note, newest first; damaged ones are left out.

    Those already `known` are taken as they are, since unpacking a picture takes a while.
    """
    read = {entry.line: entry for entry in known}
    entries: list[HistoryEntry] = []
    for line in note.splitlines():
        if line in read:
            entries.append(read[line])
            continue
        try:
            value: Any = read_json(line)
            entries.append(
                HistoryEntry(
                    from_plain(Recipe, value["recipe"], allow_unknown=True),
                    from_plain(Rect, value["region"]),
                    unpack_thumbnail(value["picture"]),
                    line,
                    value.get("selected") is True,
                    str(value.get("mask", "")),
                    tuple(
                        from_plain(Follow, each, allow_unknown=True)
                        for each in value.get("follows", [])
                    ),
                )
            )
        except (ValueError, Mismatch, KeyError, TypeError):
            continue
    return entries


def add_to_history(
    note: bytes, entry: HistoryEntry, most_bytes: int = MOST_BYTES, most_entries: int = MOST_ENTRIES
) -> bytes:
    """The note with another entry, a line each; the oldest go where it grows too large.

    One that is there already is moved to the front: what waited while its file was closed and
    opened again is noted twice.
    """
    before = [line for line in note.splitlines() if line != entry.line]
    # What is no result stays first, so that no number of results takes its place.
    kept_first = [line for line in before if is_left_out_line(line)]
    results = [entry.line, *(line for line in before if not is_left_out_line(line))]
    lines = [*kept_first, *results[:most_entries]]
    size = 0
    for kept, line in enumerate(lines):
        size += len(line) + 1
        if size > most_bytes:
            return b"\n".join(lines[:kept])
    return b"\n".join(lines)


def follows_of(recipe: Recipe, entries: list[HistoryEntry]) -> tuple[Follow, ...]:
    """The layers that a recipe was painted by following."""
    return next((entry.follows for entry in entries if entry.recipe == recipe), ())


def selection_of(recipe: Recipe, entries: list[HistoryEntry]) -> Selection | None:
    """What was selected when a recipe was painted; None when nothing was."""
    return next((entry.selection for entry in entries if entry.recipe == recipe), None)


def region_of(recipe: Recipe, entries: list[HistoryEntry]) -> Rect | None:
    """Where a recipe was painted; its layer's bounds may be smaller."""
    return next((entry.region for entry in entries if entry.recipe == recipe), None)
