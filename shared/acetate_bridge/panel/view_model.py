"""The whole panel as a view, out of what is known at the moment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from acetate_bridge.client.connection_state import STOPPED, Connection, State
from acetate_bridge.editing.clipping import clipped_to
from acetate_bridge.editing.editor import LayerInfo
from acetate_bridge.editing.insertion import Offer
from acetate_bridge.editing.job import Result, Task
from acetate_bridge.editing.metadata import HistoryEntry
from acetate_bridge.editing.plan import CannotPlan, Situation, plan
from acetate_bridge.editing.request_builder import NO_PROMPT, choose_model, mode_info
from acetate_bridge.panel import status as statuses
from acetate_bridge.panel import strings as words
from acetate_bridge.panel.fields import FIELDS
from acetate_bridge.panel.guides import chosen_styles, hindrance, list_views
from acetate_bridge.panel.menus import mode_choices, model_choices
from acetate_bridge.panel.preferences import Preferences
from acetate_bridge.panel.preview_view import InPlaceView, LiveView
from acetate_bridge.panel.queue_view import ProgressView, QueuedJob
from acetate_bridge.panel.setup_card import setup_view
from acetate_bridge.panel.setup_view import FolderView, ServerView
from acetate_bridge.panel.view import (
    Choice,
    FieldView,
    LayerPrompt,
    OfferView,
    PanelView,
    Status,
    Thumbnail,
)
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.limits import needs_prompt
from acetate_bridge.protocol.messages import ModelInfo, Models, Queue
from acetate_bridge.protocol.modes import MODES, mode_row
from acetate_bridge.protocol.naming import layer_name
from acetate_bridge.protocol.setup import Setup, SetupPart
from acetate_bridge.protocol.types import Recipe


@dataclass
class Knowledge:
    """What editor and server have last said."""

    state: State = STOPPED
    offer: Models | None = None
    situation: Situation = field(default_factory=Situation)
    recipe: Recipe | None = None
    history: list[HistoryEntry] = field(default_factory=list[HistoryEntry])
    outcome: Status | None = None
    queue: Queue | None = None
    parts: list[SetupPart] = field(default_factory=list[SetupPart])
    setup: Setup | None = None
    card: str = ""
    folders: tuple[FolderView, ...] = ()
    layers: list[LayerInfo] = field(default_factory=list[LayerInfo])
    left_out: frozenset[str] = frozenset()

    @property
    def free(self) -> float:
        """Gigabytes that are free where models are kept; negative while unknown."""
        return self.setup.free if self.setup is not None else -1.0

    def model(self, mode: str, wanted: str) -> ModelInfo | None:
        """The model that would paint."""
        return choose_model(self.offer, mode, wanted)

    def hindrance(self, mode: str, model: ModelInfo | None) -> str:
        """Why nothing can be asked of the server now; empty when it can."""
        if self.state.connection is not Connection.READY:
            return self.state.message
        status = statuses.of_models(self.offer, model, self.free)
        if status is not None:
            return status.sentence
        return "" if mode_info(self.offer, mode) is not None else "No model can do that."


@dataclass(frozen=True)
class Work:
    """What is being painted, and what came of it."""

    running: Task | None = None
    results: tuple[Thumbnail, ...] = ()
    offered: Offer | None = None
    waits_for_the_hand: bool = False
    waits_for: str = ""
    queue: tuple[Task, ...] = ()
    can_try_again: bool = False
    live: LiveView = LiveView()
    in_place: InPlaceView | None = None


def draw(known: Knowledge, preferences: Preferences, work: Work) -> PanelView:
    """The panel from top to bottom."""
    settings = preferences.current
    mode, running = settings.mode, work.running
    model, info = known.model(mode, preferences.model), mode_info(known.offer, mode)
    if info is None and model is not None and mode in MODES:
        # Nothing that is here can do it yet; its prompts are known all the same.
        info = MODES[mode].info
    layer_prompts = preferences.layer_prompts(info)
    prompted = preferences.prompt(mode).strip() or any(layer_prompts.values())
    prompted = prompted or not needs_prompt(mode, str(preferences.value("fill", model)))
    sentence, why_not = _where(known, mode, model, str(preferences.value("after_repaint", model)))
    styles = chosen_styles(settings.lists.get("styles", ())) if mode_row(mode).prompted else {}
    lacks = hindrance(preferences.follows(mode), styles, model, known.layers)
    why_not = why_not or lacks
    if (
        not why_not
        and not prompted
        and not (mode_row(mode).own_prompt and known.recipe is not None)
    ):
        why_not = NO_PROMPT
    return PanelView(
        modes=mode_choices(known.offer),
        mode=mode,
        model=model.id if model is not None else preferences.model,
        prompt=preferences.prompt(mode),
        layer_prompts=tuple(
            LayerPrompt(role, words.PROMPT_LABELS.get(role, role), text)
            for role, text in layer_prompts.items()
        ),
        fields=_fields(known, preferences, mode, model),
        more_open=settings.more_open,
        lists=list_views(settings.lists, mode, model, known.layers, known.situation.layer),
        guides_open=settings.guides_open,
        left_out=_left_out(known),
        left_out_words=words.left_out(
            [each.name for each in known.layers if (each.mark or each.key) in known.left_out]
        ),
        sentence=sentence,
        can_generate=not why_not,
        why_not=why_not,
        can_regenerate=known.recipe is not None and known.state.connection is Connection.READY,
        can_try_again=work.can_try_again and known.state.connection is Connection.READY,
        running=running is not None,
        queue=tuple(_queued(known, task) for task in work.queue),
        setup=setup_view(known.state, known.parts, known.offer, known.setup, known.card),
        server=ServerView(settings.server_address, settings.token_file, known.folders),
        progress=_progress(running),
        preview=running.preview if running is not None else None,
        live=work.live,
        in_place=work.in_place,
        results=work.results,
        history=tuple(
            Thumbnail(entry.picture, f"{entry.recipe.prompt} · seed {entry.recipe.seed}")
            for entry in known.history
        ),
        offer=_offer(known, work),
        status=_status(known, model, work, lacks),
    )


def thumbnails(results: list[Result]) -> tuple[Thumbnail, ...]:
    """The strip of results."""
    return tuple(
        Thumbnail(each.picture, each.tip, bool(each.keys), each.kept, each.warning)
        for each in results
    )


def _fields(
    known: Knowledge, preferences: Preferences, mode: str, model: ModelInfo | None
) -> dict[str, FieldView]:
    """Every setting as it counts in this mode for this model."""
    views = {
        name: FieldView(
            preferences.value(name, model),
            row.applies(mode),
            tuple(Choice(*choice) for choice in row.choices),
        )
        for name, row in FIELDS.items()
    }
    chosen = model.id if model is not None else preferences.model
    views["model"] = FieldView(chosen, choices=model_choices(known.offer, mode))
    presets = [Choice("", "None"), *(Choice(name, name) for name in preferences.presets)]
    views["preset"] = replace(views["preset"], choices=tuple(presets))
    samplers = model.schedulers if model is not None else []
    named = [Choice("", "The model's own"), *(Choice(name, name) for name in samplers)]
    views["scheduler"] = replace(views["scheduler"], choices=tuple(named))
    return views


def _left_out(known: Knowledge) -> FieldView:
    layer = known.situation.layer
    if layer is None:
        return FieldView(False, False)
    return FieldView((layer.mark or layer.key) in known.left_out)


def _where(
    known: Knowledge, mode: str, model: ModelInfo | None, after_repaint: str
) -> tuple[str, str]:
    """Where it would be painted and what becomes of its layer, and why it cannot be."""
    limits = (model.frame if model is not None else None) or FrameLimits()
    try:
        found = plan(mode, known.situation, limits)
    except CannotPlan as error:
        return str(error), str(error)
    sentence, source = words.where(mode, found), found.source
    replaces = mode_row(mode).repaints and after_repaint == "replace"
    if replaces and source is not None and not source.replaceable and found.covers(source):
        sentence = f"{sentence} {words.hidden_instead(source)}"
    if mode_row(mode).below and source is not None and known.layers:
        clipped = clipped_to(source, known.layers)
        if clipped is not None:
            sentence = f"{sentence} {words.seen_on_it(clipped)}"
    return sentence, known.hindrance(mode, model)


def _queued(known: Knowledge, task: Task) -> QueuedJob:
    document, record = known.situation.document, task.record
    here = document is not None and document.key == record.document
    progress = _progress(task)
    assert progress is not None
    waiting = known.queue.jobs if known.queue is not None else []
    waits = record.job in waiting
    return QueuedJob(
        record.job,
        layer_name(record.recipe.prompt),
        record.title,
        here,
        progress,
        waits,
        waits and waiting[0] != record.job,
        waits and waiting[-1] != record.job,
    )


def _progress(task: Task | None) -> ProgressView | None:
    if task is None:
        return None
    found = task.progress
    beside = words.progress(found, task.ahead)
    if found is None or not found.steps:
        return ProgressView(None, beside)
    left = words.left(found.seconds_left)
    return ProgressView(found.step / found.steps, beside, found.step, found.steps, left)


def _offer(known: Knowledge, work: Work) -> OfferView | None:
    if work.offered is None:
        return None
    insertable = known.situation.document is not None
    record = work.offered.task.record
    say = {"closed": words.homeless, "turned": words.turned, "refused": words.refused}
    sentence = say[work.offered.why](record.recipe.prompt, record.title)
    picture = work.offered.results[0].picture
    return OfferView(sentence, picture, insertable=insertable)


def _status(known: Knowledge, model: ModelInfo | None, work: Work, lacks: str) -> Status:
    """The most pressing of all that could be said; `lacks` is what was chosen and is not here."""
    found = statuses.of_connection(known.state)
    if found is None and work.waits_for_the_hand:
        found = statuses.of_waiting(work.waits_for)
    if found is None and work.running is not None:
        task = work.running
        found = statuses.of_job(task.record.recipe.prompt, task.orphan, task.progress)
    found = found or statuses.of_document(known.situation)
    if found is None and lacks and model is not None and model.state == "ready":
        found = Status(lacks, "notice")
    found = found or known.outcome
    found = found or statuses.of_models(known.offer, model, known.free)
    name = (model.name or model.id) if model is not None else ""
    if found is None and known.state.other_version:
        return Status(f"{words.ready(name)}. {known.state.message}", details=known.state.cure)
    return found or Status(words.ready(name))
