"""Another program at the worst moment: after a file was read, and before it is written anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from acetate_bridge.client import file_locks


class Meanwhile:
    """Lets another run before the first of a module's writings, to its end or to the lock."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        module: Any,
        other: Callable[[], object],
        writer: str = "write_whole",
    ) -> None:
        self._other, self._arrived = other, threading.Event()
        self._thread: threading.Thread | None = None
        self._lock, self._write = file_locks.lock_file, getattr(module, writer)
        monkeypatch.setattr(file_locks, "lock_file", self._locked)
        monkeypatch.setattr(module, writer, self._written)

    def join(self) -> None:
        assert self._thread is not None
        self._thread.join()

    def _run(self) -> None:
        self._other()
        self._arrived.set()

    def _locked(self, file: Any) -> bool:
        held = self._lock(file)
        if not held:
            self._arrived.set()
        return held

    def _written(self, *arguments: Any) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run)
            self._thread.start()
            self._arrived.wait()
        self._write(*arguments)
