"""Figures against what can be worked out by hand."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from acetate.errors import BadRequest
from acetate.evaluation.components import largest_part
from acetate.evaluation.features import fid, kid, of_a_file
from acetate.evaluation.fidelity import compare
from acetate.evaluation.generation import alpha_figures
from acetate.evaluation.matted_folder import open_layers
from acetate.evaluation.matting import (
    absolute_error,
    connectivity_error,
    gradient_error,
    squared_error,
)
from acetate.evaluation.tables import markdown, write_report
from acetate.training.collection.entries import Unusable, read_layer
from tests.training.layer_pictures import claimed


def flooded(mask: np.ndarray) -> np.ndarray:
    """The largest part, pixel by pixel."""
    best: set[tuple[int, int]] = set()
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    while left:
        part, waiting = set(), [min(left)]
        while waiting:
            y, x = waiting.pop()
            if (y, x) in left:
                left.discard((y, x))
                part.add((y, x))
                waiting += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
        best = part if len(part) > len(best) else best
    found = np.zeros_like(mask)
    for place in best:
        found[place] = True
    return found


@pytest.mark.parametrize("share", [0.0, 0.3, 0.55, 0.62, 0.8, 1.0])
def test_the_largest_part_is_the_one_that_a_flood_finds(share: float) -> None:
    for seed in range(6):
        mask = np.random.default_rng(seed).random((23, 31)) < share
        assert np.count_nonzero(largest_part(mask)) == np.count_nonzero(flooded(mask))
        assert not (largest_part(mask) & ~mask).any()
        if np.count_nonzero(flooded(mask)) > 0.4 * mask.sum():
            assert np.array_equal(largest_part(mask), flooded(mask))


def test_a_spiral_is_one_part() -> None:
    mask = np.zeros((15, 15), bool)
    for ring in range(0, 7, 2):
        mask[ring, ring : 15 - ring] = mask[14 - ring, ring : 15 - ring] = True
        mask[ring : 15 - ring, 14 - ring] = mask[ring + 2 : 15 - ring, ring] = True
    assert np.array_equal(largest_part(mask), flooded(mask))


def test_errors_of_alpha_by_hand() -> None:
    truth = np.zeros((100, 100))
    truth[20:80, 20:80] = 1
    assert absolute_error(truth, truth) == gradient_error(truth, truth) == 0
    assert connectivity_error(truth, truth) == 0
    half = truth * 0.5
    assert absolute_error(half, truth) == pytest.approx(1.8)
    assert squared_error(half, truth) == pytest.approx(3600 * 0.25 / 10_000)
    # An island of its own hangs on nothing: it counts whole, although it is small.
    island = truth.copy()
    island[5:10, 5:10] = 1
    assert connectivity_error(island, truth) == pytest.approx(0.025)
    assert gradient_error(half, truth) == pytest.approx(gradient_error(truth, 0 * truth) / 4)


def test_a_layer_is_like_itself_and_psnr_is_that_of_the_error() -> None:
    rgba = torch.rand(1, 4, 48, 48)
    rgba[:, 3:] = 1
    same = compare(rgba, rgba)
    assert same["PSNR"] == pytest.approx(100) and same["SSIM"] == pytest.approx(1, abs=1e-4)
    off = rgba.clone()
    off[:, 3:] = 0.9
    flat = compare(torch.full((1, 4, 32, 32), 0.5), torch.full((1, 4, 32, 32), 0.5).clone())
    assert flat["SAD"] == 0
    white = torch.ones(1, 4, 32, 32)
    seen = compare(torch.cat([white[:, :3], 0.9 * white[:, :1]], 1), white)
    assert seen["PSNR black"] == pytest.approx(-20 * math.log10(0.1), abs=1e-3)
    assert seen["PSNR white"] == pytest.approx(100)


def test_distances_are_nothing_for_the_same_and_grow_with_the_difference() -> None:
    random = torch.Generator().manual_seed(3)
    real = torch.randn(400, 6, generator=random, dtype=torch.float64)
    alike = torch.randn(400, 6, generator=random, dtype=torch.float64)
    assert fid(real, real) == pytest.approx(0, abs=1e-6)
    assert abs(kid(alike, real)) < 20
    # For equal spreads the distance is that of the means, squared.
    assert fid(real + 2, real) == pytest.approx(6 * 4, rel=1e-6)
    assert kid(real + 2, real) > 100 * abs(kid(alike, real))


def test_figures_of_alpha_add_up() -> None:
    rgba = torch.zeros(1, 4, 16, 16)
    rgba[:, 3, :8] = 1
    rgba[:, 3, 8:12] = 0.5
    figures = alpha_figures(rgba)
    assert (figures["clear"], figures["solid"], figures["half-clear"]) == (0.25, 0.5, 0.25)
    assert figures["opaque"] == figures["empty"] == 0
    assert alpha_figures(torch.zeros(1, 4, 8, 8))["empty"] == 1


@pytest.mark.parametrize("names", [("original", "mask"), ("image", "matte")])
def test_mattes_in_the_layouts_of_the_test_sets_become_layers(
    names: tuple[str, str], tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    Image.new("RGB", (40, 30), (200, 10, 20)).save(tmp_path / names[0] / "a.jpg", quality=100)
    Image.new("RGB", (40, 30)).save(tmp_path / names[0] / "lonely.jpg")
    matte = Image.new("L", (40, 30))
    matte.paste(255, (0, 0, 20, 30))
    matte.save(tmp_path / names[1] / "a.png")
    found = open_layers(tmp_path)
    (entry,) = found.entries
    pixels = read_layer(entry)
    assert pixels[..., 3].mean() == 127.5 and found.faults["pictures without a matte"] == 1


def test_a_matte_of_16_bits_keeps_its_levels(tmp_path: Path) -> None:
    for name in ("image", "matte"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (3, 1)).save(tmp_path / "image" / "a.png")
    levels = np.array([[0, 32768, 65535]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "matte" / "a.png")
    (entry,) = open_layers(tmp_path).entries
    assert read_layer(entry)[0, :, 3].tolist() == [0, 128, 255]


def test_mattes_that_are_too_large_or_damaged_are_left_out(tmp_path: Path) -> None:
    for name in ("image", "matte"):
        (tmp_path / name).mkdir()
    for name, data in (("wide", claimed(30_000, 30_000)), ("cut", claimed(20, 20))):
        Image.new("RGB", (20, 20)).save(tmp_path / "image" / f"{name}.png")
        (tmp_path / "matte" / f"{name}.png").write_bytes(data)
    (tmp_path / "image" / "wide.png").write_bytes(claimed(30_000, 30_000))
    for entry in open_layers(tmp_path).entries:
        with pytest.raises(Unusable):
            read_layer(entry)


def test_a_file_that_is_no_network_for_pictures_says_so(tmp_path: Path) -> None:
    (tmp_path / "words.pt").write_text("no network")
    with pytest.raises(BadRequest, match="words.pt is no TorchScript network"):
        of_a_file(tmp_path / "words.pt")

    class Grey(torch.nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return pictures.reshape(1, 1, 299, 299)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(Grey()).save(str(tmp_path / "grey.pt"))
    features = of_a_file(tmp_path / "grey.pt")
    with pytest.raises(BadRequest, match="grey.pt does not take such pictures"):
        features(torch.rand(1, 4, 32, 32))


def test_a_report_is_a_table_with_a_dash_where_nothing_was_measured(tmp_path: Path) -> None:
    table = {"ours": {"PSNR": 31.25, "SAD": 1.0}, "aim: theirs": {"PSNR": 41.0}}
    text = markdown("Reconstruction", table)
    assert "| ours | 31.25 | 1 |" in text and "| aim: theirs | 41 | – |" in text
    files = write_report(tmp_path / "new", "Reconstruction", table, {"layers": 2})
    assert [file.name for file in files] == ["figures.json", "figures.md"]
    assert "- layers: 2" in files[1].read_text()
