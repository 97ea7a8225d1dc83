"""RGBA pixels as PNG, 8 and 16 bit, with nothing but zlib: for slow links and plain hosts."""

from __future__ import annotations

import struct
import zlib

from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image, PixelFormat

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = 6
_DEPTH: dict[PixelFormat, int] = {"rgba8": 8, "rgba16": 16}
_FORMAT: dict[int, PixelFormat] = {8: "rgba8", 16: "rgba16"}
_UP = 2
_PIECE = 2**22


class DamagedPng(ValueError):
    """Not a PNG that this reader understands, or not a whole one."""


def write_png(image: Image, level: int = 1) -> bytes:
    """PNG bytes of an image; rows are predicted from the row above (fast in plain Python)."""
    stride = image.width * BYTES_PER_PIXEL[image.format]
    data = _swap_bytes(image.data) if image.format == "rgba16" else image.data
    lines = bytearray()
    above = bytes(stride)
    for start in range(0, len(data), stride):
        row = data[start : start + stride]
        lines.append(_UP)
        lines += _subtract(row, above)
        above = row
    header = struct.pack(
        ">IIBBBBB", image.width, image.height, _DEPTH[image.format], _RGBA, 0, 0, 0
    )
    return (
        _SIGNATURE
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(lines), level))
        + _chunk(b"IEND", b"")
    )


def png_header(data: bytes) -> tuple[int, int, PixelFormat]:
    """Width, height and format that a PNG claims, read before anything is unpacked.

    Raises DamagedPng for another kind of file or pixel.
    """
    if data[:8] != _SIGNATURE or data[12:16] != b"IHDR" or len(data) < 33:
        raise DamagedPng("this is not a PNG file")
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", data[16:29])
    if colour != _RGBA or depth not in _FORMAT or any(rest):
        raise DamagedPng("only plain RGBA PNG files with 8 or 16 bits are read here")
    return width, height, _FORMAT[depth]


def read_png(data: bytes) -> Image:
    """The image in a PNG; unpacks no more bytes than its header promises. Raises DamagedPng."""
    width, height, pixel_format = png_header(data)
    if width < 1 or height < 1:
        raise DamagedPng("the PNG has no size")
    pixel = BYTES_PER_PIXEL[pixel_format]
    stride = width * pixel
    expected = (stride + 1) * height
    lines = _unpack(_packed(data), expected)
    rows = bytearray()
    above = bytes(stride)
    for start in range(0, expected, stride + 1):
        above = _restore(lines[start], lines[start + 1 : start + 1 + stride], above, pixel)
        rows += above
    pixels = bytes(rows)
    return Image(width, height, _swap_bytes(pixels) if pixel == 8 else pixels, pixel_format)


def check_png(data: bytes) -> None:
    """Raise DamagedPng unless a PNG is whole and holds exactly what its header promises.

    Counts what comes out without keeping it, for a faster reader that is less strict.
    """
    width, height, pixel_format = png_header(data)
    expected = (width * BYTES_PER_PIXEL[pixel_format] + 1) * height
    unpacker = zlib.decompressobj()
    left, packed = expected, _packed(data)
    try:
        while left >= 0 and packed and not unpacker.eof:
            left -= len(unpacker.decompress(packed, _PIECE))
            packed = unpacker.unconsumed_tail
        left -= len(unpacker.flush()) if not unpacker.eof and left >= 0 else 0
    except zlib.error:
        raise DamagedPng("the PNG is damaged") from None
    if left or not expected:
        raise DamagedPng("the PNG does not hold the pixels that its header promises")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _packed(data: bytes) -> bytes:
    parts: list[bytes] = []
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if len(body) != length or at + 12 + length > len(data):
            break
        if struct.unpack_from(">I", data, at + 8 + length)[0] != zlib.crc32(name + body):
            raise DamagedPng("the PNG is damaged")
        if name == b"IDAT":
            parts.append(body)
        if name == b"IEND":
            return b"".join(parts)
        at += 12 + length
    raise DamagedPng("the PNG ends too early")


def _unpack(packed: bytes, expected: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        lines = unpacker.decompress(packed, expected + 1)
    except zlib.error:
        raise DamagedPng("the PNG is damaged") from None
    if len(lines) != expected:
        raise DamagedPng("the PNG does not hold the pixels that its header promises")
    return lines


def _swap_bytes(data: bytes) -> bytes:
    """Little endian 16-bit samples to big endian and back."""
    swapped = bytearray(len(data))
    swapped[0::2] = data[1::2]
    swapped[1::2] = data[0::2]
    return bytes(swapped)


def _subtract(row: bytes, above: bytes) -> bytes:
    """Bytewise row - above, all bytes at once in one big integer."""
    high = int.from_bytes(b"\x80" * len(row), "little")
    a, b = int.from_bytes(row, "little"), int.from_bytes(above, "little")
    result = ((a | high) - (b & ~high)) ^ ((a ^ ~b) & high)
    return result.to_bytes(len(row), "little")


def _add(row: bytes, above: bytes) -> bytes:
    """Bytewise row + above, all bytes at once in one big integer."""
    high = int.from_bytes(b"\x80" * len(row), "little")
    a, b = int.from_bytes(row, "little"), int.from_bytes(above, "little")
    result = ((a & ~high) + (b & ~high)) ^ ((a ^ b) & high)
    return result.to_bytes(len(row), "little")


def _restore(kind: int, line: bytes, above: bytes, pixel: int) -> bytes:
    """One row from its filtered form (PNG specification, section 9)."""
    if kind == 0:
        return line
    if kind == _UP:
        return _add(line, above)
    if kind not in (1, 3, 4):
        raise DamagedPng("the PNG is damaged")
    row = bytearray(line)
    for at in range(len(row)):
        left = row[at - pixel] if at >= pixel else 0
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + above[at]) // 2
        else:
            guess = _paeth(left, above[at], above[at - pixel] if at >= pixel else 0)
        row[at] = (row[at] + guess) & 255
    return bytes(row)


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    to_left, to_up, to_corner = abs(estimate - left), abs(estimate - up), abs(estimate - corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner
