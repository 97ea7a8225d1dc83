"""JSON text to plain values and back: the one place where bytes of others become values.

Every string is well-formed (no half of a surrogate pair, which no UTF-8 can carry) and every
number lies within what a signed 64-bit integer or a finite float can hold.
"""

from __future__ import annotations

import json
import math
from typing import Any, cast

from acetate_bridge.protocol.errors import AcetateError

LARGEST_NUMBER = 2**63 - 1
_MOST_DIGITS = 20


class BadFrame(AcetateError, ValueError):
    """A frame that cannot be a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)


def read_json(text: str | bytes, unique: bool = False) -> Any:
    """Plain values of a JSON text in UTF-8. Raises BadFrame, which names the field at fault.

    With `unique` a name that an object has twice is at fault; without, the last one counts.
    """
    pairs = _once_each if unique else None
    try:
        words = text if isinstance(text, str) else text.decode("utf-8")
        value = json.loads(
            words,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            object_pairs_hook=pairs,
        )
    except (ValueError, RecursionError):
        raise BadFrame("bad_json", "the message is not JSON") from None
    check_plain(value)
    return value


def write_json(value: Any) -> str:
    """The JSON text of plain values. Raises BadFrame for what no text can carry."""
    check_plain(value)
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadFrame("bad_message", f"the message cannot be written: {error}") from None


def check_plain(value: Any) -> None:
    """Raise BadFrame for the first string or number that may not travel, naming its field."""
    if _is_plain(value):
        return  # Names of fields take most of the time, and only a fault needs them.
    waiting: list[tuple[Any, str]] = [(value, "")]
    while waiting:
        each, where = waiting.pop()
        if isinstance(each, str):
            if not is_wellformed(each):
                raise BadFrame("bad_message", f"{where or 'the text'} holds half a character")
        elif isinstance(each, int):
            if not -LARGEST_NUMBER <= each <= LARGEST_NUMBER:
                raise BadFrame("bad_message", f"{where or 'a number'} is out of range")
        elif isinstance(each, float):
            if not math.isfinite(each):
                raise BadFrame("bad_message", f"{where or 'a number'} must be a finite number")
        elif isinstance(each, dict):
            for name, inner in cast("dict[Any, Any]", each).items():
                place = f"{where}.{_shown(name)}" if where else _shown(name)
                if isinstance(name, str) and not is_wellformed(name):
                    raise BadFrame("bad_message", f"a name in {where or 'it'} is not text")
                waiting.append((inner, place))
        elif isinstance(each, (list, tuple)):
            items = cast("list[Any]", each)
            waiting.extend((inner, f"{where}[{index}]") for index, inner in enumerate(items))


def _is_plain(value: Any) -> bool:
    waiting: list[Any] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if not is_wellformed(each):
                return False
        elif isinstance(each, int):
            if not -LARGEST_NUMBER <= each <= LARGEST_NUMBER:
                return False
        elif isinstance(each, float):
            if not math.isfinite(each):
                return False
        elif isinstance(each, dict):
            waiting.extend(cast("dict[Any, Any]", each))
            waiting.extend(cast("dict[Any, Any]", each).values())
        elif isinstance(each, (list, tuple)):
            waiting.extend(cast("list[Any]", each))
    return True


def is_wellformed(text: str) -> bool:
    """Whether a text can be written in UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def wellformed(text: str) -> str:
    """The text with a mark in place of each half of a character, for names and errors."""
    return text if is_wellformed(text) else text.encode("utf-8", "replace").decode("utf-8")


def _shown(name: Any) -> str:
    return ascii(name)[1:-1][:40] if isinstance(name, str) else str(name)[:40]


def _integer(digits: str) -> int:
    """No number that is refused anyway is worth the time that reading it would take."""
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same name twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON knows")
