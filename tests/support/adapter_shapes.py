"""RGBA adapters and folders of FLUX.2 klein in many shapes, drawn from a seed, tiny and random."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.support.file_shapes import Shape
from tests.support.tiny_adapters import LORA, lora, write_adapter, write_like_alphaanything

State = dict[str, Tensor]
WEIGHTS = "diffusion_pytorch_model.safetensors"
DIALECTS = ("diffusers", "bare", "PEFT", "PEFT by name", "difference", "alpha", "fp8", "none")
FAULTS = ("another width", "another network's", "NaN", "half a pair", "torn", "a page")
SETTINGS = ("none", "family", "premultiplied", "words", "another family", "another version", "torn")
PLACES = ("vae", "the folder itself", "a folder of another name", "beside the base's own")
PARTS = ("transformer", "vae", "text_encoder")
FOLDER_FAULTS = (
    "nothing", "BOM", "a tensor short", "variant", "no scheduler", "no tokenizer", "no weights",
    "torn weights", "a page for weights", "another class", "tokenizer.json alone", "spare files",
)  # fmt: skip


def draw_adapter(place: Path, base: Path, family: str, seed: int) -> Shape:
    """An adapter for that base, with one peculiarity of each kind."""
    chance = random.Random(f"adapter {family} {seed}")
    dialect = chance.choice(DIALECTS if chance.random() < 0.7 else FAULTS)
    settings, where = chance.choice(SETTINGS), chance.choice(PLACES)
    folder = place / f"adapter-{family}-{seed}"
    if where == "beside the base's own":
        write_like_alphaanything(folder, base, family)
    else:
        write_adapter(folder, base, family)
        _move_autoencoder(folder, where)
    _write_lora(folder, base, family, dialect)
    told: dict[str, str | int] = {
        "none": {},
        "family": {"family": family},
        "premultiplied": {"family": family, "alpha": "premultiplied"},
        "words": {"family": family, "prompt": "{prompt}, alone"},
        "another family": {"family": "sora"},
        "another version": {"family": family, "version": 2},
        "torn": {},
    }[settings]  # type: ignore[assignment]
    if settings != "none":
        text = json.dumps({"format": "rgba-adapter", **told})
        (folder / "adapter.json").write_text(text[:-2] if settings == "torn" else text)
    return Shape(folder, [family, dialect, settings, where])


def _move_autoencoder(folder: Path, where: str) -> None:
    if where == "the folder itself":
        for path in (folder / "vae").iterdir():
            path.rename(folder / path.name)
        (folder / "vae").rmdir()
    elif where == "a folder of another name":
        (folder / "vae").rename(folder / "rgba_vae")


def _write_lora(folder: Path, base: Path, family: str, dialect: str) -> None:
    path, state = folder / LORA, lora(base, family)
    prefix = next(iter(state)).partition(".")[0]
    bare = {name.partition(".")[2]: tensor for name, tensor in state.items()}
    first = next(iter(state))
    if dialect == "none":
        path.unlink()
        return
    if dialect in ("torn", "a page"):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if dialect == "torn" else b"<!doctype html>" * 9)
        return
    if dialect == "bare":
        state = bare
    elif dialect == "PEFT":
        state = {f"base_model.model.{name}": tensor for name, tensor in bare.items()}
    elif dialect == "PEFT by name":
        state = {
            name.replace(".weight", ".default.weight"): tensor for name, tensor in state.items()
        }
    elif dialect == "difference":
        downs = [name for name in state if name.endswith("lora_A.weight")]
        state = {
            name.replace("lora_A.weight", "diff"): state[name.replace("lora_A", "lora_B")]
            @ state[name]
            for name in downs
        }
    elif dialect == "alpha":
        modules = {name.rpartition(".lora_")[0] for name in state}
        state |= {f"{module}.alpha": torch.tensor(2.0) for module in modules}
    elif dialect == "fp8":
        state = {name: tensor.to(torch.float8_e4m3fn) for name, tensor in state.items()}
    elif dialect == "another width":
        state[first] = torch.randn(4, state[first].shape[1] + 1)
    elif dialect == "another network's":
        state = {f"{prefix}.{name.replace('_', '-')}": tensor for name, tensor in bare.items()}
    elif dialect == "NaN":
        state[first] = state[first] * torch.nan
    elif dialect == "half a pair":
        state.pop(first)
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)


def draw_klein(place: Path, whole: Path, seed: int) -> Shape:
    """A folder of FLUX.2 klein with up to two peculiarities."""
    chance = random.Random(f"klein {seed}")
    folder = place / f"klein-{seed}"
    shutil.copytree(whole, folder)
    # In the order of the table: what is torn is not read again.
    words = sorted(
        {chance.choice(FOLDER_FAULTS) for _ in range(chance.randint(1, 2))}, key=FOLDER_FAULTS.index
    )
    part = chance.choice(PARTS)
    for what in words:
        _spoil(folder, part, what)
    return Shape(folder, [part, *words])


def _spoil(folder: Path, part: str, what: str) -> None:
    weights = next((folder / part).glob("*.safetensors"), None)
    index = folder / "model_index.json"
    if what == "BOM":
        index.write_text("\ufeff" + index.read_text(encoding="utf-8-sig"), encoding="utf-8")
    elif what == "variant" and weights is not None and ".fp16" not in weights.name:
        half = {name: tensor.half() for name, tensor in load_file(weights).items()}
        save_file(half, weights.with_suffix(".fp16.safetensors"), {"format": "pt"})
        weights.unlink()
    elif what == "no scheduler":
        shutil.rmtree(folder / "scheduler", ignore_errors=True)
    elif what == "no tokenizer":
        shutil.rmtree(folder / "tokenizer", ignore_errors=True)
    elif what == "no weights" and weights is not None:
        weights.unlink()
    elif what == "torn weights" and weights is not None:
        weights.write_bytes(weights.read_bytes()[:-64])
    elif what == "a page for weights" and weights is not None:
        weights.write_bytes(b"<!doctype html><html>Sign in</html>" * 20)
    elif what == "a tensor short" and weights is not None:
        state = load_file(weights)
        state.pop(next((key for key in sorted(state) if "q_proj" in key), min(state)))
        save_file(state, weights, {"format": "pt"})
    elif what == "another class":
        index.write_text(json.dumps({"_class_name": "Flux2Pipeline"}))
    elif what == "tokenizer.json alone" and (folder / "tokenizer").is_dir():
        for path in (folder / "tokenizer").iterdir():
            if path.name not in ("tokenizer.json", "tokenizer_config.json"):
                path.unlink()
    elif what == "spare files":
        (folder / "README.md").write_text("about")
        (folder / "safety_checker").mkdir(exist_ok=True)
