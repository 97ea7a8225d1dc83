"""Pictures of how far a training is."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from acetate.training.samples import write_rows


def test_what_is_no_number_is_drawn_black(tmp_path: Path) -> None:
    row = torch.ones(2, 3, 4, 4)
    row[0] = float("nan")
    write_rows(tmp_path / "rows.png", [row])
    with Image.open(tmp_path / "rows.png") as picture:
        assert picture.getpixel((0, 0)) == (0, 0, 0)
        assert picture.getpixel((7, 0)) == (255, 255, 255)
