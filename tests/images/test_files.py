from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from acetate.errors import BadImage, BadRequest, CannotWrite
from acetate.images.files import (
    check_writable,
    read_image,
    read_recipe,
    read_recipes,
    write_image,
)
from acetate.images.png import encode_png
from acetate.images.samples import samples_of
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
    with pytest.raises(BadImage, match=r"text\.png: This is no picture"):
        read_image(path)
    with pytest.raises(BadImage, match=r"missing\.png: no such file"):
        read_image(tmp_path / "missing.png")


@pytest.mark.parametrize("ending", [".png", ".webp", ".tif", ".tiff", ".avif", ".PNG"])
def test_every_format_carries_the_recipe(tmp_path: Path, ending: str) -> None:
    samples = np.random.default_rng(4).integers(0, 256, (24, 32, 4), np.uint8)
    image = Image(32, 24, samples.tobytes())
    path = write_image(tmp_path / f"ä b{ending}", image, RECIPE)
    assert read_recipe(path) == RECIPE
    if ending != ".avif":
        assert read_image(path) == image
    with Pillow.open(path) as picture:
        assert picture.mode == "RGBA" and picture.size == (32, 24)


def test_jpeg_is_for_opaque_pictures(tmp_path: Path) -> None:
    opaque = Image(16, 8, bytes((200, 30, 30, 255)) * 128)
    path = write_image(tmp_path / "a.jpg", opaque, RECIPE)
    assert read_recipe(path) == RECIPE
    found = samples_of(read_image(path))[4, 8]
    assert abs(found.astype(int) - (200, 30, 30, 255)).max() <= 3
    with pytest.raises(BadRequest, match="no transparency"):
        write_image(tmp_path / "b.jpg", DOT)


def test_sixteen_bits_stay_in_png_and_tiff(tmp_path: Path) -> None:
    deep = Image(5, 3, np.random.default_rng(4).bytes(120), "rgba16")
    for ending in (".png", ".tif"):
        assert read_image(write_image(tmp_path / f"a{ending}", deep, RECIPE)) == deep
        assert read_recipe(tmp_path / f"a{ending}") == RECIPE
    with pytest.raises(BadRequest, match="no 16 bits"):
        write_image(tmp_path / "a.webp", deep)


def test_several_recipes_are_kept_together(tmp_path: Path) -> None:
    other = replace(RECIPE, seed=8)
    path = write_image(tmp_path / "sheet.webp", DOT, [RECIPE, other])
    assert read_recipes(path) == [RECIPE, other]
    with pytest.raises(BadImage, match="2 pictures"):
        read_recipe(path)


def test_what_is_there_is_kept_unless_it_shall_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("mine")
    (tmp_path / "a-2.png").write_text("mine, too")
    assert write_image(path, DOT, replace=False) == tmp_path / "a-3.png"
    assert path.read_text() == "mine" and read_image(tmp_path / "a-3.png") == DOT
    assert write_image(path, DOT) == path
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a-2.png", "a-3.png", "a.png"]
