"""Pairs of layers as a stage learns them: latents and words from the cache, pictures to be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from acetate.latent_transparency import composite_on_grey
from acetate.training.collection.entries import Entry, Pixels, read_layer, read_pixels
from acetate.training.collection.framing import as_tensor, fitted
from acetate.training.collection.layer_pairs import LayerPair
from acetate.training.conversion.latent_cache import Encode, LatentCache, kept_words, mirrored_in
from acetate.training.conversion.order import Order
from acetate.training.conversion.two_layer_tasks import Task

FRONT = "front"
"""The layer of a pair as a denoiser is shown it: an opaque picture on grey."""


class PairSamples(Dataset[dict[str, Tensor]]):
    """`latent` [F, C, h, w] of what is painted, `tokens` [F, T, D], perhaps `pooled` [F, P];
    `seen` [S × C, h, w] of what is seen, and for those who see pixels `picture` [3, H, W].
    """

    def __init__(
        self,
        cache: LatentCache,
        pairs: Sequence[LayerPair],
        task: Task,
        side: int,
        seed: int,
        *,
        learning: bool,
        pixels: bool,
    ) -> None:
        self._cache, self._pairs, self._task = cache, list(pairs), task
        self._side, self._seed = side, seed
        self._learning, self._pixels = learning, pixels
        self._order = Order(len(self._pairs), seed)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        pair = self._pairs[self._order.index(number) if self._learning else number]
        mirrored = self._learning and mirrored_in(self._seed, number)
        told = not self._learning or kept_words(self._seed, number)
        parts = [pair.parts[part] for part in self._task.painted]
        words = [self._cache.words(part.caption if told else "") for part in parts]
        latents = [self._cache.latent(part.key, mirrored=mirrored) for part in parts]
        sample = {"latent": torch.stack(latents), "number": torch.tensor(number)}
        sample |= {name: torch.stack([each[name] for each in words]) for name in words[0]}
        seen = [seen_part(pair, part) for part in self._task.seen]
        if seen and self._pixels:
            picture = as_tensor(fitted(read_part(seen[0]), self._side))[:3]
            sample["picture"] = picture.flip(-1) if mirrored else picture
        elif seen:
            shown = [self._cache.latent(part.key, mirrored=mirrored) for part in seen]
            sample["seen"] = torch.cat(shown)
        return sample


def cached_parts(pairs: Sequence[LayerPair]) -> list[Entry]:
    """All whose latents a stage may ask for."""
    return [entry for pair in pairs for entry in (*pair.parts.values(), seen_part(pair, "layer"))]


def seen_part(pair: LayerPair, part: str) -> Entry:
    """A part of a pair as something that is seen: the layer on grey, the others as they are."""
    entry = next(each for name, each in pair.parts.items() if name == part)
    return Entry(f"{pair.key}/{FRONT}", entry.caption, entry.data) if part == "layer" else entry


def read_part(entry: Entry) -> Pixels:
    """A layer as it is, all others opaque. Raises Unusable."""
    if entry.key.endswith("/layer"):
        return read_layer(entry)
    pixels = read_pixels(entry)
    if entry.key.endswith(f"/{FRONT}"):
        grey = composite_on_grey(as_tensor(pixels)[None])[0].permute(1, 2, 0)
        pixels = np.dstack([(grey * 255).round().numpy().astype(np.uint8), pixels[..., 3]])
        pixels[..., 3] = 255
    return pixels


def encoded(layer: Encode, picture: Encode) -> Encode:
    """The latents of layers by one way, of what is opaque by another."""

    def encode(rgba: Tensor) -> Tensor:
        return picture(rgba[:, :3]) if bool((rgba[:, 3:] == 1).all()) else layer(rgba)

    return encode
