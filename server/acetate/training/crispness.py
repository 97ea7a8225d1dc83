"""How crisp painted layers are at the size that they are handed over.

An edge is as wide as alpha takes from a tenth to nine tenths, in pixels of the full size: the area
in between, over the length of the outline (the sum of alpha's slope, by the coarea formula).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from acetate.embedded.codec import doubled_layer, firmed
from acetate.embedded.sheet import SHEET
from acetate.latent_transparency.decoding import CHUNK_PIXELS
from acetate.pipelines.embedded import EmbeddedPipeline
from acetate.upscaling.enlarging import enlarge

from .dataset import PictureSet
from .samples import paint_latent

MANY_PASSES = 8


@dataclass(frozen=True)
class Crispness:
    """Edge widths in pixels at the full size, and what more passes of the decode change.

    `drawn_edge` is that of real drawings of the painted size, enlarged as samples are;
    `round_trip_edge` the same after encoding and decoding. `sample_edge` is that of what is
    painted and handed over; `cubic_edge` without the steeper outlines, `network_edge` with the
    shipped upscaler in place of cubic interpolation. `round_trip_decibels`, `cubic_decibels` and
    `network_decibels` (PSNR, premultiplied) say how near each way comes to the drawings. The
    passes' differences are means on a scale of 0 to 1, colour premultiplied.
    """

    samples: int
    drawn_edge: float
    round_trip_edge: float
    round_trip_decibels: float
    cubic_decibels: float
    network_decibels: float
    sample_edge: float
    cubic_edge: float
    network_edge: float
    passes_alpha: float
    passes_colour: float


@torch.inference_mode()
def measure_crispness(pipeline: EmbeddedPipeline, pictures: PictureSet, count: int) -> Crispness:
    """Edges of `count` samples of the sheet, and of as many held-out drawings."""
    codec = pipeline.codec
    trips: list[tuple[float, ...]] = []
    rows = pictures.rows("concept")
    for row in rows[:: max(1, len(rows) // count)][:count]:
        rgba = torch.as_tensor(np.array(pictures.pixels[row])).permute(2, 0, 1)[None].float() / 255
        truth = doubled_layer(rgba)
        small = codec.decode_small(codec.encode_small(rgba), 1, CHUNK_PIXELS)
        cubic = doubled_layer(small)
        firm = firmed(cubic)
        near = [_decibels(way, truth) for way in (firm, cubic, enlarge(small, 2))]
        trips.append((edge_width(truth), edge_width(firm), *near))
    figures: list[tuple[float, ...]] = []
    for number, prompt in enumerate(SHEET[:count]):
        latent = paint_latent(pipeline, prompt, 7 + number)
        once, often = (
            codec.decode_small(latent, passes, CHUNK_PIXELS) for passes in (1, MANY_PASSES)
        )
        change = (_premultiplied(once) - _premultiplied(often)).abs()
        figures.append(
            (
                edge_width(firmed(doubled_layer(once))),
                edge_width(doubled_layer(once)),
                edge_width(enlarge(once, 2)),
                float(change[:, 3].mean()),
                float(change[:, :3].mean()),
            )
        )
    means = [*np.mean(trips, axis=0).tolist(), *np.mean(figures, axis=0).tolist()]
    return Crispness(len(figures), *means)


def edge_width(rgba: Tensor) -> float:
    """The mean width of the outline of a layer [1, 4, H, W], in pixels; 0 where it has none."""
    alpha = rgba[0, 3]
    down, right = alpha[1:, :-1] - alpha[:-1, :-1], alpha[:-1, 1:] - alpha[:-1, :-1]
    length = float(torch.hypot(down, right).sum())
    between = float(((alpha > 0.1) & (alpha < 0.9)).sum())
    return between / (0.8 * length) if length > 0 else 0.0


def _decibels(layer: Tensor, truth: Tensor) -> float:
    error = (_premultiplied(layer) - _premultiplied(truth))[:, :3].square().mean()
    return float(-10 * error.clamp_min(1e-10).log10())


def _premultiplied(rgba: Tensor) -> Tensor:
    return torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)
