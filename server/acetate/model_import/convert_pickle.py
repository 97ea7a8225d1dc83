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
from typing import cast

import torch
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]  # Its paths.
from torch import Tensor

_ROOM = 2**20
_DEEPEST = 32
_LONGEST_LIST = 16
_MOST_PLACES = 10**6
"""Containers that hold each other many times over could be walked through for ever."""
_SPARE_MEMORY = 2**30


def convert(source: Path, target: Path) -> None:
    """Write all tensors under their names; nested state dicts are joined with dots.

    Raises ValueError with a sentence.
    """
    _check_archive(source)
    try:
        content: object = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError("it holds more than weights, which could be a program") from error
    except Exception as error:  # What a damaged pickle raises is anybody's guess.
        raise ValueError("it is damaged or no weight file") from error
    found = list(_tensors(_innermost(content)))
    if any(tensor.layout != torch.strided or tensor.is_quantized for _, tensor in found):
        raise ValueError("its weights are in a form that no model is painted with")
    claimed = sum(tensor.numel() * tensor.element_size() for _, tensor in found)
    if claimed > source.stat().st_size + _ROOM:
        raise ValueError("it claims to hold more weights than it does")
    tensors = {name: tensor.clone().contiguous() for name, tensor in found}
    if not tensors:
        raise ValueError("it holds no weights")
    save_file(tensors, target)


def _innermost(content: object) -> object:
    """What trainers save beside the weights is passed over."""
    if not isinstance(content, Mapping):
        return content
    whole = cast("Mapping[str, object]", content)
    inner = whole.get("state_dict")
    return cast("object", inner) if isinstance(inner, Mapping) else whole


def _check_archive(source: Path) -> None:
    """Weights are stored in an archive as they are; packed, a few kilobytes could be gigabytes."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # The older form is no archive.
    if len(entries) > _MOST_PLACES:
        raise ValueError("its weights lie in too many pieces")
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or sum(entry.file_size for entry in entries) > source.stat().st_size:
        raise ValueError("its weights are packed, which nothing that saves weights does")


def _tensors(content: object) -> Iterator[tuple[str, Tensor]]:
    waiting: list[tuple[object, str, int]] = [(content, "", 0)]
    places = 0
    while waiting:
        value, prefix, depth = waiting.pop()
        places += 1
        if depth > _DEEPEST or places > _MOST_PLACES:
            raise ValueError("its weights lie too deep in each other")
        if isinstance(value, Tensor):
            yield prefix, value
        elif isinstance(value, Mapping):
            inside: list[tuple[object, str, int]] = [
                (inner, f"{prefix}.{key}" if prefix else str(key), depth + 1)
                for key, inner in cast("Mapping[object, object]", value).items()
            ]
            waiting.extend(reversed(inside))
        elif isinstance(value, (list, tuple)):
            # Hypernetworks keep two networks side by side; longer lists hold no weights.
            listed = cast("list[object]", value)[:_LONGEST_LIST]
            waiting.extend((inner, f"{prefix}.{at}", depth + 1) for at, inner in enumerate(listed))


def _bound_memory(source: Path) -> None:
    """A file is read, and copied, and written: what wants more than that is no weight file."""
    if sys.platform != "linux":
        return  # Elsewhere systems do not hold a process to such a limit.
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + 3 * source.stat().st_size + _SPARE_MEMORY
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))


if __name__ == "__main__":
    try:
        _bound_memory(Path(sys.argv[1]))
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except ValueError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"it cannot be read or written: {error.strerror or error}")
    except Exception:  # What a damaged pickle leads to is anybody's guess.
        sys.exit("it is damaged or no weight file")
