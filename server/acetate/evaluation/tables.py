"""Figures for programs and for people: JSON, and a table in Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acetate.training.whole_files import text_written_whole

Table = Mapping[str, Mapping[str, float]]
"""Figures by what was measured, and by their names."""


def markdown(title: str, table: Table) -> str:
    """Names of the figures above, a row for each that was measured."""
    names = list(dict.fromkeys(name for figures in table.values() for name in figures))
    lines = [f"## {title}", "", f"| | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    for subject, figures in table.items():
        cells = (plain(figures[name]) if name in figures else "–" for name in names)
        lines.append(f"| {subject} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plain(value: float) -> str:
    """Four digits."""
    return f"{value:.4g}"


def write_report(folder: Path, title: str, table: Table, about: Mapping[str, Any]) -> list[Path]:
    """Write `figures.json` and `figures.md`; returns the files. Raises CannotWrite."""
    content = json.dumps({"about": dict(about), "figures": table}, indent=2) + "\n"
    told = "".join(f"- {name}: {value}\n" for name, value in about.items())
    text = f"{markdown(title, table)}\n{told}"
    return [
        text_written_whole(folder / "figures.json", content),
        text_written_whole(folder / "figures.md", text),
    ]
