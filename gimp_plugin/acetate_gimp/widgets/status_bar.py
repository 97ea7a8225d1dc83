"""The lowest rows of the panel: a result without a document, and how things stand."""

from __future__ import annotations

from gi.repository import GLib, Gtk

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.view import Actions, OfferView, Severity, Status
from widgets.pictures import on_checkerboard
from widgets.setup_card import show_links

_DOTS: dict[Severity, str] = {
    "ready": "#4e9a06",
    "working": "#3584e4",
    "notice": "#e5a50a",
    "problem": "#e01b24",
}
# Letters, because they grow with the editor's font and need no icon theme.
_TURNING = "◐◓◑◒"
_TURN_EVERY = 160
_OFFER_SIDE = 56
_BESIDE = 10
"""Letters of a button that has room beside the sentence."""


class StatusLine(Gtk.Box):
    """A dot (it turns while something is going on), a sentence with its links, and one button.

    A short button stands beside the sentence, a long one below, where it leaves room for it.
    """

    def __init__(self, actions: Actions) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=4)
        self._status: Status | None = None
        self._dot = Gtk.Label(valign=Gtk.Align.CENTER, width_chars=2)
        self._turn = 0
        self._turning = 0
        self._sentence = _sentence()
        self._button = Gtk.Button(valign=Gtk.Align.CENTER, use_underline=True)
        self._button.connect("clicked", lambda _: actions.press_status_button())
        self._links = Gtk.Label(xalign=0, wrap=True, no_show_all=True)
        self._line, self._below = Gtk.Box(spacing=6), Gtk.Box(spacing=6, no_show_all=True)
        self._line.pack_start(self._dot, False, False, 0)
        self._line.pack_start(self._sentence, True, True, 0)
        self._line.pack_end(self._button, False, False, 0)
        self._below.pack_start(self._links, True, True, 0)
        self.pack_start(self._line, False, False, 0)
        self.pack_start(self._below, False, False, 0)

    def show(self, status: Status) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take over a status."""
        if status == self._status:
            return
        self._status = status
        working = status.severity == "working"
        self._mark("●", status.severity)
        if working and not self._turning:
            self._turning = GLib.timeout_add(_TURN_EVERY, self._turn_on)
        self._sentence.set_text(status.sentence)
        self.set_tooltip_text(status.details or None)
        self._button.set_visible(status.button is not None)
        show_links(self._links, status.links)
        self._links.set_visible(bool(status.links))
        long = status.button is not None and len(status.button.label) > _BESIDE
        if status.button is not None:
            self._button.set_label(f"_{status.button.label}")
            self._place_button(self._below if long else self._line)
        self._below.set_visible(long or bool(status.links))

    @property
    def has_keyboard(self) -> bool:
        """Whether its button is seen and has the keyboard, as after a press."""
        return self._button.get_visible() and self._button.has_focus()

    def _place_button(self, box: Gtk.Box) -> None:
        before = self._button.get_parent()
        if before is not box:
            before.remove(self._button)
            box.pack_end(self._button, False, False, 0)

    def _turn_on(self) -> bool:
        working = self._status is not None and self._status.severity == "working"
        if working:
            self._turn = (self._turn + 1) % len(_TURNING)
            self._mark(_TURNING[self._turn], "working")
        else:
            self._turning = 0
        return working

    def _mark(self, sign: str, severity: Severity) -> None:
        self._dot.set_markup(f'<span foreground="{_DOTS[severity]}">{sign}</span>')


class OfferRow(Gtk.Box):
    """A finished result whose document was closed, and what can be done with it."""

    def __init__(self, actions: Actions) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._offer: OfferView | None = None
        self._picture, self._sentence = Gtk.Image(), _sentence()
        above = Gtk.Box(spacing=6)
        below = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        above.pack_start(self._picture, False, False, 0)
        above.pack_start(self._sentence, True, True, 0)
        self._insert, self._dismiss = (Gtk.Button(use_underline=True) for _ in range(2))
        self._insert.connect("clicked", lambda _: actions.insert_offer())
        self._dismiss.connect("clicked", lambda _: actions.dismiss_offer())
        below.pack_start(self._insert, True, True, 0)
        below.pack_start(self._dismiss, False, False, 0)
        self.pack_start(above, False, False, 0)
        self.pack_start(below, False, False, 0)
        for child in (above, below):
            child.show_all()

    def show(self, offer: OfferView | None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take over an offer, or none."""
        self.set_visible(offer is not None)
        if offer is None or offer == self._offer:
            return
        self._offer = offer
        self._insert.set_sensitive(offer.insertable)
        self._picture.set_from_pixbuf(on_checkerboard(offer.image, _OFFER_SIDE, _OFFER_SIDE))
        self._sentence.set_text(offer.sentence)
        # The label may be long; a tooltip holds all of it where the panel is narrow.
        self._insert.set_label(say("I_nsert"))
        self._insert.set_tooltip_text(offer.insert_label)
        self._dismiss.set_label(offer.dismiss_label.replace("m", "_m", 1))


def _sentence() -> Gtk.Label:
    label = Gtk.Label(wrap=True, xalign=0, selectable=False)
    label.set_line_wrap_mode(2)
    label.set_width_chars(14)
    label.set_max_width_chars(40)
    return label
