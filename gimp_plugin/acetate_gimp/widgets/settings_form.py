"""Settings drawn from the table of fields: the fold of the panel, and a part of the dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gtk

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.fields import FIELDS, Field
from acetate_bridge.panel.view import Actions, Choice, FieldView, PanelView, Setting
from widgets.signal_guard import Updating, changed, choose, entry_text
from widgets.style import make_narrow

Show = Callable[[FieldView], None]


class Details(Gtk.Expander):
    """The fold of the panel: everything that has a good default."""

    def __init__(self, actions: Actions, updating: Updating) -> None:
        super().__init__(label=say("Mo_re"), use_underline=True)
        self._actions, self._updating = actions, updating
        rows = {name: row for name, row in FIELDS.items() if not (row.in_dialog or row.guides)}
        self._form = Form(actions, updating, rows)
        self.inputs = self._form.inputs
        self._form.set_margin_top(6)
        self.add(self._form)
        self.connect("notify::expanded", self._fold)

    def show(self, view: PanelView) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take over a view."""
        if self.get_expanded() != view.more_open:
            self.set_expanded(view.more_open)
        self._form.show_fields(view.fields)

    def _fold(self, *_: object) -> None:
        if not self._updating.now:
            self._actions.set_more_open(self.get_expanded())


class Form(Gtk.Grid):
    """A row for each of these fields."""

    def __init__(self, actions: Setting, updating: Updating, rows: Mapping[str, Field]) -> None:
        super().__init__(row_spacing=6, column_spacing=6)
        self._actions, self._updating = actions, updating
        self._show: dict[str, Show] = {}
        self._rows: dict[str, tuple[Gtk.Widget, ...]] = {}
        self.inputs = {name: self._draw(field) for name, field in rows.items()}
        for name, field in rows.items():
            if not field.beside:
                beside = [self.inputs[each.name] for each in rows.values() if each.beside == name]
                self._add_row(field, self.inputs[name], beside)

    def show_fields(self, views: Mapping[str, FieldView]) -> None:
        """Take over how the fields stand."""
        for name, show in self._show.items():
            show(views[name])
            for widget in self._rows.get(name, ()):
                widget.set_sensitive(views[name].applies)

    def _draw(self, field: Field) -> Gtk.Widget:
        """The widget of a field, which tells what the painter sets."""
        draw = {
            "menu": self._draw_menu,
            "line": self._draw_line,
            "share": self._draw_share,
            "number": self._draw_number,
            "toggle": self._draw_toggle,
        }[field.kind]
        widget = draw(field)
        widget.set_tooltip_text(say(field.tip))
        return widget

    def _tell(self, field: Field, value: Callable[[Any], Any]) -> Callable[..., None]:
        return self._updating.guard(
            lambda widget, *_: self._actions.set_field(field.name, value(widget))
        )

    def _draw_menu(self, field: Field) -> Gtk.Widget:
        box = Gtk.ComboBoxText(hexpand=True)
        for cell in box.get_cells():
            cell.set_property("ellipsize", 3)
        shown: list[tuple[Choice, ...]] = [()]

        def show(found: FieldView) -> None:
            if found.choices != shown[0]:
                shown[0] = found.choices
                box.remove_all()
                for choice in found.choices:
                    box.append(choice.name, choice.label)
            choose(box, str(found.value))
            chosen = next((each for each in found.choices if each.name == found.value), None)
            box.set_tooltip_text((chosen.reason if chosen else "") or say(field.tip))

        def tell(_: Gtk.ComboBoxText) -> None:
            if box.get_active_id() is not None:
                self._actions.set_field(field.name, box.get_active_id())

        box.connect("changed", self._updating.guard(tell))
        self._show[field.name] = show
        return box

    def _draw_line(self, field: Field) -> Gtk.Widget:
        entry = Gtk.Entry(hexpand=True, width_chars=8)
        entry.connect("changed", self._tell(field, Gtk.Entry.get_text))
        self._show[field.name] = lambda found: entry_text(entry, str(found.value))
        return entry

    def _draw_share(self, field: Field) -> Gtk.Widget:
        bound = field.bound
        assert bound is not None
        scale = Gtk.Scale.new_with_range(
            Gtk.Orientation.HORIZONTAL, 100 * bound.lowest, 100 * bound.most, 100 * bound.step
        )
        scale.set_value_pos(Gtk.PositionType.RIGHT)
        scale.connect("format-value", lambda _, value: f"{value:.0f} %")
        scale.connect("value-changed", self._tell(field, lambda each: each.get_value() / 100))
        self._show[field.name] = lambda found: changed(scale, round(100 * float(found.value)))
        return scale

    def _draw_number(self, field: Field) -> Gtk.Widget:
        bound = field.bound
        assert bound is not None
        spin = Gtk.SpinButton.new_with_range(bound.lowest, bound.most, bound.step)
        spin.set_digits(field.decimals)
        spin.set_hexpand(True)
        spin.set_width_chars(1)
        make_narrow(spin)

        def value(widget: Gtk.SpinButton) -> float:
            # get_value_as_int stops at 31 bits; seeds are longer.
            return widget.get_value() if field.decimals else round(widget.get_value())

        spin.connect("value-changed", self._tell(field, value))
        self._show[field.name] = lambda found: changed(spin, float(found.value))
        return spin

    def _draw_toggle(self, field: Field) -> Gtk.Widget:
        kind = Gtk.ToggleButton if field.beside else Gtk.CheckButton
        button = kind(label=say(field.label), use_underline=True)
        if field.beside:
            make_narrow(button)
        button.connect("toggled", self._tell(field, Gtk.ToggleButton.get_active))

        def show(found: FieldView) -> None:
            if button.get_active() != found.value:
                button.set_active(found.value)

        self._show[field.name] = show
        return button

    def _add_row(self, field: Field, widget: Gtk.Widget, beside: list[Gtk.Widget]) -> None:
        row = widget
        if beside:
            row = Gtk.Box(spacing=6)
            row.pack_start(widget, True, True, 0)
            for each in beside:
                row.pack_start(each, False, False, 0)
        if field.kind == "toggle":
            self.attach_next_to(row, None, Gtk.PositionType.BOTTOM, 2, 1)
            self._rows[field.name] = (row,)
            return
        label = Gtk.Label(label=say(field.label), use_underline=True, xalign=0)
        label.set_mnemonic_widget(widget)
        self.attach_next_to(label, None, Gtk.PositionType.BOTTOM, 1, 1)
        self.attach_next_to(row, label, Gtk.PositionType.RIGHT, 1, 1)
        self._rows[field.name] = (label, row)
