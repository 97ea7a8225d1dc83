"""Mixing what was painted into a layer: to the last bit where nothing is selected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acetate.images.selection import mix, strengths
from acetate_bridge.protocol.types import FillKind, Image, PixelFormat

TOPS: dict[PixelFormat, int] = {"rgba8": 255, "rgba16": 65535}
SIZE = (7, 5)


def random_image(seed: int, pixel_format: PixelFormat) -> Image:
    """Samples of every sort, with many that are exactly empty and exactly full."""
    top = TOPS[pixel_format]
    random = np.random.default_rng(seed)
    samples = random.integers(0, top + 1, (SIZE[1], SIZE[0], 4))
    samples[random.random(samples.shape) < 0.3] = 0
    samples[random.random(samples.shape) < 0.3] = top
    kind = "u1" if pixel_format == "rgba8" else "<u2"
    return Image(*SIZE, samples.astype(kind).tobytes(), pixel_format)


def samples(image: Image) -> np.ndarray:
    kind = "u1" if image.format == "rgba8" else "<u2"
    return np.frombuffer(image.data, kind).reshape(image.height, image.width, 4)


formats = st.sampled_from(["rgba8", "rgba16"])
seeds = st.integers(0, 2**32 - 1)


@given(seeds, formats, formats, st.sampled_from(["fill", "expand", "remove"]))
def test_outside_comes_back_to_the_last_bit_and_inside_is_as_painted(
    seed: int, pixel_format: PixelFormat, mask_format: PixelFormat, kind: FillKind
) -> None:
    source, painted = (random_image(seed + i, pixel_format) for i in (0, 1))
    mask = random_image(seed + 2, mask_format)
    mixed = samples(mix(source, painted, mask, kind))
    weight = strengths(mask)
    if kind == "expand":
        weight = weight * (1 - samples(source)[..., 3] / TOPS[pixel_format])
    assert (mixed[weight == 0] == samples(source)[weight == 0]).all()
    assert (mixed[weight == 1] == samples(painted)[weight == 1]).all()
    low = np.minimum(samples(source), samples(painted))
    high = np.maximum(samples(source), samples(painted))
    assert ((mixed >= low) & (mixed <= high)).all()


@given(seeds)
def test_depths_that_differ_lose_no_more_than_they_must(seed: int) -> None:
    source, painted = random_image(seed, "rgba8"), random_image(seed + 1, "rgba16")
    black = Image(*SIZE, bytes(4 * SIZE[0] * SIZE[1]))
    assert (samples(mix(source, painted, black)) == samples(source).astype(int) * 257).all()


def test_colour_is_mixed_by_its_alpha() -> None:
    red, clear = bytes((255, 0, 0, 255)), bytes((0, 255, 0, 0))
    half = bytes((128, 128, 128, 255))
    mixed = samples(mix(Image(1, 1, red), Image(1, 1, clear), Image(1, 1, half)))
    assert mixed[0, 0].tolist() == [255, 0, 0, 127]


@pytest.mark.parametrize(
    ("pixel", "selected"),
    [
        ((255, 255, 255, 255), 1.0),
        ((0, 0, 0, 255), 0.0),
        ((255, 255, 255, 0), 0.0),
        ((51, 51, 51, 255), 0.2),
    ],
)
def test_white_is_selected(pixel: tuple[int, ...], selected: float) -> None:
    assert strengths(Image(1, 1, bytes(pixel)))[0, 0] == selected
