"""The actions about the server itself: which one, what it has, its page, and its waiting jobs."""

from __future__ import annotations

import functools
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from acetate_bridge.client.address import session_url
from acetate_bridge.client.discovery import data_folder, log_file
from acetate_bridge.client.paths import config_folder
from acetate_bridge.editing.editor import Editor
from acetate_bridge.panel.adjusting import safely
from acetate_bridge.panel.asking import Asking
from acetate_bridge.panel.setup_card import setup_parts
from acetate_bridge.panel.setup_view import FolderView
from acetate_bridge.protocol.messages import Queue
from acetate_bridge.protocol.setup import Setup

_NO_BROWSER = "No browser could be opened: run acetate open in a terminal."


def editor_kind(editor: Editor) -> str:
    """The editor's name for a program: gimp, krita."""
    return editor.name.split()[0].lower() if editor.name else "editor"


class Equipping(Asking):
    """A part of the panel's actions; `open_address` shows an address in the browser."""

    open_address: Callable[[str], object] = staticmethod(webbrowser.open)

    def __init__(self, editor: Editor, settings_file: Path) -> None:
        super().__init__(editor, settings_file)
        self._setups_asked = 0
        self.known.folders = (
            FolderView("Settings", str(config_folder())),
            FolderView("Jobs and results", str(data_folder())),
            FolderView("Log of the server", str(log_file().parent)),
        )

    def connect(self) -> None:
        """Look for the server that is set now, and for no other."""
        raise NotImplementedError

    @safely
    def set_server(self, address: str, token_file: str) -> None:
        """Look for the server there."""
        address, token_file = address.strip(), token_file.strip()
        if address:
            session_url(address)
        now = self._preferences.current
        chosen = replace(now, server_address=address, token_file=token_file)
        if chosen != now:
            self._preferences.change(chosen)
            self._preferences.flush()
            if self._link is not None:
                self.connect()

    @safely
    def look_at_setup(self) -> None:
        """Look anew at what is in place."""
        self._look_at_parts()
        if self._link is not None:
            self._setups_asked += 1
            take = functools.partial(self.take_setup, self._setups_asked)
            self._link.ask_setup(
                lambda found, card: self._editor.call_soon(functools.partial(take, found, card))
            )

    @safely
    def take_setup(self, asked: int, found: Setup | None, card: str) -> None:
        """What the server, or this machine, says of itself; only the last that was asked counts.

        Who does not answer at once, a server that has gone, may answer after the next one.
        """
        if asked == self._setups_asked:
            self.known.setup, self.known.card = found, card

    @safely
    def press_setup_button(self, key: str) -> None:
        """Do what the button of this row says."""
        rows = {row.key: row for row in (*self._view.setup.parts, *self._view.setup.models)}
        row = rows.get(key)
        if row is None or row.button is None or self._link is None:
            return
        model = key.removeprefix("model ")
        if row.button.action == "start_server":
            self._link.start_server()
        elif row.button.action == "update":
            self.say("The plug-in is being updated.")
            self._link.update_plugin(
                editor_kind(self._editor),
                lambda said: self._editor.call_soon(lambda: self._say_later(said)),
            )
        elif row.button.action == "pause":
            self._link.pause(model)
        elif row.button.action == "pull":
            known = self.known.offer.models if self.known.offer is not None else []
            found = next((each for each in known if each.id == model), None)
            self._link.pull(model, found.licences if found is not None else [])

    @safely
    def _say_later(self, sentence: str) -> None:
        self.say(sentence)

    @safely
    def open_page(self) -> None:
        """Open the local page in the browser, signed in."""
        if self._link is not None:
            self._link.ask_page(
                lambda address, why: self._editor.call_soon(lambda: self._show_page(address, why))
            )

    @safely
    def _show_page(self, address: str, why: str) -> None:
        if not address:
            self.say(why)
        elif self.open_address(address) is False:
            self.say(_NO_BROWSER)

    # ---- the order of what waits

    @safely
    def take_queue(self, queue: Queue | None) -> None:
        """How the waiting jobs stand."""
        self.known.queue = queue
        for job, ahead in zip(queue.jobs, queue.ahead) if queue is not None else ():  # noqa: B905
            if job in self._tasks:
                self._tasks[job].ahead = ahead

    @safely
    def move(self, job: str, sooner: bool) -> None:
        """Let a waiting job and its neighbour change places."""
        waiting = self.known.queue.jobs if self.known.queue is not None else []
        if self._link is None or job not in waiting:
            return
        place = waiting.index(job)
        if sooner and place > 0:
            self._link.move(job, waiting[place - 1])
        elif not sooner and place + 1 < len(waiting):
            self._link.move(job, waiting[place + 2] if place + 2 < len(waiting) else "")

    def _look_at_parts(self) -> None:
        self.known.parts = setup_parts(self.known.state)
