"""The painter's settings while the panel is open: changed at once, saved a moment later."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from acetate_bridge.editing.editor import Editor
from acetate_bridge.panel.settings import PanelSettings, load_settings, save_settings
from acetate_bridge.protocol.limits import drawn_seed
from acetate_bridge.protocol.messages import ModeInfo, ModelInfo
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.types import Recipe

log = logging.getLogger("acetate.panel")

_SAVE_AFTER = 1.0
_DEFAULT_STEPS = 20
_DEFAULT_GUIDANCE = 3.0


class Preferences:
    """Settings of one panel, in a file."""

    def __init__(self, editor: Editor, file: Path) -> None:
        self._editor = editor
        self._file = file
        self._pending = False
        self.current: PanelSettings = load_settings(file)

    def change(self, settings: PanelSettings) -> None:
        """Take over settings, their numbers brought inside their bounds."""
        checked = settings.checked()
        if checked != self.current:
            self.current = checked
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

    def prompt(self, mode: str) -> str:
        """What to paint in a mode."""
        return self.current.prompts.get(mode, "")

    def layer_prompts(self, info: ModeInfo | None) -> dict[str, str]:
        """The prompt of each layer that a mode has one for, empty ones included."""
        return {
            role: self.current.layer_prompts.get(role, "")
            for role in (info.prompts if info is not None else [])
        }

    def steps(self, model: ModelInfo | None) -> int:
        """What was set for this model, else its own advice."""
        advised = (model.steps if model is not None else 0) or _DEFAULT_STEPS
        return self.current.steps.get(model.id if model is not None else "", advised)

    def guidance(self, model: ModelInfo | None) -> float:
        """What was set for this model, else its own advice."""
        advised = (model.guidance if model is not None else 0.0) or _DEFAULT_GUIDANCE
        return self.current.guidance.get(model.id if model is not None else "", advised)

    def recipe(self, mode: str, info: ModeInfo | None, model: ModelInfo | None) -> Recipe:
        """What the panel says now, with a new seed unless that is locked."""
        settings = self.current
        seed = settings.seed if settings.seed_locked else drawn_seed()
        self.change(replace(settings, seed=seed))
        own = {role: text.strip() for role, text in self.layer_prompts(info).items()}
        return Recipe(
            mode,
            self.prompt(mode).strip(),
            settings.negative_prompt.strip(),
            {role: text for role, text in own.items() if text},
            seed,
            self.steps(model),
            self.guidance(model),
            settings.strength if "strength" in mode_row(mode).fields else 1.0,
            model=model.id if model is not None else "",
            keep_transparency=settings.keep_transparency
            and "keep_transparency" in mode_row(mode).fields,
        )

    def restore(self, recipe: Recipe) -> None:
        """Fill the panel with a recipe."""
        settings = self.current
        keeps_strength = "strength" not in mode_row(recipe.mode).fields
        self.change(
            replace(
                settings,
                mode=recipe.mode,
                model=recipe.model,
                prompts={**settings.prompts, recipe.mode: recipe.prompt},
                negative_prompt=recipe.negative_prompt,
                layer_prompts={**settings.layer_prompts, **recipe.layer_prompts},
                strength=settings.strength if keeps_strength else recipe.strength,
                seed=recipe.seed,
                seed_locked=True,
                steps={**settings.steps, recipe.model: recipe.steps},
                guidance={**settings.guidance, recipe.model: recipe.guidance},
            )
        )
