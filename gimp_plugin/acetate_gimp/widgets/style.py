"""The few looks of the panel that GIMP's theme does not have, readable in dark and bright."""

from __future__ import annotations

from gi.repository import Gdk, Gtk

QUIET = "acetate-quiet"
"""For words that explain: weaker than the others, and still easy to read."""

_CSS = f"""
.{QUIET} {{ opacity: 0.8; }}
""".encode("ascii")


def add_style() -> None:
    """Once for each process, before the first widget is shown."""
    provider = Gtk.CssProvider()
    provider.load_from_data(_CSS)
    screen = Gdk.Screen.get_default()
    if screen is not None:
        priority = Gtk.STYLE_PROVIDER_PRIORITY_APPLICATION
        Gtk.StyleContext.add_provider_for_screen(screen, provider, priority)


def make_quiet(label: Gtk.Label) -> None:
    """These words explain."""
    label.get_style_context().add_class(QUIET)
