from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from typer.testing import CliRunner, Result

from acetate.models.families import FAMILIES
from acetate.modes import run
from acetate.pipelines.loading import load_folder
from acetate.training import (
    crispness,
    denoiser,
    evaluation,
    fills,
    originality,
    pool,
    transparency,
)
from acetate.training.architecture import PROMPT_TOKENS, TEXT_WIDTH
from acetate.training.command import app
from acetate.training.sources import Concept
from acetate_bridge.protocol.types import Recipe, Request


def spelling_tokenizer() -> Tokenizer:
    """A word-piece tokenizer that spells every word out, letter by letter."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,-'"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_truncation(PROMPT_TOKENS)
    tokenizer.enable_padding(length=PROMPT_TOKENS)
    return tokenizer


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("command", "cure"),
    [
        ("autoencoder", "acetate train data"),
        ("transparency", "acetate train autoencoder"),
        ("decoder", "acetate train transparency"),
        ("latents", "acetate train data"),
        ("evaluate", "acetate train data"),
    ],
)
def test_a_stage_without_its_input_says_what_to_run_first(
    command: str, cure: str, tmp_path: Path, tiny_model: Path
) -> None:
    words = [tiny_model] if command in ("evaluate", "latents") else ["--out", tmp_path]
    words += ["--workers", 1] if command not in ("evaluate", "latents") else []
    result = call(command, "--data", tmp_path / "none", *words)
    assert result.exit_code == 2
    assert cure in result.output and "Traceback" not in result.output


def test_previews_are_fitted_to_latents_that_are_to_be_made_first(
    tmp_path: Path, tiny_model: Path
) -> None:
    result = call("preview", tiny_model, "--out", tmp_path)
    assert result.exit_code == 2
    assert "acetate train latents" in result.output and "Traceback" not in result.output


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_stages_one_after_another_end_in_a_model_that_paints(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DRAWINGS", "SCENES", "SKETCHES"):
        monkeypatch.setattr(pool, name, 8)
    known = {f"{code:x}": Concept(f"{code:x}", "red apple", (), 4) for code in range(40)}
    monkeypatch.setattr(denoiser, "read_concepts", lambda packages: known)
    monkeypatch.setattr(evaluation, "GROUNDING_SCENES", 1)
    monkeypatch.setattr(transparency, "CODEC_SIZE", 32)
    monkeypatch.setattr(fills, "Recipe", partial(Recipe, passes=1))
    monkeypatch.setattr(crispness, "MANY_PASSES", 2)
    for module in (originality, crispness):
        monkeypatch.setattr(module, "SHEET", ("a red apple",))
    out, language = tmp_path / "out", tmp_path / "language"
    codec, model = tmp_path / "codec", tmp_path / "model"
    language.mkdir()
    tokenizer = spelling_tokenizer()
    tokenizer.save(str(language / "tokenizer.json"))
    out.mkdir()
    torch.save(torch.randn(tokenizer.get_vocab_size(), TEXT_WIDTH), out / "token-vectors.pt")
    brief = ("--out", out, "--workers", 1)
    for stage in (
        ("autoencoder", "--data", data, "--steps", 2, *brief),
        ("transparency", "--data", data, "--steps", 2, *brief),
        ("decoder", "--data", data, "--steps", 2, *brief),
        ("codec", codec, "--data", data, "--out", out),
        ("latents", codec, "--data", data, "--out", out, "--shards", 2),
        ("denoiser", language, "--data", data, "--steps", 2, "--batch", 8, *brief),
        ("export", language, model, "--codec", codec, "--out", out),
        ("preview", model, "--out", out, "--steps", 2, "--latents", 8),
    ):
        result = call(*stage)
        assert result.exit_code == 0, result.output
    brief = ("--limit", 1, "--samples", 1, "--colours", 1, "--epochs", 1)
    result = call("evaluate", model, "--data", data, *brief, "--report", tmp_path / "figures.json")
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert set(figures) == {
        "held out by concept",
        "held out by style",
        "crispness",
        "fills",
        "colours",
        "agreement",
        "backgrounds",
        "originality",
        "cost",
    }
    assert all(f"{name}: " in result.output for name in figures)
    assert (model / "preview" / "model.safetensors").is_file()
    assert figures["cost"]["evaluations"] == FAMILIES["embedded"].steps <= 8
    assert figures["cost"]["worth"] == figures["cost"]["seconds"] * figures["cost"]["product"]
    pipeline = load_folder(model, "cpu")
    size = pipeline.native
    recipe = Recipe("text", "a red apple", steps=2, width=size, height=size, passes=1)
    (layer,) = run(Request(recipe), pipeline)
    assert (layer.image.width, layer.image.height) == (size, size)
