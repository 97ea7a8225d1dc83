"""What torch leaves without types and every stage does: drawing alike, and one step downhill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn


def seed_everything(seed: int) -> None:
    """The same numbers drawn by torch from here on, on every device."""
    cast("Any", torch).manual_seed(seed)


def descend(
    loss: Tensor, optimiser: torch.optim.Optimizer, clipped: Sequence[nn.Parameter] = ()
) -> None:
    """One step of the optimiser on a loss; the gradients of `clipped` are held to a norm of 1."""
    cast("Any", loss).backward()
    if clipped:
        nn.utils.clip_grad_norm_(clipped, 1.0)
    cast("Any", optimiser).step()
