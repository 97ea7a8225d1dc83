"""Which licences a person has accepted, remembered so that each is asked about once."""

from __future__ import annotations

import json
from pathlib import Path

from platformdirs import user_config_path

from acetate.models.catalog import Entry
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
    """Remember that these are accepted."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(sorted({*_read(), *licences})), encoding="utf-8")


def _read() -> list[str]:
    try:
        return list(read_json(_path().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return []


def _path() -> Path:
    return user_config_path("acetate") / "licences.json"
