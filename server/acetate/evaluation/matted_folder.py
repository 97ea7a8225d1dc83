"""Layers to measure with: AIM-500, PPM-100, or a collection of one's own."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from acetate.errors import BadImage
from acetate.images.png import check_pixels
from acetate.training.collection.entries import Collection, Entry, words_of
from acetate.training.collection.folder import open_collection
from acetate.training.collection.shards import PICTURES

LAYOUTS = (("original", "mask"), ("image", "matte"), ("fg", "alpha"), ("fg", "matte"))
"""Folders of colours and of alpha: of AIM-500, of PPM-100, and of what is like them."""

_UNREADABLE = (
    BadImage,
    Image.DecompressionBombError,
    UnidentifiedImageError,
    ValueError,
    SyntaxError,
)


def open_layers(folder: Path) -> Collection:
    """Pictures with mattes beside them as layers, or any collection. Raises CollectionError."""
    for colours, alphas in LAYOUTS:
        if (folder / colours).is_dir() and (folder / alphas).is_dir():
            return _matted(folder / colours, folder / alphas)
    return open_collection(folder)


def _matted(colours: Path, alphas: Path) -> Collection:
    found = Collection([])
    mattes = {path.stem: path for path in alphas.iterdir() if path.suffix.lower() in PICTURES}
    for path in sorted(colours.iterdir()):
        if path.suffix.lower() not in PICTURES:
            continue
        if path.stem not in mattes:
            found.faults["pictures without a matte"] += 1
            continue
        both = MattedBytes(path, mattes[path.stem])
        found.entries.append(Entry(path.name, words_of(path.stem), both))
    return found


@dataclass(frozen=True)
class MattedBytes:
    """A picture with its matte as alpha, as the bytes of a PNG."""

    colours: Path
    matte: Path

    def __call__(self) -> bytes:
        """Raises OSError."""
        try:
            with Image.open(self.colours) as picture, Image.open(self.matte) as matte:
                if picture.size != matte.size:
                    raise OSError(f"{self.matte} is of another size than {self.colours}")
                check_pixels(picture.width, picture.height)
                layer = _of_8_bits(picture).convert("RGB").convert("RGBA")
                layer.putalpha(_of_8_bits(matte).convert("L"))
        except _UNREADABLE as error:
            raise OSError(str(error)) from error
        data = io.BytesIO()
        layer.save(data, format="PNG", compress_level=0)
        return data.getvalue()


def _of_8_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits, which Pillow would cut off above 255, brought to 8."""
    if not picture.mode.startswith("I"):
        return picture
    levels = np.asarray(picture).astype(np.int64).clip(0, 65535)
    return Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))
