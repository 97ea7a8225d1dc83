"""The window of the panel, in a process that lives as long as it is open."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("GimpUi", "3.0")
from gi.repository import Gdk, Gimp, GimpUi, GLib, Gtk  # noqa: E402

from acetate_bridge.panel.controller import Controller  # noqa: E402
from acetate_bridge.panel.settings import settings_file  # noqa: E402
from acetate_bridge.panel.view import PanelView, Status  # noqa: E402
from adapter.desktop_undo import DesktopUndo  # noqa: E402
from adapter.documents import traces  # noqa: E402
from adapter.editor import GimpEditor  # noqa: E402
from panel_socket import Listener  # noqa: E402
from widgets.image_chooser import WHICH, ImageChooser  # noqa: E402
from widgets.panel import Panel  # noqa: E402

log = logging.getLogger("acetate.panel")

_WIDTH, _HEIGHT = 360, 560
_LOOK_EVERY = 700
_AROUND = 0.25
"""How much of the picture is shown beside a preview, as a share of its longer side."""


def run_panel(plugin: Gimp.PlugIn, listener: Listener, image: Gimp.Image | None, mode: str) -> None:
    """Open the panel and stay until it is closed."""
    GimpUi.init("acetate")
    window = PanelWindow()
    window.turn_to(image, mode)
    listener.window = window
    # So that GIMP can tell it to leave.
    plugin.persistent_enable()
    Gtk.main()
    listener.close()
    window.controller.stop()


def _open_images() -> set[int]:
    return {image.get_id() for image in Gimp.get_images()}


def _asking(view: PanelView) -> PanelView:
    """The same while nobody knows in which image the painter is."""
    return replace(
        view,
        sentence=WHICH,
        can_generate=False,
        why_not=WHICH,
        status=Status(WHICH, "notice"),
    )


class PanelWindow(Gtk.Window):
    """Holds controller, panel and the image chooser together."""

    def __init__(self) -> None:
        super().__init__(title="Acetate")
        self.set_role("acetate-panel")
        self.set_type_hint(Gdk.WindowTypeHint.UTILITY)
        self.set_default_size(_WIDTH, _HEIGHT)
        self._open = False
        self.editor = GimpEditor()
        self.editor.hand.at_panel = self.is_active
        self.controller = Controller(self.editor, settings_file(), self._draw)
        self.controller.around = _AROUND
        self.controller.open_address = self._show_address
        self.panel = Panel(self.controller)
        self._undo = DesktopUndo()
        self._sent: str | None = None
        self._images = ImageChooser(self._choose_image)
        self._seen: Any = None
        self._deeds = 0
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        column.pack_start(self._images, False, False, 0)
        column.pack_start(self.panel, True, True, 0)
        column.show()
        self.add(column)
        self.connect("destroy", self._leave)
        self.connect("key-press-event", self._key)
        self.connect("focus-in-event", lambda *_: self.controller.refresh())
        GimpUi.window_set_transient(self)
        self._open = True
        self._draw(self.controller.view)
        self.controller.start()
        GLib.timeout_add(_LOOK_EVERY, self._look)

    def turn_to(self, image: Gimp.Image | None, mode: str) -> None:
        """A menu entry was chosen on this image."""
        if image is not None:
            self.editor.attention.turn_to(image)
        if mode:
            self.controller.set_mode(mode)
        self.controller.refresh()
        self.present_with_time(Gdk.CURRENT_TIME)
        self.panel.prompts.text.grab_focus()

    def _draw(self, view: Any) -> None:
        # Views come while the controller is still being made, and when the widgets are gone.
        if self._open:
            unsure = self.editor.attention.unsure
            self.panel.draw(_asking(view) if unsure else view)

    def _look(self) -> bool:
        """Notice what the painter did in GIMP, which tells nobody."""
        if not self._open:
            return False
        there = _open_images()
        try:
            self._follow()
        except Exception:
            # One that is closed while it is read answers with nothing; the next look knows more.
            if _open_images() == there:
                log.exception("the images could not be looked at")
        return True

    def _follow(self) -> None:
        attention = self.editor.attention
        image = attention.image()
        seen = (image.get_id(), traces(image)) if image is not None else attention.unsure
        if image is not None:
            self.editor.hand.watch(image, changed=seen != self._seen)
        self._images.show_images(attention, image)
        # What was discarded and undone between two looks is as it was before.
        if (seen, self.editor.deeds) != (self._seen, self._deeds):
            self._seen, self._deeds = seen, self.editor.deeds
            self.controller.refresh()

    def _show_address(self, address: str) -> bool:
        try:
            return Gtk.show_uri_on_window(self, address, Gdk.CURRENT_TIME)
        except GLib.Error:
            return False

    def _leave(self, _: Gtk.Widget) -> None:
        self._open = False
        self.panel.settings.destroy()
        Gtk.main_quit()

    def _choose_image(self, image: Gimp.Image) -> None:
        self.editor.attention.turn_to(image)
        self.controller.refresh()

    def _key(self, _: Gtk.Widget, event: Gdk.EventKey) -> bool:
        control = event.state & Gdk.ModifierType.CONTROL_MASK
        if control and event.keyval in (Gdk.KEY_Return, Gdk.KEY_KP_Enter):
            self.panel.prompts.completer.close()
            self.controller.generate()
            self._sent = self.controller.view.prompt
            return True
        shift = event.state & Gdk.ModifierType.SHIFT_MASK
        if control and not shift and event.keyval in (Gdk.KEY_z, Gdk.KEY_Z):
            # Nothing was typed since it was sent: it is the layer that shall go, not the words.
            meant = self._sent == self.controller.view.prompt
            return meant and self._knows_image() and self._undo.press()
        offered = self.panel.prompts.completer.open
        if event.keyval == Gdk.KEY_Escape and self.panel.running and not offered:
            self.controller.cancel()
            return True
        return False

    def _knows_image(self) -> bool:
        """Whether GIMP's own undo is certain to mean the image of this panel."""
        attention = self.editor.attention
        image = attention.image()
        return image is not None and (attention.sees or len(attention.images) == 1)
