"""Many layers at a glance, over the pattern that shows transparency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from acetate.training.collection.inspection import SHOWN, THUMBNAIL, Looked
from acetate.training.whole_files import written_whole

_GAP = 8
_COLUMNS = 20
_PAPER, _FAULTY = (58, 58, 58), (214, 64, 48)
_CELL = 16


def write_sheet(file: Path, looked: Sequence[Looked]) -> Path:
    """Write the first pictures, the faulty ones first and framed in red; returns the file.

    Raises CannotWrite.
    """
    shown = sorted(looked, key=lambda one: not one.faults)[:SHOWN]
    columns = max(1, min(_COLUMNS, len(shown)))
    step = THUMBNAIL + _GAP
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * step + _GAP, max(1, rows) * step + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, one in enumerate(shown):
        left, top = (_GAP + step * place for place in (number % columns, number // columns))
        tile = _pattern()
        if one.thumbnail:
            pixels = np.frombuffer(one.thumbnail, np.uint8).reshape(THUMBNAIL, THUMBNAIL, 4)
            tile.alpha_composite(Image.fromarray(pixels))
        sheet.paste(tile.convert("RGB"), (left, top))
        if one.faults:
            box = (left - 3, top - 3, left + THUMBNAIL + 2, top + THUMBNAIL + 2)
            draw.rectangle(box, outline=_FAULTY, width=3)
    return written_whole(file, lambda part: sheet.save(part, format="PNG"))


def _pattern() -> Image.Image:
    cells = np.indices((THUMBNAIL, THUMBNAIL)) // _CELL
    tone = np.where(cells.sum(0) % 2, 140, 115).astype(np.uint8)
    return Image.fromarray(np.stack([tone] * 3 + [np.full_like(tone, 255)], -1))
