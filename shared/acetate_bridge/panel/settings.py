"""What the panel remembers from one day to the next: one small JSON file."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from acetate_bridge.panel.fields import FIELDS, Value
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain

SETTINGS_FILE = "panel.json"


@dataclass(frozen=True)
class _Saved:
    mode: str = "text"
    prompts: dict[str, str] = field(default_factory=dict[str, str])
    layer_prompts: dict[str, str] = field(default_factory=dict[str, str])
    more_open: bool = False


@dataclass(frozen=True)
class PanelSettings(_Saved):
    """What a painter has set. An empty `model` takes the first that can do the mode.

    `prompts` is kept for each mode, `layer_prompts` for each role. `values` holds what was set of
    the fields, `for_models` the same for each model where that counts; what was never set is not
    in them.
    """

    values: dict[str, Value] = field(default_factory=dict[str, Value])
    for_models: dict[str, dict[str, Value]] = field(default_factory=dict[str, dict[str, Value]])

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


def config_folder(
    platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> Path:
    """Where programs keep their settings on this system; ACETATE_CONFIG_DIR names another one."""
    if chosen := environment.get("ACETATE_CONFIG_DIR"):
        return Path(chosen)
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or Path.home())
    if platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "acetate"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "acetate"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "acetate"


def settings_file() -> Path:
    """The panel's own file in that folder."""
    return config_folder() / SETTINGS_FILE


def load_settings(path: Path) -> PanelSettings:
    """What was saved; the defaults where there is nothing, or something damaged."""
    try:
        found = read_json(path.read_text(encoding="utf-8"))
        saved = from_plain(_Saved, found, allow_unknown=True)
    except (OSError, ValueError, Mismatch):
        return PanelSettings()
    settings = PanelSettings(saved.mode, saved.prompts, saved.layer_prompts, saved.more_open)
    for name, row in FIELDS.items():
        value = found.get(name)
        if row.per_model and isinstance(value, dict):
            for model, number in cast("dict[str, Value]", value).items():
                settings = settings.changed(name, number, model)
        elif value is not None and not row.per_model:
            settings = settings.changed(name, value)
    return settings


def save_settings(path: Path, settings: PanelSettings) -> None:
    """Save all at once, or leave the old file as it was. Raises OSError."""
    found = to_plain(settings)
    flat = {**found.pop("values"), **found.pop("for_models"), **found}
    write_whole(path, json.dumps(flat, ensure_ascii=False, indent=1))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old text or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
