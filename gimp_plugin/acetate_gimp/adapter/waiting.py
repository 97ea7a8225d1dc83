"""What a painter is told of a layer that waits for more than the hand to rest."""

from __future__ import annotations

ANCHOR = "The layer is ready and comes in as soon as the floating selection is anchored."
DIALOG = "The layer is ready and comes in as soon as GIMP's dialog is closed."
TOOL = "The layer is ready and comes in as soon as the tool is done."
SELECTION = (
    "The layer is ready and comes in when you turn to this panel: a selection may be in use."
)
TEXT = "The layer is ready and comes in when you turn to this panel: a text may be typed."


def hidden(name: str) -> str:
    """The painter has hidden the layer, or a tool has: GIMP does not tell which."""
    return (
        f"The layer is ready. “{name}” is hidden, as a tool hides what it transforms: "
        "finish that, or show it again."
    )
