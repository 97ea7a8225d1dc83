"""Painting for a script: asks the server, waits, inserts, and returns the layers."""

from __future__ import annotations

import queue
import time
import uuid
from dataclasses import replace
from typing import Any, cast

from gi.repository import Gimp

from acetate_bridge.client.client import Client
from acetate_bridge.client.connection_state import Connection, State
from acetate_bridge.client.presets import applied, preset_named, presets_folder
from acetate_bridge.editing.editor import Document, DocumentClosed, LayerGone
from acetate_bridge.editing.guides import Follow
from acetate_bridge.editing.job import Record, Result, Task, look_at
from acetate_bridge.editing.metadata import HistoryEntry, read_history
from acetate_bridge.editing.plan import CannotPlan, Situation
from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.editing.request_builder import (
    Wish,
    anew,
    build,
    choose_model,
    mode_info,
    repeated,
    with_own_prompt,
)
from acetate_bridge.editing.results import PlaceLost, Strip
from acetate_bridge.panel.fields import FIELDS, recipe_value
from acetate_bridge.panel.guides import hindrance, with_full_names
from acetate_bridge.panel.strings import progress
from acetate_bridge.protocol.errors import AcetateError
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    Failed,
    LayerReady,
    ModeInfo,
    ModelInfo,
    Models,
    Progress,
)
from acetate_bridge.protocol.types import ControlKind, Recipe
from adapter.editor import GimpEditor
from adapter.insertion import one_undo_step
from adapter.layers import describe_layer, document_key, find, image_of
from procedures import Order

_SERVER_SECONDS = 120.0


class CannotPaint(AcetateError):
    """It was not painted."""

    code = "cannot_paint"


def paint(image: Gimp.Image, order: Order) -> list[Gimp.Layer]:
    """Paint an order into an image as one undo step; raises CannotPaint.

    Blocks until the layers are there, and shows how far it is.
    """
    try:
        return _Session(image).paint(order)
    except (CannotPlan, ValueError) as error:
        raise CannotPaint(str(error)) from error
    except DocumentClosed as error:
        raise CannotPaint("The image was closed.") from error
    except LayerGone as error:
        raise CannotPaint("The layer is not there any more.") from error
    except PlaceLost as error:
        raise CannotPaint("The image was scaled or turned meanwhile: call again.") from error


class _Session:
    """One connection for one order; what the server says comes through a queue."""

    def __init__(self, image: Gimp.Image) -> None:
        self._image = image
        self._editor = GimpEditor(image)
        self._heard: queue.Queue[Any] = queue.Queue()
        hear = self._heard.put
        self._client = Client(f"gimp-script-{uuid.uuid4().hex}", hear, hear, hear)

    def paint(self, order: Order) -> list[Gimp.Layer]:
        if order.convert:
            self._editor.convert_to_colour(document_key(self._image))
        Gimp.progress_init("Acetate")
        self._client.start()
        try:
            return self._paint(order, self._offer())
        finally:
            self._client.stop()
            Gimp.progress_end()

    def _paint(self, order: Order, offer: Models) -> list[Gimp.Layer]:
        situation = self._situation(order)
        _check_region(order.region, situation.document)
        own = self._stored(situation)
        if order.again:
            situation, wish = anew(self._editor, situation, own, self._history(situation))
            assert own is not None
            recipe = repeated(own, order.values["seed"])
        else:
            recipe = with_own_prompt(_recipe(order), own)
            follows = self._follows(order, situation.document)
            hidden = situation.layer if order.hide_source else None
            wish = Wish(
                order.region,
                int(order.values.get("variants", 1)),
                hides=(hidden.key,) if hidden is not None else (),
                follows=follows,
            )
        model, info = _able(offer, recipe)
        if not order.again and recipe.model and model.id != recipe.model:
            raise CannotPaint(f"The model “{recipe.model}” cannot do that here.")
        recipe = replace(recipe, styles=with_full_names(recipe.styles, model))
        if problem := hindrance(wish.follows, recipe.styles, model, ()):
            raise CannotPaint(problem)
        built = build(self._editor, situation, model, info, _advised(recipe, model), wish)
        job = self._client.submit(built.request, built.record.job)
        layers = self._insert(built.record, self._follow(Task(built.record)))
        self._client.acknowledge(job)
        # The thanks shall be on the wire before the connection is closed.
        time.sleep(0.05)
        return layers

    def _offer(self) -> Models:
        """What the server can do; one that is not running is started."""
        until = time.monotonic() + _SERVER_SECONDS
        last, started = State(Connection.STOPPED, "The server does not answer."), False
        while time.monotonic() < until:
            heard = self._next()
            if isinstance(heard, Models) and heard.models:
                return heard
            if isinstance(heard, State):
                last = heard
                if heard.connection is Connection.REFUSED:
                    break
                if heard.connection is Connection.NO_SERVER:
                    if started:
                        break
                    started = True
                    self._client.start_server()
        raise CannotPaint(f"{last.message} {last.cure}".strip())

    def _follow(self, task: Task) -> list[Result]:
        """The results of a job, as soon as it is done."""
        results: list[Result] = []
        while True:
            heard = self._next()
            if isinstance(heard, Accepted):
                task.ahead = heard.ahead
            elif isinstance(heard, Progress):
                Gimp.progress_set_text(progress(heard, task.ahead))
                Gimp.progress_update(heard.step / heard.steps if heard.steps else 0.0)
            elif isinstance(heard, LayerReady):
                results += task.take(heard.variant, look_at(heard.layer))
            elif isinstance(heard, Failed):
                raise CannotPaint(" ".join(part for part in (heard.message, heard.hint) if part))
            elif isinstance(heard, Cancelled):
                raise CannotPaint("The job was cancelled.")
            elif isinstance(heard, Done):
                results += task.finish()
                usable = [result for result in results if not result.warning]
                if not usable:
                    raise CannotPaint(results[0].warning if results else "Nothing was painted.")
                return usable

    def _next(self) -> Any:
        try:
            return self._heard.get(timeout=0.2)
        except queue.Empty:
            return None

    def _insert(self, record: Record, results: list[Result]) -> list[Gimp.Layer]:
        """All results beside each other, in one undo step, where their place is by now."""
        image = image_of(record.document)
        strip = Strip(self._editor)
        strip.begin(record)
        strip.results = results
        with one_undo_step(image):
            strip.show(results[0])
            for result in results[1:]:
                strip.keep(result)
        keys = [key for result in results for key in result.keys]
        return [layer for key in keys if (layer := find(image, key)) is not None]

    def _situation(self, order: Order) -> Situation:
        document = self._editor.active_document()
        if document is None:
            raise CannotPaint("The image was closed.")
        layer = (
            describe_layer(order.layer)
            if order.layer is not None
            else self._editor.active_layer(document.key)
        )
        return Situation(document, layer, self._editor.selection(document.key))

    def _follows(self, order: Order, document: Document | None) -> tuple[Follow, ...]:
        """The layer that a script wants to be followed."""
        if not order.follow or document is None:
            return ()
        layers = self._editor.layers(document.key)
        found = next((each for each in layers if each.name == order.follow), None)
        if found is None:
            raise CannotPaint(f"There is no layer called “{order.follow}” to follow.")
        kind = cast(ControlKind, order.follow_as)
        mark = found.mark or found.key
        return (Follow(mark, found.name, kind, order.follow_strength),)

    def _stored(self, situation: Situation) -> Recipe | None:
        if situation.document is None or situation.layer is None:
            return None
        text = self._editor.recipe(situation.document.key, situation.layer.key)
        return read_recipe(text) if text else None

    def _history(self, situation: Situation) -> list[HistoryEntry]:
        if situation.document is None:
            return []
        return read_history(self._editor.note(situation.document.key))


def _recipe(order: Order) -> Recipe:
    said = Recipe(
        order.mode, order.prompt.strip(), layer_prompts=_said(order.layer_prompts), stop_at=0.0
    )
    chosen = {
        name: value for name, value in order.values.items() if recipe_value(said, name) is not None
    }
    recipe = replace(said, **chosen, styles=order.styles)
    name = str(order.values.get("preset") or "")
    if not name:
        return recipe
    own = {row.name: order.values.get(row.name, row.unset) for row in FIELDS.values()}
    # What the script says itself counts more.
    said = {key: value for key, value in own.items() if FIELDS[key].per_model}
    said = {key: value for key, value in said.items() if value != FIELDS[key].unset}
    return replace(applied(preset_named(name, presets_folder()), recipe), **said)


def _said(prompts: dict[str, str]) -> dict[str, str]:
    return {role: text.strip() for role, text in prompts.items() if text.strip()}


def _check_region(region: Rect | None, document: Document | None) -> None:
    """A region may reach over the edge of the canvas, but not lie beside it."""
    if region is None or document is None:
        return
    canvas = Rect(0, 0, document.size.width, document.size.height)
    if region.common(canvas) is None:
        raise CannotPaint(
            f"The region at ({region.x}, {region.y}) lies off the canvas of "
            f"{canvas.width} × {canvas.height} pixels."
        )


def _advised(recipe: Recipe, model: ModelInfo) -> Recipe:
    """The model's own advice where nothing was asked for."""
    advised = {
        row.name: getattr(model, row.name, 0) or row.default
        for row in FIELDS.values()
        if row.per_model and recipe_value(recipe, row.name) == row.unset
    }
    return replace(recipe, **advised)


def _able(offer: Models, recipe: Recipe) -> tuple[ModelInfo, ModeInfo]:
    """A model that can do a recipe's mode, and what the mode takes."""
    model, info = choose_model(offer, recipe.mode, recipe.model), mode_info(offer, recipe.mode)
    if model is None or info is None:
        raise CannotPaint("No model that is here can do that.")
    if model.state != "ready":
        name = model.name or model.id
        raise CannotPaint(f"{name} is not here yet. Fetch it: acetate models pull {model.id}")
    return model, info
