"""Large results are made in bands, which nobody can tell from the whole."""

from __future__ import annotations

import numpy as np
import pytest

from acetate.images import frame_pixels
from acetate.images.frame_pixels import resample
from acetate.images.samples import samples_of
from acetate_bridge.protocol.geometry import Size
from acetate_bridge.protocol.types import Image

SOURCE = Image(24, 17, np.random.default_rng(3).bytes(24 * 17 * 4))


@pytest.mark.parametrize("size", [Size(100, 333), Size(7, 5), Size(24, 40), Size(513, 64)])
def test_bands_meet_without_a_seam(size: Size, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = samples_of(resample(SOURCE, size)).astype(int)
    monkeypatch.setattr(frame_pixels, "_BAND_PIXELS", 7 * size.width)
    banded = samples_of(resample(SOURCE, size)).astype(int)
    assert abs(whole - banded).max() <= 1


def test_a_side_of_sixteen_thousand_pixels_is_made() -> None:
    found = resample(SOURCE, Size(16_384, 40))
    assert (found.width, found.height) == (16_384, 40)
    shown = samples_of(found)
    assert shown[..., 3].std() > 0


def test_what_is_opaque_stays_opaque() -> None:
    opaque = Image(8, 8, bytes((9, 99, 200, 255)) * 64)
    assert (samples_of(resample(opaque, Size(300, 77))) == (9, 99, 200, 255)).all()


@pytest.mark.parametrize("size", [Size(40, 40), Size(200, 150)])
def test_an_opaque_picture_comes_out_as_one_with_a_clear_pixel_far_away(size: Size) -> None:
    samples = np.random.default_rng(5).integers(0, 256, (64, 64, 4), np.uint8)
    samples[..., 3] = 255
    opaque = samples_of(resample(Image(64, 64, samples.tobytes()), size))
    samples[0, 0, 3] = 0
    almost = samples_of(resample(Image(64, 64, samples.tobytes()), size))
    far = np.s_[size.height // 4 :, size.width // 4 :]
    assert (opaque[far] == almost[far]).all() and (opaque != almost).any()
