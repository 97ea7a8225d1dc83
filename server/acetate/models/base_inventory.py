"""The parts of a base in one file, whoever wrote it: what there is, what is lacking, which kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from acetate.models.foreign_models import Shapes
from acetate.models.recognition_error import NotRecognised

DENOISER = "model.diffusion_model."
AUTOENCODER = "first_stage_model."
FIRST = {
    "sd15": "cond_stage_model.transformer.",
    "sdxl": "conditioner.embedders.0.transformer.",
    "flux": "text_encoders.clip_l.transformer.",
}
SECOND = {"sdxl": "conditioner.embedders.1.model.", "flux": "text_encoders.t5xxl.transformer."}
"""Where the parts of a checkpoint lie in the names of the first code, or of those after it."""

PARTS = {
    "sd15": ("autoencoder", "text_encoder"),
    "sdxl": ("autoencoder", "text_encoder", "text_encoder_2"),
    "flux": ("autoencoder", "text_encoder", "text_encoder_2"),
    "qwen": ("autoencoder", "text_encoder"),
}
"""What a family needs beside its denoiser."""

WORDS = {
    "autoencoder": "autoencoder (VAE)",
    "text_encoder": "text encoder",
    "text_encoder_2": "second text encoder",
}
_DENOISERS = ("model.diffusion_model.", "diffusion_model.", "unet.", "")
_ENTRIES = ("input_blocks.0.0.weight", "double_blocks.0.img_attn.qkv.weight", "conv_in.weight")
_KINDS = {
    8: "edits a picture by instruction (InstructPix2Pix, 8 channels at its entry)",
    5: "follows a depth map (5 channels at its entry)",
    7: "enlarges pictures (7 channels at its entry)",
    12: "is widened for another program (12 channels at its entry)",
}


@dataclass(frozen=True)
class Inventory:
    """What a checkpoint of a family holds. `entry` is the channels that its denoiser takes."""

    family: str
    entry: int
    parts: tuple[str, ...]

    @property
    def lacking(self) -> tuple[str, ...]:
        """The parts that have to come from elsewhere."""
        return tuple(part for part in PARTS[self.family] if part not in self.parts)

    @property
    def fills(self) -> bool:
        """Whether it was trained to fill holes: noise, mask, and the picture around it."""
        return self.family != "flux" and self.entry == 9


def take_inventory(shapes: Shapes, family: str, name: str) -> Inventory:
    """The inventory of a checkpoint's tensors. Raises NotRecognised for a kind of no use here."""
    if family == "qwen":  # Nobody puts more than its denoiser into one file.
        entry = next((shapes[key][-1] for key in shapes if key.endswith("img_in.weight")), 0)
        return Inventory(family, entry, ())
    renamed = names_of_the_first_code(shapes, family)
    inside = {new: shapes[old] for old, new in renamed.items()}
    if family == "flux":
        entry = inside.get(f"{DENOISER}img_in.weight", (0, 64))[-1]
    else:
        entry = inside.get(f"{DENOISER}input_blocks.0.0.weight", (0, 4))[1]
    prefixes = {
        "autoencoder": AUTOENCODER,
        "text_encoder": FIRST[family],
        "text_encoder_2": SECOND.get(family, "\0"),
    }
    parts = tuple(
        part for part, prefix in prefixes.items() if any(key.startswith(prefix) for key in inside)
    )
    check_entry(entry, family, name)
    return Inventory(family, entry, parts)


def check_entry(entry: int, family: str, name: str) -> None:
    """Raises NotRecognised for a denoiser that takes more than a noisy picture."""
    if family == "flux":
        if entry != 64:
            kind = {384: "fills holes", 128: "follows a control image"}.get(entry, "does not paint")
            raise NotRecognised(
                f"{name} is a Flux that {kind} and needs more than words: "
                "take FLUX.1-dev, FLUX.1-schnell, or a model made from one of them."
            )
        return
    if entry in (4, 9):
        return
    kind = _KINDS.get(entry, f"takes {entry} channels at its entry")
    raise NotRecognised(
        f"{name} is a model that {kind} and cannot paint from words alone: "
        "take the ordinary base of the same name."
    )


def names_of_the_first_code(names: Iterable[str], family: str) -> dict[str, str]:
    """By each name in a checkpoint, what the first code would have called it.

    Known are the first code's own names, with or without what stands before those of the denoiser;
    diffusers' names of a denoiser alone; those that ComfyUI writes; and the text encoder's older
    ones. What is not of the model is left out.
    """
    names = [name for name in names if not name.startswith("model_ema.")]
    found = {name: _renamed(name, family) for name in names}
    inside = set(names)
    prefix = next(
        (each for each in _DENOISERS if any(each + entry in inside for entry in _ENTRIES)), None
    )
    if prefix is None or prefix == DENOISER:
        return found
    own = [name for name in names if name.startswith(prefix) and not _is_elsewhere(name)]
    bare = [name.removeprefix(prefix) for name in own]
    if "conv_in.weight" in bare:
        from acetate.models.unet_names import ldm_names

        layers = {name.split(".")[3] for name in bare if name.startswith("down_blocks.0.resnets.")}
        table = {ours: ldm for ldm, ours in ldm_names(bare, len(layers)).items()}
    else:
        table = {name: name for name in bare}
    return found | {
        old: f"{DENOISER}{table[name]}"
        for old, name in zip(own, bare, strict=True)
        if name in table
    }


def _is_elsewhere(name: str) -> bool:
    return name.startswith(
        ("first_stage_model.", "vae.", "cond_stage_model.", "conditioner.", "text_encoders.")
    )


def _renamed(name: str, family: str) -> str:
    if name.startswith("vae."):
        return f"{AUTOENCODER}{name.removeprefix('vae.')}"
    if family != "flux":
        name = name.replace("text_encoders.clip_l.transformer.", FIRST[family])
    first = FIRST[family]
    # Merges of the first years leave out the tower's name.
    if re.match(rf"{re.escape(first)}(embeddings|encoder|final_layer_norm)\.", name):
        name = name.replace(first, f"{first}text_model.", 1)
    return name


def renamed(state: Mapping[str, object], family: str) -> dict[str, object]:
    """A checkpoint's tensors under the names of the first code."""
    table = names_of_the_first_code(state, family)
    return {new: state[old] for old, new in table.items()}
