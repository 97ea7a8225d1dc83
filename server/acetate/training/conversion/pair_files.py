"""A trained pair in the files of the published one, so that every tool for those opens it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]  # Its paths.
from torch import Tensor

from acetate.errors import BadRequest
from acetate.latent_transparency import OffsetEncoder, TransparentDecoder
from acetate.models.hashing import file_hash
from acetate.models.weights import read_weights
from acetate.training.conversion.layouts import LAYOUTS
from acetate.training.conversion.pair_stage import PairStage
from acetate.training.whole_files import text_written_whole, written_whole


def write_pair(folder: Path, family: str, stage: PairStage, autoencoder: Any) -> list[Path]:
    """Write the pair of a stage; returns the files. Raises CannotWrite.

    Where its shape is not the published one, a configuration beside it says so.
    """
    layout = stage.layout
    encoder = _plain(stage.encoder.state_dict(), torch.float32)
    last = f"blocks.{len(stage.encoder.blocks) - 1}"
    for kind in ("weight", "bias"):
        encoder[f"{last}.{kind}"] = encoder[f"{last}.{kind}"] * (stage.gain / layout.factor)
    decoder = _plain(stage.decoder.state_dict(), torch.float16)
    config = {"encoder": stage.encoder.config, "decoder": stage.decoder.config}
    if family == "embedded":
        config |= {"offset_factor": layout.factor, "offset_scaled_by_std": layout.by_deviation}
    if not layout.one_file:
        files = [folder / f"{name}.safetensors" for name in (layout.encoder, layout.decoder)]
        for file, state in zip(files, (encoder, decoder), strict=True):
            written_whole(file, lambda part, state=state: save_file(state, part))
        return [*files, *_write_shape(folder / "config.json", config, family)]
    state = {f"encoder.{name}": tensor for name, tensor in encoder.items()}
    state |= {f"decoder.{name}": tensor for name, tensor in decoder.items()}
    state |= {
        f"sd_vae.{name}": tensor
        for name, tensor in _plain(autoencoder.state_dict(), torch.bfloat16).items()
    }
    ours, theirs = (folder / f"{layout.encoder}{ending}" for ending in (".safetensors", ".pth"))
    written_whole(ours, lambda part: save_file(state, part))
    written_whole(theirs, lambda part: _save_pickled(state, part))
    return [ours, theirs, *_write_shape(ours.with_suffix(".json"), config, family)]


def read_pair(folder: Path, stage: PairStage) -> dict[str, str]:
    """Begin a stage with the pair in a folder, as `write_pair` or its authors wrote it.

    The gain of the published files is taken out again. Returns each file's hash by its name.
    Raises ModelMissing, ModelDamaged, or BadRequest for a pair of another shape.
    """
    layout = stage.layout
    files = [folder / f"{name}.safetensors" for name in (layout.encoder, layout.decoder)]
    for name, file, network in zip(
        ("encoder", "decoder"), files, (stage.encoder, stage.decoder), strict=True
    ):
        state = read_weights(file)
        if layout.one_file:
            start = f"{name}."
            state = {n.removeprefix(start): t for n, t in state.items() if n.startswith(start)}
        try:
            network.load_state_dict({n: tensor.float() for n, tensor in state.items()})
        except RuntimeError as error:
            raise BadRequest(
                f"{file} is no {name} of this shape.",
                "Give the --shape that it was trained with, or leave out --start.",
            ) from error
    with torch.no_grad():
        for parameter in stage.encoder.blocks[-1].parameters():
            parameter.mul_(layout.factor / stage.gain)
    return {file.name: file_hash(file) for file in files}


def _save_pickled(state: dict[str, Tensor], path: Path) -> None:
    # Into an open file: a path would become a part of the bytes.
    with path.open("wb") as file:
        torch.save(state, file)


def _write_shape(path: Path, config: dict[str, Any], family: str) -> list[Path]:
    channels = config["encoder"]["latent_channels"]
    published = {
        "encoder": OffsetEncoder(channels).config,
        "decoder": TransparentDecoder(channels).config,
    }
    if config == published and family in LAYOUTS:
        path.unlink(missing_ok=True)
        return []
    return [text_written_whole(path, json.dumps(config, indent=2) + "\n")]


def _plain(state: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    return {name: value.detach().cpu().to(dtype).contiguous() for name, value in state.items()}
