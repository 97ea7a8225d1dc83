"""What the panel remembers from one day to the next: one small JSON file."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from acetate_bridge.panel.view import AfterRepaint
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.limits import GUIDANCE, SEED, STEPS, STRENGTH, VARIANTS
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain

SETTINGS_FILE = "panel.json"


@dataclass(frozen=True)
class PanelSettings:
    """What a painter has set. An empty `model` takes the first that can do the mode.

    `prompts` is kept for each mode, `layer_prompts` for each role; `steps` and `guidance` for each
    model, whose own advice counts where nothing was set.
    """

    mode: str = "text"
    model: str = ""
    prompts: dict[str, str] = field(default_factory=dict[str, str])
    negative_prompt: str = ""
    layer_prompts: dict[str, str] = field(default_factory=dict[str, str])
    strength: float = 0.6
    steps: dict[str, int] = field(default_factory=dict[str, int])
    guidance: dict[str, float] = field(default_factory=dict[str, float])
    seed: int = 0
    seed_locked: bool = False
    variants: int = 1
    more_open: bool = False
    repaint: AfterRepaint = "hide"
    keep_transparency: bool = False

    def checked(self) -> PanelSettings:
        """The same with every number inside its bounds."""
        return replace(
            self,
            strength=STRENGTH.clamp(self.strength),
            steps={model: STEPS.clamp_whole(steps) for model, steps in self.steps.items()},
            guidance={model: GUIDANCE.clamp(value) for model, value in self.guidance.items()},
            seed=SEED.clamp_whole(self.seed),
            variants=VARIANTS.clamp_whole(self.variants),
        )


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
        return from_plain(PanelSettings, found, allow_unknown=True).checked()
    except (OSError, ValueError, Mismatch):
        return PanelSettings()


def save_settings(path: Path, settings: PanelSettings) -> None:
    """Save all at once, or leave the old file as it was. Raises OSError."""
    write_whole(path, json.dumps(to_plain(settings), ensure_ascii=False, indent=1))


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
