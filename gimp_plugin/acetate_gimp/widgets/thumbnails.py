"""Rows of thumbnails: results to choose from, and the history."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gdk, GLib, Gtk

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.view import Thumbnail
from widgets.pictures import picture

RESULT_SIDE = 72
HISTORY_SIDE = 48


class Strip(Gtk.ScrolledWindow):
    """Thumbnails side by side, each a button; `choose` is called with its place in the row.

    With `repeat` a menu on it asks to paint it again as it was. `peek` is called while the pointer
    or the keyboard is on one, `leave` afterwards.
    """

    def __init__(
        self,
        side: int,
        choose: Callable[[int], None],
        repeat: Callable[[int], None] | None = None,
        peek: Callable[[int], None] | None = None,
        leave: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._peek, self._leave = peek, leave
        self.set_policy(Gtk.PolicyType.AUTOMATIC, Gtk.PolicyType.NEVER)
        self._side, self._choose, self._repeat = side, choose, repeat
        self._shown: tuple[Thumbnail, ...] = ()
        self._row = Gtk.Box(spacing=4)
        self.add(self._row)

    def show_all_of(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        """Draw these, unless they stand there already; the keyboard stays where it is."""
        if thumbnails == self._shown:
            return
        self._shown = thumbnails
        children = self._row.get_children()
        focused = next((i for i, child in enumerate(children) if child.has_focus()), None)
        if children and self._leave is not None:
            self._goes()
        for child in children:
            child.destroy()
        for index, thumbnail in enumerate(thumbnails):
            self._row.pack_start(self._button(index, thumbnail), False, False, 0)
        self._row.show_all()
        if focused is not None and focused < len(thumbnails):
            self._row.get_children()[focused].grab_focus()

    def _button(self, index: int, thumbnail: Thumbnail) -> Gtk.Button:
        button = Gtk.Button(relief=Gtk.ReliefStyle.NORMAL if thumbnail.shown else _FLAT)
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
        box.pack_start(picture(thumbnail.image, self._side, self._side), False, False, 0)
        mark = _mark(thumbnail)
        if mark:
            label = Gtk.Label()
            label.set_markup(f"<small>{mark}</small>")
            box.pack_start(label, False, False, 0)
        button.add(box)
        tip = " · ".join(words for words in (thumbnail.tip, thumbnail.warning) if words)
        button.set_tooltip_text(tip)
        button.get_accessible().set_name(tip or "Thumbnail")
        button.connect("clicked", lambda _: self._choose(index))
        if self._peek is not None:
            for name in ("enter-notify-event", "focus-in-event"):
                button.connect(name, self._comes, index)
            for name in ("leave-notify-event", "focus-out-event"):
                button.connect(name, self._goes)
        if self._repeat is not None:
            button.connect("button-press-event", self._pressed, index)
            button.connect("popup-menu", lambda _: self._open_menu(index))
        return button

    def _comes(self, _: Gtk.Button, __: Gdk.Event, index: int) -> bool:
        # Not from here: what follows may take the button away.
        GLib.idle_add(self._later, lambda: self._peek(index) if self._peek else None)
        return False

    def _goes(self, *_: object) -> bool:
        GLib.idle_add(self._later, self._leave)
        return False

    def _later(self, act: Callable[[], None] | None) -> bool:
        if act is not None and self.get_realized():
            act()
        return False

    def _pressed(self, _: Gtk.Button, event: Gdk.EventButton, index: int) -> bool:
        if event.type == Gdk.EventType.BUTTON_PRESS and event.button == Gdk.BUTTON_SECONDARY:
            return self._open_menu(index)
        return False

    def _open_menu(self, index: int) -> bool:
        menu = Gtk.Menu()
        entries = (
            (say("_Take Over Its Settings"), self._choose),
            (say("_Paint It Again"), self._repeat),
        )
        for words, act in entries:
            entry = Gtk.MenuItem(label=words, use_underline=True)
            entry.connect("activate", lambda _, act=act: act(index) if act else None)
            menu.append(entry)
        menu.attach_to_widget(self._row.get_children()[index], None)
        menu.show_all()
        menu.popup_at_pointer(None)
        return True


_FLAT = Gtk.ReliefStyle.NONE


def _mark(thumbnail: Thumbnail) -> str:
    """In words, as a colour alone would not tell everybody."""
    if thumbnail.kept:
        return "kept"
    if thumbnail.shown:
        return "shown"
    return "check" if thumbnail.warning else ""


class Peeked(Gtk.EventBox):
    """Tells when the pointer comes to what is in it, and when it leaves."""

    def __init__(
        self, inner: Gtk.Widget, peek: Callable[[], None], leave: Callable[[], None]
    ) -> None:
        super().__init__(visible_window=False, no_show_all=True)
        self.add_events(Gdk.EventMask.ENTER_NOTIFY_MASK | Gdk.EventMask.LEAVE_NOTIFY_MASK)
        self.add(inner)
        inner.show()
        self.connect("enter-notify-event", self._soon, peek)
        self.connect("leave-notify-event", self._soon, leave)

    def _soon(self, _: Gtk.Widget, __: Gdk.Event, act: Callable[[], None]) -> bool:
        GLib.idle_add(self._now, act)
        return False

    def _now(self, act: Callable[[], None]) -> bool:
        if self.get_realized():
            act()
        return False
