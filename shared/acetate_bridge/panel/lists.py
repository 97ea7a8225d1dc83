"""What the panel has several of: one row of the table for each list, drawn by both toolkits."""

from __future__ import annotations

from dataclasses import dataclass

from acetate_bridge.panel.fields import Field, Value
from acetate_bridge.protocol.following import MOST_CONTROLS
from acetate_bridge.protocol.limits import (
    CONTROL_END,
    CONTROL_STRENGTH,
    MOST_LAYERS_IN_TURN,
    MOST_STYLES,
    STYLE_WEIGHT,
)
from acetate_bridge.protocol.modes import mode_row

Row = dict[str, Value]
"""One entry of a list: the value of each of its columns."""


@dataclass(frozen=True)
class ListField:
    """A list of entries that have the same `columns`; `add` is what its button says.

    `tip` explains the button, `most` is how many entries there may be. `remembered`: it is kept
    from one day to the next. `folded`: it stands in the fold of what is followed; else below the
    prompt, in the modes alone whose `fields` name it.
    """

    name: str
    title: str
    add: str
    tip: str
    columns: tuple[Field, ...]
    most: int
    remembered: bool = False
    folded: bool = True

    @property
    def fields(self) -> dict[str, Field]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    def blank(self) -> Row:
        """A new entry."""
        return {column.name: column.default for column in self.columns}

    def clean(self, entry: Row) -> Row:
        """An entry with every value inside its bounds."""
        return {name: row.clean(entry.get(name)) for name, row in self.fields.items()}

    def applies(self, mode: str) -> bool:
        """Whether it counts in a mode."""
        row = mode_row(mode)
        return row.prompted if self.folded else self.name in row.fields


LISTS: dict[str, ListField] = {
    each.name: each
    for each in (
        ListField(
            "follow",
            "Follow",
            "Follow a Layer",
            "Let the painting follow the active layer: a sketch, lines, a map, or a reference",
            (
                Field("layer", "Layer", "The layer to follow; it may be hidden", "menu", ""),
                Field(
                    "kind",
                    "As",
                    "What it shows. Lines and edges are found by themselves, unless it is a map",
                    "menu",
                    "",
                ),
                Field(
                    "strength",
                    "Strength",
                    "How closely it is followed",
                    "share",
                    1.0,
                    CONTROL_STRENGTH,
                ),  # fmt: skip
                Field(
                    "end",
                    "Until",
                    "Followed up to this share of the painting, then left alone",
                    "share",
                    1.0,
                    CONTROL_END,
                ),  # fmt: skip
                Field("name", "Name", "What the layer is called", "line", ""),
            ),
            MOST_CONTROLS,
        ),
        ListField(
            "styles",
            "Styles",
            "Add a Style",
            "Paint in a style (LoRA) that was imported",
            (
                Field("style", "Style", "An imported style", "menu", ""),
                Field(
                    "weight",
                    "Weight",
                    "How strong it is; 1 is as it was trained",
                    "number",
                    1.0,
                    STYLE_WEIGHT,
                    decimals=2,
                ),  # fmt: skip
            ),
            MOST_STYLES,
            remembered=True,
        ),
        ListField(
            "then",
            "Then",
            "Another Layer",
            "One more layer in front of those, painted in view of them",
            (Field("words", "Then", "What to paint on it", "line", ""),),
            MOST_LAYERS_IN_TURN,
            remembered=True,
            folded=False,
        ),
    )
}
"""In the order of the panel."""

HIDDEN_COLUMNS = frozenset({"name"})
"""Kept with an entry and not drawn."""
