"""Bytes from a client into the bridge's own dataclasses: strict types, no unknown fields."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

from acetate_bridge.protocol.codec import BadFrame, open_frame, packed_image
from acetate_bridge.protocol.messages import CLIENT_MESSAGES, ClientMessage, Upload

T = TypeVar("T")


def read_message(frame: str | bytes) -> ClientMessage:
    """The message in a frame; the image of an upload is still packed. Raises BadFrame."""
    kind, header, payload = open_frame(frame, CLIENT_MESSAGES)
    if kind == "upload":
        return _read_upload(header, payload)
    if len(payload):
        raise BadFrame("bad_frame", f"a message {kind!r} carries no payload")
    return build(CLIENT_MESSAGES[kind], header)


def build(kind: type[T], value: Any) -> T:
    """A dataclass of the bridge out of parsed JSON. Raises BadFrame."""
    try:
        built = msgspec.convert(value, kind, strict=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadFrame("bad_message", str(error)) from None
    except (OverflowError, ValueError):
        raise BadFrame("bad_message", "a number is out of range") from None
    _refuse_unknown(value, msgspec.to_builtins(built), kind.__name__)
    return built


def _read_upload(header: dict[str, Any], payload: memoryview) -> Upload:
    if set(header) != {"sha256", "image"} or not isinstance(header["sha256"], str):
        raise BadFrame("bad_message", "an upload has the fields sha256 and image")
    return Upload(header["sha256"], packed_image(header["image"], payload))


def _refuse_unknown(given: object, known: object, where: str) -> None:
    """msgspec skips fields that a dataclass does not have; a misspelt wish must not be lost."""
    if isinstance(given, dict) and isinstance(known, dict):
        fields = cast("dict[object, object]", known)
        for name, value in cast("dict[object, object]", given).items():
            if name not in fields:
                raise BadFrame("bad_message", f"{where} has no field {str(name)[:40]!r}")
            _refuse_unknown(value, fields[name], f"{where}.{str(name)[:40]}")
    elif isinstance(given, list) and isinstance(known, list):
        pairs = zip(cast("list[object]", given), cast("list[object]", known), strict=True)
        for index, (one, other) in enumerate(pairs):
            _refuse_unknown(one, other, f"{where}[{index}]")
