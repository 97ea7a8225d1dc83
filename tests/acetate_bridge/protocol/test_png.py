from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from acetate_bridge import Image
from acetate_bridge.protocol.png import DamagedPng, read_png, write_png


@st.composite
def images(draw: st.DrawFn) -> Image:
    width, height = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    pixel_format = draw(st.sampled_from(["rgba8", "rgba16"]))
    size = width * height * (4 if pixel_format == "rgba8" else 8)
    return Image(width, height, draw(st.binary(min_size=size, max_size=size)), pixel_format)


@settings(max_examples=100, deadline=None)
@given(images())
def test_pixels_survive_exactly(image: Image) -> None:
    assert read_png(write_png(image)) == image


def test_other_programs_read_what_is_written() -> None:
    data = np.random.default_rng(3).integers(0, 256, (13, 17, 4), np.uint8)
    packed = write_png(Image(17, 13, data.tobytes()))
    with Pillow.open(io.BytesIO(packed)) as picture:
        assert picture.mode == "RGBA" and (np.asarray(picture) == data).all()


@pytest.mark.parametrize("kind", range(5))
def test_every_row_filter_of_other_programs_is_read(kind: int) -> None:
    rows = np.random.default_rng(kind).integers(0, 256, (6, 5, 4), np.uint8)
    lines = b"".join(bytes([kind]) + _filtered(rows, y, kind) for y in range(6))
    packed = _png(struct.pack(">IIBBBBB", 5, 6, 8, 6, 0, 0, 0), zlib.compress(lines))
    assert read_png(packed).data == rows.tobytes()


def _filtered(rows: np.ndarray, y: int, kind: int) -> bytes:
    row = rows[y].astype(int)
    above = rows[y - 1].astype(int) if y else np.zeros_like(row)
    left = np.vstack([np.zeros((1, 4), int), row[:-1]])
    corner = np.vstack([np.zeros((1, 4), int), above[:-1]])
    estimate = left + above - corner
    near = np.stack([abs(estimate - left), abs(estimate - above), abs(estimate - corner)])
    paeth = np.choose(near.argmin(0), [left, above, corner])
    guess = [np.zeros_like(row), left, above, (left + above) // 2, paeth][kind]
    return ((row - guess) % 256).astype(np.uint8).tobytes()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(header: bytes, packed: bytes) -> bytes:
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    return start + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


_HEADER = struct.pack(">IIBBBBB", 2, 2, 8, 6, 0, 0, 0)
_GOOD = zlib.compress(bytes(18))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        _png(_HEADER, _GOOD)[:-12],
        _png(_HEADER, _GOOD)[:40],
        _png(_HEADER, b"junk"),
        _png(_HEADER, zlib.compress(bytes(17))),
        _png(_HEADER, zlib.compress(bytes(10**6))),
        _png(_HEADER, zlib.compress(b"\x09" + bytes(17))),
        _png(struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0), _GOOD),
        _png(struct.pack(">IIBBBBB", 2, 2, 8, 6, 0, 0, 1), _GOOD),
        _png(struct.pack(">IIBBBBB", 0, 2, 8, 6, 0, 0, 0), _GOOD),
        _png(_HEADER, _GOOD).replace(b"IDAT", b"IDAX"),
    ],
)
def test_what_is_not_a_whole_rgba_png_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedPng):
        read_png(data)
