"""What is in a collection, and what is wrong with it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from acetate.training.collection.entries import (
    VISIBLE,
    Collection,
    Entry,
    Pixels,
    Unusable,
    read_pixels,
)
from acetate.training.collection.framing import as_tensor, fitted
from acetate.training.collection.halos import SEEN, halo_of

THUMBNAIL = 128
SHOWN = 400
"""Pictures whose thumbnails are kept, of the sound and of the faulty ones: as many as are shown."""
_SMALL = 256
"""Least side, in pixels, of a layer that has details to teach."""


@dataclass(frozen=True)
class Looked:
    """One picture; `thumbnail` is empty where it cannot be read or is not shown. `faults` are a few
    words each.
    """

    key: str
    caption: str
    width: int
    height: int
    coverage: float
    halo: float
    likeness: str
    faults: tuple[str, ...]
    thumbnail: bytes = b""


@dataclass(frozen=True)
class Inspection:
    """All pictures of a collection, and the faults of files that hold none."""

    looked: list[Looked]
    faults: Counter[str]

    def counted(self) -> Counter[str]:
        """How often each fault was found."""
        return self.faults + Counter(fault for one in self.looked for fault in one.faults)

    def lines(self) -> Iterator[str]:
        """A table for people."""
        read = [one for one in self.looked if one.width]
        yield f"{'pictures':<44}{len(self.looked):>8}"
        if read:
            sides = sorted(max(one.width, one.height) for one in read)
            yield f"{'longer side: least, middle, most':<44}" + "".join(
                f"{side:>8}" for side in (sides[0], sides[len(sides) // 2], sides[-1])
            )
            share = sum(one.coverage for one in read) / len(read)
            yield f"{'covered on average':<44}{share:>8.0%}"
        for fault, count in sorted(self.counted().items()):
            examples = [one.key for one in self.looked if fault in one.faults]
            said = f"  {', '.join(examples[:3])}{', …' if len(examples) > 3 else ''}"
            yield f"{fault:<44}{count:>8}{said if examples else ''}"
        sound = sum(not one.faults for one in self.looked)
        yield f"{'without a fault':<44}{sound:>8}"

    def as_table(self) -> dict[str, Any]:
        """For programs."""
        rows = [
            {name: value for name, value in asdict(one).items() if name != "thumbnail"}
            for one in self.looked
        ]
        return {"pictures": rows, "faults": dict(self.counted())}


def inspect_collection(collection: Collection) -> Inspection:
    """Look at every picture once."""
    first: dict[str, str] = {}
    found: list[Looked] = []
    shown: Counter[bool] = Counter()
    with ThreadPoolExecutor() as pool:
        for one in pool.map(_look, collection.entries):
            if one.likeness and first.setdefault(one.likeness, one.key) != one.key:
                one = replace(one, faults=(*one.faults, "duplicates of another"))
            shown[bool(one.faults)] += 1
            if shown[bool(one.faults)] > SHOWN:
                one = replace(one, thumbnail=b"")
            found.append(one)
    return Inspection(found, collection.faults)


def _look(entry: Entry) -> Looked:
    unnamed = () if entry.caption else ("without a caption",)
    try:
        pixels = read_pixels(entry)
    except Unusable as error:
        return Looked(entry.key, entry.caption, 0, 0, 0, 0, "", (error.kind, *unnamed))
    height, width = pixels.shape[:2]
    alpha = pixels[..., 3]
    coverage = float(alpha.mean() / 255)
    small = fitted(pixels, THUMBNAIL)
    faults: list[str] = list(unnamed)
    if alpha.min() == 255:
        faults.append("without transparency")
    elif alpha.max() / 255 < VISIBLE:
        faults.append("empty")
    if min(width, height) < _SMALL:
        faults.append(f"smaller than {_SMALL} pixels")
    halo = halo_of(as_tensor(fitted(pixels, 2 * THUMBNAIL))[None]) if coverage else 0.0
    if halo > SEEN:
        faults.append("with a halo")
    return Looked(
        entry.key,
        entry.caption,
        width,
        height,
        coverage,
        halo,
        _likeness(small),
        tuple(faults),
        small.tobytes(),
    )


def _likeness(small: Pixels) -> str:
    """The same for pictures that look the same on grey, whatever their size and compression."""
    picture = Image.new("RGBA", (THUMBNAIL, THUMBNAIL), (128, 128, 128, 255))
    picture.alpha_composite(Image.fromarray(small))
    tiny = np.asarray(picture.convert("RGB").resize((9, 9)), np.int16)
    # Coarse tones and the slopes between them: what re-saving leaves alone.
    slopes = (np.diff(tiny, axis=1) > 4).tobytes() + (np.diff(tiny, axis=0) > 4).tobytes()
    tones = (tiny[::4, ::4].astype(np.float32) / 32).round().astype(np.int8).tobytes()
    return hashlib.sha256(slopes + tones).hexdigest()[:16]
