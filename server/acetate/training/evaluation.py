"""How good a model folder is, on pictures that no stage of its training saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acetate.embedded.codec import Codec
from acetate.latent_transparency.decoding import CHUNK_PIXELS
from acetate.pipelines.embedded import EmbeddedPipeline

from .batches import GREY, over
from .dataset import PictureSet, read_picture_set
from .grounding import Grounding, measure_grounding
from .loop import Report
from .originality import nearest, paint_sheet, spread_between_styles

EDGE_RADIUS = 3
GROUNDING_SCENES = 36


@dataclass(frozen=True)
class RoundTrip:
    """What a layer loses on the way through the latent; means over pictures.

    Errors are on a scale of 0 to 1, decibels are PSNR. `identity_drop` is what the frozen
    autoencoder's own reconstruction on grey loses when the offset is added.
    """

    pictures: int
    alpha_error: float
    alpha_edge_error: float
    alpha_iou: float
    colour_decibels: float
    plain_decibels: float
    identity_drop: float


def evaluate(model: Path, data: Path, passes: int, limit: int, report: Report) -> dict[str, object]:
    """Round trips over both held-out splits, at most `limit` pictures each, spread evenly; at the
    size of the pictures in `data`, which should be the painted one.

    Also how far backgrounds heed their layer, and how near samples come to training
    pictures, with the memory and without it.
    """
    pipeline = EmbeddedPipeline.from_folder(model, torch.device("cpu"), model.name)
    pictures = read_picture_set(data)
    results: dict[str, object] = {}
    for split in ("concept", "style"):
        trip = round_trips(pipeline.codec, pictures, split, passes, limit)
        results[split] = asdict(trip)
        report(f"held out by {split}: " + describe(trip))
    grounding = measure_grounding(pipeline, pictures, GROUNDING_SCENES)
    results["grounding"] = asdict(grounding)
    report("backgrounds: " + describe(grounding))
    others = sorted(spread_between_styles(pictures))
    closeness: dict[str, float] = {"between_styles_of_one_concept": sum(others) / len(others)}
    for way, beginnings in (("with_memory", pipeline.beginnings), ("without", None)):
        pipeline.beginnings = beginnings
        near = [one.distance for one in nearest(paint_sheet(pipeline), pictures)]
        closeness[f"{way}_mean"] = sum(near) / len(near)
        closeness[f"{way}_nearest"] = min(near)
    results["originality"] = closeness
    report(f"originality: {closeness}")
    return results


def describe(figures: RoundTrip | Grounding) -> str:
    """One line of figures."""
    values = ((field.name, getattr(figures, field.name)) for field in fields(figures))
    return ", ".join(f"{name} {value:.4g}" for name, value in values)


def round_trips(
    codec: Codec, pictures: PictureSet, split: str, passes: int, limit: int
) -> RoundTrip:
    """Encode and decode the pictures of one split, as they are."""
    rows = pictures.rows(split)
    rows = rows[:: max(1, len(rows) // limit)][:limit]
    measured = [_measure(codec, rgba, passes) for rgba in _batches(pictures.pixels, rows, batch=8)]
    table = torch.cat(measured).double().mean(0).tolist()
    return RoundTrip(len(rows), *table)


def _batches(pixels: NDArray[np.uint8], rows: NDArray[np.int64], batch: int) -> Iterator[Tensor]:
    for first in range(0, len(rows), batch):
        stacked = np.stack([pixels[row] for row in rows[first : first + batch]])
        yield torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 255


@torch.inference_mode()
def _measure(codec: Codec, rgba: Tensor, passes: int) -> Tensor:
    """Rows of figures in the order of `RoundTrip`, [B, 6]."""
    grey = over(rgba, GREY)
    plain = codec.decode_small_picture(codec.encode_small_picture(grey))
    latent = codec.encode_small(rgba)
    marked = codec.decode_small_picture(latent)
    decoded = codec.decode_small(latent, passes, CHUNK_PIXELS)
    truth, alpha = rgba[:, 3:], decoded[:, 3:]
    error = (alpha - truth).abs()
    band = _edge_band(truth)
    inside, outside = (alpha > 0.5) & (truth > 0.5), (alpha > 0.5) | (truth > 0.5)
    dimensions = (1, 2, 3)
    plain_decibels = _psnr(plain, grey)
    return torch.stack(
        [
            error.mean(dimensions),
            (error * band).sum(dimensions) / band.sum(dimensions).clamp_min(1),
            inside.sum(dimensions) / outside.sum(dimensions).clamp_min(1),
            _psnr(decoded[:, :3] * alpha, rgba[:, :3] * truth),
            plain_decibels,
            plain_decibels - _psnr(marked, grey),
        ],
        dim=1,
    )


def _psnr(painted: Tensor, truth: Tensor) -> Tensor:
    return -10 * (painted - truth).square().mean((1, 2, 3)).clamp_min(1e-10).log10()


def _edge_band(alpha: Tensor) -> Tensor:
    """1 within `EDGE_RADIUS` pixels of the outline, [B, 1, H, W]."""
    window = 2 * EDGE_RADIUS + 1
    solid = (alpha > 0.5).float()
    wide = torch.nn.functional.max_pool2d(solid, window, 1, EDGE_RADIUS)
    narrow = -torch.nn.functional.max_pool2d(-solid, window, 1, EDGE_RADIUS)
    return wide - narrow
