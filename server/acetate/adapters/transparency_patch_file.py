"""Reading a patch file: three ways in which the same changes are written down.

- The published files: `diffusion_model.<LDM name>::lora::<0 up, 1 down>` and `...::diff::0`.
- The multiplied-out files: plain diffusers names, one additive tensor each.
- LoRA files of the diffusers community: `<module>.lora_A.weight` and `lora_B`, or `lora.down` and
  `lora.up`, with or without a prefix for the network and an `alpha` beside them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from acetate.adapters.patch import PatchMismatch, shape_words
from acetate.adapters.weight_changes import Change, LowRank, Offset
from acetate.models.unet_names import ldm_names

_OFFICIAL = ("diffusion_model.", "model.diffusion_model.")
_ENTRIES = {("diff", "0"), ("lora", "0"), ("lora", "1")}
INPUT = "conv_in.weight"
"""The one weight that a patch may widen: for the condition latents beside the noisy one."""

_NETWORKS = ("unet.", "transformer.", "base_model.model.")
_LORA = re.compile(
    r"(?P<module>.+?)\.(?:processor\.)?(?P<projection>to_(?:q|k|v|out)_lora\.|)"
    r"(?:lora\.)?(?P<part>lora_A|lora_B|down|up)(?:\.default)?\.weight"
)
_PARTS = {"lora_A": "down", "down": "down", "lora_B": "up", "up": "up"}


def read_changes(
    file: Mapping[str, Tensor], weights: Mapping[str, Tensor], layers_per_block: int = 2
) -> dict[str, Change]:
    """The changes in a patch file, by the name of the weight in `weights` that each applies to.

    `weights` is the state of the network, of any device (meta included). A file may cover any
    part of the network. Raises PatchMismatch for the first tensor with an unknown name, an
    incomplete pair or a wrong shape.
    """
    if not file:
        raise PatchMismatch("The patch holds no tensors at all.")
    if any("::" in key for key in file):
        found = _official(file, ldm_names(weights, layers_per_block), weights)
    elif any(_LORA.fullmatch(key) for key in file):
        found = _community(file, weights)
    else:
        found = _plain(file, weights)
    return {name: change for name, (_, change) in found.items()}


Found = dict[str, tuple[str, Change]]
"""By the name of the weight: the file's name of (one of) its tensors, and the change."""


def _plain(file: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> Found:
    found: Found = {}
    for key, tensor in file.items():
        _add(found, key, _without_prefix(key), Offset(tensor), weights)
    return found


def _official(
    file: Mapping[str, Tensor], names: Mapping[str, str], weights: Mapping[str, Tensor]
) -> Found:
    found: Found = {}
    halves: dict[str, tuple[str, Tensor]] = {}
    for key, tensor in file.items():
        model_key, kind, index = (*key.split("::"), "", "")[:3]
        prefix = next((prefix for prefix in _OFFICIAL if model_key.startswith(prefix)), None)
        if prefix is None or (kind, index) not in _ENTRIES:
            raise _unknown(key, tensor)
        name = names.get(model_key.removeprefix(prefix))
        if name is None:
            raise _unknown(key, tensor)
        if kind == "diff":
            _add(found, key, name, Offset(tensor), weights)
        elif model_key not in halves:
            halves[model_key] = (index, tensor)
        else:
            other_index, other = halves.pop(model_key)
            if other_index == index:
                raise _unknown(key, tensor)
            first, second = (other, tensor) if other_index == "0" else (tensor, other)
            _add(found, key, name, LowRank.of(first, second, weights[name]), weights)
    for key, (index, _) in halves.items():
        raise _half(f"{key}::lora::{index}")
    return found


def _community(file: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> Found:
    found: Found = {}
    alphas = {
        _without_prefix(key.removesuffix(".alpha").removesuffix(".lora")): float(tensor)
        for key, tensor in file.items()
        if key.endswith(".alpha")
    }
    halves: dict[str, tuple[str, str, Tensor]] = {}
    used: set[str] = set()
    for key, tensor in file.items():
        if key.endswith(".alpha"):
            continue
        match = _LORA.fullmatch(key)
        if match is None:
            raise _unknown(key, tensor)
        module, part = _lora_module(match), _PARTS[match["part"]]
        if module not in halves:
            halves[module] = (key, part, tensor)
            continue
        _, other_part, other = halves.pop(module)
        if other_part == part or f"{module}.weight" not in weights:
            raise _unknown(key, tensor)
        up, down = (tensor, other) if part == "up" else (other, tensor)
        rank = down.shape[0]
        change = LowRank(up, down, alphas.get(module, rank) / rank)
        used.add(module)
        _add(found, key, f"{module}.weight", change, weights)
    for key, _, _ in halves.values():
        raise _half(key)
    for module in alphas.keys() - used:
        raise _half(f"{module}.alpha")
    return found


def _lora_module(match: re.Match[str]) -> str:
    module = _without_prefix(match["module"])
    projection = match["projection"].removesuffix("_lora.")
    if not projection:
        return module
    return f"{module}.{'to_out.0' if projection == 'to_out' else projection}"


def _add(found: Found, key: str, name: str, change: Change, weights: Mapping[str, Tensor]) -> None:
    if name not in weights:
        raise PatchMismatch(
            f"The patch does not fit this model, which has no weight for its tensor {key} of the "
            f"shape {shape_words(change.shape())}."
        )
    if name in found:
        raise PatchMismatch(f"The patch changes {name} twice: in {found[name][0]} and in {key}.")
    weight = weights[name]
    entry = isinstance(change, Offset) and (change.widens(weight) or change.leads(weight))
    if not (name == INPUT and entry) and not change.fits(weights[name]):
        raise PatchMismatch(
            f"The patch does not fit this model: its tensor {key} has the shape "
            f"{shape_words(change.shape())}, the model's {name} has "
            f"{shape_words(tuple(weights[name].shape))}."
        )
    found[name] = (key, change)


def _unknown(key: str, tensor: Tensor) -> PatchMismatch:
    return PatchMismatch(
        f"The patch does not fit this model, which has no weight for its tensor {key} of the "
        f"shape {shape_words(tuple(tensor.shape))}."
    )


def _half(key: str) -> PatchMismatch:
    return PatchMismatch(f"The patch is incomplete: the other matrix to {key} is missing.")


def _without_prefix(key: str) -> str:
    for prefix in _NETWORKS:
        key = key.removeprefix(prefix)
    return key
