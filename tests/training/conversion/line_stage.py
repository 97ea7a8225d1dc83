"""The smallest thing that can be trained, for what holds of every stage. `python line_stage.py OUT
STEPS [KILL]` trains it in a process of its own, which dies at the step KILL.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from acetate.training.conversion.plan import Plan
from acetate.training.conversion.trainer import Batch, Stage, Trainer


class Line(Stage):
    """Learns three weights; `spoiled` are the steps in which the loss is no number."""

    name = "line"

    def __init__(self, spoiled: frozenset[int] = frozenset(), killed: int = -1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(3, 1)
        self._spoiled, self._killed = spoiled, killed

    def forward(self, batch: Batch, step: int) -> dict[str, Tensor]:
        if step == self._killed:
            os.kill(os.getpid(), signal.SIGKILL)
        loss = (self.layer(batch["x"]) - batch["x"].sum(1, keepdim=True)).square().mean()
        return {"loss": loss * float("nan") if step in self._spoiled else loss}

    def show(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


class Points(Dataset):
    """The same point for the same number."""

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(number)
        return {"x": torch.randn(3, generator=generator), "number": torch.tensor(number)}


def trainer_of(out: Path, steps: int = 12, stage: Line | None = None, **changes: int) -> Trainer:
    given = {"batch": 4, "report_steps": 1, "checkpoint_steps": 3, "warm_up": 2, **changes}
    plan = Plan(steps=steps, rate=0.05, sample_steps=1000, **given)
    return Trainer(stage or Line(), plan, out, {"base": "none"}, lambda line: None)


def weights(out: Path) -> list[float]:
    """Those that the last checkpoint averages to."""
    state = torch.load(out / "line.pt", weights_only=True)
    return [float(value) for each in state["average"].values() for value in each.flatten()]


if __name__ == "__main__":
    killed_at = int(sys.argv[3]) if len(sys.argv) > 3 else -1
    trainer = trainer_of(Path(sys.argv[1]), int(sys.argv[2]), Line(killed=killed_at))
    trainer.run(Points())
    state = trainer.accelerator
    trainer.out.mkdir(parents=True, exist_ok=True)
    (trainer.out / f"process-{state.process_index}-of-{state.num_processes}").touch()
