"""TIFF bytes with straight alpha, 8 or 16 bits a channel (TIFF 6.0), which Pillow cannot write."""

from __future__ import annotations

import struct
import zlib

from acetate_bridge.protocol.types import Image

_SHORT, _LONG, _ASCII = 3, 4, 2
_DEFLATE, _RGB, _UNASSOCIATED = 8, 2, 2
DESCRIPTION = 270
_LETTERS = {_SHORT: "H", _LONG: "I", _ASCII: "B"}


def encode_tiff(image: Image, description: str = "") -> bytes:
    """One strip of RGBA; `description` (Latin letters) goes into ImageDescription."""
    bits = 8 if image.format == "rgba8" else 16
    pixels = zlib.compress(image.data, 6)
    words = description.encode("ascii") + b"\0"
    entries = [
        (256, _LONG, [image.width]),
        (257, _LONG, [image.height]),
        (258, _SHORT, [bits] * 4),
        (259, _SHORT, [_DEFLATE]),
        (262, _SHORT, [_RGB]),
        (DESCRIPTION, _ASCII, list(words)),
        (273, _LONG, [0]),
        (277, _SHORT, [4]),
        (278, _LONG, [image.height]),
        (279, _LONG, [len(pixels)]),
        (284, _SHORT, [1]),
        (338, _SHORT, [_UNASSOCIATED]),
    ]
    directory = 2 + 12 * len(entries) + 4
    after = 8 + directory
    extra = {tag: _packed(kind, values) for tag, kind, values in entries}
    long = [tag for tag, packed in extra.items() if len(packed) > 4]
    places: dict[int, int] = {}
    for tag in long:
        places[tag] = after
        after += len(extra[tag]) + len(extra[tag]) % 2
    extra[273] = struct.pack("<I", after)
    head = [b"II*\0", struct.pack("<IH", 8, len(entries))]
    for tag, kind, values in entries:
        field = struct.pack("<I", places[tag]) if tag in places else extra[tag].ljust(4, b"\0")
        head.append(struct.pack("<HHI", tag, kind, len(values)) + field)
    head.append(struct.pack("<I", 0))
    head += [extra[tag] + b"\0" * (len(extra[tag]) % 2) for tag in long]
    return b"".join([*head, pixels])


def _packed(kind: int, values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}{_LETTERS[kind]}", *values)
