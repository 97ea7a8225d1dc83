"""Pairs of two layers, for models that paint one of them to go with the other."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from acetate.errors import BadRequest
from acetate.training.collection.entries import (
    Collection,
    CollectionError,
    Entry,
    Pixels,
    Unusable,
    read_layer,
    read_pixels,
)
from acetate.training.collection.framing import resized
from acetate.training.whole_files import text_written_whole, written_whole

_RECIPE = "pairs.json"


def write_pairs(
    folder: Path,
    layers: Collection,
    pictures: Collection,
    count: int,
    side: int,
    seed: int,
    report: Callable[[str], None],
) -> int:
    """Lay layers on pictures by chance; returns how many pairs there are.

    Of pair 7 there are `0000007.layer.png` (straight RGBA), `.background.png` and
    `.blended.png` (RGB), and a line in `metadata.jsonl` with the words of each. Pairs that are
    there are kept. Raises CollectionError where nothing can be read, BadRequest for a folder of
    other pairs, and CannotWrite.
    """
    _keep_recipe(folder / _RECIPE, layers, pictures, side, seed)
    lines: list[str] = []
    for kind, often in sorted((layers.faults + pictures.faults).items()):
        report(f"{often} left out: {kind}")
    faults: Counter[str] = Counter()
    for number in range(count):
        random = np.random.default_rng((seed, number))
        layer, pixels = _readable(layers, read_layer, random, faults, "layers")
        picture, behind = _readable(pictures, read_pixels, random, faults, "pictures")
        name = f"{number:07}"
        files = [folder / f"{name}.{part}.png" for part in ("layer", "background", "blended")]
        if not all(file.is_file() for file in files):
            placed = _placed(pixels, side, random)
            background = _filling(behind, side, random)
            blended = background.copy()
            blended.alpha_composite(placed)
            for file, image in zip(files, (placed, background, blended), strict=True):
                stored = image if file is files[0] else image.convert("RGB")
                written_whole(file, lambda part, stored=stored: stored.save(part, format="PNG"))
        both = f"{layer.caption} in front of {picture.caption}"
        words = {"layer": layer.caption, "background": picture.caption, "blended": both}
        told = {"file_name": files[0].name, "text": layer.caption, "pair": name, "words": words}
        lines.append(json.dumps(told, ensure_ascii=False))
    text_written_whole(folder / "metadata.jsonl", "\n".join(lines) + "\n")
    for kind, often in sorted(faults.items()):
        report(f"{often} times passed over: {kind}")
    return count


def _keep_recipe(
    file: Path, layers: Collection, pictures: Collection, side: int, seed: int
) -> None:
    """What the pairs of a folder are made of: they would not go with those of anything else."""
    keys = json.dumps([[each.key for each in one.entries] for one in (layers, pictures)])
    digest = hashlib.sha256(keys.encode()).hexdigest()
    recipe = json.dumps({"size": side, "seed": seed, "pictures": digest})
    try:
        known = file.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        text_written_whole(file, f"{recipe}\n")
        return
    if known != recipe:
        raise BadRequest(
            f"The pairs in {file.parent} were made with another size, seed or other pictures.",
            "Take the same again, or another --out.",
        )


def _readable(
    collection: Collection,
    read: Callable[[Entry], Pixels],
    random: np.random.Generator,
    faults: Counter[str],
    what: str,
) -> tuple[Entry, Pixels]:
    """The entry of a pair, or the next that can be read. Raises CollectionError where none can."""
    met: Counter[str] = Counter()
    first = int(random.integers(len(collection.entries)))
    for shift in range(len(collection.entries)):
        entry = collection.entries[(first + shift) % len(collection.entries)]
        try:
            found = entry, read(entry)
        except Unusable as error:
            met[error.kind] += 1
            continue
        faults.update(met)
        return found
    why = ", ".join(f"{often} {kind}" for kind, often in sorted(met.items()))
    raise CollectionError(
        f"None of the {len(collection.entries)} {what} can be used: {why}.",
        "Look at each with `acetate train inspect`.",
    )


def _placed(pixels: Pixels, side: int, random: np.random.Generator) -> Image.Image:
    """A layer at a third to nine tenths of the frame, nearer its foot, as things stand."""
    rows, columns = (np.nonzero(pixels[..., 3].any(axis))[0] for axis in (1, 0))
    seen: Pixels = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = int(seen.shape[0]), int(seen.shape[1])
    share = side * float(random.uniform(0.33, 0.9)) / max(height, width)
    size = max(1, round(width * share)), max(1, round(height * share))
    left = int(random.integers(0, side - size[0] + 1))
    top = round((side - size[1]) * float(random.uniform(0.4, 1)))
    frame = Image.new("RGBA", (side, side))
    frame.paste(Image.fromarray(resized(seen, *size)), (left, top))
    return frame


def _filling(pixels: Pixels, side: int, random: np.random.Generator) -> Image.Image:
    """A square of an opaque picture, as large as it has one; alpha lies over grey."""
    height, width = int(pixels.shape[0]), int(pixels.shape[1])
    room = min(height, width)
    top = int(random.integers(0, height - room + 1))
    left = int(random.integers(0, width - room + 1))
    square = resized(np.ascontiguousarray(pixels[top : top + room, left : left + room]), side, side)
    frame = Image.new("RGBA", (side, side), (128, 128, 128, 255))
    frame.alpha_composite(Image.fromarray(square))
    return frame
