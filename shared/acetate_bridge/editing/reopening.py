"""A document that was closed and is open again, though the editor calls it otherwise now."""

from __future__ import annotations

from collections.abc import Sequence

from acetate_bridge.editing.editor import Document, DocumentClosed, Editor
from acetate_bridge.editing.job import Record
from acetate_bridge.editing.stack_order import StackEntry, found_again


def home_of(record: Record, documents: list[Document]) -> Document | None:
    """The document of a job: while it is open by its key, else by what it is.

    A copy carries the same mark: where that leaves a doubt, the file has to tell.
    """
    found = next((each for each in documents if each.key == record.document), None)
    if found is not None:
        return found
    marked = [each for each in documents if record.mark and each.mark == record.mark]
    saved = [each for each in marked or documents if record.file and each.file == record.file]
    return next(iter(saved), None) or (marked[0] if len(marked) == 1 else None)


def keys_now(editor: Editor, home: Document, stack: Sequence[StackEntry]) -> dict[str, str] | None:
    """What the layers of an earlier stack are called in a document; None: as they were."""
    if home.lasting:
        return None
    try:
        return found_again(stack, editor.layers(home.key))
    except DocumentClosed:
        return {}
