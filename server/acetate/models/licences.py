"""Which licences a person has accepted, remembered so that each is asked about once."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, cast

from platformdirs import user_config_path

from acetate.models.catalog import Entry
from acetate.models.turns import alone_with
from acetate_bridge.client.paths import read_bounded, write_whole
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.licences import licence_link


def with_link(licence: str) -> str:
    """A licence's name, with where to read it if that is known."""
    link = licence_link(licence)
    return f"{licence}, {link}" if link else licence


def unaccepted(entry: Entry) -> list[str]:
    """The licences of a model and its base that nobody has accepted here yet."""
    known = _read()
    wanted = dict.fromkeys(filter(None, (entry.licence, entry.base_licence)))
    return [licence for licence in wanted if licence not in known]


def accept(licences: list[str]) -> None:
    """Remember that these are accepted; what cannot be written is asked about again."""
    path = licences_file()
    with contextlib.suppress(OSError), alone_with(path):
        write_whole(path, json.dumps(sorted({*_read(), *licences})))


def _read() -> list[str]:
    try:
        found: Any = read_json(read_bounded(licences_file()))
    except (OSError, ValueError):
        return []
    listed = cast("list[Any]", found) if isinstance(found, list) else []
    return [licence for licence in listed if isinstance(licence, str)]


def licences_file() -> Path:
    """Where they are remembered."""
    return user_config_path("acetate") / "licences.json"
