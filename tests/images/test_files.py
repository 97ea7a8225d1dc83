from __future__ import annotations

from pathlib import Path

import pytest

from acetate.errors import BadImage, CannotWrite
from acetate.images.files import check_writable, read_image, read_recipe, write_image
from acetate.images.png import encode_png
from acetate_bridge.protocol.types import Image, Recipe

DOT = Image(1, 1, b"\x01\x02\x03\x04")
RECIPE = Recipe("text", "a red apple", seed=7, layer_prompts={"foreground": "Ü"}, width=64)


def test_recipe_and_pixels_come_back(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", DOT, RECIPE)
    assert read_image(tmp_path / "a.png") == DOT
    assert read_recipe(tmp_path / "a.png") == RECIPE


def test_writing_leaves_nothing_else_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
    write_image(tmp_path / "a.png", DOT)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_picture_without_a_recipe_says_so(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", DOT)
    with pytest.raises(BadImage, match="no recipe"):
        read_recipe(tmp_path / "a.png")


@pytest.mark.parametrize("text", ["{", "[]", '{"mode": 3}', '{"prompt": "x"}'])
def test_a_broken_recipe_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(DOT, {"acetate.recipe": text}))
    with pytest.raises(BadImage, match="cannot be read"):
        read_recipe(path)


def test_a_recipe_of_a_newer_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(DOT, {"acetate.recipe": '{"mode": "text", "novelty": 1}'}))
    assert read_recipe(path).mode == "text"


def test_unwritable_places_are_known_before_painting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "no" / "a.png", tmp_path / "file" / "a.png"):
        with pytest.raises(CannotWrite, match="Cannot write"):
            check_writable(path)


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("hello")
    with pytest.raises(BadImage, match=r"text\.png: This is not a PNG"):
        read_image(path)
    with pytest.raises(BadImage, match=r"missing\.png: no such file"):
        read_image(tmp_path / "missing.png")
