"""A preset on the command line: the same files as in the panels, by name."""

from __future__ import annotations

from dataclasses import replace

from acetate.errors import BadRequest
from acetate_bridge.client.presets import (
    NoPreset,
    Preset,
    applied,
    framed,
    preset_named,
    presets_folder,
)
from acetate_bridge.protocol.types import Recipe

_NONE = Preset("none")


def chosen_preset(name: str) -> Preset:
    """The preset of that name; one that says nothing for an empty name. Raises BadRequest."""
    if not name:
        return _NONE
    try:
        return preset_named(name, presets_folder())
    except NoPreset as error:
        raise BadRequest(str(error)) from None


def preset_first(preset: Preset, recipe: Recipe) -> Recipe:
    """What a preset says, and over it what was typed beside it; the model is chosen apart."""
    if preset is _NONE:
        return recipe
    found = applied(preset, recipe)
    words = {role: framed(preset.words, prompt) for role, prompt in recipe.layer_prompts.items()}
    return replace(
        found,
        layer_prompts=words,
        scheduler=recipe.scheduler or preset.scheduler,
        model=recipe.model,
    )


def guidance_of(preset: Preset) -> float | None:
    """The guidance that it asks for, if any."""
    return None if preset.guidance < 0 else preset.guidance
