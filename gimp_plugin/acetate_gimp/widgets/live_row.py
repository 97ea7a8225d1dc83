"""The switch of the live preview, its Keep, and the picture with what is seen in its place."""

from __future__ import annotations

from gi.repository import Gtk

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.preview_view import InPlaceView, LiveView
from acetate_bridge.panel.view import Actions
from widgets.pictures import in_place
from widgets.signal_guard import Updating
from widgets.style import make_quiet

_WIDEST, _HIGHEST = 900, 640
_MARGIN = 40


class LiveRow(Gtk.Box):
    """Stands below the button that generates."""

    def __init__(self, actions: Actions, updating: Updating) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6, no_show_all=True)
        self.switch = Gtk.CheckButton(label=say("_Live"), use_underline=True)
        self.switch.connect(
            "toggled", updating.guard(lambda switch: actions.set_live(switch.get_active()))
        )
        self.keep = Gtk.Button(label=say("Keep the preview"))
        self.keep.set_tooltip_text(say("Put the live preview into the image as a layer"))
        self.keep.connect("clicked", lambda _: actions.keep_live())
        self._sentence = Gtk.Label(wrap=True, xalign=0, width_chars=20, max_width_chars=48)
        make_quiet(self._sentence)
        row = Gtk.Box(spacing=6)
        row.pack_start(self.switch, True, True, 0)
        row.pack_start(self.keep, False, False, 0)
        self.pack_start(row, False, False, 0)
        self.pack_start(self._sentence, False, False, 0)
        for each in (row, self.switch, self):
            each.show()

    def show_view(self, view: LiveView) -> None:
        """Take over how it stands."""
        can = view.on or view.offered
        self.switch.set_active(view.on)
        self.switch.set_sensitive(can)
        tip = say("Repaint the active layer as a preview whenever the hand rests")
        self.switch.set_tooltip_text(tip if can else view.why_not)
        self.keep.set_visible(view.on)
        self.keep.set_sensitive(view.can_keep)
        self._sentence.set_text(view.sentence)
        self._sentence.set_visible(view.on and bool(view.sentence))


class InPlace(Gtk.ScrolledWindow):
    """GIMP lets nobody draw on its canvas: the panel shows that part of the picture instead.

    It takes the width that there is, and asks for none.
    """

    def __init__(self) -> None:
        super().__init__(no_show_all=True)
        self.set_policy(Gtk.PolicyType.EXTERNAL, Gtk.PolicyType.NEVER)
        self.image = Gtk.Image(visible=True)
        self.add(self.image)
        self.get_child().show()
        self.shown: InPlaceView | None = None

    def show_view(self, view: InPlaceView | None, room: int) -> None:
        """Show this, as wide as there is room."""
        self.set_visible(view is not None)
        if view is not None and view is not self.shown:
            width = min(_WIDEST, max(64, room - _MARGIN))
            self.image.set_from_pixbuf(in_place(view, width, _HIGHEST))
        self.shown = view
