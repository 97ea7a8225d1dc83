"""Everything the denoiser learns from, already as latents, in shards that are written one by one.

A shard has drawings in several views, scenes around layers with what they add up to, and lines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acetate.embedded.codec import Codec, read_codec

from .dataset import PictureSet, read_picture_set
from .loop import Report
from .sources import HELD_OUT_STYLE
from .staging import stage
from .views import WORDS, changed, lines_of, moved

DRAWINGS, SCENES, SKETCHES = 240, 44, 44
"""In a shard."""
HELD_OUT = 20
"""One in so many concepts is never painted in training."""
_BATCH = 8

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class View:
    """One latent of a drawing: its row in the picture set and what was done to it.

    `kind` is "clean", "view", "colour" or "colourclean"; `word` what it was made.
    """

    row: int
    kind: str
    word: str = ""


def held_out_from_painting(code: str) -> bool:
    """Whether a concept is in the memory only: no denoiser was ever trained on it."""
    return int(hashlib.sha256(code.encode()).hexdigest(), 16) % HELD_OUT == 0


def trained_rows(pictures: PictureSet) -> list[int]:
    """Rows that the denoiser learns from."""
    return [
        row
        for row, entry in enumerate(pictures.entries)
        if entry.style != HELD_OUT_STYLE and not held_out_from_painting(entry.code)
    ]


def build_pool(data: Path, model: Path, out: Path, shards: int, seed: int, report: Report) -> None:
    """Write shards of latents as the model in `model` encodes them, from where it was left."""
    codec, _ = read_codec(model, torch.device("cpu"), torch.float32)
    pictures = read_picture_set(data)
    order = np.random.default_rng(seed).permutation(trained_rows(pictures))
    out.mkdir(parents=True, exist_ok=True)
    for number in range(len(list(out.glob("pool-*.npz"))), shards):
        arrays = _shard(codec, pictures, order, number, np.random.default_rng((seed, number)))
        half = out / "pool.half"
        with half.open("wb") as file:
            np.savez(file, **arrays)
        half.replace(out / f"pool-{number:03d}.npz")
        report(f"shard {number + 1} of {shards}")


def _shard(
    codec: Codec,
    pictures: PictureSet,
    order: NDArray[np.int64],
    number: int,
    random: np.random.Generator,
) -> dict[str, Any]:
    first = number * DRAWINGS
    rows = [int(order[(first + place) % len(order)]) for place in range(DRAWINGS)]
    views: list[Pixels] = []
    notes: list[View] = []
    for row in rows:
        for pixels, note in _views(
            np.asarray(pictures.pixels[row]), row, first < len(order), random
        ):
            views.append(pixels)
            notes.append(note)
    staged = [
        (int(row), stage(np.asarray(pictures.pixels[row]), random))
        for row in random.choice(order, SCENES)
    ]
    sketched = random.choice(
        [place for place, note in enumerate(notes) if note.kind != "colourclean"],
        SKETCHES,
        replace=False,
    )
    lines = [lines_of(views[int(place)], random, bool(random.random() < 0.5)) for place in sketched]
    blended = [_over(scene.layer, scene.scene.pixels) for _, scene in staged]
    meta = {
        "layers": [vars(note) for note in notes],
        "scenes": [{"row": row, "caption": scene.scene.caption} for row, scene in staged],
        "control": [int(place) for place in sketched],
    }
    return {
        "layers": _encode(codec, views),
        "scene_layers": _encode(codec, [scene.layer for _, scene in staged]),
        "scenes": _encode(codec, [scene.scene.pixels for _, scene in staged]),
        "blended": _encode(codec, blended),
        "control": _encode(codec, lines),
        "meta": json.dumps(meta),
    }


def _views(
    pixels: Pixels, row: int, first: bool, random: np.random.Generator
) -> Iterator[tuple[Pixels, View]]:
    if first:
        yield pixels, View(row, "clean")
    yield moved(pixels, random), View(row, "view")
    if random.random() < 0.4:
        word = str(random.choice(WORDS))
        fresh = changed(pixels, word, random)
        if fresh is not None:
            if random.random() < 0.5:
                yield fresh, View(row, "colourclean", word)
            seen = fresh if word == "tiny" else moved(fresh, random)
            yield seen, View(row, "colour", word)


def _over(layer: Pixels, scene: Pixels) -> Pixels:
    alpha = layer[..., 3:].astype(np.float32) / 255
    return (layer[..., :3] * alpha + scene * (1 - alpha) + 0.5).astype(np.uint8)


@torch.inference_mode()
def _encode(codec: Codec, pictures: Sequence[Pixels]) -> NDArray[np.float16]:
    """Scaled latents of RGB or RGBA pictures at the painted size, [N, C, h, w]."""
    out: list[Tensor] = []
    for start in range(0, len(pictures), _BATCH):
        stacked = np.stack(pictures[start : start + _BATCH])
        batch = torch.as_tensor(stacked).permute(0, 3, 1, 2).float() / 255
        encode = codec.encode_small if batch.shape[1] == 4 else codec.encode_small_picture
        out.append(encode(batch).half())
    return torch.cat(out).numpy()
