"""Runs the contract inside a real editor, without pytest, and writes what came of it.

from tests.editors.contract_runner import run, steps
run(host, "report.json")            # at once
for _ in steps(host, "report.json"):  # or check by check, letting the event loop turn between
    yield 0
"""

from __future__ import annotations

import inspect
import json
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.editors import contract, contract_law
from tests.editors.host import Host


def cases(host: Host) -> Iterator[tuple[str, Callable[..., None], tuple[Any, ...]]]:
    """Every check with its arguments: once, or once for each kind of document."""
    for name, check in contract.checks().items():
        if "kind" in inspect.signature(check).parameters:
            for kind in host.kinds:
                yield f"{name}[{kind.name}]", check, (host, kind)
        else:
            yield name, check, (host,)
    yield from contract_law.tales(host)


def steps(host: Host, report: str | Path) -> Iterator[str]:
    """Runs one check at a time and yields its name; the report is written after each.

    The report is `{"editor": name, "checks": {check: "" or the traceback}, "finished": bool}`.
    """
    outcome: dict[str, str] = {}
    seconds: dict[str, float] = {}

    def write(finished: bool) -> None:
        text = json.dumps(
            {
                "editor": host.editor.name,
                "finished": finished,
                "checks": outcome,
                "seconds": seconds,
            },
            indent=1,
        )
        Path(report).write_text(text, encoding="utf-8")

    write(False)
    for name, check, arguments in cases(host):
        began = time.monotonic()
        try:
            check(*arguments)
            outcome[name] = ""
        except Exception:
            outcome[name] = traceback.format_exc()
        seconds[name] = round(time.monotonic() - began, 3)
        write(False)
        yield name
    write(True)


def run(host: Host, report: str | Path) -> bool:
    """Runs all checks; True when every one held."""
    for _ in steps(host, report):
        pass
    outcome = json.loads(Path(report).read_text(encoding="utf-8"))
    return bool(outcome["checks"]) and not any(outcome["checks"].values())
