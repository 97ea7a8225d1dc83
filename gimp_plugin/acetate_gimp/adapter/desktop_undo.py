"""GIMP's own undo. No plug-in may ask for it, but GIMP lends its menus' actions to the desktop.

They are on the session bus, where there is one (Linux): `org.gtk.Actions` of GLib's GApplication.
"""

from __future__ import annotations

import logging
from typing import Any

from gi.repository import Gimp, Gio, GLib

log = logging.getLogger("acetate.undo")

_ACTION = "edit-undo"
_PATH = "/org/gimp/GIMP"
_ACTIONS = "org.gtk.Actions"
_BUS = "org.freedesktop.DBus"
_BUS_PATH = "/org/freedesktop/DBus"
_MILLISECONDS = 2000


class DesktopUndo:
    """Ctrl+Z as in the window of the image that is in front; looks for GIMP at its first call."""

    def __init__(self) -> None:
        self._bus: Gio.DBusConnection | None = None
        self._gimp = ""
        self._looked = False

    def press(self) -> bool:
        """Undo the last step of the image in front; False where GIMP cannot be asked to."""
        if not self._looked:
            self._looked = True
            try:
                self._find()
            except GLib.Error as error:
                log.info("GIMP cannot be reached for an undo: %s", error.message)
        if self._bus is None or not self._gimp:
            return False
        words = GLib.Variant("(sava{sv})", (_ACTION, [], {}))
        self._bus.call(
            self._gimp, _PATH, _ACTIONS, "Activate", words, None,
            Gio.DBusCallFlags.NO_AUTO_START, _MILLISECONDS, None, None,
        )  # fmt: skip
        return True

    def _find(self) -> None:
        """Which of the connections is our GIMP, where it has that action. Raises GLib.Error."""
        self._bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
        for name in self._ask(_BUS, _BUS_PATH, _BUS, "ListNames")[0]:
            if name.startswith(":") and self._process(name) == Gimp.getpid():
                if _ACTION in self._ask(name, _PATH, _ACTIONS, "List")[0]:
                    self._gimp = name
                return

    def _process(self, name: str) -> int:
        words = GLib.Variant("(s)", (name,))
        try:
            number: int = self._ask(_BUS, _BUS_PATH, _BUS, "GetConnectionUnixProcessID", words)[0]
        except GLib.Error:
            return 0  # It has left meanwhile.
        return number

    def _ask(
        self, name: str, path: str, interface: str, method: str, words: GLib.Variant | None = None
    ) -> Any:
        assert self._bus is not None
        flags = Gio.DBusCallFlags.NO_AUTO_START
        return self._bus.call_sync(
            name, path, interface, method, words, None, flags, _MILLISECONDS, None
        ).unpack()
