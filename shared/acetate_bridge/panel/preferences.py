"""The painter's settings while the panel is open: changed at once, saved a moment later."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from acetate_bridge.client.presets import Preset, framed, presets_in
from acetate_bridge.editing.editor import Editor
from acetate_bridge.editing.guides import Follow
from acetate_bridge.panel.fields import FIELDS, Value, recipe_value
from acetate_bridge.panel.guides import (
    as_rows,
    chosen_styles,
    followed,
    further_prompts,
    with_triggers,
)
from acetate_bridge.panel.lists import LISTS
from acetate_bridge.panel.settings import PanelSettings, load_settings, save_settings
from acetate_bridge.protocol.messages import ModeInfo, ModelInfo
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.seeds import drawn_seed
from acetate_bridge.protocol.types import Recipe

log = logging.getLogger("acetate.panel")

_SAVE_AFTER = 1.0


class Preferences:
    """Settings of one panel, in a file."""

    def __init__(self, editor: Editor, file: Path) -> None:
        self._editor = editor
        self._file = file
        self._pending = False
        self.current: PanelSettings = load_settings(file)
        self.presets_folder = file.parent / "presets"
        self.presets: dict[str, Preset] = {}
        self.look_for_presets()

    def look_for_presets(self) -> None:
        """Somebody may have put a file there."""
        self.presets = presets_in(self.presets_folder)

    def choose_preset(self, name: str) -> None:
        """Set what a preset says; without a name, what none says."""
        preset = self.presets.get(name) or Preset("none")
        settings = self.current.changed("preset", name if name in self.presets else "")
        if preset.model:
            settings = settings.changed("model", preset.model)
        settings = settings.changed("frame", preset.words).changed("scheduler", preset.scheduler)
        settings = settings.changed("negative_prompt", preset.avoid)
        model = str(settings.value("model"))
        if preset.steps:
            settings = settings.changed("steps", preset.steps, model)
        if preset.guidance >= 0:
            settings = settings.changed("guidance", preset.guidance, model)
        styles = [{"style": name, "weight": weight} for name, weight in preset.styles.items()]
        self.change(settings.with_list("styles", styles))

    def change(self, settings: PanelSettings) -> None:
        """Take over settings."""
        if settings != self.current:
            self.current = settings
            if not self._pending:
                self._pending = True
                self._editor.call_later(_SAVE_AFTER, self.flush)

    def flush(self) -> None:
        """Save what has changed."""
        if not self._pending:
            return
        self._pending = False
        try:
            save_settings(self._file, self.current)
        except OSError:
            log.warning("the panel's settings cannot be saved", exc_info=True)

    @property
    def model(self) -> str:
        """The model that was chosen; empty: the first that can do the mode."""
        return str(self.current.value("model"))

    @property
    def variants(self) -> int:
        """How many results to paint."""
        return int(self.current.value("variants"))

    @property
    def guides(self) -> bool:
        """Whether the layers of the document have to be known."""
        current = self.current
        follows = current.guides_open or bool(current.lists.get("follow"))
        return follows or mode_row(current.mode).below

    def follows(self, mode: str) -> tuple[Follow, ...]:
        """The layers to follow in a mode."""
        applies = LISTS["follow"].applies(mode)
        return followed(self.current.lists.get("follow", ())) if applies else ()

    def prompt(self, mode: str) -> str:
        """What to paint in a mode."""
        return self.current.prompts.get(mode, "")

    def layer_prompts(self, info: ModeInfo | None) -> dict[str, str]:
        """The prompt of each layer that a mode has one for, empty ones included."""
        return {
            role: self.current.layer_prompts.get(role, "")
            for role in (info.prompts if info is not None else [])
        }

    def value(self, name: str, model: ModelInfo | None) -> Value:
        """What was set of a field, for this model where that counts, else the model's advice."""
        if not FIELDS[name].per_model:
            return self.current.value(name)
        advised = getattr(model, name, 0) or FIELDS[name].default
        kept = self.current.for_models.get(name, {})
        return kept.get(model.id if model is not None else "", advised)

    def recipe(
        self, mode: str, info: ModeInfo | None, model: ModelInfo | None, draw_seed: bool = True
    ) -> Recipe:
        """What the panel says now, with a new seed unless that is locked or not to be drawn."""
        if draw_seed and not self.current.value("seed_locked"):
            self.change(self.current.changed("seed", drawn_seed()))
        own = {role: text.strip() for role, text in self.layer_prompts(info).items()}
        lists = self.current.lists
        guided = LISTS["styles"].applies(mode)
        styles = chosen_styles(lists.get("styles", ())) if guided else {}
        prompt = framed(str(self.current.value("frame")), self.prompt(mode).strip())
        then = lists.get("then", ()) if LISTS["then"].applies(mode) else ()
        said = Recipe(
            mode,
            with_triggers(prompt, styles, model),
            layer_prompts={role: text for role, text in own.items() if text},
            stop_at=0.0,
            styles=styles,
            then=further_prompts(then),
        )
        chosen = {
            name: self.value(name, model)
            for name, row in FIELDS.items()
            if recipe_value(said, name) is not None and row.applies(mode)
        }
        chosen["negative_prompt"] = str(chosen["negative_prompt"]).strip()
        chosen["model"] = model.id if model is not None else ""
        return replace(said, **chosen)  # pyright: ignore[reportArgumentType]

    def restore(self, recipe: Recipe, follows: Sequence[Follow] = ()) -> None:
        """Fill the panel with a recipe, and with the layers that it followed."""
        settings = replace(
            self.current,
            mode=recipe.mode,
            prompts={**self.current.prompts, recipe.mode: recipe.prompt},
            layer_prompts={**self.current.layer_prompts, **recipe.layer_prompts},
        ).changed("seed_locked", True)
        for name, row in FIELDS.items():
            value = recipe_value(recipe, name)
            if value is not None and row.applies(recipe.mode):
                settings = settings.changed(name, value, recipe.model)
        # Its prompt has the words of the preset already.
        settings = settings.changed("preset", "").changed("frame", "")
        styles = [{"style": name, "weight": weight} for name, weight in recipe.styles.items()]
        settings = settings.with_list("styles", styles).with_list("follow", as_rows(follows))
        if LISTS["then"].applies(recipe.mode):
            settings = settings.with_list("then", [{"words": text} for text in recipe.then])
        self.change(settings)
