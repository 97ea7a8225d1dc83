"""The few looks of the panel that GIMP's theme does not have, readable in dark and bright."""

from __future__ import annotations

from gi.repository import Gdk, Gtk

QUIET = "acetate-quiet"
"""For words that explain: weaker than the others, and still easy to read."""
SMALL = "acetate-small"
NARROW = "acetate-narrow"

_CSS = f"""
.{QUIET} {{ opacity: 0.8; }}
.{SMALL} {{ font-size: smaller; }}
.{NARROW} {{ padding-left: 5px; padding-right: 5px; min-width: 0; }}
spinbutton.{NARROW} {{ padding: 0; }}
spinbutton.{NARROW} button {{ padding: 0 3px; min-width: 16px; }}
""".encode("ascii")


def add_style() -> None:
    """Once for each process, before the first widget is shown."""
    provider = Gtk.CssProvider()
    provider.load_from_data(_CSS)
    screen = Gdk.Screen.get_default()
    if screen is not None:
        priority = Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION
        Gtk.StyleContext.add_provider_for_screen(screen, provider, priority)


def make_small(label: Gtk.Label) -> None:
    """These words are beside others."""
    label.get_style_context().add_class(SMALL)


def make_narrow(widget: Gtk.Widget) -> None:
    """This button or number takes no more room than its words."""
    widget.get_style_context().add_class(NARROW)


def heading(words: str) -> Gtk.Label:
    """The name of a part of the panel."""
    label = Gtk.Label(xalign=0)
    label.set_markup(f"<b>{words}</b>")
    return label


def make_quiet(label: Gtk.Label) -> None:
    """These words explain."""
    label.get_style_context().add_class(QUIET)
