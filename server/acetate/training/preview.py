"""The last stage: a few convolutions that show what latents will look like, for previews."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]  # Its paths.
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from acetate.embedded.codec import Codec, read_codec
from acetate.embedded.preview_decoder import SHOWN, PreviewDecoder, preview_files
from acetate.latent_transparency.decoding import CHUNK_PIXELS

from .architecture import LATENT_CHANNELS
from .export import halved, write_json
from .gradients import seed_everything
from .loop import Losses, Report, Schedule, Trainee, train

PREVIEW = {"latent_channels": LATENT_CHANNELS, "width": 32}
OPAQUE_SHARE = 0.25
UNFINISHED_SHARE = 0.5
"""Of the latents, so many are mixed or blurred: what a step expects is nothing finished yet."""
_BATCH, _DECODED_AT_ONCE = 16, 4


def train_preview(
    model: Path, out: Path, steps: int, latents: int, seed: int, report: Report
) -> None:
    """Fit to what the codec in `model` decodes of the latents in `out`, and write it there.

    FileNotFoundError names the stage that is still to be run.
    """
    seed_everything(seed)
    codec, _ = read_codec(model, torch.device("cpu"), torch.float32)
    seen, shown = _pairs(codec, out, latents, np.random.default_rng(seed), report)
    network = PreviewDecoder(**PREVIEW)
    trainee = Trainee({"preview": network}, Schedule(steps, 3e-3, average=0.995))

    def losses_at(number: int) -> tuple[Tensor, Losses]:
        rows = np.random.default_rng((seed, number)).integers(len(seen), size=_BATCH)
        found, wanted = network(seen[rows].float()), shown[rows].float() / 255
        alpha = (found[:, 3:] - wanted[:, 3:]).abs().mean()
        colour = (found[:, :3] - wanted[:, :3]).abs().mean()
        return alpha + colour, {"alpha": alpha, "colour": colour}

    def on_sample(step: int) -> None:
        del step
        config, weights = preview_files(model)
        write_json(config, PREVIEW)
        save_file(halved(trainee.averaged("preview")), weights)

    train(trainee, out / "preview.pt", losses_at, report, on_sample)


def _pairs(
    codec: Codec, folder: Path, count: int, random: np.random.Generator, report: Report
) -> tuple[Tensor, Tensor]:
    """Scaled latents [N, C, h, w], and the premultiplied pictures that they decode to, as bytes."""
    files = sorted(folder.glob("pool-*.npz"))
    if not files:
        raise FileNotFoundError(f"no latents in {folder}; run `acetate train latents` first")
    seen: list[Tensor] = []
    shown: list[Tensor] = []
    while len(seen) * _DECODED_AT_ONCE < count:
        shard = np.load(files[int(random.integers(len(files)))])
        opaque = bool(random.random() < OPAQUE_SHARE)
        names = ("scenes", "blended") if opaque else ("layers", "scene_layers")
        pool = shard[names[int(random.integers(2))]]
        rows = random.integers(len(pool), size=2 * _DECODED_AT_ONCE)
        first, second = torch.as_tensor(pool[rows]).float().chunk(2)
        if random.random() < UNFINISHED_SHARE:
            first = _unfinished(first, second, random)
        seen.append(first.half())
        shown.append(_decoded(codec, first, opaque))
        report(f"{len(seen) * _DECODED_AT_ONCE} of {count} latents decoded")
    return torch.cat(seen), torch.cat(shown)


def _unfinished(first: Tensor, second: Tensor, random: np.random.Generator) -> Tensor:
    """Latents as they are expected half-way: blurred, and with a trace of another picture."""
    scale = float(random.choice([1.0, 0.5, 0.25]))
    small = interpolate(first, scale_factor=scale, mode="area")
    blurred = interpolate(small, first.shape[-2:], mode="bilinear")
    return torch.lerp(blurred, second, float(random.uniform(0, 0.3)))


@torch.inference_mode()
def _decoded(codec: Codec, latent: Tensor, opaque: bool) -> Tensor:
    if opaque:
        colour = codec.decode_small_picture(latent)
        rgba = torch.cat([colour, torch.ones_like(colour[:, :1])], dim=1)
    else:
        rgba = codec.decode_small(latent, 1, CHUNK_PIXELS)
    premultiplied = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)
    small = avg_pool2d(premultiplied, codec.small_factor // SHOWN)
    return (small * 255 + 0.5).clamp(0, 255).to(torch.uint8)
