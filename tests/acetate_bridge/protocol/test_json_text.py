"""No half of a character and no number beyond bounds comes in, or goes out, on either side."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from acetate.app.validation import read_message
from acetate_bridge import Image, Layer, Recipe
from acetate_bridge.protocol.codec import BadFrame, decode_client, decode_server, encode
from acetate_bridge.protocol.json_text import read_json, wellformed, write_json
from acetate_bridge.protocol.messages import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    Accepted,
    Cancel,
    Cancelled,
    Done,
    Failed,
    LayerReady,
    Limits,
    Message,
    Missing,
    ModeInfo,
    ModelInfo,
    ModelMessage,
    Models,
    Preview,
    Problem,
    Progress,
    Queue,
    Welcome,
)
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain
from tests.acetate_bridge.protocol import wire_messages
from tests.acetate_bridge.protocol.wire_messages import PIXELS, bound, parts, places

RECIPE = Recipe("text", "x", styles={"a": 1.0}, files={"a": "b"}, layer_prompts={"a": "b"})
FROM_SERVER: list[Message] = [
    Welcome("s", 1, "t", [ModelInfo("m")], [ModeInfo("n")], Limits(1, 2, 3, 4, 5, 6, 7)),
    Models([ModelInfo("m", styles=["s"])], [ModeInfo("n")]),
    Queue(["job-name"], [3]),
    Missing("job-name", ["0" * 64]),
    Problem("code", "sentence", "hint", "job-name"),
    Accepted("job-name", 1),
    Progress("job-name", 2, "painting", 1, 2, 3.5, "note"),
    Preview("job-name", 3, PIXELS),
    LayerReady("job-name", 4, 0, Layer(PIXELS, recipe=RECIPE)),
    Done("job-name", 5, RECIPE),
    Failed("job-name", 6, "code", "sentence"),
    Cancelled("job-name", 7),
]
FROM_CLIENT: list[Message] = list(wire_messages.CLIENT_MESSAGES)
SIDES: list[tuple[list[Message], Callable[[str | bytes], object]]] = [
    (FROM_CLIENT, read_message),
    (FROM_CLIENT, decode_client),
    (FROM_SERVER, decode_server),
]
HUGE = ["1" + "0" * 400, "-1" + "0" * 400, "1" + "0" * 5000, str(2**63), "1e400", "-1e400"]


def spoilt(message: Message, path: tuple[Any, ...], text: str) -> str | bytes:
    """The frame of a message with another JSON text at one place."""
    frame = encode(message)
    header, payload = parts(frame)
    inner: Any = header
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "HERE"
    written = json.dumps(header).replace('"HERE"', text)
    if isinstance(frame, str):
        return written
    body = written.encode()
    return len(body).to_bytes(4, "little") + body + payload


def leaves(message: Message, kind: type[Any] | tuple[type[Any], ...]) -> list[tuple[Any, ...]]:
    header, _ = parts(encode(message))

    def at(path: tuple[Any, ...]) -> Any:
        value: Any = header
        for key in path:
            value = value[key]
        return value

    found = [path for path in places(header) if path != ("type",)]
    return [path for path in found if isinstance(at(path), kind) and at(path) is not True]


def test_the_messages_tried_are_all_that_there_are() -> None:
    assert {type(message) for message in FROM_SERVER} == set(SERVER_MESSAGES.values())
    assert {type(message) for message in FROM_CLIENT} == set(CLIENT_MESSAGES.values())
    assert ModelMessage is not None and Cancel in CLIENT_MESSAGES.values()


@pytest.mark.parametrize("half", ['"\\ud800"', '"a\\udc00b"', '"\\udfff\\ud800"'])
def test_half_a_character_is_refused_in_every_string_of_every_message(half: str) -> None:
    tried = 0
    for messages, read in SIDES:
        for message in messages:
            for path in leaves(message, str):
                with pytest.raises(BadFrame) as refused:
                    read(spoilt(message, path, half))
                assert refused.value.code == "bad_message"
                assert str(path[0]) in str(refused.value)
                str(refused.value).encode()
                tried += 1
    assert tried > 100


@pytest.mark.parametrize("number", HUGE)
def test_a_number_beyond_bounds_is_refused_in_every_number_of_every_message(number: str) -> None:
    tried = 0
    for messages, read in SIDES:
        for message in messages:
            for path in leaves(message, (int, float)):
                with pytest.raises(BadFrame) as refused:
                    read(spoilt(message, path, number))
                assert refused.value.code == "bad_message"
                assert str(path[0]) in str(refused.value)
                tried += 1
    assert tried > 80


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_what_json_does_not_know_is_no_number(constant: str) -> None:
    for messages, read in SIDES:
        for message in messages:
            for path in leaves(message, (int, float)):
                with pytest.raises(BadFrame):
                    read(spoilt(message, path, constant))


def test_half_a_character_as_a_name_is_refused() -> None:
    with pytest.raises(BadFrame, match="styles"):
        read_json('{"recipe": {"styles": {"\\ud800": 1}}}')


def test_bytes_are_read_as_utf8_and_nothing_else() -> None:
    assert read_json('{"a": "ä"}'.encode()) == {"a": "ä"}
    for data in (b'{"a": "\xed\xa0\x80"}', '{"a": 1}'.encode("utf-16"), b"\xff", b""):
        with pytest.raises(BadFrame):
            read_json(data)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 900 + "]" * 900])
def test_depth_is_no_fault(text: str) -> None:
    try:
        read_json(text)
    except BadFrame as refused:
        assert refused.code == "bad_json"


@pytest.mark.parametrize(
    "value",
    [{"a": "\ud800"}, {"\udc00": 1}, {"a": math.nan}, {"a": 10**400}, [math.inf], {"a": b""}],
)
def test_what_no_text_can_carry_is_not_sent(value: Any) -> None:
    with pytest.raises(BadFrame):
        write_json(value)


def test_a_message_with_half_a_character_has_no_frame() -> None:
    with pytest.raises(BadFrame, match=r"recipe\.model"):
        encode(Done("job-name", 1, Recipe("text", model="half \ud83c")))


def test_plain_values_from_elsewhere_are_held_to_the_same() -> None:
    """Recipes also come out of documents and picture files."""
    plain = to_plain(Recipe("text"))
    for spoil in ({"prompt": "\ud800"}, {"guidance": 10**400}, {"seed": 10**400}):
        with pytest.raises(Mismatch):
            from_plain(Recipe, {**plain, **spoil})
    with pytest.raises(Mismatch):
        from_plain(Recipe, {**plain, "styles": {"\ud800": 1.0}})


def test_what_is_well_formed_stays_as_it_is() -> None:
    text = "ä🍎\u202e\0\ufdd0"
    assert wellformed(text) == text and read_json(write_json(text)) == text
    assert wellformed("a\ud800") == "a?"
    assert Image(1, 1, b"abcd") and bound({"a": 1}, b"")
