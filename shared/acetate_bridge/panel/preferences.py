"""The painter's settings while the panel is open: changed at once, saved a moment later."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from acetate_bridge.editing.editor import Editor
from acetate_bridge.panel.fields import FIELDS, Value, recipe_value
from acetate_bridge.panel.settings import PanelSettings, load_settings, save_settings
from acetate_bridge.protocol.limits import drawn_seed
from acetate_bridge.protocol.messages import ModeInfo, ModelInfo
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

    def recipe(self, mode: str, info: ModeInfo | None, model: ModelInfo | None) -> Recipe:
        """What the panel says now, with a new seed unless that is locked."""
        if not self.current.value("seed_locked"):
            self.change(self.current.changed("seed", drawn_seed()))
        own = {role: text.strip() for role, text in self.layer_prompts(info).items()}
        said = Recipe(
            mode,
            self.prompt(mode).strip(),
            layer_prompts={role: text for role, text in own.items() if text},
            stop_at=0.0,
        )
        chosen = {
            name: self.value(name, model)
            for name, row in FIELDS.items()
            if recipe_value(said, name) is not None and row.applies(mode)
        }
        chosen["negative_prompt"] = str(chosen["negative_prompt"]).strip()
        chosen["model"] = model.id if model is not None else ""
        return replace(said, **chosen)  # pyright: ignore[reportArgumentType]

    def restore(self, recipe: Recipe) -> None:
        """Fill the panel with a recipe."""
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
        self.change(settings)
