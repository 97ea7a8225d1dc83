"""Both stages on a tiny base of each family, in a process of its own.

`python -m tests.training.conversion.family_runs ROOT NAME [NAME KILL]` trains into ROOT/FAMILY/NAME
with what `write_bases` has put into ROOT, then into that of the second name, where every stage dies
at the step KILL and goes on.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from acetate.training.command import app
from acetate.training.conversion import layer_stage
from acetate.training.conversion.layer_stage import LayerStage
from acetate.training.conversion.pair_stage import PairStage
from tests.support.official_shelf import WRITERS
from tests.training.layer_pictures import write_layers

RATE = 1e-3
STEPS = 4
STAGES: dict[str, Any] = {"transparency": PairStage, "layers": LayerStage}
SHAPES = {"sd15": "config.json", "sdxl": "config.json", "flux": "TransparentVAE.json"}


def write_bases(root: Path) -> None:
    """A base of each family, and few layers."""
    write_layers(root / "data", 2, side=64)
    for family, write in WRITERS.items():
        write(root / family / "base")


def train(root: Path, family: str, name: str, stage: str, *more: str) -> None:
    """One stage to its end, from its checkpoint where there is one."""
    base, out = root / family / "base", root / family / name
    words = [stage, "--base", str(base), "--data", str(root / "data"), "--out", str(out)]
    words += ["--steps", str(STEPS), "--batch", "2", "--rate", str(RATE), "--size", "64"]
    words += ["--checkpoint-steps", "2", *more]
    if stage == "transparency":
        words += ["--adversarial", "0", "--shape", str(base / "transparency" / SHAPES[family])]
    else:
        words += ["--rank", "2"]
    with patch.object(layer_stage, "SHOWN_STEPS", 1):
        app(words, standalone_mode=False)


def train_until_killed(root: Path, family: str, name: str, stage: str, step: int) -> int:
    """By which signal the process of a stage died."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    kind, real = STAGES[stage], STAGES[stage].forward

    def dying(self: Any, batch: dict[str, torch.Tensor], now: int) -> Any:
        if now == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, batch, now)

    kind.forward = dying
    try:
        train(root, family, name, stage)
    finally:
        os._exit(0)


def main(root: Path, whole: str, killed: str = "", step: int = 0) -> None:
    for name in filter(None, (whole, killed)):
        for family in WRITERS:
            for stage in STAGES:
                if name == killed:
                    assert train_until_killed(root, family, name, stage, step) == -signal.SIGKILL
                train(root, family, name, stage)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:4], *map(int, sys.argv[4:]))
