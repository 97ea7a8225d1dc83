from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acetate.embedded.drawings import INDEX, Drawings
from acetate.embedded.memory import Memory
from acetate.embedded.recolour import PAINTS, aged, colour_name, recolour
from acetate.errors import ModelDamaged, ModelMissing

SIDE = 64


def disc(colour: tuple[int, int, int]) -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[(x - 32) ** 2 + (y - 32) ** 2 < 28**2] = (*colour, 255)
    return pixels


@pytest.fixture
def drawings(tmp_path: Path) -> Drawings:
    concepts = [
        {"names": ["ball"], "tags": ["toy"], "drawings": ["noto/ball", "fluent-3d/ball"]},
        {"names": ["box"], "tags": [], "drawings": ["noto/box"]},
    ]
    path = tmp_path / "drawings.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(INDEX, json.dumps({"concepts": concepts}))
        for name, colour in (("noto/ball", (200, 30, 30)), ("fluent-3d/ball", (30, 160, 40))):
            archive.writestr(f"{name}.webp", webp(disc(colour)))
        archive.writestr("noto/box.webp", webp(disc((220, 200, 40))))
    return Drawings(path)


def webp(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", lossless=True)
    return out.getvalue()


@pytest.fixture
def memory(drawings: Drawings) -> Memory:
    return Memory(drawings, lambda phrases: np.zeros((len(phrases), 4), np.float32))


def test_the_same_seed_recalls_the_same_and_seeds_differ(memory: Memory) -> None:
    first, again = (memory.recall("a ball", 5, 96, 96) for _ in range(2))
    assert first is not None and again is not None
    assert np.array_equal(first.pixels, again.pixels) and first.certain
    recalled = [memory.recall("a ball", seed, 96, 96) for seed in range(12)]
    assert {one.drawings[0].name for one in recalled if one} == {"noto/ball", "fluent-3d/ball"}


def test_a_colour_word_colours_what_is_recalled(memory: Memory) -> None:
    found = memory.recall("a blue ball", 1, 96, 96)
    assert found is not None
    red, _, blue = found.pixels[48, 48, :3].astype(int)
    assert blue > red + 60


def test_patterns_and_glass_are_laid_over_what_is_recalled(memory: Memory) -> None:
    plain, striped, glass = (
        memory.recall(prompt, 1, 96, 96)
        for prompt in ("a blue ball", "a striped blue ball", "a blue glass ball")
    )
    assert plain is not None and striped is not None and glass is not None
    assert not plain.followed_later and striped.followed_later and glass.followed_later
    assert np.ptp(striped.pixels[48, 30:66, 0]) > np.ptp(plain.pixels[48, 30:66, 0]) + 80
    assert 100 < glass.pixels[48, 48, 3] < 160 and plain.pixels[48, 48, 3] == 255


def test_what_is_huge_fills_the_frame(memory: Memory) -> None:
    usual, huge = (memory.recall(prompt, 1, 96, 96) for prompt in ("a ball", "a huge ball"))
    assert usual is not None and huge is not None
    assert (huge.pixels[..., 3] > 127).sum() > (usual.pixels[..., 3] > 127).sum() * 1.1


def test_a_manner_chooses_the_style(memory: Memory) -> None:
    for seed in range(6):
        found = memory.recall("a 3d ball", seed, 96, 96)
        assert found is not None and found.drawings[0].style == "fluent-3d"


def test_two_things_stand_beside_each_other_and_a_number_is_counted(memory: Memory) -> None:
    both = memory.recall("a ball and a box", 3, 128, 128)
    assert both is not None
    assert {one.name.split("/")[1] for one in both.drawings} == {"ball", "box"}
    three = memory.recall("three balls", 3, 96, 192)
    assert three is not None and len(three.drawings) == 3


def test_a_thing_on_a_ground_is_smaller_and_stands_low(memory: Memory) -> None:
    found = memory.recall("a ball", 2, 128, 128, onto=True)
    assert found is not None
    rows = np.flatnonzero((found.pixels[..., 3] > 127).any(1))
    assert rows[0] > 30 and rows[-1] > 90


def test_nothing_is_recalled_for_what_is_not_there(memory: Memory) -> None:
    assert memory.recall("a xylophone", 1, 96, 96) is None


def test_an_archive_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="drawings.zip"):
        _ = Drawings(tmp_path / "drawings.zip").concepts
    (tmp_path / "drawings.zip").write_bytes(b"no zip at all")
    with pytest.raises(ModelDamaged, match="drawings.zip"):
        _ = Drawings(tmp_path / "drawings.zip").concepts


@pytest.mark.parametrize("paint", PAINTS)
def test_every_paint_keeps_the_shape(paint: str) -> None:
    pixels = disc((200, 40, 40))
    painted = recolour(pixels, paint)
    assert painted is not None
    assert np.array_equal(painted[..., 3], pixels[..., 3])


@pytest.mark.parametrize("paint", ["red", "orange", "yellow", "green", "blue", "purple", "pink"])
def test_what_was_painted_has_the_name_of_its_paint(paint: str) -> None:
    for source in ((200, 40, 40), (230, 230, 230)):
        painted = recolour(disc(source), paint)
        assert painted is not None and colour_name(painted) == paint


def test_only_the_dominant_region_is_painted() -> None:
    pixels = disc((200, 40, 40))
    pixels[8:14, 28:36, :3] = (60, 170, 60)
    painted = recolour(pixels, "blue")
    assert painted is not None
    assert np.abs(painted[10, 32, :3].astype(int) - (60, 170, 60)).max() < 12


def test_what_is_old_is_paler() -> None:
    pixels = disc((200, 40, 40))
    before, after = (one[..., :3].astype(int) for one in (pixels, aged(pixels)))
    assert np.ptp(after[32, 32]) < np.ptp(before[32, 32])
