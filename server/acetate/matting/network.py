"""A matting network in a file of ONNX (U²-Net, IS-Net, BiRefNet, MODNet and their like)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from acetate.errors import AcetateError, ModelDamaged, ModelMissing

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_PREPARED = {
    r"modnet": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    r"is-?net|rmbg|dis": ((0.5, 0.5, 0.5), (1.0, 1.0, 1.0)),
}
"""Mean and deviation of the colours that networks were trained on, by their authors' names."""

_SIDE = 1024
"""What a picture is brought to where a network takes any size (BiRefNet was trained at it)."""

_LARGEST_SIDE = 4096
"""Twice that of the largest network: a file could say anything, and a picture is brought to it."""

_MULTIPLE = 32
_SURE = 0.02
"""A matte so near to clear or solid is taken as that: networks hardly ever say 0 or 1."""

_MOST = 2 * 10**9
"""Bytes of a file: what the format itself holds at the most."""


class NoMatting(AcetateError):
    """A matting network cannot be run on this machine."""

    code = "bad_request"


@dataclass(frozen=True)
class Entry:
    """What a network takes: its input's name, and the sides of the picture, 0 for any."""

    name: str
    height: int
    width: int


class MattingNetwork:
    """Runs on the CPU. Raises ModelMissing, ModelDamaged, or NoMatting without `onnxruntime`."""

    def __init__(self, path: Path, name: str = "") -> None:
        """`name` is what the file was called where it came from, which tells its preparation."""
        runtime = _runtime()
        if not path.is_file():
            raise ModelMissing(f"The matting network {path} is missing.")
        if path.stat().st_size > _MOST:
            raise ModelDamaged(f"{path.name} is larger than a file of ONNX can be.")
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        try:
            # From memory, so that it can name no other file to be read with it.
            self._session: Any = runtime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # The runtime raises kinds of its own.
            raise ModelDamaged(
                f"{path.name} is no network that onnxruntime can run.",
                "Take a matting network in one .onnx file: weights beside it are not read.",
            ) from error
        self.entry = _entry(self._session.get_inputs(), path.name)
        self._mean, self._deviation = (
            torch.tensor(each)[None, :, None, None] for each in prepared_as(name or path.name)
        )
        self._name = path.name

    def __call__(self, rgb: Tensor) -> Tensor:
        """Alpha [1, 1, H, W] in [0, 1] of a picture [1, 3, H, W]. Raises ModelDamaged."""
        sides = rgb.shape[-2:]
        entry = self.entry
        small = interpolate(
            rgb.float().cpu(),
            (entry.height or _near(sides, 0), entry.width or _near(sides, 1)),
            mode="bilinear",
            antialias=True,
        ).clamp(0, 1)
        given = ((small - self._mean) / self._deviation).numpy()
        try:
            told = torch.as_tensor(self._session.run(None, {entry.name: given})[0]).float()
        except Exception as error:
            raise ModelDamaged(f"{self._name} did not run on a picture of its own size.") from error
        if told.dim() < 3 or told.shape[-2:] != small.shape[-2:]:
            raise ModelDamaged(f"{self._name} tells something else of a picture than its matte.")
        matte = told.reshape(1, -1, *told.shape[-2:])[:, :1]
        if not bool(torch.isfinite(matte).all()):
            raise ModelDamaged(f"{self._name} told no numbers of a picture.")
        if float(matte.min()) < -_SURE or float(matte.max()) > 1 + _SURE:
            matte = matte.sigmoid()  # Left to whoever runs it, as of BiRefNet.
        matte = interpolate(matte, sides, mode="bilinear", antialias=True)
        return ((matte - _SURE) / (1 - 2 * _SURE)).clamp(0, 1)


def prepared_as(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of the colours that the network of a name expects."""
    plain = name.lower().replace("_", "-")
    for pattern, prepared in _PREPARED.items():
        if re.search(rf"(^|[^a-z])({pattern})", plain):
            return prepared
    return _IMAGENET


def _near(sides: Sequence[int], which: int) -> int:
    """A side for a network that takes any, in proportion."""
    scale = min(1.0, _SIDE / max(sides))
    return max(_MULTIPLE, round(sides[which] * scale / _MULTIPLE) * _MULTIPLE)


def _entry(inputs: Sequence[Any], name: str) -> Entry:
    shape = list(inputs[0].shape) if len(inputs) == 1 else []
    if len(shape) != 4 or shape[1] != 3 or "float" not in str(inputs[0].type):
        raise ModelDamaged(
            f"{name} is no matting network: one takes a single picture with three colours."
        )
    if inputs[0].type != "tensor(float)":
        raise ModelDamaged(f"{name} takes half precision: take the one in full precision (fp32).")
    height, width = (side if isinstance(side, int) and side > 0 else 0 for side in shape[2:])
    if max(height, width) > _LARGEST_SIDE:
        raise ModelDamaged(
            f"{name} says that it takes pictures of {width} × {height} pixels, "
            f"and Acetate none above {_LARGEST_SIDE}."
        )
    return Entry(inputs[0].name, height, width)


def _runtime() -> Any:
    try:
        return import_module("onnxruntime")
    except ImportError as error:
        raise NoMatting(
            "Matting networks need onnxruntime, which is not installed.",
            "Install it beside Acetate: `pip install onnxruntime`.",
        ) from error
