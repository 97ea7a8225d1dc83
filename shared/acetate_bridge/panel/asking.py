"""The actions that ask for a job: where the painter is, what is read there, what is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from acetate_bridge.client.connection_state import STOPPED
from acetate_bridge.editing.anchor import Shift, shift_since
from acetate_bridge.editing.editor import (
    Document,
    DocumentClosed,
    Editor,
    LayerGone,
    LayerInfo,
    Selection,
)
from acetate_bridge.editing.guides import left_out_of, with_left_out
from acetate_bridge.editing.insertion import Deliveries
from acetate_bridge.editing.job import Record, Task
from acetate_bridge.editing.job_file import TaskBook
from acetate_bridge.editing.metadata import HistoryEntry, read_history
from acetate_bridge.editing.plan import CannotPlan, Situation
from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.editing.reopening import home_of, keys_now
from acetate_bridge.editing.request_builder import (
    NO_PROMPT,
    BuiltRequest,
    Wish,
    anew,
    build,
    mode_info,
    once_more,
    repeated,
    with_own_prompt,
)
from acetate_bridge.panel import strings as words
from acetate_bridge.panel.adjusting import safely
from acetate_bridge.panel.dispatch import Link
from acetate_bridge.panel.guides import hindrance
from acetate_bridge.panel.guiding import Guiding
from acetate_bridge.panel.preferences import Preferences
from acetate_bridge.panel.view_model import Knowledge
from acetate_bridge.protocol.limits import has_prompt
from acetate_bridge.protocol.messages import ModeInfo, ModelInfo
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.seeds import drawn_seed
from acetate_bridge.protocol.types import Recipe


class Asking(Guiding):
    """The panel's actions that start something; `Controller` follows what becomes of it."""

    def __init__(self, editor: Editor, settings_file: Path) -> None:
        super().__init__(Knowledge(), Preferences(editor, settings_file))
        self._editor = editor
        self._link: Link | None = None
        self._book: TaskBook | None = None
        self._tasks: dict[str, Task] = {}
        self._asked: dict[str, Record] = {}
        self._last: dict[str, BuiltRequest] = {}
        self._note = b""
        self._entries: list[HistoryEntry] = []
        self._deliveries = Deliveries(editor, self._settle, self._arrived)

    def _settle(self, task: Task) -> None:
        raise NotImplementedError

    def _arrived(self, problem: str) -> None:
        raise NotImplementedError

    @safely
    def set_mode(self, mode: str) -> None:
        """Choose what to do; what is said of it may depend on all the layers."""
        super().set_mode(mode)
        if self._preferences.guides:
            self._look()

    @safely
    def generate(self, mode: str | None = None) -> None:
        """Paint with these settings."""
        self._generate(mode or self._preferences.current.mode)

    @safely
    def repaint(self) -> None:
        """Repaint the active layer; without a prompt, with the one that it was painted from."""
        self._generate("refine")

    @safely
    def regenerate(self) -> None:
        """Paint the active layer anew from its recipe, with another seed, in its place."""
        self._look()
        known = self.known
        known.situation, wish = anew(self._editor, known.situation, known.recipe, known.history)
        assert known.recipe is not None
        self._submit(repeated(known.recipe, drawn_seed()), wish)

    @safely
    def another_try(self) -> None:
        """The last job of this document once more, with another seed, from the same source."""
        self._look()
        record = self._asked.get(self._here().key)
        if record is None:
            raise CannotPlan("Nothing was painted in this image yet.")
        document = self._here()
        shift = shift_since(self._editor, document, record.anchor)
        if shift is None:
            raise CannotPlan("The image was scaled or turned since: choose the place anew.")
        layers = {each.key: each for each in self._editor.layers(document.key)}
        source = layers.get(record.source)
        if source is None and mode_row(record.mode).needs_layer:
            self._try_without_source(document, record, shift)
            return
        region, selection = record.region.moved(*shift), None
        if record.origin == "selection":
            soft = record.selection
            selection = Selection(region, soft.mask if soft is not None else None)
        self.known.situation = Situation(document, source, selection)
        again = repeated(record.recipe, drawn_seed())
        wanted = region if record.origin == "layer" else None
        replaces = tuple(key for key in record.replaces if key in layers)
        follows = tuple(record.follows)
        hides = tuple(record.hides)
        wish = Wish(wanted, record.variants, replaces, hides, follows, record.like)
        self._submit(again, wish)

    def _try_without_source(self, document: Document, record: Record, shift: Shift) -> None:
        """Another try where the layer is gone: with what was read of it, while that is known."""
        last, strip = self._last.get(document.key), self._deliveries.strip
        if last is None or last.record.job != record.job or shift != (0, 0):
            raise CannotPlan("The layer that it was made from is not there any more.")
        ours = strip.record is not None and strip.record.job == record.job
        standing = list(strip.shown.keys) if ours and strip.shown is not None else []
        again = repeated(record.recipe, drawn_seed())
        self._check(again)
        self._send(once_more(self._editor, document, last, again, standing))

    @safely
    def repeat(self, index: int) -> None:
        """Paint a result of the history again from the same seed, at its place."""
        self._look()
        if not 0 <= index < len(self.known.history):
            return
        entry = self.known.history[index]
        selection = entry.selection
        self.known.situation = replace(self.known.situation, selection=selection)
        # What was selected is planned anew as that: with as much around it as it had.
        region = entry.region if selection is None else None
        self._submit(repeated(entry.recipe), Wish(region, follows=entry.follows))

    @safely
    def leave_out(self, left_out: bool) -> None:
        """Leave the active layer out of what the model sees, or let it be seen again."""
        self._look()
        document, layer = self._here(), self.known.situation.layer
        if layer is None:
            raise CannotPlan("Choose the layer to leave out first.")
        note, mark = self._editor.note(document.key), layer.mark or layer.key
        marks = set(left_out_of(note)) - {mark}
        if left_out:
            marks.add(mark)
        self._editor.keep_note(document.key, with_left_out(note, marks))
        self._look()

    def _guides_wanted(self) -> None:
        self._look()

    # ---- asking

    def _generate(self, mode: str) -> None:
        self._look()
        model = self.known.model(mode, self._preferences.model)
        recipe = self._preferences.recipe(mode, mode_info(self.known.offer, mode), model)
        recipe, layer = with_own_prompt(recipe, self.known.recipe), self.known.situation.layer
        follows = self._preferences.follows(mode)
        if problem := hindrance(follows, recipe.styles, model, self.known.layers):
            raise CannotPlan(problem)
        wish = Wish(variants=self._preferences.variants, follows=follows)
        self._submit(recipe, self._with_source(wish, mode, layer))

    def _with_source(self, wish: Wish, mode: str, layer: LayerInfo | None) -> Wish:
        """The wish with what a repainting does to its source. Raises CannotPlan."""
        if layer is None or not mode_row(mode).repaints:
            return wish
        after = self._preferences.current.value("after_repaint")
        if after == "replace" and layer.replaceable:
            if layer.locked:
                raise CannotPlan(f"“{layer.name}” is locked: unlock it first.")
            return replace(wish, replaces=(layer.key,))
        # What a text or the layers of a group say is nowhere else: they are hidden at the most,
        # as the panel says beside where it paints.
        return wish if after == "keep" else replace(wish, hides=(layer.key,))

    def _check(self, recipe: Recipe) -> tuple[ModelInfo, ModeInfo]:
        """What would paint a recipe. Raises CannotPlan where nothing can now."""
        model = self.known.model(recipe.mode, recipe.model)
        info = mode_info(self.known.offer, recipe.mode)
        problem = self.known.hindrance(recipe.mode, model)
        if not problem and not has_prompt(recipe):
            problem = NO_PROMPT
        if problem or model is None or info is None or self._link is None:
            raise CannotPlan(problem or STOPPED.message)
        return model, info

    def _submit(self, recipe: Recipe, wish: Wish) -> None:
        model, info = self._check(recipe)
        self._send(build(self._editor, self.known.situation, model, info, recipe, wish))

    def _send(self, built: BuiltRequest) -> None:
        assert self._link is not None
        record = built.record
        self.known.outcome = None
        self._tasks[record.job] = Task(record, heard=True, frame=built.request.frame)
        self._asked[record.document] = record
        # The pictures are kept for as long as nothing else can tell them.
        self._last.pop(record.document, None)
        if record.replaces:
            self._last = {record.document: built}
        if self._book is not None:
            self._book.add(record)
        self._link.submit(built.request, record.job)
        self._say_what_is_odd(record.recipe, built.source)

    def _say_what_is_odd(self, recipe: Recipe, beside: LayerInfo | None) -> None:
        """What the painter would wonder about when the layer is there, said while it is painted."""
        odd = words.unread(" ".join((recipe.prompt, *recipe.layer_prompts.values())))
        if not odd and beside is not None and beside.hidden_in:
            odd = words.unseen("The new layer", beside.hidden_in)
        if odd:
            self.say(odd)

    def _here(self) -> Document:
        document = self.known.situation.document
        if document is None:
            raise CannotPlan("Open or create an image first.")
        return document

    # ---- looking

    @property
    def can_try_again(self) -> bool:
        """Whether this document has had a job."""
        document = self.known.situation.document
        return document is not None and document.key in self._asked

    def _look(self) -> None:
        """Ask the editor what the painter looks at."""
        known, editor = self.known, self._editor
        document = editor.active_document()
        known.situation, known.history, known.recipe = Situation(), [], None
        known.layers = []
        if document is not None:
            try:
                layer = editor.active_layer(document.key)
                known.situation = Situation(document, layer, editor.selection(document.key))
                note = editor.note(document.key)
                if note != self._note:
                    self._note, self._entries = note, read_history(note, self._entries)
                    known.left_out = left_out_of(note)
                if self._preferences.guides:
                    known.layers = editor.layers(document.key)
                known.history = self._entries
                text = editor.recipe(document.key, layer.key) if layer is not None else None
                known.recipe = read_recipe(text) if text else None
            except (DocumentClosed, LayerGone):
                known.situation = Situation()
            for task in self._tasks.values():
                if not task.ended and task.record.document != document.key:
                    self._deliveries.bring_home(task)
        self._deliveries.turn_to(document, known.history)
        if document is not None:
            self._find_last_job(document)
        try:
            self._deliveries.take_home()
        except ValueError as error:
            self.say(str(error))
        self._deliveries.look_again()

    def _find_last_job(self, document: Document) -> None:
        """What was asked last in a document that was closed meanwhile, and is open again."""
        if document.key in self._asked or not self._asked:
            return
        documents = self._editor.documents()
        open_now = {each.key for each in documents}
        for key, record in list(self._asked.items()):
            home = home_of(record, documents) if key not in open_now else None
            if home is not None and home.key == document.key:
                keys = keys_now(self._editor, home, record.anchor.stack)
                self._asked[home.key] = self._asked.pop(key).opened_again(home, keys)

    def _jobs_here(self) -> Callable[[Task], bool]:
        document = self.known.situation.document
        key = document.key if document is not None else ""
        return lambda task: task.record.document == key
