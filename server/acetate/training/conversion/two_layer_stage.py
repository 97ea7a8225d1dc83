"""The denoiser learns to paint one layer for another, or several at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from acetate.models.families import Family
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding
from acetate.pipelines.pipeline import Pipeline
from acetate.training.batches import over
from acetate.training.conversion.objectives import Objective
from acetate.training.conversion.order import numbers_in
from acetate.training.conversion.trainer import Batch, Stage
from acetate.training.conversion.two_layer_tasks import Task
from acetate.training.conversion.two_layer_weights import TwoLayerWeights
from acetate.training.losses import Losses
from acetate.training.samples import write_rows

SHOWN_STEPS = 20
"""At the most."""

Decode = Callable[[Tensor], Tensor]
"""A scaled latent to a straight layer or an opaque picture."""


class TwoLayerStage(Stage):
    """Learns from `PairSamples`; `shown` is one of them, `empty` the states of no words."""

    def __init__(
        self,
        pipeline: Pipeline,
        task: Task,
        weights: TwoLayerWeights,
        objective: Objective,
        seed: int,
        shown: Batch,
        empty: Batch,
        family: Family,
    ) -> None:
        super().__init__()
        self.name = task.file
        self.weights = weights
        self._pipeline, self._task, self._objective = pipeline, task, objective
        self._seed, self._shown, self._empty = seed, shown, empty
        self._guidance, self._steps = family.guidance, min(family.steps, SHOWN_STEPS)

    def forward(self, batch: Batch, step: int) -> Losses:
        """The mean squared error of what the denoiser predicts, over all frames."""
        self.weights.look_at(batch.get("picture"))
        frames = len(self._task.painted)
        # The frames of a sample are equally noisy, as they are when they are painted together.
        mixed = self._objective.noisy(batch["latent"].flatten(1, 2), numbers_in(batch), self._seed)
        noisy, wanted = (torch.unflatten(mixed[n], 1, (frames, -1)).flatten(0, 1) for n in (0, 2))
        dtype = self._pipeline.dtype
        words = {
            name: batch[name].flatten(0, 1).to(dtype)
            for name in ("tokens", "pooled")
            if name in batch
        }
        seen = batch["seen"].to(dtype) if "seen" in batch else None
        told = Conditioning(words["tokens"], words.get("pooled"), seen)
        found = self._pipeline.predict(noisy, mixed[1].repeat_interleave(frames), told)
        return {"loss": (found.float() - wanted.float()).square().mean()}

    @torch.no_grad()
    def show(self, file: Path) -> None:
        """What is painted for a pair that was held out; the layer on white, and its alpha."""
        pipeline, frames = self._pipeline, len(self._task.painted)
        placed = {name: value.to(pipeline.device) for name, value in self._shown.items()}
        picture = placed.get("picture")
        self.weights.look_at(None if picture is None else picture[None])
        empty = {
            name: value[None].expand(frames, *value.shape).to(pipeline.device, pipeline.dtype)
            for name, value in self._empty.items()
        }
        words = {
            name: placed[name].to(pipeline.dtype) for name in ("tokens", "pooled") if name in placed
        }
        factor = pipeline.latent_factor
        height, width = (side * factor for side in placed["latent"].shape[-2:])
        generator = torch.Generator().manual_seed(0)
        latent = pipeline.denoise(
            torch.cat([pipeline.draw_noise(width, height, generator) for _ in range(frames)]),
            PromptEmbedding(
                words["tokens"], empty["tokens"], words.get("pooled"), empty.get("pooled")
            ),
            steps=self._steps,
            guidance=self._guidance,
            conditions=[placed["seen"][None]] if "seen" in placed else [],
        )
        rows: list[Tensor] = []
        for part, each in zip(self._task.painted, latent.unsqueeze(1).unbind(0), strict=True):
            if part != "layer":
                rows.append(pipeline.decode_image(each))
                continue
            rgba = pipeline.decode_layer(each, passes=1).clamp(0, 1)
            rows += [over(rgba, 1.0), rgba[:, 3:].expand(-1, 3, -1, -1)]
        write_rows(file, [row.float().cpu().clamp(0, 1) for row in rows])
