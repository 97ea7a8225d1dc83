"""Running a request: checked, one variant after the other, each with its complete recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from acetate import __version__
from acetate.errors import BadRequest
from acetate.models.families import FAMILIES, FEW_TO_SKIP
from acetate.models.fitting import kept_in
from acetate.modes.registry import mode_named
from acetate.modes.second_try import painted_twice_at_most
from acetate.modes.validation import check_recipe, check_request
from acetate.modes.variant_batches import VariantBatches
from acetate.prompting.choices import in_plain_words, with_choices_made, with_words_of
from acetate_bridge.protocol.seeds import variant_seed
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request

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

    Variants are painted one by one, so that on a processor a seed gives the same bytes alone and in
    a batch, and the first picture is there early; on a card, where that costs time, several are
    denoised together if memory allows, and the last bit of a pixel may differ (see `at_once`).
    `on_step` sees steps counted over all variants and may raise to stop. Each recipe names the
    files that were used; a request that names some is painted with exactly those. A layer that
    comes out opaque or empty is tried once more. Raises BadRequest or FilesDiffer.
    """
    from acetate.modes.adapters import equipped

    check_request(request, pipeline.limits)
    family = FAMILIES[pipeline.family]
    if not family.can(request.recipe.mode):
        raise BadRequest(
            f"The model “{pipeline.model}” cannot do the mode “{request.recipe.mode}”: "
            f"it does {', '.join(family.modes)}."
        )
    family.check_cache(request.recipe.cache)
    paint = mode_named(request.recipe.mode).paint
    pipeline.begin()
    pipeline.files.begin(request.recipe.files)
    _tell_of_weights(request.recipe.weights, pipeline)
    drawn = [_drawn(request.recipe, index) for index in range(request.variants)]
    for _, alike in groupby(enumerate(drawn), lambda each: each[1].styles):
        several = list(alike)
        first = replace(request, recipe=several[0][1])
        with equipped(first, pipeline) as told, _skipping(told, pipeline) as recipe:
            variants = [
                _variant(
                    replace(request, recipe=with_words_of(replace(recipe, seed=said.seed), said)),
                    pipeline,
                )
                for _, said in several
            ]
            first_of_all = several[0][0]

            def counting(place: int, many: int, at: int = first_of_all) -> OnStep | None:
                return _counting_on(on_step, at + place, many, request.variants)

            batches = VariantBatches(variants, pipeline, counting)

            def painted(
                variant: Request, place: int, batches: VariantBatches = batches
            ) -> list[Layer]:
                layers = batches.layers(place, variant)
                if layers is None:
                    return paint(variant, pipeline, batches.counting(place, 1))
                return layers

            for place, (_, said) in enumerate(several):
                with pipeline.files.of_one():
                    at_place = partial(painted, place=place)
                    layers = painted_twice_at_most(variants[place], at_place, pipeline.ladder)
                    pipeline.files.check_complete()
                    complete = [_complete(layer, said, pipeline.files.hashes) for layer in layers]
                _tell_of_skipped(pipeline)
                yield complete


@contextmanager
def _skipping(recipe: Recipe, pipeline: Pipeline) -> Generator[Recipe]:
    """The step cache that a recipe asks for, where it is of use; the recipe as it is painted."""
    if not recipe.cache or recipe.steps <= FEW_TO_SKIP:
        if recipe.cache:
            pipeline.ladder.tell(f"Of {recipe.steps} steps none is skipped: they are few already.")
        yield replace(recipe, cache="")
        return
    from acetate.pipelines.step_cache import caching

    with caching(pipeline.denoiser, recipe.cache) as cache:
        pipeline.step_cache = cache
        try:
            yield recipe if cache is not None else replace(recipe, cache="")
        finally:
            pipeline.step_cache = None


def _tell_of_skipped(pipeline: Pipeline) -> None:
    if (cache := pipeline.step_cache) is not None:
        pipeline.ladder.tell(
            f"{cache.skipped} of {cache.run} runs of the denoiser were skipped for the most part: "
            "without a step cache the picture is a little different."
        )
        cache.start_counting()


def _tell_of_weights(asked: str, pipeline: Pipeline) -> None:
    """Say where a picture is painted again with weights in another form than it was."""
    if asked not in ("", pipeline.weight_form or "16"):
        pipeline.ladder.tell(
            f"It was painted with weights in {kept_in(asked)}, and here they are kept in "
            f"{kept_in(pipeline.weight_form)}: it may come out a little different."
        )


def image_hash(image: Image) -> str:
    """SHA-256 of the raw pixels in hex, which is how a recipe names its images."""
    return hashlib.sha256(image.data).hexdigest()


def _drawn(recipe: Recipe, index: int) -> Recipe:
    """The recipe of a variant, counted from 0: its seed, and what that draws in its prompts."""
    drawn = with_choices_made(replace(recipe, seed=variant_seed(recipe.seed, index)))
    check_recipe(drawn)
    return drawn


def _complete(layer: Layer, said: Recipe, files: dict[str, str]) -> Layer:
    """The layer with the files that made it, and with all signs of its prompts."""
    recipe = layer.recipe
    if recipe is None:
        return layer
    complete = replace(recipe, files=files)
    # Of layers that were painted one after another each has a prompt of its own.
    return replace(layer, recipe=complete if said.then else with_words_of(complete, said))


def _variant(request: Request, pipeline: Pipeline) -> Request:
    said = request.recipe
    recipe = replace(
        said if pipeline.weighs_words else in_plain_words(said),
        passes=request.recipe.passes or FAMILIES[pipeline.family].passes,
        scheduler=request.recipe.scheduler or pipeline.preset,
        stop_at=request.recipe.stop_at or _advised_stop(request, pipeline),
        model=pipeline.model,
        model_hash=pipeline.model_hash,
        weights=pipeline.weight_form,
        inputs={name: image_hash(image) for name, image in request.images.items()},
        software=f"acetate {__version__}",
    )
    return replace(request, recipe=recipe, variants=1)


_CLEAN_BACKGROUND = 0.5
"""Where the authors let the bare base finish what lies behind a layer (LayerDiffuse, README)."""


def _advised_stop(request: Request, pipeline: Pipeline) -> float:
    behind = request.recipe.mode == "background" or "layer" in request.images
    staged = pipeline.composition == "staged" and request.recipe.mode in ("background", "extract")
    return _CLEAN_BACKGROUND if staged and behind else 1.0


def _counting_on(on_step: OnStep | None, index: int, many: int, variants: int) -> OnStep | None:
    """Counts the steps of so many variants at once, from the one of this index on, over all."""
    if on_step is None:
        return None

    def count(step: Step) -> None:
        done = index * step.total + many * step.index
        on_step(replace(step, index=done, total=variants * step.total))

    return count
