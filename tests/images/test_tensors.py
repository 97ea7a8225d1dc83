from __future__ import annotations

import numpy as np
import pytest
import torch

from acetate.images.tensors import bleed, opaque, to_image, to_tensor
from acetate_bridge.protocol.types import Image, PixelFormat


@pytest.mark.parametrize("pixel_format", ["rgba8", "rgba16"])
def test_every_sample_survives_a_round_trip(pixel_format: PixelFormat) -> None:
    top = 255 if pixel_format == "rgba8" else 65535
    samples = np.arange(top + 1, dtype=np.uint8 if top == 255 else np.dtype("<u2"))
    image = Image(16, (top + 1) // 64, samples.tobytes(), pixel_format)
    assert to_image(to_tensor(image), pixel_format) == image


def test_values_outside_the_range_are_clipped() -> None:
    rgba = torch.tensor([-1.0, 0.5, 2.0, 1.0]).reshape(1, 4, 1, 1)
    assert to_image(rgba).data == bytes([0, 128, 255, 255])


def test_opaque_adds_full_alpha() -> None:
    assert torch.equal(opaque(torch.rand(2, 3, 4, 5))[:, 3], torch.ones(2, 4, 5))


def test_bleed_continues_colour_under_what_is_invisible() -> None:
    rgba = torch.zeros(1, 4, 32, 32)
    rgba[:, 0, 8:24, 8:24] = 1.0
    rgba[:, 3, 8:24, 8:24] = 1.0
    rgba[:, 1, :4] = 1.0  # hidden green, which must not come through
    result = bleed(rgba)
    assert torch.equal(result[:, 3], rgba[:, 3])
    assert torch.equal(result[..., 8:24, 8:24], rgba[..., 8:24, 8:24])
    torch.testing.assert_close(
        result[:, :3], torch.tensor([1.0, 0, 0])[None, :, None, None].expand_as(result[:, :3])
    )
