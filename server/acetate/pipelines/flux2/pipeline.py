"""FLUX.2 klein: text and references in four steps, and layers with an RGBA adapter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from acetate.errors import BadRequest
from acetate.images.tensors import opaque
from acetate.models.families import FAMILIES
from acetate.models.hashing import model_hash
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.models.used_files import UsedFiles
from acetate.pipelines.flux2.components import Flux2Base
from acetate.pipelines.flux2.denoising import CountedFlow, ReferredPrompt, velocity
from acetate.pipelines.latent_preview import LatentPreview, shrunk
from acetate.pipelines.memory import eased
from acetate.pipelines.offloaded_pipeline import OffloadedPipeline
from acetate.pipelines.offloading import fits
from acetate.pipelines.pipeline import Composition, Patch, PromptEmbedding
from acetate.pipelines.rgba_adapter import lora_of, transparency_of
from acetate.pipelines.sampling import Denoise, guided
from acetate.pipelines.transparency import NoTransparency, Transparency

NATIVE = 1024
"""Side of the square that the published code paints unless it is told another."""

WORDS = 512
"""Tokens of a prompt, in its frame, that the denoiser sees."""

HEARD = (9, 18, 27)
"""Layers of the text encoder whose states it sees, side by side."""

MOST_REFERENCES = 4

_FRAME = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
"""Around a prompt, as Qwen3's own template writes it when it is not to think aloud."""


class Flux2Pipeline(OffloadedPipeline):
    """Scaled latents are the autoencoder's with 2 × 2 places in one, normalised as in training."""

    family: ClassVar[str] = "flux2"
    composition: ClassVar[Composition] = "instructed"

    def __init__(
        self,
        base: Flux2Base,
        device: torch.device,
        model: str,
        adapter: RgbaAdapter | None = None,
    ) -> None:
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        size = sum(path.stat().st_size for path in base.weights)
        home = device if fits(size, device) else torch.device("cpu")
        # In whole precision: 8 bits of a mantissa show as steps in a soft alpha.
        self.vae: Any = base.autoencoder(torch.float32, home)
        self.denoiser = base.denoiser(dtype, home)
        self.transformer: Any = self.denoiser
        self.text_encoder: Any = base.text_encoder(dtype, home)
        self.tokenizer = base.tokenizer()
        self.scheduler_config = base.scheduler_config()
        self.distilled = base.distilled
        self.adapter = adapter
        self.transparency: Transparency = NoTransparency([])
        if adapter is not None:
            self.transparency = transparency_of(adapter, self.vae)
        self._learnt = lora_of(adapter, self.denoiser)
        self._preview = LatentPreview(self.family)
        self.model = model
        self.model_hash = model_hash(base.weights)
        self.files = UsedFiles(base.files)
        self.device = device
        self.dtype = dtype
        config = self.vae.config
        self.latent_channels = 4 * config["latent_channels"]
        self.latent_factor = 2 * 2 ** (len(config["block_out_channels"]) - 1)
        self.native = NATIVE
        self.limits = FAMILIES[self.family].frames(NATIVE)
        norm = self.vae.bn
        self._mean = norm.running_mean[None, :, None, None].to(device)
        spread = norm.running_var[None, :, None, None].to(device)
        self._deviation = (spread + config["batch_norm_eps"]).sqrt()
        self.ladder = self._usual_ladder(device, self._decode_in_pieces)
        if home != device:
            self.place()

    @classmethod
    def from_folder(cls, folder: Path, device: torch.device, model: str) -> Flux2Pipeline:
        """Read the folder layout of diffusers. Raises ModelMissing or ModelDamaged."""
        return cls(Flux2Base(folder), device, model)

    @property
    def reducible(self) -> list[nn.Module]:
        return [self.denoiser, self.text_encoder]

    @property
    def modules(self) -> list[nn.Module]:
        return [self.denoiser, self.text_encoder, self.vae, *self.transparency.modules]

    def begin(self) -> None:
        self.ladder.begin()
        self.vae.disable_tiling()

    def _decode_in_pieces(self) -> bool:
        self.vae.enable_tiling()
        return True

    def patch_for(self, mode: str) -> Patch | None:
        if self.adapter is None:
            raise BadRequest(
                f"The model “{self.model}” knows no transparency by itself.",
                "Take over an RGBA adapter for it with `acetate models import FOLDER --base "
                f"{self.model}`, and paint with that.",
            )
        return self._learnt

    def layer_words(self, prompt: str) -> str:
        return prompt if self.adapter is None else self.adapter.words(prompt)

    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        (prompt,), (negative_prompt,) = prompts, negative_prompts
        return self.encode_instruction(prompt, negative_prompt, ())

    @eased
    @torch.inference_mode()
    def encode_instruction(
        self, instruction: str, negative_prompt: str, pictures: Sequence[Tensor]
    ) -> ReferredPrompt:
        if len(pictures) > MOST_REFERENCES:
            raise BadRequest(f"The model “{self.model}” looks at {MOST_REFERENCES} pictures.")
        if self.distilled and negative_prompt.strip():
            raise BadRequest(
                f"The model “{self.model}” was distilled to one run a step, "
                "so it cannot be told what to avoid: leave that empty."
            )
        words = self._embed(re.sub(r"<image(\d+)>", r"image \1", instruction))
        avoided = words[:0] if self.distilled else self._embed(negative_prompt)
        references = tuple(self.encode_layer(picture) for picture in pictures)
        return ReferredPrompt(words, avoided, references=references)

    def _embed(self, prompt: str) -> Tensor:
        """States of a prompt's tokens, [1, 512, D], as the denoiser was trained on them."""
        read = self.tokenizer(
            _FRAME.format(prompt),
            padding="max_length",
            truncation=True,
            max_length=WORDS,
            return_tensors="pt",
        )
        states = self.text_encoder(
            input_ids=read["input_ids"].to(self.device),
            attention_mask=read["attention_mask"].to(self.device),
            output_hidden_states=True,
            use_cache=False,
        ).hidden_states
        return torch.cat([states[layer] for layer in HEARD], dim=-1)

    @eased
    @torch.inference_mode()
    def encode_image(self, rgb: Tensor) -> Tensor:
        return self._scaled(self._moments(self.transparency.picture(rgb))[0])

    @eased
    @torch.inference_mode()
    def encode_layer(self, rgba: Tensor) -> Tensor:
        return self._scaled(self.transparency.encode(rgba.to(self.device), self._moments))

    @eased
    @torch.inference_mode()
    def decode_image(self, latent: Tensor) -> Tensor:
        rgb = self._decode(self._unscaled(latent))[:, :3].clamp(0, 1)
        if self.adapter is None:  # All that is painted comes through here, and is opaque.
            self._preview.learn(pixel_shuffle(latent, 2), opaque(rgb))
        return rgb

    @eased
    @torch.inference_mode()
    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        rgba = self._decoded(latent, passes)
        self._preview.learn(pixel_shuffle(latent, 2), rgba)
        return rgba

    def _decoded(self, latent: Tensor, passes: int) -> Tensor:
        unscaled = self._unscaled(latent)
        return self.transparency.decode(self._decode(unscaled), unscaled, passes, 0)

    @eased
    @torch.inference_mode()
    def preview(self, latent: Tensor) -> Tensor:
        return self._preview.see(
            pixel_shuffle(latent, 2),
            self._at_hand(lambda: self._decoded(shrunk(latent), passes=1)),
        )

    def make_scheduler(self, name: str) -> CountedFlow:
        FAMILIES[self.family].check_scheduler(name)
        scheduler = cast("Any", CountedFlow).from_config(self.scheduler_config)
        assert isinstance(scheduler, CountedFlow)
        return scheduler

    def predict(
        self,
        latent: Tensor,
        timestep: Tensor,
        tokens: Tensor,
        pooled: Tensor | None,
        condition: Tensor | None,
    ) -> Tensor:
        return velocity(self.transformer, latent, timestep, tokens, ())

    def _guided(
        self, prompt: PromptEmbedding, guidance: float, condition: Tensor | None
    ) -> Denoise:
        references = prompt.references if isinstance(prompt, ReferredPrompt) else ()
        alone = self.distilled or guidance == 1

        def run(latent: Tensor, timestep: Tensor, words: Tensor) -> Tensor:
            return self.ladder.attempt(
                lambda: velocity(self.transformer, latent, timestep, words, references)
            )

        def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
            wanted = run(latent, timestep, prompt.positive)
            if alone:
                return wanted
            return guided(wanted, run(latent, timestep, prompt.negative), guidance)

        return denoise

    def _moments(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        seen = picture.to(self.device, self.vae.dtype) * 2 - 1
        posterior = self.vae.encode(seen).latent_dist
        return posterior.mode().float(), posterior.std.float()

    def _decode(self, unscaled: Tensor) -> Tensor:
        pixels = self.vae.decode(unscaled.to(self.device, self.vae.dtype), return_dict=False)[0]
        return pixels.float() * 0.5 + 0.5

    def _scaled(self, latent: Tensor) -> Tensor:
        return (pixel_unshuffle(latent, 2) - self._mean) / self._deviation

    def _unscaled(self, latent: Tensor) -> Tensor:
        return pixel_shuffle(latent.to(self.device) * self._deviation + self._mean, 2)
