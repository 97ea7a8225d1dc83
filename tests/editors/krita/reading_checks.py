"""Runs inside Krita: what is read of a layer is what a painter sees of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image
from acetate_krita.adapter.editor import KritaEditor
from tests.editors.krita import zoo

_WHOLE = Rect(0, 0, zoo.WIDTH, zoo.HEIGHT)
_MASK = Rect(10, 10, 30, 20)
_TURN = 0.2
_STRENGTH = 150
"""What the masks of the zoo let through, and where."""
_OVERLAY = (200, 40, 90)


def masks_of_the_groups_around_a_layer_hide_it_but_their_opacity_does_not(
    own: Image, shown: Image
) -> None:
    _assert_masked(own, shown, inverted=False)


def masks_and_filters_of_a_layer_count(own: Image, shown: Image) -> None:
    _assert_masked(own, shown, inverted=True)


def opacity_blending_and_clipping_of_a_layer_do_not_count(own: Image, shown: Image) -> None:
    assert shown == own


def a_style_of_a_layer_counts(own: Image, shown: Image) -> None:
    seen = 0
    for at in range(0, len(own.data), 4):
        *colour, alpha = shown.data[at : at + 4]
        assert abs(alpha - own.data[at + 3]) <= 1
        if alpha > 100:
            seen += 1
            differ = max(abs(a - b) for a, b in zip(colour, _OVERLAY))  # noqa: B905 (three each)
            assert differ <= 2, f"{colour}, not {_OVERLAY}"
    assert seen > 100


CHECKS: dict[Callable[[Image, Image], None], str] = {
    masks_of_the_groups_around_a_layer_hide_it_but_their_opacity_does_not: (
        "only a group with children and a mask"
    ),
    masks_and_filters_of_a_layer_count: "one layer with masks",
    opacity_blending_and_clipping_of_a_layer_do_not_count: "locked, hidden, clipped",
    a_style_of_a_layer_counts: "locked, hidden, clipped",
}
"""What holds of the active layer's own pixels and of how it is shown, and in which stack."""


def _read() -> tuple[Image, Image]:
    editor = KritaEditor()
    found = editor.active_document()
    assert found is not None
    (layer,) = [each for each in editor.layers(found.key) if each.name == "active"]
    return (
        editor.read_own(found.key, layer.key, _WHOLE, "rgba8"),
        editor.read_layer(found.key, layer.key, _WHOLE, "rgba8"),
    )


def _assert_masked(own: Image, shown: Image, inverted: bool) -> None:
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
            expected = [255 - value for value in colour] if inverted else colour
            differ = max(abs(a - b) for a, b in zip(expected, other))  # noqa: B905 (three each)
            assert differ <= 2, f"({x}, {y}): {other}, not {expected}"
    assert seen > 100


def run(outcome: dict[str, str]) -> Iterator[float]:
    """All checks, with the traceback of each that failed; yields seconds to wait, for the agent.

    Krita crashes when it draws a selection of a document that a script has closed.
    """
    for check, stack in CHECKS.items():
        document = zoo.build(stack)
        yield _TURN
        if check is a_style_of_a_layer_counts:
            document.nodeByName("active").setLayerStyleFromAsl(zoo.STYLE)
            yield _TURN
        try:
            check(*_read())
            outcome[check.__name__] = ""
        except Exception:
            outcome[check.__name__] = traceback.format_exc()
        document.setSelection(None)
        yield _TURN
        document.waitForDone()
        document.setModified(False)
        document.close()
        yield _TURN
