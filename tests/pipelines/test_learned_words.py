"""Learned words: what stands in their place in the text encoder, and nothing left of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from acetate.errors import BadRequest
from acetate.models.hashing import file_hash
from acetate.models.own_register import Own, own_folder, register
from acetate.modes import run, variant_batches
from acetate.pipelines.loading import load_folder
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline
from acetate_bridge.protocol.types import Recipe, Request
from tests.adapters.snapshot import assert_untouched, snapshot
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

pytestmark = pytest.mark.matrix

WIDTHS = {"sd15": (48,), "sdxl": (32, 32)}
PARTS = {"sd15": ("emb_params",), "sdxl": ("clip_l", "clip_g")}


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("words")
    writers = {"sd15": write_tiny_sd15, "sdxl": write_tiny_sdxl}
    return {name: load_folder(write(root / name), "cpu") for name, write in writers.items()}


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))


def teach(family: str, name: str = "EasyNegative", rows: int = 3, add: int = 0) -> list[Tensor]:
    """A word with random vectors among the imported files; these vectors."""
    generator = torch.Generator().manual_seed(rows)
    vectors = [torch.randn(rows, width + add, generator=generator) for width in WIDTHS[family]]
    own_folder().mkdir(parents=True, exist_ok=True)
    path = own_folder() / f"{name.lower()}.safetensors"
    save_file(dict(zip(PARTS[family], vectors, strict=True)), path)
    register(Own(path.name, "words", (family,), file_hash(path), f"{name}.safetensors"))
    return vectors


@torch.inference_mode()
def test_the_states_are_those_of_an_encoder_that_had_the_word(pipelines: dict[str, Any]) -> None:
    pipeline = pipelines["sd15"]
    (vectors,) = teach("sd15")
    before = snapshot(pipeline.text_encoders[0])
    found = pipeline.encode_prompt(["a cat"], ["ugly, easynegative, dim"]).negative
    assert_untouched(pipeline.text_encoders[0], before)
    encoder, tokenizer = pipeline.text_encoders[0], pipeline.tokenizers[0]
    embedding = encoder.get_input_embeddings()
    size = embedding.weight.shape[0]
    ids = [
        *tokenizer.encode("ugly,", add_special_tokens=False),
        *range(size, size + 3),
        *tokenizer.encode(", dim", add_special_tokens=False),
    ]
    ids = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    ids += [tokenizer.pad_token_id] * (77 - len(ids))
    own = embedding.weight
    embedding.weight = torch.nn.Parameter(torch.cat([own, vectors]), requires_grad=False)
    try:
        expected = encoder(torch.tensor([ids])).last_hidden_state
    finally:
        embedding.weight = own
    assert (found - expected).abs().max() < 1e-5


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
@pytest.mark.parametrize("spelled", ["EasyNegative", "easynegative", "embedding:EasyNegative"])
def test_a_word_changes_the_picture_and_stands_in_the_recipe(
    pipelines: dict[str, StableDiffusionPipeline], family: str, spelled: str
) -> None:
    pipeline = pipelines[family]
    recipe = Recipe("text", "a cat", spelled, seed=1, width=128, height=128, steps=1, passes=1)
    (plain,) = run(Request(recipe), pipeline)
    teach(family)
    (layer,) = run(Request(recipe), pipeline)
    assert layer.image != plain.image
    assert layer.recipe is not None and "easynegative.safetensors" in layer.recipe.files
    assert run(Request(layer.recipe), pipeline)[0] == layer


@pytest.mark.parametrize("together", [1, 4])
def test_a_word_of_one_variant_stands_in_its_recipe_alone(
    pipelines: dict[str, Any], monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(variant_batches, "room", lambda pipeline, pixels: together)
    teach("sd15")
    recipe = Recipe("text", "{an|EasyNegative} apple", seed=5, steps=1, width=128, height=128)
    layers = run(Request(recipe, variants=4), pipelines["sd15"])
    recipes = [layer.recipe for layer in layers if layer.recipe is not None]
    learned = ["EasyNegative" in each.prompt for each in recipes]
    assert learned == ["easynegative.safetensors" in each.files for each in recipes]
    assert True in learned and False in learned[learned.index(True) :]


def test_other_words_that_hold_its_letters_mean_what_they_did(pipelines: dict[str, Any]) -> None:
    pipeline = pipelines["sd15"]
    before = pipeline.encode_prompt(["moody-bad-light"], ["badly"])
    teach("sd15", "bad")
    pipeline.begin()
    after = pipeline.encode_prompt(["moody-bad-light"], ["badly"])
    assert torch.equal(before.positive, after.positive)
    assert torch.equal(before.negative, after.negative)


def test_vectors_for_another_encoder_are_refused(pipelines: dict[str, Any]) -> None:
    teach("sd15", add=1)
    pipelines["sd15"].files.begin({})
    with pytest.raises(BadRequest, match="“easynegative” has 49 numbers"):
        pipelines["sd15"].encode_prompt(["easynegative"], [""])
