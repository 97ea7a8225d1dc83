"""The fake painter with settings, styles and pictures to follow, as the page offers them."""

from __future__ import annotations

from pathlib import Path

from acetate.workers.engine import Announcement
from acetate_bridge.protocol.messages import ModelInfo
from acetate_bridge.protocol.modes import MODES as TABLE
from acetate_bridge.protocol.types import Image, Request
from tests.workers.fake_painter import LIMITS, MODES, FakePainter, solid


class PagePainter(FakePainter):
    def announce(self) -> Announcement:
        modes = [*MODES, *(TABLE[name].info for name in ("refine", "fill", "upscale"))]
        model = ModelInfo(
            "fake",
            "Fake",
            "sdxl",
            [mode.name for mode in modes],
            frame=LIMITS,
            styles=["ink.safetensors", "wash.safetensors"],
            controls=["reference", "scribble"],
            derives=["scribble"],
            triggers={"ink.safetensors": "inked lines"},
        )
        return Announcement([model], modes)

    def _picture(self, request: Request) -> Image:
        if request.recipe.mode == "upscale":
            layer, scale = request.images["layer"], request.recipe.scale
            return solid(layer.width * scale, layer.height * scale, request.recipe.seed)
        return super()._picture(request)


def open_painter(device: str, models_folder: Path) -> PagePainter:
    return PagePainter(models_folder)
