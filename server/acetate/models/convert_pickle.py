"""`python -I convert_pickle.py FROM TO`: a pickled weight file as safetensors.

Runs in a process of its own, so it stands alone. Only tensors and plain containers are read
(`weights_only`); what else a pickle could do is refused by torch, and nothing of it runs.
"""

from __future__ import annotations

import pickle
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

_ROOM = 2**20
_DEEPEST = 32


def convert(source: Path, target: Path) -> None:
    """Write all tensors under their names; nested state dicts are joined with dots.

    Raises ValueError with a sentence.
    """
    _check_archive(source)
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError("it holds more than weights, which could be a program") from error
    except Exception as error:  # What a damaged pickle raises is anybody's guess.
        raise ValueError("it is damaged or no weight file") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    claimed = sum(tensor.numel() * tensor.element_size() for _, tensor in _tensors(content))
    if claimed > source.stat().st_size + _ROOM:
        raise ValueError("it claims to hold more weights than it does")
    tensors = {name: tensor.clone().contiguous() for name, tensor in _tensors(content)}
    if not tensors:
        raise ValueError("it holds no weights")
    save_file(tensors, target)


def _check_archive(source: Path) -> None:
    """Weights are stored in an archive as they are; packed, a few kilobytes could be gigabytes."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # The older form is no archive.
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or sum(entry.file_size for entry in entries) > source.stat().st_size:
        raise ValueError("its weights are packed, which nothing that saves weights does")


def _tensors(content: object, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    if depth > _DEEPEST:
        raise ValueError("its weights lie too deep in each other")
    if isinstance(content, Tensor):
        yield prefix, content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _tensors(value, f"{prefix}.{key}" if prefix else str(key), depth + 1)


if __name__ == "__main__":
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except ValueError as error:
        sys.exit(str(error))
