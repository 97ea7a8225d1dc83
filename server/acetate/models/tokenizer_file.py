"""Reading tokenizers of others: what is no tokenizer is damaged, and never the end of a program."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from tokenizers import Tokenizer

from acetate.models.files import damaged, existing
from acetate_bridge.protocol.json_text import read_json

T = TypeVar("T")

_LARGEST = 64 * 2**20
_CHARACTERS = "precompiled_charsmap"


def read_tokenizer(path: Path, load: Callable[[], T]) -> T:
    """What `load` makes of the file at `path`. Raises ModelMissing, or ModelDamaged naming it."""
    if existing(path).stat().st_size > _LARGEST:
        raise damaged(path)
    _check(path)
    try:
        return load()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # The library raises plain Exception for what it sees, and a panic, which is no
        # Exception, for what it does not.
        raise damaged(path) from error


def to_length(tokenizer: Tokenizer, length: int, padding: int = 0) -> Tokenizer:
    """The same tokenizer, of which every prompt becomes exactly `length` tokens, as in training.

    `padding` is the number of the token that stands behind a shorter one.
    """
    untyped = cast("Any", tokenizer)  # Its options are of no declared type.
    untyped.enable_truncation(length)
    untyped.enable_padding(length=length, pad_id=padding)
    return tokenizer


def _check(path: Path) -> None:
    """Find out what the library would panic over, and say a stack of calls."""
    try:
        found = read_json(path.read_text(encoding="utf-8"))
        waiting: list[Any] = [found]
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict):
                entries = cast("dict[str, Any]", each)
                if _CHARACTERS in entries and not _is_map(entries[_CHARACTERS]):
                    raise damaged(path)
                waiting.extend(entries.values())
            elif isinstance(each, list):
                waiting.extend(cast("list[Any]", each))
    except (OSError, ValueError) as error:
        raise damaged(path) from error


def _is_map(value: Any) -> bool:
    """Whether a text holds a trie of 32-bit numbers, after its length, and then characters."""
    if not isinstance(value, str):
        return value is None
    try:
        data = base64.b64decode(value, validate=True)
        length = int.from_bytes(data[:4], "little")
        data[4 + length :].decode("utf-8")
    except (binascii.Error, ValueError):
        return False
    return len(data) >= 4 and length % 4 == 0 and 4 + length <= len(data)
