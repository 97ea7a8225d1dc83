"""IP-Adapter: what a picture shows is attended to beside the words of a prompt.

After Ye et al. 2023: every attention to words gets a second one, with keys and values of its own,
to a few tokens that a picture became. Both attend by the same query; their results add up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import torch
from diffusers.loaders.unet import UNet2DConditionLoadersMixin
from diffusers.models.embeddings import ImageProjection
from torch import Tensor, nn
from torch.nn import functional

from acetate.adapters.beside_picture import BesidePicture
from acetate.adapters.patch import Patch, PatchMismatch, shape_words
from acetate.adapters.reference_aspects import Shares, share_at

_PROJECTION, _ATTENTION = "image_proj.", "ip_adapter."


class ImageAdapter(Patch):
    """A second attention beside each attention to words, and what makes tokens of a picture.

    `strengths` are those of the attentions that see the picture. `seen` [batch, `count`, D] are
    the tokens that the next evaluation attends to; None: none are.
    """

    def __init__(
        self,
        projection: nn.Module,
        keys: Mapping[str, Tensor],
        values: Mapping[str, Tensor],
        strengths: Mapping[str, float],
    ) -> None:
        super().__init__()
        self.projection = projection
        self.strengths = strengths
        self.seen: Tensor | None = None
        self._keys: dict[str, Tensor] = dict(keys)
        self._values: dict[str, Tensor] = dict(values)
        self._originals: dict[str, Any] = {}

    @classmethod
    def read(
        cls,
        file: Mapping[str, Tensor],
        target: nn.Module,
        strength: float,
        name: str,
        shares: Shares = MappingProxyType({}),
    ) -> ImageAdapter:
        """From the tensors of a published file, for a denoiser of diffusers.

        With `shares` the other attentions do not see the picture. Raises PatchMismatch naming the
        first tensor that is missing, unknown or of a wrong shape, and for a denoiser that has no
        attention of any share.
        """
        rest = {key for key in file if key.startswith(_ATTENTION)}
        keys: dict[str, Tensor] = {}
        values: dict[str, Tensor] = {}
        # The published files count all attentions, of which every second one is to words.
        for index, place in enumerate(_attentions(target)):
            attention = cast("Any", target.get_submodule(place))
            wanted = attention.inner_dim, attention.cross_attention_dim
            for found, part in ((keys, "to_k_ip"), (values, "to_v_ip")):
                key = f"{_ATTENTION}{2 * index + 1}.{part}.weight"
                found[place] = _fitting(file, key, wanted, name)
                rest.discard(key)
        if rest:
            raise PatchMismatch(
                f"The image adapter {name} does not fit this model, which has no {min(rest)}."
            )
        seeing = share_at(keys, shares)
        if not seeing:
            raise PatchMismatch(
                "This model lacks the blocks that tell style from composition: "
                "go by the whole reference."
            )
        strengths = {place: strength * share for place, share in seeing.items()}
        return cls(projection_in(file, name), keys, values, strengths)

    def to(self, device: torch.device, dtype: torch.dtype) -> ImageAdapter:
        """The same adapter, where the denoiser works."""
        nn.Module.to(self.projection.requires_grad_(False).eval(), device, dtype)
        self._keys = {key: tensor.to(device, dtype) for key, tensor in self._keys.items()}
        self._values = {key: tensor.to(device, dtype) for key, tensor in self._values.items()}
        return self

    @property
    def reads_states(self) -> bool:
        """Whether it reads all states of an image encoder's last layer but one, not one vector."""
        return not isinstance(self.projection, ImageProjection)

    def added(self, place: str, attention: Any, hidden: Tensor) -> Tensor | float:
        """What the picture adds to an attention of `hidden` [batch, places, C]."""
        strength = self.strengths[place]
        if self.seen is None or not strength:
            return 0.0
        query, key, value = (
            torch.unflatten(each, -1, (attention.heads, -1)).transpose(1, 2)
            for each in (
                cast("Tensor", attention.to_q(hidden)),
                functional.linear(self.seen, self._keys[place]),
                functional.linear(self.seen, self._values[place]),
            )
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out = attention.to_out[0]
        mixed = strength * mixed.transpose(1, 2).flatten(2)
        # Without its bias, which the attention to words has added already.
        return out(mixed) - out(torch.zeros_like(mixed[:1, :1]))

    def _put_in(self, target: nn.Module) -> None:
        for place in self.strengths:
            attention = cast("Any", target.get_submodule(place))
            self._originals[place] = attention.processor
            attention.processor = BesidePicture(attention.processor, self, place)

    def _take_out(self, target: nn.Module) -> None:
        while self._originals:
            place, processor = self._originals.popitem()
            cast("Any", target.get_submodule(place)).processor = processor


def projection_in(file: Mapping[str, Tensor], name: str) -> nn.Module:
    """What makes tokens of what an image encoder says, by diffusers' own reader.

    Raises PatchMismatch.
    """
    state = {
        key.removeprefix(_PROJECTION): tensor
        for key, tensor in file.items()
        if key.startswith(_PROJECTION)
    }
    loader: Any = UNet2DConditionLoadersMixin
    read = loader._convert_ip_adapter_image_proj_to_diffusers
    try:
        return read(None, state, low_cpu_mem_usage=False)
    except (RuntimeError, KeyError, IndexError, ValueError, AttributeError) as error:
        raise PatchMismatch(
            f"The image adapter {name} makes tokens of a picture in a way that is not known here."
        ) from error


def _attentions(target: nn.Module) -> list[str]:
    """The attentions to words, in diffusers' order, which the published files follow."""
    names = [key.removesuffix(".processor") for key in cast("Any", target).attn_processors]
    return [name for name in names if name.endswith("attn2")]


def _fitting(file: Mapping[str, Tensor], key: str, wanted: tuple[int, int], name: str) -> Tensor:
    if key not in file:
        raise PatchMismatch(
            f"The image adapter {name} does not fit this model, which needs its tensor {key}."
        )
    if tuple(file[key].shape) != wanted:
        raise PatchMismatch(
            f"The image adapter {name} does not fit this model: its tensor {key} has the shape "
            f"{shape_words(tuple(file[key].shape))}, the model needs {shape_words(wanted)}."
        )
    return file[key]
