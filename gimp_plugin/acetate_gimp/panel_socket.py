"""How other calls of the plug-in reach the open panel: a socket on this machine, behind a token.

A temporary procedure, GIMP's own way, would end the panel when it is called while pixels are on
their way: libgimp finds the call where it waits for the answer to a tile, and gives up.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import queue
import secrets
import socket
import threading
from typing import Any, Protocol

from gi.repository import Gimp, GLib

from acetate_bridge.panel.view import Actions, PanelView
from acetate_bridge.protocol.json_text import read_json
from adapter.metadata import data_of

log = logging.getLogger("acetate.panel")

ADDRESS = "acetate-panel"
"""Where GIMP keeps port and token of its open panel, for as long as it runs."""

_SECONDS = 10.0
_LONGEST = 65536


class Window(Protocol):
    """What can be asked of the open panel."""

    @property
    def controller(self) -> Actions: ...

    def turn_to(self, image: Gimp.Image | None, mode: str) -> None: ...


class Listener:
    """Answers calls on the main loop for as long as the window is open.

    It is there before the window is: a second call that comes meanwhile waits for it.
    """

    def __init__(self) -> None:
        self.window: Window | None = None
        self._token = secrets.token_hex(32)
        self._socket = socket.create_server(("127.0.0.1", 0))
        word = {"port": self._socket.getsockname()[1], "token": self._token}
        Gimp.attach_parasite(Gimp.Parasite.new(ADDRESS, 0, json.dumps(word).encode("ascii")))
        threading.Thread(target=self._listen, name="acetate calls", daemon=True).start()

    def close(self) -> None:
        """The window is closed: the next call opens another."""
        Gimp.detach_parasite(ADDRESS)
        self._socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with contextlib.suppress(OSError, ValueError, AttributeError, queue.Empty):
                    self._hear(connection)

    def _hear(self, connection: socket.socket) -> None:
        connection.settimeout(_SECONDS)
        with connection, connection.makefile("rwb") as stream:
            wish: Any = read_json(stream.readline(_LONGEST))
            token = str(wish.get("token", "")).encode()
            if not hmac.compare_digest(token, self._token.encode()):
                return
            answers: queue.Queue[dict[str, Any]] = queue.Queue()
            GLib.idle_add(self._answer, wish, answers, priority=GLib.PRIORITY_DEFAULT)
            stream.write(json.dumps(answers.get(timeout=_SECONDS)).encode() + b"\n")

    def _answer(self, wish: dict[str, Any], answers: queue.Queue[dict[str, Any]]) -> bool:
        window = self.window
        if window is None:
            return False
        try:
            if "mode" in wish:
                number = int(wish.get("image", -1))
                image = Gimp.Image.get_by_id(number) if Gimp.Image.id_is_valid(number) else None
                window.turn_to(image, str(wish["mode"]))
            answers.put(_status(window.controller.view))
        except Exception:
            log.exception("a call could not be answered")
        return False


def ask_panel(**wish: object) -> dict[str, Any] | None:
    """What the open panel of this GIMP says, after it has done what is wished; None without one.

    `mode` and `image` (an id) turn it to a mode (empty: as it is) and an image.
    """
    if ADDRESS not in Gimp.get_parasite_list():
        return None
    try:
        word = json.loads(data_of(Gimp.get_parasite(ADDRESS)))
        with (
            socket.create_connection(("127.0.0.1", word["port"]), _SECONDS) as connection,
            connection.makefile("rwb") as stream,
        ):
            stream.write(json.dumps({**wish, "token": word["token"]}).encode() + b"\n")
            stream.flush()
            found: dict[str, Any] = read_json(stream.readline(_LONGEST))
            return found
    except (OSError, ValueError, KeyError):
        return None


def _status(view: PanelView) -> dict[str, Any]:
    """What the panel says at the moment."""
    return {
        "status": view.status.sentence,
        "button": view.status.button.label if view.status.button is not None else "",
        "progress": view.progress.words if view.progress is not None else "",
        "offer": view.offer.sentence if view.offer is not None else "",
        "plan": view.sentence,
        "running": view.running,
        "live": view.live.on,
        "in_place": view.in_place.job if view.in_place is not None else "",
    }
