"""Tiny bases with an RGBA adapter, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from acetate.images.files import read_image, read_recipe
from tests.cli.conftest import Acetate
from tests.support.tiny_adapters import (
    LORA,
    write_adapter,
    write_like_alphaanything,
    write_like_alphavae,
)
from tests.support.tiny_flux import write_tiny_flux
from tests.support.tiny_flux2 import write_tiny_flux2
from tests.support.tiny_qwen import write_tiny_qwen

pytestmark = [pytest.mark.slow, pytest.mark.matrix]


def like_alphavae(folder: Path, base: Path, family: str) -> Path:
    return write_like_alphavae(folder, base)


@pytest.mark.parametrize(
    ("family", "write", "adapt", "lora"),
    [
        ("flux2", write_tiny_flux2, write_adapter, LORA),
        ("qwen", write_tiny_qwen, write_like_alphaanything, LORA),
        ("flux", write_tiny_flux, like_alphavae, f"finetune_diffusion/{LORA}"),
    ],
)
def test_an_adapter_is_taken_over_and_paints_a_layer(
    tmp_path: Path,
    acetate: Acetate,
    monkeypatch: pytest.MonkeyPatch,
    family: str,
    write: Callable[[Path], Path],
    adapt: Callable[[Path, Path, str], Path],
    lora: str,
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))
    base = write(tmp_path / "tiny-base")
    adapt(tmp_path / "clear", base, family)
    assert acetate("models", "import", base).code == 0
    outcome = acetate("models", "import", tmp_path / "clear", "--base", "tiny-base")
    assert outcome.code == 0, outcome.err
    assert "It paints with tiny-base, whose own files stay as they are." in outcome.out
    command = ("generate", "text", "a red apple", "--size", "64x64", "--steps", "1", "--seed", "3")
    layer = tmp_path / "layer.png"
    outcome = acetate(*command, "--model", "clear", "-o", layer)
    assert outcome.code == 0, outcome.err
    image, recipe = read_image(layer), read_recipe(layer)
    assert (image.width, image.height) == (64, 64) and min(image.data[3::4]) < 255
    assert recipe.model == "clear" and f"adapter/{lora}" in recipe.files
    outcome = acetate(*command, "--model", "tiny-base", "-o", tmp_path / "none.png")
    assert outcome.code == 2
    lacks = "TransparentVAE.safetensors is missing" if family == "flux" else "the mode “text”"
    assert lacks in outcome.err
