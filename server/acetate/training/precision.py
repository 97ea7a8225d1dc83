"""Which arithmetic trains faster on this processor.

Matrix extensions make bfloat16 several times as fast as float32; without them it can be half as
fast, although the processor claims to support it.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import Conv2d

from acetate.models.weights import in_channels_last

TRIALS = 3


@cache
def faster_precision() -> torch.dtype:
    """float32 or bfloat16, whichever runs a convolution forwards and backwards in less time."""
    seconds = {dtype: _seconds(dtype) for dtype in (torch.float32, torch.bfloat16)}
    return min(seconds, key=lambda dtype: seconds[dtype])


def training_autocast() -> torch.autocast:
    """The context for a forward pass: bfloat16 where that is faster, else float32 as it is."""
    return torch.autocast(
        "cpu", torch.bfloat16, enabled=faster_precision() is torch.bfloat16, cache_enabled=True
    )


def _seconds(dtype: torch.dtype) -> float:
    """Best time of a few runs of a layer like the autoencoder's."""
    layer = in_channels_last(Conv2d(96, 96, 3, padding=1))
    pictures = torch.randn(8, 96, 32, 32).to(memory_format=torch.channels_last)
    pictures.requires_grad_(True)
    best = float("inf")
    for _ in range(TRIALS):
        began = time.perf_counter()
        with (
            torch.enable_grad(),
            torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16),
        ):
            painted: Tensor = layer(pictures)
            cast("Any", painted.float().sum()).backward()
        best = min(best, time.perf_counter() - began)
    return best
