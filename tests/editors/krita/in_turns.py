"""The contract inside Krita, with Krita's real loop turning between any two of its calls.

The checks run in a thread of their own, and each thing that they ask of host or editor is done on
the GUI thread: some of what Krita does waits for its outermost loop, which a check that ran there
would hold up.
"""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from acetate_krita.turning import GuiThread
from tests.editors import contract, contract_runner
from tests.editors.krita.host import KritaHost

_PAINTERS_PAUSE = 0.06


class InTurns:
    """Something whose methods are called on the GUI thread, and waited for.

    No hand is faster than `pause` seconds; Krita files an undo step only when its loop has turned.
    """

    def __init__(self, target: Any, thread: GuiThread, pause: float = _PAINTERS_PAUSE) -> None:
        self._target = target
        self._thread = thread
        self._pause = pause

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name == "editor":
            return InTurns(found, self._thread, 0.0)
        if not callable(found):
            return found
        return lambda *arguments, **options: self._ask(lambda: found(*arguments, **options))

    def close(self, document: str) -> None:
        """Krita crashes when it draws a selection of a document that a script has closed."""
        self._ask(lambda: self._target.select_nothing(document))
        self._ask(lambda: self._target.close(document))

    def settle(self) -> None:
        """The loop turns by itself meanwhile."""
        time.sleep(_PAINTERS_PAUSE)

    def _ask(self, action: Callable[[], Any]) -> Any:
        outcome: list[Any] = []
        done = threading.Event()

        def do() -> None:
            try:
                outcome.append(action())
            except Exception as error:
                # Its traceback holds objects of Krita, which must not die on another thread.
                error.__cause__ = error.__context__ = None
                outcome.append(error.with_traceback(None))
            done.set()

        time.sleep(self._pause)
        self._thread.soon(do)
        done.wait()
        time.sleep(self._pause)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]


def run(report: Path, only: str = "") -> Iterator[float]:
    """Runs every check whose name contains `only`; yields seconds to wait, for the agent."""
    host, thread = KritaHost(), GuiThread()
    outcome: dict[str, str] = {}

    def attempt(name: str, check: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            check(*arguments)
            outcome[name] = ""
        except Exception:
            outcome[name] = traceback.format_exc()

    for name, check, arguments in contract_runner.cases(host):
        if only not in name:
            continue
        if check is contract.check_actions_are_called_later_on_the_hosts_own_thread:
            attempt(name, check, arguments)
            continue
        turns = (InTurns(host, thread), *arguments[1:])
        worker = threading.Thread(target=attempt, args=(name, check, turns), name="contract")
        worker.start()
        while worker.is_alive():
            yield 0.005
        report.write_text(json.dumps(outcome), encoding="utf-8")
