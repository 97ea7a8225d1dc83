"""A painter without a model that can do every mode, and gives back the pictures it was sent.

So a test sees exactly what an editor sends, and where it puts what comes back. The words of
`fake_painter` in a prompt make it slow or let it fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from acetate.modes import MODES
from acetate.modes.naming import layer_name
from acetate.workers.engine import Announcement
from acetate.workers.generator_api import PainterStep
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.messages import ModelInfo
from acetate_bridge.protocol.types import Image, Layer, PixelFormat, Request, Role
from tests.workers.fake_painter import FakePainter

LIMITS = FrameLimits(multiple=8, smallest=8, largest=4096, most_pixels=4096 * 4096)


class EchoPainter(FakePainter):
    def announce(self) -> Announcement:
        """One model for all that there is, and one that is not here."""
        here = ModelInfo("echo", "Echo", "echo", list(MODES), frame=LIMITS, steps=2)
        away = replace(here, id="away", name="Far Away", state="missing", progress=0.0)
        return Announcement([here, away], [mode.info for mode in MODES.values()])

    def paint(self, request: Request, on_step: Callable[[PainterStep], None]) -> Sequence[Layer]:
        super().paint(request, on_step)
        name = layer_name(request.recipe.prompt)
        return [
            Layer(image, role, f"{name}{mark}", recipe=request.recipe)
            for role, mark, image in _layers(request)
        ]


def _layers(request: Request) -> list[tuple[Role, str, Image]]:
    """The layers of each mode in the order of the real one."""
    front, back, both = Role.FOREGROUND, Role.BACKGROUND, Role.BLENDED
    red, blue = _solid(request, 255, 0, 0, 128), _solid(request, 0, 0, 255, 255)
    sent = request.images
    match request.recipe.mode:
        case "background":
            return [(back, " around", blue), (both, "", sent["layer"])]
        case "foreground":
            return [(front, "", sent["picture"]), (both, "", blue)]
        case "joint":
            return [(front, " in front", red), (back, " behind", blue), (both, "", blue)]
        case "refine":
            return [(front, "", sent["layer"])]
        case "extract":
            return [(front, "", _difference(sent["picture"], sent["background"]))]
        case "decompose":
            wall = [(back, " 1", sent["picture"])]
            return [*wall, (front, " 2", red), (front, " 3", red)]
        case _:
            return [(front, "", red)]


def _solid(request: Request, red: int, green: int, blue: int, alpha: int) -> Image:
    deep = request.pixel_format == "rgba16"
    pixel = np.array([red, green, blue, alpha], "<u2" if deep else "u1") * (257 if deep else 1)
    recipe = request.recipe
    data = np.broadcast_to(pixel, (recipe.height, recipe.width, 4))
    return _image(data, request.pixel_format)


def _difference(picture: Image, background: Image) -> Image:
    """The picture where it differs from its background, transparent elsewhere."""
    one, other = _samples(picture), _samples(background)
    differs = (one != other).any(axis=-1, keepdims=True)
    return _image(np.where(differs, one, 0).astype(one.dtype), picture.format)


def _samples(image: Image) -> np.ndarray:
    sample = "u1" if image.format == "rgba8" else "<u2"
    return np.frombuffer(image.data, sample).reshape(image.height, image.width, 4)


def _image(samples: np.ndarray, pixel_format: PixelFormat) -> Image:
    return Image(samples.shape[1], samples.shape[0], samples.tobytes(), pixel_format)


def open_echo(device: str, models_folder: Path) -> EchoPainter:
    return EchoPainter(models_folder)
