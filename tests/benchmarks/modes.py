"""Every official mode beside diffusers' own pipeline: `python -m tests.benchmarks.modes`.

Full-size SDXL and SD 1.5 with random weights need a graphics card, or `--side` and patience: so
large they paint on a processor, too, by one thread and in bfloat16. `--small` runs tiny ones of
these and of Flux, FLUX.2 and Qwen-Image-2.1 anywhere, which shows that the script works and says
nothing about speed. The embedded model, for which diffusers has no pipeline, is timed alone.
"preview" is the time of one preview as a share of a step's. Seconds are the processor's own where
it paints, so that what else the machine does counts little. "matrix product" is a bare one of
torch, for comparing machines. Step caches are beside the same model without; of random weights,
their loss says nothing (`acetate doctor --model ID --caches` measures it on real ones). What comes
out opaque is not tried a second time here: random weights paint much that is.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from acetate.cli.cache_report import cache_figures
from acetate.latent_transparency import decode_transparent
from acetate.models.families import FAMILIES, FEW_TO_SKIP
from acetate.modes import mode_named, run
from acetate.pipelines.loading import load_folder, load_pipeline
from acetate.pipelines.sampling import Step
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.benchmarks.full_size import frozen, full_pipeline
from tests.benchmarks.generator import one_by_one
from tests.benchmarks.plain_decoder import PlainDecoder
from tests.benchmarks.plain_pipelines import PROMPT, plain_painter
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl
from tests.support.tiny_flux import write_tiny_flux
from tests.support.tiny_flux2 import write_tiny_flux2
from tests.support.tiny_qwen21 import write_tiny_qwen21

FULL = ("sdxl", "sd15")
TINY: dict[str, Callable[[Path], Path]] = {
    "sdxl": write_tiny_sdxl,
    "sd15": write_tiny_sd15,
    "flux": lambda folder: write_tiny_flux(folder, pickled=False),
    "flux2": write_tiny_flux2,
    "qwen21": write_tiny_qwen21,
}
SMALL_SIDE = 256
"""Side at which tiny models paint whose native size is for large ones."""


def main(arguments: list[str] | None = None) -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="tiny models, for any machine")
    parser.add_argument("--side", type=int, help="paint squares of this side at full size")
    parser.add_argument("--family", action="append", help="of these alone")
    parser.add_argument("--mode", action="append", help="these alone")
    given = parser.parse_args(arguments)
    device = torch.device(given.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("no figures, as torch finds no graphics card here (try --small --device cpu)")
        return
    if device.type == "cpu" and not given.small:
        if given.side is None:
            print("full-size modes: no figures, as there is no graphics card here (try --small)")
            return
        torch.set_num_threads(1)  # Seconds of several would add up.
        print(f"on {processor()}", flush=True)
    print(f"matrix product of 1024²: {matrix_product(device, given.repeats):.4f} s", flush=True)
    others = () if given.side else ("embedded",)
    for family in given.family or (*(TINY if given.small else FULL), *others):
        measure_modes(family, device, given)
    if device.type != "cpu":
        measure_decoders(device, given.repeats)


def matrix_product(device: torch.device, repeats: int) -> float:
    """Seconds of a product of torch alone."""
    square = torch.rand(1024, 1024, device=device)
    return measured(lambda: square @ square, device, repeats)[0]


def measure_modes(family: str, device: torch.device, given: argparse.Namespace) -> None:
    """Each mode at the native size, and diffusers' pipeline with the same parts and steps."""
    if family == "embedded":
        lines(load_pipeline("embedded", str(device)), device, given)
    elif given.small:
        with tempfile.TemporaryDirectory() as folder:
            pipeline: Any = load_folder(TINY[family](Path(folder) / family), str(device))
            if pipeline.native > SMALL_SIDE:
                pipeline.native = SMALL_SIDE
                pipeline.limits = FrameLimits(64, 64, SMALL_SIDE, SMALL_SIDE**2)
            lines(pipeline, device, given)
    else:
        whole = full_pipeline(family, device, torch.bfloat16)
        if given.side:
            whole.native = given.side
            whole.limits = FrameLimits(64, 64, given.side, given.side**2)
        lines(whole, device, given)


def processor() -> str:
    """What the processor is called."""
    told = Path("/proc/cpuinfo")
    names = [
        line.partition(":")[2].strip()
        for line in (told.read_text().splitlines() if told.is_file() else ())
        if line.startswith("model name")
    ]
    return names[0] if names else platform.processor() or platform.machine()


@patch("acetate.modes.second_try.alpha_warning", lambda image: "")
def lines(pipeline: Any, device: torch.device, given: argparse.Namespace) -> None:
    """The modes of one model, of those that the device can time beside a plain picture."""
    steps, repeats = given.steps, given.repeats
    side = pipeline.native
    name = f"{pipeline.family} at {side}², {steps} steps"
    base = None
    if (plain := plain_painter(pipeline)) is not None:
        base, peak = measured(lambda: plain(steps, side), device, repeats, lambda: plain(1, side))
        print(f"{name}, diffusers' own pipeline: {base:.2f} s, peak {peak:.0f} MB", flush=True)
    modes = [mode for mode in painted_modes(pipeline) if mode in (given.mode or [mode])]
    for mode in modes:
        for passes in (1, 8) if mode == "text" else (8,):
            request = request_for(mode, pipeline, steps, passes)
            seen: list[Step] = []
            brief = replace(request, recipe=replace(request.recipe, steps=1))
            took, peak = measured(
                lambda request=request, seen=seen: run(request, pipeline, seen.append),
                device,
                repeats,
                lambda brief=brief: run(brief, pipeline),
            )
            assert len(seen) == repeats * seen[-1].total  # Each was painted once.
            share = preview_share(seen, took / seen[-1].total, device)
            ratio = f"{took / base:.2f} × diffusers', " if base else ""
            print(
                f"{name}, {mode}, {passes} passes: {took:.2f} s, {ratio}"
                f"preview {share:.1%}, peak {peak:.0f} MB",
                flush=True,
            )
    if "text" in modes and steps > FEW_TO_SKIP:
        for figures in cache_figures(pipeline, request_for("text", pipeline, steps, 1)):
            print(f"{name}, text with {figures.cache}: {figures.line}", flush=True)


def painted_modes(pipeline: Any) -> list[str]:
    """What the denoiser does by itself: no mode of pixels alone, none that wants an adapter."""
    without = pipeline.family == "flux2" and pipeline.adapter is None
    pixels = ("decompose", "upscale", "defringe", "cutout")
    return [
        mode
        for mode in FAMILIES[pipeline.family].modes
        if mode not in pixels and (not without or mode == "background")
    ]


def preview_share(seen: list[Step], step: float, device: torch.device) -> float:
    """How long a preview takes beside a step of so many seconds, once a layer was decoded."""
    return measured(seen[-1].preview, device, 1)[0] / step


def request_for(mode: str, pipeline: Any, steps: int, passes: int) -> Request:
    side = pipeline.native
    samples = np.zeros((side, side, 4), np.uint8)
    samples[side // 4 : side // 2, side // 4 : side // 2] = (200, 30, 30, 255)
    image = Image(side, side, samples.tobytes())
    recipe = Recipe(
        mode, PROMPT, seed=1, steps=steps, guidance=FAMILIES[pipeline.family].guidance,
        width=side, height=side, passes=passes,
        strength=0.5 if mode == "refine" else 1.0,
    )  # fmt: skip
    wanted = [item.name for item in mode_named(mode).info.inputs if item.required]
    images = dict.fromkeys([*wanted, *(["background"] if mode == "extract" else [])], image)
    return Request(recipe, images)


def measure_decoders(device: torch.device, repeats: int) -> None:
    """Eight passes at 1024²: the plain loop, ours, and both compiled."""
    pixel = torch.rand(1, 3, 1024, 1024, device=device, dtype=torch.bfloat16)
    latent = torch.randn(1, 4, 128, 128, device=device, dtype=torch.bfloat16)
    ours = full_pipeline("sd15", device, torch.bfloat16).transparency.decoder
    plain = frozen(PlainDecoder, device, torch.bfloat16)
    for kind in ("eager", "compiled"):
        if kind == "compiled":
            ours.forward, plain = torch.compile(ours.forward), torch.compile(plain)
        loop, _ = measured(lambda plain=plain: one_by_one(plain, pixel, latent), device, repeats)
        for images in (1, 2, 4, 8):
            took, peak = measured(
                lambda images=images: decode_transparent(
                    ours, pixel, latent, 8, chunk_pixels=images * 1024**2
                ),
                device,
                repeats,
            )
            print(
                f"8 passes at 1024², {kind}, {images} at once: {took:.3f} s, loop {loop:.3f} s, "
                f"{loop / took:.2f} × faster, peak {peak:.0f} MB",
                flush=True,
            )


def measured(
    work: Callable[[], object],
    device: torch.device,
    repeats: int,
    warm_up: Callable[[], object] | None = None,
) -> tuple[float, float]:
    """Median seconds after one run to warm up, and the peak memory in MB (CPU: so far)."""
    (warm_up or work)()
    synchronise(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    took: list[float] = []
    for _ in range(repeats):
        started = clock()
        work()
        synchronise(device)
        took.append(clock() - started)
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**20
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return statistics.median(took), peak


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
