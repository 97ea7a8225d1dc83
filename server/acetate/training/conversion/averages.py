"""The running average of weights while they are trained."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Averages:
    """Follows parameters: `decay` is the share, 0 to 1, that an average keeps at a step at most.

    At first it keeps less, so that the beginning is soon forgotten. `values` are the averages in
    the order of the parameters, `steps` is how many it has followed; both are in a checkpoint.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], decay: float) -> None:
        self._parameters, self._decay = parameters, decay
        self.values: list[Tensor] = [each.detach().clone() for each in parameters]
        self.steps = 0

    def to(self, device: torch.device) -> None:
        """Keep the averages on a device from now on: that of the parameters."""
        self.values = [each.to(device) for each in self.values]

    @torch.no_grad()
    def follow(self) -> None:
        """After a step of the parameters."""
        seen = self.steps
        self.steps += 1
        keep = min(self._decay, (1 + seen) / (10 + seen)) if seen else 0.0
        for value, parameter in zip(self.values, self._parameters, strict=True):
            value.sub_((1 - keep) * (value - parameter))

    @torch.no_grad()
    def put_in(self) -> None:
        """The parameters become their averages."""
        for value, parameter in zip(self.values, self._parameters, strict=True):
            parameter.copy_(value)

    @contextmanager
    def tried(self) -> Generator[None]:
        """For the length of a block the parameters are their averages."""
        # Beside the processor there may be no room for a second copy.
        before = [each.detach().cpu().clone() for each in self._parameters]
        self.put_in()
        try:
            yield
        finally:
            with torch.no_grad():
                for parameter, value in zip(self._parameters, before, strict=True):
                    parameter.copy_(value)
