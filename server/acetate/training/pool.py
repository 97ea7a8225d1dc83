"""Everything the denoiser learns from, already as latents: layers, and scenes around layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from . import workers
from .autoencoder import fold
from .dataset import PictureSet, read_picture_set
from .loop import Report
from .precision import training_autocast
from .staging import stage
from .transparency import Transparency, load_transparency, quick_padding
from .vocabulary import HUES, NAMES, RECOLOURED, with_article

LAYER_VIEWS = 12
RECOLOUR_VIEWS = 14
SCENES = 4000
_BATCH = 16


@dataclass(frozen=True)
class Pool:
    """Latents [N, C, h, w] and captions.

    `layers` with `layer_captions`; `scenes` with `scene_captions` and, row by row, the latent of
    the layer that stands in each scene as `scene_conditions`.
    """

    layers: Tensor
    layer_captions: list[str]
    layer_concepts: list[str]
    scenes: Tensor
    scene_conditions: Tensor
    scene_captions: list[str]


def build_pool(data: Path, out: Path, seed: int, report: Report) -> None:
    """Encode every view of every known concept, and the staged scenes, into `out`/pool-N.pt.

    Each process writes its own share.
    """
    pair = load_transparency(out)
    pictures = read_picture_set(data)
    random = np.random.default_rng((seed, 7, workers.rank()))
    layers = _encode_layers(pictures, pair, random, report)
    scenes = _encode_scenes(pictures, pair, random, SCENES // workers.count(), report)
    torch.save({**layers, **scenes}, out / f"pool-{workers.rank()}.pt")


def read_pool(out: Path) -> Pool:
    """Join the shares that `build_pool` wrote; FileNotFoundError with the cure."""
    shares = [torch.load(file, weights_only=True) for file in sorted(out.glob("pool-*.pt"))]
    if not shares:
        raise FileNotFoundError(f"no latents in {out}; run `acetate train latents` first")
    return Pool(
        layers=torch.cat([share["layers"] for share in shares]),
        layer_captions=[caption for share in shares for caption in share["layer_captions"]],
        layer_concepts=[concept for share in shares for concept in share["layer_concepts"]],
        scenes=torch.cat([share["scenes"] for share in shares]),
        scene_conditions=torch.cat([share["scene_conditions"] for share in shares]),
        scene_captions=[caption for share in shares for caption in share["scene_captions"]],
    )


def _encode_layers(
    pictures: PictureSet, pair: Transparency, random: np.random.Generator, report: Report
) -> dict[str, object]:
    known = [row for row in pictures.rows("train") if pictures.entries[row].label in NAMES]
    views: list[NDArray[np.uint8]] = []
    latents: list[Tensor] = []
    captions: list[str] = []
    concepts: list[str] = []
    for number, row in enumerate(known[workers.rank() :: workers.count()]):
        entry, pixels = pictures.entries[row], np.asarray(pictures.pixels[row])
        for view in range(LAYER_VIEWS):
            views.append(_jitter(pixels, random, flip=view % 2 == 1))
            captions.append(with_article(str(random.choice(NAMES[entry.label]))))
            concepts.append(entry.label)
        noun = RECOLOURED.get(entry.label)
        for view in range(RECOLOUR_VIEWS if noun else 0):
            colour = list(HUES)[view % len(HUES)]
            tinted = recolour(pixels, HUES[colour])
            if tinted is not None:
                views.append(_jitter(tinted, random, flip=bool(random.random() < 0.5)))
                captions.append(with_article(f"{colour} {noun}"))
                concepts.append(f"{colour} {entry.label}")
        while len(views) >= _BATCH:
            latents.append(encode_layers(pair, np.stack(views[:_BATCH])))
            del views[:_BATCH]
        if number % 100 == 0:
            report(f"layers: drawing {number} of {len(known) // workers.count()}")
    if views:
        latents.append(encode_layers(pair, np.stack(views)))
    return {"layers": torch.cat(latents), "layer_captions": captions, "layer_concepts": concepts}


def _encode_scenes(
    pictures: PictureSet,
    pair: Transparency,
    random: np.random.Generator,
    count: int,
    report: Report,
) -> dict[str, object]:
    rows = pictures.rows("train")
    scenes: list[Tensor] = []
    conditions: list[Tensor] = []
    captions: list[str] = []
    for first in range(0, count, _BATCH):
        staged = [
            stage(np.asarray(pictures.pixels[random.choice(rows)]), random) for _ in range(_BATCH)
        ]
        conditions.append(encode_layers(pair, np.stack([one.layer for one in staged])))
        pixels = torch.from_numpy(np.stack([one.scene.pixels for one in staged]))
        rgb = pixels.permute(0, 3, 1, 2).float() / 255
        with torch.no_grad(), training_autocast():
            posterior = pair.autoencoder.encode(fold(rgb)).latent_dist  # type: ignore[union-attr]
        scenes.append(posterior.mean.half())
        captions += [one.scene.caption for one in staged]
        if first % 320 == 0:
            report(f"scenes: {first} of {count}")
    return {
        "scenes": torch.cat(scenes),
        "scene_conditions": torch.cat(conditions),
        "scene_captions": captions,
    }


def encode_layers(pair: Transparency, pixels: NDArray[np.uint8]) -> Tensor:
    """Straight RGBA uint8 [B, H, W, 4] to unscaled latents with offset, float16."""
    rgba = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad(), training_autocast():
        latent, offset = pair.encode(rgba, quick_padding(rgba))
    return (latent + offset).half()


def recolour(pixels: NDArray[np.uint8], hue: float) -> NDArray[np.uint8] | None:
    """Turn all hues so that the main one becomes `hue` ; None for a picture without colour."""
    hsv = np.asarray(Image.fromarray(pixels[..., :3]).convert("HSV")).astype(np.int16)
    vivid = (pixels[..., 3] > 127) & (hsv[..., 1] > 90) & (hsv[..., 2] > 60)
    if vivid.mean() < 0.03:
        return None
    histogram = np.bincount(hsv[..., 0][vivid], minlength=256)
    smooth = sum((9 - abs(shift)) * np.roll(histogram, shift) for shift in range(-8, 9))
    turned = hsv.copy()
    turned[..., 0] = (hsv[..., 0] + round(hue / 360 * 256) - int(np.argmax(smooth))) % 256
    rgb = Image.fromarray(turned.astype(np.uint8), "HSV").convert("RGB")
    return np.dstack([np.asarray(rgb), pixels[..., 3]])


def _jitter(
    pixels: NDArray[np.uint8], random: np.random.Generator, flip: bool
) -> NDArray[np.uint8]:
    """A slightly smaller, turned and moved view; flipped on demand."""
    size = pixels.shape[0]
    picture = Image.fromarray(pixels[:, ::-1] if flip else pixels).convert("RGBa")
    side = int(size * random.uniform(0.82, 1.0))
    angle = float(random.normal(0, 4))
    small = picture.resize((side, side), Image.Resampling.BOX)
    small = small.rotate(angle, Image.Resampling.BILINEAR)
    frame = Image.new("RGBa", (size, size))
    room = size - side
    left, top = (int(random.integers(0, room + 1)) for _ in range(2))
    frame.paste(small, (left, top))
    return np.asarray(frame.convert("RGBA"))
