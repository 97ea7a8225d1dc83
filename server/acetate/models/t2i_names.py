"""T2I adapters by their tensors: which family one is for, and diffusers' names for its parts.

Their authors' files (TencentARC) number all residual blocks in one row, two to a level; those of
the light form, and diffusers', level by level.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Shapes = Mapping[str, tuple[int, ...]]

_PREFIX = "adapter."
_BODY = re.compile(r"(adapter\.)?body\.\d+\.(in_conv|out_conv|block[12]|resnets|body)\b")
_BLOCKS_A_LEVEL = 2
_ENTRIES = {192: ("sd15", 8, 3), 64: ("sd15", 8, 1), 768: ("sdxl", 16, 3), 256: ("sdxl", 16, 1)}
"""By the channels of its first convolution: pixels of a square of the image, folded."""


@dataclass(frozen=True)
class T2IForm:
    """The family it steers, the side of the squares that it folds, and the image's channels.

    `light`: the smaller form, of which there are some for Stable Diffusion 1.5.
    """

    family: str
    folded: int
    channels: int
    light: bool


def t2i_form(shapes: Shapes) -> T2IForm | None:
    """What kind of T2I adapter the tensors are; None where they are none."""
    plain = {name.removeprefix(_PREFIX): shape for name, shape in shapes.items()}
    if not any(_BODY.match(name) for name in plain):
        return None
    light = "body.0.out_conv.weight" in plain
    entry = plain.get("body.0.in_conv.weight" if light else "conv_in.weight", ())
    if len(entry) != 4 or entry[1] not in _ENTRIES:
        return None
    return T2IForm(*_ENTRIES[entry[1]], light)


def t2i_names(names: Iterable[str]) -> dict[str, str]:
    """For each name in a file that of diffusers; what has no counterpart keeps its own."""
    plain = {name: name.removeprefix(_PREFIX) for name in names}
    rows = not any(".resnets." in name for name in plain.values())
    light = any(".out_conv." in name for name in plain.values())
    return {
        name: _PREFIX + (_by_level(short, light) if rows else short)
        for name, short in plain.items()
    }


def _by_level(name: str, light: bool) -> str:
    if light:
        return re.sub(r"^(body\.\d+)\.body\.(\d+)\.", r"\1.resnets.\2.", name)
    found = re.fullmatch(r"body\.(\d+)\.(in_conv|block1|block2)\.(\w+)", name)
    if found is None:
        return name
    level, place = divmod(int(found[1]), _BLOCKS_A_LEVEL)
    inside = "" if found[2] == "in_conv" else f"resnets.{place}."
    return f"body.{level}.{inside}{found[2]}.{found[3]}"
