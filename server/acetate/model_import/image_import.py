"""Taking over an image adapter (IP-Adapter), or the image encoder that it reads pictures by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate.models.files import read_config
from acetate.models.identify import shapes_in
from acetate.models.image_adapters import (
    CURE,
    ENCODER,
    adapter_facts,
    encoder_facts,
    encoder_for,
    lacking_encoder,
)
from acetate.models.own_register import Own
from acetate.models.recognition_error import NotRecognised

_PLAIN = ("model", "pytorch_model", "diffusion_pytorch_model")
"""How every repository calls its weights: they are named after what they are."""


def examine_image_network(own: Own, file: Path, told: Path) -> Own:
    """The network with what it reads or says. Raises NotRecognised, ModelDamaged.

    `told` is the file that the person named, beside which its configuration may lie.
    """
    if own.role == ENCODER:
        return _examine_encoder(own, file, told)
    from acetate.adapters.flux_image_adapter import flux_projection_in, in_one_layout
    from acetate.adapters.image_adapter import projection_in
    from acetate.adapters.patch import PatchMismatch
    from acetate.models.weights import read_weights

    facts = adapter_facts(shapes_in(file))
    if not facts:
        raise NotRecognised(
            f"{told.name} is an image adapter (IP-Adapter) that reads something else than what an "
            "image encoder says: take ip-adapter or ip-adapter-plus."
        )
    try:
        if own.families == ("flux",):
            flux_projection_in(in_one_layout(read_weights(file)), told.name)
        else:
            projection_in(read_weights(file), told.name)
    except PatchMismatch as error:
        raise NotRecognised(error.message, error.hint) from error
    own = replace(own, facts=facts)
    notes = ["Go by a picture with --reference."]
    if encoder_for(own) is None:
        notes = [f"{lacking_encoder(own)} {CURE}"]
    return replace(own, notes=tuple(notes))


def _examine_encoder(own: Own, file: Path, told: Path) -> Own:
    from acetate.adapters.image_encoder import load_image_encoder
    from acetate.adapters.patch import PatchMismatch
    from acetate.models.image_adapters import ImageEncoderFile

    facts = encoder_facts(shapes_in(file), _configuration_beside(told))
    if not facts:
        raise NotRecognised(
            f"{told.name} is an image encoder of a make that is not known here.",
            "Import the folder that it lies in, with its config.json.",
        )
    try:
        import torch

        load_image_encoder(ImageEncoderFile(file, facts), torch.device("cpu"), torch.float16)
    except PatchMismatch as error:
        raise NotRecognised(error.message, error.hint) from error
    name = own.name
    if told.stem in _PLAIN:
        name = f"image-encoder-{facts['hidden_size']}.safetensors"
    note = "Image adapters (IP-Adapter) of its kind read pictures with it."
    return replace(own, name=name, facts=facts, notes=(note,))


def _configuration_beside(told: Path) -> dict[str, Any]:
    """The config.json of a folder of transformers; none for a file that lies alone."""
    beside = told.with_name("config.json")
    return read_config(beside) if beside.is_file() else {}
