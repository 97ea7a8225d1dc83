"""Messages to frames and back, and images to bytes.

A message without pixels is a JSON text. One with an `Image` anywhere inside is a binary frame:
a little-endian u32 with the length of the header, the header as JSON, then the payload. In the
header each image is `{width, height, format, encoding, offset, length}`, pointing into the
payload. Nothing is unpacked before its claims have been checked.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from acetate_bridge.protocol.json_text import BadFrame, read_json, write_json
from acetate_bridge.protocol.messages import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    WIRE_NAMES,
    ClientMessage,
    Message,
    ServerMessage,
)
from acetate_bridge.protocol.png import DamagedPng, png_header, read_png, write_png
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain
from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image, PixelFormat

MESSAGE_BYTES = 256 * 2**20
HEADER_BYTES = 2**20
IMAGE_PIXELS = 64 * 2**20
_LENGTH = struct.Struct("<I")
_REFERENCE_FIELDS = {"width", "height", "format", "encoding", "offset", "length"}


@dataclass(frozen=True)
class Encoding:
    """A way to write pixels. `read(data, width, height, format)` gives exactly that image.

    `read` raises ValueError for damaged data or for another size than was announced, and finds
    out about the size before it unpacks pixels.
    """

    name: str
    write: Callable[[Image], bytes]
    read: Callable[[bytes, int, int, PixelFormat], Image]
    formats: tuple[PixelFormat, ...] = ("rgba8", "rgba16")


@dataclass(frozen=True)
class PackedImage(Image):
    """An image as it travels, for a sender that packs once: `data` is written in `encoding`."""

    encoding: str = "raw"

    def __post_init__(self) -> None:
        if self.encoding == "raw":
            super().__post_init__()


def _read_raw(data: bytes, width: int, height: int, pixel_format: PixelFormat) -> Image:
    return Image(width, height, data, pixel_format)


def _read_png(data: bytes, width: int, height: int, pixel_format: PixelFormat) -> Image:
    if png_header(data) != (width, height, pixel_format):
        raise DamagedPng("the PNG has another size or depth than was announced")
    return read_png(data)


_ENCODINGS: dict[str, Encoding] = {
    "raw": Encoding("raw", lambda image: image.data, _read_raw),
    "png": Encoding("png", write_png, _read_png),
}


def register(encoding: Encoding) -> None:
    """Make an encoding of the host's known (lossless, or previews alone may use it)."""
    _ENCODINGS[encoding.name] = encoding


def known_encodings() -> list[str]:
    """Names that this process can read and write."""
    return list(_ENCODINGS)


def choose(wanted: Sequence[str], pixel_format: PixelFormat) -> str:
    """The first of the wanted encodings that is known here and can hold the format, else raw."""
    for name in wanted:
        if name in _ENCODINGS and pixel_format in _ENCODINGS[name].formats:
            return name
    return "raw"


def pack(image: Image, encodings: Sequence[str]) -> PackedImage:
    """An image in the first of these encodings that can hold it; may take its time."""
    encoding = choose(encodings, image.format)
    data = _ENCODINGS[encoding].write(image)
    return PackedImage(image.width, image.height, data, image.format, encoding)


def encode(message: Message, encodings: Sequence[str] = ("raw",)) -> str | bytes:
    """The frame of a message: text, or bytes when it holds an image. See `encode_pieces`."""
    pieces = encode_pieces(message, encodings)
    return pieces if isinstance(pieces, str) else b"".join(pieces)


def encode_pieces(message: Message, encodings: Sequence[str] = ("raw",)) -> str | list[bytes]:
    """The frame of a message: text, or the pieces of a binary frame, pixels not copied.

    `encodings` are the ways to write pixels that the reader knows, best first. Raises BadFrame
    for a message that no frame can carry.
    """
    payload: list[bytes] = []
    offset = 0

    def place(value: Any) -> Any:
        nonlocal offset
        if not isinstance(value, Image):
            return None
        packed = value if isinstance(value, PackedImage) else pack(value, encodings)
        payload.append(packed.data)
        offset += len(packed.data)
        return {
            "width": packed.width,
            "height": packed.height,
            "format": packed.format,
            "encoding": packed.encoding,
            "offset": offset - len(packed.data),
            "length": len(packed.data),
        }

    header = {"type": WIRE_NAMES[type(message)], **to_plain(message, place)}
    text = write_json(header)
    if not payload:
        return text
    packed = text.encode()
    return [_LENGTH.pack(len(packed)), packed, *payload]


def decode_client(frame: str | bytes) -> ClientMessage:
    """A client's message; strict. Raises BadFrame."""
    return _decode(frame, CLIENT_MESSAGES, allow_unknown=False)


def decode_server(frame: str | bytes) -> ServerMessage:
    """A server's message; fields of a newer server are skipped. Raises BadFrame."""
    return _decode(frame, SERVER_MESSAGES, allow_unknown=True)


def _decode(frame: str | bytes, table: Mapping[str, type[Any]], allow_unknown: bool) -> Any:
    kind, header, payload = open_frame(frame, table)

    def image(wanted: type[Any], value: Any) -> Image | None:
        return read_image(value, payload) if wanted is Image else None

    try:
        return from_plain(table[kind], header, image, allow_unknown)
    except Mismatch as error:
        raise BadFrame("bad_message", str(error)) from None


def open_frame(
    frame: str | bytes, table: Mapping[str, type[Any]]
) -> tuple[str, dict[str, Any], memoryview]:
    """Name, header (without its type) and payload of a frame. Raises BadFrame.

    Lengths are checked before anything is read; the fields of the header are not.
    """
    if isinstance(frame, str):
        if len(frame) > HEADER_BYTES:
            raise BadFrame("too_large", f"a text message may have {HEADER_BYTES} characters")
        text, payload = frame, memoryview(b"")
    else:
        text, payload = _split(frame)
    header = _parse(text)
    kind = header.pop("type", None)
    if not isinstance(kind, str) or kind not in table:
        raise BadFrame("unknown_message", f"there is no message {str(kind)[:40]!r}")
    return kind, header, payload


def _split(frame: bytes) -> tuple[str, memoryview]:
    if len(frame) > MESSAGE_BYTES:
        raise BadFrame("too_large", f"a message may have {MESSAGE_BYTES} bytes")
    if len(frame) < _LENGTH.size:
        raise BadFrame("bad_frame", "a binary frame starts with the length of its header")
    (length,) = _LENGTH.unpack_from(frame)
    if length > HEADER_BYTES:
        raise BadFrame("too_large", f"a header may have {HEADER_BYTES} bytes")
    if length > len(frame) - _LENGTH.size:
        raise BadFrame("bad_frame", "the header is longer than the frame")
    view = memoryview(frame)
    body = _LENGTH.size + length
    try:
        return str(view[_LENGTH.size : body], "utf-8"), view[body:]
    except UnicodeDecodeError:
        raise BadFrame("bad_frame", "the header is not UTF-8") from None


def _parse(text: str) -> dict[str, Any]:
    header = read_json(text)
    if not isinstance(header, dict):
        raise BadFrame("bad_json", "a message is a JSON object")
    return cast("dict[str, Any]", header)


def read_image(value: Any, payload: memoryview) -> Image:
    """The image that a header's reference points to. Raises BadFrame.

    Size, encoding and place are checked before pixels are touched.
    """
    return unpack(packed_image(value, payload))


def unpack(packed: PackedImage) -> Image:
    """The pixels of an image that travelled. Raises BadFrame for damaged data."""
    try:
        return _ENCODINGS[packed.encoding].read(
            packed.data, packed.width, packed.height, packed.format
        )
    except ValueError as error:
        raise BadFrame("bad_image", str(error)) from None


def packed_image(value: Any, payload: memoryview) -> PackedImage:
    """The image that a header's reference points to, still packed, its claims checked."""
    if not isinstance(value, dict) or set(cast("dict[str, Any]", value)) != _REFERENCE_FIELDS:
        raise BadFrame("bad_image", f"an image needs the fields {sorted(_REFERENCE_FIELDS)}")
    entry = cast("dict[str, Any]", value)
    width, height, offset, length = (
        _count(entry[name], name) for name in ("width", "height", "offset", "length")
    )
    pixel_format, encoding = entry["format"], entry["encoding"]
    if pixel_format not in ("rgba8", "rgba16"):
        raise BadFrame("bad_image", "an image has the format rgba8 or rgba16")
    if not isinstance(encoding, str) or encoding not in _ENCODINGS:
        raise BadFrame("unknown_encoding", f"pixels come as {', '.join(_ENCODINGS)}")
    if pixel_format not in _ENCODINGS[encoding].formats:
        raise BadFrame("bad_image", f"{encoding} cannot hold {pixel_format}")
    if width < 1 or height < 1:
        raise BadFrame("bad_image", "an image has at least one pixel")
    if width * height > IMAGE_PIXELS:
        raise BadFrame("image_too_large", f"an image may have {IMAGE_PIXELS} pixels")
    if offset + length > len(payload):
        raise BadFrame("bad_image", "the image is longer than its frame")
    need = width * height * BYTES_PER_PIXEL[pixel_format]
    if encoding == "raw" and length != need:
        raise BadFrame("bad_image", f"{width} × {height} {pixel_format} needs {need} bytes")
    data = bytes(payload[offset : offset + length])
    return PackedImage(width, height, data, pixel_format, encoding)


def _count(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadFrame("bad_image", f"an image's {name} is a whole number")
    return value
