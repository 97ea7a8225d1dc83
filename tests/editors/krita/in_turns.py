"""The contract inside Krita, with Krita's real loop turning between any two of its calls.

The checks run in a thread of their own, and each thing that they ask of host or editor is done on
the GUI thread: some of what Krita does waits for its outermost loop, which a check that ran there
would hold up.
"""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from acetate_krita.adapter.gui_thread import GuiThread
from acetate_krita.qt import QtCore
from tests.editors import contract, contract_runner
from tests.editors.krita import own_checks
from tests.editors.krita.host import KritaHost

_TURNS = 3
_LOOKS = frozenset(
    {
        "stack",
        "bounds",
        "visible",
        "mask",
        "mixing",
        "kinds",
        "fingerprint",
        "said",
        "asked",
        "offered",
        "where",
        "strip",
        "style",
    }
)
"""What the host does without changing anything."""


class InTurns:
    """Something whose methods are called on the GUI thread, and waited for.

    After whatever may change a document Krita's loop turns until nothing waits in it: an undo step
    is only filed then, and no hand is faster.
    """

    def __init__(self, target: Any, thread: GuiThread, host: Any = None) -> None:
        self._target = target
        self._thread = thread
        self._host = host or target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name == "editor":
            return InTurns(found, self._thread, self._host)
        if name == "open_panel":
            return lambda: InTurns(self._ask(found, _TURNS), self._thread, self._host)
        if not callable(found):
            return found
        turns = 0 if name in _LOOKS else _TURNS
        return lambda *arguments, **options: self._ask(lambda: found(*arguments, **options), turns)

    def close(self, *document: str) -> None:
        """Krita crashes when it draws a selection of a document that a script has closed."""
        if document:
            self._ask(lambda: self._target.select_nothing(*document), _TURNS)
        self._ask(lambda: self._target.close(*document), _TURNS)

    def _ask(self, action: Callable[[], Any], turns: int) -> Any:
        outcome: list[Any] = []
        done = threading.Event()

        def do() -> None:
            try:
                outcome.append(action())
            except Exception as error:
                # Its traceback holds objects of Krita, which must not die on another thread.
                error.__cause__ = error.__context__ = None
                outcome.append(error.with_traceback(None))
            turn(turns)

        def turn(left: int) -> None:
            if not self._host.editor.settled:
                QtCore.QTimer.singleShot(10, lambda: turn(left))
            elif left:
                # A timer of 0 is due when all that waits in the loop has been done.
                QtCore.QTimer.singleShot(0, lambda: turn(left - 1))
            else:
                done.set()

        self._thread.soon(do)
        done.wait()
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]


def run(report: Path, part: contract_runner.Part, only: str = "") -> Iterator[float]:
    """Runs every check whose name contains `only`; yields seconds to wait, for the agent."""
    host, thread = KritaHost(), GuiThread()
    outcome: dict[str, str] = {}

    def attempt(name: str, check: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            check(*arguments)
            outcome[name] = ""
        except Exception:
            outcome[name] = traceback.format_exc()

    for name, check, arguments in (*contract_runner.cases(host, part), *own_checks.cases(host)):
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
