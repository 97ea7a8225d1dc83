"""A result in its document, and a strip of them that an undo may bring back."""

from __future__ import annotations

from dataclasses import dataclass

from acetate_bridge.editing.anchor import Shift
from acetate_bridge.editing.job import Record, Result


@dataclass(frozen=True)
class Inserted:
    """A result in the document: its layers' keys, and how far each was moved by then.

    `offsets` lead from where the job was painted to where the layers were put.
    """

    result: Result
    keys: list[str]
    moved: list[Shift]
    offsets: list[Shift]
    names: list[str]
    group: str = ""


@dataclass(frozen=True)
class Cleared:
    """A strip as it was before it was cleared, and the layers that went with that.

    An undo of the painter's brings them back, and the strip with them.
    """

    record: Record
    results: list[Result]
    inserted: list[Inserted]
    discarded: list[tuple[int, Result]]
    before: Result | None
    hidden: tuple[str, ...]
    gone: frozenset[str]
