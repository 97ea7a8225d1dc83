"""What is asked for in each mode, and what has to come of it: see `every_mode`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from acetate_bridge.panel.fields import Value
from acetate_bridge.protocol.geometry import Rect
from tests.editors.measures import Colour, Disc, Placed, ball, composite, difference, inside

CANVAS = Rect(0, 0, 192, 144)
DISC: Disc = (88.0, 76.0, 42.0)
CIRCLE: Disc = (110.0, 70.0, 56.0)
_AROUND = Rect(46, 34, 84, 84)
"""Exactly around what `DISC` covers, as Krita finds a layer's bounds by its pixels."""
_RED, _BLUE = (205, 45, 40), (60, 90, 200)


def paper(x: float, y: float) -> tuple[float, ...]:
    """Pale, darker to the bottom: a ground that gently changes."""
    return 235 - y / 6, 240 - y / 6, 245 - y / 9, 255


def red_ball(x: float, y: float) -> tuple[float, ...]:
    return (*ball(DISC, _RED, x, y), 255 * inside(DISC, x, y))


def blue_ball(x: float, y: float) -> tuple[float, ...]:
    return (*ball(CIRCLE, _BLUE, x, y), 255 * inside(CIRCLE, x, y))


def circle(x: float, y: float) -> tuple[float, ...]:
    inner = (CIRCLE[0], CIRCLE[1], CIRCLE[2] - 4)
    return 0, 0, 0, 255 * (inside(CIRCLE, x, y) - inside(inner, x, y))


def _flat(x: float, y: float) -> tuple[float, ...]:
    """A red ball on a pale ground, in one opaque layer."""
    share, ground = inside(DISC, x, y), paper(x, y)
    return (*(b + (t - b) * share for t, b in zip(ball(DISC, _RED, x, y), ground)), 255)  # noqa: B905


def _fringed(x: float, y: float) -> tuple[float, ...]:
    """A red ball whose soft edge still has the white that it was cut out of."""
    share = inside((88.0, 76.0, 39.0), x, y, 6.0)
    return (*(255 + (t - 255) * share for t in _RED), 255 * share)


def _blemished(x: float, y: float) -> tuple[float, ...]:
    """A red ball with a black spot on it."""
    spot = inside((88.0, 76.0, 8.0), x, y)
    return (*(t * (1 - spot) for t in ball(DISC, _RED, x, y)), 255 * inside(DISC, x, y))


def _half(x: float, y: float) -> tuple[float, ...]:
    """The left half of a red ball."""
    return (*ball(DISC, _RED, x, y), 255 * inside(DISC, x, y) * (x < DISC[0] + 8))


@dataclass
class Found:
    """The new layers from the top downwards, and the picture as it is seen without and with them.

    `source` is the layer that was worked on.
    """

    layers: list[Placed]
    source: Placed
    before: Placed
    after: Placed

    @property
    def layer(self) -> Placed:
        """The only one."""
        assert len(self.layers) == 1, f"{len(self.layers)} layers came"
        return self.layers[0]


@dataclass(frozen=True)
class Case:
    """A mode with what it is asked for, and `check`, which raises where that did not come.

    `stack` is how the document looks afterwards; `active` paints the layer that is worked on.
    `follow` is what the drawing is followed as.
    """

    mode: str
    check: Callable[[Found], None]
    prompt: str = ""
    stack: tuple[str, ...] = ("drawing", "folder", "  NEW", "  active", "paper")
    active: Callable[[float, float], tuple[float, ...]] = red_ball
    bounds: Rect = _AROUND
    selection: Rect | None = None
    fields: dict[str, Value] = field(default_factory=dict)
    layer_prompts: dict[str, str] = field(default_factory=dict)
    then: str = ""
    follow: str = ""


# ---- what has to come


def _apple(found: Found) -> None:
    layer = found.layer
    assert layer.bounds == CANVAS and _is_thing(layer)
    red, green, blue = layer.colour()
    assert red > green + 30 and red > blue + 30, layer.colour()


def _in_selection(found: Found) -> None:
    assert found.layer.bounds == _SELECTED and _is_thing(found.layer)


def _hills(found: Found) -> None:
    assert found.layer.bounds == CANVAS and set(found.layer.alphas()) == {255}
    top, bottom = Rect(0, 0, 192, 30), Rect(0, 114, 192, 30)
    sky, ground = found.layer.colour(top), found.layer.colour(bottom)
    assert sky[2] > ground[2] and ground[1] > ground[2], (sky, ground)


def _boat(found: Found) -> None:
    assert found.layer.bounds == CANVAS and _is_thing(found.layer)


def _two_in_turn(found: Found) -> None:
    assert len(found.layers) == 2 and all(map(_is_thing, found.layers))
    assert found.layers[0].image != found.layers[1].image


def _scene(found: Found) -> None:
    front, behind = found.layers
    assert _is_thing(front) and set(behind.alphas()) == {255}
    assert front.bounds == behind.bounds == CANVAS


def _green_ball(found: Found) -> None:
    assert found.layer.bounds == _AROUND, found.layer.bounds
    assert found.layer.agreement(DISC, _AROUND) > 0.8, found.layer.agreement(DISC, _AROUND)
    red, green, _ = found.layer.colour()
    assert green > red, found.layer.colour()
    beside = Rect(0, 0, 40, 144)
    assert difference(found.before, found.after, beside) == 0, "beside it all is as it was"


def _filled(found: Found) -> None:
    assert found.layer.bounds == _SPOT, found.layer.bounds
    assert found.layer.share(128) > 0.3
    assert difference(found.before, found.after, _SPOT) > 5


def _mended(found: Found) -> None:
    assert found.layer.bounds == _SPOT, found.layer.bounds
    assert found.layer.share(200) > 0.95, "the ball stays solid"
    middle = Rect(82, 70, 12, 12)
    dark, now = found.source.colour(middle), found.layer.colour(middle)
    assert dark[0] < 60 and now[0] > 120 and now[0] > now[1] + 60, (dark, now)


def _expanded(found: Found) -> None:
    assert found.layer.bounds == _RIGHT, found.layer.bounds
    there = Rect(97, 60, 14, 32)
    assert found.source.share(128, there) == 0 and found.layer.share(128, there) > 0.5


def _twice(found: Found) -> None:
    layer = found.layer
    assert layer.bounds == _TWICE, layer.bounds
    large = (DISC[0], DISC[1], 2 * DISC[2])
    assert layer.agreement(large, _TWICE) > 0.97
    assert _near(layer.colour(), found.source.colour(), 4)


def _without_fringe(found: Found) -> None:
    assert found.layer.bounds == _AROUND
    assert found.layer.alphas() == found.source.alphas()
    edge = [
        (x, y)
        for y in range(_AROUND.y, _AROUND.bottom)
        for x in range(_AROUND.x, _AROUND.right)
        if 60 < found.source.pixel(x, y)[3] < 200
    ]
    pale = sum(found.source.pixel(*place)[1] for place in edge) / len(edge)
    now = sum(found.layer.pixel(*place)[1] for place in edge) / len(edge)
    assert pale > 120 and now < pale / 2, (pale, now)


def _cut_out(found: Found) -> None:
    layer = found.layer
    # Krita finds the bounds of a layer by its pixels, of which most are empty here.
    assert CANVAS.contains(layer.bounds) and layer.bounds.contains(_AROUND), layer.bounds
    assert layer.agreement(DISC, CANVAS) > 0.9, layer.agreement(DISC, CANVAS)
    inner = Rect(70, 60, 36, 32)
    assert _near(layer.colour(inner), found.source.colour(inner), 2)


def _lifted(found: Found) -> None:
    layer = found.layer
    assert layer.bounds == CANVAS
    assert layer.agreement(DISC, CANVAS) > 0.85, layer.agreement(DISC, CANVAS)
    assert _near(layer.colour(_AROUND), found.source.colour(), 30)


def _split(found: Found) -> None:
    front, behind = found.layers
    assert front.agreement(DISC, CANVAS) > 0.8, front.agreement(DISC, CANVAS)
    assert set(behind.alphas()) == {255}
    off = difference(composite(found.layers, CANVAS), found.source, CANVAS)
    assert off < 12, f"together they are the picture, but for {off}"
    middle = behind.colour(Rect(70, 60, 36, 32))
    assert middle[1] > 150, f"behind the ball is ground: {middle}"


def _in_the_outline(found: Found) -> None:
    assert found.layer.bounds == CANVAS
    assert found.layer.agreement(CIRCLE, CANVAS) > 0.7, found.layer.agreement(CIRCLE, CANVAS)


def _like_the_reference(found: Found) -> None:
    red, _, blue = found.layer.colour()
    assert found.layer.bounds == CANVAS and blue > red + 20, found.layer.colour()
    assert found.layer.agreement(CIRCLE, CANVAS) > 0.7, found.layer.agreement(CIRCLE, CANVAS)


def _is_thing(layer: Placed) -> bool:
    """Something solid, and clear around it."""
    return 0.03 < layer.share(230) < 0.9 and layer.share(1) < 0.98


def _near(one: Colour, other: Colour, most: int) -> bool:
    return all(abs(a - b) <= most for a, b in zip(one, other))  # noqa: B905


_TWICE = Rect(4, -8, 168, 168)
"""Twice as large as `_AROUND`, around the same middle."""
_SELECTED = Rect(20, 16, 120, 100)
_SPOT = Rect(66, 54, 44, 44)
_RIGHT = Rect(88, 30, 60, 92)
_BELOW = ("drawing", "folder", "  active", "  NEW", "paper")
_GROUPED = ("drawing", "folder", "  GROUP", "    NEW", "    NEW", "  active", "paper")

CASES = {
    "text": Case("text", _apple, "a red apple"),
    "text in a selection": Case("text", _in_selection, "a red apple", selection=_SELECTED),
    "background": Case("background", _hills, "green hills under a blue sky", _BELOW),
    "foreground": Case("foreground", _boat, "a boat"),
    "foreground in turn": Case("foreground", _two_in_turn, "a boat", _GROUPED, then="a tree"),
    "joint": Case(
        "joint",
        _scene,
        "a red apple on a meadow",
        _GROUPED,
        layer_prompts={"foreground": "a red apple", "background": "a green meadow"},
    ),
    "refine": Case("refine", _green_ball, "a green ball", fields={"strength": 0.6}),
    "fill": Case("fill", _filled, "a yellow star", selection=_SPOT, fields={"fill": "fill"}),
    "fill: remove": Case(
        "fill",
        _mended,
        active=_blemished,
        selection=_SPOT,
        fields={"fill": "remove"},
    ),
    "fill: expand": Case(
        "fill",
        _expanded,
        "a red ball",
        active=_half,
        selection=_RIGHT,
        fields={"fill": "expand"},
    ),
    "upscale": Case("upscale", _twice, fields={"scale": 2}),
    "defringe": Case("defringe", _without_fringe, active=_fringed),
    "cutout": Case("cutout", _cut_out, active=_flat, bounds=CANVAS),
    "extract": Case("extract", _lifted, "a red ball"),
    "decompose": Case("decompose", _split, "a red ball", _GROUPED, _flat, CANVAS),
    "scribble": Case("text", _in_the_outline, "a red apple", follow="scribble"),
    "lineart": Case("text", _in_the_outline, "a red apple", follow="lineart"),
    "reference": Case("text", _like_the_reference, "a ball", follow="reference"),
}
FEW = ("text in a selection", "joint", "refine", "fill", "upscale")
"""Of each kind of place one: beside, in a group, on its source, in a part of it, larger than it."""
MODES = {each.mode for each in CASES.values()}
"""Everything that the model that ships can do: it does not relight (`harmonize`)."""
