"""Linear layers whose weights stay as a GGUF file has them, and tensors of such a file.

The arithmetic is diffusers' (`quantizers/gguf`): the same on the cards of every maker.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from diffusers.quantizers.gguf import utils as packing
from gguf import GGMLQuantizationType
from torch import Tensor, nn

from acetate.adapters.packed_linear import PackedLinear
from acetate.models.gguf_header import BLOCKS, Packed, read_gguf_header

_library: Any = packing  # It has no annotations.
_PLAIN: dict[str, torch.dtype] = {
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
}


class GgufLinear(PackedLinear):
    """`packed` [out, bytes of a row] are the rows as they lie in the file."""

    def __init__(self, linear: nn.Linear, packed: Tensor, dtype: torch.dtype) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.kind = GGMLQuantizationType(cast("Any", packed).quant_type)
        self.bias = linear.bias
        self.changes = []
        self.register_buffer("packed", plain(packed))
        # Follows the network when it is brought to another type.
        self.register_buffer("scale", torch.ones((), dtype=dtype))

    def unfolded(self) -> Tensor:
        packed, scale = self.get_buffer("packed"), self.get_buffer("scale")
        whole = _library.GGUFParameter(packed, quant_type=self.kind)
        return _library.dequantize_gguf_tensor(whole).to(scale.dtype)


def is_packed(tensor: Tensor) -> bool:
    """Whether a tensor holds the bytes of a GGUF file and not numbers."""
    return isinstance(tensor, packing.GGUFParameter)


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """The shape of the numbers in a tensor, packed or not."""
    return tuple(cast("Any", tensor).quant_shape if is_packed(tensor) else tensor.shape)


def plain(packed: Tensor) -> Tensor:
    """The bytes of a packed tensor, as an ordinary one."""
    return cast("Any", packed).as_tensor().detach()


def unpacked(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """The numbers in a tensor, packed or not; whole ones keep their type."""
    if is_packed(tensor):
        tensor = _library.dequantize_gguf_tensor(tensor).detach()
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def read_gguf(path: Path) -> dict[str, Tensor]:
    """The tensors of a GGUF file; those in fewer bits stay packed.

    Raises ModelMissing or ModelDamaged.
    """
    header = read_gguf_header(path)
    data = np.memmap(path, mode="r")
    found: dict[str, Tensor] = {}
    for name, packed in header.tensors.items():
        tensor = _tensor(data, packed)
        shape = header.shapes[name]
        if shape != packed.sides:
            tensor = unpacked(tensor, torch.float16).reshape(shape)
        found[name] = tensor
    return found


def _tensor(data: Any, packed: Packed) -> Tensor:
    # A copy: the file may be removed while its model is in memory.
    own = np.array(data[packed.begin : packed.begin + packed.bytes])
    rows: Tensor = cast("Any", torch).from_numpy(own)
    dtype = _PLAIN.get(BLOCKS[packed.kind][0])
    if dtype is not None:
        return rows.view(dtype).reshape(packed.sides)
    shaped = rows.reshape(*packed.sides[:-1], packed.row_bytes)
    return _library.GGUFParameter(shaped, quant_type=GGMLQuantizationType(packed.kind))


def keep_packed(network: nn.Module, state: dict[str, Tensor], dtype: torch.dtype) -> None:
    """Exchange the linear layers of a network whose weights are packed; `state` loses those.

    What else is packed becomes numbers.
    """
    for name, tensor in list(state.items()):
        if not is_packed(tensor):
            continue
        module, _, kind = name.rpartition(".")
        linear = network.get_submodule(module)
        if kind != "weight" or type(linear) is not nn.Linear:
            state[name] = unpacked(tensor, dtype)
            continue
        parent, _, own = module.rpartition(".")
        setattr(network.get_submodule(parent), own, GgufLinear(linear, state.pop(name), dtype))
