"""`acetate doctor`: what this machine can do."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import Annotated

import psutil
import typer

from acetate import __version__
from acetate.cli.early import check_device
from acetate.cli.options import Device

_GIBIBYTE = 2**30


def doctor(
    model: Annotated[
        str, typer.Option(help="Say what this model needs, mode by mode, and measure it here.")
    ] = "",
    device: Device = "auto",
) -> None:
    """Say what this machine can paint with, and what is missing."""
    check_device(device)
    if model:
        _memory_of(model, device)
        return
    if device != "auto":
        from acetate.models.devices import pick_device

        pick_device(device)
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
    from acetate.models.devices import available_devices, card_of

    for device in available_devices():
        card = card_of(device)
        words = [card.name] if card.name else []
        if card.total:
            words.append(f"{card.total / _GIBIBYTE:.1f} GiB")
        if card.free:
            words.append(f"{card.free / _GIBIBYTE:.1f} GiB free")
        _line("Device", f"{device}: {', '.join(words)}" if words else device)


def _embedded_model() -> None:
    from acetate.errors import AcetateError
    from acetate.pipelines.loading import load_pipeline

    try:
        pipeline = load_pipeline(device="cpu")
    except AcetateError as error:
        _line("Embedded model", error.message)
    else:
        _line("Embedded model", f"ready, paints {pipeline.native} × {pipeline.native} pixels")


def _memory_of(model: str, device: str) -> None:
    """Need and peak of each mode, a line each; the peak where all of its files are here."""
    from acetate.cli.memory_report import measured, need, peak_on
    from acetate.errors import ModelMissing
    from acetate.models.devices import pick_device
    from acetate.models.families import FAMILIES
    from acetate.models.hub_cache import missing_parts
    from acetate.models.registry import model_named
    from acetate.pipelines.loading import load_pipeline
    from acetate.pipelines.memory import free_memory
    from acetate.pipelines.model_cache import weight_bytes

    entry = model_named(model)
    if missing := missing_parts(entry):
        about = f"It needs about {entry.memory:g} GB." if entry.memory else ""
        raise ModelMissing(f"{entry.name} lacks {', '.join(missing)}. {about}".strip())
    target = pick_device(device)
    _line("Device", f"{target}, {free_memory(target) / 1e9:.1f} GB free")
    with peak_on(target) as loading:
        pipeline = load_pipeline(model, str(target))
    _line("Weights", f"{weight_bytes(pipeline.modules) / 1e9:.2f} GB")
    _line("Loading", f"peak {loading.value / 1e9:.2f} GB")
    for mode in (mode for mode in entry.modes if mode in FAMILIES[entry.family].modes):
        needed = need(entry, mode, target) / 1e9
        _line(mode, f"need about {needed:.2f} GB, peak {measured(pipeline, mode) / 1e9:.2f} GB")


def _other_models() -> None:
    from acetate.models.hub_cache import missing_parts
    from acetate.models.registry import models
    from acetate.models.shipped import EMBEDDED

    for entry in models().values():
        if entry.id != EMBEDDED:
            state = "files missing" if missing_parts(entry) else "files here"
            _line(entry.id, f"{state}, needs about {entry.memory:g} GB on the device")


def _line(name: str, value: str) -> None:
    print(f"{name:<16} {value}")
