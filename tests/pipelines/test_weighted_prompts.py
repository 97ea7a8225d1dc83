"""Weighted words: the same states as second implementations give, and turns from step to step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.stable_diffusion import StableDiffusionPipeline
from acetate_bridge.protocol.types import Recipe, Request
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

PROMPT = "a (glowing:1.3) paper lantern, ((night:1.5)) sky"
PIECES = [
    ("a ", 1.0), ("glowing", 1.3), (" paper lantern, ", 1.0), ("night", 1.65), (" sky", 1.0),
]  # fmt: skip
BY_COMPEL = [1.15967, -0.25852, -0.47651, 0.89255, 0.29879, -0.40459, 1.6931, 0.06502, 0.11376]
"""Tokens 3 to 5, numbers 0 to 2, of the same prompt on the same weights, by compel 2.5.1."""


@pytest.fixture(scope="module")
def sd15(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionPipeline:
    return _loaded(load_folder(write_tiny_sd15(tmp_path_factory.mktemp("sd15") / "base"), "cpu"))


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionPipeline:
    return _loaded(load_folder(write_tiny_sdxl(tmp_path_factory.mktemp("sdxl") / "base"), "cpu"))


def _loaded(pipeline: Pipeline) -> StableDiffusionPipeline:
    assert isinstance(pipeline, StableDiffusionPipeline)
    return pipeline


def states(pipeline: StableDiffusionPipeline, prompt: str, avoid: str = "") -> Tensor:
    return pipeline.encode_prompt([prompt], [avoid]).positive


@torch.inference_mode()
def second_implementation(
    pipeline: StableDiffusionPipeline, pieces: list[tuple[str, float]], layer: int
) -> Tensor:
    """Word by word and in double loops: each state as far from the empty prompt's as it weighs."""
    found: list[Tensor] = []
    for tokenizer, encoder in zip(pipeline.tokenizers, pipeline.text_encoders, strict=True):
        ids, weights = [tokenizer.bos_token_id], [1.0]
        for text, weight in pieces:
            words = tokenizer(text, add_special_tokens=False)["input_ids"]
            ids += words
            weights += [weight] * len(words)
        rest = 77 - len(ids)
        ids += [tokenizer.eos_token_id] + [tokenizer.pad_token_id] * (rest - 1)
        weights += [1.0] * rest
        empty = [tokenizer.bos_token_id, tokenizer.eos_token_id]
        empty += [tokenizer.pad_token_id] * 75
        said = encoder(torch.tensor([ids]), output_hidden_states=True)
        bare = encoder(torch.tensor([empty]), output_hidden_states=True)
        mine = said.last_hidden_state if layer == 0 else said.hidden_states[layer]
        nothing = bare.last_hidden_state if layer == 0 else bare.hidden_states[layer]
        moved = [
            nothing[0, place] + weight * (mine[0, place] - nothing[0, place])
            for place, weight in enumerate(weights)
        ]
        found.append(torch.stack(moved)[None])
    return torch.cat(found, dim=-1)


def test_weights_move_words_as_a_second_implementation_does(
    sd15: StableDiffusionPipeline, sdxl: StableDiffusionPipeline
) -> None:
    for pipeline, layer in ((sd15, 0), (sdxl, -2)):
        ours = states(pipeline, PROMPT)
        theirs = second_implementation(pipeline, PIECES, layer)
        assert (ours - theirs).abs().max() <= 1e-4
        less = [("a ", 1.0), ("glowing", 0.4), (" lantern", 1.0)]
        found = states(pipeline, "a (glowing:0.4) lantern")
        assert (found - second_implementation(pipeline, less, layer)).abs().max() <= 1e-4
        assert (ours - states(pipeline, "a glowing paper lantern, night sky")).abs().max() > 0.01


def test_weights_are_those_of_compel(sd15: StableDiffusionPipeline) -> None:
    ours = states(sd15, PROMPT)[0, 3:6, :3].flatten()
    assert (ours - torch.tensor(BY_COMPEL)).abs().max() <= 1e-4


def test_words_without_weights_keep_their_states_to_the_last_bit(
    sd15: StableDiffusionPipeline,
) -> None:
    plain = sd15.encode_prompt(["a lantern"], ["blurred"])
    mixed = sd15.encode_prompt(["a lantern"], ["(blurred:1.4)"])
    assert torch.allclose(plain.positive, mixed.positive, atol=1e-6)
    assert not torch.allclose(plain.negative, mixed.negative, atol=1e-3)
    assert torch.equal(states(sd15, "a lantern"), states(sd15, r"a lantern"))


def test_a_long_weighted_prompt_goes_on_in_the_next_chunk(sd15: StableDiffusionPipeline) -> None:
    long = "a " * 80
    ours = states(sd15, f"{long}(lantern:1.5)")
    assert ours.shape[1] == 2 * 77
    assert not torch.allclose(ours[:, 77:], states(sd15, f"{long}lantern")[:, 77:])
    assert torch.allclose(ours[:, :77], states(sd15, f"{long}lantern")[:, :77], atol=1e-5)


def test_alternatives_take_turns_from_step_to_step(sd15: StableDiffusionPipeline) -> None:
    embedded = sd15.encode_prompt(["a [cat|dog]"], [""])
    assert len(embedded.turns) == 1
    assert torch.equal(embedded.turns[0].positive, states(sd15, "a dog"))
    pictures = {
        prompt: run(
            Request(Recipe("text", prompt, seed=3, steps=3, passes=1, width=128, height=128)),
            sd15,
        )[0].image.data
        for prompt in ("a [cat|dog]", "a cat", "a dog")
    }
    assert len(set(pictures.values())) == 3


def test_the_recipe_keeps_weights_and_paints_the_same_again(
    sd15: StableDiffusionPipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACETATE_WILDCARDS_DIR", str(tmp_path))
    (tmp_path / "colour.txt").write_text("red\ngreen\nblue\n", encoding="utf-8")
    said = "a {paper|stone} (glowing:1.3) __colour__ lantern # for the cover"
    recipe = Recipe("text", said, seed=5, steps=2, passes=1, width=128, height=128)
    layers = run(Request(recipe, variants=4), sd15)
    for layer in layers:
        assert layer.recipe is not None
        assert "{" not in layer.recipe.prompt and "(glowing:1.3)" in layer.recipe.prompt
        (again,) = run(Request(layer.recipe), sd15)
        assert again.image == layer.image and again.recipe == layer.recipe
        assert "(" not in layer.name
    assert len({layer.recipe.prompt for layer in layers if layer.recipe}) > 1
