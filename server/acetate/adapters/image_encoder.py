"""An image encoder (CLIP): what an IP-Adapter knows of a picture."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.clip.configuration_clip import CLIPVisionConfig
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.clip.modeling_clip import CLIPVisionModelWithProjection

from acetate.adapters.patch import PatchMismatch
from acetate.models.image_adapters import ImageEncoderFile
from acetate.models.weights import read_weights


def load_image_encoder(
    file: ImageEncoderFile, device: torch.device, dtype: torch.dtype
) -> CLIPVisionModelWithProjection:
    """An image encoder from one file. Raises ModelMissing, ModelDamaged, PatchMismatch."""
    state = read_weights(file.path)
    # Older files also hold the numbers of its places, which it counts by itself.
    state = {key: tensor for key, tensor in state.items() if not key.endswith("position_ids")}
    try:
        with torch.device("meta"):
            network = CLIPVisionModelWithProjection(CLIPVisionConfig(**dict(file.config)))
        network.load_state_dict(state, assign=True)
    except (RuntimeError, ValueError, TypeError, KeyError, StrictDataclassError) as error:
        raise PatchMismatch(f"{file.path.name} is no whole image encoder.") from error
    embeddings: Any = network.vision_model.embeddings
    embeddings.position_ids = torch.arange(embeddings.num_positions).expand((1, -1))
    nn.Module.to(network.requires_grad_(False).eval(), device, dtype)
    return network


@torch.inference_mode()
def picture_states(
    network: CLIPVisionModelWithProjection, picture: Tensor, *, states: bool
) -> tuple[Tensor, Tensor]:
    """What the encoder says of a straight picture [1, 4, H, W] in [0, 1], and of none.

    With `states` all of its last layer but one, [1, T, D], else one vector [1, D].
    """
    parameter = next(network.parameters())
    pixels = _pixels(picture, cast("Any", network.config).image_size)
    pixels = pixels.to(parameter.device, parameter.dtype)
    if not states:
        vector = network(pixels).image_embeds
        return vector, torch.zeros_like(vector)
    both = torch.cat([pixels, torch.zeros_like(pixels)])
    found = network(both, output_hidden_states=True).hidden_states[-2]
    return found[:1], found[1:]


def _pixels(picture: Tensor, side: int) -> Tensor:
    """The picture as the encoder was trained to see one: on white where nothing is.

    A layer is shown whole, an opaque picture up to its centre's square.
    """
    rgb, alpha = picture[:, :3].cpu().float(), picture[:, 3:].cpu().float()
    shown = rgb * alpha + (1 - alpha)
    height, width = shown.shape[-2:]
    if bool((alpha < 1).any()) and height != width:
        more = max(height, width)
        left, top = (more - width) // 2, (more - height) // 2
        edges = (left, more - width - left, top, more - height - top)
        shown = functional.pad(shown, edges, value=1.0)
    samples = (shown[0].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
    processor: Any = CLIPImageProcessorPil(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}
    )
    return processor(samples, return_tensors="pt").pixel_values
