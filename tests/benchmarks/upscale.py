"""What enlarging a layer is worth and costs: `python -m tests.benchmarks.upscale`.

Vector drawings, none of which the network was trained on, are drawn small and large; the small one
is enlarged and compared with the large one, beside bicubic. By default they are the drawings that
Acetate brought along; `--packages` takes those of the icon packages that are held out of training.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from acetate.training.sources import (
    HELD_OUT_STYLE,
    ICON_STYLES,
    package_folder,
    read_concepts,
    read_icons,
    render_svg,
)
from acetate.upscaling.enlarging import enlarge
from acetate.upscaling.network import CompactUpscaler, load_upscaler
from tests.app.server_process import ROOT
from tests.support.halo import BACKDROPS

SCALES = (4, 2)
EDGE = 3
"""Half the width of the band that counts as edge, in pixels of the large drawing."""

_EVERY = 30
"""Of the things in a package one in so many is drawn."""

AIMS = "aims: decibels ≥ 2.5 over bicubic, edge error ≤ 0.5 × bicubic's, time ≤ 1.3 ×, ≤ 8192 MB"
Way = Callable[[Tensor, int], Tensor]

_LARGEST = """
import numpy as np
import resource
from acetate.modes import run
from acetate.pipelines.loading import load_pipeline
from acetate_bridge.protocol.types import Image, Recipe, Request

side = 8192 // {scale}
across = np.linspace(0, 6.28 * 40, side, dtype=np.float32)
samples = np.empty((side, side, 4), np.uint8)
samples[..., 0] = 127 + 120 * np.sin(across)
samples[..., 1] = (127 + 120 * np.cos(across))[:, None]
samples[..., 2] = 90
patch = across[:400]
samples[:400, :400, 3] = 255 * (np.add.outer(np.sin(patch), np.sin(patch)) > 0)
image = Image(side, side, samples.tobytes())
recipe = Recipe("upscale", width=side, height=side, scale={scale})
(layer,) = run(Request(recipe, {{"layer": image}}), load_pipeline("embedded", "cpu"))
assert (layer.image.width, layer.image.height) == (8192, 8192)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
"""Enlarges to 8192² in a process of its own, and says how many MB that took at most.

One tile has something in it, the others are passed over: that saves time, and no memory."""


def main(arguments: list[str] | None = None) -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=Path, help="folder of the unpacked icon packages")
    parser.add_argument("--count", type=int, default=30, help="how many drawings")
    parser.add_argument("--large", type=int, default=512, help="side they are compared at")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side", type=int, default=256, help="side of what is timed, in pixels")
    parser.add_argument("--no-largest", action="store_true", help="leave the 8192² result out")
    given = parser.parse_args(arguments)
    print(AIMS)
    for scale in SCALES:
        pairs = list(drawn_twice(given.packages, given.large // scale, given.large, given.count))
        compare(pairs, scale)
    for scale in SCALES:
        ours, bare = side_by_side(given.side, scale, given.repeats)
        print(
            f"{given.side} → {given.side * scale}: {ours:.2f} s, bare convolutions {bare:.2f} s, "
            f"{ours / bare:.2f} ×",
            flush=True,
        )
    for scale in () if given.no_largest else SCALES:
        print(f"{8192 // scale} → 8192: peak {largest(scale)} MB in a process of its own")


def drawn_twice(
    packages: Path | None, small: int, large: int, count: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Drawings at `small` and at `large` pixels, each straight [1, 4, side, side] in [0, 1]."""
    if packages is None:
        folder = files("acetate.training") / "drawings"
        vectors = sorted(path.read_text("utf-8") for path in folder.iterdir())
        for markup in itertools.islice(vectors, count):
            yield as_layer(render_svg(markup, small)), as_layer(render_svg(markup, large))
        return
    ((package, style),) = (each for each in ICON_STYLES if each[1] == HELD_OUT_STYLE)
    folder = package_folder(packages, package)
    # Neighbours in the list are each other's likes.
    concepts = dict(itertools.islice(read_concepts(packages).items(), 0, None, _EVERY))
    both = zip(
        read_icons(folder, style, concepts, small),
        read_icons(folder, style, concepts, large),
        strict=True,
    )
    for one, other in itertools.islice(both, count):
        yield as_layer(one.pixels), as_layer(other.pixels)


def as_layer(pixels: object) -> Tensor:
    """Straight RGBA uint8 [H, W, 4] as [1, 4, H, W] in [0, 1]."""
    return torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255


def bicubic(rgba: Tensor, scale: int) -> Tensor:
    """A straight layer enlarged as every editor does it: premultiplied, bicubic, clipped."""
    seen = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)
    large = interpolate(seen, scale_factor=scale, mode="bicubic").clamp(0, 1)
    alpha = large[:, 3:]
    return torch.cat([(large[:, :3] / alpha.clamp_min(1e-6)).clamp(0, 1), alpha], dim=1)


def compare(pairs: list[tuple[Tensor, Tensor]], scale: int) -> None:
    small, large = pairs[0]
    ways: dict[str, Way] = {"bicubic": bicubic, "ours": enlarge}
    rows = {
        name: [figures(way(small, scale), large) for small, large in pairs]
        for name, way in ways.items()
    }
    means = {
        name: {key: statistics.mean(row[key] for row in each) for key in each[0]}
        for name, each in rows.items()
    }
    ours, theirs = means["ours"], means["bicubic"]
    print(
        f"{small.shape[-1]} → {large.shape[-1]}, {len(pairs)} drawings: "
        f"{ours['decibels']:.2f} dB, bicubic {theirs['decibels']:.2f} "
        f"({ours['decibels'] - theirs['decibels']:+.2f}); alpha error "
        f"at the edge {ours['edge']:.4f}, bicubic {theirs['edge']:.4f} "
        f"({ours['edge'] / theirs['edge']:.2f} ×)"
    )
    rims = ", ".join(f"{name} {ours[name]:.4f} ({theirs[name]:.4f})" for name in BACKDROPS)
    print(f"    rim at the edge, beyond all that is drawn around it (bicubic): {rims}", flush=True)


def figures(enlarged: Tensor, truth: Tensor) -> dict[str, float]:
    """Premultiplied PSNR in decibels; alpha error at the edge; the rim on each backdrop, 0 to 1."""
    band = edge_band(truth[:, 3:])
    difference = (premultiplied(enlarged) - premultiplied(truth)).square().mean()
    found = {
        "decibels": float(-10 * difference.clamp_min(1e-10).log10()),
        "edge": float((enlarged[:, 3:] - truth[:, 3:]).abs()[band].mean()),
    }
    for name, colour in BACKDROPS.items():
        found[name] = rim(enlarged, truth, torch.tensor(colour)[:, None, None], band)
    return found


def rim(enlarged: Tensor, truth: Tensor, backdrop: Tensor, band: Tensor) -> float:
    """How far a layer at its edge is darker or brighter than all that is drawn close to it."""
    shown, true = (backdrop + (each[:, :3] - backdrop) * each[:, 3:] for each in (enlarged, truth))
    size = 4 * EDGE + 1
    most = max_pool2d(true, size, 1, 2 * EDGE)
    least = -max_pool2d(-true, size, 1, 2 * EDGE)
    beyond = torch.maximum(shown - most, least - shown).clamp_min(0)
    return float(beyond.amax(dim=1, keepdim=True)[band].mean())


def premultiplied(rgba: Tensor) -> Tensor:
    return rgba[:, :3] * rgba[:, 3:]


def edge_band(alpha: Tensor) -> Tensor:
    """Where the outline is at most `EDGE` pixels away; bool, of the shape of alpha."""
    solid = (alpha > 0.5).float()
    size = 2 * EDGE + 1
    return max_pool2d(solid, size, 1, EDGE) + max_pool2d(-solid, size, 1, EDGE) > 0


def side_by_side(side: int, scale: int, repeats: int) -> tuple[float, float]:
    """Least seconds for a layer of `side` pixels, and for its bare convolutions, in turns.

    What a busy machine adds to one of them says nothing of it.
    """
    layer = torch.rand(1, 4, side, side, generator=torch.Generator().manual_seed(1))
    pictures = torch.rand(2, 3, side, side).to(memory_format=torch.channels_last)
    bare = convolutions(scale)
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    with torch.inference_mode():
        for turn in range(repeats + 1):
            for name, work in (
                ("ours", lambda: enlarge(layer, scale)),
                ("bare", lambda: [bare(each[None]) for each in pictures]),
            ):
                started = time.perf_counter()
                work()
                if turn:
                    times[name].append(time.perf_counter() - started)
    return min(times["ours"]), min(times["bare"])


def convolutions(scale: int) -> nn.Sequential:
    """The same convolutions, and nothing between them or around them."""
    upscaler: CompactUpscaler = load_upscaler(scale, torch.device("cpu"))
    return nn.Sequential(*(each for each in upscaler.body if isinstance(each, nn.Conv2d)))


def largest(scale: int) -> int:
    """The most memory in MB of a process that enlarges to 8192²."""
    code = _LARGEST.format(scale=scale)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(run.stdout.split()[-1])


if __name__ == "__main__":
    main()
