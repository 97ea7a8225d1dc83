"""One run of Qwen-Image's denoiser, over what is painted and pictures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from acetate.pipelines.latent_tokens import flat, unflat
from acetate.pipelines.sampling import guided
from acetate.pipelines.sized_flow import SizedFlow


def velocity(
    transformer: Any, latent: Tensor, timestep: Tensor, words: Tensor, references: Sequence[Tensor]
) -> Tensor:
    """The velocity [B, C, h, w] at a noisy latent, in sight of pictures."""
    height, width = latent.shape[-2:]
    every = (latent, *references)
    dtype = words.dtype
    found = transformer(
        hidden_states=torch.cat([flat(each.to(latent)) for each in every], dim=1).to(dtype),
        timestep=timestep.expand(len(latent)).to(dtype) / 1000,
        encoder_hidden_states=words,
        img_shapes=[[(1, *each.shape[-2:]) for each in every]] * len(latent),
        return_dict=False,
    )[0]
    return unflat(found[:, : height * width], height, width)


def guided_evenly(wanted: Tensor, avoided: Tensor, guidance: float) -> Tensor:
    """Guidance that leaves each token [B, C, h, w] as long as it was, as the authors paint."""
    away = guided(wanted, avoided, guidance)
    whole, long = (each.square().sum(dim=1, keepdim=True).sqrt() for each in (wanted, away))
    return away * (whole / long)


class PackedFlow(SizedFlow):
    """Noise levels for latents of which each place is a token."""

    places_of_token = 1
