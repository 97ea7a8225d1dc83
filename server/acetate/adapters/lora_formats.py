"""Reading a style file: its tensors by the module that they change, in all the forms there are.

- Low rank (LoRA, LoCon): `lora_down`/`lora_up` of kohya, `lora_A`/`lora_B` of peft and diffusers,
  and the older `processor.to_q_lora.down` and `lora_linear_layer.down`; `lora_mid` between them.
- LyCORIS: `hada_w1_a` ... (LoHa), `lokr_w1` ... (LoKr), `diff` and `diff_b` (full difference),
  `w_norm` and `b_norm`.
- `dora_scale` or `lora_magnitude_vector` beside any of the products (DoRA).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from acetate.adapters.lora_names import is_left_out
from acetate.adapters.patch import PatchMismatch, shape_words
from acetate.adapters.style_scales import Scales
from acetate.adapters.weight_changes import (
    Change,
    Decomposed,
    Hadamard,
    Kronecker,
    LowRank,
    Offset,
    Sum,
    Tucker,
)

Scale = Callable[[int], float]
"""Alpha over rank, for matrices of a rank."""

_PART = re.compile(
    r"(?P<module>.+?)(?:[._](?P<old>to_(?:q|k|v|out))_lora)?"
    r"(?:\.lora_linear_layer|\.lora)?[._]?"
    r"(?P<part>lora_down|lora_up|lora_mid|lora_A|lora_B|down|up)(?:\.(?!weight|bias)[\w-]+)?"
    r"\.(?P<kind>weight|bias)"
)
_LYCORIS = re.compile(
    r"(?P<module>.+)\.(?P<part>hada_[wt][12](?:_[ab])?|lokr_[wt][12](?:_[ab])?|diff|diff_b"
    r"|w_norm|b_norm|dora_scale)"
)
_MAGNITUDE = re.compile(
    r"(?P<module>.+)\.lora_magnitude_vector(?:\.(?!weight)[\w-]+)?(?:\.weight)?"
)
_PARTS = {"lora_down": "down", "lora_A": "down", "lora_up": "up", "lora_B": "up", "lora_mid": "mid"}
_FOREIGN = ("oft_", "oft_diag", "boft", "glora", ".a1.weight", ".b1.weight", "ia3", "on_input")


@dataclass
class Module:
    """The tensors of one module by their part, and the file's name of the first of them."""

    key: str
    parts: dict[str, Tensor] = field(default_factory=dict[str, Tensor])


def read_modules(file: Mapping[str, Tensor], name: str) -> tuple[dict[str, Module], list[str]]:
    """By the file's name of each module, its tensors; and the tensors that are left out.

    Raises PatchMismatch naming the file and its first tensor of no known kind.
    """
    found: dict[str, Module] = {}
    left_out: list[str] = []
    if foreign := next((key for key in file if any(mark in key for mark in _FOREIGN)), ""):
        raise PatchMismatch(
            f"The style {name} is of a kind that Acetate cannot fuse: it holds {foreign}. "
            "Take one of low rank (LoRA), or a LoHa, LoKr or DoRA."
        )
    for key, tensor in file.items():
        if is_left_out(key):
            left_out.append(key)
            continue
        _check_numbers(key, tensor, name)
        module, part = _place(key)
        if not module:
            raise PatchMismatch(
                f"The style {name} does not fit this model, which has no weight for its tensor "
                f"{key} of the shape {shape_words(tuple(tensor.shape))}."
            )
        parts = found.setdefault(module, Module(key)).parts
        if part in parts:
            raise PatchMismatch(
                f"The style {name} holds several styles in one file, each under a name of its own "
                f"({key}): save each by itself."
            )
        parts[part] = tensor
    found = {module: each for module, each in found.items() if set(each.parts) - {"alpha"}}
    if not found:
        raise PatchMismatch(f"The style {name} holds no tensors at all.")
    return found, left_out


def _check_numbers(key: str, tensor: Tensor, name: str) -> None:
    """Raises PatchMismatch for numbers that would make every picture black, or noise."""
    if not tensor.is_floating_point() and not key.endswith(".alpha"):
        raise PatchMismatch(
            f"The style {name} holds whole numbers in {key}, which mean nothing by themselves: "
            "take it in fp16, bf16 or fp8."
        )
    if not bool(tensor.float().isfinite().all()):
        raise PatchMismatch(
            f"The style {name} holds what is no number (NaN or infinite) in {key}: its training "
            "went wrong, or it was damaged."
        )


def changes_of(
    module: Module, network: str, place: str, scales: Scales, name: str
) -> dict[str, Change]:
    """By “weight” or “bias”, what a module's tensors change. Raises PatchMismatch.

    `place` is the module's own name in its network, which the header's rank and alpha speak of.
    """
    parts = module.parts
    alpha = parts.get("alpha")
    if alpha is not None and alpha.numel() != 1:
        raise PatchMismatch(
            f"The style {name} says its strength in {alpha.numel()} numbers where one is meant, "
            f"beside {module.key}."
        )

    def scale(rank: int) -> float:
        return scales.of(network, place, rank, None if alpha is None else float(alpha))

    try:
        found = _changes(parts, scale)
    except (KeyError, IndexError, RuntimeError) as error:
        raise PatchMismatch(
            f"The style {name} is incomplete: the other matrix to {module.key} is missing."
        ) from error
    magnitude = parts.get("dora_scale")
    if magnitude is not None:
        if "weight" not in found:
            raise PatchMismatch(
                f"The style {name} is incomplete: {module.key} has lengths and no direction."
            )
        found["weight"] = Decomposed(found["weight"], magnitude)
    return found


def _changes(parts: Mapping[str, Tensor], scale: Scale) -> dict[str, Change]:
    found: dict[str, Change] = {}
    if "up" in parts or "down" in parts:
        up, down = parts["up"], parts["down"]
        rank = scale(down.shape[0])
        middle = parts.get("mid")
        found["weight"] = (
            LowRank(up, down, rank) if middle is None else Tucker(up, middle, down, rank)
        )
        if up[0].numel() != (down.shape[0] if middle is None else middle.shape[0]):
            raise KeyError("up and down are of different ranks")
    elif any(part.startswith("hada") for part in parts):
        first, second = _half(parts, 1), _half(parts, 2)
        found["weight"] = Hadamard(first, second, scale(parts["hada_w1_b"].shape[0]))
    elif any(part.startswith("lokr") for part in parts):
        found["weight"] = _kronecker(parts, scale)
    for part, kind in (("diff", "weight"), ("w_norm", "weight"), ("diff_b", "bias")):
        if part in parts:
            more = Offset(parts[part])
            found[kind] = Sum(found[kind], more) if kind in found else more
    if "b_norm" in parts:
        found["bias"] = Offset(parts["b_norm"])
    if "up_bias" in parts:
        found["bias"] = Offset(parts["up_bias"], scale(parts["down"].shape[0]))
    if not found:
        raise KeyError("no change")
    return found


def _half(parts: Mapping[str, Tensor], which: int) -> Change:
    up, down = parts[f"hada_w{which}_a"], parts[f"hada_w{which}_b"]
    middle = parts.get(f"hada_t{which}")
    if middle is None:
        return LowRank(up, down)
    # With a kernel between them, the first matrix is kept lying.
    return Tucker(up.T, middle, down)


def _kronecker(parts: Mapping[str, Tensor], scale: Scale) -> Kronecker:
    sides: list[Tensor] = []
    rank = 0
    for which in (1, 2):
        whole = parts.get(f"lokr_w{which}")
        if whole is None:
            up, down = parts[f"lokr_w{which}_a"], parts[f"lokr_w{which}_b"]
            rank = down.shape[0]
            middle = parts.get(f"lokr_t{which}")
            if middle is None:
                whole = torch.mm(up.float(), down.float().flatten(1)).reshape(
                    up.shape[0], *down.shape[1:]
                )
            else:
                whole = torch.einsum("ijhw,io,jc->ochw", middle.float(), up.float(), down.float())
        sides.append(whole)
    # Only a factor of low rank is scaled by alpha; whole ones are as they are.
    return Kronecker(sides[0], sides[1], scale(rank) if rank else 1.0)


def _place(key: str) -> tuple[str, str]:
    """The module of a tensor and its part of the change; empty for no known kind."""
    if key.endswith(".alpha"):
        return key.removesuffix(".alpha").removesuffix(".lora"), "alpha"
    if match := _MAGNITUDE.fullmatch(key):
        return match["module"], "dora_scale"
    if match := _LYCORIS.fullmatch(key):
        return match["module"], match["part"]
    if key.endswith(".lora_bias"):
        return key.removesuffix(".lora_bias"), "up_bias"
    match = _PART.fullmatch(key)
    if match is None:
        return "", ""
    module, old = match["module"], match["old"]
    if old:
        module = f"{module.removesuffix('.processor')}.{'to_out.0' if old == 'to_out' else old}"
    part = _PARTS.get(match["part"], match["part"])
    return module, part if match["kind"] == "weight" else f"{part}_bias"
