"""The log of a training: a CSV file that any program plots."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from acetate.errors import CannotWrite
from acetate.training.whole_files import GO_ON, reason_of, text_written_whole

COLUMNS = ("step", "name", "value")


class Log:
    """One figure a row. Rows of steps that a stopped run took in vain are taken out again."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Raises CannotWrite."""
        rows = [(step, name, f"{value:.7g}") for name, value in figures.items()]
        try:
            with self._file.open("a", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
        except OSError as error:
            raise CannotWrite(f"Cannot write {self._file}: {reason_of(error)}.", GO_ON) from error

    def keep(self, step: int) -> None:
        """Keep what was told up to a step. Raises CannotWrite."""
        try:
            with self._file.open(encoding="utf-8", newline="") as file:
                rows = [row for row in csv.reader(file) if row[:1] and row[0].isdecimal()]
        except FileNotFoundError:
            rows = []
        kept = [row for row in rows if int(row[0]) <= step and len(row) == len(COLUMNS)]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *kept])
        text_written_whole(self._file, text.getvalue())

    @staticmethod
    def line(step: int, steps: int, figures: Mapping[str, float]) -> str:
        """For people."""
        return f"step {step} of {steps}  " + "  ".join(
            f"{name} {value:.4g}" for name, value in figures.items()
        )
