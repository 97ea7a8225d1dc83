"""What the panel remembers from one day to the next: one small JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from acetate_bridge.client.paths import config_folder, read_bounded, write_whole
from acetate_bridge.panel.fields import FIELDS, Value
from acetate_bridge.panel.lists import LISTS, Row
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain

SETTINGS_FILE = "panel.json"


@dataclass(frozen=True)
class _Saved:
    mode: str = "text"
    prompts: dict[str, str] = field(default_factory=dict[str, str])
    layer_prompts: dict[str, str] = field(default_factory=dict[str, str])
    more_open: bool = False
    guides_open: bool = False
    server_address: str = ""
    token_file: str = ""


@dataclass(frozen=True)
class PanelSettings(_Saved):
    """What a painter has set. An empty `model` takes the first that can do the mode, an empty
    `server_address` is the server of this machine.

    `prompts` is kept for each mode, `layer_prompts` for each role. `values` holds what was set of
    the fields, `for_models` the same for each model where that counts; what was never set is not
    in them. `lists` holds the entries of each list.
    """

    values: dict[str, Value] = field(default_factory=dict[str, Value])
    for_models: dict[str, dict[str, Value]] = field(default_factory=dict[str, dict[str, Value]])
    lists: dict[str, tuple[Row, ...]] = field(default_factory=dict[str, "tuple[Row, ...]"])

    def value(self, name: str) -> Value:
        """What was set of a field, else its default."""
        return self.values.get(name, FIELDS[name].default)

    def changed(self, name: str, value: Value, model: str = "") -> PanelSettings:
        """With a field at a value, brought inside its bounds; for one model where that counts."""
        row = FIELDS[name]
        value = row.clean(value)
        if not row.per_model:
            return replace(self, values={**self.values, name: value})
        kept = {**self.for_models.get(name, {}), model: value}
        return replace(self, for_models={**self.for_models, name: kept})

    def with_list(self, name: str, entries: Sequence[Row]) -> PanelSettings:
        """With these entries in a list, brought inside their bounds."""
        row = LISTS[name]
        kept = tuple(row.clean(each) for each in entries[: row.most])
        return replace(self, lists={**self.lists, name: kept})


def settings_file() -> Path:
    """The panel's own file in that folder."""
    return config_folder() / SETTINGS_FILE


def load_settings(path: Path) -> PanelSettings:
    """What was saved; the defaults where there is nothing, or something damaged."""
    try:
        found = read_json(read_bounded(path))
        saved = from_plain(_Saved, found, allow_unknown=True)
    except (OSError, ValueError, Mismatch):
        return PanelSettings()
    settings = PanelSettings(**{each.name: getattr(saved, each.name) for each in fields(_Saved)})
    for name, row in FIELDS.items():
        value = found.get(name)
        if row.per_model and isinstance(value, dict):
            for model, number in cast("dict[str, Value]", value).items():
                settings = settings.changed(name, number, model)
        elif value is not None and not row.per_model:
            settings = settings.changed(name, value)
    lists = found.get("lists")
    for name, row in LISTS.items():
        entries = cast("dict[str, Any]", lists).get(name) if isinstance(lists, dict) else None
        if row.remembered and isinstance(entries, list):
            rows: list[Any] = [
                each for each in cast("list[Any]", entries) if isinstance(each, dict)
            ]
            settings = settings.with_list(name, cast("list[Row]", rows))
    return settings


def save_settings(path: Path, settings: PanelSettings) -> None:
    """Save all at once, or leave the old file as it was. Raises OSError."""
    found = to_plain(settings)
    found["lists"] = {name: rows for name, rows in found["lists"].items() if LISTS[name].remembered}
    flat = {**found.pop("values"), **found.pop("for_models"), **found}
    write_whole(path, json.dumps(flat, ensure_ascii=False, indent=1))
