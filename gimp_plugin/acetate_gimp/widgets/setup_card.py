"""The card of what is in place: a row for each part or model, with the one button that mends it."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gdk, GLib, Gtk

from acetate_bridge.panel.setup_view import Hyperlink, SetupRow
from acetate_bridge.panel.view import Actions
from widgets.style import make_quiet, make_small

_GOOD, _BAD = "●", "○"


class SetupCard(Gtk.Box):
    """Rows below each other, drawn anew only where they differ."""

    def __init__(self, actions: Actions) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=8, no_show_all=True)
        self._actions = actions
        self._rows: dict[str, tuple[SetupRow, Gtk.Widget]] = {}

    def show_rows(self, rows: tuple[SetupRow, ...]) -> None:
        """Take over these rows, in their order; one that stays as it is keeps the keyboard."""
        keys = {row.key for row in rows}
        for key in [each for each in self._rows if each not in keys]:
            self._rows.pop(key)[1].destroy()
        for place, row in enumerate(rows):
            before = self._rows.get(row.key)
            if before is None or before[0] != row:
                if before is not None:
                    before[1].destroy()
                widget = _draw(row, self._press)
                self._rows[row.key] = (row, widget)
                self.pack_start(widget, False, False, 0)
                widget.show_all()
            self.reorder_child(self._rows[row.key][1], place)

    def _press(self, row: SetupRow) -> None:
        if row.button is not None and row.button.action == "copy":
            Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text(row.command, -1)
        else:
            self._actions.press_setup_button(row.key)


def links_label(links: tuple[Hyperlink, ...]) -> Gtk.Label:
    """Words that open their addresses in the browser."""
    label = Gtk.Label(xalign=0, wrap=True)
    show_links(label, links)
    return label


def show_links(label: Gtk.Label, links: tuple[Hyperlink, ...]) -> None:
    """Let a label show these links."""
    parts = [
        f'<a href="{GLib.markup_escape_text(each.address)}">'
        f"{GLib.markup_escape_text(each.words)}</a>"
        for each in links
    ]
    label.set_markup(" · ".join(parts))


def _draw(row: SetupRow, press: Callable[[SetupRow], None]) -> Gtk.Widget:
    column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
    head = _text("")
    # The mark differs in shape as well, for whoever sees no colours.
    mark = _GOOD if row.good else _BAD
    name = GLib.markup_escape_text(row.name)
    state = f": {GLib.markup_escape_text(row.state)}" if row.state else ""
    head.set_markup(f"{mark} <b>{name}</b>{state}")
    column.pack_start(head, False, False, 0)
    if row.share is not None:
        bar = Gtk.ProgressBar(fraction=min(1.0, max(0.0, row.share)))
        column.pack_start(bar, False, False, 0)
    words = _text(row.words)
    make_quiet(words)
    make_small(words)
    column.pack_start(words, False, False, 0)
    if row.facts or row.links:
        facts = Gtk.Box(spacing=6)
        if row.facts:
            size = Gtk.Label(label=row.facts, xalign=0, wrap=True)
            make_small(size)
            facts.pack_start(size, False, False, 0)
        if row.links:
            links = links_label(row.links)
            make_small(links)
            facts.pack_start(links, False, False, 0)
        column.pack_start(facts, False, False, 0)
    if row.button is not None:
        button = Gtk.Button(label=row.button.label, halign=Gtk.Align.START)
        button.set_tooltip_text(row.command or None)
        button.get_accessible().set_name(f"{row.button.label}: {row.name}")
        button.connect("clicked", lambda _: press(row))
        column.pack_start(button, False, False, 0)
    return column


def _text(words: str) -> Gtk.Label:
    return Gtk.Label(label=words, xalign=0, wrap=True, width_chars=16, max_width_chars=46)
