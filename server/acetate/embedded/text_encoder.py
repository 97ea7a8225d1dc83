"""The embedded model's text encoder: a small transformer over static token vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-12


class SelfAttention(nn.Module):
    """Every token looks at all that are not padding, [B, T, D]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        return functional.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(-2)


class Output(nn.Module):
    """A linear layer whose result is added to what was before and normalised."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inside, width)
        self.LayerNorm = nn.LayerNorm(width, eps=EPSILON)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        return self.LayerNorm(self.dense(x) + before)


class Attention(nn.Module):
    """Self-attention and its output."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self = SelfAttention(width, heads)
        self.output = Output(width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.output(self.self(x, mask), x)


class Intermediate(nn.Module):
    """The wide layer between."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, inner)

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(self.dense(x))


class Layer(nn.Module):
    """Attention and a feed-forward layer, [B, T, D]."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.intermediate = Intermediate(width, inner)
        self.output = Output(inner, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.attention(x, mask)
        return self.output(self.intermediate(x), x)


class Embeddings(nn.Module):
    """Token ids [B, T] to vectors [B, T, D], their places added."""

    def __init__(self, vocabulary: int, width: int, length: int) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocabulary, width)
        self.position_embeddings = nn.Embedding(length, width)
        self.token_type_embeddings = nn.Embedding(1, width)
        self.LayerNorm = nn.LayerNorm(width, eps=EPSILON)

    def forward(self, ids: Tensor) -> Tensor:
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.word_embeddings(ids) + self.token_type_embeddings.weight[0]
        return self.LayerNorm(x + self.position_embeddings(places))


class Layers(nn.Module):
    """One layer after the other."""

    def __init__(self, width: int, layers: int, heads: int, inner: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList([Layer(width, heads, inner) for _ in range(layers)])

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        for layer in self.layer:
            x = layer(x, mask)
        return x


class TextEncoder(nn.Module):
    """Token ids and mask [B, T] to states [B, T, D]; BERT's layout and names of weights."""

    def __init__(
        self, vocabulary: int, width: int, layers: int, heads: int, inner: int, length: int
    ) -> None:
        super().__init__()
        self.length, self.vocabulary = length, vocabulary
        self.embeddings = Embeddings(vocabulary, width, length)
        self.encoder = Layers(width, layers, heads, inner)

    @classmethod
    def of(cls, config: dict[str, Any]) -> TextEncoder:
        """Built from a BERT configuration. Raises KeyError for what it lacks."""
        return cls(
            int(config["vocab_size"]),
            int(config["hidden_size"]),
            int(config["num_hidden_layers"]),
            int(config["num_attention_heads"]),
            int(config["intermediate_size"]),
            int(config["max_position_embeddings"]),
        )

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.encoder(self.embeddings(ids), mask[:, None, None, :].bool())
