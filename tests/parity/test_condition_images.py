"""Condition images against the published code."""

from __future__ import annotations

import re

import pytest

from acetate.adapters.condition_image import Fit, condition_image
from tests.parity.reference import TOLERANCE, difference, golden, picture, to_tensor

FITS: dict[str, Fit] = {"RESIZE": "stretch", "CROP_AND_RESIZE": "crop", "RESIZE_AND_FILL": "fill"}
EXPECTED = golden("resize")


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_condition_image(name: str) -> None:
    parts = re.fullmatch(r"(\w+?)_(\d+)x(\d+)_to_(\d+)x(\d+)_(\w+)", name)
    assert parts is not None
    kind, fit = parts[1], FITS[parts[6]]
    tall, wide, height, width = (int(parts[index]) for index in (2, 3, 4, 5))
    resized = condition_image(to_tensor(picture(kind, tall, wide)), height, width, fit)
    assert difference(resized[0].movedim(0, -1), EXPECTED[name]) < TOLERANCE
