"""IP-Adapter for Flux: what a picture shows is attended to beside picture and words.

As X-Labs published it and diffusers reads it: in each double block the picture's places, before
they are turned by where they lie, also attend to a few tokens of the reference; what comes of it is
added behind the block's own layers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from diffusers.models.embeddings import ImageProjection
from torch import Tensor, nn
from torch.nn import functional

from acetate.adapters.patch import Patch, PatchMismatch, shape_words

_PROJECTION, _ATTENTION = "image_proj.", "ip_adapter."
_THEIR_PROJECTION = "ip_adapter_proj_model."
_THEIR_ATTENTION = re.compile(
    r"double_blocks\.(\d+)\.processor\.ip_adapter_double_stream_([kv])_proj"
)
_MANY_ROWS, _MANY, _FEW = 65536, 16, 4
"""A projection with so many rows makes that many tokens, any other a few, in all published ones."""

Outputs = tuple[Tensor, ...]


def in_one_layout(file: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file by diffusers' names, whether they come by those or by X-Labs'."""
    named: dict[str, Tensor] = {}
    for key, tensor in file.items():
        if key.startswith(_THEIR_PROJECTION):
            key = _PROJECTION + key.removeprefix(_THEIR_PROJECTION)
        named[_THEIR_ATTENTION.sub(rf"{_ATTENTION}\1.to_\2_ip", key)] = tensor
    return named


class FluxImageAdapter(Patch):
    """An attention to a reference beside each of the double blocks' own.

    `seen` [1, T, D] are the tokens of the reference that are attended to.
    """

    def __init__(
        self,
        projection: ImageProjection,
        keys: Mapping[str, tuple[Tensor, Tensor]],
        values: Mapping[str, tuple[Tensor, Tensor]],
        strength: float,
    ) -> None:
        super().__init__()
        self.projection = projection
        self.strength = strength
        self.seen: Tensor | None = None
        self._keys = dict(keys)
        self._values = dict(values)
        self._originals: dict[str, Any] = {}

    @classmethod
    def read(
        cls, file: Mapping[str, Tensor], target: nn.Module, strength: float, name: str
    ) -> FluxImageAdapter:
        """From the tensors of a published file, for a transformer of diffusers.

        Raises PatchMismatch naming the first tensor that is missing, unknown or of a wrong shape.
        """
        state = in_one_layout(file)
        rest = {key for key in state if not key.startswith(_PROJECTION)}
        transformer: Any = target
        width = int(transformer.config["joint_attention_dim"])
        keys: dict[str, tuple[Tensor, Tensor]] = {}
        values: dict[str, tuple[Tensor, Tensor]] = {}
        for index, block in enumerate(transformer.transformer_blocks):
            inner = int(block.attn.inner_dim)
            for found, part in ((keys, "to_k_ip"), (values, "to_v_ip")):
                key = f"{_ATTENTION}{index}.{part}"
                weight = _fitting(state, f"{key}.weight", (inner, width), name)
                bias = _fitting(state, f"{key}.bias", (inner,), name)
                found[f"transformer_blocks.{index}.attn"] = weight, bias
                rest -= {f"{key}.weight", f"{key}.bias"}
        if rest:
            raise PatchMismatch(
                f"The image adapter {name} does not fit this model, which has no {min(rest)}."
            )
        return cls(flux_projection_in(state, name, width), keys, values, strength)

    def to(self, device: torch.device, dtype: torch.dtype) -> FluxImageAdapter:
        """The same adapter, where the transformer works."""
        nn.Module.to(self.projection.requires_grad_(False).eval(), device, dtype)
        for kept in (self._keys, self._values):
            for place, (weight, bias) in kept.items():
                kept[place] = weight.to(device, dtype), bias.to(device, dtype)
        return self

    def added(self, place: str, attention: Any, hidden: Tensor) -> Tensor:
        """What the reference adds to the picture's places, `hidden` [batch, places, C]."""
        if self.seen is None or not self.strength:
            return torch.zeros_like(hidden)
        heads = (int(attention.heads), -1)
        asked = cast("Tensor", attention.to_q(hidden))
        query = cast("Tensor", attention.norm_q(torch.unflatten(asked, -1, heads))).transpose(1, 2)
        key, value = (
            torch.unflatten(functional.linear(self.seen, *kept[place]), -1, heads)
            .transpose(1, 2)
            .expand(len(hidden), -1, -1, -1)
            for kept in (self._keys, self._values)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.strength * mixed.transpose(1, 2).flatten(2).to(hidden)

    def _put_in(self, target: nn.Module) -> None:
        for place in self._keys:
            attention = cast("Any", target.get_submodule(place))
            self._originals[place] = attention.processor
            attention.processor = _BesideReference(attention.processor, self, place)

    def _take_out(self, target: nn.Module) -> None:
        while self._originals:
            place, processor = self._originals.popitem()
            cast("Any", target.get_submodule(place)).processor = processor


class _BesideReference:
    """Stands where diffusers expects the function that computes an attention, and adds to it."""

    def __init__(
        self, inner: Callable[..., Outputs], adapter: FluxImageAdapter, place: str
    ) -> None:
        self._inner = inner
        self._adapter = adapter
        self._place = place

    def __call__(
        self,
        attention: nn.Module,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Outputs:
        picture, words, *others = self._inner(
            attention, hidden_states, encoder_hidden_states, attention_mask, image_rotary_emb
        )
        added = self._adapter.added(self._place, attention, hidden_states)
        return picture, words, sum(others, added)


def flux_projection_in(
    state: Mapping[str, Tensor], name: str, width: int | None = None
) -> ImageProjection:
    """What makes tokens of `width` of what an image encoder says of a picture.

    Raises PatchMismatch.
    """
    weight = state.get(f"{_PROJECTION}proj.weight")
    if weight is None or weight.ndim != 2:
        raise PatchMismatch(
            f"The image adapter {name} makes tokens of a picture in a way that is not known here."
        )
    rows, said = weight.shape
    count = _MANY if rows == _MANY_ROWS else _FEW
    if rows != count * (width or rows // count):
        raise PatchMismatch(
            f"The image adapter {name} does not fit this model: its tensor "
            f"{_PROJECTION}proj.weight has {rows} rows, the model needs {count} × {width}."
        )
    projection = ImageProjection(
        image_embed_dim=said, cross_attention_dim=rows // count, num_image_text_embeds=count
    )
    inner = {
        key.removeprefix(_PROJECTION).replace("proj", "image_embeds"): tensor
        for key, tensor in state.items()
        if key.startswith(_PROJECTION)
    }
    try:
        projection.load_state_dict(inner)
    except RuntimeError as error:
        raise PatchMismatch(
            f"The image adapter {name} makes tokens of a picture in a way that is not known here."
        ) from error
    return projection


def _fitting(state: Mapping[str, Tensor], key: str, wanted: tuple[int, ...], name: str) -> Tensor:
    if key not in state:
        raise PatchMismatch(
            f"The image adapter {name} does not fit this model, which needs its tensor {key}."
        )
    if tuple(state[key].shape) != wanted:
        raise PatchMismatch(
            f"The image adapter {name} does not fit this model: its tensor {key} has the shape "
            f"{shape_words(tuple(state[key].shape))}, the model needs {shape_words(wanted)}."
        )
    return state[key]
