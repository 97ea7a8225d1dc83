"""Enlarging a transparent layer: colour continued under its edge, transparency beside it.

The network knows opaque pictures. It gets the colour as if the layer had no edge, and the alpha
as a grey picture of its own; so neither darkens nor brightens the other. Large pictures go through
it in tiles that overlap by as far as the network sees, so that tiles leave no seam.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, pad

from acetate.latent_transparency import pad_colour
from acetate.upscaling.network import TILE, Upscaler, shipped_upscaler

TRUSTED = 0.9
"""A pixel's colour counts if its alpha is more than this share of the most around it."""

_AROUND = 5
"""Side of the square that counts as around a pixel: an edge is no wider."""


@dataclass(frozen=True)
class Tile:
    """A finished part: straight [1, 4, h, w] in [0, 1], and where it belongs in the result."""

    y: int
    x: int
    rgba: Tensor


def enlarge(
    rgba: Tensor,
    scale: int,
    device: torch.device | None = None,
    tile: int = 0,
    upscaler: Upscaler | None = None,
) -> Tensor:
    """A straight-alpha layer [B, 4, H, W] in [0, 1] at 2 or 4 times the size.

    The result lies where the layer lay. Raises ModelMissing or ModelDamaged for the weights.
    """
    batch, _, height, width = rgba.shape
    result = rgba.new_empty((batch, 4, height * scale, width * scale))
    for index in range(batch):
        for part in enlarged_tiles(rgba[index : index + 1], scale, device, tile, upscaler):
            rows, columns = part.rgba.shape[-2:]
            spot = result[index, :, part.y : part.y + rows, part.x : part.x + columns]
            spot.copy_(part.rgba[0])
    return result


def count_tiles(height: int, width: int, tile: int = TILE) -> int:
    """How many tiles a picture of this size takes."""
    return -(-height // tile) * -(-width // tile)


@torch.inference_mode()
def enlarged_tiles(
    rgba: Tensor,
    scale: int,
    device: torch.device | None = None,
    tile: int = 0,
    upscaler: Upscaler | None = None,
    on_share: Callable[[float], None] | None = None,
) -> Iterator[Tile]:
    """The parts of one enlarged layer [1, 4, H, W], row by row, each as soon as it is done.

    Without an `upscaler` the one that ships, without a `tile` (its side in pixels) as suits it.
    `on_share` is told in [0, 1] how much of the current tile is done; it may raise to stop.
    """
    device = device or rgba.device
    chosen = upscaler or shipped_upscaler(scale, device)
    tile = tile or chosen.tile
    dtype = next(chosen.network.parameters()).dtype
    pace = _Pace(chosen.network, on_share)

    def run(picture: Tensor) -> Tensor:
        taken = picture.expand(-1, 3, -1, -1)
        taken = taken.to(device, dtype, memory_format=torch.channels_last)
        with pace.followed():
            enlarged = chosen.enlarge(taken, scale).to(rgba).clamp_(0, 1)
        if picture.shape[1] == 1:
            enlarged = enlarged.mean(dim=1, keepdim=True)
        return true_to(picture, enlarged, scale) if chosen.true_to_picture else enlarged

    colour, alpha = continued_colour(rgba), rgba[:, 3:]
    height, width = rgba.shape[-2:]
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            area = _Area.around(top, left, tile, height, width, chosen.reach)
            pace.done = 0
            yield Tile(top * scale, left * scale, _part(colour, alpha, area, scale, run))


def true_to(picture: Tensor, enlarged: Tensor, scale: int) -> Tensor:
    """`enlarged` [B, C, scale × H, scale × W], so that it looks like `picture` from afar.

    What its mean over the place of a pixel misses of that pixel is added, smoothly and once: the
    network draws edges sharp, and may shift broad colours. After Irani and Peleg, "Improving
    Resolution by Image Registration" (1991).
    """
    missing = picture - avg_pool2d(enlarged, scale)
    found = interpolate(missing, scale_factor=scale, mode="bilinear")
    return found.add_(enlarged).clamp_(0, 1)


class _Pace:
    """How far the network is with a tile, which goes through it as colour and as alpha."""

    def __init__(self, network: nn.Module, on_share: Callable[[float], None] | None) -> None:
        self.done = 0
        self._on_share = on_share
        self._layers = [each for each in network.modules() if next(each.children(), None) is None]

    @contextmanager
    def followed(self) -> Generator[None]:
        """Counts the layers that run meanwhile; nothing stays at the network, which is shared."""
        watched = self._layers if self._on_share is not None else []
        hooks = [layer.register_forward_hook(self._count) for layer in watched]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _count(self, *_: object) -> None:
        self.done += 1
        if self._on_share is not None:
            self._on_share(min(self.done / (2 * len(self._layers)), 1.0))


def continued_colour(rgba: Tensor) -> Tensor:
    """The colour [B, 3, H, W] of a straight layer as if it had no edge.

    A pixel that is fainter than what is around it lies on an edge, where colour is uncertain and
    often a halo: its colour is continued from within. An even veil keeps its own.
    """
    alpha = rgba[:, 3:]
    most = max_pool2d(alpha, _AROUND, stride=1, padding=_AROUND // 2)
    trusted = (alpha > TRUSTED * most) & (alpha > 0)
    fill = pad_colour(torch.cat([rgba[:, :3], trusted.to(rgba)], dim=1))
    return torch.where(trusted, rgba[:, :3], fill)


@dataclass(frozen=True)
class _Area:
    """Rows and columns of a tile with all that the network sees of its surroundings."""

    rows: slice
    columns: slice
    inner_rows: slice
    inner_columns: slice

    @classmethod
    def around(cls, top: int, left: int, tile: int, height: int, width: int, reach: int) -> _Area:
        bottom, right = min(top + tile, height), min(left + tile, width)
        above, before = max(top - reach, 0), max(left - reach, 0)
        return cls(
            slice(above, min(bottom + reach, height)),
            slice(before, min(right + reach, width)),
            slice(top - above, bottom - above),
            slice(left - before, right - before),
        )

    def of(self, picture: Tensor) -> Tensor:
        return picture[..., self.rows, self.columns]

    def inner(self, picture: Tensor, scale: int = 1) -> Tensor:
        rows, columns = (
            slice(side.start * scale, side.stop * scale)
            for side in (self.inner_rows, self.inner_columns)
        )
        return picture[..., rows, columns]


def _part(
    colour: Tensor, alpha: Tensor, area: _Area, scale: int, run: Callable[[Tensor], Tensor]
) -> Tensor:
    colour, alpha = area.of(colour), area.of(alpha)
    least, most = float(alpha.min()), float(alpha.max())
    if least == most:
        veil = area.inner(interpolate(alpha, scale_factor=scale, mode="nearest"), scale)
    else:
        veil = area.inner(_even_kept(run(alpha), alpha, scale), scale)
    if most == 0:
        # Nothing of it is ever seen.
        seen = area.inner(interpolate(colour, scale_factor=scale, mode="bilinear"), scale)
    else:
        seen = area.inner(run(colour), scale)
    return torch.cat([seen, veil], dim=1)


def _even_kept(veil: Tensor, alpha: Tensor, scale: int) -> Tensor:
    """Enlarged alpha, exactly empty or full where the layer is so all around.

    A trace of alpha in an empty place would be invisible, and would still be found by every
    selection and every crop.
    """
    around = pad(alpha, (1, 1, 1, 1), mode="replicate")
    most = max_pool2d(around, 3, stride=1)
    least = -max_pool2d(-around, 3, stride=1)
    most, least = (interpolate(each, scale_factor=scale, mode="nearest") for each in (most, least))
    return torch.where(most == 0, 0.0, torch.where(least == 1, 1.0, veil))
