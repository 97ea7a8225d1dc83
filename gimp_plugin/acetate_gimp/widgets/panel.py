"""The panel: a column of widgets that draws a `PanelView` and passes on what the painter does."""

from __future__ import annotations

from gi.repository import GLib, Gtk, Pango

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.lists import LISTS
from acetate_bridge.panel.view import Actions, Choice, PanelView
from acetate_bridge.protocol.types import Image
from widgets.guides import Entries, Guides
from widgets.live_row import InPlace, LiveRow
from widgets.pictures import on_checkerboard
from widgets.prompts import Prompts
from widgets.queue import Queue
from widgets.settings_dialog import SettingsDialog
from widgets.settings_form import Details
from widgets.setup_card import SetupCard
from widgets.signal_guard import Updating
from widgets.status_bar import OfferRow, StatusLine
from widgets.style import add_style, heading, make_narrow, make_quiet
from widgets.thumbnails import HISTORY_SIDE, RESULT_SIDE, Peeked, Strip
from widgets.wheel import tame

_PREVIEW_SIDE = 224
_NAME, _MARKUP, _AVAILABLE = range(3)


class Panel(Gtk.Box):
    """Everything between the window's edges, from the mode down to the status line."""

    def __init__(self, actions: Actions) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self.set_border_width(6)
        add_style()
        self._actions, self._updating = actions, Updating()
        self._choices: tuple[Choice, ...] = ()
        self._preview_shown: Image | None = None
        self._view = PanelView()

        self._modes = Gtk.ListStore(str, str, bool)
        self._mode = Gtk.ComboBox(model=self._modes, popup_fixed_width=False)
        self._mode.set_id_column(_NAME)
        cell = Gtk.CellRendererText(ellipsize=Pango.EllipsizeMode.END)
        self._mode.pack_start(cell, True)
        self._mode.add_attribute(cell, "markup", _MARKUP)
        self._mode.add_attribute(cell, "sensitive", _AVAILABLE)
        self._mode.get_accessible().set_name("What to do")
        self._mode.connect("changed", self._updating.guard(self._choose_mode))
        self.settings = SettingsDialog(actions, self._updating)
        self._more = self._make_settings_button()
        top = Gtk.Box(spacing=6)
        top.pack_start(self._mode, True, True, 0)
        top.pack_start(self._more, False, False, 0)
        self._card = SetupCard(actions)
        self.prompts = Prompts(actions, self._updating)
        self.details = Details(actions, self._updating)
        self.guides = Guides(actions, self._updating, tame)
        self.then = Entries(actions, self._updating, LISTS["then"], tame)
        self._sentence = Gtk.Label(wrap=True, xalign=0, width_chars=20, max_width_chars=48)
        make_quiet(self._sentence)
        self.button = Gtk.Button(label=say("_Generate"), use_underline=True)
        self.button.connect("clicked", lambda _: actions.generate())
        self._again = Gtk.Button(label=say("Paint Ane_w"), use_underline=True, no_show_all=True)
        self._again.set_tooltip_text(
            say("Paint the active layer anew from its recipe, in its place")
        )
        self._again.connect("clicked", lambda _: actions.regenerate())
        buttons = Gtk.Box(spacing=6)
        buttons.pack_start(self.button, True, True, 0)
        buttons.pack_start(self._again, False, False, 0)

        self.live, self.in_place = LiveRow(actions, self._updating), InPlace()
        self._queue = Queue(actions)
        self._preview = Gtk.Image()
        self._preview_box = Peeked(self._preview, actions.peek_preview, actions.peek_nothing)
        self._results = Strip(
            RESULT_SIDE, actions.swap, peek=actions.peek, leave=actions.peek_nothing
        )
        self.history = Strip(HISTORY_SIDE, actions.restore, actions.repeat)
        self._result_rows = self._make_result_rows()
        self._history_rows = (heading(say("History")), self.history)
        self._offer, self._status = OfferRow(actions), StatusLine(actions)

        inner = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        for widget in (
            top,
            self._card,
            self.prompts,
            self.then,
            self.details,
            self.guides,
            self._sentence,
            buttons,
            self.live,
            self._preview_box,
            *self._result_rows,
            self.in_place,
            self._offer,
            *self._history_rows,
        ):
            inner.pack_start(widget, False, False, 0)
        scrolled = Gtk.ScrolledWindow()
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_propagate_natural_height(True)
        # A bar of its own does not lie over the fields.
        scrolled.set_overlay_scrolling(False)
        scrolled.add(inner)
        # So that the prompt grows where there is no room, too.
        scrolled.get_child().set_vscroll_policy(Gtk.ScrollablePolicy.NATURAL)
        self.pack_start(scrolled, True, True, 0)
        self.pack_start(Gtk.Separator(), False, False, 0)
        self.pack_start(self._queue, False, False, 0)
        self.pack_start(self._status, False, False, 0)
        tame(inner)
        self.show_all()

    @property
    def running(self) -> bool:
        """Whether a job can be cancelled."""
        return self._view.running

    def draw(self, view: PanelView) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take over a view."""
        self._view = view
        with self._updating.going_on():
            self._draw_modes(view)
            self.prompts.show(view)
            self.then.show_list(view.lists["then"])
            self.details.show(view)
            self.guides.show(view)
            self._sentence.set_text(view.sentence)
            self._draw_button(view)
            self._queue.show_jobs(view.queue)
            self._draw_preview(view)
            self.live.show_view(view.live)
            self.in_place.show_view(view.in_place, self.get_allocated_width())
            self._results.show_all_of(view.results)
            self.history.show_all_of(view.history)
            for rows, there in (
                (self._result_rows, bool(view.results)),
                (self._history_rows, bool(view.history)),
            ):
                for row in rows:
                    row.set_visible(there)
            self._draw_keep(view)
            self._offer.show(view.offer)
            pressed = self._status.has_keyboard
            self._status.show(view.status)
            if pressed and not self._status.has_keyboard:
                self.prompts.text.grab_focus()
            self._card.show_rows(view.card_rows)
            self._card.set_visible(view.setup.pressing)
            self.settings.draw_view(view)

    def _draw_modes(self, view: PanelView) -> None:
        if view.modes != self._choices:
            self._choices = view.modes
            self._modes.clear()
            for choice in view.modes:
                self._modes.append([choice.name, _markup(choice), choice.choosable])
        if self._mode.get_active_id() != view.mode:
            self._mode.set_active_id(view.mode)
        chosen = next((each for each in view.modes if each.name == view.mode), None)
        self._mode.set_tooltip_text((chosen.reason if chosen else "") or say("What to do"))

    def _draw_button(self, view: PanelView) -> None:
        self.button.set_sensitive(view.can_generate)
        self.button.set_tooltip_text("Ctrl+Enter" if view.can_generate else view.why_not)
        self._again.set_visible(view.can_regenerate)
        self._try.set_sensitive(view.can_try_again)

    def _make_settings_button(self) -> Gtk.Button:
        button = Gtk.Button.new_from_icon_name("preferences-system-symbolic", Gtk.IconSize.BUTTON)
        button.set_tooltip_text(say("Settings, and what is in place"))
        button.get_accessible().set_name("Settings")
        make_narrow(button)

        def open_settings(_: Gtk.Button) -> None:
            window = self.get_toplevel()
            self.settings.open(window if isinstance(window, Gtk.Window) else None)

        button.connect("clicked", open_settings)
        return button

    def _draw_preview(self, view: PanelView) -> None:
        self._preview_box.set_visible(view.preview is not None)
        if view.preview is not None and view.preview is not self._preview_shown:
            pixbuf = on_checkerboard(view.preview, _PREVIEW_SIDE, _PREVIEW_SIDE)
            self._preview.set_from_pixbuf(pixbuf)
        self._preview_shown = view.preview

    def _make_result_rows(self) -> tuple[Gtk.Widget, ...]:
        self._keep = Gtk.Button(label=say("_Keep"), use_underline=True)
        self._keep.set_tooltip_text(say("Let the shown result stay when another one is chosen"))
        self._keep.connect("clicked", lambda _: self._keep_shown())
        self._discard = Gtk.Button(label=say("_Discard"), use_underline=True)
        self._discard.set_tooltip_text(say("Take the shown result out of the image"))
        self._discard.connect("clicked", lambda _: self._actions.discard())
        self._try = Gtk.Button(label=say("Another _try"), use_underline=True)
        self._try.set_tooltip_text(say("The same once more, with another seed and the same source"))
        self._try.connect("clicked", lambda _: self._actions.another_try())
        head, row = Gtk.Box(spacing=6), Gtk.Box(spacing=6, homogeneous=True)
        head.pack_start(heading(say("Results")), True, True, 0)
        head.pack_start(self._try, False, False, 0)
        row.pack_start(self._keep, True, True, 0)
        row.pack_start(self._discard, True, True, 0)
        return head, self._results, row

    def _draw_keep(self, view: PanelView) -> None:
        self._keep.set_sensitive(any(each.shown and not each.kept for each in view.results))

    def _keep_shown(self) -> None:
        for index, each in enumerate(self._view.results):
            if each.shown and not each.kept:
                self._actions.keep(index)
                return

    def _choose_mode(self, box: Gtk.ComboBox) -> None:
        if box.get_active_id() is not None:
            self._actions.set_mode(box.get_active_id())


def _markup(choice: Choice) -> str:
    label = GLib.markup_escape_text(choice.label)
    if choice.available:
        return label
    return f"{label}  <small>{GLib.markup_escape_text(choice.reason)}</small>"
