"""Pictures beside the words of a prompt: their tokens travel behind it to the denoiser."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from acetate.adapters.flux_image_adapter import FluxImageAdapter
from acetate.adapters.image_adapter import ImageAdapter
from acetate.adapters.image_encoder import load_image_encoder, picture_states
from acetate.adapters.reference_aspects import Shares
from acetate.models.image_adapters import ImageEncoderFile
from acetate.models.weights import read_weights
from acetate.pipelines.conditioning import PromptEmbedding


@dataclass(frozen=True)
class SeenPicture:
    """An adapter with its tokens of a picture, and of none, each [1, T, D]."""

    adapter: ImageAdapter
    tokens: Tensor
    nothing: Tensor


@dataclass(frozen=True)
class SeenPictures:
    """All pictures that are gone by, in the order in which their tokens follow the words."""

    pictures: tuple[SeenPicture, ...] = ()

    def beside(self, seen: SeenPicture) -> SeenPictures:
        """These, and another."""
        return SeenPictures((*self.pictures, seen))

    def told_with(self, prompt: PromptEmbedding) -> PromptEmbedding:
        """A prompt with the tokens of all pictures behind its words; what is avoided shows none."""
        if not self.pictures:
            return prompt
        return replace(
            prompt,
            positive=_behind(prompt.positive, [each.tokens for each in self.pictures]),
            negative=_behind(prompt.negative, [each.nothing for each in self.pictures]),
            turns=tuple(self.told_with(turn) for turn in prompt.turns),
        )

    def shown(self, tokens: Tensor) -> Tensor:
        """The words alone, after each adapter was shown the tokens that are its own."""
        for each in reversed(self.pictures):
            count = each.tokens.shape[1]
            tokens, each.adapter.seen = tokens[:, :-count], tokens[:, -count:]
        return tokens


@torch.inference_mode()
def seen_by(
    adapter: Path,
    encoder: ImageEncoderFile,
    picture: Tensor,
    strength: float,
    denoiser: nn.Module,
    at: tuple[torch.device, torch.dtype],
    shares: Shares,
) -> SeenPicture:
    """A straight picture [1, 4, H, W] as an adapter sees it. The encoder is let go at once.

    Raises ModelMissing, ModelDamaged, PatchMismatch.
    """
    found = ImageAdapter.read(read_weights(adapter), denoiser, strength, adapter.name, shares)
    found.to(*at)
    network = load_image_encoder(encoder, *at)
    said = picture_states(network, picture, states=found.reads_states)
    tokens, nothing = (found.projection(each) for each in said)
    return SeenPicture(found, tokens, nothing)


@torch.inference_mode()
def seen_in_flux(
    adapter: Path,
    encoder: ImageEncoderFile,
    picture: Tensor,
    strength: float,
    denoiser: nn.Module,
    at: tuple[torch.device, torch.dtype],
) -> FluxImageAdapter:
    """An adapter for Flux that has seen a straight picture [1, 4, H, W].

    Raises ModelMissing, ModelDamaged, PatchMismatch.
    """
    found = FluxImageAdapter.read(read_weights(adapter), denoiser, strength, adapter.name)
    found.to(*at)
    said, _ = picture_states(load_image_encoder(encoder, *at), picture, states=False)
    found.seen = found.projection(said)
    return found


def _behind(words: Tensor, tokens: list[Tensor]) -> Tensor:
    return torch.cat([words, *(each.expand(len(words), -1, -1).to(words) for each in tokens)], 1)
