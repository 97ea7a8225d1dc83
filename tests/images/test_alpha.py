from __future__ import annotations

import numpy as np
import pytest

from acetate.images.alpha import alpha_warning
from acetate_bridge.protocol.types import Image


def with_alpha(alpha: np.ndarray, depth: type[np.unsignedinteger]) -> Image:
    top = np.iinfo(depth).max
    samples = np.zeros((*alpha.shape, 4), depth)
    samples[..., 3] = np.round(alpha * top)
    pixel_format = "rgba8" if depth is np.uint8 else "rgba16"
    return Image(alpha.shape[1], alpha.shape[0], samples.tobytes(), pixel_format)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_empty_and_solid_layers_are_noticed(depth: type[np.unsignedinteger]) -> None:
    assert "empty" in alpha_warning(with_alpha(np.full((64, 64), 0.01), depth))
    assert "without transparency" in alpha_warning(with_alpha(np.full((64, 64), 0.99), depth))


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_a_cut_out_object_is_not_worth_a_warning(depth: type[np.unsignedinteger]) -> None:
    alpha = np.zeros((64, 64))
    alpha[20:40, 20:40] = 1
    assert alpha_warning(with_alpha(alpha, depth)) == ""
