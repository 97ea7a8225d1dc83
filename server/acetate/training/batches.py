"""Random training pictures: crops, backdrops, partial opacity, soft edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .dataset import PictureSet


class LayerBatches:
    """Draws straight RGBA batches from the training rows of a picture set, seeded by step."""

    def __init__(self, pictures: PictureSet, seed: int) -> None:
        self._pictures = pictures
        self._rows = pictures.rows("train")
        self._seed = seed

    def at(self, step: int, batch: int, crop: int | None) -> Tensor:
        """RGBA float [batch, 4, S, S] in [0, 1]; the same step gives the same batch.

        With `crop`, each picture is cut around a visible pixel to `crop` × `crop`, so that few
        samples are spent on emptiness.
        """
        random = np.random.default_rng((self._seed, step))
        chosen = random.choice(self._rows, batch)
        cuts = [self._cut(self._pictures.pixels[row], crop, random) for row in chosen]
        rgba = torch.as_tensor(np.stack(cuts)).permute(0, 3, 1, 2).float() / 255
        return rgba.contiguous(memory_format=torch.channels_last)

    @staticmethod
    def _cut(
        pixels: NDArray[np.uint8], crop: int | None, random: np.random.Generator
    ) -> NDArray[np.uint8]:
        if random.random() < 0.5:
            pixels = pixels[:, ::-1]
        if crop is None:
            return np.ascontiguousarray(pixels)
        side = pixels.shape[0]
        rows, columns = np.nonzero(pixels[::8, ::8, 3])
        if len(rows) == 0:
            return np.ascontiguousarray(pixels[:crop, :crop])
        pick = random.integers(len(rows))
        shift = random.integers(-crop, crop, 2) // 2
        top = int(np.clip(rows[pick] * 8 - crop // 2 + shift[0], 0, side - crop))
        left = int(np.clip(columns[pick] * 8 - crop // 2 + shift[1], 0, side - crop))
        return np.ascontiguousarray(pixels[top : top + crop, left : left + crop])


class Backdrops:
    """Opaque pictures to put behind layers: painted scenes when there are any, else colours."""

    def __init__(self, folder: Path, seed: int) -> None:
        file = folder / "scenes.npy"
        self._scenes = np.load(file, mmap_mode="r") if file.is_file() else None
        self._seed = seed

    def at(self, step: int, batch: int, side: int) -> Tensor:
        """RGB float [batch, 3, side, side] in [0, 1]."""
        random = np.random.default_rng((self._seed, step, 1))
        out = np.empty((batch, side, side, 3), np.float32)
        for i in range(batch):
            if self._scenes is None or random.random() < 0.4:
                out[i] = random.random(3)
            else:
                scene = self._scenes[random.integers(len(self._scenes))]
                top, left = random.integers(0, scene.shape[0] - side + 1, 2)
                out[i] = scene[top : top + side, left : left + side] / 255
        return torch.as_tensor(out).permute(0, 3, 1, 2)


def over(rgba: Tensor, backdrop: Tensor | float) -> Tensor:
    """Straight RGBA [B, 4, H, W] composited on a backdrop: [B, 3, H, W]."""
    rgb, alpha = rgba[:, :3], rgba[:, 3:]
    return rgb * alpha + backdrop * (1 - alpha)


def vary_transparency(rgba: Tensor, step: int, seed: int) -> Tensor:
    """Give part of a batch what clean drawings lack: glass, fades, soft edges, and clutter.

    Real layers are smoke, glow and glass too; without these the decoder would learn that alpha
    is 0 or 1. A fifth of the batch gets one opacity all over, a tenth a gradient, a tenth blur.
    """
    random = np.random.default_rng((seed, step, 2))
    out = rgba.clone()
    side = rgba.shape[-1]
    ramp = torch.linspace(0, 1, side)
    for i in range(len(out)):
        kind = random.random()
        if kind < 0.2:
            out[i, 3] *= float(random.uniform(0.15, 0.95))
        elif kind < 0.3:
            low, high = random.uniform(0, 1, 2)
            fade = low + (high - low) * ramp
            out[i, 3] *= fade[:, None] if random.random() < 0.5 else fade[None, :]
        elif kind < 0.4:
            out[i] = _blur_premultiplied(out[i : i + 1], int(random.integers(1, 7)))[0]
    return out


def _blur_premultiplied(rgba: Tensor, radius: int) -> Tensor:
    window = 2 * radius + 1
    alpha = rgba[:, 3:]
    stacked = torch.cat([rgba[:, :3] * alpha, alpha], 1)
    for _ in range(2):
        stacked = functional.avg_pool2d(stacked, window, 1, radius, count_include_pad=False)
    soft = stacked[:, 3:]
    colour = torch.where(soft > 1e-4, stacked[:, :3] / soft.clamp_min(1e-4), rgba[:, :3])
    return torch.cat([colour.clamp(0, 1), soft], 1)
