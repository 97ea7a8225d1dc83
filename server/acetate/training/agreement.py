"""Whether what is painted is what was asked for, as a classifier sees it that never saw its manner.

The classifier learns one held-out style alone, every concept from its one drawing; no stage of the
model ever saw that style. Its own mistakes are large, so its agreement with samples is told beside
its agreement with real drawings of the same concepts in the other styles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from acetate.pipelines.pipeline import Pipeline

from .captions import with_article
from .dataset import PictureSet
from .gradients import descend, seed_everything
from .loop import Report
from .samples import paint_layer

SIDE = 48
"""Of the thumbnails that the classifier sees, in pixels."""
BATCH = 48
RATE = 8e-3
TOP = 5
WIDTHS = (32, 64, 128, 192)


@dataclass(frozen=True)
class Agreement:
    """How often the concept asked for is the classifier's first name for a picture, or one of
    its first five.

    Chance is one in `concepts`, and five.
    """

    concepts: int
    samples: int
    sample_first: float
    sample_five: float
    drawings: int
    drawing_first: float
    drawing_five: float


def measure_agreement(
    pipeline: Pipeline, pictures: PictureSet, count: int, epochs: int, report: Report
) -> Agreement:
    """Train the classifier, paint `count` concepts, spread evenly, and name all pictures."""
    learned = pictures.rows("style")
    codes = [pictures.entries[int(row)].code for row in learned]
    classifier = train_classifier(_thumbnails(pictures, learned), epochs, report)
    asked = _asked(pictures, codes, count)
    real = [
        (number, row)
        for row, entry in enumerate(pictures.entries)
        if entry.split != "style" and entry.code in asked
        for number in [codes.index(entry.code)]
    ]
    drawings = _thumbnails(pictures, np.array([row for _, row in real]))
    drawn = _found(classifier, drawings, [number for number, _ in real])
    labels = {codes.index(code): label for code, label in asked.items()}
    painted = torch.cat(
        [
            thumbnails(paint_layer(pipeline, with_article(label), seed))
            for seed, label in enumerate(labels.values())
        ]
    )
    ours = _found(classifier, painted, list(labels))
    return Agreement(len(codes), len(painted), ours[0], ours[1], len(real), drawn[0], drawn[1])


def train_classifier(pictures: Tensor, epochs: int, report: Report) -> nn.Module:
    """A small network that names each of N premultiplied thumbnails [N, 4, S, S], however moved,
    tinted or softened."""
    random = torch.Generator().manual_seed(1)
    with cast("Any", torch.random).fork_rng():
        seed_everything(1)
        classifier = _network(len(pictures))
    rounds = epochs * -(-len(pictures) // BATCH)
    optimiser = torch.optim.AdamW(classifier.parameters(), lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=max(2, rounds))
    for epoch in range(epochs):
        order = torch.randperm(len(pictures), generator=random)
        total = 0.0
        for names in torch.split(order, BATCH):
            seen = varied(pictures[names], random)
            loss = functional.cross_entropy(classifier(seen), names, label_smoothing=0.1)
            optimiser.zero_grad(set_to_none=True)
            descend(loss, optimiser)
            schedule.step()
            total += float(loss.detach()) * len(names)
        if epoch % 10 == 9:
            report(f"classifier, epoch {epoch + 1} of {epochs}: {total / len(pictures):.3f}")
    return classifier.eval()


def varied(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Premultiplied pictures [B, 4, S, S], moved, turned, tinted and softened by chance."""
    count = len(pictures)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=random)

    angle, scale = uniform(-0.3, 0.3), uniform(0.85, 1.3)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    stretch = uniform(0.85, 1.18)
    rows = torch.stack(
        [
            torch.stack([cosine * mirror * stretch, -sine, uniform(-0.12, 0.12)], 1),
            torch.stack([sine * mirror, cosine / stretch, uniform(-0.12, 0.12)], 1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(rows, list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures, grid, align_corners=False)
    mixing = torch.eye(3) + 0.15 * torch.randn(count, 3, 3, generator=random)
    alpha = moved[:, 3:]
    tinted = torch.einsum("bij,bjyx->biyx", mixing, moved[:, :3]) + alpha * uniform(
        -0.1, 0.1, 3, 1, 1
    )
    tinted = torch.minimum(tinted.clamp_min(0), alpha)
    result = torch.cat([tinted, alpha], dim=1)
    soft = functional.avg_pool2d(result, 3, 1, 1)
    return result + (soft - result) * (uniform(0, 1, 1, 1, 1) < 0.5)


def thumbnails(rgba: Tensor) -> Tensor:
    """Premultiplied thumbnails [B, 4, S, S] of straight RGBA [B, 4, H, W], brought to one size."""
    premultiplied = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)
    return torch.cat([_framed(one) for one in premultiplied])


def _framed(picture: Tensor) -> Tensor:
    """What is to be seen of [4, H, W], in the middle of a square thumbnail [1, 4, S, S]."""
    solid = picture[3] > 0.3
    if not bool(solid.any()):
        return torch.zeros(1, 4, SIDE, SIDE)
    rows, columns = (solid.any(axis).nonzero().flatten() for axis in (1, 0))
    cut = picture[:, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    height, width = cut.shape[-2:]
    spare, margin = abs(height - width), max(height, width) // 16
    before, after = spare // 2 + margin, spare - spare // 2 + margin
    pads = (margin, margin, before, after) if width > height else (before, after, margin, margin)
    square = functional.pad(cut, pads)[None]
    return functional.interpolate(square, (SIDE, SIDE), mode="bilinear", antialias=True)


def _thumbnails(pictures: PictureSet, rows: np.ndarray) -> Tensor:
    small: list[Tensor] = []
    for row in rows:
        rgba = torch.as_tensor(np.array(pictures.pixels[row])).permute(2, 0, 1)[None].float()
        small.append(thumbnails(rgba / 255))
    return torch.cat(small)


def _asked(pictures: PictureSet, codes: Sequence[str], count: int) -> dict[str, str]:
    """Codes and labels of concepts that the classifier knows and others have drawn too."""
    drawn = {entry.code for entry in pictures.entries if entry.split != "style"}
    labels = {entry.code: entry.label.lower().replace(": ", " ") for entry in pictures.entries}
    known = [code for code in dict.fromkeys(codes) if code in drawn]
    return {code: labels[code] for code in known[:: max(1, len(known) // count)][:count]}


@torch.inference_mode()
def _found(classifier: nn.Module, pictures: Tensor, names: list[int]) -> tuple[float, float]:
    """How often the right name is the first, and among the first five."""
    scores = torch.cat([classifier(part) for part in torch.split(pictures, BATCH)])
    order = scores.topk(min(TOP, scores.shape[1]), dim=1).indices
    right = order == torch.tensor(names)[:, None]
    return float(right[:, 0].float().mean()), float(right.any(1).float().mean())


def _network(names: int) -> nn.Module:
    layers: list[nn.Module] = []
    for inside, outside in zip((4, *WIDTHS[:-1]), WIDTHS, strict=True):
        for width, stride in ((inside, 2), (outside, 1)):
            layers += [
                nn.Conv2d(width, outside, 3, stride, 1, bias=False),
                nn.BatchNorm2d(outside),
                nn.ReLU(inplace=True),
            ]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], names)]
    return nn.Sequential(*layers, *head)
