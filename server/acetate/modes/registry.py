"""The modes of the common table with what paints each: a module of its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from acetate.errors import BadRequest
from acetate_bridge.protocol import modes
from acetate_bridge.protocol.messages import ModeInfo
from acetate_bridge.protocol.types import Layer, Request

if TYPE_CHECKING:
    from torch import Tensor

    from acetate.pipelines.denoising import Denoising
    from acetate.pipelines.pipeline import Pipeline
    from acetate.pipelines.sampling import OnStep

    Begin = Callable[[Request, Pipeline], Denoising]
    Finish = Callable[[Request, Pipeline, Tensor], list[Layer]]
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

    @property
    def halves(self) -> tuple[Begin, Finish] | None:
        """Of a mode that denoises once: what is asked of the denoiser, and what comes of that."""
        module = import_module(self.module)
        return (module.begin, module.finish) if hasattr(module, "begin") else None


MODES: dict[str, Mode] = {
    name: Mode(row.info, f"acetate.modes.{name}") for name, row in modes.MODES.items()
}


def mode_named(name: str) -> Mode:
    """The mode of that name. Raises BadRequest naming those there are."""
    if name not in MODES:
        raise BadRequest(f"There is no mode called “{name}”: use {' or '.join(MODES)}.")
    return MODES[name]
