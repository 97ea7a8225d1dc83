"""A picture of what is meant, named on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from acetate.images.files import read_image, write_image
from acetate.images.tensors import to_image
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
    outcome = acetate("generate", "--from", first, "--control", reference, "-o", again)
    assert (outcome.code, outcome.err) == (0, "")
    assert read_image(again) == painted


def test_a_reference_and_a_control_image_together_are_refused(
    acetate: Acetate, reference: Path, tmp_path: Path
) -> None:
    both = ["--reference", reference, "--control", reference]
    outcome = acetate("generate", "text", "a box", *both, "-o", tmp_path / "out.png")
    assert outcome.code == 2 and "--reference or --control" in outcome.err
    assert not (tmp_path / "out.png").exists()


def test_a_model_that_goes_by_none_says_so(
    acetate: Acetate, reference: Path, tiny_model: Path, tmp_path: Path
) -> None:
    words = ["generate", "text", "a box", "--reference", reference, "--model", tiny_model]
    outcome = acetate(*words, "-o", tmp_path / "out.png")
    assert outcome.code == 2 and "reference picture" in outcome.err
