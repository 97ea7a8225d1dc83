"""Good frames of every kind of message, and ways to damage them."""

from __future__ import annotations

import json
import struct
from random import Random
from typing import Any

from hypothesis import strategies as st

from acetate_bridge import Frame, Image, Recipe, Rect, Size
from acetate_bridge.protocol.codec import encode
from acetate_bridge.protocol.messages import (
    Acknowledge,
    Cancel,
    ClientMessage,
    Hello,
    ImageReference,
    Move,
    Pause,
    Pull,
    Remove,
    Submit,
    Upload,
)

PIXELS = Image(4, 2, bytes(range(32)))
FRAME = Frame(Rect(1, 1, 2, 1), Rect(0, 0, 4, 2), Size(4, 2))

CLIENT_MESSAGES: list[ClientMessage] = [
    Hello(1, "fuzz", ["encoding:raw"], 3, "store"),
    Submit("fuzz-job-1", Recipe("nosuch", "x"), {"a": ImageReference("0" * 64, 4, 2)}, frame=FRAME),
    Cancel("fuzz-job-1"),
    Move("job-name", "other-job"),
    Acknowledge("fuzz-job-1"),
    Upload("0" * 64, PIXELS),
    Pull("../nosuch", ["mit"]),
    Pause("nosuch"),
    Remove("nosuch"),
]

NASTY: list[Any] = [
    None, True, 0, -1, 1.5, 2**63, -(2**70), 1e308, "", "\0", "x" * 300, "🜁", [], {}, [[]],
    {"type": "hello"}, ["a"] * 50, {"sha256": "0" * 64},
]  # fmt: skip


def bound(header: dict[str, Any], payload: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + payload


def parts(frame: str | bytes) -> tuple[dict[str, Any], bytes]:
    if isinstance(frame, str):
        return json.loads(frame), b""
    (length,) = struct.unpack_from("<I", frame)
    return json.loads(frame[4 : 4 + length]), frame[4 + length :]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything inside a header."""
    found = [path] if path else []
    if isinstance(value, dict):
        entries = list(value.items())
    else:
        entries = list(enumerate(value)) if isinstance(value, list) else []
    for key, entry in entries:
        found += places(entry, (*path, key))
    return found


def damage(seed: int) -> str | bytes:
    """A frame that was good before something happened to it; the seed says what."""
    chance = Random(seed)
    frame = encode(chance.choice(CLIENT_MESSAGES))
    how = chance.choice(["field", "field", "bytes", "cut", "grow", "noise", "length", "part"])
    if how == "field":
        return _spoil_field(chance, frame)
    raw = bytearray(frame.encode() if isinstance(frame, str) else frame)
    if how == "bytes":
        for _ in range(chance.randint(1, 6)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
    elif how == "cut":
        del raw[chance.randrange(len(raw)) :]
    elif how == "grow":
        raw += chance.randbytes(chance.randint(1, 64))
    elif how == "part":
        raw[:0] = struct.pack("<II", 0xFFFFFFFF, chance.choice([0, 1, 2**16, 2**32 - 1]))
    elif how == "length":
        raw[:4] = chance.randbytes(4)
    else:
        raw = bytearray(chance.randbytes(chance.randrange(200)))
    if isinstance(frame, str) and chance.random() < 0.7:
        return bytes(raw).decode("utf-8", "replace")
    return bytes(raw)


def damaged_frames(count: int) -> st.SearchStrategy[list[str | bytes]]:
    """Lists of that many damaged frames."""
    seeds = st.lists(st.integers(0, 2**32), min_size=count, max_size=count)
    return seeds.map(lambda chosen: [damage(seed) for seed in chosen])


def _spoil_field(chance: Random, frame: str | bytes) -> str | bytes:
    header, payload = parts(frame)
    path = chance.choice(places(header))
    inner: Any = header
    for key in path[:-1]:
        inner = inner[key]
    what = chance.choice(["replace", "replace", "remove", "add"])
    if what == "replace":
        inner[path[-1]] = chance.choice(NASTY)
    elif what == "remove":
        del inner[path[-1]]
    elif isinstance(inner, dict):
        inner["".join(chance.choices("abc é\0", k=3))] = chance.choice(NASTY)
    return json.dumps(header) if isinstance(frame, str) else bound(header, payload)
