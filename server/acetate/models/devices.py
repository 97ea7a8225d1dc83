"""Choosing where to paint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch

from acetate.errors import DeviceMissing
from acetate.models.device_names import check_name


def available_devices() -> list[str]:
    """The devices that torch can use here, the best first; the last is always "cpu"."""
    devices = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    devices += [f"xpu:{index}" for index in range(_xpu_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


@dataclass(frozen=True)
class Card:
    """A device for people; bytes are 0 where torch does not tell (the processor, Apple's)."""

    device: str
    name: str = ""
    total: int = 0
    free: int = 0


def card_of(device: str) -> Card:
    """What a device is called, and its memory. A driver that fails is a card without figures."""
    kind = device.partition(":")[0]
    # Their properties are of no declared type.
    libraries = cast("dict[str, Any]", {"cuda": torch.cuda, "xpu": torch.xpu})
    if (library := libraries.get(kind)) is None:
        return Card(device)
    try:
        properties = library.get_device_properties(device)
        total = int(properties.total_memory)
        name = str(properties.name)
    except (RuntimeError, AssertionError, AttributeError):
        return Card(device, "its driver does not answer")
    try:
        free = int(library.mem_get_info(device)[0])
    except (RuntimeError, AssertionError, AttributeError):
        free = 0  # Cards of Intel do not all tell.
    return Card(device, name, total, free)


def _xpu_count() -> int:
    """Graphics cards of Intel; a torch without them has none."""
    return torch.xpu.device_count() if torch.xpu.is_available() else 0


def card_memory(device: torch.device) -> int:
    """Bytes that a graphics card of NVIDIA's, AMD's or Intel's has in all."""
    # Its properties are of no declared type.
    cards = cast("Any", torch.xpu if device.type == "xpu" else torch.cuda)
    return cards.get_device_properties(device).total_memory


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name (`cpu`, `cuda`, `cuda:1`, `xpu`, `mps`), or the best for `auto`.

    Raises BadRequest for what is no device name and DeviceMissing for one that is not here.
    """
    devices = available_devices()
    if name == "auto":
        return torch.device(devices[0])
    check_name(name)
    device = torch.device(name)
    if name not in devices and not any(known.split(":")[0] == name for known in devices):
        raise DeviceMissing(
            f"This machine cannot paint on “{name}”: it has {', '.join(devices)}.",
        )
    return device
