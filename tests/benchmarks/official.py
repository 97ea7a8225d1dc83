"""Figures of the official sizes, on random weights: `python -m tests.benchmarks.official`.

The eight-pass decode beside the plain sequential loop, each in a process of its own for its peak
memory, in turns; with `--denoise` (a graphics card) a full-size denoiser with a patch inside
beside the bare one.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from acetate.latent_transparency import TransparentDecoder, decode_transparent
from acetate.latent_transparency import tiled_convolution as striping
from tests.benchmarks.generator import one_by_one
from tests.benchmarks.plain_decoder import PlainDecoder

KINDS = ("plain float32", "ours float32", "ours bfloat16")


def main(arguments: list[str] | None = None) -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--passes", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--large", action="store_true", help="1024² and 2048² in stripes, too")
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.kind:
        print(json.dumps(measured(given.kind, given.size, given.passes, given.device)))
        return
    compare_decoders(given)
    if given.large and given.device == "cpu":
        compare_stripes(1024)
        peak_of(2048, 1, "ours float32")


def compare_decoders(given: argparse.Namespace) -> None:
    """Each kind in turns, so that a busy machine is unfair to none."""
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    command = [sys.executable, "-m", "tests.benchmarks.official", "--size", str(given.size)]
    command += ["--passes", str(given.passes), "--device", given.device]
    for _ in range(given.repeats):
        for kind, results in found.items():
            run = subprocess.run([*command, "--kind", kind], stdout=subprocess.PIPE, check=True)
            results.append(json.loads(run.stdout))
    plain = {key: statistics.median(r[key] for r in found[KINDS[0]]) for key in ("cpu", "peak")}
    for kind, results in found.items():
        own = {key: statistics.median(r[key] for r in results) for key in ("wall", "cpu", "peak")}
        print(
            f"decode {given.size}², {given.passes} passes, {kind}: {own['wall']:.1f} s, "
            f"processor {own['cpu']:.1f} s ({plain['cpu'] / own['cpu']:.2f} × faster), "
            f"peak {own['peak']:.0f} MB ({own['peak'] / plain['peak']:.2f} ×)"
        )


def measured(kind: str, size: int, passes: int, device: str) -> dict[str, float]:
    """Wall and processor seconds of one decode, and the peak memory, in MB, of its process."""
    name, dtype = kind.split()
    decoder = random_weights(PlainDecoder if name == "plain" else TransparentDecoder, device, dtype)
    pixel = torch.rand(1, 3, size, size).to(device, getattr(torch, dtype))
    latent = torch.randn(1, 4, size // 8, size // 8).to(pixel)
    wall, processor = time.perf_counter(), time.process_time()
    if name == "plain":
        one_by_one(decoder, pixel, latent, passes)
    else:
        decode_transparent(decoder, pixel, latent, passes)
    finish(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if device.startswith("cuda"):
        peak = torch.cuda.max_memory_allocated() / 2**20
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - processor,
        "peak": peak,
    }


def compare_stripes(size: int) -> None:
    """What working in stripes, and computing the finest maps twice, changes of the result."""
    decoder = random_weights(TransparentDecoder, "cpu", "float32")
    pixel, latent = torch.rand(1, 3, size, size), torch.randn(1, 4, size // 8, size // 8)
    with patch.object(striping, "_LEAST_PIXELS", {"cpu": 2**40}):
        whole = decode_transparent(decoder, pixel, latent, 1)
    with patch.object(striping, "SCARCE_PIXELS", 1):
        striped = decode_transparent(decoder, pixel, latent, 1)
    print(
        f"decode {size}² in stripes beside the whole, full width: "
        f"largest difference {float((whole - striped).abs().max()):.1e} of 1"
    )


def peak_of(size: int, passes: int, kind: str) -> None:
    """The memory that a very large layer needs, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.official", "--size", str(size)]
    command += ["--passes", str(passes), "--device", "cpu", "--kind", kind]
    run = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found = json.loads(run.stdout)
    print(
        f"decode {size}², {passes} passes, {kind}: {found['wall']:.0f} s, "
        f"processor {found['cpu']:.0f} s, peak {found['peak']:.0f} MB of the whole process"
    )


def random_weights(make: Callable[[], nn.Module], device: str, dtype: str) -> Any:
    """The network with small noise for weights, made where it will run."""
    with torch.device("meta"):
        network = make()
    network = network.to(getattr(torch, dtype)).to_empty(device=device)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.02)
    return network.eval().requires_grad_(False)


def finish(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
