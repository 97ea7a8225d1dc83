"""Large frames travel in parts and come out as they were; damaged parts are refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acetate_bridge.protocol.chunking import PART_BYTES, Gathering, cut, frames, joined
from acetate_bridge.protocol.codec import (
    MESSAGE_BYTES,
    BadFrame,
    decode_server,
    encode,
    encode_pieces,
)
from acetate_bridge.protocol.messages import LayerReady, Models
from acetate_bridge.protocol.types import Image, Layer

MARK = 0xFFFFFFFF
SMALL = 2**16


def part(left: int, data: bytes) -> bytes:
    return struct.pack("<II", MARK, left) + data


def layer(side: int) -> LayerReady:
    image = Image(side, side, bytes(range(256)) * (side * side * 4 // 256))
    return LayerReady("job", 1, 0, Layer(image, "foreground"))


@given(st.lists(st.integers(0, 3 * PART_BYTES), max_size=4))
def test_pieces_of_any_length_come_out_as_they_were(lengths: list[int]) -> None:
    pieces = [bytes([number]) * length for number, length in enumerate(lengths, 1)]
    gathering = Gathering()
    whole = [found for each in cut(pieces) if (found := gathering.add(each)) is not None]
    assert [joined(found) for found in whole] == ([b"".join(pieces)] if any(pieces) else [])


def test_a_large_layer_is_cut_and_no_part_is_long() -> None:
    sent = list(frames(encode_pieces(layer(1024)), in_parts=True))
    assert len(sent) == 5 and all(len(each) <= PART_BYTES + 8 for each in sent)
    gathering = Gathering()
    *early, last = [gathering.add(each) for each in sent if isinstance(each, bytes)]
    assert early == [None] * 4 and last is not None
    assert decode_server(joined(last)) == layer(1024)


def test_a_side_that_does_not_know_parts_gets_the_frame_whole() -> None:
    assert list(frames(encode_pieces(layer(1024)), in_parts=False)) == [encode(layer(1024))]


def test_small_frames_and_texts_are_not_cut() -> None:
    for message in (layer(64), Models([], [])):
        assert list(frames(encode_pieces(message), in_parts=True)) == [encode(message)]


def test_a_frame_that_came_whole_is_not_copied() -> None:
    frame = encode(layer(64))
    assert isinstance(frame, bytes)
    whole = Gathering().add(frame)
    assert whole is not None and joined(whole) is frame


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([part(MESSAGE_BYTES, bytes(SMALL))], "too_large"),
        ([part(1, b"")], "bad_frame"),
        ([part(10 * SMALL, bytes(SMALL - 1))], "bad_frame"),
        ([part(SMALL, bytes(SMALL)), part(0, bytes(SMALL + 1))], "bad_frame"),
        ([part(SMALL, bytes(SMALL)), part(1, bytes(SMALL))], "bad_frame"),
        ([part(SMALL, bytes(SMALL)), b"\x02\x00\x00\x00{}"], "bad_frame"),
        ([part(SMALL, bytes(SMALL)), b""], "bad_frame"),
    ],
    ids=["too much", "nothing", "crumbs", "too long", "too short", "another frame", "an empty one"],
)
def test_parts_that_do_not_fit_are_refused_and_forgotten(sent: list[bytes], code: str) -> None:
    gathering = Gathering()
    with pytest.raises(BadFrame) as refused:
        for each in sent:
            assert gathering.add(each) is None
    assert refused.value.code == code
    whole = gathering.add(part(0, b"anew"))
    assert whole is not None and joined(whole) == b"anew"
