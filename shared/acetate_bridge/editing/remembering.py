"""Results on their way into the history that a document keeps."""

from __future__ import annotations

import logging

from acetate_bridge.editing.editor import DocumentClosed, Editor
from acetate_bridge.editing.job import Record, Result
from acetate_bridge.editing.metadata import add_to_history, entry_of

log = logging.getLogger("acetate.panel")


def remember(editor: Editor, record: Record, result: Result) -> None:
    """Add a result to the history of its document, unless that is closed by now."""
    # Of layers that were painted one after another the request has the whole.
    recipe = record.recipe if record.recipe.then else result.recipe or record.recipe
    try:
        selected = record.origin == "selection"
        entry = entry_of(
            recipe, record.region, result.picture, selected, record.mask, record.follows
        )
        note = add_to_history(editor.note(record.document), entry)
        editor.keep_note(record.document, note)
    except DocumentClosed:
        log.debug("the document was closed before its history was kept")
