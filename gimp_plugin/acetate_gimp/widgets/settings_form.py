"""The fold of the panel: everything that has a good default."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gtk

from acetate_bridge.panel.view import Actions, Choice, PanelView
from acetate_bridge.protocol.limits import GUIDANCE, SEED, STEPS, VARIANTS
from widgets.signal_guard import Updating, changed, choose, entry_text


class Details(Gtk.Expander):
    """Model, avoid, strength, steps, closeness, seed and variants."""

    def __init__(self, actions: Actions, updating: Updating) -> None:
        super().__init__(label="Mo_re", use_underline=True)
        self._actions, self._updating = actions, updating
        self._models: tuple[Choice, ...] = ()
        self._grid = Gtk.Grid(row_spacing=6, column_spacing=6, margin_top=6)
        self.add(self._grid)
        self._add_fields()
        self.connect("notify::expanded", self._fold)

    def show(self, view: PanelView) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take over a view."""
        if self.get_expanded() != view.more_open:
            self.set_expanded(view.more_open)
        if view.models != self._models:
            self._models = view.models
            self._model.remove_all()
            for model in view.models:
                self._model.append(model.name, model.label)
        choose(self._model, view.model)
        chosen = next((each for each in view.models if each.name == view.model), None)
        self._model.set_tooltip_text((chosen.reason if chosen else "") or "What paints")
        entry_text(self._avoid, view.negative_prompt)
        changed(self._strength, round(view.strength * 100))
        for widget in self._strength_row:
            widget.set_sensitive(view.strength_applies)
        changed(self._steps, view.steps)
        changed(self._guidance, view.guidance)
        changed(self._seed, view.seed)
        self._variants.set_range(1, view.most_variants)
        changed(self._variants, view.variants)
        if self._lock.get_active() != view.seed_locked:
            self._lock.set_active(view.seed_locked)

    def _add_fields(self) -> None:
        act = self._actions
        self._model = Gtk.ComboBoxText(hexpand=True)
        for cell in self._model.get_cells():
            cell.set_property("ellipsize", 3)
        self._model.connect("changed", self._updating.guard(self._choose_model))
        self._row("M_odel", self._model, "What paints")

        self._avoid = Gtk.Entry(hexpand=True)
        self._avoid.connect(
            "changed",
            self._updating.guard(lambda entry: act.set_negative_prompt(entry.get_text())),
        )
        self._row("A_void", self._avoid, "What must not be there (negative prompt)")

        self._strength = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 1, 100, 1)
        self._strength.set_value_pos(Gtk.PositionType.RIGHT)
        self._strength.connect("format-value", lambda _, value: f"{value:.0f} %")
        self._strength.connect(
            "value-changed",
            self._updating.guard(lambda scale: act.set_strength(scale.get_value() / 100)),
        )
        label = self._row(
            "S_trength", self._strength, "How far a repainting may go (denoising strength)"
        )
        self._strength_row = (label, self._strength)

        self._steps = self._spin(STEPS.least, STEPS.most, 1, act.set_steps)
        self._row("_Steps", self._steps, "More takes longer and is finer (denoising steps)")
        self._guidance = self._spin(GUIDANCE.least, GUIDANCE.most, 0.5, act.set_guidance, 1)
        self._row("_Closeness", self._guidance, "How closely the prompt is followed (guidance)")

        seed = Gtk.Box(spacing=6)
        self._seed = self._spin(SEED.least, SEED.most, 1, act.set_seed)
        self._lock = Gtk.ToggleButton(label="_Lock", use_underline=True)
        self._lock.set_tooltip_text("Keep the seed instead of drawing another for each layer")
        self._lock.connect(
            "toggled",
            self._updating.guard(lambda button: act.set_seed_locked(button.get_active())),
        )
        seed.pack_start(self._seed, True, True, 0)
        seed.pack_start(self._lock, False, False, 0)
        self._row("S_eed", seed, "The same seed paints the same layer again", self._seed)
        self._variants = self._spin(VARIANTS.least, VARIANTS.most, 1, act.set_variants)
        self._row("_Variants", self._variants, "How many to choose from (batch)")

    def _spin(
        self, least: float, most: float, step: float, act: Callable[..., None], digits: int = 0
    ) -> Gtk.SpinButton:
        spin = Gtk.SpinButton.new_with_range(least, most, step)
        spin.set_digits(digits)
        spin.set_hexpand(True)
        spin.set_width_chars(6)

        def tell(widget: Gtk.SpinButton) -> None:
            # get_value_as_int stops at 31 bits; seeds are longer.
            act(widget.get_value() if digits else round(widget.get_value()))

        spin.connect("value-changed", self._updating.guard(tell))
        return spin

    def _row(
        self, words: str, widget: Gtk.Widget, tip: str, target: Gtk.Widget | None = None
    ) -> Gtk.Label:
        label = Gtk.Label(label=words, use_underline=True, xalign=0)
        label.set_mnemonic_widget(target or widget)
        widget.set_tooltip_text(tip)
        self._grid.attach_next_to(label, None, Gtk.PositionType.BOTTOM, 1, 1)
        self._grid.attach_next_to(widget, label, Gtk.PositionType.RIGHT, 1, 1)
        return label

    def _choose_model(self, box: Gtk.ComboBoxText) -> None:
        if box.get_active_id() is not None:
            self._actions.set_model(box.get_active_id())

    def _fold(self, *_: object) -> None:
        if not self._updating.now:
            self._actions.set_more_open(self.get_expanded())
