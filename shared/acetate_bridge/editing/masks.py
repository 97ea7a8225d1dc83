"""The strengths of a selection as a short text, for files."""

from __future__ import annotations

import base64
import binascii
import zlib

from acetate_bridge.protocol.geometry import Rect


def packed(strengths: bytes) -> str:
    """One byte for each pixel, made short."""
    return base64.b64encode(zlib.compress(strengths, 1)).decode("ascii")


def unpacked(text: str, bounds: Rect) -> bytes | None:
    """One byte for each pixel of the bounds; None when the text is damaged."""
    try:
        # A damaged text must not grow without end.
        strengths = zlib.decompressobj().decompress(
            base64.b64decode(text, validate=True), bounds.size.pixels + 1
        )
    except (binascii.Error, ValueError, zlib.error):
        return None
    return strengths if len(strengths) == bounds.size.pixels else None
