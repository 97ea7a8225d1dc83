"""How long and how fast a stage trains."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a stage trains.

    The learning rate rises over `warm_up` steps and then falls along a cosine to a twentieth.
    """

    steps: int
    learning_rate: float
    warm_up: int = 200
    average: float = 0.999
    checkpoint_seconds: float = 120.0
    report_steps: int = 50
    sample_steps: int = 1000

    def rate(self, step: int) -> float:
        """Learning rate at one step."""
        if step < self.warm_up:
            return self.learning_rate * (step + 1) / self.warm_up
        share = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        return self.learning_rate * (0.05 + 0.95 * 0.5 * (1 + cos(pi * min(1.0, share))))
