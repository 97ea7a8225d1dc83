"""Exact convolution of large maps in stripes that stay in the processor's cache.

At full resolution the decoder moves far more memory than it computes: every normalisation,
activation and concatenation reads and writes the whole map. Here only the statistics of a group
norm see the whole map; the rest runs stripe by stripe, and neither the normalised nor the
concatenated map ever exists. Unlike tiles, stripes leave no seam: the result is the same up to
rounding. Without gradients only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIPE_BYTES = 2**21
"""Size of one stripe: about the second-level cache of one core (fastest of 0.5 to 8 MiB)."""

_LEAST_PIXELS = {"cpu": 128 * 128}
_LEAST_PIXELS_ELSEWHERE = 1536 * 1536
"""A graphics card is faster with whole maps, until its memory runs short."""


SCARCE_PIXELS = 1536 * 1536
"""From this size on the maps of the finest level, kept for the way up, are most of the memory."""


def worthwhile(map_: Tensor) -> bool:
    """Whether a map [B, C, H, W] is better worked on in stripes."""
    least = _LEAST_PIXELS.get(map_.device.type, _LEAST_PIXELS_ELSEWHERE)
    return not torch.is_grad_enabled() and map_.shape[-2] * map_.shape[-1] >= least


def scarce(map_: Tensor) -> bool:
    """Whether a map is so large that computing it twice is better than keeping it."""
    return worthwhile(map_) and map_.shape[-2] * map_.shape[-1] >= SCARCE_PIXELS


def norm_silu_conv(
    parts: Sequence[Tensor],
    norm: nn.GroupNorm,
    conv: nn.Conv2d,
    add: Callable[[int, int], Tensor] | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """3×3 convolution of the activated group norm of `parts`, concatenated along the channels.

    `add(start, stop)` gives rows [B, C, stop - start, W] to add to the result, which is written
    into `out` where one is given; `add` may read those rows of it that it is asked for.
    """
    scale, shift = _affine(parts, norm)

    def rows(start: int, stop: int, out: Tensor) -> None:
        torch.addcmul(shift, _joined(parts, start, stop), scale, out=out)
        functional.silu(out, inplace=True)

    return _convolve(rows, parts[0].shape[-2], parts[0].shape[-1], conv, parts[0], add, out)


def upsample_conv(map_: Tensor, conv: nn.Conv2d) -> Tensor:
    """3×3 convolution of a map [B, C, H, W] that was doubled by repetition."""
    height, width = map_.shape[-2] * 2, map_.shape[-1] * 2

    def rows(start: int, stop: int, out: Tensor) -> None:
        index = torch.arange(start, stop, device=map_.device) // 2
        taken = map_.index_select(2, index)
        out[..., ::2] = taken
        out[..., 1::2] = taken

    return _convolve(rows, height, width, conv, map_, None)


def shortcut(parts: Sequence[Tensor], conv: nn.Conv2d | None) -> Callable[[int, int], Tensor]:
    """Rows of the concatenated parts, through a 1×1 convolution where there is one."""

    def rows(start: int, stop: int) -> Tensor:
        whole = _joined(parts, start, stop)
        if conv is None:
            return whole
        mixed = functional.linear(whole.permute(0, 2, 3, 1), conv.weight.flatten(1), conv.bias)
        return mixed.permute(0, 3, 1, 2)

    return rows


def _convolve(
    rows: Callable[[int, int, Tensor], None],
    height: int,
    width: int,
    conv: nn.Conv2d,
    like: Tensor,
    add: Callable[[int, int], Tensor] | None,
    out: Tensor | None = None,
) -> Tensor:
    """Apply a padded 3×3 convolution to a map that `rows` writes into a buffer, stripe by stripe.

    Each stripe is computed with one row more above and below; beyond the map these are zero.
    """
    images = like.shape[0]
    result = _empty(like, (images, conv.out_channels, height, width)) if out is None else out
    for start, stop in _stripes(height, width, conv.in_channels, like.element_size()):
        work = _empty(like, (images, conv.in_channels, stop - start + 2, width))
        first, last = max(start - 1, 0), min(stop + 1, height)
        rows(first, last, work[:, :, first - start + 1 : last - start + 1])
        if start == 0:
            work[:, :, 0] = 0
        if stop == height:
            work[:, :, -1] = 0
        done = functional.conv2d(work, conv.weight, conv.bias, padding=(0, 1))
        if add is None:
            result[:, :, start:stop] = done
        else:
            torch.add(done, add(start, stop), out=result[:, :, start:stop])
    return result


def _affine(parts: Sequence[Tensor], norm: nn.GroupNorm) -> tuple[Tensor, Tensor]:
    """The group norm of these parts as one scale and one shift for each image and channel."""
    moments = [_moments(part) for part in parts]
    mean, square = (torch.cat(both, dim=1) for both in zip(*moments, strict=True))
    mean, square = (
        torch.unflatten(both, 1, (norm.num_groups, -1)).mean(dim=2, keepdim=True)
        for both in (mean, square)
    )
    spread = torch.rsqrt((square - mean * mean).clamp_min(0) + norm.eps)
    weight = torch.unflatten(norm.weight.double(), 0, (norm.num_groups, -1)) * spread
    shift = torch.unflatten(norm.bias.double(), 0, (norm.num_groups, -1)) - mean * weight
    dtype = parts[0].dtype
    return (
        weight.flatten(1)[..., None, None].to(dtype),
        shift.flatten(1)[..., None, None].to(dtype),
    )


def _moments(map_: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and mean square of each image and channel, in fp64 across the stripes."""
    images, channels, height, width = map_.shape
    total = torch.zeros(images, channels, dtype=torch.float64, device=map_.device)
    square = torch.zeros_like(total)
    for start, stop in _stripes(height, width, channels, map_.element_size()):
        stripe = map_[:, :, start:stop].float()
        total += stripe.sum((2, 3))
        square += stripe.square().sum((2, 3))
    return total / (height * width), square / (height * width)


def _stripes(height: int, width: int, channels: int, size: int) -> Iterator[tuple[int, int]]:
    rows = max(8, STRIPE_BYTES // (width * channels * size))
    for start in range(0, height, rows):
        yield start, min(start + rows, height)


def _joined(parts: Sequence[Tensor], start: int, stop: int) -> Tensor:
    taken = [part[:, :, start:stop] for part in parts]
    return taken[0] if len(taken) == 1 else torch.cat(taken, dim=1)


def _empty(like: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    return torch.empty(
        shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last
    )
