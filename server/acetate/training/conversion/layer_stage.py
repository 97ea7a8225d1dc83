"""The denoiser learns to paint latents of layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from acetate.models.families import Family
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding
from acetate.pipelines.pipeline import Pipeline
from acetate.training.batches import over
from acetate.training.conversion.low_rank import TrainedAttention
from acetate.training.conversion.objectives import Objective
from acetate.training.conversion.order import numbers_in
from acetate.training.conversion.trainer import Batch, Stage
from acetate.training.losses import Losses
from acetate.training.samples import write_rows

SHOWN_STEPS = 20
"""At the most."""


class LayerStage(Stage):
    """`latent` [B, C, h, w] scaled, `tokens` [B, T, D], perhaps `pooled` [B, P], `number` [B]."""

    name = "layers"

    def __init__(
        self,
        pipeline: Pipeline,
        rank: int,
        objective: Objective,
        seed: int,
        shown: list[tuple[Tensor, Tensor | None]],
        decode: Callable[[Tensor], Tensor],
        family: Family,
        side: int,
    ) -> None:
        super().__init__()
        self.attention = TrainedAttention(pipeline.denoiser, rank)
        self._pipeline, self._objective, self._seed = pipeline, objective, seed
        self._shown, self._decode, self._side = shown, decode, side
        self._guidance, self._steps = family.guidance, min(family.steps, SHOWN_STEPS)

    def forward(self, batch: Batch, step: int) -> Losses:
        """The mean squared error of what the denoiser predicts."""
        numbers = numbers_in(batch)
        noisy, timestep, wanted = self._objective.noisy(batch["latent"], numbers, self._seed)
        dtype = self._pipeline.dtype
        pooled = batch["pooled"].to(dtype) if "pooled" in batch else None
        tokens = batch["tokens"].to(dtype)
        found = self._pipeline.predict(noisy, timestep, Conditioning(tokens, pooled))
        return {"loss": (found.float() - wanted.float()).square().mean()}

    @torch.no_grad()
    def show(self, file: Path) -> None:
        """What is painted from words that were held out, on black, on white, and its alpha."""
        layers: list[Tensor] = []
        empty_tokens, empty_pooled = self._shown[0]
        for number, (tokens, pooled) in enumerate(self._shown[1:]):
            words = PromptEmbedding(
                self._placed(tokens),
                self._placed(empty_tokens),
                None if pooled is None else self._placed(pooled),
                None if empty_pooled is None else self._placed(empty_pooled),
            )
            side = self._side
            noise = self._pipeline.draw_noise(side, side, torch.Generator().manual_seed(number))
            latent = self._pipeline.denoise(
                noise, words, steps=self._steps, guidance=self._guidance
            )
            layers.append(self._decode(latent).float().cpu().clamp(0, 1))
        if layers:
            rgba = torch.cat(layers)
            alpha = rgba[:, 3:].expand(-1, 3, -1, -1)
            write_rows(file, [over(rgba, 0.0), over(rgba, 1.0), alpha])

    def _placed(self, states: Tensor) -> Tensor:
        """Cached states as a batch of one."""
        return states[None].to(self._pipeline.device, self._pipeline.dtype)
