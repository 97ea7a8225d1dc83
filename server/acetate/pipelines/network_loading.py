"""A network from its configuration and its tensors, whoever named them."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import init_empty_weights  # pyright: ignore[reportMissingTypeStubs]  # It has none.
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from acetate.adapters.gguf_linear import is_packed, keep_packed, read_gguf, shape_of
from acetate.errors import ModelDamaged
from acetate.models.files import MALFORMED, damaged, existing
from acetate.models.gguf_header import GgufHeader, is_gguf, read_gguf_header
from acetate.models.safetensors_header import read_header

META = torch.device("meta")
"""Where tensors have shapes and no numbers: a network there is checked without its weights."""


class Unfit(Exception):
    """Tensors and network do not belong together; the message names the first that does not."""


@contextmanager
def fitting(folder: Path) -> Generator[None]:
    """A network is filled here from a folder: what fits not becomes ModelDamaged, naming it."""
    try:
        yield
    except Unfit as error:
        raise ModelDamaged(
            f"The weights in {folder} do not fit the configuration beside them: {error}.",
            "Fetch the folder again.",
        ) from error
    except MALFORMED as error:
        raise damaged(folder / "config.json") from error


def read_tensors(paths: Iterable[Path], device: torch.device) -> dict[str, Tensor]:
    """The tensors of all these files; on META only their shapes are read.

    Raises ModelMissing or ModelDamaged naming the file.
    """
    state: dict[str, Tensor] = {}
    for path in paths:
        packed = is_gguf(existing(path))
        header = read_gguf_header(path) if packed else read_header(path)
        if device == META:
            # Of the types it only matters before there are numbers whether they are whole ones.
            types = {} if isinstance(header, GgufHeader) else header.types
            for name, shape in header.shapes.items():
                whole = types.get(name, "") in _WHOLE
                kind = torch.int64 if whole else torch.float32
                state[name] = torch.empty(shape, dtype=kind, device=META)
            continue
        if packed:
            state |= read_gguf(path)
            continue
        try:
            with cast("Any", safe_open)(path, framework="pt") as file:
                for name in header.shapes:
                    state[name] = file.get_tensor(name)
        except (SafetensorError, OSError) as error:
            raise damaged(path) from error
    return unscaled(state)


def unscaled(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights in 8 bits times the scales that lie beside them, as ComfyUI writes both.

    Raises ModelDamaged for scales of another kind.
    """
    scaled = dict(state)
    for name in state:
        if not name.endswith(_SCALES):
            continue
        scale = scaled.pop(name)
        weight = f"{name.rpartition('.')[0]}.weight"
        if not name.endswith(_OF_WEIGHTS) or weight not in scaled or scale.device == META:
            continue
        if scale.numel() not in (1, len(scaled[weight])):
            raise ModelDamaged(f"The scales {name} are of a kind that is not known.")
        sides = [-1] + [1] * (scaled[weight].dim() - 1)
        factor = scale.float().reshape(sides if scale.numel() > 1 else [])
        scaled[weight] = (scaled[weight].float() * factor).to(torch.bfloat16)
    return scaled


_WHOLE = ("I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "BOOL")
_OF_WEIGHTS = (".scale_weight", ".weight_scale")
_SCALES = (*_OF_WEIGHTS, ".scale_input", ".input_scale", ".comfy_quant", "scaled_fp8")


def filled(
    make: Callable[[], Any], state: Mapping[str, Tensor], dtype: torch.dtype, device: torch.device
) -> Any:
    """The network that `make` builds, with exactly these tensors, frozen, on the device.

    Raises Unfit.
    """
    try:
        with init_empty_weights(include_buffers=False):
            network = make()
    except (RuntimeError, MemoryError, OverflowError) as error:
        raise Unfit("its configuration asks for a network that no memory holds") from error
    expected = network.state_dict()
    own = {name: tensor for name, tensor in state.items() if name in expected}
    for name, tensor in expected.items():
        if name not in own:
            if tensor.device != META:
                own[name] = tensor  # A buffer that the network makes itself.
                continue
            raise Unfit(f"its tensor {name} is missing")
        whole = not own[name].is_floating_point() and not is_packed(own[name])
        if tensor.is_floating_point() and whole:
            raise Unfit(
                f"its tensor {name} holds whole numbers, which mean nothing without the program "
                "that made them: take the model in fp16, bf16 or fp8"
            )
        if (found := shape_of(own[name])) != (wanted := tuple(tensor.shape)):
            raise Unfit(f"its tensor {name} is {found}, not {wanted}")
    if unknown := sorted(set(state) - set(expected) - _harmless(state)):
        raise Unfit(f"nothing in it is called {unknown[0]}")
    keep_packed(network, own, dtype)
    floats = {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor
        for name, tensor in own.items()
    }
    packed = {name for name in network.state_dict() if name not in expected}
    network.load_state_dict(floats, assign=True, strict=not packed)
    if device == META:
        network = network.to(META)
    # Past diffusers' own `to`, which warns of precautions that only its loader takes.
    return nn.Module.to(network.requires_grad_(False).eval(), device, dtype)


def count_of(numbers: Iterable[int], state: Mapping[str, Tensor]) -> int:
    """How many blocks there are whose tensors bear these numbers, counted from 0.

    Raises Unfit for a number beyond all tensors: a name alone can claim any.
    """
    count = 1 + max(numbers, default=-1)
    if count > len(state):
        raise Unfit(f"one of its tensors claims to be in block {count - 1}")
    return count


def of_the_tower(state: Mapping[str, Tensor], expected: Iterable[str]) -> dict[str, Tensor]:
    """A CLIP text encoder's tensors under the names of this version of transformers.

    Files differ in whether the tower has a name of its own, and so do transformers' versions.
    """
    named = any(name.startswith("text_model.") for name in expected)
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        plain = name.removeprefix("text_model.")
        outside = plain.startswith("text_projection.")
        found[f"text_model.{plain}" if named and not outside else plain] = tensor
    return found


def of_todays_attention(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An autoencoder's tensors, whose attention was named otherwise in diffusers' first years."""
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        match = re.fullmatch(r"(.+\.attentions\.\d+)\.(query|key|value|proj_attn)\.(\w+)", name)
        if match:
            place = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
            name = f"{match[1]}.{place[match[2]]}.{match[3]}"
        if ".attentions." in name and tensor.dim() == 4 and tensor.shape[2:] == (1, 1):
            tensor = tensor[:, :, 0, 0]
        found[name] = tensor
    return found


def _harmless(state: Mapping[str, Tensor]) -> set[str]:
    """What older libraries stored beside the weights."""
    return {
        name
        for name in state
        if name.endswith(("position_ids", "logit_scale", ".attn.mask", "num_batches_tracked"))
    }
