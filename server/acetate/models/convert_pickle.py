"""`python -I unpickling.py FROM TO`: a pickled weight file as safetensors.

Runs in a process of its own, so it stands alone. Only tensors and plain containers are read
(`weights_only`); what else a pickle could do is refused by torch, and nothing of it runs.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor


def convert(source: Path, target: Path) -> None:
    """Write all tensors under their names; nested state dicts are joined with dots.

    Raises ValueError with a sentence.
    """
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError("it holds more than weights, which could be a program") from error
    except (RuntimeError, EOFError, OSError) as error:
        raise ValueError("it is damaged or no weight file") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    tensors = {name: tensor.clone().contiguous() for name, tensor in _tensors(content)}
    if not tensors:
        raise ValueError("it holds no weights")
    save_file(tensors, target)


def _tensors(content: object, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    if isinstance(content, Tensor):
        yield prefix, content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _tensors(value, f"{prefix}.{key}" if prefix else str(key))


if __name__ == "__main__":
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except ValueError as error:
        sys.exit(str(error))
