"""How good a model folder is, on pictures that no stage of its training saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acetate.embedded.codec import Codec
from acetate.latent_transparency.colour import GREY
from acetate.latent_transparency.decoding import CHUNK_PIXELS
from acetate.pipelines.embedded import EmbeddedPipeline

from .agreement import measure_agreement
from .batches import over
from .cost import measure_cost
from .crispness import measure_crispness
from .dataset import PictureSet, read_picture_set
from .fills import measure_fills
from .grounding import measure_grounding
from .hues import measure_hues
from .loop import Report
from .originality import nearest, paint_sheet, spread_between_styles

EDGE_RADIUS = 3
GROUNDING_SCENES = 36
ROUND_TRIP_AIM = (
    "alpha_error ≤ 0.012, alpha_edge_error ≤ 0.08, alpha_iou ≥ 0.98, colour_decibels ≥ 30"
)
COLOURS_AIM = "share ≥ 0.9"
AGREEMENT_AIM = "samples as often as drawings"
FILLS_AIM = "each fill above hole and repainted in decibels, below both in alpha"
COST_AIM = (
    "evaluations ≤ 8, seconds ≤ 1.2 where product is 66e9: worth ≤ 79e9, peak_bytes ≤ 1e9, "
    "files_bytes ≤ 96e6"
)


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


@dataclass(frozen=True)
class Extent:
    """How many pictures and samples each figure is taken over."""

    passes: int = 1
    pictures: int = 250
    samples: int = 120
    colours: int = 60
    epochs: int = 40
    crisp: int = 12
    holes: int = 24


def evaluate(model: Path, data: Path, extent: Extent, report: Report) -> dict[str, object]:
    """All figures of a model folder, told one by one with what is aimed at; data at the painted
    size.

    Crispness, fills, agreement with the prompt, colours, closeness to the training pictures with
    the memory and without it, backgrounds under their layers, round trips over both held-out
    splits, and what a layer costs. FileNotFoundError without data.
    """
    pictures = read_picture_set(data)
    pipeline = EmbeddedPipeline.from_folder(model, torch.device("cpu"), model.name)
    results: dict[str, object] = {}

    def tell(name: str, figures: object, aim: str = "") -> None:
        results[name] = _table(figures)
        report(f"{name}: {describe(figures)}{f' (aim: {aim})' if aim else ''}")

    for split in ("concept", "style"):
        trip = round_trips(pipeline.codec, pictures, split, extent.passes, extent.pictures)
        tell(f"held out by {split}", trip, ROUND_TRIP_AIM)
    tell("crispness", measure_crispness(pipeline, pictures, extent.crisp))
    tell("fills", measure_fills(pipeline, pictures, min(extent.holes, extent.pictures)), FILLS_AIM)
    tell("colours", measure_hues(pipeline, extent.colours), COLOURS_AIM)
    tell(
        "agreement",
        measure_agreement(pipeline, pictures, extent.samples, extent.epochs, report),
        AGREEMENT_AIM,
    )
    tell("backgrounds", measure_grounding(pipeline, pictures, GROUNDING_SCENES))
    tell("originality", _closeness(pipeline, pictures))
    tell("cost", measure_cost(model), COST_AIM)
    return results


def _closeness(pipeline: EmbeddedPipeline, pictures: PictureSet) -> dict[str, float]:
    others = sorted(spread_between_styles(pictures))
    closeness: dict[str, float] = {"between_styles_of_one_concept": sum(others) / len(others)}
    beginnings = pipeline.beginnings
    for way, begun in (("with_memory", beginnings), ("without", None)):
        pipeline.beginnings = begun
        near = [one.distance for one in nearest(paint_sheet(pipeline), pictures)]
        closeness[f"{way}_mean"] = sum(near) / len(near)
        closeness[f"{way}_nearest"] = min(near)
    pipeline.beginnings = beginnings
    return closeness


def describe(figures: object) -> str:
    """One line of figures."""
    return ", ".join(f"{name} {_plain(value)}" for name, value in _table(figures).items())


def _table(figures: object) -> dict[str, object]:
    """Figures by their names, of a dataclass or of such a table."""
    if is_dataclass(figures) and not isinstance(figures, type):
        return asdict(figures)
    return dict(cast("Mapping[str, object]", figures))


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return (
        "; ".join(map(str, cast("tuple[object, ...]", value)))
        if isinstance(value, tuple)
        else str(value)
    )


def round_trips(
    codec: Codec, pictures: PictureSet, split: str, passes: int, limit: int
) -> RoundTrip:
    """Encode and decode the pictures of one split, as they are."""
    rows = pictures.rows(split)
    rows = rows[:: max(1, len(rows) // limit)][:limit]
    measured = [_measure(codec, rgba, passes) for rgba in _batches(pictures.pixels, rows, batch=8)]
    table: list[float] = cast("Any", torch.cat(measured).double().mean(0)).tolist()
    return RoundTrip(len(rows), *table)


def _batches(pixels: NDArray[np.uint8], rows: NDArray[np.int64], batch: int) -> Iterator[Tensor]:
    for first in range(0, len(rows), batch):
        stacked = np.stack([pixels[row] for row in rows[first : first + batch]])
        yield torch.as_tensor(stacked).permute(0, 3, 1, 2).float() / 255


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
