"""The real painter, whose memory runs out as often as the prompt says: "hungry 3".

After "shared 3" it is another program that has taken it, of which the driver tells in its own way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import patch

import torch

from acetate.pipelines.sd15 import Sd15Pipeline
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline
from acetate.workers.generator import Generator
from acetate.workers.generator_api import Note, PainterStep
from acetate_bridge.protocol.types import Layer, Request

FAILURES = {
    "hungry": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "shared": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
}


class HungryGenerator(Generator):
    def paint(
        self, request: Request, on_step: Callable[[PainterStep | Note], None]
    ) -> Sequence[Layer]:
        name, _, times = request.recipe.prompt.partition(" ")
        left = int(times) if name in FAILURES else 0
        predict = Sd15Pipeline.predict

        def failing(*arguments: object) -> torch.Tensor:
            nonlocal left
            if left:
                left -= 1
                raise FAILURES[name].with_traceback(None)
            return predict(*arguments)  # type: ignore[arg-type]

        with (
            patch.object(Sd15Pipeline, "predict", failing),
            # The processor is where idle parts would go; here it is also where they work.
            patch.object(StableDiffusionPipeline, "can_offload", True),
        ):
            return super().paint(request, on_step)


def open_hungry(device: str, models_folder: Path) -> HungryGenerator:
    os.environ["ACETATE_MODELS_DIR"] = str(models_folder)
    return HungryGenerator(device)
