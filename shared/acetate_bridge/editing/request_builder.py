"""From what somebody wants to a request and all that its layers need: for panels and scripts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from acetate_bridge.editing.anchor import anchor_of
from acetate_bridge.editing.clipping import below_of
from acetate_bridge.editing.content import content_of
from acetate_bridge.editing.editor import Document, Editor, LayerInfo, Place, Selection
from acetate_bridge.editing.guides import Follow, left_out_of
from acetate_bridge.editing.inputs import gather
from acetate_bridge.editing.job import Record, record_of, source_of
from acetate_bridge.editing.metadata import HistoryEntry, follows_of, region_of, selection_of
from acetate_bridge.editing.plan import (
    CannotPlan,
    Plan,
    Situation,
    above_of,
    has_to_stay,
    plan,
)
from acetate_bridge.editing.scenes import scene_of
from acetate_bridge.protocol.following import controls_of
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.limits import has_prompt
from acetate_bridge.protocol.messages import ModeInfo, ModelInfo, Models
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Recipe, Request

NO_PROMPT = "Say what to paint first."
NO_LAYER_TO_FOLLOW = (
    "It was painted by following a layer that is not known here: choose the layer to follow, and "
    "paint it with the settings of the panel."
)
NO_RECIPE = "This layer was not painted by Acetate, so it has no recipe."


@dataclass(frozen=True)
class Wish:
    """What a job shall do beside painting: where, how often, and to what is there already.

    `follows` are the layers that it follows; those that the document's note leaves out are not
    seen by the model. The layers are blended as `like` is. `patches` is repainted in part only:
    its results hold the rest of it as well.
    """

    region: Rect | None = None
    variants: int = 1
    replaces: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    follows: tuple[Follow, ...] = ()
    like: str = ""
    patches: str = ""


@dataclass(frozen=True)
class BuiltRequest:
    """A request, and what has to be known to put its layers in place (`record.job` is its id)."""

    request: Request
    record: Record
    source: LayerInfo | None


def lasting(editor: Editor, document: Document, record: Record) -> Record:
    """The record of a fleeting job whose layers shall stay after all: nothing has moved since."""
    mark, source = editor.mark(document.key), record.replaces[0] if record.replaces else ""
    source = source or (record.source if mode_row(record.mode).needs_layer else "")
    return replace(record, mark=mark, anchor=anchor_of(editor, document, source))


def mode_info(offer: Models | None, mode: str) -> ModeInfo | None:
    """What the server says of a mode."""
    return next((each for each in offer.modes if each.name == mode), None) if offer else None


def choose_model(offer: Models | None, mode: str, wanted: str) -> ModelInfo | None:
    """The model to paint with: the wanted one if it can do the mode, else the first that can.

    One that is ready comes before one that is still to be fetched.
    """
    able = [model for model in offer.models if mode in model.modes] if offer else []
    chosen = next((model for model in able if model.id == wanted), None)
    ready = next((model for model in able if model.state == "ready"), None)
    return chosen or ready or (able[0] if able else None)


def repeated(recipe: Recipe, seed: int | None = None) -> Recipe:
    """A recipe to be painted again (with another seed), by whatever files are there now."""
    again = replace(recipe, inputs={}, files={}, model_hash="")
    # Another seed is another picture, for which as good weights are taken as there is memory for.
    return again if seed in (None, recipe.seed) else replace(again, seed=seed, weights="")


def with_own_prompt(recipe: Recipe, own: Recipe | None) -> Recipe:
    """Where a mode takes it: the prompt that its layer was painted from, in place of none."""
    if not mode_row(recipe.mode).own_prompt or recipe.prompt or own is None:
        return recipe
    return replace(recipe, prompt=own.prompt)


def anew(
    editor: Editor, situation: Situation, recipe: Recipe | None, history: list[HistoryEntry]
) -> tuple[Situation, Wish]:
    """Where the active layer is painted anew from its recipe, in its place. Raises CannotPlan."""
    document, layer = situation.document, situation.layer
    if recipe is None or layer is None or document is None:
        raise CannotPlan(NO_RECIPE)
    layers = editor.layers(document.key)
    replaced = scene_of(editor, document.key, layer, layers) or [layer]
    for each in replaced:
        if each.locked:
            raise CannotPlan(f"“{each.name}” is locked: unlock it first.")
        if each.shown_by:
            raise CannotPlan(has_to_stay(each.name, each.shown_by))
    painted = region_of(recipe, history)
    region = painted.moved(*layer.moved) if painted is not None else layer.bounds
    if region is None:
        raise CannotPlan(f"Nothing is painted on “{layer.name}” yet.")
    if mode_row(recipe.mode).below:
        # It lies directly below the layer that it was made for.
        situation = replace(situation, layer=above_of(layer, layers))
    selected = selection_of(recipe, history) if mode_row(recipe.mode).repaints else None
    if selected is not None:
        # Of a whole that holds it, no more than that part is painted.
        selected = Selection(selected.bounds.moved(*layer.moved), selected.mask)
    situation = replace(situation, selection=selected)
    replaces = tuple(each.key for each in replaced)
    region = region if selected is None else None
    return situation, Wish(region, replaces=replaces, follows=follows_of(recipe, history))


def once_more(
    editor: Editor, document: Document, last: BuiltRequest, recipe: Recipe, standing: list[str]
) -> BuiltRequest:
    """The pictures of an earlier job again, for a source that its result has replaced.

    `standing` are the layers that stand in its place now.
    """
    place = Place(standing[0]) if standing else last.record.place
    record = replace(
        last.record,
        job=uuid.uuid4().hex,
        document=document.key,
        recipe=recipe,
        replaces=standing,
        patches=standing[0] if standing and last.record.patches else "",
        place=place,
        anchor=anchor_of(editor, document, standing[0] if standing else ""),
    )
    return BuiltRequest(replace(last.request, recipe=recipe), record, None)


def build(
    editor: Editor,
    situation: Situation,
    model: ModelInfo,
    info: ModeInfo,
    recipe: Recipe,
    wish: Wish,
    fleeting: bool = False,
) -> BuiltRequest:
    """Plan a job, read what it needs and name its place. Raises CannotPlan and LayerGone.

    Of a `fleeting` one the document bears no mark, and nobody asks where it has gone meanwhile.
    """
    if not has_prompt(recipe):
        raise CannotPlan(NO_PROMPT)
    found = plan(recipe.mode, situation, model.frame or FrameLimits(), wish.region)
    if recipe.model != model.id:
        recipe = replace(recipe, model=model.id, weights="", cache="")
    if controls_of(recipe) and not wish.follows:
        raise CannotPlan(NO_LAYER_TO_FOLLOW)
    if not fleeting:
        marked = replace(found.document, mark=editor.mark(found.document.key))
        found = replace(found, document=marked)
    found = replace(found, place=_place(editor, found, recipe.mode))
    wish = _sparing(wish, found, recipe.mode)
    left_out = left_out_of(editor.note(found.document.key))
    gathered = gather(
        editor, found, info, recipe, wish.variants, wish.follows, left_out, wish.replaces
    )
    source = wish.replaces[0] if wish.replaces else source_of(found, recipe.mode)
    record = record_of(
        uuid.uuid4().hex,
        found,
        gathered.request.recipe,
        wish.variants,
        list(wish.replaces),
        gathered.opaque_source,
        list(wish.hides),
        None if fleeting else anchor_of(editor, found.document, source),
        list(wish.follows),
    )
    record = replace(record, like=wish.like, patches=wish.patches)
    if record.replaces and not fleeting:
        layers = {each.key: each for each in editor.layers(found.document.key)}
        there = [layers[key] for key in record.replaces if key in layers]
        contents = {each.key: content_of(editor, found.document, each) for each in there}
        record = replace(record, contents=contents)
    return BuiltRequest(gathered.request, record, found.source)


def _place(editor: Editor, found: Plan, mode: str) -> Place:
    """Where the layers go: a scene beside the one that its neighbour belongs to, never into it.

    What goes below a layer leaves alone what is clipped to the others there.
    """
    document, source, row = found.document.key, found.source, mode_row(mode)
    if source is None or not (row.grouped or row.below):
        return found.place
    layers = editor.layers(document)
    if row.below:
        return below_of(source, layers)
    return Place(source.parent) if scene_of(editor, document, source, layers) else found.place


def _sparing(wish: Wish, found: Plan, mode: str) -> Wish:
    """A layer that is repainted in part: the rest of it must be nowhere but in the result.

    Where the result cannot hold it, the layer stays to be seen.
    """
    source, row = found.source, mode_row(mode)
    if source is None or not row.repaints or found.covers(source):
        return wish
    gives_way = source.key in wish.replaces or (source.key in wish.hides and not source.dressed)
    # What is cut out shall stand alone.
    if gives_way and not source.derived and (row.prompted or row.keeps_alpha):
        return replace(wish, patches=source.key)
    hides = tuple(key for key in wish.hides if key != source.key)
    replaces = tuple(key for key in wish.replaces if key != source.key)
    spared = len(hides) + len(replaces) < len(wish.hides) + len(wish.replaces)
    like = source.key if spared else wish.like
    return replace(wish, hides=hides, replaces=replaces, like=like)
