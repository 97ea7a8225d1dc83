"""The loop of every stage: on one device or several, and the same bytes however often it stops."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import Accelerator  # pyright: ignore[reportMissingTypeStubs]  # It has none.
from diffusers.training_utils import EMAModel
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from acetate.errors import AcetateError, BadRequest
from acetate.training.checkpoints import read_checkpoint, write_checkpoint
from acetate.training.conversion.log import Log
from acetate.training.conversion.order import Shares
from acetate.training.conversion.plan import Plan
from acetate.training.gradients import seed_everything
from acetate.training.loop import Report
from acetate.training.losses import Losses
from acetate.training.schedule import Schedule

Batch = dict[str, Tensor]
MOST_FAILURES = 10
"""Steps in a row whose gradient is no number, before the training gives up; half of a short one."""


class TrainingFailed(AcetateError):
    """The training cannot go on."""

    code = "training_failed"


class Stage(nn.Module, ABC):
    """What is trained: its parameters that require gradients, and nothing else, are kept."""

    name: str

    @abstractmethod
    def forward(self, batch: Batch, step: int) -> Losses:
        """Means over the samples of a batch; `loss` is descended, the others are told."""

    @abstractmethod
    def show(self, file: Path) -> None:
        """Draw what the stage can do so far, from a few samples that it keeps."""

    def trained(self) -> dict[str, nn.Parameter]:
        """By name, in an order that stays."""
        return {name: each for name, each in self.named_parameters() if each.requires_grad}


class Trainer:
    """Trains a stage in `out`: checkpoint, log and pictures bear its name.

    `facts` are what a checkpoint must have been written with to be gone on from: a name and a
    value each. Raises BadRequest for a batch that cannot be shared by the processes.
    """

    def __init__(
        self, stage: Stage, plan: Plan, out: Path, facts: Mapping[str, Any], report: Report
    ) -> None:
        self.stage, self.plan, self.out = stage, plan, out
        self.accelerator: Any = accelerator_for(plan)
        self.report = told_once(self.accelerator, report)
        processes = self.accelerator.num_processes
        if plan.batch % (processes * plan.parts):
            raise BadRequest(
                f"A batch of {plan.batch} cannot be shared by {processes} processes in "
                f"{plan.parts} parts each: take a multiple of {processes * plan.parts}."
            )
        self.step = 0
        self.skipped = 0
        self._facts = {**plan.fixed, **facts}
        self._schedule = Schedule(plan.steps, plan.rate, plan.warm_up)
        self._parameters = list(stage.trained().values())
        self._optimiser = _optimiser(self._parameters, plan)
        self._average: Any = EMAModel(self._parameters, decay=plan.average)
        self._log = Log(out / f"{stage.name}.csv")

    @property
    def file(self) -> Path:
        """The checkpoint."""
        return self.out / f"{self.stage.name}.pt"

    def run(self, data: Dataset[Any], held_out: Dataset[Any] | None = None) -> None:
        """Train to the last step, from the checkpoint where there is one.

        `data` gives the sample of any number, `held_out` a few more to validate with. Afterwards
        the stage has its averaged weights. Raises TrainingFailed, CannotWrite, BadRequest.
        """
        seed_everything(self.plan.seed)
        stage: Any = self.accelerator.prepare_model(self.stage)
        self._average.to(self.accelerator.device)
        if self._resume():
            self.report(f"{self.stage.name}: goes on from step {self.step}")
        main, plan = self.accelerator.is_main_process, self.plan
        if self.step == 0:
            self._validate(held_out)
        batches = self._batches(data, range(self.step, plan.steps))
        failures = 0
        while self.step < plan.steps:
            losses, norm = self._descend(stage, islice(batches, plan.parts))
            failures = 0 if norm.isfinite() else failures + 1
            if failures >= min(MOST_FAILURES, max(1, plan.steps // 2)):
                raise TrainingFailed(
                    f"The loss of {self.stage.name} is no number since step "
                    f"{self.step - failures + 2}.",
                    f"Take a smaller --rate than {plan.rate:g} and another --out, or look through "
                    "the data with `acetate train inspect`; the checkpoint of before is whole.",
                )
            self.step += 1
            if self._due(plan.report_steps):
                self._tell(losses, float(norm))
            # While nothing is learned, the checkpoint of before stays: this may be a ruin already.
            if (
                main
                and self._due(plan.checkpoint_steps)
                and not (failures and self.step < plan.steps)
            ):
                write_checkpoint(self.file, self._state())
            if self._due(plan.sample_steps):
                self._validate(held_out)
        if self.skipped:
            self.report(f"{self.stage.name}: {self.skipped} steps were no numbers and left out")
        self._average.copy_to(self._parameters)
        self.accelerator.wait_for_everyone()

    def _descend(self, stage: Any, parts: Iterator[Batch]) -> tuple[Losses, Tensor]:
        """One step; its losses, and the length of the gradient before it was clipped."""
        told: Losses = {}
        for batch in parts:
            placed = {
                name: value.to(self.accelerator.device, non_blocking=True)
                for name, value in batch.items()
            }
            with self.accelerator.accumulate(stage):
                losses = cast("Losses", stage(placed, self.step))
                self.accelerator.backward(losses["loss"])
            for name, value in losses.items():
                told[name] = told.get(name, 0) + value.detach().float() / self.plan.parts
        norm = nn.utils.clip_grad_norm_(self._parameters, 1.0)
        # All processes have the same gradient here, so all of them leave the same step out.
        if norm.isfinite():
            for group in self._optimiser.param_groups:
                group["lr"] = self._schedule.rate(self.step)
            cast("Any", self._optimiser).step()
            self._average.step(self._parameters)
        else:
            self.skipped += 1
        self._optimiser.zero_grad(set_to_none=True)
        return told, norm

    def _batches(self, data: Dataset[Any], steps: range) -> Iterator[Batch]:
        state, plan = self.accelerator, self.plan
        shares = Shares(plan.batch, steps, state.process_index, state.num_processes, plan.parts)
        return iter(DataLoader(data, batch_sampler=shares, num_workers=plan.readers))

    def _due(self, every: int) -> bool:
        return self.step % every == 0 or self.step == self.plan.steps

    def _tell(self, losses: Losses, norm: float) -> None:
        names = list(losses)
        values = torch.stack([losses[name] for name in names])
        mean: Tensor = self.accelerator.reduce(values, "mean")
        row = {name: float(value) for name, value in zip(names, mean, strict=True)}
        row |= {"norm": norm, "rate": self._schedule.rate(self.step - 1)}
        if self.accelerator.is_main_process:
            self._log.add(self.step, row)
        self.report(f"{self.stage.name}: {self._log.line(self.step, self.plan.steps, row)}")

    @torch.no_grad()
    def _validate(self, held_out: Dataset[Any] | None) -> None:
        """With the averaged weights: the loss on what is held out, and pictures."""
        if not self.accelerator.is_main_process:
            return
        self._average.store(self._parameters)
        self._average.copy_to(self._parameters)
        try:
            if held_out is not None:
                loader = DataLoader(held_out, batch_size=max(1, self.plan.batch // 2))
                device = self.accelerator.device
                totals = [
                    float(self.stage({k: v.to(device) for k, v in batch.items()}, 0)["loss"])
                    for batch in loader
                ]
                loss = sum(totals) / len(totals)
                self._log.add(self.step, {"held out": loss})
                self.report(f"{self.stage.name}: step {self.step}, held out {loss:.4f}")
            self.stage.show(self.out / "samples" / f"{self.stage.name}-{self.step:07}.png")
        finally:
            self._average.restore(self._parameters)

    def _state(self) -> dict[str, Any]:
        names = list(self.stage.trained())
        return {
            "step": self.step,
            "skipped": self.skipped,
            "facts": self._facts,
            "weights": {n: p.detach() for n, p in zip(names, self._parameters, strict=True)},
            "average": dict(zip(names, self._average.shadow_params, strict=True)),
            "averaged": self._average.optimization_step,
            "eight_bit": self.plan.eight_bit,
            "optimiser": self._optimiser.state_dict(),
        }

    def _resume(self) -> bool:
        state = read_checkpoint(self.file)
        if state is None:
            self._keep_log()
            return False
        known = state.get("facts", {})
        for name, value in self._facts.items():
            if known.get(name) != value:
                raise BadRequest(
                    f"The checkpoint {self.file} was begun with another {name} "
                    f"({known.get(name)}, now {value}).",
                    "Take that one, or another --out.",
                )
        if state.get("eight_bit", False) != self.plan.eight_bit:
            now, before = ("with", "without") if self.plan.eight_bit else ("without", "with")
            raise BadRequest(
                f"The checkpoint {self.file} was begun {before} --eight-bit and cannot be gone on "
                f"from {now} it: its optimiser is another.",
                f"Run it {before} --eight-bit, or take another --out.",
            )
        self.step, self.skipped = state["step"], state["skipped"]
        with torch.no_grad():
            for name, parameter in self.stage.trained().items():
                parameter.copy_(state["weights"][name])
            for name, shadow in zip(self.stage.trained(), self._average.shadow_params, strict=True):
                shadow.copy_(state["average"][name])
        self._average.optimization_step = state["averaged"]
        self._optimiser.load_state_dict(state["optimiser"])
        self._keep_log()
        return True

    def _keep_log(self) -> None:
        """Of all processes the first alone writes: they may share a folder."""
        if self.accelerator.is_main_process:
            self._log.keep(self.step)


def accelerator_for(plan: Plan) -> Accelerator:
    """On the best device of this process; bf16 on a graphics card where nobody says otherwise."""
    on_card = torch.cuda.is_available()
    wanted = {"auto": "bf16" if on_card else "no"}.get(plan.precision, plan.precision)
    return Accelerator(
        cpu=not (on_card or torch.backends.mps.is_available()),
        mixed_precision=wanted,
        gradient_accumulation_steps=plan.parts,
    )


def told_once(state: Accelerator, report: Report) -> Report:
    """The report of the first process; the others say nothing."""
    return report if state.is_main_process else _silent


def _optimiser(parameters: list[nn.Parameter], plan: Plan) -> torch.optim.Optimizer:
    settings: dict[str, Any] = {"lr": plan.rate, "betas": (0.9, 0.99), "weight_decay": 0.01}
    if plan.eight_bit:
        from importlib import import_module

        try:
            library: Any = import_module("bitsandbytes")
        except ImportError as error:
            raise BadRequest(
                "An optimiser of 8 bits needs bitsandbytes, which is not installed: "
                "`pip install bitsandbytes`, or leave out --eight-bit."
            ) from error
        return library.optim.AdamW8bit(parameters, **settings)
    return torch.optim.AdamW(parameters, **settings)


def _silent(_: str) -> None:
    """What the other processes would say."""
