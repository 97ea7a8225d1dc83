"""Files and folders in the many shapes that people have them, drawn from a seed, tiny and random.

Every shape is told by its words, so that a failure names what was odd about it.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

State = dict[str, Tensor]
CLIP = {"sd15": "cond_stage_model.transformer.", "sdxl": "conditioner.embedders.0.transformer."}
ENTRY = "model.diffusion_model.input_blocks.0.0.weight"


@dataclass
class Shape:
    """A file or folder at `path`, and what was done to it."""

    path: Path
    words: list[str] = field(default_factory=list[str])


def draw_checkpoint(place: Path, family: str, whole: State, seed: int) -> Shape:
    """A base in one file with up to three peculiarities."""
    chance = random.Random(f"checkpoint {family} {seed}")
    state, header = dict(whole), {"format": "pt"}
    name = chance.choice(
        ["plain", "dream-turbo", "my-lcm", "x_Lightning_4step", "pony-vpred", "dmd2-xl", "sdxs-one"]
    )
    words = [name]
    yaml = ""
    tail, zeros = b"", False
    ending = ".safetensors"
    for _ in range(chance.randint(0, 3)):
        what = chance.choice(sorted(_ODD))
        words.append(what)
        if what.startswith("yaml"):
            yaml = _YAML[what]
        elif what.startswith("header"):
            header |= _HEADERS[what]
        elif what.startswith("ending"):
            ending = {"ending upper": ".SAFETENSORS", "ending sft": ".sft"}[what]
        elif what == "zeros at its end":
            zeros = True
        elif what == "cut":
            tail = b"cut"
        else:
            state = _ODD[what](state, family, chance)
    path = place / f"{name}-{family}-{seed}{ending}"
    save_file({n: t.contiguous().clone() for n, t in state.items()}, path, header)
    if tail:
        path.write_bytes(path.read_bytes()[:-64])
    if zeros:
        whole_file = path.read_bytes()
        path.write_bytes(whole_file[: len(whole_file) // 2].ljust(len(whole_file), b"\0"))
    if yaml:
        path.with_suffix(".yaml").write_text(yaml)
    return Shape(path, words)


def _without(prefix: Callable[[str], tuple[str, ...]]) -> Callable[..., State]:
    return lambda state, family, _: {
        n: t for n, t in state.items() if not n.startswith(prefix(family))
    }


def _marked(name: str) -> Callable[..., State]:
    return lambda state, family, _: state | {name: torch.zeros(1)}


def _widened(channels: int) -> Callable[..., State]:
    def widen(state: State, family: str, _: random.Random) -> State:
        if ENTRY not in state:
            return state
        entry = state[ENTRY]
        more = torch.zeros(entry.shape[0], channels - entry.shape[1], *entry.shape[2:])
        return state | {ENTRY: torch.cat([entry, more.to(entry)], dim=1)}

    return widen


def _renamed(old: Callable[[str], str], new: str) -> Callable[..., State]:
    return lambda state, family, _: {n.replace(old(family), new): t for n, t in state.items()}


def _one_less(state: State, family: str, chance: random.Random) -> State:
    gone = chance.choice(sorted(state))
    return {n: t for n, t in state.items() if n != gone}


def _one_wrong(state: State, family: str, chance: random.Random) -> State:
    name = chance.choice(sorted(n for n, t in state.items() if t.dim() >= 1))
    return state | {name: torch.cat([state[name], state[name]])}


def _whole_numbers(state: State, family: str, _: random.Random) -> State:
    return {n: (t.float() * 100).to(torch.int8) for n, t in state.items()}


def _half(state: State, family: str, _: random.Random) -> State:
    return {n: t.to(torch.bfloat16) if t.is_floating_point() else t for n, t in state.items()}


_ODD: dict[str, Callable[..., State]] = {
    "no autoencoder": _without(lambda _: ("first_stage_model.",)),
    "no text encoder": _without(lambda family: (CLIP[family],)),
    "no second text encoder": _without(lambda _: ("conditioner.embedders.1.",)),
    "no denoiser": _without(lambda _: ("model.diffusion_model.",)),
    "half an autoencoder": _without(lambda _: ("first_stage_model.encoder.",)),
    "marked v_pred": _marked("v_pred"),
    "marked ztsnr": _marked("ztsnr"),
    "marked EDM": _marked("edm_vpred.sigma_max"),
    "an unknown tensor": _marked("model.diffusion_model.something_new.weight"),
    "averages": _marked("model_ema.decay"),
    "old names of CLIP": _renamed(lambda f: f"{CLIP[f]}text_model.", ""),
    "denoiser without prefix": _renamed(lambda _: "model.diffusion_model.", ""),
    "denoiser of ComfyUI": _renamed(lambda _: "model.diffusion_model.", "diffusion_model."),
    "nine channels": _widened(9),
    "eight channels": _widened(8),
    "five channels": _widened(5),
    "a tensor less": _one_less,
    "a tensor of another shape": _one_wrong,
    "bfloat16": _half,
    "whole numbers": _whole_numbers,
    "zeros at its end": lambda s, f, c: s,
    "header V": lambda s, f, c: s,
    "yaml v": lambda s, f, c: s,
    "yaml eps": lambda s, f, c: s,
    "yaml EDM": lambda s, f, c: s,
    "yaml broken": lambda s, f, c: s,
    "header v": lambda s, f, c: s,
    "header flow": lambda s, f, c: s,
    "header title lcm": lambda s, f, c: s,
    "ending upper": lambda s, f, c: s,
    "ending sft": lambda s, f, c: s,
    "cut": lambda s, f, c: s,
}


def _old_clip(state: State, family: str, _: random.Random) -> State:
    return {n.replace(f"{CLIP[family]}text_model.", CLIP[family]): t for n, t in state.items()}


_ODD["old names of CLIP"] = _old_clip
_YAML = {
    "yaml v": 'model:\n  params:\n    parameterization: "v"\n',
    "yaml eps": "model:\n  params:\n    linear_start: 0.00085\n    linear_end: 0.0120\n",
    "yaml EDM": "model:\n  params:\n    d:\n      target: sgm.x.VScalingWithEDMcNoise\n",
    "yaml broken": "model: [\n",
}
_HEADERS = {
    "header v": {"modelspec.prediction_type": "v"},
    "header V": {"ModelSpec.Prediction_Type": " V-Pred "},
    "header flow": {"modelspec.prediction_type": "flow_matching"},
    "header title lcm": {"modelspec.title": "My LCM"},
}


def draw_folder(place: Path, whole: Path, family: str, seed: int) -> Shape:
    """A folder of diffusers with up to three peculiarities."""
    chance = random.Random(f"folder {family} {seed}")
    path = place / f"folder-{family}-{seed}"
    shutil.copytree(whole, path, ignore=shutil.ignore_patterns("transparency"))
    words = [family]
    for _ in range(chance.randint(0, 3)):
        what = chance.choice(sorted(_FOLDERS))
        words.append(what)
        _FOLDERS[what](path, chance)
    return Shape(path, words)


def _edit(part: str, **entries: object) -> Callable[..., None]:
    def edit(path: Path, _: random.Random) -> None:
        file = path / part
        if not file.is_file():
            return
        content = json.loads(file.read_text(encoding="utf-8-sig"))
        file.write_text(json.dumps(content | entries))

    return edit


def _class(name: str) -> Callable[..., None]:
    def edit(path: Path, _: random.Random) -> None:
        own = json.loads((path / "model_index.json").read_text(encoding="utf-8-sig"))
        xl = "XL" if "XL" in str(own["_class_name"]) else ""
        (path / "model_index.json").write_text(json.dumps({"_class_name": name.replace("*", xl)}))

    return edit


def _sharded(path: Path, _: random.Random) -> None:
    one = path / "unet" / "diffusion_pytorch_model.safetensors"
    if not one.is_file():
        return
    state = load_file(one)
    one.unlink()
    names = sorted(state)
    places: dict[str, str] = {}
    for index, inside in enumerate((names[::2], names[1::2]), 1):
        file = f"diffusion_pytorch_model-0000{index}-of-00002.safetensors"
        save_file({name: state[name] for name in inside}, path / "unet" / file)
        places |= dict.fromkeys(inside, file)
    index_file = path / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index_file.write_text(json.dumps({"weight_map": places}))


def _variant(path: Path, _: random.Random) -> None:
    for file in list(path.glob("*/*model.safetensors")):
        file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))


def _ending(ending: str) -> Callable[..., None]:
    def rename(path: Path, _: random.Random) -> None:
        for file in list(path.glob("*/*.safetensors")):
            file.rename(file.with_suffix(ending))

    return rename


def _with_mark(path: Path, _: random.Random) -> None:
    for file in path.rglob("*.json"):
        if file.name not in ("vocab.json", "tokenizer.json", "tokenizer_config.json"):
            file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().removeprefix(b"\xef\xbb\xbf"))


def _one_file(path: Path, _: random.Random) -> None:
    from transformers.models.clip.tokenization_clip import CLIPTokenizer

    for folder in path.glob("tokenizer*"):
        if (folder / "vocab.json").is_file():
            tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
            shutil.rmtree(folder)
            tokenizer.save_pretrained(folder)


def _gone(part: str) -> Callable[..., None]:
    def remove(path: Path, _: random.Random) -> None:
        target = path / part
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    return remove


def _pointer(path: Path, _: random.Random) -> None:
    for file in path.glob("vae/*.safetensors"):
        file.write_text(
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 334643276\n"
        )


SCHEDULER = "scheduler/scheduler_config.json"
_FOLDERS: dict[str, Callable[..., None]] = {
    "in shards": _sharded,
    "fp16 names": _variant,
    "endings upper": _ending(".SAFETENSORS"),
    "endings sft": _ending(".sft"),
    "no list of shards": _gone("unet/diffusion_pytorch_model.safetensors.index.json"),
    "Turbo": _edit(
        SCHEDULER, _class_name="EulerAncestralDiscreteScheduler", timestep_spacing="trailing"
    ),
    "marked JSON": _with_mark,
    "tokenizer.json alone": _one_file,
    "of image to image": _class("StableDiffusion*Img2ImgPipeline"),
    "of in-painting": _class("StableDiffusion*InpaintPipeline"),
    "of LCM": _class("LatentConsistencyModelPipeline"),
    "of something else": _class("KandinskyPipeline"),
    "of SD 3": _class("StableDiffusion3Pipeline"),
    "PNDM": _edit(SCHEDULER, _class_name="PNDMScheduler", skip_prk_steps=True),
    "DDIM": _edit(SCHEDULER, _class_name="DDIMScheduler", clip_sample=False),
    "LCM": _edit(SCHEDULER, _class_name="LCMScheduler", timestep_spacing="trailing"),
    "EDM": _edit(SCHEDULER, _class_name="EDMEulerScheduler", sigma_data=0.5),
    "flow": _edit(SCHEDULER, _class_name="FlowMatchEulerDiscreteScheduler"),
    "sample": _edit(SCHEDULER, prediction_type="sample"),
    "velocity": _edit(SCHEDULER, prediction_type="v_prediction"),
    "odd betas": _edit(SCHEDULER, beta_schedule="unheard_of"),
    "zero SNR": _edit(SCHEDULER, rescale_betas_zero_snr=True),
    "no autoencoder": _gone("vae"),
    "no text encoder": _gone("text_encoder"),
    "no scheduler": _gone("scheduler"),
    "no tokenizer": _gone("tokenizer"),
    "no merges": _gone("tokenizer/merges.txt"),
    "no configuration": _gone("unet/config.json"),
    "wrong configuration": _edit("unet/config.json", cross_attention_dim=16),
    "class labels": _edit("unet/config.json", class_embed_type="timestep"),
    "unknown entry": _edit("unet/config.json", new_thing=1),
    "wrong autoencoder": _edit("vae/config.json", latent_channels=16),
    "normalised latents": _edit("vae/config.json", latents_mean=[0, 0, 0, 0]),
    "pointer of LFS": _pointer,
}
