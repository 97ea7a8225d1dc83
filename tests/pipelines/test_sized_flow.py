"""Noise levels of flow matching whose last is given."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from acetate.pipelines.sized_flow import SizedFlow


@pytest.mark.parametrize(("steps", "last"), [(1, 1.0), (2, 0.02), (5, 0.02)])
def test_the_last_level_is_the_given_one_and_a_single_one_is_pure_noise(
    steps: int, last: float
) -> None:
    scheduler = SizedFlow(use_dynamic_shifting=True, shift_terminal=0.02)
    scheduler.fit(torch.zeros(1, 4, 16, 16))
    scheduler.set_timesteps(steps)
    sigmas: Any = scheduler.sigmas
    levels = sigmas.tolist()
    assert len(levels) == steps + 1
    assert [levels[0], *levels[-2:]] == pytest.approx([1.0, last, 0.0], abs=1e-5)
