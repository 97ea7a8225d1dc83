"""A painter without a model, for tests of everything around one. The prompt says how it behaves.

`step=0.05` seconds per step; `die`, `hang`, `vanish`, `quote` or `break` after the first step
(`once` only the first time, remembered in the models folder); otherwise one layer in a colour made
from the seed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from acetate.errors import AcetateError, BadRequest
from acetate.workers.engine import Announcement
from acetate.workers.generator_api import PainterStep
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.messages import ModeInfo, ModeInput, ModelInfo
from acetate_bridge.protocol.types import BYTES_PER_PIXEL, Image, Layer, Request

MODES = [
    ModeInfo("text", "Generate a layer"),
    ModeInfo(
        "echo",
        "Give the picture back",
        [ModeInput("picture", "picture", "the picture to give back")],
    ),
]
LIMITS = FrameLimits(multiple=8, smallest=8, largest=4096, most_pixels=4096 * 4096)


class CardGone(AcetateError):
    code = "device_lost"


class FakePainter:
    def __init__(self, notes: Path) -> None:
        self._notes = notes

    def announce(self) -> Announcement:
        names = [mode.name for mode in MODES]
        return Announcement([ModelInfo("fake", "Fake", "fake", names, frame=LIMITS)], MODES)

    def paint(self, request: Request, on_step: Callable[[PainterStep], None]) -> Sequence[Layer]:
        words = request.recipe.prompt.split()
        pause = next((float(word[5:]) for word in words if word.startswith("step=")), 0.0)
        steps = request.recipe.steps
        image = self._picture(request)
        for step in range(1, steps + 1):
            time.sleep(pause)
            on_step(PainterStep(step, steps, lambda: solid(8, 8, request.recipe.seed)))
            if step == 1:
                self._misbehave(words)
        return [Layer(image, name=request.recipe.prompt, recipe=request.recipe)]

    def _picture(self, request: Request) -> Image:
        if request.recipe.mode == "echo" and "picture" in request.images:
            return request.images["picture"]
        width, height = request.recipe.width or 16, request.recipe.height or 16
        if request.pixel_format == "rgba16":
            return Image(width, height, bytes(width * height * BYTES_PER_PIXEL["rgba16"]), "rgba16")
        return solid(width, height, request.recipe.seed)

    def _misbehave(self, words: list[str]) -> None:
        if "once" in words and (self._notes / "once").exists():
            return
        self._notes.mkdir(parents=True, exist_ok=True)
        if {"die", "hang", "break"} & set(words):
            (self._notes / "once").touch()
        if "die" in words:
            os._exit(9)
        if "hang" in words:
            os.kill(os.getpid(), signal.SIGSTOP)
        if "stall" in words:
            time.sleep(3600)
        if "break" in words:
            raise BadRequest("That cannot be painted.", "Ask for something else.")
        if "vanish" in words:
            raise CardGone("The graphics card cuda:0 stopped answering.", "Try again.")
        if "quote" in words:
            raise RuntimeError(f"cannot read {' '.join(words)!r}")
        if "bug" in words:
            raise RuntimeError("a bug")


def solid(width: int, height: int, seed: int) -> Image:
    """One colour, made from the seed."""
    pixel = bytes([seed % 251, seed // 251 % 251, 77, 255])
    return Image(width, height, pixel * (width * height))


def open_fake(device: str, models_folder: Path) -> FakePainter:
    return FakePainter(models_folder)


def refuse_to_open(device: str, models_folder: Path) -> FakePainter:
    raise RuntimeError("this painter never opens")


def open_never(device: str, models_folder: Path) -> FakePainter:
    while True:
        time.sleep(3600)


def open_when_let(device: str, models_folder: Path) -> FakePainter:
    """As soon as there is a file `let` in the models folder."""
    while not (models_folder / "let").exists():
        time.sleep(0.01)
    return FakePainter(models_folder)


class RestlessPainter(FakePainter):
    """Has something to do whenever nobody wants a painting, and notes when it did."""

    warms_up = False

    @property
    def is_cold(self) -> bool:
        return self.warms_up

    def warm_up(self, called: Callable[[], bool]) -> None:
        self._notes.mkdir(parents=True, exist_ok=True)
        (self._notes / "begun").touch()
        while not called():
            time.sleep(0.01)
        (self._notes / "stopped").touch()


def open_restless(device: str, models_folder: Path) -> RestlessPainter:
    return RestlessPainter(models_folder)


def open_in_another_time(device: str, models_folder: Path) -> FakePainter:
    """On a machine whose clock is wrong by a day, and does not agree with itself."""
    right = time.time
    time.time = lambda: right() - 86_400.0
    return FakePainter(models_folder)
