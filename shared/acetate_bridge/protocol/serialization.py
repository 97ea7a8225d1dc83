"""Dataclasses to plain values (dict, list, str, numbers) and back, strictly.

The server validates with a faster library into the same dataclasses; editors have only this.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from acetate_bridge.protocol.json_text import LARGEST_NUMBER, is_wellformed

T = TypeVar("T")
Hook = Callable[[type[Any], Any], Any]


class Mismatch(ValueError):
    """A plain value does not fit its dataclass; says where and what was expected."""


@functools.cache
def field_types(kind: type[Any]) -> dict[str, Any]:
    """Type of each field of a dataclass, annotations resolved."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@functools.cache
def _required(kind: type[Any]) -> frozenset[str]:
    return frozenset(
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )


def to_plain(value: Any, hook: Callable[[Any], Any] | None = None) -> Any:
    """Plain values of a dataclass tree; `hook` may replace a dataclass by something of its own."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        replaced = hook(value) if hook else None
        if replaced is not None:
            return replaced
        return {
            field.name: to_plain(getattr(value, field.name), hook)
            for field in dataclasses.fields(value)
            if not _left_out(field, getattr(value, field.name))
        }
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value)
        return {key: to_plain(entry, hook) for key, entry in entries.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(entry, hook) for entry in cast("list[Any]", value)]
    return value


def _left_out(field: dataclasses.Field[Any], value: Any) -> bool:
    """Whether it says nothing that older readers should be bothered with."""
    return "written_if_set" in field.metadata and value == field.default


def from_plain(
    kind: type[T], value: Any, hook: Hook | None = None, allow_unknown: bool = False
) -> T:
    """The dataclass `kind` out of plain values; raises Mismatch.

    `hook(type, value)` may build a dataclass itself (returns None to decline). Unknown fields are
    refused unless allowed, which is for readers of a newer peer.
    """
    return cast(T, _convert(kind, value, kind.__name__, hook, allow_unknown))


def _convert(kind: Any, value: Any, where: str, hook: Hook | None, unknown: bool) -> Any:
    if dataclasses.is_dataclass(kind):
        return _convert_dataclass(cast("type[Any]", kind), value, where, hook, unknown)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _convert_optional(arguments, value, where, hook, unknown)
    if origin is Literal:
        if not isinstance(value, str) or value not in arguments:
            raise Mismatch(f"{where} must be one of {', '.join(map(str, arguments))}")
        return value
    if origin is list:
        if not isinstance(value, list):
            raise Mismatch(f"{where} must be a list")
        items = cast("list[Any]", value)
        return [
            _convert(arguments[0], item, f"{where}[{index}]", hook, unknown)
            for index, item in enumerate(items)
        ]
    if origin is dict:
        return _convert_dict(arguments[1], value, where, hook, unknown)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            names = ", ".join(str(member.value) for member in kind)
            raise Mismatch(f"{where} must be one of {names}") from None
    return _convert_scalar(kind, value, where)


def _convert_dataclass(
    kind: type[Any], value: Any, where: str, hook: Hook | None, unknown: bool
) -> Any:
    if not isinstance(value, dict):
        raise Mismatch(f"{where} must be an object")
    if hook is not None:
        built = hook(kind, cast("dict[str, Any]", value))
        if built is not None:
            return built
    entries = cast("dict[str, Any]", value)
    hints = field_types(kind)
    if not unknown:
        for name in entries:
            if name not in hints:
                raise Mismatch(f"{where} has no field {str(name)[:40]!r}")
    for name in _required(kind):
        if name not in entries:
            raise Mismatch(f"{where} needs the field {name!r}")
    known = {
        name: _convert(hints[name], entry, f"{where}.{name}", hook, unknown)
        for name, entry in entries.items()
        if name in hints
    }
    try:
        return kind(**known)
    except ValueError as error:
        raise Mismatch(f"{where}: {error}") from None


def _convert_optional(
    arguments: tuple[Any, ...], value: Any, where: str, hook: Hook | None, unknown: bool
) -> Any:
    if value is None and type(None) in arguments:
        return None
    (inner,) = (argument for argument in arguments if argument is not type(None))
    return _convert(inner, value, where, hook, unknown)


def _convert_dict(inner: Any, value: Any, where: str, hook: Hook | None, unknown: bool) -> Any:
    if not isinstance(value, dict):
        raise Mismatch(f"{where} must be an object")
    entries = cast("dict[Any, Any]", value)
    if not all(isinstance(key, str) and is_wellformed(key) for key in entries):
        raise Mismatch(f"{where} must have text keys")
    return {
        key: _convert(inner, entry, f"{where}[{key[:40]!r}]", hook, unknown)
        for key, entry in entries.items()
    }


def _convert_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return number
        raise Mismatch(f"{where} must be a finite number")
    if kind is int and (isinstance(value, bool) or not isinstance(value, int)):
        raise Mismatch(f"{where} must be a whole number")
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise Mismatch(f"{where} is out of range")
    if not isinstance(value, kind):
        raise Mismatch(f"{where} must be {cast('type[Any]', kind).__name__}")
    if isinstance(value, str) and not is_wellformed(value):
        raise Mismatch(f"{where} holds half a character")
    return value
