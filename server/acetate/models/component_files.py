"""The weight files of one component of a diffusers folder: whole or in shards, in any precision."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

from acetate.errors import ModelDamaged, ModelMissing
from acetate.models.files import existing, read_config

_STEMS = ("diffusion_pytorch_model", "model")
_VARIANTS = (".fp16", "", ".bf16", ".fp32", ".non_ema")
"""Half precision is half the reading; the rest only where nothing else is there."""

_WEIGHTY = (".bin", ".msgpack", ".onnx", ".safetensors", ".sft", ".ckpt", ".pth")
_NUMBERED = re.compile(r"-\d{5}-of-(\d{5})\b")
_SHARD = re.compile(r".+\.safetensors", re.ASCII)


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a component's tensors, in their order. Raises ModelMissing, ModelDamaged.

    A folder may hold several precisions, of which one is taken whole.
    """
    for variant in _VARIANTS:
        for stem in _STEMS:
            if (whole := folder / f"{stem}{variant}.safetensors").is_file():
                return [whole]
            for index in _indices(folder, stem, variant):
                return _shards_of(index)
    _say_what_else(folder)
    return [existing(folder / "diffusion_pytorch_model.safetensors")]


def loose_weight_files(folder: Path) -> list[Path]:
    """The same, also under names that no library writes: a single file, or numbered shards.

    For readers that want no library to find them. Raises ModelMissing, ModelDamaged.
    """
    try:
        return weight_files(folder)
    except ModelMissing:
        names = folder.iterdir() if folder.is_dir() else ()
        found = sorted(path for path in names if path.suffix.lower() in (".safetensors", ".sft"))
        counts = {match[1] if (match := _NUMBERED.search(path.name)) else "" for path in found}
        if counts == {""} and len(found) == 1:
            return found
        if len(counts) == 1 and found and int(counts.pop() or 0) == len(found):
            return found
        raise


def variant_of(path: Path) -> dict[str, str]:
    """What the libraries want to be told of a file's precision, from its name."""
    match = re.search(r"\.(fp16|bf16|fp32|non_ema)[.-]", path.name)
    return {"variant": match[1]} if match else {}


def index_names(stem: str, variant: str) -> tuple[str, ...]:
    """How libraries of several years call the index of a component in shards."""
    if not variant:
        return (f"{stem}.safetensors.index.json",)
    return (f"{stem}{variant}.safetensors.index.json", f"{stem}.safetensors.index{variant}.json")


def _indices(folder: Path, stem: str, variant: str) -> list[Path]:
    paths = (folder / name for name in index_names(stem, variant))
    return [path for path in paths if path.is_file()]


def _shards_of(index: Path) -> list[Path]:
    places = read_config(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise ModelDamaged(f"The list of shards {index} names no files.", "Fetch the folder again.")
    names = sorted({str(name) for name in cast("dict[str, object]", places).values()})
    # A list is content of a stranger's: its names must not lead out of the folder.
    if bad := [name for name in names if Path(name).name != name or not _SHARD.fullmatch(name)]:
        raise ModelDamaged(f"The list of shards {index} names {bad[0][:60]}, which is no shard.")
    return [existing(index.parent / name) for name in names]


def _say_what_else(folder: Path) -> None:
    if not folder.is_dir():
        return
    others = sorted(path for path in folder.iterdir() if path.suffix.lower() in _WEIGHTY)
    own = [path for path in others if path.suffix.lower() in (".safetensors", ".sft")]
    if own:
        raise ModelMissing(
            f"{folder} holds {own[0].name}, which is no name under which diffusers looks for "
            "weights, or only some of their shards.",
            "Call it diffusion_pytorch_model.safetensors, or fetch the folder again.",
        )
    if others:
        raise ModelMissing(
            f"{folder} holds {others[0].name}, but no .safetensors.",
            "Fetch the folder with its safetensors, or save it anew with today's diffusers.",
        )
