"""`acetate generate fill`, `upscale`, `defringe` and `cutout`, from files to files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acetate.images.files import read_image, read_recipe, write_image
from acetate_bridge.protocol.types import Image
from tests.cli.conftest import Acetate

pytestmark = pytest.mark.matrix

SIDE = 90


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A layer with a hole, a mask over it, an empty mask, one of another size, and a picture."""
    random = np.random.default_rng(1)
    layer = random.integers(0, 256, (SIDE, SIDE, 4), np.uint8)
    layer[30:50, 30:50, 3] = 0
    mask = np.zeros((SIDE, SIDE, 4), np.uint8)
    mask[..., 3] = 255
    empty = mask.copy()
    mask[25:55, 25:55, :3] = 255
    drawn = {"layer": layer, "mask": mask, "empty": empty, "below": layer[::-1].copy()}
    drawn["small"] = mask[:40, :40].copy()
    paths = {name: tmp_path / f"{name}.png" for name in drawn}
    for name, samples in drawn.items():
        size = samples.shape[1], samples.shape[0]
        write_image(paths[name], Image(*size, samples.tobytes()))
    return paths


def pixels(path: Path) -> np.ndarray:
    image = read_image(path)
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 4)


@pytest.mark.parametrize(
    ("more", "kind", "strength"),
    [
        (["an apple"], "fill", 0.6),
        (["an apple", "--expand"], "expand", 0.8),
        (["--remove"], "remove", 0.4),
        (["an apple", "--strength", "0.9", "--below", "below"], "fill", 0.9),
    ],
)
def test_a_selection_is_filled_and_painted_again_byte_for_byte(
    acetate: Acetate,
    tiny_model: Path,
    files: dict[str, Path],
    tmp_path: Path,
    more: list[str],
    kind: str,
    strength: float,
) -> None:
    more = [str(files[word]) if word == "below" else word for word in more]
    output, again = tmp_path / "out.png", tmp_path / "again.png"
    fixed = ["--model", str(tiny_model), "--steps", "2", "--passes", "1", "-o", str(output)]
    outcome = acetate("generate", "fill", files["layer"], *more, "--mask", files["mask"], *fixed)
    assert (outcome.code, outcome.err) == (0, "")
    recipe = read_recipe(output)
    assert (recipe.mode, recipe.fill, recipe.strength) == ("fill", kind, strength)
    changed = (pixels(output) != pixels(files["layer"])).any(axis=-1)
    assert changed[25:55, 25:55].any()
    changed[25:55, 25:55] = False
    assert not changed.any()
    inputs = ["--layer", files["layer"], "--mask", files["mask"]]
    if "below" in recipe.inputs:
        inputs += ["--below", files["below"]]
    model = ["--model", str(tiny_model)]
    outcome = acetate("generate", "--from", output, *inputs, *model, "-o", again)
    assert (outcome.code, outcome.err) == (0, "")
    assert again.read_bytes() == output.read_bytes()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["an apple", "--mask", "empty"], "Nothing is selected"),
        (["an apple", "--mask", "small"], "same size"),
        (["--mask", "mask"], "prompt is empty"),
        (["an apple"], "--mask"),
        (["an apple", "--mask", "mask", "--expand", "--remove"], "leave --expand or --remove"),
    ],
)
def test_what_cannot_be_filled_is_one_sentence(
    acetate: Acetate,
    tiny_model: Path,
    files: dict[str, Path],
    tmp_path: Path,
    more: list[str],
    sentence: str,
) -> None:
    more = [str(files.get(word, word)) for word in more]
    output = tmp_path / "out.png"
    fixed = ["--model", str(tiny_model), "-o", str(output)]
    outcome = acetate("generate", "fill", files["layer"], *more, *fixed)
    assert outcome.code == 2
    assert sentence in outcome.err and "Traceback" not in outcome.err
    assert not output.exists()


@pytest.mark.parametrize("scale", [2, 4])
def test_a_layer_is_enlarged_and_again_byte_for_byte(
    acetate: Acetate, tiny_model: Path, files: dict[str, Path], tmp_path: Path, scale: int
) -> None:
    output, again = tmp_path / "out.png", tmp_path / "again.png"
    model = ["--model", str(tiny_model)]
    outcome = acetate(
        "generate", "upscale", files["small"], "--scale", str(scale), *model, "-o", output
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert pixels(output).shape == (40 * scale, 40 * scale, 4)
    assert (read_recipe(output).mode, read_recipe(output).scale) == ("upscale", scale)
    more = ["--layer", files["small"], *model, "-o", again]
    assert acetate("generate", "--from", output, *more).code == 0
    assert again.read_bytes() == output.read_bytes()


def test_another_scale_is_one_sentence(
    acetate: Acetate, tiny_model: Path, files: dict[str, Path], tmp_path: Path
) -> None:
    more = ["--model", str(tiny_model), "-o", tmp_path / "out.png"]
    outcome = acetate("generate", "upscale", files["small"], "--scale", "3", *more)
    assert outcome.code == 2
    assert "2 or 4 times, not 3" in outcome.err and "Traceback" not in outcome.err


@pytest.mark.parametrize("mode", ["defringe", "cutout"])
def test_an_edge_is_cleaned_and_again_byte_for_byte(
    acetate: Acetate, tiny_model: Path, files: dict[str, Path], tmp_path: Path, mode: str
) -> None:
    output, again = tmp_path / "out.png", tmp_path / "again.png"
    model = ["--model", str(tiny_model)]
    outcome = acetate("generate", mode, files["layer"], *model, "-o", output)
    assert (outcome.code, outcome.err) == (0, "")
    assert read_recipe(output).mode == mode
    assert pixels(output).shape == (SIDE, SIDE, 4)
    if mode == "defringe":
        assert (pixels(output)[..., 3] == pixels(files["layer"])[..., 3]).all()
    more = ["--layer", files["layer"], *model, "-o", again]
    assert acetate("generate", "--from", output, *more).code == 0
    assert again.read_bytes() == output.read_bytes()
