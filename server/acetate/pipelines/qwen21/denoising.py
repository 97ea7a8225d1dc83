"""One run of the denoiser a step, over words, pictures and what is painted in one sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.transformers.transformer_qwenimage21 import QwenImage21KVCache
from torch import Tensor

from acetate.pipelines.conditioning import ReferredPrompt
from acetate.pipelines.latent_tokens import flat, unflat
from acetate.pipelines.sized_flow import SizedFlow


@dataclass(frozen=True)
class SeenPrompt(ReferredPrompt):
    """Words [1, T, D], of which `slots` [1, T] mark those that stand for pictures."""

    slots: Tensor | None = None
    negative_slots: Tensor | None = None


class Branch:
    """The wanted or the avoided prompt of one painting.

    With `caching` what the words and the pictures become is worked out in the first step and kept:
    they do not change with the noise.
    """

    def __init__(
        self,
        transformer: Any,
        words: Tensor,
        slots: Tensor,
        references: tuple[Tensor, ...] = (),
        *,
        caching: bool = False,
    ) -> None:
        self._transformer = transformer
        self._words = words
        self._slots = slots
        self._references = references
        self._caching = caching and bool(transformer.config["causal_condition"])
        self._cache: QwenImage21KVCache | None = None

    @property
    def run(self) -> str:
        """A name of the next run: where words are only remembered, it goes over fewer tokens."""
        return f"{id(self)} {self._cache is not None}"

    def __call__(self, latent: Tensor, timestep: Tensor) -> Tensor:
        """The velocity [1, C, h, w] at a noisy latent; a call that fails may be made again."""
        height, width = latent.shape[-2:]
        dtype = self._words.dtype
        tokens = [flat(each).to(latent.device, dtype) for each in (*self._references, latent)]
        shapes = [(1, *each.shape[-2:]) for each in (*self._references, latent)]
        target = self._slots.new_ones(1, height * width // 4)
        known = self._cache
        filling = QwenImage21KVCache(len(self._transformer.transformer_blocks))
        velocity = self._transformer(
            hidden_states=torch.cat(tokens, dim=1),
            timestep=timestep.expand(1).to(dtype) / 1000,
            encoder_hidden_states=self._words,
            img_shapes=[shapes],
            img_mask=torch.cat([self._slots, target], dim=1),
            kv_cache=(known or filling) if self._caching else None,
            kv_cache_mode=("cached" if known else "extract") if self._caching else None,
            return_dict=False,
        )[0]
        if self._caching and known is None:
            self._cache = filling
        return unflat(velocity[:, -height * width :], height, width)


class TokenFlow(SizedFlow):
    """Noise levels that follow the number of tokens, of which each place of a latent is one."""

    authors_levels: tuple[float, ...] = ()
    """Levels before the shift that a distilled model was made for, taken for as many steps."""

    places_of_token = 1

    def levels(self, steps: int) -> list[float]:
        if steps == len(self.authors_levels):
            return list(self.authors_levels)
        return super().levels(steps)
