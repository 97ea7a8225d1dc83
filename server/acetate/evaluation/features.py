"""How far what is painted is from what it was learned from, by features that are at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from acetate.evaluation.torch_script import network_in
from acetate.latent_transparency.colour import GREY
from acetate.pipelines.pipeline import Pipeline
from acetate.training.batches import over

_PLACES = 4
_SUBSET = 100
_SUBSETS = 50

Features = Callable[[Tensor], Tensor]
"""Of a straight layer [1, 4, H, W]: [1, D]."""


def of_the_base(pipeline: Pipeline) -> Features:
    """The base's own latents on grey, at 4 × 4 places: only rows of one table can be compared."""

    def seen(rgba: Tensor) -> Tensor:
        latent = pipeline.encode_image(over(rgba, GREY)).float().cpu()
        return functional.adaptive_avg_pool2d(latent, _PLACES).flatten(1).clone()

    return seen


def of_a_file(path: Path) -> Features:
    """A TorchScript network over pictures [1, 3, 299, 299] from -1 to 1, as Inception is kept.

    Raises BadRequest.
    """
    network = network_in(path)

    @torch.inference_mode()
    def seen(rgba: Tensor) -> Tensor:
        picture = over(rgba, GREY)
        sized = functional.interpolate(picture, (299, 299), mode="bilinear", antialias=True)
        return network(sized * 2 - 1).flatten(1).float().clone()

    return seen


def gathered(features: Features, layers: Sequence[Tensor]) -> Tensor:
    """[N, D] in double precision."""
    return torch.cat([features(layer) for layer in layers]).double()


def kid(painted: Tensor, real: Tensor) -> float:
    """Kernel inception distance (Bińkowski et al. 2018, unbiased), times 1000; 0 is alike.

    Features [N, D] and [M, D]; at least two of each.
    """
    size = min(_SUBSET, len(painted), len(real))
    random = torch.Generator().manual_seed(0)
    rounds = 1 if size == max(len(painted), len(real)) else _SUBSETS
    total = 0.0
    for _ in range(rounds):
        a, b = (
            each[torch.randperm(len(each), generator=random)[:size]] for each in (painted, real)
        )
        aa, bb, ab = (_kernel(x, y) for x, y in ((a, a), (b, b), (a, b)))
        within = (aa.sum() - aa.trace() + bb.sum() - bb.trace()) / (size * (size - 1))
        total += float(within - 2 * ab.mean())
    return 1000 * total / rounds


def fid(painted: Tensor, real: Tensor) -> float:
    """Fréchet inception distance (Heusel et al. 2017): few pictures make it large."""
    means = [each.mean(0) for each in (painted, real)]
    spreads = [torch.cov(each.T).reshape(each.shape[1], -1) for each in (painted, real)]
    roots: Tensor = (
        cast("Any", torch.linalg).eigvals(spreads[0] @ spreads[1]).real.clamp_min(0).sqrt().sum()
    )
    apart = (means[0] - means[1]).square().sum()
    return float(apart + spreads[0].trace() + spreads[1].trace() - 2 * roots)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.T / a.shape[1] + 1) ** 3
