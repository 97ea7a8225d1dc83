"""An upscaler of others on the command line: imported, and layers enlarged with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from acetate.images.files import read_image, read_recipe, write_image
from acetate.workers.known_offer import official_models
from acetate_bridge.protocol.geometry import Size
from acetate_bridge.protocol.types import Image
from tests.cli.conftest import Acetate
from tests.support.tiny_upscalers import in_layout, tiny_dense, write_tiny_esrgan


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A box on nothing, 40 × 30."""
    samples = np.zeros((30, 40, 4), np.uint8)
    samples[8:22, 10:30] = (200, 90, 20, 255)
    write_image(tmp_path / "layer.png", Image(40, 30, samples.tobytes()), None)
    return tmp_path / "layer.png"


@pytest.mark.parametrize("layout", ["first", "new"])
def test_it_enlarges_as_a_model_and_again_from_the_recipe(
    acetate: Acetate, layer: Path, tmp_path: Path, layout: str
) -> None:
    file = write_tiny_esrgan(tmp_path / "4x-tiny.pth", layout)
    outcome = acetate("models", "import", file)
    assert (outcome.code, outcome.err) == (0, "")
    assert "4x-tiny" in outcome.out and "upscale" in outcome.out
    assert "4x-tiny" in acetate("models", "list").out
    assert acetate("models", "show", "4x-tiny").code == 0
    (offered,) = (model for model in official_models() if model.id == "4x-tiny")
    assert (offered.modes, offered.state) == (["upscale"], "ready")
    assert offered.frame is not None and offered.frame.allow(Size(512, 512))
    large, again, shipped = (tmp_path / f"{name}.png" for name in ("large", "again", "shipped"))
    words = ["generate", "upscale", layer, "--scale", "4"]
    outcome = acetate(*words, "--model", "4x-tiny", "-o", large)
    assert (outcome.code, outcome.err) == (0, "")
    painted, recipe = read_image(large), read_recipe(large)
    assert (painted.width, painted.height) == (160, 120)
    samples = np.frombuffer(painted.data, np.uint8).reshape(120, 160, 4)
    assert not samples[:20, :, 3].any() and (samples[44:76, 52:108, 3] == 255).all()
    assert recipe.model == "4x-tiny" and list(recipe.files) == ["4x-tiny.safetensors"]
    outcome = acetate("generate", "--from", large, "--layer", layer, "-o", again)
    assert (outcome.code, outcome.err) == (0, "")
    assert again.read_bytes() == large.read_bytes()
    assert acetate(*words, "-o", shipped).code == 0
    assert read_image(shipped) != painted


def test_it_enlarges_less_than_it_can_but_not_more(
    acetate: Acetate, layer: Path, tmp_path: Path
) -> None:
    torch.save(in_layout(tiny_dense(doublings=1), "old"), tmp_path / "2x-tiny.pth")
    write_tiny_esrgan(tmp_path / "4x-tiny.pth")
    for name in ("2x-tiny", "4x-tiny"):
        assert acetate("models", "import", tmp_path / f"{name}.pth").code == 0
    words = ["generate", "upscale", layer, "-o", tmp_path / "out.png"]
    outcome = acetate(*words, "--scale", "2", "--model", "4x-tiny")
    assert (outcome.code, outcome.err) == (0, "")
    assert read_image(tmp_path / "out.png").width == 80
    outcome = acetate(*words, "--force", "--scale", "4", "--model", "2x-tiny")
    assert outcome.code == 2 and "“2x-tiny” enlarges 2 times, not 4" in outcome.err


def test_it_only_enlarges(acetate: Acetate, tmp_path: Path) -> None:
    acetate("models", "import", write_tiny_esrgan(tmp_path / "4x-tiny.pth"))
    outcome = acetate("generate", "text", "a cat", "--model", "4x-tiny", "-o", tmp_path / "a.png")
    assert outcome.code == 2 and "does upscale" in outcome.err
    outcome = acetate("models", "remove", "4x-tiny")
    assert outcome.code == 0
    assert "4x-tiny" not in acetate("models", "list").out


def test_a_torn_one_is_not_taken_over(acetate: Acetate, tmp_path: Path) -> None:
    state = tiny_dense()
    del state["body.1.rdb2.conv3.bias"]
    torch.save(state, tmp_path / "torn.pth")
    outcome = acetate("models", "import", tmp_path / "torn.pth")
    assert outcome.code == 2 and "fetch it again" in outcome.err
