"""PNG bytes with 8 or 16 bits a channel, with text beside the pixels.

Pillow cannot write 16-bit RGBA, so the pixels go through libpng (imagecodecs); the text chunks
are put in and read out here (PNG specification, 11.3.3).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from acetate.errors import BadImage
from acetate_bridge.protocol.codec import IMAGE_PIXELS
from acetate_bridge.protocol.types import Image, PixelFormat

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = len(SIGNATURE) + 25
_MOST_TEXT = 1 << 20


def encode_png(image: Image, texts: dict[str, str] | None = None) -> bytes:
    """A PNG of the image with international text chunks, one per keyword (Latin, 1 to 79)."""
    dtype = np.dtype("u1" if image.format == "rgba8" else "<u2")
    samples = np.frombuffer(image.data, dtype).reshape(image.height, image.width, 4)
    pixels = bytes(imagecodecs.png_encode(samples, level=6))
    chunks = b"".join(_text_chunk(key, text) for key, text in (texts or {}).items())
    return pixels[:_HEADER_END] + chunks + pixels[_HEADER_END:]


def decode_png(data: bytes) -> Image:
    """The image of a PNG of any kind, as RGBA of its own depth.

    Raises BadImage for other files, damaged ones, and sizes above 64 megapixels, which are
    noticed before a single pixel is unpacked.
    """
    width, height = png_size(data)
    if width * height > IMAGE_PIXELS:
        raise BadImage(
            f"The picture has {width} × {height} pixels; "
            f"Acetate reads up to {IMAGE_PIXELS >> 20} megapixels."
        )
    try:
        samples = imagecodecs.png_decode(data)
    except (imagecodecs.PngError, ValueError) as error:
        raise BadImage("The PNG file is damaged or cut short.") from error
    return _as_rgba(samples)


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height that the header claims. Raises BadImage if there is no header."""
    if not data.startswith(SIGNATURE) or data[12:16] != b"IHDR" or len(data) < _HEADER_END:
        raise BadImage("This is not a PNG file.")
    width, height = struct.unpack(">II", data[16:24])
    if not width or not height:
        raise BadImage("The PNG file has no pixels.")
    return width, height


def png_texts(data: bytes) -> dict[str, str]:
    """The text chunks of a PNG by keyword; what cannot be read is left out."""
    return dict(_texts(data))


def _texts(data: bytes) -> Iterator[tuple[str, str]]:
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        kind = data[position + 4 : position + 8]
        body = data[position + 8 : position + 8 + length]
        position += 12 + length
        key, _, rest = body.partition(b"\0")
        if kind == b"tEXt":
            yield key.decode("latin-1"), rest.decode("latin-1")
        elif kind == b"iTXt" and (text := _international(rest)) is not None:
            yield key.decode("latin-1"), text


def _international(rest: bytes) -> str | None:
    compressed, fields = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    if len(fields) < 3:
        return None
    try:
        text = zlib.decompressobj().decompress(fields[2], _MOST_TEXT) if compressed else fields[2]
        return text.decode("utf-8")
    except (zlib.error, UnicodeDecodeError):
        return None


def _text_chunk(key: str, text: str) -> bytes:
    body = key.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8")
    checksum = zlib.crc32(b"iTXt" + body)
    return struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", checksum)


def _as_rgba(samples: NDArray[np.unsignedinteger]) -> Image:
    """Grey, grey with alpha, and RGB become RGBA."""
    if samples.ndim == 2:
        samples = samples[..., None]
    height, width, channels = samples.shape
    rgba = np.full((height, width, 4), np.iinfo(samples.dtype).max, samples.dtype)
    if channels >= 3:
        rgba[..., :channels] = samples
    else:
        rgba[..., :3] = samples[..., :1]
        if channels == 2:
            rgba[..., 3] = samples[..., 1]
    pixel_format: PixelFormat = "rgba8" if samples.dtype == np.uint8 else "rgba16"
    return Image(width, height, rgba.astype(rgba.dtype.newbyteorder("<")).tobytes(), pixel_format)
