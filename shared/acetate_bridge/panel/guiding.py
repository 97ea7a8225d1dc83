"""The panel's actions on what guides a painting: layers to follow, styles and presets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acetate_bridge.client.presets import NoPreset, Preset, read_preset, write_preset
from acetate_bridge.editing.plan import CannotPlan
from acetate_bridge.panel.adjusting import Adjusting, safely
from acetate_bridge.panel.completion import Completion, completions
from acetate_bridge.panel.fields import Value
from acetate_bridge.panel.guides import chosen_styles, first_kind
from acetate_bridge.panel.lists import LISTS, Row


class Guiding(Adjusting):
    """Another part of the panel's actions: see `view.Actions`."""

    def complete(self, prompt: str, cursor: int) -> tuple[Completion, ...]:
        """Names that fit before the cursor of a prompt, the best first."""
        model, offer = self._model(), self.known.offer
        styles = {} if model is None else {n: model.triggers.get(n, "") for n in model.styles}
        return completions(prompt, cursor, styles, offer.wildcards if offer is not None else ())

    @safely
    def set_guides_open(self, guides_open: bool) -> None:
        """Fold or unfold what guides a painting."""
        self._preferences.look_for_presets()
        current = replace(self._preferences.current, guides_open=guides_open)
        self._preferences.change(current)
        self._guides_wanted()

    @safely
    def add_entry(self, name: str) -> None:
        """One more entry of a list; one to follow begins with the active layer."""
        entries = self._entries_of(name)
        if len(entries) >= LISTS[name].most:
            return
        entry = LISTS[name].blank()
        if name == "follow":
            layer = self.known.situation.layer
            if layer is None:
                raise CannotPlan("Choose the layer to follow first.")
            kind = first_kind(self._model())
            entry.update(layer=layer.mark or layer.key, name=layer.name, kind=kind)
        elif name == "styles":
            model = self._model()
            there = {str(each.get("style")) for each in entries}
            free = [
                each for each in (model.styles if model is not None else []) if each not in there
            ]
            entry.update(style=free[0] if free else "")
        self._change(name, [*entries, entry])
        self._guides_wanted()

    @safely
    def remove_entry(self, name: str, index: int) -> None:
        """Take an entry out of a list."""
        entries = self._entries_of(name)
        self._change(name, entries[:index] + entries[index + 1 :])

    @safely
    def set_cell(self, name: str, index: int, column: str, value: Value) -> None:
        """Set a column of an entry."""
        entries = self._entries_of(name)
        if not 0 <= index < len(entries):
            return
        changed: Row = {**entries[index], column: LISTS[name].fields[column].clean(value)}
        if name == "follow" and column == "layer":
            marks = {each.mark or each.key: each.name for each in self.known.layers}
            changed["name"] = marks.get(str(value), "")
        self._change(name, [*entries[:index], changed, *entries[index + 1 :]])

    @safely
    def save_preset(self, name: str) -> None:
        """Keep model, styles, words and numbers under a name."""
        if not name.strip():
            raise CannotPlan("Give the preset a name first.")
        preferences, model = self._preferences, self._model()
        current = preferences.current
        preset = Preset(
            name.strip(),
            self._view.model,
            chosen_styles(current.lists.get("styles", ())),
            str(current.value("frame")).strip(),
            str(current.value("negative_prompt")).strip(),
            int(preferences.value("steps", model)),
            float(preferences.value("guidance", model)),
            str(current.value("scheduler")),
        )
        self._keep(preset)
        self.say(f"The preset “{preset.name}” is kept.")

    @safely
    def add_preset(self, path: str) -> None:
        """Take over a preset from a file that somebody has shared."""
        try:
            self._keep(read_preset(Path(path)))
        except NoPreset as error:
            raise CannotPlan(str(error)) from None

    def _keep(self, preset: Preset) -> None:
        try:
            write_preset(self._preferences.presets_folder, preset)
        except OSError as error:
            raise CannotPlan(f"The preset cannot be kept: {error.strerror}.") from None
        self._preferences.look_for_presets()
        self._preferences.choose_preset(preset.name)

    def _entries_of(self, name: str) -> list[Row]:
        return list(self._preferences.current.lists.get(name, ()))

    def _change(self, name: str, entries: list[Row]) -> None:
        self.known.outcome = None
        self._preferences.change(self._preferences.current.with_list(name, entries))

    def _guides_wanted(self) -> None:
        """The layers have to be known from now on."""
