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

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn

from acetate.conditioning import WeightPatch
from acetate.conditioning.changes import LowRank
from acetate.latent_transparency import TransparentDecoder, decode_transparent
from tests.benchmarks.generator import one_by_one
from tests.benchmarks.plain_decoder import PlainDecoder

KINDS = ("plain float32", "ours float32", "ours bfloat16")
SDXL: dict[str, Any] = {
    "sample_size": 128,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "block_out_channels": (320, 640, 1280),
    "cross_attention_dim": 2048,
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
SD15: dict[str, Any] = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}


def main() -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--passes", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--denoise", action="store_true", help="full-size denoisers, too")
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.kind:
        print(json.dumps(measured(given.kind, given.size, given.passes, given.device)))
        return
    compare_decoders(given)
    if given.denoise:
        for name, config in (("SDXL", SDXL), ("SD 1.5", SD15)):
            compare_denoisers(name, config, given.device, given.repeats)


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


def compare_denoisers(name: str, config: dict[str, Any], device: str, repeats: int) -> None:
    """One guided step at the native size, bare and with a rank 256 patch inside."""
    denoiser = random_weights(lambda: UNet2DConditionModel(**config), device, "bfloat16")
    side, width = config["sample_size"], config["cross_attention_dim"]
    dtype = torch.bfloat16
    latent = torch.randn(2, 4, side, side, device=device, dtype=dtype)
    text = torch.randn(2, 77, width, device=device, dtype=dtype)
    added = {
        "text_embeds": torch.randn(2, 1280, device=device, dtype=dtype),
        "time_ids": torch.zeros(2, 6, device=device, dtype=dtype),
    }
    pairs = {
        key: LowRank(
            torch.randn(weight.shape[0], 256, device=device, dtype=dtype),
            torch.randn(256, weight.shape[1], device=device, dtype=dtype),
        )
        for key, weight in denoiser.state_dict().items()
        if ".attn" in key and key.endswith(".weight")
    }

    @torch.inference_mode()
    def step() -> None:
        denoiser(latent, 500, text, added_cond_kwargs=added)
        finish(device)

    step()
    bare = statistics.median(timed(step) for _ in range(repeats))
    patch = WeightPatch(pairs, 0.01)
    inject = timed(lambda: patch.inject(denoiser))
    patched = statistics.median(timed(step) for _ in range(repeats))
    eject = timed(patch.eject)
    print(
        f"{name}, a guided step at {8 * side}²: bare {bare:.3f} s, patched {patched:.3f} s "
        f"({patched / bare:.2f} ×); inject {inject:.2f} s, eject {eject:.3f} s"
    )


def random_weights(make: Callable[[], nn.Module], device: str, dtype: str) -> Any:
    """The network with small noise for weights, made where it will run."""
    with torch.device("meta"):
        network = make()
    network = network.to(getattr(torch, dtype)).to_empty(device=device)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.02)
    return network.eval().requires_grad_(False)


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def finish(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
