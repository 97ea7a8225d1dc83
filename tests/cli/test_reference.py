"""A picture of what is meant, named on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from acetate.images.files import read_image, read_recipe, write_image
from acetate.images.tensors import to_image
from acetate_bridge.protocol.types import Control
from tests.cli.conftest import Acetate


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A red box on nothing, 512 × 400."""
    rgba = torch.zeros(1, 4, 400, 512)
    rgba[:, :, 100:300, 120:400] = torch.tensor([0.8, 0.1, 0.1, 1.0]).view(1, 4, 1, 1)
    write_image(tmp_path / "box.png", to_image(rgba), None)
    return tmp_path / "box.png"


def test_a_layer_from_a_reference_is_painted_again_from_its_recipe(
    acetate: Acetate, reference: Path, tmp_path: Path
) -> None:
    first, again = tmp_path / "one.png", tmp_path / "two.png"
    words = ["generate", "text", "a red box", "--reference", reference, "--steps", "2"]
    outcome = acetate(*words, "-o", first)
    assert (outcome.code, outcome.err) == (0, "")
    painted = read_image(first)
    assert (painted.width, painted.height) == (512, 400)
    outcome = acetate("generate", "--from", first, "--reference", reference, "-o", again)
    assert (outcome.code, outcome.err) == (0, "")
    assert read_image(again) == painted


def test_a_sketch_and_a_reference_are_followed_together_and_again(
    acetate: Acetate, reference: Path, tmp_path: Path
) -> None:
    first, again = tmp_path / "one.png", tmp_path / "two.png"
    sketch = ["--control", reference, "--control-kind", "scribble", "--control-derive"]
    both = [*sketch, "--control-end", "0.5", "--reference", reference]
    words = ["generate", "text", "a red box", *both, "--reference-strength", "0.7"]
    outcome = acetate(*words, "--steps", "2", "-o", first)
    assert (outcome.code, outcome.err) == (0, "")
    recipe = read_recipe(first)
    assert recipe.control == Control("scribble", 1.0, True, end=0.5)
    assert recipe.controls == [Control("reference", 0.7)]
    assert set(recipe.inputs) == {"control", "control_2"}
    outcome = acetate("generate", "--from", first, "--control", reference, "-o", again)
    assert outcome.code == 2 and "name it with --reference." in outcome.err
    pictures = ["--control", reference, "--control", reference]
    outcome = acetate("generate", "--from", first, *pictures, "-o", again)
    assert (outcome.code, outcome.err) == (0, "")
    assert again.read_bytes() == first.read_bytes()
    shown = acetate("show", first).out
    assert "a scribble image, 1, up to 50%" in shown and "a reference image, 0.7" in shown


def test_the_embedded_model_goes_by_the_whole_alone(
    acetate: Acetate, reference: Path, tmp_path: Path
) -> None:
    words = ["generate", "text", "a box", "--reference", reference, "-o", tmp_path / "out.png"]
    outcome = acetate(*words, "--reference-aspect", "style")
    assert outcome.code == 2 and "as a whole, not for its style alone" in outcome.err
    outcome = acetate(*words, "--reference-aspect", "mood")
    assert outcome.code == 2 and "whole, style, composition, not “mood”" in outcome.err
    assert not (tmp_path / "out.png").exists()


def test_an_aspect_without_a_reference_is_missed(acetate: Acetate, tmp_path: Path) -> None:
    words = ["generate", "text", "a box", "--reference-aspect", "style"]
    outcome = acetate(*words, "-o", tmp_path / "out.png")
    assert outcome.code == 2 and "--reference." in outcome.err


def test_as_many_strengths_as_pictures_or_one(
    acetate: Acetate, reference: Path, tmp_path: Path
) -> None:
    sketches = ["--control", reference] * 3 + ["--control-kind", "scribble"]
    strengths = ["--control-strength", "0.5", "--control-strength", "0.6"]
    outcome = acetate("generate", "text", "a box", *sketches, *strengths, "-o", tmp_path / "a.png")
    assert outcome.code == 2 and "--control-strength" in outcome.err and "3" in outcome.err


def test_a_model_that_goes_by_none_says_so(
    acetate: Acetate, reference: Path, tiny_model: Path, tmp_path: Path
) -> None:
    words = ["generate", "text", "a box", "--reference", reference, "--model", tiny_model]
    outcome = acetate(*words, "-o", tmp_path / "out.png")
    assert outcome.code == 2 and "reference picture" in outcome.err
