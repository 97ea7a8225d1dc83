"""Runs inside Krita: what is read of a layer is what a painter sees of it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image
from acetate_krita.adapter.editor import KritaEditor
from tests.editors.krita import zoo

_WHOLE = Rect(0, 0, zoo.WIDTH, zoo.HEIGHT)
_MASK = Rect(10, 10, 30, 20)
_STRENGTH = 150
"""What the masks of the zoo let through, and where."""


def check_masks_and_filters_of_a_layer_count() -> None:
    with _read("one layer with masks") as (own, shown):
        _assert_masked(own, shown)


def check_opacity_blending_and_clipping_of_a_layer_do_not_count() -> None:
    with _read("locked, hidden, clipped") as (own, shown):
        assert shown == own


@contextmanager
def _read(stack: str) -> Iterator[tuple[Image, Image]]:
    """The active layer's own pixels, and how it is shown."""
    document = zoo.build(stack)
    try:
        editor = KritaEditor()
        found = editor.active_document()
        assert found is not None
        (layer,) = [each for each in editor.layers(found.key) if each.name == "active"]
        yield (
            editor.read_own(found.key, layer.key, _WHOLE, "rgba8"),
            editor.read_layer(found.key, layer.key, _WHOLE, "rgba8"),
        )
    finally:
        document.setSelection(None)
        document.waitForDone()
        document.setModified(False)
        document.close()


def _assert_masked(own: Image, shown: Image) -> None:
    seen = 0
    for at in range(0, len(own.data), 4):
        x, y = at // 4 % own.width, at // 4 // own.width
        inside = _MASK.x <= x < _MASK.right and _MASK.y <= y < _MASK.bottom
        *colour, alpha = own.data[at : at + 4]
        *other, found = shown.data[at : at + 4]
        wanted = alpha * _STRENGTH / 255 if inside else 0
        assert abs(found - wanted) <= 1, f"({x}, {y}): {found}, not {wanted}"
        if found > 100:
            seen += 1
            expected = [255 - value for value in colour]
            differ = max(abs(a - b) for a, b in zip(expected, other))  # noqa: B905 (three each)
            assert differ <= 2, f"({x}, {y}): {other}, not {expected}"
    assert seen > 100


CHECKS = {name: check for name, check in list(globals().items()) if name.startswith("check_")}


def run() -> dict[str, str]:
    """All checks; the traceback of each that failed."""
    outcome: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            check()
            outcome[name] = ""
        except Exception:
            outcome[name] = traceback.format_exc()
    return outcome
