"""Packed pictures of others to pixels, with fast libraries, here or in a process of their own.

`python -m acetate.app.unpacking ORDER` reads the packed bytes from its input, writes raw pixels to
a file and says their SHA-256. A library that can be broken breaks that process alone, and what it
needs of memory goes with it.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, cast

import msgspec

from acetate.errors import BadImage
from acetate.workers.parent import die_with_parent
from acetate_bridge.protocol.codec import PackedImage
from acetate_bridge.protocol.png import DamagedPng, check_png, png_header
from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image, PixelFormat

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PIECE = 2**24
_MOST_MEMORY = 6 * 2**30


class Order(msgspec.Struct, frozen=True):
    """What to unpack, and where to; `sha256` is what the pixels must have, if it is said.

    The encoding `file` is a picture of any kind that the command line reads: size and format are
    then what comes out.
    """

    target: str
    encoding: str = "file"
    width: int = 0
    height: int = 0
    format: PixelFormat = "rgba8"
    sha256: str = ""
    parent: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """How it went: without a code the pixels lie in the file, with this SHA-256."""

    sha256: str = ""
    width: int = 0
    height: int = 0
    format: PixelFormat = "rgba8"
    code: str = ""
    message: str = ""


def unpack_fast(packed: PackedImage) -> memoryview:
    """Raw pixels of a PNG or WebP whose claims were checked. Raises ValueError if it is damaged."""
    samples = _png(packed) if packed.encoding == "png" else _webp(packed)
    raw = memoryview(cast(Any, samples)).cast("B")
    if len(raw) != packed.width * packed.height * BYTES_PER_PIXEL[packed.format]:
        raise ValueError("the picture has another size than was announced")
    return raw


def read_file(data: bytes) -> Image:
    """A picture of any kind that the command line reads. Raises BadImage or ValueError."""
    from acetate.images.decoding import decode_picture

    if is_plain_png(data):
        check_png(data)
    return decode_picture(data)


def is_plain_png(data: bytes) -> bool:
    """Whether this is a PNG of the kind that `check_png` can count."""
    try:
        return bool(png_header(data))
    except DamagedPng:
        return False


def digest_of(raw: memoryview) -> str:
    """SHA-256 of pixels, as images are named."""
    return hashlib.sha256(raw).hexdigest()


def _png(packed: PackedImage) -> NDArray[Any]:
    import imagecodecs
    import numpy as np

    if png_header(packed.data) != (packed.width, packed.height, packed.format):
        raise DamagedPng("the PNG has another size or depth than was announced")
    check_png(packed.data)
    try:
        samples = imagecodecs.png_decode(packed.data)
    except (imagecodecs.PngError, ValueError, RuntimeError):
        raise DamagedPng("the PNG is damaged") from None
    little = samples.dtype.newbyteorder("<")
    return np.ascontiguousarray(samples.astype(little, copy=False))


def _webp(packed: PackedImage) -> NDArray[Any]:
    import imagecodecs
    import numpy as np
    from PIL import Image as Pillow

    try:
        with Pillow.open(io.BytesIO(packed.data), formats=["WEBP"]) as picture:
            if picture.size != (packed.width, packed.height):
                raise ValueError("the WebP has another size than was announced")
        samples = imagecodecs.webp_decode(packed.data, hasalpha=True)
    except (OSError, RuntimeError, Pillow.DecompressionBombError):
        raise ValueError("the WebP is damaged") from None
    return np.ascontiguousarray(samples)


def carry_out(order: Order, data: bytes) -> Outcome:
    """Unpack into the file of an order."""
    width, height, pixel_format = order.width, order.height, order.format
    try:
        if order.encoding == "file":
            image = read_file(data)
            raw, width, height = memoryview(image.data), image.width, image.height
            pixel_format = image.format
        else:
            raw = unpack_fast(PackedImage(width, height, data, pixel_format, order.encoding))
    except BadImage as error:
        code = "image_too_large" if "megapixels" in error.message else "bad_image"
        return Outcome(code=code, message=f"{error.message} {error.hint}".strip())
    except (ValueError, MemoryError) as error:
        return Outcome(code="bad_image", message=str(error) or "the picture takes too much memory")
    found = digest_of(raw)
    if order.sha256 and found != order.sha256:
        return Outcome(code="wrong_hash")
    try:
        with open(order.target, "xb") as file:
            for start in range(0, len(raw), _PIECE):
                file.write(raw[start : start + _PIECE])
    except OSError as error:
        return Outcome(code="cannot_write", message=str(error.errno or 0))
    return Outcome(found, width, height, pixel_format)


def _budget() -> None:
    """No more memory than the largest picture needs, with all that is done to it."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = _MOST_MEMORY if hard < 0 else min(_MOST_MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def main() -> None:
    """Entry of the process."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    die_with_parent(order.parent)
    _budget()
    outcome = carry_out(order, sys.stdin.buffer.read())
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
    sys.stdout.flush()
    os._exit(0)  # Nothing is worth the time that freeing the pixels one by one would take.


if __name__ == "__main__":
    main()
