"""Image adapters (IP-Adapter) that were imported, and the image encoders that go with them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acetate.errors import BadRequest
from acetate.models.foreign_models import Shapes
from acetate.models.own_register import Own, own_files, own_named

ADAPTER, ENCODER = "image adapter", "image encoder"
_WIDTH, _STATES = "image_width", "image_states"
_HEADS = {1024: (16, "quick_gelu"), 1280: (16, "gelu"), 1664: (16, "gelu"), 768: (12, "quick_gelu")}
"""Heads and activation of the published encoders by their width, which tensors do not tell."""
_TOLD = ("num_attention_heads", "hidden_act", "layer_norm_eps", "num_channels")


@dataclass(frozen=True)
class ImageEncoderFile:
    """The weights of an image encoder, and its configuration as `CLIPVisionConfig` names it."""

    path: Path
    config: Mapping[str, Any]


def adapter_facts(shapes: Shapes) -> dict[str, Any]:
    """What an image adapter asks of its encoder; none where it asks for something else."""
    entries = {"proj.weight": False, "proj_in.weight": True, "proj.0.weight": True}
    if "image_proj.proj.3.weight" not in shapes:
        del entries["proj.0.weight"]  # What knows faces begins alike.
    for name, states in entries.items():
        for prefix in ("image_proj", "ip_adapter_proj_model"):
            if len(shape := shapes.get(f"{prefix}.{name}", ())) == 2:
                return {_WIDTH: shape[1], _STATES: states}
    return {}


def encoder_facts(shapes: Shapes, told: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of an image encoder, by its tensors and by what is `told` beside them.

    None where it lacks a tensor, or where nobody tells its heads. Raises IndexError for shapes
    that no encoder has.
    """
    body = "vision_model.embeddings."
    patches, places = (
        shapes.get(f"{body}{name}.weight", ()) for name in ("patch_embedding", "position_embedding")
    )
    inner = shapes.get("vision_model.encoder.layers.0.mlp.fc1.weight", ())
    projection = shapes.get("visual_projection.weight", ())
    if not (patches and places and inner and projection):
        return {}
    width = patches[0]
    known = dict(zip(_TOLD, _HEADS.get(width, ()), strict=False))
    known |= {name: told[name] for name in _TOLD if name in told}
    if "num_attention_heads" not in known:
        return {}
    layers = [re.match(r"vision_model\.encoder\.layers\.(\d{1,3})\.", name) for name in shapes]
    numbers = {int(match[1]) for match in layers if match}
    if numbers != set(range(len(numbers))):
        return {}
    return known | {
        "hidden_size": width,
        "intermediate_size": inner[0],
        "projection_dim": projection[0],
        "num_hidden_layers": len(numbers),
        "patch_size": patches[3],
        "image_size": math.isqrt(places[0] - 1) * patches[3],
    }


def fits(adapter: Own, encoder: Own) -> bool:
    """Whether what the encoder says of a picture is what the adapter reads."""
    part = "hidden_size" if adapter.facts.get(_STATES) else "projection_dim"
    return encoder.facts.get(part) == adapter.facts.get(_WIDTH)


def encoder_for(adapter: Own) -> Own | None:
    """The first imported image encoder that goes with an adapter."""
    return next((own for own in own_files(ENCODER) if fits(adapter, own)), None)


def lacking_encoder(adapter: Own) -> str:
    """The sentence about an adapter whose encoder is not here."""
    many = "numbers at each place" if adapter.facts.get(_STATES) else "numbers"
    return (
        f"{adapter.name} reads pictures by an image encoder of {adapter.facts.get(_WIDTH)} {many}, "
        "which is not here."
    )


CURE = "Take over the folder image_encoder that is published beside it: `acetate models import`."


def goes_by_pictures(family: str) -> bool:
    """Whether an adapter of a family is here with its encoder."""
    return any(encoder_for(own) for own in own_files(ADAPTER, family))


def adapter_and_encoder(name: str, family: str, model: str) -> tuple[Own, Own]:
    """The adapter of that name, or for an empty one the first that fits the family, ready to use.

    Raises BadRequest with the cure.
    """
    adapters = [own_named(name, ADAPTER)] if name else own_files(ADAPTER, family)
    if not adapters:
        raise BadRequest(
            f"The model “{model}” cannot go by a reference picture: it needs an image adapter "
            f"(IP-Adapter) for {family}.",
            "Take one over with `acetate models import`.",
        )
    for adapter in adapters:
        if encoder := encoder_for(adapter):
            return adapter, encoder
    raise BadRequest(lacking_encoder(adapters[0]), CURE)
