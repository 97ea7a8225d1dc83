"""A base that takes styles and a style for it, imported beside a running server."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec

from acetate.model_import.importing import import_any
from acetate.models.own_register import own_files, remove_own
from acetate_bridge.protocol.messages import Submit
from acetate_bridge.protocol.types import Recipe
from tests.app.server_process import RunningServer
from tests.support.original_layout import write_style
from tests.support.tiny_families import write_tiny_sd15

BASE, STYLE = "tiny-ink-base", "ink.safetensors"


class OwnThings:
    """What a painter has imported; it is there from `bring` to `take_away`."""

    def __init__(self, server: RunningServer, folder: Path) -> None:
        self._server, self._folder = server, folder
        self._shelf = server.folder / "data" / "models"

    def bring(self) -> None:
        """Import a tiny random base of Stable Diffusion 1.5 and a style, and let editors hear."""
        # The editors of several suites share the server and its folder, one after the other.
        room = Path(tempfile.mkdtemp(dir=self._folder))
        folder = write_tiny_sd15(room / BASE)
        style = write_style(room / STYLE, "sd15", "kohya")
        transparency = folder / "transparency"
        with self._at_hand():
            for path in (folder, *sorted(transparency.glob("*.safetensors")), style):
                import_any(str(path))
            # The tiny pair has other arguments than the published one.
            shutil.copy(transparency / "config.json", self._shelf / "config.json")
        self._tell()

    def forget_style(self) -> None:
        """As `acetate models remove` does."""
        with self._at_hand():
            remove_own(STYLE)
        self._tell()

    def take_away(self) -> None:
        """All of it, so that who comes next finds the shelf empty."""
        with self._at_hand():
            for own in own_files():
                remove_own(own.name)
        (self._shelf / "config.json").unlink()
        self._tell()

    @contextlib.contextmanager
    def _at_hand(self) -> Iterator[None]:
        before = os.environ.get("ACETATE_MODELS_DIR")
        os.environ["ACETATE_MODELS_DIR"] = str(self._shelf)
        try:
            yield
        finally:
            del os.environ["ACETATE_MODELS_DIR"]
            if before is not None:
                os.environ["ACETATE_MODELS_DIR"] = before

    def _tell(self) -> None:
        runtime = self._server.runtime
        order = urllib.request.Request(
            f"http://{runtime.address}/v1/models",
            method="POST",
            headers={"Authorization": f"Bearer {runtime.token}"},
        )
        urllib.request.urlopen(order, timeout=60).close()


def asked_last(server: RunningServer) -> Recipe:
    """The recipe of the newest job that a server was given."""
    file = server.folder / "data" / "jobs" / "jobs.sqlite3"
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as found:
        (row,) = found.execute("SELECT submit FROM jobs ORDER BY number DESC LIMIT 1").fetchone()
    return msgspec.json.decode(row, type=Submit).recipe
