"""The results of the last job in a document: one stands there, the others wait to be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from acetate_bridge.editing.anchor import Shift, shift_since
from acetate_bridge.editing.completing import complete
from acetate_bridge.editing.content import content_of
from acetate_bridge.editing.editor import (
    Document,
    DocumentClosed,
    Editor,
    Insertion,
    LayerInfo,
    Place,
)
from acetate_bridge.editing.inserted import Cleared, Inserted
from acetate_bridge.editing.job import Record, Result
from acetate_bridge.editing.placing import clip, first_of, moved_by, near, summed, with_names
from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.editing.stack_order import (
    Earlier,
    StackEntry,
    entries_of,
    key_now,
    place_now,
)
from acetate_bridge.editing.standing import Standing
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, Layer, PixelFormat

_CLEAR = Image(1, 1, bytes(4))


class PlaceLost(Exception):
    """The document was turned or scaled since the job was asked for: nobody knows its place."""


class Strip:
    """Calls the editor, so its methods raise DocumentClosed, and ValueError with a sentence.

    A first insertion may raise PlaceLost. `earlier` knows the results of all jobs, above which new
    ones go (a script has none); `stack` is the document's as it was seen last.
    """

    def __init__(self, editor: Editor, earlier: Earlier | None = None) -> None:
        self._editor, self._earlier = editor, earlier
        self.stack: list[StackEntry] = []
        self.record: Record | None = None
        self.results: list[Result] = []
        self._inserted: list[Inserted] = []
        self._before: Result | None = None
        self._hidden: tuple[str, ...] = ()
        self._discarded: list[tuple[int, Result]] = []
        self._cleared: Cleared | None = None

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
        self.record, self.results = record, []
        self._forget()

    def _forget(self) -> None:
        self._inserted, self._discarded = [], []
        self._before, self._hidden = None, ()
        self._cleared = None

    def take_up(self, record: Record, found: Sequence[Standing]) -> None:
        """Results of an earlier sitting stand there: kept, as nobody knows what they had hidden."""
        self.begin(record)
        for each in found:
            layers = tuple(self._read(record, info, (0, 0)) for info in each.layers)
            self.results.append(Result(layers, each.picture, kept=True))
            self._note_standing(self.results[-1], each.layers, [one.moved for one in each.layers])

    def stands_already(self, result: Result, there: Sequence[LayerInfo]) -> None:
        """A result is in the document, though it comes only now: the panel was closed meanwhile."""
        hides = self.record.hides if self.record is not None else []
        layers = self._layers()
        hidden = tuple(key for key in hides if key in layers and layers[key].hidden)
        self._hidden = self._hidden or hidden
        self._note_standing(result, there, [(0, 0)] * len(there))

    def _note_standing(
        self, result: Result, there: Sequence[LayerInfo], moved: list[Shift]
    ) -> None:
        result.keys, result.stood = [each.key for each in there], True
        names, offsets = [each.name for each in there], [(0, 0)] * len(there)
        self._inserted.append(Inserted(result, result.keys, moved, offsets, names))

    def opened_again(self, record: Record, keys: dict[str, str] | None) -> None:
        """Its document was closed and is open again; see `Record.opened_again`."""
        self.record, self._cleared = record, None
        if keys is None:
            return
        then, self._inserted = self._inserted, []
        for each in then:
            now = [key_now(key, keys) for key in each.keys]
            # Where none of them is there any more, the result waits to be put in again.
            if each.result.keys == each.keys:
                each.result.keys = now
            self._inserted.append(replace(each, keys=now, group=key_now(each.group, keys)))
        self._hidden = tuple(keys[key] for key in self._hidden if key in keys)

    def show(self, result: Result) -> None:
        """Insert a result in place of the shown one, as one undo step.

        One that is shown already becomes the active layer.
        """
        record = self.record
        if record is None:
            return
        self.look_again()
        if result.keys:
            self._editor.choose(record.document, result.keys[0])
            return
        old = self.shown
        if old is not None:
            self._exchange(record, old, result)
        elif not self.anything_inserted:
            self._insert_first(record, result)
        else:
            self._insert_beside(record, result)

    def keep(self, result: Result) -> None:
        """Let a result stay, beside whatever is chosen next."""
        if not result.keys and self.record is not None:
            self._insert_beside(self.record, result)
        result.kept = True
        self._before = None

    def discard(self) -> None:
        """Take the shown result out; what it had replaced or hidden is back.

        Those that wait stay in the strip; without a shown one, or none that waits, it is cleared.
        """
        self.look_again()
        record, before, shown = self.record, self._before, self.shown
        waiting = [each for each in self.results if each is not shown]
        if record is not None and shown is not None:
            if before is not None:
                self._exchange(record, shown, before)
                # The next one that is chosen stands for it as this one did.
                record = replace(record, replaces=list(before.keys), source=before.keys[0])
            else:
                leaving = [*shown.keys, *self._own_group(record, shown)]
                # What is kept stands for the source, which stays hidden then.
                kept = any(each.kept and each.keys for each in self.results)
                self._editor.remove(record.document, leaving, () if kept else self._hidden)
                shown.keys = []
            if any(not each.keys for each in waiting):
                self._discarded.append((self.results.index(shown), shown))
                self.record, self.results = record, waiting
                return
        cleared = self._as_cleared()
        self.record, self.results = None, []
        self._forget()
        self._cleared = cleared

    def look_again(self) -> None:
        """Notice what the painter has deleted, undone or redone."""
        if self._cleared is not None:
            self._bring_back(self._cleared)
        if self._inserted:
            self._follow(set(self._layers()))

    def _insert_first(self, record: Record, result: Result) -> None:
        """The first result of a job: it replaces or hides what the job was made for."""
        layers = self._layers()
        shift = self._shift(record)
        self._complete(record, result)
        gone = record.gives_way(result.whole)
        there = [key for key in record.replaces if key in layers and key in gone]
        replaced = tuple(key for key in there if self._is_as_it_was(record, layers[key]))
        before = self._captured(record, replaced, shift) if replaced else None
        # What was painted there meanwhile is nowhere else.
        hides = [key for key in record.hides if key in gone]
        hides += [key for key in there if key not in replaced]
        hidden = tuple(key for key in hides if key in layers and not layers[key].hidden)
        named = with_names(result.layers, [layers[key].name for key in replaced])
        insertion = Insertion(
            moved_by(named, [shift] * len(named)),
            self._place(record, layers),
            record.group,
            clip(record, result, shift),
            replaced,
            hidden,
            first_of([*hides, record.patches, record.like], layers),
        )
        self._stand(record, result, insertion, [shift] * len(result.layers))
        self._before, self._hidden = before, hidden

    def _insert_beside(self, record: Record, result: Result) -> None:
        shift = self._shift(record)
        offsets = [shift] * len(result.layers)
        self._complete(record, result)
        layers = self._layers()
        insertion = Insertion(
            moved_by(result.layers, offsets),
            self._place(record, layers),
            record.group,
            clip(record, result, shift),
            like=first_of([*record.hides, record.patches, record.like], layers),
        )
        self._stand(record, result, insertion, offsets)

    def _exchange(self, record: Record, old: Result, new: Result) -> None:
        """Put a result in the place of another, which keeps what the painter did to it."""
        self._complete(record, new)
        standing = self._standing(old)
        layers = self._layers()
        offsets = list(standing.offsets)
        for index, key in enumerate(standing.keys):
            if key in layers:
                offsets[index] = summed(
                    standing.offsets[index], layers[key].moved, standing.moved[index]
                )
        old.layers = tuple(
            self._as_it_is(record, layer, layers.get(key), offset)
            for layer, key, offset in zip(old.layers, standing.keys, offsets)  # noqa: B905
        )
        while len(offsets) < len(new.layers):
            offsets.append(offsets[-1])
        # A name stays that the painter has given.
        given = [
            layers[key].name if key in layers and layers[key].name != name else ""
            for key, name in zip(standing.keys, standing.names)  # noqa: B905 (as many)
        ]
        insertion = Insertion(
            moved_by(with_names(new.layers, given), offsets),
            near(standing.keys, layers, self._place(record, layers)),
            replaces=tuple(standing.keys),
        )
        self._stand(record, new, insertion, offsets, standing.group)
        old.keys = []

    def _stand(
        self,
        record: Record,
        result: Result,
        insertion: Insertion,
        offsets: list[Shift],
        group: str = "",
    ) -> None:
        result.keys = self._editor.insert(record.document, insertion)
        result.stood = True
        layers = self._layers()
        if insertion.group and result.keys[0] in layers:
            group = layers[result.keys[0]].parent
        moved = [layers[key].moved if key in layers else (0, 0) for key in result.keys]
        names = [layer.name for layer in result.layers]
        if self._earlier is not None and insertion.replaces:
            self._earlier.note_heirs(record.document, insertion.replaces, result.keys)
        elif self._earlier is not None and record.place.layer in layers:
            self._earlier.note(record.document, record.place, [group] if group else result.keys)
        self._inserted.append(Inserted(result, result.keys, moved, offsets, names, group))

    def _place(self, record: Record, layers: dict[str, LayerInfo]) -> Place:
        """Where the layers of a job go now: above what was painted there before."""
        stack = list(layers.values())
        place = place_now(record.place, record.anchor.stack, stack)
        earlier = self._earlier
        return earlier.topmost(record.document, place, stack) if earlier is not None else place

    def _complete(self, record: Record, result: Result) -> None:
        complete(self._editor, self._document(record), record, result, self._before)

    def _shift(self, record: Record) -> Shift:
        """How far the region has gone since it was asked for; raises PlaceLost."""
        found = shift_since(self._editor, self._document(record), record.anchor)
        if found is None:
            raise PlaceLost(record.title)
        return found

    def _is_as_it_was(self, record: Record, layer: LayerInfo) -> bool:
        """Whether nobody has painted on a layer since the job was asked for."""
        then = record.contents.get(layer.key)
        return then is None or then == content_of(self._editor, self._document(record), layer)

    def _document(self, record: Record) -> Document:
        for each in self._editor.documents():
            if each.key == record.document:
                return each
        raise DocumentClosed(record.document)

    def _captured(self, record: Record, keys: tuple[str, ...], shift: Shift) -> Result:
        """What a job replaces, so that discarding its results can bring it back."""
        layers = self._layers()
        found = [self._read(record, layers[key], shift) for key in keys]
        return Result(tuple(found), _CLEAR)

    def _as_it_is(
        self, record: Record, layer: Layer, info: LayerInfo | None, offset: Shift
    ) -> Layer:
        """A layer with the strokes that were painted on it, or as it was when there are none."""
        if info is None:
            return layer
        image = layer.image
        place = Rect(layer.x, layer.y, image.width, image.height).moved(*offset)
        if info.bounds is None or place.contains(info.bounds):
            own = self._editor.read_own(record.document, info.key, place, image.format)
            return layer if own == image else replace(layer, image=own)
        return replace(self._read(record, info, offset), name=layer.name, role=layer.role)

    def _read(self, record: Record, info: LayerInfo, offset: Shift) -> Layer:
        """A layer's own pixels and recipe, at the place where the job was painted."""
        text = self._editor.recipe(record.document, info.key)
        recipe = read_recipe(text) if text else None
        if info.bounds is None:
            return Layer(_CLEAR, name=info.name, recipe=recipe)
        own = self._editor.read_own(
            record.document, info.key, info.bounds, self._format(record.document)
        )
        return Layer(
            own,
            name=info.name,
            x=info.bounds.x - offset[0],
            y=info.bounds.y - offset[1],
            recipe=recipe,
        )

    def _own_group(self, record: Record, shown: Result) -> list[str]:
        """The group that was made for a result, while it holds nothing else and no mask."""
        layers = self._layers()
        group = self._standing(shown).group
        if not record.group or group not in layers or layers[group].dressed:
            return []
        inside = [each.key for each in layers.values() if each.parent == group]
        return [group] if all(key in shown.keys for key in inside) else []

    def _format(self, document: str) -> PixelFormat:
        found = next((each for each in self._editor.documents() if each.key == document), None)
        return found.pixel_format if found is not None else "rgba8"

    def _standing(self, result: Result) -> Inserted:
        return next(
            each
            for each in reversed(self._inserted)
            if each.result is result and each.keys == result.keys
        )

    def _layers(self) -> dict[str, LayerInfo]:
        if self.record is None:
            return {}
        layers = self._editor.layers(self.record.document)
        self.stack = entries_of(layers)
        return {layer.key: layer for layer in layers}

    def _as_cleared(self) -> Cleared | None:
        """The strip as an undo may bring it back; None where nothing of it was in the document."""
        present = self._layers()
        keys = {
            key
            for each in self._inserted
            for key in each.keys
            if each.result is not self._before and key not in present
        }
        if self.record is None or not keys:
            return None
        inserted, discarded, before = self._inserted, self._discarded, self._before
        gone = frozenset(keys)
        return Cleared(self.record, self.results, inserted, discarded, before, self._hidden, gone)

    def _bring_back(self, cleared: Cleared) -> None:
        """Show what was discarded, once the painter has undone that."""
        present = {layer.key for layer in self._editor.layers(cleared.record.document)}
        if self.record is None and cleared.gone & present:
            self.record, self.results = cleared.record, cleared.results
            self._inserted, self._discarded = cleared.inserted, cleared.discarded
            self._before, self._hidden = cleared.before, cleared.hidden
            self._cleared = None

    def _follow(self, present: set[str]) -> None:
        """An undo may take a result out of the document, or bring an earlier one back."""
        for result in self.results:
            if result.keys and not present.intersection(result.keys):
                result.keys, result.kept = [], False
        for standing in reversed(self._inserted):
            if not standing.result.keys and present.intersection(standing.keys):
                standing.result.keys = standing.keys
        for place, result in reversed(self._discarded):
            if result.keys:
                self.results.insert(place, result)
        self._discarded = [each for each in self._discarded if not each[1].keys]
