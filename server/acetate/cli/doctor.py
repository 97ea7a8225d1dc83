"""`acetate doctor`: what this machine can do."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import psutil
import typer

from acetate import __version__
from acetate.cli.early import check_device
from acetate.cli.options import Device

if TYPE_CHECKING:
    from acetate.models.catalog import Entry
    from acetate.models.devices import Card

_GIBIBYTE = 2**30


def doctor(
    model: Annotated[
        str, typer.Option(help="Say what this model needs, mode by mode, and measure it here.")
    ] = "",
    caches: Annotated[
        bool,
        typer.Option(
            "--caches", help="With --model: paint with each of its step caches, and without."
        ),
    ] = False,
    device: Device = "auto",
) -> None:
    """Say what this machine can paint with, and what is missing."""
    check_device(device)
    if caches:
        _caches_of(model, device)
        return
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
    _one_step(device)
    _other_models(device)


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
    from acetate.pipelines.memory_ladder import free_memory
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


def _caches_of(model: str, device: str) -> None:
    """What each step cache saves and loses, a line each."""
    from acetate.errors import BadRequest
    from acetate.models.devices import pick_device
    from acetate.models.families import FAMILIES
    from acetate.models.registry import model_named

    entry = model_named(model) if model else None
    caches = FAMILIES[entry.family].step_caches if entry else ()
    mode = next((each for each in ("text", "decompose") if entry and each in entry.modes), "")
    if entry is None or not caches or not mode:
        raise BadRequest(
            f"{entry.name} has no step caches to measure." if entry else "Step caches of what?",
            "Name a model that has some: --model flux, qwen21 or qwen-layered.",
        )
    from acetate.cli.cache_report import cache_figures, request_for
    from acetate.pipelines.loading import load_pipeline

    pipeline = load_pipeline(model, str(pick_device(device)))
    request = request_for(pipeline, mode)
    _line("Measured", f"{mode}, {request.recipe.steps} steps, at {pipeline.native} pixels")
    for figures in cache_figures(pipeline, request):
        _line(figures.cache, figures.line)


def _one_step(device: str) -> None:
    """How long the embedded model takes for a step here: the second, as the first warms up."""
    import time

    from acetate.errors import AcetateError
    from acetate.models.devices import pick_device
    from acetate.modes import run
    from acetate.pipelines.loading import load_pipeline
    from acetate.pipelines.sampling import Step
    from acetate_bridge.protocol.types import Recipe, Request

    ended: list[float] = []

    def note(step: Step) -> None:
        ended.append(time.perf_counter())

    target = pick_device(device)
    try:
        pipeline = load_pipeline(device=str(target))
        size = pipeline.native
        run(Request(Recipe("text", "a thing", steps=2, width=size, height=size)), pipeline, note)
    except (AcetateError, RuntimeError) as error:
        _line("One step", f"not on {target}: {(str(error).splitlines() or ['it failed'])[0]}")
    else:
        took = ended[-1] - ended[-2]
        _line("One step", f"{took:.3f} s on {target}, at {size} × {size} pixels")


def _other_models(device: str) -> None:
    from acetate.models.devices import card_of, pick_device
    from acetate.models.hub_cache import missing_parts
    from acetate.models.registry import models
    from acetate.models.shipped import EMBEDDED

    card = card_of(str(pick_device(device)))
    for entry in models().values():
        if entry.id != EMBEDDED:
            state = "files missing" if missing_parts(entry) else "files here"
            needs = f"needs about {entry.memory:g} GB on the device"
            _line(entry.id, f"{state}, {needs}{_fit(entry, card)}")


def _fit(entry: Entry, card: Card) -> str:
    """How a model fits onto a card, or that it does not; nothing where there is none."""
    from acetate.models.fitting import plan

    if not (card.free and entry.networks):
        return ""
    found = plan(entry.networks, card.free)
    return f"; fits as {found.label}" if found else "; does not fit into what is free"


def _line(name: str, value: str) -> None:
    print(f"{name:<16} {value}")
