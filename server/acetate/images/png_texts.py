"""The text chunks of a PNG, without its pixels: a recipe travels in one (PNG, 11.3.3)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_END = len(SIGNATURE) + 25
_MOST_TEXT = 1 << 20


def png_texts(data: bytes) -> dict[str, str]:
    """The text chunks of a PNG by keyword; what cannot be read is left out."""
    return dict(_texts(data))


def with_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """The PNG with international text chunks put in, one per keyword (Latin, 1 to 79)."""
    if not texts:
        return png
    chunks = b"".join(_text_chunk(key, text) for key, text in texts.items())
    return b"".join((png[:HEADER_END], chunks, memoryview(png)[HEADER_END:]))


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each chunk, as far as the file is whole."""
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        kind = data[position + 4 : position + 8]
        yield kind, data[position + 8 : position + 8 + length]
        position += 12 + length


def unpacked(data: bytes) -> bytes | None:
    """Deflated bytes of a chunk, up to a mebibyte; None for damaged ones."""
    try:
        return zlib.decompressobj().decompress(data, _MOST_TEXT)
    except zlib.error:
        return None


def _texts(data: bytes) -> Iterator[tuple[str, str]]:
    for kind, body in png_chunks(data):
        key, _, rest = body.partition(b"\0")
        if kind == b"tEXt":
            yield key.decode("latin-1"), rest.decode("latin-1")
        elif kind == b"iTXt" and (text := _international(rest)) is not None:
            yield key.decode("latin-1"), text


def _international(rest: bytes) -> str | None:
    compressed, fields = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    if len(fields) < 3:
        return None
    text = unpacked(fields[2]) if compressed else fields[2]
    try:
        return text.decode("utf-8") if text is not None else None
    except UnicodeDecodeError:
        return None


def _text_chunk(key: str, text: str) -> bytes:
    body = key.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8")
    checksum = zlib.crc32(b"iTXt" + body)
    return struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", checksum)
