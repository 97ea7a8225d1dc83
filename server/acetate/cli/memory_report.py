"""What a model needs on a device, mode by mode: estimated from its files, or measured."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import torch

from acetate.models.catalog import Entry
from acetate.models.families import FAMILIES
from acetate.models.hub_cache import located
from acetate.models.identify import shapes_in
from acetate.modes import MODES, run
from acetate.pipelines.model_cache import expected_bytes, weight_bytes
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image, Recipe, Request


@dataclass
class Peak:
    """The most memory that was in use beyond what was at the start, in bytes."""

    value: int = 0
    stop: threading.Event = field(default_factory=threading.Event)


def need(entry: Entry, mode: str, device: torch.device) -> int:
    """Bytes that a mode needs at the native size: weights, its largest patch, and working maps."""
    numbers = 2 if device.type == "cpu" else 1
    patches = [
        sum(_count(shape) for shape in shapes_in(path).values()) * 2
        for part in entry.parts
        if mode in part.modes and part.modes != entry.modes
        if (path := located(part.file)) is not None and path.suffix == ".safetensors"
    ]
    working = entry.native**2 * FAMILIES[entry.family].activations * numbers
    return expected_bytes(entry, device) + max(patches, default=0) * numbers + working


def measured(pipeline: Pipeline, mode: str) -> int:
    """Paint one step of a mode at the native size, with one decoding pass; the peak in bytes.

    On a graphics card all that torch holds; on the processor the weights, and what the process
    gained while it painted.
    """
    side = pipeline.native
    blank = Image(side, side, bytes([128, 128, 128, 255]) * side * side)
    wanted = [item.name for item in MODES[mode].info.inputs if item.required]
    wanted += ["background"] if mode == "extract" else []
    images = {name: blank for name in wanted}
    recipe = Recipe(mode, "a thing", steps=1, passes=1, width=side, height=side, layers=2)
    with peak_on(pipeline.device) as peak:
        run(Request(recipe, images), pipeline)
    held = weight_bytes(pipeline.modules) if pipeline.device.type != "cuda" else 0
    return peak.value + held


@contextmanager
def peak_on(device: torch.device) -> Generator[Peak]:
    """Measures the length of a block."""
    peak = Peak()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield peak
        peak.value = torch.cuda.max_memory_allocated(device)
        return
    process = psutil.Process()
    start = process.memory_info().rss

    def watch() -> None:
        while not peak.stop.wait(0.01):
            peak.value = max(peak.value, process.memory_info().rss - start)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield peak
    finally:
        peak.stop.set()
        watching.join()
        peak.value = max(peak.value, process.memory_info().rss - start)


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
