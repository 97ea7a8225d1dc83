"""A base in one file, in the layout of the first latent diffusion code, as people share them.

Such a file holds weights and no configuration. What a shape can tell is read from the shapes; the
rest is the same in every model of a family. Nothing is looked up at the hub.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders import single_file_utils
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from acetate.errors import ModelDamaged
from acetate.models.weights import read_weights
from acetate.pipelines.clip import clip_tokenizer

_UNET = "model.diffusion_model."
_VAE = "first_stage_model."
_FIRST = {
    "sd15": "cond_stage_model.transformer.",
    "sdxl": "conditioner.embedders.0.transformer.",
}
_SECOND = "conditioner.embedders.1.model."
_SCALES = {"sd15": 0.18215, "sdxl": 0.13025}
_VELOCITY = "v_pred"
"""An empty tensor of this name marks SDXL checkpoints that predict velocity."""


class CheckpointBase:
    """A `.safetensors` checkpoint of the SD 1.5 or SDXL family."""

    def __init__(self, path: Path, family: str) -> None:
        self._path = path
        self._family = family
        state = read_weights(path)
        self._state = {name: state[name] for name in state if not name.startswith("model_ema.")}

    @property
    def files(self) -> dict[str, Path]:
        return {self._path.name: self._path}

    @property
    def weights(self) -> list[Path]:
        return [self._path]

    def scheduler_config(self) -> dict[str, Any]:
        velocity = _VELOCITY in self._state
        return {
            "num_train_timesteps": 1000,
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
            "prediction_type": "v_prediction" if velocity else "epsilon",
            "rescale_betas_zero_snr": "ztsnr" in self._state,
        }

    def denoiser(self, dtype: torch.dtype, device: torch.device) -> UNet2DConditionModel:
        with self._explained("denoiser"):
            pooled = self._state.get(f"{_SECOND}text_projection")
            width = 0 if pooled is None else pooled.shape[1]
            config = denoiser_config(self._within(_UNET), self._family, width)
        network = UNet2DConditionModel(**config)
        state = single_file_utils.convert_ldm_unet_checkpoint(dict(self._state), network.config)
        return self._filled(network, state, dtype, device)

    def autoencoder(self, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
        with self._explained("autoencoder"):
            config = autoencoder_config(self._within(_VAE), _SCALES[self._family])
        network = AutoencoderKL(**config)
        state = single_file_utils.convert_ldm_vae_checkpoint(dict(self._state), network.config)
        return self._filled(network, state, dtype, device)

    def text_encoder(self, kind: Any, part: str, dtype: torch.dtype, device: torch.device) -> Any:
        with self._explained("text encoder"):
            if part:
                network = kind(_second_config(self._within(_SECOND)))
                state = single_file_utils.convert_open_clip_checkpoint(
                    network, dict(self._state), prefix=_SECOND
                )
            else:
                state = self._within(_FIRST[self._family])
                network = kind(_first_config(state))
        state.pop("text_model.embeddings.position_ids", None)
        # Files differ in whether the tower has a name of its own, and so do transformers' versions.
        if not any(name.startswith("text_model.") for name in network.state_dict()):
            state = {name.removeprefix("text_model."): state[name] for name in state}
        return self._filled(network, state, dtype, device)

    def tokenizer(self, part: str) -> CLIPTokenizer:
        return clip_tokenizer("!") if part else clip_tokenizer()

    def _within(self, prefix: str) -> dict[str, Tensor]:
        return {
            name.removeprefix(prefix): tensor
            for name, tensor in self._state.items()
            if name.startswith(prefix)
        }

    def _filled(
        self, network: Any, state: dict[str, Tensor], dtype: torch.dtype, device: torch.device
    ) -> Any:
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise self._unfit(type(network).__name__) from error
        # Past diffusers' own `to`, which warns of precautions that only its loader takes.
        return nn.Module.to(network.requires_grad_(False).eval(), device, dtype)

    def _explained(self, part: str) -> Any:
        return _Explained(self._unfit(part))

    def _unfit(self, part: str) -> ModelDamaged:
        return ModelDamaged(
            f"The checkpoint {self._path.name} has no {part} that Acetate can read.",
            "It needs the whole model (denoiser, autoencoder and text encoders) in one file.",
        )


class _Explained:
    """Turns the absence of a tensor into the error."""

    def __init__(self, error: ModelDamaged) -> None:
        self._error = error

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (KeyError, IndexError, ValueError)):
            raise self._error from error


def denoiser_config(state: Mapping[str, Tensor], family: str, pooled: int) -> dict[str, Any]:
    """The arguments of the U-Net with these tensors, without their prefix. Raises KeyError.

    `pooled` is the width of SDXL's pooled text, which enters beside six embedded numbers.
    """
    entry = state["input_blocks.0.0.weight"]
    blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("input_blocks."))
    ends = [block for block in range(blocks) if f"input_blocks.{block}.0.op.weight" in state]
    layers = ends[0] - 1
    levels = [range(end - layers, end) for end in [*ends, blocks]]
    widths = [state[f"input_blocks.{level[0]}.0.out_layers.3.weight"].shape[0] for level in levels]
    depths = [_depth(state, f"input_blocks.{level[0]}.1.") for level in levels]
    attended = next(name for name in state if name.endswith("attn2.to_k.weight"))
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
    }
    if family == "sdxl":
        added = state["label_emb.0.0.weight"].shape[1]
        config |= {
            "attention_head_dim": [max(1, width // 64) for width in widths],
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": (added - pooled) // 6,
            "projection_class_embeddings_input_dim": added,
        }
    return config


def autoencoder_config(state: Mapping[str, Tensor], scale: float) -> dict[str, Any]:
    """The arguments of the autoencoder with these tensors, without their prefix."""
    levels = 1 + max(
        int(match[1]) for name in state if (match := re.match(r"encoder\.down\.(\d+)\.", name))
    )
    layers = 1 + max(
        int(match[1])
        for name in state
        if (match := re.match(r"encoder\.down\.0\.block\.(\d+)\.", name))
    )
    widths = [
        state[f"encoder.down.{level}.block.0.conv1.weight"].shape[0] for level in range(levels)
    ]
    return {
        "in_channels": 3,
        "out_channels": 3,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "block_out_channels": widths,
        "layers_per_block": layers,
        "latent_channels": state["post_quant_conv.weight"].shape[0],
        "scaling_factor": scale,
    }


def _depth(state: Mapping[str, Tensor], prefix: str) -> int:
    """How many transformer blocks an attention has; 0 where there is none."""
    pattern = re.compile(re.escape(prefix) + r"transformer_blocks\.(\d+)\.")
    return 1 + max((int(match[1]) for name in state if (match := pattern.match(name))), default=-1)


def _first_config(state: Mapping[str, Tensor]) -> CLIPTextConfig:
    words = state["text_model.embeddings.token_embedding.weight"]
    inner = state["text_model.encoder.layers.0.mlp.fc1.weight"]
    layers = {name.split(".")[3] for name in state if ".encoder.layers." in name}
    return _text_config(words, inner, len(layers), "quick_gelu", words.shape[1])


def _second_config(state: Mapping[str, Tensor]) -> CLIPTextConfig:
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
