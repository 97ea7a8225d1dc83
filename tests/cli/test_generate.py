from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from acetate.cli.run import say_unheard
from acetate.images.files import read_image, read_recipe, write_image
from acetate_bridge.protocol.types import Control, Image, Recipe, Request
from tests.cli.conftest import Acetate


@pytest.fixture
def text(acetate: Acetate, tiny_model: Path, tmp_path: Path):
    """Paints a layer with the tiny model and returns its path."""

    def run(name: str, *arguments: str) -> Path:
        output = tmp_path / name
        fixed = ["--model", str(tiny_model), "--steps", "2", "-o", str(output)]
        outcome = acetate("generate", "text", "a red apple", *fixed, *arguments)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith(f"{tmp_path}/{output.stem}")
        return output

    return run


def test_a_layer_is_written_with_its_recipe(text) -> None:
    path = text("a.png", "--seed", "7", "--avoid", "a cat", "--guidance", "2.5", "--passes", "2")
    recipe = read_recipe(path)
    assert (recipe.mode, recipe.prompt, recipe.negative_prompt) == ("text", "a red apple", "a cat")
    assert (recipe.seed, recipe.steps, recipe.guidance, recipe.passes) == (7, 2, 2.5, 2)
    assert (read_image(path).width, read_image(path).height) == (64, 64)


def test_what_is_written_and_goes_unheard_is_said(
    acetate: Acetate, tiny_model: Path, tmp_path: Path
) -> None:
    fixed = ["--model", str(tiny_model), "--steps", "1", "-o", str(tmp_path / "a.png")]
    heard = acetate("generate", "text", "a café", *fixed, "--avoid", "a cat", "--guidance", "2")
    assert heard.err == ""
    said = acetate("generate", "text", "りんご", *fixed, "--avoid", "a cat", "--guidance", "1").err
    assert "The models read English: “ごりん”" in said
    assert "Nothing is avoided" in said


@pytest.mark.parametrize("around", [0, 255])
def test_a_reference_without_transparency_is_said_to_be_painted_with_its_ground(
    around: int,
) -> None:
    samples = np.full((32, 32, 4), (200, 30, 30, 255), np.uint8)
    samples[:8, :, 3] = around
    image = Image(32, 32, samples.tobytes())
    recipe = Recipe("text", "an apple", guidance=3, control=Control("reference"))
    told = io.StringIO()
    console = Console(file=told, width=200)
    say_unheard(console, Request(recipe, {"control": image}), "sdxl")
    assert told.getvalue() == ""
    say_unheard(console, Request(recipe, {"control": image}), "embedded")
    assert ("its ground is painted, too" in told.getvalue()) == (around == 255)


def test_the_same_seed_writes_the_same_file(text) -> None:
    first, again, other = (
        text(f"{name}.png", "--seed", seed).read_bytes() for name, seed in ("a7", "b7", "c8")
    )
    assert first == again != other


def test_without_a_seed_every_picture_is_another(text) -> None:
    assert read_recipe(text("a.png")).seed != read_recipe(text("b.png")).seed


def test_variants_are_numbered_and_differ(text, tmp_path: Path) -> None:
    text("a.png", "--seed", "1", "--variants", "2")
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["a-1.png", "a-2.png"]
    assert read_recipe(tmp_path / "a-2.png").seed == 2
    assert read_image(tmp_path / "a-1.png") != read_image(tmp_path / "a-2.png")


@pytest.mark.parametrize(
    ("size", "expected"), [("80", (80, 80)), ("100x70", (100, 70)), ("65×127", (65, 127))]
)
def test_the_size_is_exact(text, size: str, expected: tuple[int, int]) -> None:
    image = read_image(text("a.png", "--size", size))
    assert (image.width, image.height) == expected


def test_sixteen_bits_are_written(text) -> None:
    assert read_image(text("a.png", "--precision", "16")).format == "rgba16"


@pytest.mark.parametrize("arguments", [[], ["--precision", "16"], ["--size", "100x70"]])
def test_a_picture_is_painted_again_byte_for_byte(
    acetate: Acetate, text, tiny_model: Path, tmp_path: Path, arguments: list[str]
) -> None:
    path, again = text("a.png", *arguments), tmp_path / "again.png"
    outcome = acetate("generate", "--from", path, "--model", tiny_model, "-o", again)
    assert outcome.code == 0
    assert again.read_bytes() == path.read_bytes()


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    samples = np.zeros((70, 100, 4), np.uint8)
    samples[20:50, 30:60] = (200, 30, 30, 255)
    write_image(tmp_path / "layer.png", Image(100, 70, samples.tobytes()))
    return tmp_path / "layer.png"


def test_a_background_has_the_size_of_its_layer_and_a_scene(
    acetate: Acetate, tiny_model: Path, tmp_path: Path, layer: Path
) -> None:
    output, scene = tmp_path / "hills.png", tmp_path / "scene.png"
    fixed = ["--model", tiny_model, "--steps", "2", "-o", output, "--scene", scene]
    outcome = acetate("generate", "background", layer, "green hills", *fixed)
    assert (outcome.code, outcome.err) == (0, "")
    back, whole = (
        np.frombuffer(read_image(path).data, np.uint8).reshape(70, 100, 4)
        for path in (output, scene)
    )
    assert (back[..., 3] == 255).all() and (whole[..., 3] == 255).all()
    assert (whole[20:50, 30:60, :3] == (200, 30, 30)).all()
    assert (whole[:20] == back[:20]).all()


def test_a_background_is_painted_again_around_the_same_layer_only(
    acetate: Acetate, tiny_model: Path, tmp_path: Path, layer: Path
) -> None:
    output, again = tmp_path / "hills.png", tmp_path / "again.png"
    model = ["--model", tiny_model]
    acetate("generate", "background", layer, "green hills", *model, "--steps", "2", "-o", output)
    repeat = ["generate", "--from", output, *model, "-o", again]
    assert acetate(*repeat, "--layer", layer).code == 0
    assert again.read_bytes() == output.read_bytes()
    again.unlink()
    for arguments, sentence in (
        ([], "name it with --layer"),
        (["--layer", output], "is not the one it was painted with"),
    ):
        outcome = acetate(*repeat, *arguments)
        assert outcome.code == 2 and sentence in outcome.err
        assert not again.exists()


def test_a_model_that_has_changed_is_noticed(acetate: Acetate, text, tmp_path: Path) -> None:
    from tests.support.tiny_model import write_tiny_model

    path = text("a.png")
    other = write_tiny_model(tmp_path / "other", seed=99)
    outcome = acetate("generate", "--from", path, "--model", other, "-o", tmp_path / "b.png")
    assert outcome.code == 2 and "has changed" in outcome.err
