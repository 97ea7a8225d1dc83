"""Muted text can be read: contrast by WCAG 2 in the colours of Krita's own themes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LABELS = Path(__file__).parents[3] / "krita_plugin" / "acetate_krita" / "widgets" / "labels.py"
THEMES = {
    "dark": ((220, 220, 220), (49, 49, 49)),
    "darker": ((202, 202, 202), (32, 32, 32)),
    "bright": ((26, 26, 26), (214, 214, 214)),
    "blender": ((0, 0, 0), (185, 185, 185)),
}
Colour = tuple[float, ...]


def muted() -> float:
    """The strength of muted text, read off the source: no Qt is needed for a number."""
    for node in ast.parse(LABELS.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MUTED":
            return float(ast.literal_eval(node.value))
    raise AssertionError("there is no muted text")


def light(colour: Colour) -> float:
    shares = [value / 255 for value in colour]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_muted_text_stands_out_enough(theme: str) -> None:
    text, ground = THEMES[theme]
    strength = muted()
    pairs = zip(text, ground, strict=True)
    mixed = tuple(strength * front + (1 - strength) * back for front, back in pairs)
    assert contrast(mixed, ground) >= 4.5
