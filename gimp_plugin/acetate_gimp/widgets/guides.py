"""What guides a painting: the fold with presets, styles and layers to follow, and every list."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gi.repository import Gtk

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.fields import FIELDS, Value
from acetate_bridge.panel.lists import HIDDEN_COLUMNS, LISTS, ListField
from acetate_bridge.panel.view import Actions, ListView, PanelView
from widgets.settings_form import Form
from widgets.signal_guard import Updating
from widgets.style import heading, make_narrow, make_quiet

Tame = Callable[[Gtk.Widget], None]
"""Called with every widget that is made later, for the mouse wheel."""


class Guides(Gtk.Expander):
    """Closed until the painter unfolds it."""

    def __init__(self, actions: Actions, updating: Updating, tame: Tame) -> None:
        super().__init__(label=say("_Follow and Style"), use_underline=True)
        self.set_tooltip_text(
            say("Layers to follow, styles, presets, and what the model does not see")
        )
        self._actions, self._updating = actions, updating
        rows = {name: row for name, row in FIELDS.items() if row.guides}
        self.form = Form(actions, updating, rows)
        self.name = Gtk.Entry(hexpand=True, width_chars=6, placeholder_text=say("New preset"))
        self.name.get_accessible().set_name(say("Name of a new preset"))
        self.save = _button(
            say("Save"), say("Keep model, styles, words and numbers under this name")
        )
        self.save.connect("clicked", self._save)
        self.add_file = _button(
            say("Add…"), say("Take over a preset from a file that somebody has shared")
        )
        self.add_file.connect("clicked", self._add_file)
        kept = Gtk.Box(spacing=6)
        kept.pack_start(self.name, True, True, 0)
        kept.pack_start(self.save, False, False, 0)
        kept.pack_start(self.add_file, False, False, 0)
        self.lists = {
            name: Entries(actions, updating, row, tame) for name, row in LISTS.items() if row.folded
        }
        self.left_out = Gtk.CheckButton(label=say("Unseen by the model"))
        self.left_out.set_tooltip_text(
            say("A lettering or a note: painters see it, the model does not")
        )
        self.left_out.connect(
            "toggled", updating.guard(lambda button: actions.leave_out(button.get_active()))
        )
        self._left_out_words = Gtk.Label(wrap=True, xalign=0, width_chars=20, max_width_chars=48)
        self._left_out_words.set_no_show_all(True)
        make_quiet(self._left_out_words)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        column.set_margin_top(6)
        parts = (self.form, kept, *self.lists.values(), self.left_out, self._left_out_words)
        for part in parts:
            column.pack_start(part, False, False, 0)
        # GTK hides what is inside a fold only once it was open.
        column.show_all()
        column.set_no_show_all(True)
        column.hide()
        self._column = column
        self.add(column)
        self.connect("notify::expanded", self._fold)

    def show(self, view: PanelView) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take over a view."""
        if self.get_expanded() != view.guides_open:
            self.set_expanded(view.guides_open)
        self._column.set_visible(view.guides_open)
        self.form.show_fields(view.fields)
        for name, entries in self.lists.items():
            entries.show_list(view.lists[name])
        if self.left_out.get_active() != view.left_out.value:
            self.left_out.set_active(bool(view.left_out.value))
        self.left_out.set_sensitive(view.left_out.applies)
        self._left_out_words.set_text(view.left_out_words)
        self._left_out_words.set_visible(bool(view.left_out_words))

    def _fold(self, *_: object) -> None:
        self._column.set_visible(self.get_expanded())
        if not self._updating.now:
            self._actions.set_guides_open(self.get_expanded())

    def _save(self, _: Gtk.Button) -> None:
        self._actions.save_preset(self.name.get_text())
        self.name.set_text("")

    def _add_file(self, _: Gtk.Button) -> None:
        window = self.get_toplevel()
        chooser = Gtk.FileChooserNative.new(
            say("Preset"),
            window if isinstance(window, Gtk.Window) else None,
            Gtk.FileChooserAction.OPEN,
            None,
            None,
        )
        if chooser.run() == Gtk.ResponseType.ACCEPT:
            self._actions.add_preset(chooser.get_filename() or "")
        chooser.destroy()


class _Cells:
    """What a form tells, told of one entry of a list."""

    def __init__(self, actions: Actions, list_name: str, index: int) -> None:
        self._actions, self._list, self._index = actions, list_name, index

    def set_field(self, name: str, value: Value) -> None:
        """The painter has set a column."""
        self._actions.set_cell(self._list, self._index, name, value)


class Entries(Gtk.Box):
    """One list: its entries below each other, and the button for one more."""

    def __init__(self, actions: Actions, updating: Updating, row: ListField, tame: Tame) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6, no_show_all=True)
        self._actions, self._updating, self._row, self._tame = actions, updating, row, tame
        self.forms: list[Form] = []
        self.removes: list[Gtk.Button] = []
        self._places: list[Gtk.Widget] = []
        self._title = heading(say(row.title))
        self.more = _button(say(row.add), say(row.tip))
        self.more.set_halign(Gtk.Align.START)
        self.more.connect("clicked", lambda _: actions.add_entry(row.name))
        self._rows = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        for part in (self._title, self._rows, self.more):
            self.pack_start(part, False, False, 0)
        self._rows.show()
        self.more.show()

    def show_list(self, view: ListView) -> None:
        """Take over a list; entries that are there already keep their cursor."""
        self.set_visible(view.applies)
        while len(self.forms) > len(view.entries):
            self.forms.pop()
            self.removes.pop()
            self._places.pop().destroy()
        while len(self.forms) < len(view.entries):
            self._grow()
        for form, entry in zip(self.forms, view.entries, strict=True):
            form.show_fields(entry)
        self._title.set_visible(bool(view.entries))
        self.more.set_sensitive(view.can_add)

    def _grow(self) -> None:
        index = len(self.forms)
        columns = {
            name: row for name, row in self._row.fields.items() if name not in HIDDEN_COLUMNS
        }
        form = Form(_Cells(self._actions, self._row.name, index), self._updating, columns)
        form.set_hexpand(True)
        remove = Gtk.Button(label="✕", relief=Gtk.ReliefStyle.NONE, valign=Gtk.Align.START)
        make_narrow(remove)
        remove.set_tooltip_text(say("Remove"))
        remove.get_accessible().set_name(f"{say('Remove')}: {say(self._row.title)} {index + 1}")
        remove.connect("clicked", partial(self._remove, index))
        place = Gtk.Box(spacing=6)
        place.pack_start(form, True, True, 0)
        place.pack_start(remove, False, False, 0)
        self._rows.pack_start(place, False, False, 0)
        self.forms.append(form)
        self.removes.append(remove)
        self._places.append(place)
        self._tame(place)
        place.show_all()

    def _remove(self, index: int, _: Gtk.Button) -> None:
        self._actions.remove_entry(self._row.name, index)


def _button(words: str, tip: str) -> Gtk.Button:
    button = Gtk.Button(label=words)
    button.set_tooltip_text(tip)
    make_narrow(button)
    return button
