"""PNG bytes with 8 or 16 bits a channel, with text beside the pixels.

Pillow cannot write 16-bit RGBA, so the pixels go through libpng (imagecodecs).
"""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np

from acetate.errors import BadImage
from acetate.images.colour import in_srgb
from acetate.images.png_texts import HEADER_END, SIGNATURE, png_chunks, unpacked, with_texts
from acetate.images.samples import image_of, samples_of
from acetate_bridge.protocol.codec import IMAGE_PIXELS
from acetate_bridge.protocol.types import Image


def encode_png(image: Image, texts: dict[str, str] | None = None) -> bytes:
    """A PNG of the image with international text chunks, one per keyword (Latin, 1 to 79)."""
    pixels = bytes(imagecodecs.png_encode(samples_of(image), level=6))
    return with_texts(pixels, texts or {})


def decode_png(data: bytes) -> Image:
    """The image of a PNG of any kind, as RGBA of its own depth, in sRGB.

    An animated one gives its default image. Raises BadImage for other files, damaged ones, and
    sizes above 64 megapixels, which are noticed before a single pixel is unpacked.
    """
    width, height = png_size(data)
    check_pixels(width, height)
    try:
        samples = np.asarray(imagecodecs.png_decode(data))
    except (imagecodecs.PngError, ValueError) as error:
        raise BadImage("The PNG file is damaged or cut short.") from error
    return image_of(in_srgb(samples, _profile(data)))


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height that the header claims. Raises BadImage if there is no header."""
    if not data.startswith(SIGNATURE) or data[12:16] != b"IHDR" or len(data) < HEADER_END:
        raise BadImage("This is not a PNG file.")
    width, height = struct.unpack(">II", data[16:24])
    if not width or not height:
        raise BadImage("The PNG file has no pixels.")
    return width, height


def check_pixels(width: int, height: int) -> None:
    """Raise BadImage for a size that is not read."""
    if width * height > IMAGE_PIXELS:
        raise BadImage(
            f"The picture has {width} × {height} pixels; "
            f"Acetate reads up to {IMAGE_PIXELS >> 20} megapixels."
        )


def _profile(data: bytes) -> bytes | None:
    """The colour profile in the iCCP chunk, if there is one."""
    for kind, body in png_chunks(data):
        if kind == b"iCCP":
            return unpacked(body.partition(b"\0")[2][1:])
        if kind == b"IDAT":
            break
    return None
