"""Averaged weights, as diffusers computes them."""

from __future__ import annotations

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from acetate.training.conversion.averages import Averages


def test_averages_are_those_of_diffusers_to_the_last_bit() -> None:
    weights = [nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.randn(5))]
    theirs, ours = EMAModel(weights, decay=0.6), Averages(weights, 0.6)
    for _ in range(20):
        with torch.no_grad():
            for each in weights:
                each.add_(torch.randn(each.shape))
        theirs.step(weights)
        ours.follow()
        assert all(map(torch.equal, ours.values, theirs.shadow_params))
    assert ours.steps == theirs.optimization_step == 20


def test_the_weights_are_their_averages_for_a_while_and_then_for_good() -> None:
    weights = [nn.Parameter(torch.zeros(2))]
    averages = Averages(weights, 0.5)
    for _ in range(3):
        with torch.no_grad():
            weights[0].add_(1)
        averages.follow()
    (average,) = averages.values
    assert value_of(weights) == [3, 3] and 1 < float(average[0]) < 3
    with averages.tried():
        assert value_of(weights) == average.tolist()
    assert value_of(weights) == [3, 3]
    averages.put_in()
    assert value_of(weights) == average.tolist()


def value_of(weights: list[nn.Parameter]) -> list[float]:
    (only,) = weights
    value: Tensor = only.detach()
    return value.tolist()
