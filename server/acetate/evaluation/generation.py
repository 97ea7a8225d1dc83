"""How well layers are painted from words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from acetate.evaluation.features import Features, fid, gathered, kid
from acetate.evaluation.fidelity import means
from acetate.images.tensors import to_tensor
from acetate.models.families import FAMILIES
from acetate.modes.registry import mode_named
from acetate.pipelines.pipeline import Pipeline
from acetate.training.agreement import thumbnails, train_classifier
from acetate.training.batches import over
from acetate.training.collection.halos import halo_of
from acetate.training.samples import write_rows
from acetate_bridge.protocol.types import Recipe, Request

CLEAR, SOLID = 0.02, 0.98
SHOWN = 8
_SIDE = 192
EPOCHS = 40

Paint = Callable[[str, int], Tensor]
"""A straight layer [1, 4, H, W] of a prompt and a seed."""


def layer_painter(pipeline: Pipeline, steps: int, passes: int) -> Paint:
    """As the mode for single layers paints, but never a second time where the first is opaque."""
    family = FAMILIES[pipeline.family]
    side = pipeline.native

    def paint(prompt: str, seed: int) -> Tensor:
        recipe = Recipe(
            "text", prompt, seed=seed, steps=steps or family.steps, guidance=family.guidance,
            width=side, height=side, passes=passes, stop_at=1.0,
        )  # fmt: skip
        pipeline.begin()
        (layer,) = mode_named("text").paint(Request(recipe), pipeline, None)
        return to_tensor(layer.image)

    return paint


def picture_painter(pipeline: Pipeline, steps: int) -> Paint:
    """The bare base on its own, opaque: what a matting model then cuts out."""
    family = FAMILIES[pipeline.family]

    def paint(prompt: str, seed: int) -> Tensor:
        side = pipeline.native
        pipeline.begin()
        latent = pipeline.denoise(
            pipeline.draw_noise(side, side, torch.Generator().manual_seed(seed)),
            pipeline.encode_prompt([prompt], [""]),
            steps=steps or family.steps,
            guidance=family.guidance,
        )
        return pipeline.decode_image(latent).float().cpu().clamp(0, 1)

    return paint


def measure_paintings(
    painters: Mapping[str, Paint],
    prompts: Sequence[str],
    real: Sequence[tuple[str, Tensor]],
    features: Features,
    sheet: Path,
    report: Callable[[str], None],
    epochs: int = EPOCHS,
) -> dict[str, dict[str, float]]:
    """Mean figures of each painter over the same prompts and seeds, and of the real layers.

    Clear, solid and half-clear shares of the frame; shares of layers that are opaque or empty;
    the halo; KID and FID to the real layers; how often a classifier that learned these alone names
    a painting by its prompt, where prompts are their captions.
    """
    painted: dict[str, list[Tensor]] = {}
    for name, paint in painters.items():
        painted[name] = [paint(prompt, seed) for seed, prompt in enumerate(prompts)]
        report(f"{name}: {len(prompts)} painted")
    reference = [layer for _, layer in real]
    known = gathered(features, reference)
    names = list(dict.fromkeys(caption for caption, _ in real))
    classify = _classifier(real, names, epochs, report) if len(names) > 1 else None
    table = {"real layers": means([alpha_figures(layer) for layer in reference])}
    for name, layers in painted.items():
        figures = means([alpha_figures(layer) for layer in layers])
        if len(layers) > 1 and len(reference) > 1:
            seen = gathered(features, layers)
            figures |= {"KID × 1000": kid(seen, known), "FID": fid(seen, known)}
        asked = [
            (names.index(p), each) for p, each in zip(prompts, layers, strict=True) if p in names
        ]
        if classify is not None and asked:
            right = [classify(layer) == number for number, layer in asked]
            figures["recognised"] = sum(right) / len(right)
        table[name] = figures
    _draw(sheet, list(painted.values()))
    return table


def alpha_figures(rgba: Tensor) -> dict[str, float]:
    """Of one straight layer [1, 4, H, W]."""
    alpha = rgba[:, 3:]
    clear, solid = (alpha < CLEAR).float().mean(), (alpha > SOLID).float().mean()
    return {
        "clear": float(clear),
        "solid": float(solid),
        "half-clear": float(1 - clear - solid),
        "opaque": float(bool(alpha.min() > SOLID)),
        "empty": float(bool(alpha.max() < CLEAR)),
        "halo": halo_of(rgba),
    }


def _classifier(
    real: Sequence[tuple[str, Tensor]],
    names: list[str],
    epochs: int,
    report: Callable[[str], None],
) -> Callable[[Tensor], int]:
    """Names a layer by the caption that it is most like."""
    first = {caption: thumbnails(layer) for caption, layer in reversed(real)}
    network = train_classifier(torch.cat([first[name] for name in names]), epochs, report)

    @torch.inference_mode()
    def classify(layer: Tensor) -> int:
        return int(network(thumbnails(layer)).argmax())

    return classify


def _draw(sheet: Path, painted: list[list[Tensor]]) -> None:
    rows = [
        torch.cat(
            [
                torch.nn.functional.interpolate(
                    over(layer, tone), (_SIDE, _SIDE), mode="bilinear", antialias=True
                )
                for layer in layers[:SHOWN]
            ]
        )
        for layers in painted
        for tone in (0.0, 1.0)
    ]
    write_rows(sheet, rows)
