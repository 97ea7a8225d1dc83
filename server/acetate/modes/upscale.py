"""Enlarge a layer, its transparency included, with the upscaler that ships."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn.functional import interpolate

from acetate.errors import BadRequest
from acetate.images.tensors import to_image, to_tensor
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.sampling import OnStep, Step
from acetate.upscaling.enlarging import count_tiles, enlarged_tiles
from acetate.upscaling.network import TILE, weights_of
from acetate_bridge.protocol.types import Image, Layer, Request, Role

_PARTS = 8
"""Steps that are told of in each tile: most layers are a single one, which takes seconds."""

_PREVIEW = 256
"""Longest side of the preview, in pixels."""


def paint(request: Request, pipeline: Pipeline, on_step: OnStep | None = None) -> list[Layer]:
    """The image `layer` at the recipe's scale times its size; a step is a part of a tile.

    Of the pipeline takes part its device, and its upscaler where it is one. The result is written
    part by part, so that a large one needs little more memory than itself.
    """
    recipe = request.recipe
    source = to_tensor(request.images["layer"])
    height, width = source.shape[-2:]
    upscaler = pipeline.upscaler
    if upscaler is None:
        pipeline.files.use(weights_of(recipe.scale))
    elif upscaler.scale < recipe.scale:
        raise BadRequest(
            f"The upscaler “{pipeline.model}” enlarges {upscaler.scale} times, not {recipe.scale}."
        )
    dtype = np.dtype("u1" if request.pixel_format == "rgba8" else "<u2")
    samples = np.empty((height * recipe.scale, width * recipe.scale, 4), dtype)
    total = _PARTS * count_tiles(height, width, TILE if upscaler is None else upscaler.tile)
    told = finished = 0

    def tell(done: int) -> None:
        nonlocal told
        if on_step is not None and done > told:
            told = done
            on_step(Step(done, total, lambda: _small(source)))

    def within(share: float) -> None:
        # The last part of a tile is done when its pixels are there.
        tell(finished + min(int(share * _PARTS), _PARTS - 1))

    tiles = enlarged_tiles(
        source, recipe.scale, pipeline.device, upscaler=upscaler, on_share=within
    )
    for tile in tiles:
        part = to_image(tile.rgba, request.pixel_format)
        rows, columns = slice(tile.y, tile.y + part.height), slice(tile.x, tile.x + part.width)
        samples[rows, columns] = np.frombuffer(part.data, dtype).reshape(part.height, part.width, 4)
        finished += _PARTS
        tell(finished)
    image = Image(samples.shape[1], samples.shape[0], samples.tobytes(), request.pixel_format)
    return [Layer(image, Role.FOREGROUND, f"layer × {recipe.scale}", recipe=recipe)]


def _small(rgba: Tensor) -> Tensor:
    """The layer for a preview."""
    longest = max(rgba.shape[-2:])
    if longest <= _PREVIEW:
        return rgba
    return interpolate(rgba, scale_factor=_PREVIEW / longest, mode="area")
