"""The table of modes: name, painter's words, inputs, and where each is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from acetate.errors import BadRequest
from acetate_bridge.protocol.messages import ModeInfo, ModeInput
from acetate_bridge.protocol.types import Layer, Request

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline
    from acetate.pipelines.sampling import OnStep

    Paint = Callable[[Request, Pipeline, OnStep | None], list[Layer]]


@dataclass(frozen=True)
class Mode:
    """A kind of request: what the editors show of it, and the module whose `paint` does it.

    The module is imported on first use, so that listing modes needs no torch.
    """

    info: ModeInfo
    module: str

    @property
    def paint(self) -> Paint:
        """Paints one variant: `(request, pipeline, on_step) -> layers`."""
        return import_module(self.module).paint


MODES: dict[str, Mode] = {
    mode.info.name: mode
    for mode in (
        Mode(ModeInfo("text", "Generate a layer"), "acetate.modes.text"),
        Mode(
            ModeInfo(
                "background",
                "Fill the background around this layer",
                inputs=[ModeInput("layer", "layer", "the layer that stands in front")],
            ),
            "acetate.modes.background",
        ),
        Mode(
            ModeInfo(
                "foreground",
                "Add something onto what is below",
                inputs=[ModeInput("picture", "picture", "the picture below")],
                prompts=["foreground", "blended"],
            ),
            "acetate.modes.foreground",
        ),
        Mode(
            ModeInfo(
                "joint",
                "Generate a scene in layers",
                prompts=["foreground", "background", "blended"],
            ),
            "acetate.modes.joint",
        ),
        Mode(
            ModeInfo(
                "refine",
                "Repaint this layer",
                inputs=[ModeInput("layer", "layer", "the layer to repaint")],
            ),
            "acetate.modes.refine",
        ),
        Mode(
            ModeInfo(
                "extract",
                "Lift this out of the picture",
                inputs=[
                    ModeInput("picture", "picture", "the picture"),
                    ModeInput("background", "layer", "its background", required=False),
                    ModeInput("layer", "layer", "the layer in front", required=False),
                ],
            ),
            "acetate.modes.extract",
        ),
        Mode(
            ModeInfo(
                "decompose",
                "Split this flat picture into layers",
                inputs=[ModeInput("picture", "picture", "the flat picture")],
            ),
            "acetate.modes.decompose",
        ),
    )
}


def mode_named(name: str) -> Mode:
    """The mode of that name. Raises BadRequest naming those there are."""
    if name not in MODES:
        raise BadRequest(f"There is no mode called “{name}”: use {' or '.join(MODES)}.")
    return MODES[name]
