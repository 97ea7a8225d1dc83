"""An image with its recipe as the bytes of a file, in any of the formats."""

from __future__ import annotations

import io
import json
from typing import Any

from acetate.errors import CannotWrite
from acetate.images.formats import FileFormat
from acetate.images.png import encode_png
from acetate.images.recipe_texts import RECIPE_KEY
from acetate.images.samples import samples_of
from acetate.images.tiff import DESCRIPTION, encode_tiff
from acetate_bridge.protocol.types import Image

_SAVING: dict[str, dict[str, Any]] = {
    "WebP": {"lossless": True, "exact": True, "method": 4},
    "AVIF": {"quality": 100, "subsampling": "4:4:4", "speed": 6},
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
}


def encode_picture(image: Image, kind: FileFormat, recipe: str = "") -> bytes:
    """The file's bytes; `recipe` as JSON goes into a text chunk or the image description.

    Raises CannotWrite for what the format cannot hold.
    """
    if kind.name == "PNG":
        return encode_png(image, {RECIPE_KEY: recipe} if recipe else {})
    words = json.dumps({RECIPE_KEY: json.loads(recipe)}) if recipe else ""
    if kind.name == "TIFF":
        return encode_tiff(image, words)
    return _with_pillow(image, kind.name, words)


def _with_pillow(image: Image, kind: str, words: str) -> bytes:
    from PIL import Image as Pillow

    samples = samples_of(image)
    if image.format == "rgba16":
        samples = (samples.astype("u4") * 255 // 65535).astype("u1")
    picture = Pillow.fromarray(samples, "RGBA") if kind != "JPEG" else None
    if picture is None:
        picture = Pillow.fromarray(samples[..., :3].copy(), "RGB")
    exif = Pillow.Exif()
    if words:
        exif[DESCRIPTION] = words
    buffer = io.BytesIO()
    try:
        picture.save(buffer, kind.upper(), exif=exif.tobytes(), **_SAVING[kind])
    except (OSError, ValueError) as error:
        raise CannotWrite(f"{kind} cannot hold this picture: {error}.", "Write a PNG.") from error
    return buffer.getvalue()
