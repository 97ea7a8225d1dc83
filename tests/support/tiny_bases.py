"""A tiny random base of each family that paints, by the family's name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl
from tests.support.tiny_flux import write_tiny_flux
from tests.support.tiny_flux2 import write_tiny_flux2
from tests.support.tiny_layered import write_tiny_layered
from tests.support.tiny_model import write_tiny_model
from tests.support.tiny_qwen import write_tiny_qwen
from tests.support.tiny_qwen21 import write_tiny_qwen21

TINY_BASES: dict[str, Callable[[Path], Path]] = {
    "embedded": write_tiny_model,
    "sd15": write_tiny_sd15,
    "sdxl": write_tiny_sdxl,
    "flux": partial(write_tiny_flux, pickled=False),
    "flux2": write_tiny_flux2,
    "qwen": partial(write_tiny_qwen, edits=True),
    "qwen21": write_tiny_qwen21,
    "layered": write_tiny_layered,
}
