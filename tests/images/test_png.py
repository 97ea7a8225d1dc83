from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow

from acetate.errors import BadImage
from acetate.images.png import decode_png, encode_png
from acetate.images.png_texts import SIGNATURE, png_texts
from acetate_bridge.protocol.types import Image, PixelFormat


def noise(pixel_format: PixelFormat, width: int = 37, height: int = 19) -> Image:
    depth = 1 if pixel_format == "rgba8" else 2
    data = np.random.default_rng(5).bytes(width * height * 4 * depth)
    return Image(width, height, data, pixel_format)


def pillow_png(picture: Pillow.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("pixel_format", ["rgba8", "rgba16"])
def test_pixels_survive_a_round_trip_exactly(pixel_format: PixelFormat) -> None:
    image = noise(pixel_format)
    assert decode_png(encode_png(image)) == image


def test_texts_survive_beside_the_pixels() -> None:
    image = noise("rgba16")
    texts = {"acetate.recipe": '{"prompt": "ein Äpfelchen 🍎"}', "Software": "acetate"}
    data = encode_png(image, texts)
    assert png_texts(data) == texts
    assert decode_png(data) == image


def test_other_programs_read_what_is_written() -> None:
    image = noise("rgba8")
    picture = Pillow.open(io.BytesIO(encode_png(image, {"key": "text"})))
    assert picture.mode == "RGBA"
    assert picture.tobytes() == image.data
    assert picture.info["key"] == "text"


@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "P", "1", "RGBA"])
def test_every_kind_of_png_becomes_rgba(mode: str) -> None:
    source = Pillow.fromarray(np.random.default_rng(3).integers(0, 255, (8, 9, 3), np.uint8))
    picture = source.convert(mode)
    image = decode_png(pillow_png(picture))
    assert (image.width, image.height, image.format) == (9, 8, "rgba8")
    assert image.data == picture.convert("RGBA").tobytes()


def test_text_of_other_programs_is_read_in_both_forms() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("plain", "old")
    info.add_itxt("packed", "neu ü", zip=True)
    data = pillow_png(Pillow.new("RGBA", (1, 1)), pnginfo=info)
    assert png_texts(data) == {"plain": "old", "packed": "neu ü"}


def test_a_huge_header_is_refused_before_anything_is_unpacked() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 6, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    with pytest.raises(BadImage, match="30000 × 30000"):
        decode_png(SIGNATURE + header + body)


@pytest.mark.parametrize("kept", [0, 4, 20, 33, 60, 300])
def test_a_file_cut_short_is_refused(kept: int) -> None:
    with pytest.raises(BadImage):
        decode_png(encode_png(noise("rgba8"))[:kept])


def test_a_picture_without_pixels_is_refused() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 6, 0, 0, 0))
    with pytest.raises(BadImage, match="no pixels"):
        decode_png(SIGNATURE + header + chunk(b"IEND", b""))


def test_damaged_pixels_are_refused() -> None:
    data = bytearray(encode_png(noise("rgba8")))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(BadImage):
        decode_png(bytes(data))
