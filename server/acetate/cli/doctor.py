"""`acetate doctor`: what this machine can do."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import psutil

from acetate import __version__

_GIBIBYTE = 2**30


def doctor() -> None:
    """Say what this machine can paint with, and what is missing."""
    memory = psutil.virtual_memory()
    _line("Acetate", __version__)
    _line("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in ("torch", "diffusers", "transformers"):
        _line(package, version(package))
    _line("Processor", f"{os.cpu_count()} cores")
    _line(
        "Memory",
        f"{memory.total / _GIBIBYTE:.1f} GiB, {memory.available / _GIBIBYTE:.1f} GiB free",
    )
    _devices()
    _embedded_model()
    _other_models()


def _devices() -> None:
    import torch

    from acetate.models.devices import available_devices

    for name in available_devices():
        if name.startswith("cuda"):
            properties = torch.cuda.get_device_properties(name)
            size = properties.total_memory / _GIBIBYTE
            _line("Device", f"{name}: {properties.name}, {size:.1f} GiB")
        else:
            _line("Device", name)


def _embedded_model() -> None:
    from acetate.errors import AcetateError
    from acetate.models import load_pipeline

    try:
        pipeline = load_pipeline(device="cpu")
    except AcetateError as error:
        _line("Embedded model", error.message)
    else:
        _line("Embedded model", f"ready, paints {pipeline.native} × {pipeline.native} pixels")


def _other_models() -> None:
    from acetate.models.collection import models
    from acetate.models.loading import EMBEDDED
    from acetate.models.store import missing_parts

    for entry in models().values():
        if entry.id != EMBEDDED:
            state = "files missing" if missing_parts(entry) else "files here"
            _line(entry.id, f"{state}, needs about {entry.memory:g} GB on the device")


def _line(name: str, value: str) -> None:
    print(f"{name:<16} {value}")
