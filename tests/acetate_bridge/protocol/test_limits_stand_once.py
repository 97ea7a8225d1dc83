"""The number of a limit is written down once: who needs it reads its row."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from acetate_bridge.protocol import limits

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "shared/acetate_bridge/protocol/limits.py"
SOURCES = [
    path
    for folder in ("server/acetate", "shared/acetate_bridge", "krita_plugin", "gimp_plugin")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != TABLE and not {"_vendor", "embedded", "training"} & set(path.parts)
]
ASKING = ("cli", "app", "panel", "krita_plugin", "gimp_plugin", "jobs", "modes")
"""Where people are told of limits, or asked for numbers."""

TELLING = {
    "STEPS.most": limits.STEPS.most,
    "LARGEST_SIDE": limits.LARGEST_SIDE,
    "LONGEST_SIDE": limits.LONGEST_SIDE,
    "PROMPT_CHARACTERS": limits.PROMPT_CHARACTERS,
    "SEED.most": limits.SEED.most,
}
"""Numbers that stand for nothing else anywhere."""


def literals(source: str) -> Iterator[object]:
    """Numbers and texts of a module, numbers that are worked out too, docstrings not."""
    tree = ast.parse(source)
    told = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
    }  # Docstrings, and those under a name.
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in told:
            yield node.value
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.Sub):
            try:
                yield eval(compile(ast.Expression(node), "limits", "eval"), {"__builtins__": {}})
            except Exception:  # It is worked out from more than numbers.
                continue


@cache
def written_in(path: Path) -> tuple[object, ...]:
    return tuple(literals(path.read_text(encoding="utf-8")))


def written(number: float) -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if any(type(value) in (int, float) and value == number for value in written_in(path))
    ]


@pytest.mark.parametrize("name", TELLING)
def test_a_limit_is_a_number_in_one_place(name: str) -> None:
    assert written(TELLING[name]) == []


def test_no_sentence_repeats_a_range() -> None:
    bounds = [row for row in vars(limits).values() if isinstance(row, limits.Bound)]
    said = {row.words for row in bounds} | {
        limits.one_of(limits.PASSES[1:]),
        limits.one_of(limits.SCALES),
    }
    pattern = re.compile(rf"(?<![\d.])(?:{'|'.join(map(re.escape, sorted(said)))})(?![\d.])")
    found = [
        f"{path.relative_to(ROOT)}: {value}"
        for path in SOURCES
        if set(ASKING) & set(path.parts)
        for value in written_in(path)
        if isinstance(value, str) and pattern.search(value)
    ]
    assert found == []


def test_a_number_or_range_that_is_written_again_would_be_found() -> None:
    source = '"""0 to 2"""\nside = 16_384\nseeds = 2**53 - 1\nhelp = "Closely, 0 to 2."\n'
    found = list(literals(source))
    assert limits.LONGEST_SIDE in found and limits.SEED.most in found
    assert "Closely, 0 to 2." in found and "0 to 2" not in found
