"""Names that fit what is being written: a list below the cursor that never takes the keyboard."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gdk, Gtk

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.completion import Completion

Complete = Callable[[str, int], "tuple[Completion, ...]"]
"""The names that fit before the cursor of a text."""

_TAKEN = (Gdk.KEY_Return, Gdk.KEY_KP_Enter, Gdk.KEY_Tab)
_STEPS = {Gdk.KEY_Down: 1, Gdk.KEY_Up: -1}
_MODIFIERS = (
    Gdk.ModifierType.CONTROL_MASK | Gdk.ModifierType.SHIFT_MASK | Gdk.ModifierType.MOD1_MASK
)


class Completer:
    """Offers names in a text: arrows choose one, Tab, Enter or a click takes it, Escape none."""

    def __init__(self, text: Gtk.TextView, complete: Complete) -> None:
        self._text, self._complete = text, complete
        self._found: tuple[Completion, ...] = ()
        self.list = Gtk.ListBox(activate_on_single_click=True)
        self.list.get_accessible().set_name(say("Names that fit"))
        self.list.connect("row-activated", lambda _, row: self._take(row.get_index()))
        self.popover = Gtk.Popover(relative_to=text, modal=False, position=Gtk.PositionType.BOTTOM)
        self.popover.add(self.list)
        text.get_buffer().connect_after("changed", lambda _: self._look())
        text.get_buffer().connect("notify::cursor-position", lambda *_: self._moved())
        text.connect("key-press-event", self._pressed)
        text.connect("focus-out-event", self._left)

    @property
    def open(self) -> bool:
        """Whether the list is to be seen."""
        return self.popover.get_visible()

    def close(self) -> None:
        """Offer nothing until something is typed again."""
        self.popover.hide()

    def _pressed(self, _: Gtk.TextView, event: Gdk.EventKey) -> bool:
        if not self.open or event.state & _MODIFIERS:
            return False
        selected = self.list.get_selected_row()
        row = selected.get_index() if selected is not None else 0
        if event.keyval in _TAKEN:
            self._take(row)
        elif event.keyval == Gdk.KEY_Escape:
            self.popover.hide()
        elif event.keyval in _STEPS:
            row = (row + _STEPS[event.keyval]) % max(1, len(self._found))
            self.list.select_row(self.list.get_row_at_index(row))
        else:
            return False
        return True

    def _left(self, *_: object) -> bool:
        self.popover.hide()
        return False

    def _moved(self) -> None:
        if self.open:
            self._look()

    def _look(self) -> None:
        if not self._text.is_focus():
            self.popover.hide()
            return
        buffer = self._text.get_buffer()
        written = buffer.get_text(*buffer.get_bounds(), False)
        self._found = self._complete(written, buffer.props.cursor_position)
        for row in self.list.get_children():
            self.list.remove(row)
        for each in self._found:
            words = f"{each.name}  ·  {each.detail}" if each.detail else each.name
            label = Gtk.Label(label=words, xalign=0, max_width_chars=40, ellipsize=3)
            label.set_margin_start(6)
            label.set_margin_end(6)
            self.list.add(label)
        if not self._found:
            self.popover.hide()
            return
        self.list.show_all()
        self.list.select_row(self.list.get_row_at_index(0))
        self._place(buffer)
        self.popover.show()

    def _place(self, buffer: Gtk.TextBuffer) -> None:
        spot = self._text.get_iter_location(buffer.get_iter_at_mark(buffer.get_insert()))
        spot.x, spot.y = self._text.buffer_to_window_coords(
            Gtk.TextWindowType.WIDGET, spot.x, spot.y
        )
        spot.width = max(1, spot.width)
        self.popover.set_pointing_to(spot)

    def _take(self, row: int) -> None:
        if not 0 <= row < len(self._found):
            return
        chosen, buffer = self._found[row], self._text.get_buffer()
        buffer.begin_user_action()
        buffer.delete(
            buffer.get_iter_at_offset(chosen.start), buffer.get_iter_at_offset(chosen.end)
        )
        buffer.insert(buffer.get_iter_at_offset(chosen.start), chosen.text)
        buffer.end_user_action()
        buffer.place_cursor(buffer.get_iter_at_offset(chosen.start + len(chosen.text)))
        self.popover.hide()
