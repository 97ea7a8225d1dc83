"""A base in one file, in the layout of the first latent diffusion code, as people share them.

Such a file holds weights and no configuration. What a shape can tell is read from the shapes; the
rest is the same in every model of a family. Nothing is looked up at the hub.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from diffusers.loaders import single_file_utils
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from acetate.errors import ModelDamaged
from acetate.models.base_inventory import AUTOENCODER, DENOISER, FIRST, SECOND, renamed
from acetate.models.files import MALFORMED
from acetate.models.identify import header_of
from acetate.models.training_facts import facts_of_checkpoint
from acetate.models.unet_names import ldm_names
from acetate.pipelines.autoencoder_weights import make_autoencoder
from acetate.pipelines.clip import clip_tokenizer
from acetate.pipelines.network_loading import (
    META,
    Unfit,
    count_of,
    filled,
    of_the_tower,
    read_tensors,
)

T = TypeVar("T")
_CPU = torch.device("cpu")


class CheckpointBase:
    """A `.safetensors` checkpoint of the SD 1.5 or SDXL family.

    `facts` are those of its training that were told when it was imported. Tensors are read to
    `home`; on META the networks have shapes and no weights.
    """

    def __init__(
        self,
        path: Path,
        family: str,
        facts: Mapping[str, Any] | None = None,
        home: torch.device = _CPU,
    ) -> None:
        self._path = path
        self._family = family
        state = read_tensors([path], home)
        shaped = read_tensors([path], META)
        shapes = {name: tuple(tensor.shape) for name, tensor in shaped.items()}
        self._facts = facts_of_checkpoint(path, shapes, header_of(path))[0] | dict(facts or {})
        own: Any = renamed(state, family)
        self._state: dict[str, Tensor] = own
        # As the network has them: weights may be packed in the file.
        alike: Any = renamed(shaped, family)
        self._shaped: dict[str, Tensor] = alike

    @property
    def files(self) -> dict[str, Path]:
        return {self._path.name: self._path}

    @property
    def weights(self) -> list[Path]:
        return [self._path]

    def scheduler_config(self) -> dict[str, Any]:
        return {
            "num_train_timesteps": 1000,
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
            "prediction_type": "epsilon",
            "rescale_betas_zero_snr": False,
        } | self._facts

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> UNet2DConditionModel:
        def make() -> UNet2DConditionModel:
            state = self._within(DENOISER)
            pooled = self._state.get(f"{SECOND.get(self._family)}text_projection")
            width = _POOLED if pooled is None else pooled.shape[1]
            config = denoiser_config(_within(self._shaped, DENOISER), self._family, width)
            with torch.device("meta"):
                expected = UNet2DConditionModel(**config).state_dict()
            names = ldm_names(expected, config["layers_per_block"])
            own = {names.get(name, name): tensor for name, tensor in state.items()}
            return filled(lambda: UNet2DConditionModel(**config), own, dtype, device)

        return self._explained("denoiser", make)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
        return self._explained(
            "autoencoder",
            lambda: make_autoencoder(self._within(AUTOENCODER), self._family, dtype, device),
        )

    def text_encoder(self, kind: Any, part: str, dtype: torch.dtype, device: torch.device) -> Any:
        return self._explained(
            "text encoder",
            lambda: make_text_encoder(
                kind, self._within((SECOND if part else FIRST)[self._family]), dtype, device
            ),
        )

    def tokenizer(self, part: str) -> CLIPTokenizer:
        return clip_tokenizer("!") if part else clip_tokenizer()

    def _within(self, prefix: str) -> dict[str, Tensor]:
        return _within(self._state, prefix)

    def _explained(self, part: str, make: Callable[[], T]) -> T:
        """Turns the absence of a tensor into the error."""
        try:
            return make()
        except (Unfit, *MALFORMED, StopIteration) as error:
            inside = f": {error}" if isinstance(error, Unfit) else ""
            raise ModelDamaged(
                f"The checkpoint {self._path.name} has no {part} that Acetate can read{inside}.",
                "It needs the whole model (denoiser, autoencoder and text encoders) in one file.",
            ) from error


def _within(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors of a part, without what stands before their names."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in state.items()
        if name.startswith(prefix)
    }


_POOLED = 1280
"""Width of SDXL's pooled text, for checkpoints that hold no text encoder to tell it."""


def denoiser_config(state: Mapping[str, Tensor], family: str, pooled: int) -> dict[str, Any]:
    """The arguments of the U-Net with these tensors, without their prefix. Raises KeyError.

    `pooled` is the width of SDXL's pooled text, which enters beside six embedded numbers.
    """
    entry = state["input_blocks.0.0.weight"]
    named = (name.split(".")[1] for name in state if name.startswith("input_blocks."))
    blocks = count_of(map(int, named), state)
    ends = [block for block in range(blocks) if f"input_blocks.{block}.0.op.weight" in state]
    layers = ends[0] - 1
    levels = [range(end - layers, end) for end in [*ends, blocks]]
    widths = [state[f"input_blocks.{level[0]}.0.out_layers.3.weight"].shape[0] for level in levels]
    depths = [_depth(state, f"input_blocks.{level[0]}.1.") for level in levels]
    attended = next((name for name in state if name.endswith("attn2.to_k.weight")), "")
    projection = next((name for name in state if name.endswith(".proj_in.weight")), "")
    config: dict[str, Any] = {
        "sample_size": 128 if family == "sdxl" else 64,
        "in_channels": entry.shape[1],
        "out_channels": state["out.2.weight"].shape[0],
        "block_out_channels": widths,
        "layers_per_block": layers,
        "down_block_types": ["CrossAttnDownBlock2D" if d else "DownBlock2D" for d in depths],
        "up_block_types": ["CrossAttnUpBlock2D" if d else "UpBlock2D" for d in depths[::-1]],
        "transformer_layers_per_block": [depth or 1 for depth in depths],
        "cross_attention_dim": state[attended].shape[1],
        "attention_head_dim": 8,
        "use_linear_projection": state[projection].dim() == 2,
    }
    if "time_embed.cond_proj.weight" in state:
        config["time_cond_proj_dim"] = state["time_embed.cond_proj.weight"].shape[1]
    if family == "sdxl":
        added = state["label_emb.0.0.weight"].shape[1]
        config |= {
            "attention_head_dim": [max(1, width // 64) for width in widths],
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": (added - pooled) // 6,
            "projection_class_embeddings_input_dim": added,
        }
    return config


def _depth(state: Mapping[str, Tensor], prefix: str) -> int:
    """How many transformer blocks an attention has; 0 where there is none."""
    pattern = re.compile(re.escape(prefix) + r"transformer_blocks\.(\d+)\.")
    return count_of((int(m[1]) for name in state if (m := pattern.match(name))), state)


def make_text_encoder(
    kind: Any, state: Mapping[str, Tensor], dtype: torch.dtype, device: torch.device
) -> Any:
    """A CLIP text encoder from its tensors alone, of either code's names. Raises Unfit, KeyError.

    `kind` is the class: with a projection it is SDXL's second.
    """
    if "token_embedding.weight" in state:
        config = _open_clip_config(state)
        with torch.device("meta"):
            like = kind(config)
        converters = cast("Any", single_file_utils)  # They have no annotations.
        state = converters.convert_open_clip_checkpoint(like, dict(state), prefix="")
    else:
        named = any(name.startswith("text_model.") for name in state)
        state = dict(state) if named else {f"text_model.{name}": t for name, t in state.items()}
        config = _clip_config(state)
    with torch.device("meta"):
        expected = list(kind(config).state_dict())
    own = of_the_tower(state, expected)
    if "text_projection.weight" not in expected:
        own.pop("text_projection.weight", None)
    return filled(lambda: kind(config), own, dtype, device)


def _clip_config(state: Mapping[str, Tensor]) -> CLIPTextConfig:
    words = state["text_model.embeddings.token_embedding.weight"]
    inner = state["text_model.encoder.layers.0.mlp.fc1.weight"]
    layers = {name.split(".")[3] for name in state if ".encoder.layers." in name}
    projection = state.get("text_projection.weight", state.get("text_model.text_projection.weight"))
    if projection is None or words.shape[1] == 768:
        return _text_config(words, inner, len(layers), "quick_gelu", words.shape[1])
    return _text_config(words, inner, len(layers), "gelu", projection.shape[0])


def _open_clip_config(state: Mapping[str, Tensor]) -> CLIPTextConfig:
    words = state["token_embedding.weight"]
    inner = state["transformer.resblocks.0.mlp.c_fc.weight"]
    layers = {name.split(".")[2] for name in state if name.startswith("transformer.resblocks.")}
    return _text_config(words, inner, len(layers), "gelu", state["text_projection"].shape[1])


def _text_config(
    words: Tensor, inner: Tensor, layers: int, activation: str, projection: int
) -> CLIPTextConfig:
    width = words.shape[1]
    return CLIPTextConfig(
        vocab_size=words.shape[0],
        hidden_size=width,
        intermediate_size=inner.shape[0],
        num_hidden_layers=layers,
        num_attention_heads=max(1, width // 64),
        hidden_act=activation,
        projection_dim=projection,
    )
