"""How a stage of the conversion is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Precision = Literal["auto", "bf16", "no"]


@dataclass(frozen=True)
class Plan:
    """`batch` samples to a step of all processes together, in `parts` one after the other.

    What is told every `report_steps`, kept every `checkpoint_steps` and shown and validated
    every `sample_steps` counts steps; `readers` are processes that read pictures ahead.
    """

    steps: int
    batch: int
    rate: float
    seed: int = 1
    parts: int = 1
    precision: Precision = "auto"
    eight_bit: bool = False
    average: float = 0.999
    warm_up: int = 100
    report_steps: int = 50
    checkpoint_steps: int = 500
    sample_steps: int = 1000
    readers: int = 0

    @property
    def fixed(self) -> dict[str, Any]:
        """What must be the same in a run that goes on from a checkpoint."""
        kept = ("steps", "batch", "rate", "seed", "average", "warm_up")
        return {name: asdict(self)[name] for name in kept}
