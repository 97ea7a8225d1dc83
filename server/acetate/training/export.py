"""Write trained parts as a model folder: 16-bit safetensors and their configurations."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]  # Its paths.
from torch import Tensor

from .architecture import DENOISER, NATIVE_SIZE, PIXEL_UNSHUFFLE, TRANSPARENCY, text_config
from .checkpoints import read_checkpoint
from .denoiser import build_painter
from .latent_scale import LatentScale, scale_of
from .transparency import load_transparency

MODEL_INDEX: dict[str, Any] = {
    "_class_name": "AcetateEmbedded",
    "pixel_unshuffle": PIXEL_UNSHUFFLE,
    "native": NATIVE_SIZE,
}
CODEC_PARTS = ("vae", "transparency", "tokenizer")


def write_codec(folder: Path, out: Path, data: Path) -> None:
    """Write the autoencoder and the transparent pair that the stages left in `out`.

    The scale that brings latents to unit spread is measured on the pictures in `data`.
    FileNotFoundError names the stage that is still to be run.
    """
    pair = load_transparency(out)
    scale: LatentScale = scale_of(pair, data)
    autoencoder = cast("Any", pair.autoencoder)  # What diffusers mixes in has no annotations.
    autoencoder.register_to_config(scaling_factor=scale.factor, shift_factor=scale.shift)
    autoencoder.half().save_pretrained(folder / "vae")
    _write_index(folder)
    transparency = folder / "transparency"
    config = {**TRANSPARENCY, "offset_factor": 1.0, "offset_scaled_by_std": False}
    write_json(transparency / "config.json", config)
    for name, module in (("encoder", pair.encoder), ("decoder", pair.decoder)):
        save_file(halved(module.state_dict()), transparency / f"{name}.safetensors")


def write_painter(folder: Path, codec: Path, out: Path, language_model: Path) -> None:
    """Write the averaged denoiser and text encoder in `out`, beside the codec of another folder.

    FileNotFoundError names the stage that is still to be run; ModelDamaged for a checkpoint that
    cannot be read.
    """
    file = out / "denoiser.pt"
    state = read_checkpoint(file)
    if state is None:
        raise FileNotFoundError(f"{file} is missing; run `acetate train denoiser` first")
    average = state["average"]
    painter = build_painter(language_model, out / "token-vectors.pt")
    _write_index(folder)
    for part in CODEC_PARTS:
        if codec.resolve() != folder.resolve() and (codec / part).is_dir():
            shutil.copytree(codec / part, folder / part, dirs_exist_ok=True)
    (folder / "tokenizer").mkdir(exist_ok=True)
    painter.tokenizer.save(str(folder / "tokenizer" / "tokenizer.json"))
    write_json(folder / "unet" / "config.json", DENOISER)
    save_file(halved(average["denoiser"]), folder / "unet" / "model.safetensors")
    words = text_config(painter.text_encoder.vocabulary)
    write_json(folder / "text_encoder" / "config.json", words)
    save_file(halved(average["text_encoder"]), folder / "text_encoder" / "model.safetensors")


def size_in_megabytes(folder: Path) -> float:
    """Size of all files of a model folder, 10⁶ bytes."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _write_index(folder: Path) -> None:
    write_json(folder / "model_index.json", MODEL_INDEX)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """A configuration as the rest of the folder has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights at half precision, as they are shipped."""
    return {name: value.half().contiguous() for name, value in state.items()}
