from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from acetate.cli import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Acetate = Callable[..., Outcome]


@pytest.fixture
def acetate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Acetate:
    """Runs the command line in this process: `acetate("show", path)`."""

    def run(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["acetate", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Outcome(code, captured.out, captured.err)

    return run
