"""What can be learned from pairs of layers, and in which published file it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from acetate.errors import BadRequest
from acetate.training.collection.layer_pairs import Part

TwoLayerMode = Literal["background", "foreground", "joint"]


@dataclass(frozen=True)
class Task:
    """The parts of a pair that are painted, in the order of the frames, and those that are seen.

    `file` is the published one's name without its ending.
    """

    file: str
    painted: tuple[Part, ...]
    seen: tuple[Part, ...] = ()


_TASKS: dict[str, dict[str, tuple[Task, ...]]] = {
    "sd15": {
        "background": (Task("layer_sd15_fg2bg", ("background", "blended"), ("layer",)),),
        "foreground": (Task("layer_sd15_bg2fg", ("layer", "blended"), ("background",)),),
        "joint": (Task("layer_sd15_joint", ("layer", "background", "blended")),),
    },
    "sdxl": {
        "background": (
            Task("layer_xl_fg2ble", ("blended",), ("layer",)),
            Task("layer_xl_fgble2bg", ("background",), ("layer", "blended")),
        ),
        "foreground": (
            Task("layer_xl_bg2ble", ("blended",), ("background",)),
            Task("layer_xl_bgble2fg", ("layer",), ("background", "blended")),
        ),
    },
}


def tasks_of(family: str, mode: TwoLayerMode) -> tuple[Task, ...]:
    """What is learned one after the other for a mode. Raises BadRequest where nothing is."""
    if family not in _TASKS:
        raise BadRequest(
            f"Nobody has published how a {family} paints one layer for another: "
            "--mode needs Stable Diffusion 1.5 or SDXL."
        )
    if mode not in _TASKS[family]:
        raise BadRequest(
            "SDXL paints layers jointly with what it learned of single layers and of backgrounds: "
            "train --mode text and --mode background."
        )
    return _TASKS[family][mode]
