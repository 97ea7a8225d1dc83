"""Presets: a model with its styles, the words around a prompt, and the numbers, under one name.

Each is a JSON file of its own in a folder, so that one is shared by handing on the file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from acetate_bridge.client.paths import config_folder, read_bounded, write_whole
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.limits import (
    GUIDANCE,
    MOST_STYLES,
    PROMPT_CHARACTERS,
    STEPS,
    STYLE_WEIGHT,
)
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain
from acetate_bridge.protocol.types import Recipe

PROMPT = "{prompt}"
"""Stands in the words of a preset for what the painter writes."""
_LONGEST_NAME = 60
_MOST_BYTES = 2**20


class NoPreset(ValueError):
    """There is no such preset, or its file is none; the text says what to do."""


@dataclass(frozen=True)
class Preset:
    """An empty `model` or `scheduler` leaves it as it is, and so do `steps` 0 and `guidance` -1.

    `words` are put around the prompt, which stands in them as `{prompt}`, else before them.
    """

    name: str
    model: str = ""
    styles: dict[str, float] = field(default_factory=dict[str, float])
    words: str = ""
    avoid: str = ""
    steps: int = 0
    guidance: float = -1.0
    scheduler: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError for what no recipe may ask for."""
        if not self.name.strip():
            raise ValueError("a preset needs a name")
        if self.steps:
            STEPS.check(self.steps)
        if self.guidance != -1:
            GUIDANCE.check(self.guidance)
        if len(self.styles) > MOST_STYLES:
            raise ValueError(f"a preset takes at most {MOST_STYLES} styles")
        for weight in self.styles.values():
            STYLE_WEIGHT.check(weight)
        if max(len(self.words), len(self.avoid)) > PROMPT_CHARACTERS:
            raise ValueError(f"its words may have {PROMPT_CHARACTERS} characters")


def framed(words: str, prompt: str) -> str:
    """A prompt with the words of a preset around it; nothing stays nothing."""
    if not words.strip() or not prompt.strip():
        return prompt
    return words.replace(PROMPT, prompt) if PROMPT in words else f"{prompt}, {words}"


def applied(preset: Preset, recipe: Recipe) -> Recipe:
    """A recipe with what the preset says; styles and words that it has already stay, too."""
    avoided = ", ".join(filter(None, (recipe.negative_prompt, preset.avoid)))
    return replace(
        recipe,
        prompt=framed(preset.words, recipe.prompt),
        negative_prompt=avoided,
        styles={**preset.styles, **recipe.styles},
        model=preset.model or recipe.model,
        steps=preset.steps or recipe.steps,
        guidance=recipe.guidance if preset.guidance == -1 else preset.guidance,
        scheduler=preset.scheduler or recipe.scheduler,
        preset=preset.name,
    )


def presets_folder() -> Path:
    """Where the presets of this machine lie."""
    return config_folder() / "presets"


def presets_in(folder: Path) -> dict[str, Preset]:
    """All presets of a folder by name, in the order of the alphabet; damaged ones left out."""
    found: dict[str, Preset] = {}
    try:
        paths = sorted(folder.glob("*.json"))
    except OSError:
        return {}
    for path in paths:
        try:
            preset = read_preset(path)
        except NoPreset:
            continue
        found.setdefault(preset.name, preset)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def read_preset(path: Path) -> Preset:
    """The preset in a file. Raises NoPreset saying what is wrong with it."""
    try:
        value = read_json(read_bounded(path, _MOST_BYTES))
        return from_plain(Preset, value, allow_unknown=True)
    except OSError as error:
        raise NoPreset(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, Mismatch) as error:
        if isinstance(error, NoPreset):
            raise
        raise NoPreset(f"{path.name} is no preset: {error}.") from None


def write_preset(folder: Path, preset: Preset) -> Path:
    """Keep a preset, in place of the one of its name; where it lies then. Raises OSError."""
    for path in sorted(folder.glob("*.json")):
        try:
            if read_preset(path).name == preset.name:
                break
        except NoPreset:
            continue
    else:
        path = _free(folder, preset.name)
    write_whole(path, json.dumps(to_plain(preset), ensure_ascii=False, indent=1) + "\n")
    return path


def preset_named(name: str, folder: Path) -> Preset:
    """The preset of that name. Raises NoPreset naming the cure."""
    presets = presets_in(folder)
    if name in presets:
        return presets[name]
    known = f" There are {', '.join(presets)}." if presets else ""
    raise NoPreset(
        f"There is no preset called “{name[:_LONGEST_NAME]}”: put its file into {folder}.{known}"
    )


def _free(folder: Path, name: str) -> Path:
    stem = re.sub(r"[^\w-]+", "-", name.lower()).strip("-_")[:_LONGEST_NAME] or "preset"
    number, path = 1, folder / f"{stem}.json"
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.json"
    return path
