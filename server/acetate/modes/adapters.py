"""What a recipe puts beside its model: styles in the base, and a control network to follow."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from acetate.errors import BadRequest, ModelMissing
from acetate.models.families import FAMILIES
from acetate.models.few_steps import FEW_STEPS
from acetate.models.image_adapters import ImageEncoderFile, adapter_and_encoder
from acetate.models.own_register import Own, own_file, own_files, own_named
from acetate.models.published_styles import style_for
from acetate_bridge.protocol.following import followed, with_controls
from acetate_bridge.protocol.types import Control, Recipe, Request

if TYPE_CHECKING:
    from torch import Tensor

    from acetate.pipelines.pipeline import Pipeline


@contextmanager
def equipped(request: Request, pipeline: Pipeline) -> Generator[Recipe]:
    """Styles and control are in the pipeline for the length of a block, and gone without a trace.

    Yields the recipe with the full names of what was taken. Raises BadRequest for what there is
    not or what fits another family, ModelMissing for a file that has gone.
    """
    recipe = request.recipe
    styles = [(own_named(name, "style"), weight) for name, weight in recipe.styles.items()]
    styles += _brought_by_scheduler([own for own, _ in styles], pipeline, recipe)
    with ExitStack() as stack:
        paths = [(_fitting(own, pipeline), weight) for own, weight in styles]
        told = {own.name: own.facts for own, _ in styles}
        stack.enter_context(pipeline.styled(paths, told))
        controls = [
            _follow(request, name, control, pipeline, stack)
            for name, control in followed(recipe).items()
        ]
        names = {own.name: weight for own, weight in styles}
        scheduler = recipe.scheduler or _distilled([own for own, _ in styles], pipeline, recipe)
        yield with_controls(replace(recipe, styles=names, scheduler=scheduler), controls)


def _follow(
    request: Request, name: str, control: Control, pipeline: Pipeline, stack: ExitStack
) -> Control:
    """An image is followed from now on; returns the control with the name of its network."""
    if control.kind != "reference" and control.aspect != "whole":
        raise BadRequest(
            f"Style and composition are told apart in a reference, not in a {control.kind} image."
        )
    if control.kind == "reference":
        return _go_by(request, name, control, pipeline, stack)
    lines = _map(request, name, control)
    if control.kind in FAMILIES[pipeline.family].sketches:
        if control.model:
            raise BadRequest(f"The model “{pipeline.model}” follows sketches by itself.")
        stack.enter_context(pipeline.sketched(lines, control.strength, control.end))
        return control
    own = _network(control, pipeline)
    path = _fitting(own, pipeline)
    settings = control.strength, control.end, control.kind
    stack.enter_context(pipeline.following(path, lines, *settings))
    return replace(control, model=own.name)


def _go_by(
    request: Request, name: str, control: Control, pipeline: Pipeline, stack: ExitStack
) -> Control:
    """A reference is gone by from now on, by an image adapter where the family needs one."""
    if FAMILIES[pipeline.family].references or not FAMILIES[pipeline.family].image_adapters:
        _check_reference(request.recipe, control, pipeline)
        stack.enter_context(pipeline.referring(_picture(request, name), control.strength))
        return control
    adapter, encoder = adapter_and_encoder(control.model, pipeline.family, pipeline.model)
    path, reader = _fitting(adapter, pipeline), _place_of(encoder)
    read_by = ImageEncoderFile(reader, encoder.facts)
    picture = _picture(request, name)
    stack.enter_context(
        pipeline.resembling(path, read_by, picture, control.strength, control.aspect)
    )
    return replace(control, model=adapter.name)


def _brought_by_scheduler(
    styles: Sequence[Own], pipeline: Pipeline, recipe: Recipe
) -> list[tuple[Own, float]]:
    """The style that makes the base one that a few-step scheduler is for, if it is here."""
    preset = recipe.scheduler
    published = style_for(preset, pipeline.family)
    if published is None or preset == pipeline.preset or any(own.preset for own in styles):
        return []
    for own in own_files("style", pipeline.family):
        if own.preset == preset:
            return [(own, 1.0)]
    pipeline.ladder.tell(
        f"The scheduler {preset} is for bases or styles that were distilled to few steps: "
        f"`acetate models pull {published.id}` fetches one."
    )
    return []


def _distilled(styles: Sequence[Own], pipeline: Pipeline, recipe: Recipe) -> str:
    """The scheduler that one of the styles was distilled for; says so if steps are others."""
    own = next((own for own in styles if own.preset and pipeline.family != "flux"), None)
    if own is None:
        return ""
    steps, guidance = FEW_STEPS[own.preset]
    if recipe.steps > 2 * steps or recipe.guidance > 2 * guidance:
        pipeline.ladder.tell(
            f"{own.name} was distilled to {steps} steps at a guidance of {guidance:g}: "
            f"{recipe.steps} steps at {recipe.guidance:g} are likely to burn the picture."
        )
    return own.preset


def _network(control: Control, pipeline: Pipeline) -> Own:
    if control.model:
        return own_named(control.model, "control")
    fitting = [own for own in own_files("control", pipeline.family) if control.kind in own.follows]
    if fitting:
        return min(fitting, key=lambda own: len(own.follows))  # One of this kind alone before all.
    raise BadRequest(
        f"There is no control network that follows {control.kind} with “{pipeline.model}”.",
        "Take one over with `acetate models import`.",
    )


def _fitting(own: Own, pipeline: Pipeline) -> Path:
    if pipeline.family not in own.families:
        raise BadRequest(
            f"{own.name} is for {' or '.join(own.families)}, "
            f"but the model “{pipeline.model}” is of the family {pipeline.family}."
        )
    return _place_of(own)


def _place_of(own: Own) -> Path:
    path = own_file(own.name)
    if path is None:
        raise ModelMissing(f"The imported file {own.name} is missing.", f"It was {own.source}.")
    return path


def _check_reference(recipe: Recipe, control: Control, pipeline: Pipeline) -> None:
    if not FAMILIES[pipeline.family].references:
        raise BadRequest(f"The model “{pipeline.model}” cannot go by a reference picture.")
    from acetate.adapters.reference_aspects import shares_of

    shares_of(control.aspect, pipeline.family)
    if recipe.mode != "text":
        raise BadRequest(
            f"The mode “{recipe.mode}” goes by no reference picture: text does.",
        )


def _picture(request: Request, name: str) -> Tensor:
    from acetate.images.tensors import to_tensor

    return to_tensor(request.images[name])


def _map(request: Request, name: str, control: Control) -> Tensor:
    from acetate.adapters.control_map import control_map

    return control_map(_picture(request, name), control.kind, control.derived)
