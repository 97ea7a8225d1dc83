"""A matting network in ONNX, written byte by byte: what is red stands in front."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_FLOAT = 1


def write_matting(path: Path, side: int = 0, colours: int = 3) -> Path:
    """A convolution and a sigmoid; it takes squares of `side`, or any size."""
    kernel = np.array([4, -4, -4], np.float32).reshape(1, 3, 1, 1)[:, :colours]
    bias = np.array([-12], np.float32)
    sides: Sequence[int | str] = (side, side) if side else ("height", "width")
    graph = b"".join(
        (
            _bytes(1, _node("Conv", ["picture", "kernel", "bias"], "raw")),
            _bytes(1, _node("Sigmoid", ["raw"], "matte")),
            _bytes(2, b"matting"),
            _bytes(5, _tensor("kernel", kernel)),
            _bytes(5, _tensor("bias", bias)),
            _bytes(11, _value("picture", [1, colours, *sides])),
            _bytes(12, _value("matte", [1, 1, *sides])),
        )
    )
    opset = _number(2, 13)
    path.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, opset))
    return path


def _node(kind: str, inputs: Sequence[str], output: str) -> bytes:
    given = b"".join(_bytes(1, name.encode()) for name in inputs)
    return given + _bytes(2, output.encode()) + _bytes(4, kind.encode())


def _tensor(name: str, values: np.ndarray) -> bytes:
    sides = b"".join(_number(1, side) for side in values.shape)
    return sides + _number(2, _FLOAT) + _bytes(8, name.encode()) + _bytes(9, values.tobytes())


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    sides = b"".join(
        _bytes(1, _number(1, side) if isinstance(side, int) else _bytes(2, side.encode()))
        for side in shape
    )
    tensor = _number(1, _FLOAT) + _bytes(2, sides)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _variable(field << 3) + _variable(value)


def _bytes(field: int, content: bytes) -> bytes:
    return _variable(field << 3 | 2) + _variable(len(content)) + content


def _variable(value: int) -> bytes:
    """An integer as protocol buffers write it: seven bits to a byte, the lowest first."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
