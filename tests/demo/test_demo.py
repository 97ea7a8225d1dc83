from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acetate.demo import __main__ as demo
from acetate.embedded.sheet import SHEET
from acetate.images.files import read_image, read_recipe, read_recipes
from acetate.pipelines.pipeline import Pipeline
from acetate_bridge.protocol.types import Image


def test_the_demonstration_writes_its_pictures_and_says_so(
    tiny_pipeline: Pipeline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(demo, "load_pipeline", lambda: tiny_pipeline)
    monkeypatch.setattr(demo, "SHEET", SHEET[:2])
    demo.main(tmp_path / "demo")
    joint = [f"joint-{role}.png" for role in ("foreground", "background", "blended")]
    names = ["layer.png", "background.png", "scene.png", "fill.png", *joint, "sheet.png"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        str(tmp_path / "demo" / name) for name in names
    ]
    layer, background, scene, *_ = (read_image(tmp_path / "demo" / name) for name in names)
    assert (layer.width, layer.height) == (background.width, scene.height)
    for name in ("background.png", "scene.png"):
        assert read_recipe(tmp_path / "demo" / name).mode == "background"
    shown = [recipe.prompt for recipe in read_recipes(tmp_path / "demo" / "sheet.png")]
    assert shown == list(SHEET[:2])


def test_a_sheet_holds_all_pictures_on_white_and_checkers() -> None:
    red = Image(20, 20, bytes([255, 0, 0, 255]) * 400)
    clear = Image(20, 20, bytes(1600))
    sheet = demo.make_sheet([red, clear] * 4)
    tile = 20 + demo.GAP
    assert (sheet.width, sheet.height) == (demo.COLUMNS * tile, 2 * tile)
    pixels = np.frombuffer(sheet.data, np.uint8).reshape(sheet.height, sheet.width, 4)
    assert (pixels[:20, :20] == (255, 0, 0, 255)).all()
    assert len(np.unique(pixels[:20, tile : tile + 20, 0])) == 2
    assert (pixels[tile:, -tile:, :3] == 255).all()


def test_the_sheet_has_twenty_four_different_prompts() -> None:
    assert len(set(SHEET)) == 24
