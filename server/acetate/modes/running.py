"""Running a request: checked, one variant after the other, each with its complete recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from acetate import __version__
from acetate.errors import BadRequest
from acetate.modes.checks import check_request
from acetate.modes.registry import mode_named
from acetate.pipelines.families import FAMILIES
from acetate_bridge.messages import Image, Layer, Request

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline
    from acetate.pipelines.sampling import OnStep, Step


def run(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """All layers of all variants, in order. See `run_each`."""
    return [layer for layers in run_each(request, pipeline, on_step) for layer in layers]


def run_each(
    request: Request, pipeline: Pipeline, on_step: OnStep | None = None
) -> Iterator[list[Layer]]:
    """The layers of each variant as soon as it is done, at the frame's size, offset (0, 0).

    Variants are painted one by one, not as a batch: a seed then gives the same bytes alone and
    in company, and the first picture is there early. `on_step` sees steps counted over all
    variants and may raise to stop. Raises BadRequest before anything is painted.
    """
    check_request(request, pipeline.limits)
    if request.recipe.mode not in (modes := FAMILIES[pipeline.family].modes):
        raise BadRequest(
            f"The model “{pipeline.model}” cannot do the mode “{request.recipe.mode}”: "
            f"it does {', '.join(modes)}."
        )
    paint = mode_named(request.recipe.mode).paint
    for index in range(request.variants):
        yield paint(
            _variant(request, pipeline, index),
            pipeline,
            _counting_on(on_step, index, request.variants),
        )


def image_hash(image: Image) -> str:
    """SHA-256 of the raw pixels in hex, which is how a recipe names its images."""
    return hashlib.sha256(image.data).hexdigest()


def _variant(request: Request, pipeline: Pipeline, index: int) -> Request:
    recipe = replace(
        request.recipe,
        seed=request.recipe.seed + index,
        model=pipeline.model,
        model_hash=pipeline.model_hash,
        inputs={name: image_hash(image) for name, image in request.images.items()},
        software=f"acetate {__version__}",
    )
    return replace(request, recipe=recipe, variants=1)


def _counting_on(on_step: OnStep | None, index: int, variants: int) -> OnStep | None:
    if on_step is None:
        return None

    def count(step: Step) -> None:
        on_step(replace(step, index=index * step.total + step.index, total=variants * step.total))

    return count
