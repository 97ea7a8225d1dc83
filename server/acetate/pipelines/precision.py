"""What a device asks for: where weights wait, their types, and how much is decoded at once."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import torch

from acetate.latent_transparency.decoding import CHUNK_PIXELS
from acetate.pipelines.memory_ladder import free_memory
from acetate.pipelines.weight_sizes import fits


class Stored(Protocol):
    """A base on the disk."""

    @property
    def weights(self) -> list[Path]:
        """The files that hold weights."""
        ...


def home_for(base: Stored, device: torch.device) -> torch.device:
    """Where the networks wait: on the device, or outside where they do not all fit."""
    size = sum(path.stat().st_size for path in base.weights)
    return device if fits(size, device) else torch.device("cpu")


def chunk_for(device: torch.device) -> int:
    """Pixels that the transparent decoder takes at once: 1 KB each in half precision."""
    if device.type not in ("cuda", "xpu"):
        return CHUNK_PIXELS
    return max(CHUNK_PIXELS, min(8 * 2**20, free_memory(device) // 4096))


def precision(device: torch.device) -> tuple[torch.dtype, torch.dtype]:
    """Of the denoiser and of the autoencoder, which overflows in fp16 (SDXL)."""
    if device.type == "cpu":
        return torch.float32, torch.float32
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.bfloat16, torch.bfloat16
    if device.type == "xpu" and torch.xpu.is_bf16_supported():
        return torch.bfloat16, torch.bfloat16
    return torch.float16, torch.float32


def pair_precision(device: torch.device) -> tuple[torch.dtype, torch.dtype]:
    """Of the transparent decoder and of the offset encoder.

    The published decoder was trained and is run in fp16, which has the finer steps that alpha
    needs (bf16 is off by more than a level of 8 bits); the offset is multiplied by 300.
    """
    return (torch.float16 if device.type in ("cuda", "xpu") else torch.float32), torch.float32
