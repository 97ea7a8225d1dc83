"""What SD 1.5 and SDXL have in common: CLIP prompts, a U-Net over eight times smaller latents."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from acetate.errors import ModelDamaged
from acetate.latent_transparency import decode_transparent, encode_with_offset
from acetate.models.hashing import model_hash
from acetate.models.weights import damaged, existing, read_config, read_weights
from acetate.pipelines import schedulers
from acetate.pipelines.families import FAMILIES
from acetate.pipelines.pipeline import Patch, Pipeline
from acetate.pipelines.transparency import Locate, TransparencyPair, needed

CHUNK = 75
"""Words of a prompt that go through the text encoder at once, between its two marks."""


class StableDiffusionPipeline(Pipeline):
    """Noise- or velocity-predicting U-Net; transparency by the published files.

    `locate` finds published files by id: the pair when the model is loaded, patches when a mode
    first needs one; the patch that was used last stays in memory.
    """

    batched_guidance = True
    default_scheduler = "dpmpp_2m_karras"

    def __init__(
        self,
        vae: AutoencoderKL,
        unet: UNet2DConditionModel,
        pair: TransparencyPair,
        *,
        scheduler_config: dict[str, Any],
        locate: Locate,
        weight_files: Sequence[Path],
        model: str,
    ) -> None:
        self.vae: Any = vae  # diffusers annotates it more narrowly than it behaves
        self.denoiser = unet
        self.unet: Any = unet
        self.pair = pair
        self.scheduler_config = scheduler_config
        self.locate = locate
        self.model = model
        self.model_hash = model_hash(weight_files)
        self.device = unet.device
        self.dtype = unet.dtype
        self.latent_channels = unet.config["out_channels"]
        self.latent_factor = 2 ** (len(vae.config["block_out_channels"]) - 1)
        self.native = unet.config["sample_size"] * self.latent_factor
        self.limits = FAMILIES[self.family].frames(self.native)
        self._scale = float(vae.config["scaling_factor"])
        self._patch: tuple[str, Patch] | None = None

    @torch.inference_mode()
    def encode_image(self, rgb: Tensor) -> Tensor:
        return (self._moments(rgb)[0] * self._scale).to(self.device)

    @torch.inference_mode()
    def encode_layer(self, rgba: Tensor) -> Tensor:
        latent = encode_with_offset(
            self.pair.encoder,
            rgba.to(self.device),
            self._moments,
            factor=self.pair.factor,
            alpha_last=self.pair.alpha_last,
            size_multiple=self.pair.decoder.size_multiple,
        )
        return latent * self._scale

    @torch.inference_mode()
    def decode_image(self, latent: Tensor) -> Tensor:
        return self._decode(latent / self._scale)

    @torch.inference_mode()
    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        unscaled = latent / self._scale
        pixel = self._decode(unscaled)
        return decode_transparent(self.pair.decoder, pixel, unscaled, passes).float()

    def preview(self, latent: Tensor) -> Tensor:
        """The latent's first channels as colour at an eighth of the size: no decoder is cheap."""
        small = (latent[:, :3] * 0.18 + 0.5).clamp(0, 1)
        return torch.cat([small, torch.ones_like(small[:, :1])], dim=1).float()

    def make_scheduler(self, name: str) -> Any:
        return schedulers.make_scheduler(name or self.default_scheduler, self.scheduler_config)

    def patch_for(self, mode: str) -> Patch | None:
        if self._patch is None or self._patch[0] != mode:
            self._patch = None
            path = needed(self.locate, *self.patch_files(mode))
            file = read_weights(path)
            try:
                self._patch = (mode, self.read_patch(file))
            except ModelDamaged as error:
                raise ModelDamaged(f"{path}: {error.message}", error.hint) from error
        return self._patch[1]

    @abstractmethod
    def patch_files(self, task: str) -> tuple[str, ...]:
        """Ids of the published files that teach a task, any of which will do."""

    @abstractmethod
    def read_patch(self, file: dict[str, Tensor]) -> Patch:
        """The patch in the tensors of a file. Raises ModelDamaged naming what does not fit."""

    def _moments(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        posterior = self.vae.encode(rgb.to(self.device, self.vae.dtype) * 2 - 1).latent_dist
        return posterior.mean.float(), posterior.std.float()

    def _decode(self, unscaled: Tensor) -> Tensor:
        pixel = self.vae.decode(unscaled.to(self.device, self.vae.dtype), return_dict=False)[0]
        return (pixel.float() * 0.5 + 0.5).clamp(0, 1)


def tokenized(
    tokenizer: CLIPTokenizer, prompts: Sequence[str], least_chunks: int = 1
) -> list[list[list[int]]]:
    """Each prompt as chunks of 77 tokens, all prompts with as many chunks as the longest."""
    words = [tokenizer.encode(prompt, add_special_tokens=False) for prompt in prompts]
    chunks = max(least_chunks, *(-(-len(ids) // CHUNK) for ids in words))
    return [
        [_chunk(tokenizer, ids[start : start + CHUNK]) for start in range(0, chunks * CHUNK, CHUNK)]
        for ids in words
    ]


def _chunk(tokenizer: CLIPTokenizer, ids: list[int]) -> list[int]:
    begin, end, blank = (
        int(getattr(tokenizer, f"{name}_token_id"))  # annotated as nearly anything
        for name in ("bos", "eos", "pad")
    )
    return [begin, *ids, end, *[blank] * (CHUNK - len(ids))]


def load_denoiser(folder: Path, dtype: torch.dtype, device: torch.device) -> UNet2DConditionModel:
    """The U-Net in the folder `unet`."""
    return _from_folder(UNet2DConditionModel, folder / "unet", dtype, device)


def load_autoencoder(folder: Path, dtype: torch.dtype, device: torch.device) -> AutoencoderKL:
    """The autoencoder in the folder `vae`."""
    return _from_folder(AutoencoderKL, folder / "vae", dtype, device)


def load_text_encoder(kind: Any, folder: Path, dtype: torch.dtype, device: torch.device) -> Any:
    """A text encoder of transformers from its own folder, frozen."""
    read_config(folder / "config.json")
    path = weights_in(folder)
    try:
        encoder = kind.from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True, **_variant(path)
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise damaged(path) from error
    return encoder.eval().requires_grad_(False).to(device)


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """A CLIP tokenizer from its own folder."""
    existing(folder / "vocab.json")
    try:
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise damaged(folder / "vocab.json") from error
    # Long prompts are cut into chunks here; the tokenizer would warn of every one of them.
    tokenizer.model_max_length = 10**9
    return tokenizer


def weights_in(folder: Path) -> Path:
    """The weight file of a component: half precision where it is, else the full one."""
    for stem in ("diffusion_pytorch_model", "model"):
        for ending in (".fp16.safetensors", ".safetensors"):
            if (path := folder / f"{stem}{ending}").is_file():
                return path
    return existing(folder / "diffusion_pytorch_model.safetensors")


def _variant(path: Path) -> dict[str, str]:
    return {"variant": "fp16"} if path.name.endswith(".fp16.safetensors") else {}


def _from_folder(kind: Any, folder: Path, dtype: torch.dtype, device: torch.device) -> Any:
    read_config(folder / "config.json")
    path = weights_in(folder)
    try:
        network = kind.from_pretrained(
            folder, torch_dtype=dtype, local_files_only=True, use_safetensors=True, **_variant(path)
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise damaged(path) from error
    return network.eval().requires_grad_(False).to(device)


def precision(device: torch.device) -> tuple[torch.dtype, torch.dtype]:
    """Of the denoiser and of the autoencoder, which overflows in fp16 (SDXL)."""
    if device.type == "cpu":
        return torch.float32, torch.float32
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.bfloat16, torch.bfloat16
    return torch.float16, torch.float32
