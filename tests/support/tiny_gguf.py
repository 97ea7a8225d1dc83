"""GGUF files as the programs write them that make models smaller, by the package of the format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quants
from torch import Tensor


def write_gguf(
    path: Path,
    state: Mapping[str, Tensor],
    kind: GGMLQuantizationType = GGMLQuantizationType.Q8_0,
    architecture: str = "flux",
) -> Path:
    """Matrices whose rows are whole blocks in that type; kernels in fp16, the rest in fp32."""
    block = gguf.GGML_QUANT_SIZES[kind][0]
    writer = GGUFWriter(path, architecture)
    writer.add_array("acetate.test", [1, 2, 3])
    writer.add_array("acetate.words", ["a", "b"])
    for name, tensor in state.items():
        numbers = tensor.float().numpy()
        if tensor.dim() == 2 and tensor.shape[1] % block == 0:
            writer.add_tensor(name, quants.quantize(numbers, kind), raw_dtype=kind)
        elif tensor.dim() == 4:
            writer.add_tensor(name, numbers.astype(np.float16))
        else:
            writer.add_tensor(name, numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
