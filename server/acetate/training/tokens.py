"""Static token vectors: a small language model's vocabulary, boiled down once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import Tensor

from acetate.models.tokenizer_file import to_length
from acetate.models.weights import read_weights

from .architecture import PROMPT_TOKENS, TEXT_WIDTH


def build_tokenizer(source: Path) -> Tokenizer:
    """The word-piece tokenizer of MiniLM, cut and padded to the length of a prompt."""
    return to_length(Tokenizer.from_file(str(source / "tokenizer.json")), PROMPT_TOKENS)


def static_token_vectors(source: Path, batch: int = 1024) -> Tensor:
    """[vocabulary, 128]: each token run alone through MiniLM, reduced to principal components.

    Words that mean alike stay neighbours, so a word that the captions never used still lands near
    one that they did. The columns are scaled to the spread that the text encoder starts from.
    """
    from transformers.models.bert.configuration_bert import BertConfig
    from transformers.models.bert.modeling_bert import BertModel

    config: BertConfig = cast("Any", BertConfig).from_json_file(str(source / "config.json"))
    model = BertModel(config, add_pooling_layer=False)
    weights = read_weights(source / "model.safetensors")
    expected = model.state_dict()
    model.load_state_dict({key: weights[key] for key in expected if key in weights}, strict=False)
    model.eval()
    begin, end = 101, 102
    vectors: list[Tensor] = []
    with torch.inference_mode():
        for first in range(0, config.vocab_size, batch):
            ids = torch.arange(first, min(first + batch, config.vocab_size))
            wrapped = torch.stack(
                [torch.full_like(ids, begin), ids, torch.full_like(ids, end)], dim=1
            )
            vectors.append(model(wrapped).last_hidden_state.mean(1))
    table = torch.cat(vectors)
    table = table - table.mean(0)
    _, _, components = torch.pca_lowrank(table, q=TEXT_WIDTH, center=False, niter=6)
    reduced = table @ components
    return reduced / reduced.std() * 0.5
