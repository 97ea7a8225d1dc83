"""Names of devices, told apart before torch is loaded, which takes seconds."""

from __future__ import annotations

import re

from acetate.errors import BadRequest

_DEVICE = re.compile(r"auto|cpu|mps|(cuda|xpu)(:\d+)?")
_DIRECTML = re.compile(r"(direct-?ml|dml|privateuseone)(:\d+)?", re.IGNORECASE)


def check_name(name: str) -> None:
    """Raise BadRequest for what names no device."""
    if not _DEVICE.fullmatch(name):
        raise no_device(name)


def no_device(name: str) -> BadRequest:
    """The error for a name that is that of no device here."""
    if _DIRECTML.fullmatch(name):
        return BadRequest(
            f"There is no device called “{name}”: torch does not bring DirectML.",
            "Cards of AMD paint as cuda (ROCm), those of Intel as xpu; "
            "`acetate setup` fetches the torch that suits the card.",
        )
    return BadRequest(
        f"There is no device called “{name}”: use auto, cpu, cuda (or cuda:1), xpu or mps."
    )
