"""How like two straight layers are."""

from __future__ import annotations

from collections.abc import Callable

import torch
from kornia.metrics import ssim
from torch import Tensor

from acetate.evaluation.matting import (
    absolute_error,
    connectivity_error,
    gradient_error,
    squared_error,
)
from acetate.training.batches import over
from acetate.training.collection.halos import edge_band

TONES = {"grey": 0.5, "black": 0.0, "white": 1.0}
"""The backdrops that the published figures are taken over."""
_WINDOW = 11
_LEAST = 1e-10

Distance = Callable[[Tensor, Tensor], Tensor]
"""Of pictures [1, 3, H, W] from -1 to 1: LPIPS, where its weights are here."""


def compare(found: Tensor, truth: Tensor, lpips: Distance | None = None) -> dict[str, float]:
    """Figures for straight layers [1, 4, H, W] in [0, 1], by name.

    PSNR (decibels), SSIM and LPIPS over each tone and on average; of alpha SAD, MSE, Grad, Conn
    and the mean error within three pixels of the outline.
    """
    figures: dict[str, float] = {}
    measures: dict[str, list[float]] = {"PSNR": [], "SSIM": []} | (
        {"LPIPS": []} if lpips is not None else {}
    )
    for name, tone in TONES.items():
        pair = [over(layer, tone) for layer in (found, truth)]
        each = {
            "PSNR": float(-10 * (pair[0] - pair[1]).square().mean().clamp_min(_LEAST).log10()),
            "SSIM": float(ssim(pair[0], pair[1], _WINDOW).mean()),
        }
        if lpips is not None:
            each["LPIPS"] = float(lpips(pair[0] * 2 - 1, pair[1] * 2 - 1).mean())
        for measure, value in each.items():
            figures[f"{measure} {name}"] = value
            measures[measure].append(value)
    figures |= {name: sum(values) / len(values) for name, values in measures.items()}
    alphas = [layer[0, 3].double().cpu().numpy() for layer in (found, truth)]
    figures |= {
        "SAD": absolute_error(*alphas),
        "MSE": squared_error(*alphas),
        "Grad": gradient_error(*alphas),
        "Conn": connectivity_error(*alphas),
    }
    band = edge_band(truth[:, 3:])
    if bool(band.any()):
        figures["edge"] = float((found[:, 3:] - truth[:, 3:]).abs()[band].mean())
    return figures


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    """Of each figure over the rows that have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    found: dict[str, float] = {}
    for name in names:
        values = torch.tensor([row[name] for row in rows if name in row], dtype=torch.float64)
        found[name] = float(values.mean())
    return found
