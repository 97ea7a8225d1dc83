"""Every official mode beside diffusers' own pipeline: `python -m tests.benchmarks.modes`.

Full-size SDXL and SD 1.5 with random weights need a graphics card; `--small` runs tiny ones
anywhere, which shows that the script works and says nothing about speed.
"""

from __future__ import annotations

import argparse
import copy
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import (
    StableDiffusionXLPipeline,
)
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

from acetate.latent_transparency import decode_transparent
from acetate.models.families import FAMILIES
from acetate.modes import mode_named, run
from acetate.pipelines.loading import load_folder
from acetate_bridge.protocol.types import Image, Recipe, Request
from tests.benchmarks.full_size import frozen, full_pipeline
from tests.benchmarks.generator import one_by_one
from tests.benchmarks.plain_decoder import PlainDecoder
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

PROMPT = "a paper lantern"
TINY = {"sdxl": write_tiny_sdxl, "sd15": write_tiny_sd15}


def main(arguments: list[str] | None = None) -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="tiny models, for any machine")
    given = parser.parse_args(arguments)
    device = torch.device(given.device)
    if device.type == "cpu" and not given.small:
        print("full-size modes: no figures, as there is no graphics card here (try --small)")
        return
    for family in ("sdxl", "sd15"):
        measure_modes(family, device, given.steps, given.repeats, given.small)
    if device.type != "cpu":
        measure_decoders(device, given.repeats)


def measure_modes(family: str, device: torch.device, steps: int, repeats: int, small: bool) -> None:
    """Each mode at the native size, and diffusers' pipeline with the same parts and steps."""
    if small:
        with tempfile.TemporaryDirectory() as folder:
            pipeline: Any = load_folder(TINY[family](Path(folder) / family), str(device))
            lines(pipeline, device, steps, repeats)
        return
    lines(full_pipeline(family, device, torch.bfloat16), device, steps, repeats)


def lines(pipeline: Any, device: torch.device, steps: int, repeats: int) -> None:
    plain = plain_pipeline(pipeline)
    side = pipeline.native

    def theirs() -> None:
        plain(
            PROMPT, width=side, height=side, num_inference_steps=steps, guidance_scale=7.0,
            generator=torch.Generator().manual_seed(1), output_type="np",
        )  # fmt: skip

    name = f"{pipeline.family} at {side}², {steps} steps"
    base, peak = measured(theirs, device, repeats)
    print(f"{name}, diffusers' own pipeline: {base:.2f} s, peak {peak:.0f} MB", flush=True)
    for mode in FAMILIES[pipeline.family].modes:
        for passes in (1, 8) if mode == "text" else (8,):
            request = request_for(mode, side, steps, passes)
            took, peak = measured(lambda request=request: run(request, pipeline), device, repeats)
            print(
                f"{name}, {mode}, {passes} passes: {took:.2f} s, {took / base:.2f} × diffusers', "
                f"peak {peak:.0f} MB",
                flush=True,
            )


def plain_pipeline(pipeline: Any) -> Any:
    """diffusers' pipeline out of the same networks."""
    scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler_config, use_karras_sigmas=True, steps_offset=1
    )
    tokenizers = [copy.deepcopy(tokenizer) for tokenizer in pipeline.tokenizers]
    for tokenizer in tokenizers:
        tokenizer.model_max_length = 77
    parts: dict[str, Any] = {"vae": pipeline.vae, "unet": pipeline.unet, "scheduler": scheduler}
    for ending, tokenizer, encoder in zip(
        ("", "_2"), tokenizers, pipeline.text_encoders, strict=False
    ):
        parts |= {f"tokenizer{ending}": tokenizer, f"text_encoder{ending}": encoder}
    if pipeline.family == "sdxl":
        made: Any = StableDiffusionXLPipeline(**parts, add_watermarker=False)
    else:
        made = StableDiffusionPipeline(
            **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
        )  # type: ignore[arg-type]
    made.set_progress_bar_config(disable=True)
    return made


def request_for(mode: str, side: int, steps: int, passes: int) -> Request:
    samples = np.zeros((side, side, 4), np.uint8)
    samples[side // 4 : side // 2, side // 4 : side // 2] = (200, 30, 30, 255)
    image = Image(side, side, samples.tobytes())
    recipe = Recipe(
        mode, PROMPT, seed=1, steps=steps, guidance=7.0, width=side, height=side, passes=passes,
        strength=0.5 if mode == "refine" else 1.0,
    )  # fmt: skip
    wanted = [item.name for item in mode_named(mode).info.inputs if item.required]
    images = dict.fromkeys([*wanted, *(["background"] if mode == "extract" else [])], image)
    return Request(recipe, images)


def measure_decoders(device: torch.device, repeats: int) -> None:
    """Eight passes at 1024²: the plain loop, ours, and both compiled."""
    pixel = torch.rand(1, 3, 1024, 1024, device=device, dtype=torch.bfloat16)
    latent = torch.randn(1, 4, 128, 128, device=device, dtype=torch.bfloat16)
    ours = full_pipeline("sd15", device, torch.bfloat16).pair.decoder
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


def measured(work: Callable[[], object], device: torch.device, repeats: int) -> tuple[float, float]:
    """Median seconds after one run to warm up, and the peak memory in MB (CPU: so far)."""
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    took: list[float] = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        took.append(time.perf_counter() - started)
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**20
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return statistics.median(took), peak


if __name__ == "__main__":
    main()
