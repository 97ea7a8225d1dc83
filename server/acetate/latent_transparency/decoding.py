"""From a latent and its plain decode to a transparent layer."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from acetate.latent_transparency.flip_ensemble import Turn, lower_median, turns_for
from acetate.latent_transparency.sizes import pad_to_multiple
from acetate.latent_transparency.transparent_decoder import TransparentDecoder

CHUNK_PIXELS = 512 * 512
"""Pixels that go through the decoder at once where nobody says otherwise: about 0.5 GB in fp32."""


@torch.inference_mode()
def decode_transparent(
    decoder: TransparentDecoder,
    pixel: Tensor,
    latent: Tensor,
    passes: int = 8,
    *,
    alpha_last: bool = False,
    chunk_pixels: int = CHUNK_PIXELS,
) -> Tensor:
    """Straight RGBA [B, 4, H, W] in [0, 1] from the plain decode and the unscaled latent.

    `pixel` is [B, 3, H, W] in [0, 1], `latent` [B, C, H / f, W / f] with the decoder's
    `latent_factor` f; sides are padded to the decoder's multiple and cropped back. Each of the
    1, 2, 4 or 8 passes decodes a turned copy; the result is their lower median, so neither the
    order of the passes nor their grouping matters. Images of one orientation share forward runs
    of at most `chunk_pixels` pixels (one image at least). The network's own channel order is
    [alpha, red, green, blue]; `alpha_last` says that these weights (Flux) already have it last.
    Raises ValueError when the two sizes do not belong together.
    """
    height, width = pixel.shape[-2:]
    factor = decoder.latent_factor
    if tuple(latent.shape[-2:]) != (height // factor, width // factor) or height % factor:
        raise ValueError(
            f"a latent of {latent.shape[-1]} × {latent.shape[-2]} belongs to pixels of "
            f"{latent.shape[-1] * factor} × {latent.shape[-2] * factor}, not {width} × {height}"
        )
    weight = next(decoder.parameters())
    pixel = pad_to_multiple(pixel.to(weight.device, weight.dtype), decoder.size_multiple, "edge")
    latent = pad_to_multiple(
        latent.to(weight.device, weight.dtype), decoder.size_multiple // factor, "edge"
    )
    turns = turns_for(passes)
    stack = pixel.new_empty(len(turns), pixel.shape[0], 4, *pixel.shape[-2:])
    for places in _chunks(turns, pixel, chunk_pixels):
        turned = _turned(pixel, turns, places).contiguous(memory_format=torch.channels_last)
        result = decoder(turned, _turned(latent, turns, places)).clamp_(0, 1)
        for index, (turn, image) in enumerate(places):
            stack[turn, image] = turns[turn].undo(result[index])
    median = lower_median(stack)[..., :height, :width]
    return median if alpha_last else torch.cat([median[:, 1:], median[:, :1]], dim=1)


Place = tuple[int, int]
"""A pass and an image, each by index."""


def _turned(images: Tensor, turns: tuple[Turn, ...], places: list[Place]) -> Tensor:
    return torch.stack([turns[turn].apply(images[image]) for turn, image in places])


def _chunks(turns: tuple[Turn, ...], pixel: Tensor, chunk_pixels: int) -> Iterator[list[Place]]:
    """Groups of (turn, image) that fit together: of one shape and not too many pixels."""
    images, _, height, width = pixel.shape
    most = max(1, chunk_pixels // (height * width))
    for lying in (False, True):
        places = [
            (index, image)
            for index, turn in enumerate(turns)
            if (turn.lying and height != width) == lying
            for image in range(images)
        ]
        for start in range(0, len(places), most):
            yield places[start : start + most]
