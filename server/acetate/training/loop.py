"""The training loop that every stage shares: schedule, averaged weights, checkpoints, samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from . import workers
from .checkpoints import read_checkpoint, write_checkpoint
from .gradients import descend
from .losses import Losses
from .schedule import Schedule

Report = Callable[[str], None]


class Trainee:
    """The modules of one stage with their optimiser and the running average of their weights."""

    def __init__(self, modules: Mapping[str, nn.Module], schedule: Schedule) -> None:
        self.modules = dict(modules)
        self.schedule = schedule
        self.step = 0
        parameters = [
            parameter
            for module in self.modules.values()
            for parameter in module.parameters()
            if parameter.requires_grad
        ]
        self._optimiser = torch.optim.AdamW(
            parameters, lr=schedule.learning_rate, betas=(0.9, 0.95), weight_decay=0.01, fused=True
        )
        self._parameters = parameters
        self._average = {
            name: {key: value.detach().clone() for key, value in module.state_dict().items()}
            for name, module in self.modules.items()
        }

    def update(self, loss: Tensor, counted: int = 1) -> None:
        """One optimiser step on `loss`, then the averaged weights follow.

        It counts as `counted` steps where as many processes train side by side.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self.schedule.rate(self.step)
        self._optimiser.zero_grad(set_to_none=True)
        descend(loss, self._optimiser, self._parameters)
        self.step += counted
        keep = min(self.schedule.average, (1 + self.step) / (10 + self.step))
        for name, module in self.modules.items():
            average = self._average[name]
            for key, value in module.state_dict().items():
                if value.dtype.is_floating_point:
                    average[key].lerp_(value, 1 - keep)

    def tensors(self) -> list[Tensor]:
        """All weights and averaged weights that processes share when they meet."""
        shared: list[Tensor] = [parameter.data for parameter in self._parameters]
        for average in self._average.values():
            shared += [value for value in average.values() if value.dtype.is_floating_point]
        return shared

    def averaged(self, name: str) -> dict[str, Tensor]:
        """The averaged weights of one module, the ones to evaluate and to ship."""
        return self._average[name]

    def save(self, file: Path) -> None:
        """Write everything that resuming needs; the old checkpoint stays until the new is whole."""
        state = {
            "step": self.step,
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "average": self._average,
            "optimiser": self._optimiser.state_dict(),
        }
        write_checkpoint(file, state)

    def resume(self, file: Path) -> bool:
        """Continue from a checkpoint; False when there is none. Raises ModelDamaged."""
        state = read_checkpoint(file)
        if state is None:
            return False
        self.step = state["step"]
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        self._average = state["average"]
        self._optimiser.load_state_dict(state["optimiser"])
        return True


def train(
    trainee: Trainee,
    file: Path,
    losses_at: Callable[[int], tuple[Tensor, Losses]],
    report: Report,
    on_sample: Callable[[int], None],
) -> None:
    """Run a stage to its last step, from its checkpoint when there is one.

    `losses_at(number)` returns the loss to descend and its parts to report; no two steps of any
    process get the same number. `on_sample(step)` draws pictures of what the stage can do so far.
    With several processes (see `workers`), a step of any of them counts.
    """
    if trainee.resume(file) and workers.rank() == 0:
        report(f"resumed at step {trainee.step}")
    meeting = _Meeting(trainee)
    progress = _Progress(trainee, report if workers.rank() == 0 else _silent)
    schedule = trainee.schedule
    saved, sampled = time.monotonic(), trainee.step // schedule.sample_steps
    number = trainee.step + workers.rank() * schedule.steps * 10
    while trainee.step < schedule.steps:
        loss, parts = losses_at(number)
        trainee.update(loss, workers.count())
        number += 1
        progress.add(parts)
        if not meeting.due() or workers.rank() != 0:
            continue
        progress.tell()
        if time.monotonic() - saved > schedule.checkpoint_seconds:
            trainee.save(file)
            saved = time.monotonic()
        if trainee.step // schedule.sample_steps > sampled:
            sampled = trainee.step // schedule.sample_steps
            on_sample(trainee.step)
    if workers.rank() == 0:
        trainee.save(file)
        on_sample(trainee.step)


class _Meeting:
    """Brings the processes together every few seconds."""

    SECONDS = 15.0

    def __init__(self, trainee: Trainee) -> None:
        self._trainee = trainee
        self._began, self._taken, self._base = time.monotonic(), 0, trainee.step

    def due(self) -> bool:
        """Whether the processes have just met (always, when there is only one)."""
        if workers.count() == 1:
            return True
        self._taken += 1
        over = self._trainee.step >= self._trainee.schedule.steps
        if time.monotonic() - self._began < self.SECONDS and not over:
            return False
        total = workers.meet(self._trainee.tensors(), self._taken)
        self._trainee.step = self._base = self._base + total
        self._taken, self._began = 0, time.monotonic()
        return True


class _Progress:
    """Means of the losses since the last report, and the time that is left."""

    def __init__(self, trainee: Trainee, report: Report) -> None:
        self._trainee, self._report = trainee, report
        self._restart()

    def _restart(self) -> None:
        self._sums: dict[str, float] = {}
        self._count, self._began, self._base = 0, time.monotonic(), self._trainee.step

    def add(self, parts: Losses) -> None:
        self._count += 1
        for name, value in parts.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value.detach())

    def tell(self) -> None:
        """Report when enough steps have been taken since the last time."""
        taken = self._trainee.step - self._base
        if taken < self._trainee.schedule.report_steps:
            return
        left = self._trainee.schedule.steps - self._trainee.step
        minutes = left * (time.monotonic() - self._began) / taken / 60
        means = "  ".join(f"{name} {total / self._count:.4f}" for name, total in self._sums.items())
        self._report(
            f"step {self._trainee.step} of {self._trainee.schedule.steps}  {means}"
            f"  {minutes:.0f} min left"
        )
        self._restart()


def _silent(_: str) -> None:
    """Only the first process speaks."""
