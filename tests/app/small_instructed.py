"""The real generator, in whose process the families that follow instructions paint small.

Their published code paints squares of 1024 pixels, which no file says: tiny models of theirs would
compute for most of a minute what does not depend on the size.
"""

from __future__ import annotations

import json
from pathlib import Path

from acetate.pipelines import instructed_pipeline
from acetate.workers.generator import open_generator
from acetate.workers.generator_api import Painter

SIDE = 256


def open_small(device: str, models_folder: Path) -> Painter:
    """Factory of a painter, for a shelf that `shrink` has been through."""
    instructed_pipeline.NATIVE = SIDE
    return open_generator(device, models_folder)


def shrink(shelf: Path) -> None:
    """The models on the shelf that are painted at 1024 pixels are offered for SIDE from now on."""
    register = shelf / "imported.json"
    owned = json.loads(register.read_text(encoding="utf-8"))
    small = [each | {"native": SIDE} if each["native"] == 1024 else each for each in owned]
    register.write_text(json.dumps(small), encoding="utf-8")
