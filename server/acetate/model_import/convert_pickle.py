"""`python -I convert_pickle.py FROM TO`: a pickled weight file as safetensors.

Runs in a process of its own, so it stands alone. Only tensors and plain containers are read
(`weights_only`); what else a pickle could do is refused by torch, and nothing of it runs. Of what
torch does make of a pickle, only plain tensors under short names are taken.
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
from torch import _weights_only_unpickler as weights_only

_ROOM = 2**20
_DEEPEST = 32
_LONGEST_LIST = 16
_MOST_PLACES = 10**6
"""Containers that hold each other many times over could be walked through for ever."""
_LONGEST_NAME = 256
_ARCHIVE = b"PK\x03\x04"
_SPARE_MEMORY = 2**30
_SPARE_TIME = 100
"""Seconds of computing for a file of no size; a large one takes a second for a few megabytes."""
_SLOWEST = 4 * 2**20


def convert(source: Path, target: Path) -> None:
    """Write all tensors under their names; nested state dicts are joined with dots.

    Raises ValueError with a sentence.
    """
    _check_archive(source)
    _narrow()
    try:
        content: object = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError("it holds more than weights, which could be a program") from error
    except Exception as error:  # What a damaged pickle raises is anybody's guess.
        raise ValueError("it is damaged or no weight file") from error
    size = source.stat().st_size
    found = [(name, _plain(each)) for name, each in _tensors(_innermost(content), size)]
    claimed = sum(tensor.numel() * tensor.element_size() for _, tensor in found)
    if claimed > size + _ROOM:
        raise ValueError("it claims to hold more weights than it does")
    tensors = {name: tensor.clone().contiguous() for name, tensor in found}
    if not tensors:
        raise ValueError("it holds no weights")
    save_file(tensors, target)


def _narrow() -> None:
    """torch would make any number of zeros, and ask any codec: a few letters could be gigabytes."""
    known = weights_only._get_allowed_globals()  # pyright: ignore[reportPrivateUsage]
    known["builtins.bytearray"] = known["_codecs.encode"] = _bytes


def _bytes(letters: str | bytes = "", _codec: str = "") -> bytes:
    """What older pickles write bytes as; trainers keep a few of them beside the weights."""
    return letters if isinstance(letters, bytes) else letters.encode("latin-1")


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
    except Exception as error:  # What a damaged list of files raises is anybody's guess.
        with source.open("rb") as file:
            if file.read(len(_ARCHIVE)) == _ARCHIVE:
                raise ValueError("it is damaged or no weight file") from error
        return  # The older form is no archive.
    if min((entry.header_offset for entry in entries), default=1):
        # Something stands before it, where torch would look for another list of files.
        raise ValueError("it is damaged or no weight file")
    if len(entries) > _MOST_PLACES:
        raise ValueError("its weights lie in too many pieces")
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or sum(entry.file_size for entry in entries) > source.stat().st_size:
        raise ValueError("its weights are packed, which nothing that saves weights does")


def _plain(tensor: Tensor) -> Tensor:
    """The numbers alone: a pickle may hang anything on a tensor, in place of what it can do too."""
    bare = torch.Tensor.detach(tensor)
    if (
        type(bare) is not Tensor
        or bare.layout != torch.strided
        or bare.is_quantized
        or bare.is_nested
        or bare.device.type != "cpu"
    ):
        raise ValueError("its weights are in a form that no model is painted with")
    return bare


def _tensors(content: object, size: int) -> Iterator[tuple[str, Tensor]]:
    """Every tensor with its name. `size` is that of the file, of which each takes a byte or two."""
    waiting: list[tuple[object, str | None, int]] = [(content, "", 0)]
    places = 0
    while waiting:
        value, name, depth = waiting.pop()
        places += 1
        if depth > _DEEPEST or places > min(_MOST_PLACES, size):
            raise ValueError("its weights lie too deep in each other")
        if isinstance(value, Tensor):
            if name is None:
                raise ValueError("its weights have names that no weights have")
            yield name, value
        elif isinstance(value, Mapping):
            inside = cast("Mapping[object, object]", value).items()
            named = [(inner, _joined(name, key), depth + 1) for key, inner in inside]
            waiting.extend(reversed(named))
        elif isinstance(value, (list, tuple)):
            # Hypernetworks keep two networks side by side; longer lists hold no weights.
            listed = cast("list[object]", value)[:_LONGEST_LIST]
            waiting.extend((inner, _joined(name, at), depth + 1) for at, inner in enumerate(listed))


def _joined(prefix: str | None, key: object) -> str | None:
    """A name below another; None for what no weight is called."""
    usable = isinstance(key, str) or (isinstance(key, int) and key.bit_length() < 64)
    if prefix is None or not usable:
        return None
    name = f"{prefix}.{key}" if prefix else str(key)
    return name if len(name) <= _LONGEST_NAME and name.isprintable() else None


def _bound(source: Path) -> None:
    """A file is read, and copied, and written: what wants more than that is no weight file."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    seconds = _SPARE_TIME + source.stat().st_size // _SLOWEST
    resource.setrlimit(resource.RLIMIT_CPU, (seconds if hard < 0 else min(seconds, hard), hard))
    if sys.platform != "linux":
        return  # Elsewhere systems do not hold a process to so much memory.
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + 3 * source.stat().st_size + _SPARE_MEMORY
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))


if __name__ == "__main__":
    try:
        _bound(Path(sys.argv[1]))
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except ValueError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"it cannot be read or written: {error.strerror or error}")
    except Exception:  # What a damaged pickle leads to is anybody's guess.
        sys.exit("it is damaged or no weight file")
