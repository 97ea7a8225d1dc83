"""Several single-thread processes that train one model by averaging their weights now and then.

Each process takes its own steps on its own data; every few seconds all of them meet and take the
mean of their weights, weighted by the steps that each took since the last meeting. Nobody waits
at every step, so a core that is busy with something else slows the whole only by its own share.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import torch
import torch.distributed as distributed
from torch import Tensor
from torch.multiprocessing.spawn import (
    ProcessRaisedException,
    spawn,  # pyright: ignore[reportUnknownVariableType]  # It has no annotations.
)

from acetate.errors import AcetateError

from .whole_files import text_written_whole

_collective = cast("Any", distributed)  # Of its collective calls some types are left open.


def rank() -> int:
    """Number of this process, 0 when it works alone."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def meet(tensors: Iterable[Tensor], steps: int) -> int:
    """Replace each tensor by its mean over the processes, weighted by steps; returns their sum."""
    total = torch.tensor(float(steps))
    _collective.all_reduce(total)
    share = steps / max(1.0, float(total))
    for tensor in tensors:
        mean = tensor.detach() * share
        _collective.all_reduce(mean)
        tensor.detach().copy_(mean)
    return int(total)


def everyone_agrees(value: bool) -> bool:
    """Whether any process says so: a decision that all of them then take together."""
    flag = torch.tensor(float(value))
    _collective.all_reduce(flag, distributed.ReduceOp.MAX)
    return bool(flag > 0)


def run_together(stage: Callable[[], None], workers: int) -> None:
    """Run `stage` in `workers` single-thread processes, or here when there is one.

    Raises FileNotFoundError with what a process said that found no input, and WorkerFailed for
    another error that a person can mend.
    """
    if workers == 1:
        torch.set_num_threads(1)
        stage()
        return
    with TemporaryDirectory() as folder:
        place = Path(folder)
        try:
            spawn(_begin, (stage, workers, place), nprocs=workers)
        except ProcessRaisedException:
            for kind in (FileNotFoundError, WorkerFailed):
                for said in sorted(place.glob(f"{kind.__name__}-*")):
                    raise kind(*json.loads(said.read_text(encoding="utf-8"))) from None
            raise


class WorkerFailed(AcetateError):
    """One of the processes failed in a way that a person can mend."""

    code = "training_failed"


def _begin(number: int, stage: Callable[[], None], workers: int, place: Path) -> None:
    try:
        _work(number, stage, workers, (place / "meeting").as_uri())
    except FileNotFoundError as error:
        _say(place, FileNotFoundError, number, str(error))
        raise
    except AcetateError as error:
        _say(place, WorkerFailed, number, error.message, error.hint)
        raise


def _say(place: Path, kind: type[Exception], number: int, *words: str) -> None:
    """Where the process that waits for all finds it; an exception itself does not come so far."""
    text_written_whole(place / f"{kind.__name__}-{number}", json.dumps(words))


def _work(number: int, stage: Callable[[], None], workers: int, meeting: str) -> None:
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[-1 - number % len(cores)]})
    # As `accelerate launch` would say it, for the stages that share each step.
    os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number), "OMP_NUM_THREADS": "1"}
    os.environ |= {"WORLD_SIZE": str(workers), "LOCAL_WORLD_SIZE": str(workers)}
    distributed.init_process_group(
        "gloo",
        init_method=meeting,
        rank=number,
        world_size=workers,
        timeout=timedelta(minutes=10),
    )
    try:
        stage()
        _collective.barrier()  # nobody leaves while another still writes the checkpoint
    finally:
        distributed.destroy_process_group()
