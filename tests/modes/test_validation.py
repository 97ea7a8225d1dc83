from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from acetate.errors import BadRequest
from acetate.modes.validation import check_request
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request

LIMITS = FrameLimits(multiple=16, smallest=64, largest=128, most_pixels=128 * 96)
GOOD = Recipe("text", "a cat", width=64, height=96)


def test_a_sensible_request_passes() -> None:
    check_request(Request(GOOD), LIMITS)
    layer = Image(64, 96, bytes(64 * 96 * 4))
    check_request(Request(replace(GOOD, mode="background"), {"layer": layer}), LIMITS)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"mode": "nosuch"}, "no mode called “nosuch”: use text"),
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": " \n"}, "prompt is empty"),
        ({"prompt": "x" * 8001}, "8000 characters"),
        ({"negative_prompt": "x" * 8001}, "8000 characters"),
        ({"steps": 0}, "1 to 150 steps"),
        ({"steps": 151}, "1 to 150 steps"),
        ({"guidance": -1.0}, "Guidance"),
        ({"guidance": float("nan")}, "Guidance"),
        ({"guidance": float("inf")}, "Guidance"),
        ({"strength": 0.0}, "Strength"),
        ({"stop_at": 1.5}, "share to stop at"),
        ({"passes": 3}, "1, 2, 4 or 8 passes"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**53}, "seed"),
        ({"width": 0, "height": 0}, "0 × 0"),
        ({"width": 65}, "multiples of 16"),
        ({"width": 48}, "between 64 and 128"),
        ({"width": 128, "height": 128}, "at most 12288 pixels"),
    ],
)
def test_each_mistake_has_its_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence):
        check_request(Request(replace(GOOD, **changes)), LIMITS)


@pytest.mark.parametrize("variants", [0, 17])
def test_variants_are_limited(variants: int) -> None:
    with pytest.raises(BadRequest, match="1 to 16 variants"):
        check_request(Request(GOOD, variants=variants), LIMITS)


def test_a_missing_image_is_named_in_words() -> None:
    with pytest.raises(BadRequest, match="needs the layer that stands in front"):
        check_request(Request(replace(GOOD, mode="background")), LIMITS)


def test_an_image_must_have_the_size_of_the_frame() -> None:
    images = {"layer": Image(1, 1, bytes(4))}
    with pytest.raises(BadRequest, match="“layer” has 1 × 1 pixels"):
        check_request(Request(replace(GOOD, mode="background"), images), LIMITS)
