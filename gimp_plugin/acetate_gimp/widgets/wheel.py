"""The mouse wheel scrolls the panel: it changes a field only while that has the keyboard."""

from __future__ import annotations

from gi.repository import Gdk, Gtk

_CHANGED_BY_WHEEL = (Gtk.SpinButton, Gtk.ComboBox, Gtk.Scale)
_STEP = 60.0


def tame(widget: Gtk.Widget) -> None:
    """Let the wheel pass over every field in a widget that has not the keyboard."""
    if isinstance(widget, _CHANGED_BY_WHEEL):
        widget.connect("scroll-event", _turned)
    elif isinstance(widget, Gtk.Container):
        widget.forall(tame)


def _turned(widget: Gtk.Widget, event: Gdk.EventScroll) -> bool:
    if widget.has_focus() or (isinstance(widget, Gtk.Container) and widget.get_focus_child()):
        return False
    around = widget.get_ancestor(Gtk.ScrolledWindow)
    if isinstance(around, Gtk.ScrolledWindow):
        height = around.get_vadjustment()
        height.set_value(height.get_value() + _STEP * _downwards(event))
    return True


def _downwards(event: Gdk.EventScroll) -> float:
    """How far the wheel was turned towards the hand: notches, or parts of one."""
    if event.direction == Gdk.ScrollDirection.SMOOTH:
        return event.delta_y
    return {Gdk.ScrollDirection.DOWN: 1.0, Gdk.ScrollDirection.UP: -1.0}.get(event.direction, 0.0)
