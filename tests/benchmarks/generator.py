"""What painting costs: import, load, encode, denoise, decode, memory, and a run from the shell."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from torch import nn

from acetate.latent_transparency import TransparentDecoder, decode_transparent
from acetate.latent_transparency.flip_ensemble import TURNS, lower_median
from acetate.pipelines.loading import load_folder, load_pipeline
from acetate.pipelines.pipeline import Pipeline

REPEATS = 5
PROMPT = "a red apple"
STEPS = 20

_MEASURED = """
import sys
from acetate.cli import main
sys.argv = sys.argv[1:]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
if sys.platform == "win32":
    import psutil
    print(psutil.Process().memory_info().peak_wset)
else:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak if sys.platform == "darwin" else peak * 1024)
"""
"""The command line in a process that says at its end how many bytes it needed at most."""


def main(model: str, device: str) -> None:
    """Print one line for each figure; times are medians of warm repeats unless said otherwise."""
    line("machine", f"{psutil.cpu_count(logical=False)} cores, torch {torch.__version__}")
    line("import", seconds(run_python("import acetate.pipelines.embedded")))
    started = time.perf_counter()
    pipeline = load(model, device)
    line("load", seconds(time.perf_counter() - started))
    size = pipeline.native
    line("model", f"{pipeline.model} on {pipeline.device}, {size} × {size} pixels")
    generator_lines(pipeline)
    decoder_lines(pipeline)
    shell_lines(model, device)


def load(model: str, device: str) -> Pipeline:
    """A model by id or by its folder."""
    folder = Path(model)
    return load_folder(folder, device) if folder.is_dir() else load_pipeline(model, device)


def generator_lines(pipeline: Pipeline) -> None:
    size = pipeline.native
    noise = pipeline.draw_noise(size, size, torch.Generator().manual_seed(0))
    prompt = pipeline.encode_prompt([PROMPT], [""])
    line("text encoding", seconds(median(lambda: pipeline.encode_prompt([PROMPT], [""]))))

    def denoise() -> torch.Tensor:
        return pipeline.denoise(noise, prompt, steps=STEPS, guidance=3.0)

    denoising = median(denoise)
    latent = denoise()
    line("denoise, a step", f"{seconds(denoising / STEPS)} with guidance")
    decode = {n: median(lambda n=n: pipeline.decode_layer(latent, n)) for n in (1, 8)}
    line("decode, 1 pass", f"{seconds(decode[1])} with the plain decode")
    line("decode, 8 passes", f"{seconds(decode[8])} with the plain decode")
    line("a layer, warm", f"{seconds(denoising + decode[8])}, {STEPS} steps and 8 passes")


def decoder_lines(pipeline: Pipeline) -> None:
    """Our batched decode beside the plain loop of the official code, in turns in one run."""
    decoder = getattr(pipeline, "decoder", None)
    if not isinstance(decoder, TransparentDecoder):
        return
    size = pipeline.native
    pixel = torch.rand(1, 3, size, size, device=pipeline.device, dtype=pipeline.dtype)
    side = size // pipeline.latent_factor
    latent = torch.randn(1, pipeline.latent_channels, side, side).to(pixel)
    ours: list[float] = []
    plain: list[float] = []
    for _ in range(REPEATS):
        ours.append(timed(lambda: decode_transparent(decoder, pixel, latent, 8)))
        plain.append(timed(lambda: one_by_one(decoder, pixel, latent)))
    batched, loop = statistics.median(ours), statistics.median(plain)
    line(
        "8 passes, batched",
        f"{seconds(batched)}, one by one {seconds(loop)}: {loop / batched:.2f} times faster",
    )


@torch.inference_mode()
def one_by_one(
    decoder: nn.Module, pixel: torch.Tensor, latent: torch.Tensor, passes: int = 8
) -> torch.Tensor:
    """Every turn by itself, as published."""
    results = [
        turn.undo(decoder(turn.apply(pixel), turn.apply(latent)).clamp(0, 1))
        for turn in TURNS[passes]
    ]
    return lower_median(torch.stack(results))


def shell_lines(model: str, device: str) -> None:
    """A whole run in a process of its own, from the shell's view."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "layer.png"
        order = ["acetate", "generate", "text", PROMPT, "-o", str(output), "--steps", str(STEPS)]
        order += ["--model", model, "--device", device]
        started = time.perf_counter()
        run = subprocess.run(
            [sys.executable, "-c", _MEASURED, *order], stdout=subprocess.PIPE, check=True
        )
        line("a layer, cold", f"{seconds(time.perf_counter() - started)} from the shell")
        line("peak memory", f"{int(run.stdout.split()[-1]) / 2**20:.0f} MiB for that run")


def run_python(code: str) -> float:
    return timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))


def median(work: Callable[[], object]) -> float:
    work()
    return statistics.median(timed(work) for _ in range(REPEATS))


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def line(name: str, value: str) -> None:
    print(f"{name:<20} {value}", flush=True)
