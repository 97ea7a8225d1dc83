"""What is known of a base that a person takes over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EDITS = "edits"
"""The fact of a model of a family that has both kinds: it was made to change pictures."""


@dataclass(frozen=True)
class BaseFacts:
    """What the list of imported files keeps of a base; see `Own`."""

    native: int
    preset: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    supplied: dict[str, str] = field(default_factory=dict[str, str])
    fills: bool = False
    notes: tuple[str, ...] = ()
