"""Large frames in parts: none may keep an event loop, or the editor around a client, waiting.

A part is a binary frame: the mark 0xFFFFFFFF, which no header's length can be, a little-endian
u32 with the bytes of the whole frame that are still to come after this part, then the bytes
themselves: 64 KiB or more in all but the last. Texts may come in between; another binary frame
may not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from acetate_bridge.protocol.codec import MESSAGE_BYTES, BadFrame

PARTS_FEATURE = "parts"
"""Said in hello and welcome by a side that can put parts together."""
PART_BYTES = 2**20

_MARK = 0xFFFFFFFF
_LEAST_BYTES = 2**16
_START = struct.Struct("<II")


def frames(pieces: str | Sequence[bytes], in_parts: bool) -> Iterator[str | bytes]:
    """What `encode_pieces` gave as frames: one, or several where it is large and may be cut."""
    if isinstance(pieces, str):
        yield pieces
    elif not in_parts or sum(map(len, pieces)) <= PART_BYTES:
        yield b"".join(pieces)
    else:
        yield from cut(pieces)


def cut(pieces: Sequence[bytes]) -> Iterator[bytes]:
    """A frame, given in pieces, as parts. No copy of the whole is made."""
    left = sum(map(len, pieces))
    part: list[bytes | memoryview] = []
    room = PART_BYTES
    for piece in pieces:
        view = memoryview(piece)
        while len(view):
            taken, view = view[:room], view[room:]
            part.append(taken)
            room -= len(taken)
            left -= len(taken)
            if room == 0 or left == 0:
                yield b"".join([_START.pack(_MARK, left), *part])
                part.clear()
                room = PART_BYTES


def joined(pieces: Sequence[bytes | memoryview]) -> bytes:
    """The whole frame out of what a `Gathering` gave; copies it unless it came whole."""
    first = pieces[0]
    return first if isinstance(first, bytes) else b"".join(pieces)


class Gathering:
    """Puts the parts of one connection together, in the order in which they come."""

    def __init__(self) -> None:
        self._parts: list[memoryview] = []
        self._expected = 0

    @property
    def begun(self) -> bool:
        """Whether some parts of a frame are here, and not all."""
        return bool(self._parts)

    def add(self, frame: bytes) -> Sequence[bytes | memoryview] | None:
        """The pieces of a whole frame once its last part has come, None before that.

        Raises BadFrame, which forgets the parts so far.
        """
        mark, left = _START.unpack_from(frame) if len(frame) >= _START.size else (0, 0)
        if mark != _MARK:
            if self._parts:
                self._refuse("bad_frame", "another frame came between two parts")
            return [frame]
        bytes_here = memoryview(frame)[_START.size :]
        if not self._parts and left + len(bytes_here) > MESSAGE_BYTES:
            self._refuse("too_large", f"a message may have {MESSAGE_BYTES} bytes")
        if self._parts and left + len(bytes_here) != self._expected:
            self._refuse("bad_frame", "the parts of a frame do not fit together")
        if left and len(bytes_here) < _LEAST_BYTES:
            self._refuse("bad_frame", f"a part has at least {_LEAST_BYTES} bytes")
        self._parts.append(bytes_here)
        self._expected = left
        if left:
            return None
        whole, self._parts = self._parts, []
        return whole

    def _refuse(self, code: str, message: str) -> None:
        self._parts = []
        raise BadFrame(code, message)
