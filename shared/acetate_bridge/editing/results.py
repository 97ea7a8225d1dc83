"""The results of the last job: one stands in the document, the others wait to be chosen."""

from __future__ import annotations

from acetate_bridge.editing.editor import Editor, Insertion
from acetate_bridge.editing.job import Record, Result
from acetate_bridge.panel.view import Thumbnail


class Strip:
    """Calls the editor, so its methods raise DocumentClosed, and ValueError with a sentence."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor
        self.record: Record | None = None
        self.results: list[Result] = []
        self._inserted: list[tuple[Result, list[str]]] = []

    @property
    def thumbnails(self) -> tuple[Thumbnail, ...]:
        """What the panel draws."""
        return tuple(
            Thumbnail(result.picture, result.tip, bool(result.keys), result.kept, result.warning)
            for result in self.results
        )

    @property
    def shown(self) -> Result | None:
        """The result that the next choice replaces."""
        return next((each for each in self.results if each.keys and not each.kept), None)

    @property
    def anything_inserted(self) -> bool:
        """Whether any result stands in the document, or did."""
        return any(result.keys for result in self.results)

    def begin(self, record: Record) -> None:
        """Results of another job follow; what stands in the document stays there."""
        self.record, self.results, self._inserted = record, [], []

    def show(self, result: Result) -> None:
        """Insert a result in place of the shown one, as one undo step."""
        record = self.record
        if record is None:
            return
        present = self._present()
        self._follow(present)
        if result.keys:
            return
        old = self.shown
        leaving = list(old.keys) if old is not None else []
        if not self.anything_inserted:
            leaving = [key for key in record.replaces if key in present]
        # Within a group of a scene only the layers are exchanged, and the group stays.
        group = "" if old is not None else record.group
        insertion = Insertion(result.layers, record.place, group, record.selection, tuple(leaving))
        self._insert(record, result, insertion)
        if old is not None:
            old.keys = []

    def keep(self, result: Result) -> None:
        """Let a result stay, beside whatever is chosen next."""
        if not result.keys and self.record is not None:
            record = self.record
            insertion = Insertion(result.layers, record.place, record.group, record.selection)
            self._insert(record, result, insertion)
        result.kept = True

    def discard(self) -> None:
        """Take the shown result out, with the group that was made for it; clear the strip."""
        record, shown = self.record, self.shown
        self.record, self.results, self._inserted = None, [], []
        if record is None or shown is None:
            return
        keys = list(shown.keys)
        if record.group:
            layers = self._editor.layers(record.document)
            parents = {layer.parent for layer in layers if layer.key in keys} - {""}
            keys += [
                parent
                for parent in parents
                if all(layer.key in keys for layer in layers if layer.parent == parent)
            ]
        self._editor.remove(record.document, keys)

    def look_again(self) -> None:
        """Notice what the painter has deleted, undone or redone."""
        if self._inserted:
            self._follow(self._present())

    def _insert(self, record: Record, result: Result, insertion: Insertion) -> None:
        result.keys = self._editor.insert(record.document, insertion)
        self._inserted.append((result, result.keys))

    def _present(self) -> set[str]:
        if self.record is None:
            return set()
        return {layer.key for layer in self._editor.layers(self.record.document)}

    def _follow(self, present: set[str]) -> None:
        """An undo may take a result out of the document, or bring an earlier one back."""
        for result in self.results:
            if result.keys and not present.intersection(result.keys):
                result.keys, result.kept = [], False
        for result, keys in reversed(self._inserted):
            if not result.keys and present.intersection(keys):
                result.keys = keys
