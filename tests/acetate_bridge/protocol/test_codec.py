from __future__ import annotations

import itertools
import json
import struct
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from acetate.app.unpacking import unpack_fast
from acetate.app.validation import read_message
from acetate.app.webp import register_webp
from acetate_bridge import Frame, FrameLimits, Image, Layer, Recipe, Rect, Role, Size
from acetate_bridge.protocol import messages as p
from acetate_bridge.protocol.codec import (
    HEADER_BYTES,
    IMAGE_PIXELS,
    BadFrame,
    PackedImage,
    choose,
    decode_client,
    decode_server,
    encode,
    known_encodings,
)
from tests.acetate_bridge.protocol.wire_messages import (
    CLIENT_MESSAGES,
    PIXELS,
    bound,
    damaged_frames,
    parts,
)

register_webp()

_names = st.text(max_size=20)
_numbers = st.integers(0, 2**53)
_recipes = st.builds(
    Recipe,
    mode=_names,
    prompt=_names,
    layer_prompts=st.dictionaries(_names, _names, max_size=3),
    seed=_numbers,
    guidance=st.floats(0, 100),
    strength=st.floats(0, 1),
    inputs=st.dictionaries(_names, _names, max_size=2),
)
_rects = st.builds(
    Rect,
    st.integers(-(10**6), 10**6),
    st.integers(-(10**6), 10**6),
    st.integers(1, 10**4),
    st.integers(1, 10**4),
)
_frames = st.builds(
    lambda rect, by, size: Frame(rect, rect.grown(by), size),
    _rects,
    st.integers(0, 50),
    st.builds(Size, st.integers(1, 4096), st.integers(1, 4096)),
)


@st.composite
def _images(draw: st.DrawFn) -> Image:
    width, height = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    pixel_format = draw(st.sampled_from(["rgba8", "rgba16"]))
    size = width * height * (4 if pixel_format == "rgba8" else 8)
    return Image(width, height, draw(st.binary(min_size=size, max_size=size)), pixel_format)


_layers = st.builds(
    Layer, _images(), st.sampled_from(Role), _names, st.integers(-999, 999), st.integers(-999, 999),
    st.none() | _recipes,
)  # fmt: skip
_references = st.builds(p.ImageReference, _names, _numbers, _numbers)
_modes = st.lists(
    st.builds(p.ModeInfo, _names, _names, st.lists(st.builds(p.ModeInput, _names), max_size=2)),
    max_size=2,
)
_models = st.lists(
    st.builds(p.ModelInfo, _names, _names, frame=st.none() | st.just(FrameLimits())), max_size=2
)
MESSAGES: dict[type[Any], st.SearchStrategy[Any]] = {
    p.Hello: st.builds(p.Hello, _numbers, _names, st.lists(_names, max_size=3), _numbers, _names),
    p.Upload: st.builds(p.Upload, _names, _images()),
    p.Submit: st.builds(
        p.Submit,
        _names,
        _recipes,
        st.dictionaries(_names, _references, max_size=2),
        _numbers,
        st.sampled_from(["rgba8", "rgba16"]),
        st.none() | _frames,
    ),
    p.Cancel: st.builds(p.Cancel, _names),
    p.Move: st.builds(p.Move, _names, _names),
    p.Acknowledge: st.builds(p.Acknowledge, _names),
    p.Pull: st.builds(p.Pull, _names, st.lists(_names, max_size=2)),
    p.Pause: st.builds(p.Pause, _names),
    p.Remove: st.builds(p.Remove, _names),
    p.Welcome: st.builds(
        p.Welcome, _names, _numbers, _names, _models, _modes, st.just(p.Limits(1, 2, 3, 4, 5, 6, 7))
    ),
    p.Models: st.builds(p.Models, _models, _modes),
    p.Queue: st.builds(p.Queue, st.lists(_names, max_size=3), st.lists(_numbers, max_size=3)),
    p.Missing: st.builds(p.Missing, _names, st.lists(_names, max_size=3)),
    p.Problem: st.builds(p.Problem, _names, _names, _names, _names),
    p.Accepted: st.builds(p.Accepted, _names, _numbers, _numbers),
    p.Progress: st.builds(
        p.Progress, _names, _numbers, st.sampled_from(["loading", "painting"]), _numbers, _numbers
    ),
    p.Preview: st.builds(p.Preview, _names, _numbers, _images(), _numbers),
    p.LayerReady: st.builds(p.LayerReady, _names, _numbers, _numbers, _layers, _numbers),
    p.Done: st.builds(p.Done, _names, _numbers, _recipes, _numbers),
    p.Failed: st.builds(p.Failed, _names, _numbers, _names, _names, _names),
    p.Cancelled: st.builds(p.Cancelled, _names, _numbers),
}


def test_every_message_of_the_protocol_is_tried_here() -> None:
    assert set(MESSAGES) == set(p.WIRE_NAMES)


def unpacked(message: Any) -> Any:
    """The message with the pixels of an upload, which the server leaves packed at first."""
    if not isinstance(message, p.Upload):
        return message
    packed = message.image
    assert isinstance(packed, PackedImage)
    data = packed.data if packed.encoding == "raw" else unpack_fast(packed)
    return replace(message, image=Image(packed.width, packed.height, bytes(data), packed.format))


@settings(max_examples=150, deadline=None)
@given(st.one_of(*MESSAGES.values()), st.sampled_from(["raw", "png", "webp"]))
def test_a_message_comes_out_as_it_went_in(message: Any, encoding: str) -> None:
    frame = encode(message, [encoding])
    if type(message) in p.CLIENT_MESSAGES.values():
        assert decode_client(frame) == message
        assert unpacked(read_message(frame)) == message
    else:
        assert decode_server(frame) == message


def test_pixels_travel_in_binary_frames_and_words_in_text() -> None:
    for message in CLIENT_MESSAGES:
        assert isinstance(encode(message), bytes) is isinstance(message, p.Upload)


def test_a_reader_without_the_encoding_gets_raw_pixels() -> None:
    assert choose(["jpeg-xl", "png"], "rgba8") == "png"
    assert choose(["jpeg-xl"], "rgba8") == "raw"
    assert choose(["webp", "png"], "rgba16") == "png"
    assert {"raw", "png"} <= set(known_encodings())


def test_fields_of_a_newer_server_are_skipped_and_of_a_client_refused() -> None:
    header, _ = parts(encode(p.Accepted("job", 3)))
    assert decode_server(json.dumps({**header, "mood": "good"})) == p.Accepted("job", 3)
    header, _ = parts(encode(p.Cancel("job")))
    for read in (decode_client, read_message):
        with pytest.raises(BadFrame, match="no field 'mood'"):
            read(json.dumps({**header, "mood": "good"}))


def test_misspelt_fields_deep_inside_are_refused_too() -> None:
    header, _ = parts(encode(CLIENT_MESSAGES[1]))
    header["recipe"]["stpes"] = 3
    for read in (decode_client, read_message):
        with pytest.raises(BadFrame, match="stpes"):
            read(json.dumps(header))


@pytest.mark.parametrize("read", [decode_client, read_message])
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "bad_json"),
        ("null", "bad_json"),
        ("[" * 200_000, "bad_json"),
        ('{"type":"hello","protocol":NaN,"client":"x"}', "bad_json"),
        ('{"type":"nosuch"}', "unknown_message"),
        ('{"type":["hello"]}', "unknown_message"),
        ('{"type":"hello"}', "bad_message"),
        ('{"type":"hello","protocol":"1","client":"x"}', "bad_message"),
        ('{"type":"hello","protocol":true,"client":"x"}', "bad_message"),
        ('{"type":"welcome"}', "unknown_message"),
        ("x" * (HEADER_BYTES + 1), "too_large"),
        (b"", "bad_frame"),
        (b"\xff\xff\xff", "bad_frame"),
        (struct.pack("<I", 100) + b"{}", "bad_frame"),
        (struct.pack("<I", 2**32 - 1) + b"{}", "too_large"),
        (struct.pack("<I", 2) + b"\xff\xff", "bad_frame"),
    ],
)
def test_damaged_frames_are_named(read: Any, frame: str | bytes, code: str) -> None:
    with pytest.raises(BadFrame) as caught:
        read(frame)
    assert caught.value.code == code


def _upload(payload: bytes = PIXELS.data, **image: Any) -> bytes:
    header = {"type": "upload", **parts(encode(p.Upload("0" * 64, PIXELS)))[0]}
    header["image"] |= image
    return bound(header, payload)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (_upload(width=10_000, height=10_000), "image_too_large"),
        (_upload(width=IMAGE_PIXELS + 1, height=1), "image_too_large"),
        (_upload(width=0), "bad_image"),
        (_upload(width=-4, height=-2), "bad_image"),
        (_upload(width=5), "bad_image"),
        (_upload(offset=1), "bad_image"),
        (_upload(length=2**40), "bad_image"),
        (_upload(payload=b""), "bad_image"),
        (_upload(format="rgb8"), "bad_image"),
        (_upload(encoding="bmp"), "unknown_encoding"),
        (_upload(encoding="png"), "bad_image"),
        (_upload(encoding="webp"), "bad_image"),
        (_upload(encoding="webp", format="rgba16"), "bad_image"),
        (_upload(colour="red"), "bad_image"),
        (_upload(width="4"), "bad_image"),
        (_upload(width=True), "bad_image"),
    ],
)
def test_pixels_that_are_not_what_they_claim_are_refused(frame: bytes, code: str) -> None:
    with pytest.raises(BadFrame) as caught:
        decode_client(frame)
    assert caught.value.code == code
    with pytest.raises(ValueError) as caught:
        unpacked(read_message(frame))
    # The server finds damaged pixels where it unpacks them, and says bad_image then.
    assert getattr(caught.value, "code", "bad_image") == code


@pytest.mark.parametrize("encoding", ["raw", "png", "webp"])
def test_a_hundred_megapixels_in_a_kilobyte_are_refused_before_they_are_unpacked(
    encoding: str,
) -> None:
    frame = _upload(bytes(1024), width=10_000, height=10_000, encoding=encoding, length=1024)
    tracemalloc.start()
    with pytest.raises(BadFrame):
        read_message(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.slow
@settings(max_examples=200, deadline=None, phases=[Phase.generate, Phase.shrink])
@given(damaged_frames(50))
def test_ten_thousand_damaged_frames_end_in_a_message_or_a_clear_error(
    frames: list[str | bytes],
) -> None:
    for frame, read in itertools.product(frames, (decode_client, read_message)):
        try:
            message = read(frame)
        except BadFrame as error:
            assert error.code and str(error)
        else:
            assert type(message) in p.WIRE_NAMES
