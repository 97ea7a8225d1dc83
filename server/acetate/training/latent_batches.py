"""Mixed batches for the denoiser: layers beside a drawing, and every other task of the modes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from acetate.embedded.recolour import colour_name
from acetate.pipelines.embedded import TASKS

from .captions import caption
from .dataset import PictureSet
from .pool import View
from .sources import Concept

REGISTERED, LAYERS, CONTROL, BACKGROUND, FOREGROUND, EXTRACT = 0.30, 0.62, 0.70, 0.82, 0.89, 0.96
"""Up to which share of a batch each kind reaches; the rest finds what is behind a layer."""
PROMPT_DROP = 0.1
Random = np.random.Generator


@dataclass(frozen=True)
class Sample:
    """A clean latent, the two that lie beside it, its words, its task and its noise level."""

    clean: Tensor
    drawing: Tensor
    picture: Tensor
    words: str
    task: str
    level: float


@dataclass(frozen=True)
class Batch:
    """Clean latents [B, C, h, w], conditions [B, 2 C, h, w], noise levels [B], words, tasks."""

    clean: Tensor
    condition: Tensor
    levels: Tensor
    words: list[str]
    tasks: list[str]


class LatentBatches:
    """Draws from the shards in a folder; the same number gives the same batch.

    FileNotFoundError with the cure where there are none.
    """

    def __init__(self, folder: Path, pictures: PictureSet, concepts: dict[str, Concept]) -> None:
        files = sorted(folder.glob("pool-*.npz"))
        if not files:
            raise FileNotFoundError(f"no latents in {folder}; run `acetate train latents` first")
        shards = [np.load(file) for file in files]
        metas = [json.loads(str(shard["meta"])) for shard in shards]
        self._layers, self._scene_layers, self._scenes, self._blended, self._lines = (
            torch.as_tensor(np.concatenate([shard[name] for shard in shards]))
            for name in ("layers", "scene_layers", "scenes", "blended", "control")
        )
        self._views = [View(**view) for meta in metas for view in meta["layers"]]
        self._scene_rows = [
            (one["row"], one["caption"]) for meta in metas for one in meta["scenes"]
        ]
        self._sketched: list[int] = []
        start = 0
        for meta in metas:
            self._sketched += [start + place for place in meta["control"]]
            start += len(meta["layers"])
        self._entries = pictures.entries
        self._concepts = concepts
        self._clean = {view.row: i for i, view in enumerate(self._views) if view.kind == "clean"}
        self._targets = [i for i, view in enumerate(self._views) if view.kind != "colourclean"]
        self._colours = {
            row: colour_name(np.asarray(pictures.pixels[row])[::2, ::2]) for row in self._clean
        }
        self._of_concept: dict[str, list[int]] = {}
        for row, place in self._clean.items():
            self._of_concept.setdefault(self._entries[row].code, []).append(place)
        self._nothing = torch.zeros_like(self._layers[0])

    def at(self, number: int, size: int, seed: int) -> Batch:
        """A batch of `size` samples."""
        random = np.random.default_rng((seed, number))
        samples = [self._sample(random) for _ in range(size)]
        dropped = random.random(size) < PROMPT_DROP
        conditions = [torch.cat([one.drawing, one.picture]) for one in samples]
        return Batch(
            torch.stack([one.clean for one in samples]).float(),
            torch.stack(conditions).float(),
            torch.tensor([one.level for one in samples], dtype=torch.float32),
            ["" if drop else one.words for one, drop in zip(samples, dropped, strict=True)],
            [one.task for one in samples],
        )

    def _sample(self, random: Random) -> Sample:
        kind = random.random()
        if kind < REGISTERED:
            return self._registered(random)
        if kind < LAYERS:
            place = int(random.choice(self._targets))
            drawing, words, centre = self._beside(place, random)
            return Sample(
                self._layers[place], drawing, self._nothing, words, "text", _level(random, centre)
            )
        if kind < CONTROL:
            return self._from_lines(random)
        return self._with_scene(kind, random)

    def _registered(self, random: Random) -> Sample:
        """The drawing that painting begins from lies beside it, whole, in part, or noised."""
        row = int(random.choice(list(self._clean)))
        place = self._clean[row]
        drawing, word = self._layers[place], ""
        if random.random() < 0.35 and (tinted := self._tinted(place, row)) is not None:
            word = self._views[tinted].word
            drawing = drawing if random.random() < 0.5 else self._layers[tinted]
            place = tinted
        drawing = drawing.clone()
        spoilt = random.random()
        if spoilt < 0.35:
            for _ in range(int(random.integers(1, 5))):
                _blank(drawing, random)
        elif spoilt < 0.55:
            generator = torch.Generator().manual_seed(int(random.integers(1 << 30)))
            noise = torch.randn(drawing.shape, generator=generator)
            drawing = (drawing.float() + float(random.uniform(0.1, 0.5)) * noise).to(drawing.dtype)
        words = self._words(row, random, word)
        level = float(random.uniform(0.03, 0.85))
        return Sample(self._layers[place], drawing, self._nothing, words, "text", level)

    def _tinted(self, place: int, row: int) -> int | None:
        near = range(place + 1, min(place + 4, len(self._views)))
        kind = "colourclean"
        return next(
            (i for i in near if self._views[i].row == row and self._views[i].kind == kind), None
        )

    def _beside(self, place: int, random: Random) -> tuple[Tensor, str, float]:
        """Another drawing of the same thing, another view of the same, or nothing."""
        view = self._views[place]
        code, kind = self._entries[view.row].code, random.random()
        drawing: Tensor | None = None
        if kind < 0.12:
            drawing = self._nothing
        elif kind < 0.52:
            drawing = self._other(code, view.row, random)
        if drawing is None:
            near = self._clean.get(view.row)
            before = self._views[place - 1] if place else view
            if view.word and before.kind == "colourclean" and random.random() < 0.7:
                near = place - 1
            drawing = self._nothing if near is None else self._layers[near]
        centre = 0.6 if drawing is self._nothing else -0.2
        return drawing, self._words(view.row, random, view.word), centre

    def _other(self, code: str, row: int, random: Random) -> Tensor | None:
        others = [i for i in self._of_concept.get(code, ()) if self._views[i].row != row]
        return self._layers[int(random.choice(others))] if others else None

    def _from_lines(self, random: Random) -> Sample:
        number = int(random.integers(len(self._sketched)))
        place = self._sketched[number]
        drawing, words, _ = self._beside(place, random)
        drawing = self._nothing if random.random() < 0.5 else drawing
        words = words if random.random() < 0.8 else ""
        level = _level(random, 0.4)
        return Sample(self._layers[place], drawing, self._lines[number], words, "control", level)

    def _with_scene(self, kind: float, random: Random) -> Sample:
        number = int(random.integers(len(self._scene_rows)))
        row, place = self._scene_rows[number]
        layer, scene, whole = (
            part[number] for part in (self._scene_layers, self._scenes, self._blended)
        )
        name = self._words(row, random)
        nothing = self._nothing
        if kind < BACKGROUND:
            return Sample(scene, nothing, layer, place, "background", _level(random, 0.3))
        if kind < FOREGROUND:
            own = self._clean.get(row)
            drawing = nothing if own is None else self._layers[own]
            if random.random() < 0.5:
                other = self._other(self._entries[int(row)].code, row, random)
                drawing = nothing if other is None else other
            return Sample(layer, drawing, scene, name, "foreground", _level(random, 0.1))
        if kind < EXTRACT:
            known = scene if random.random() < 0.5 else nothing
            words = name if random.random() < 0.7 else ""
            return Sample(layer, known, whole, words, "extract", _level(random, 0.4))
        words = place if random.random() < 0.6 else ""
        return Sample(scene, layer, whole, words, "behind", _level(random, 0.4))

    def _words(self, row: int, random: Random, word: str = "") -> str:
        entry = self._entries[row]
        concept = self._concepts[entry.code]
        return caption(concept, entry.style, random, word, self._colours.get(row))


def task_tokens(tasks: list[str]) -> Tensor:
    """The first token of each prompt, [B]."""
    return torch.tensor([TASKS[task] for task in tasks])


def _level(random: Random, centre: float) -> float:
    """A noise level whose logit is normal."""
    return float(1 / (1 + np.exp(-(centre + random.normal()))))


def _blank(latent: Tensor, random: Random) -> None:
    """Take a rectangle away."""
    grid = latent.shape[-1]
    height, width = (min(int(side), grid - 1) for side in random.integers(3, 14, 2))
    top = int(random.integers(0, grid - height + 1))
    left = int(random.integers(0, grid - width + 1))
    latent[:, top : top + height, left : left + width] = 0
