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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.editors import contract, contract_law
from tests.editors.host import Host


@dataclass(frozen=True)
class Part:
    """How much of the contract: every `kinds`-th kind of document, and one story in `of`.

    `number` (from 0) says which one. Up to one in six every stack and every story is met.
    """

    kinds: int = 1
    number: int = 0
    of: int = 1


def cases(
    host: Host, part: Part = Part()
) -> Iterator[tuple[str, Callable[..., None], tuple[Any, ...]]]:
    """Every check with its arguments: once, or once for each kind of document."""
    for name, check in contract.checks().items():
        if "kind" in inspect.signature(check).parameters:
            for kind in host.kinds[:: part.kinds]:
                yield f"{name}[{kind.name}]", check, (host, kind)
        else:
            yield name, check, (host,)
    for told, case in enumerate(contract_law.tales(host)):
        stack, tale = divmod(told, len(contract_law.TALES))
        if (stack + tale) % part.of == part.number:
            yield case


def steps(host: Host, report: str | Path, part: Part = Part()) -> Iterator[str]:
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
    for name, check, arguments in cases(host, part):
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


def run(host: Host, report: str | Path, part: Part = Part()) -> bool:
    """Runs all checks; True when every one held."""
    for _ in steps(host, report, part):
        pass
    outcome = json.loads(Path(report).read_text(encoding="utf-8"))
    return bool(outcome["checks"]) and not any(outcome["checks"].values())
