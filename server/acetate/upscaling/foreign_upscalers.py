"""Upscalers of others: which network a file's tensors are of, and that network ready to run.

Those of ESRGAN and Real-ESRGAN are read here. Any other that `spandrel` knows is read with it,
where that package is installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn

from acetate.models.recognition_error import NotRecognised
from acetate.models.weights import in_channels_last, without_gradients
from acetate.upscaling.dense_network import DenseUpscaler
from acetate.upscaling.network import CompactUpscaler, Upscaler

_WRAPPINGS = ("params_ema.", "params.", "model_state_dict.", "module.", "netG.")
"""What trainers put in front of all names; averaged weights come first."""

_NAMES: tuple[tuple[str, str], ...] = (
    (r"^RRDB_trunk\.(\d+)\.RDB(\d)\.", r"body.\1.rdb\2."),
    (r"^trunk_conv\.", "conv_body."),
    (r"^upconv(\d)\.", r"conv_up\1."),
    (r"^HRconv\.", "conv_hr."),
    (r"^model\.0\.", "conv_first."),
    (r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.", r"body.\1.rdb\2.conv\3."),
    (r"^model\.1\.sub\.\d+\.(weight|bias)$", r"conv_body.\1"),
)
"""Names that ESRGAN had at first, and what Real-ESRGAN calls them."""

_FARTHEST = 48
"""Pixels around a tile that are shown with it at the most: what a deep network can still see from
farther away no longer shows."""
_SHRINKING = 2
"""Pixels more that a result is seen to when it is made smaller again."""
_DEEP_TILE = 192
"""Side of a tile for networks that work on large maps."""


def read_upscaler(state: Mapping[str, Tensor], name: str) -> Upscaler:
    """The network in the tensors of a file, in single precision. Raises NotRecognised."""
    plain = _unwrapped(state)
    try:
        if found := _known(plain):
            return found
    except (RuntimeError, KeyError, IndexError, ValueError) as error:
        if not _has_spandrel():
            raise NotRecognised(
                f"{name} is an upscaler (ESRGAN) whose tensors do not belong together: "
                "fetch it again."
            ) from error
    return _by_spandrel(plain, name)


def _has_spandrel() -> bool:
    return find_spec("spandrel") is not None


def _known(state: dict[str, Tensor]) -> Upscaler | None:
    if "body.0.weight" in state and "body.1.weight" in state:
        return _compact(state)
    renamed = _renamed(state)
    return (
        _dense(renamed) if "conv_first.weight" in renamed and "conv_hr.weight" in renamed else None
    )


def _unwrapped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = dict(state)
    for wrapping in _WRAPPINGS:
        inner = {
            key[len(wrapping) :]: value for key, value in found.items() if key.startswith(wrapping)
        }
        found = inner or found
    return found


def _compact(state: dict[str, Tensor]) -> Upscaler:
    last = max(int(key.split(".")[1]) for key in state if key.startswith("body."))
    width, entries = state["body.0.weight"].shape[:2]
    inner = isqrt(len(state[f"body.{last}.weight"]) // 3)
    if entries != 3:
        raise ValueError("not of three colours")
    hidden = (last - 2) // 2
    network = CompactUpscaler(inner, width, hidden, inner)
    network.load_state_dict(_as_single(state))
    return Upscaler(_ready(network), inner, hidden + 2 + _SHRINKING)


def _dense(state: dict[str, Tensor]) -> Upscaler:
    width, entries = state["conv_first.weight"].shape[:2]
    blocks = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("body."))
    doublings = sum(bool(re.fullmatch(r"conv_up\d\.weight", key)) for key in state)
    folded = isqrt(entries // 3)
    network = DenseUpscaler(
        width, len(state["body.0.rdb1.conv1.weight"]), blocks, doublings, folded
    )
    network.load_state_dict(_as_single(state))
    sees = (15 * blocks + 4 + _SHRINKING) * folded
    return Upscaler(_ready(network), 2**doublings // folded, min(sees, _FARTHEST), _DEEP_TILE)


def _renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """In the names of Real-ESRGAN; those of the first ESRGAN only count what comes last."""
    found: dict[str, Tensor] = {}
    for key, tensor in state.items():
        for pattern, name in _NAMES:
            key = re.sub(pattern, name, key)
        found[key] = tensor
    counted = sorted({int(key.split(".")[1]) for key in found if key.startswith("model.")})
    if len(counted) < 2:
        return found
    names = [f"conv_up{at + 1}" for at in range(len(counted) - 2)] + ["conv_hr", "conv_last"]
    place = {f"model.{number}": name for number, name in zip(counted, names, strict=True)}
    return {
        key.replace(start, place[start], 1)
        if (start := ".".join(key.split(".")[:2])) in place
        else key: tensor
        for key, tensor in found.items()
    }


def _by_spandrel(state: Mapping[str, Tensor], name: str) -> Upscaler:
    """Any upscaler of colour pictures that spandrel reads. Raises NotRecognised."""
    if not _has_spandrel():
        raise NotRecognised(
            f"{name} is no upscaler that Acetate reads by itself.",
            "With `pip install spandrel` it reads many more.",
        )
    spandrel: Any = import_module("spandrel")
    try:
        found: Any = spandrel.ModelLoader("cpu").load_from_state_dict(dict(state))
    except Exception as error:  # Each of its architectures has its own ways to fail.
        raise NotRecognised(f"{name} is no upscaler that spandrel knows.") from error
    channels: tuple[int, int] = (found.input_channels, found.output_channels)
    of_pictures = isinstance(found, spandrel.ImageModelDescriptor)
    if not of_pictures or channels != (3, 3) or found.scale < 2:
        raise NotRecognised(f"{name} is no upscaler of colour pictures.")
    return Upscaler(_Described(found), int(found.scale), _FARTHEST, _DEEP_TILE)


class _Described(nn.Module):
    """What spandrel describes, which pads pictures as its architecture needs them."""

    def __init__(self, described: Any) -> None:
        super().__init__()
        self.inner = without_gradients(described.model)
        self._described = described

    def forward(self, rgb: Tensor) -> Tensor:
        return self._described(rgb)


def _ready(network: nn.Module) -> nn.Module:
    return in_channels_last(without_gradients(network))


def _as_single(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: tensor.to(torch.float32) for key, tensor in state.items()}
