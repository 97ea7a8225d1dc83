"""FLUX.1 with LayerDiffuse-Flux: rectified flow over packed latents, guidance distilled in."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from acetate.adapters import WeightPatch
from acetate.adapters.flux_styles import flux_style
from acetate.adapters.reference_aspects import shares_of
from acetate.errors import BadRequest, ModelDamaged
from acetate.latent_transparency.decoding import CHUNK_PIXELS
from acetate.models.families import FAMILIES
from acetate.models.hashing import model_hash
from acetate.models.image_adapters import ImageEncoderFile
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.models.used_files import UsedFiles
from acetate.models.weights import read_weights
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding
from acetate.pipelines.flux.components import FluxBase
from acetate.pipelines.flux.latents import pack, places, unpack
from acetate.pipelines.latent_preview import LatentPreview
from acetate.pipelines.memory_ladder import eased
from acetate.pipelines.picture_prompts import seen_in_flux
from acetate.pipelines.pipeline import Patch, Told
from acetate.pipelines.precision import home_for, pair_precision, precision
from acetate.pipelines.sampling import Denoise
from acetate.pipelines.sized_flow import SizedFlow
from acetate.pipelines.style_fusing import fused_styles
from acetate.pipelines.tiled_decoding import decode_in_tiles
from acetate.pipelines.tiny_decoder import tiny_decoder
from acetate.pipelines.transparency import Transparency
from acetate.pipelines.transparency_weights import Locate, load_flux_pair, needed
from acetate.pipelines.transparent_pipeline import TransparentPipeline
from acetate_bridge.protocol.types import Aspect

WORDS = 512
"""Tokens of a prompt that T5 sees; FLUX.1-dev was trained with as many."""

_LORA = "layerlora"


class FluxPipeline(TransparentPipeline):
    """Any checkpoint of the FLUX.1 family that is guided by a number (dev) or not at all."""

    family: ClassVar[str] = "flux"
    paints_together: ClassVar[bool] = True

    def __init__(
        self,
        base: FluxBase,
        pair: Transparency | RgbaAdapter,
        *,
        device: torch.device,
        locate: Locate,
        model: str,
    ) -> None:
        dtype, vae_dtype = precision(device)
        home = home_for(base, device)
        self._read_networks(base, pair, home, dtype, vae_dtype)
        self.transformer: Any = self.denoiser
        self.pooled_tokenizer = base.pooled_tokenizer()
        self.token_tokenizer = base.token_tokenizer(WORDS)
        self.pooled_encoder: Any = base.pooled_encoder(dtype, home)
        self.token_encoder: Any = base.token_encoder(dtype, home)
        self.scheduler_config = base.scheduler_config()
        self.locate = locate
        self.model = model
        self.model_hash = model_hash(base.weights)
        beside = {path.name: path for path in self.transparency.files}
        self.files = UsedFiles({**base.files, **beside})
        self.device = device
        self.dtype = dtype
        vae = self.vae.config
        self.latent_channels = vae["latent_channels"]
        self.latent_factor = 2 ** (len(vae["block_out_channels"]) - 1)
        self.native = vae["sample_size"]
        self.limits = FAMILIES[self.family].frames(self.native)
        tiny = tiny_decoder(self.family, self.latent_channels, device, dtype)
        self._preview = LatentPreview(self.family, tiny)
        self._scale, self._shift = float(vae["scaling_factor"]), float(vae["shift_factor"] or 0.0)
        self._chunk_pixels = CHUNK_PIXELS
        self._patch: Patch | None = None
        self.ladder = self._usual_ladder(device, self._decode_in_pieces)
        if home != device:
            self.place()

    @property
    def reducible(self) -> list[nn.Module]:
        return [self.denoiser, self.token_encoder, self.pooled_encoder]

    @property
    def modules(self) -> list[nn.Module]:
        return [
            self.denoiser,
            self.token_encoder,
            self.pooled_encoder,
            self.vae,
            *self.transparency.modules,
        ]

    def begin(self) -> None:
        """A new painting has all memory again; what is offloaded stays so."""
        self.ladder.begin()
        self._chunk_pixels = CHUNK_PIXELS
        self.vae.disable_tiling()

    def _decode_in_pieces(self) -> bool:
        self._chunk_pixels = 1
        decode_in_tiles(self.vae, self.latent_factor)
        return True

    @classmethod
    def from_base(
        cls,
        base: FluxBase,
        device: torch.device,
        model: str,
        locate: Locate,
        adapter: RgbaAdapter | None = None,
    ) -> FluxPipeline:
        """Load a base and what it paints layers with: an adapter, or the published pair.

        Raises ModelMissing or ModelDamaged.
        """
        pair = adapter or load_flux_pair(locate, device, *pair_precision(device))
        return cls(base, pair, device=device, locate=locate, model=model)

    @eased
    @torch.inference_mode()
    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        if any(words.strip() for words in negative_prompts):
            raise BadRequest(
                f"The model “{self.model}” was distilled to one run a step, "
                "so it cannot be told what to avoid: leave that empty."
            )
        encodings = self.token_tokenizer.encode_batch(list(prompts))
        words = torch.tensor([encoding.ids for encoding in encodings], device=self.device)
        whole = self.pooled_tokenizer(
            list(prompts), padding="max_length", max_length=77, truncation=True, return_tensors="pt"
        )
        tokens = self.token_encoder(words).last_hidden_state
        pooled = self.pooled_encoder(whole["input_ids"].to(self.device)).pooler_output
        return PromptEmbedding(tokens, tokens[:0], pooled, pooled[:0])

    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        rgba = super().decode_layer(latent, passes)
        self._preview.learn(latent, rgba)
        return rgba

    @property
    def networks(self) -> dict[str, nn.Module]:
        """What a style changes, by the names that style files use."""
        return {"transformer": self.denoiser, "text_encoder": self.pooled_encoder}

    def styled(
        self, styles: Sequence[tuple[Path, float]], told: Told = MappingProxyType({})
    ) -> AbstractContextManager[None]:
        return fused_styles(self, self.networks, styles, told, flux_style)

    @contextmanager
    def resembling(
        self,
        adapter: Path,
        encoder: ImageEncoderFile,
        picture: Tensor,
        strength: float,
        aspect: Aspect = "whole",
    ) -> Generator[None]:
        """The straight picture [1, 4, H, W] in [0, 1] is gone by for the length of a block."""
        shares_of(aspect, self.family)  # Nobody has found which blocks see what.
        self.files.use(adapter)
        self.files.use(encoder.path)
        at = (self.device, self.dtype)
        seen = self.ladder.attempt(
            lambda: seen_in_flux(adapter, encoder, picture, strength, self.denoiser, at)
        )
        with seen.inside(self.denoiser):
            yield

    def preview(self, latent: Tensor) -> Tensor:
        """Colour and alpha by a linear map or a tiny autoencoder: no other decoder is cheap."""
        return self._preview.see(latent)

    def make_scheduler(self, name: str) -> SizedFlow:
        if name not in ("", "euler", "schnell"):
            raise BadRequest(f"Flux has no scheduler “{name}”: it knows euler.")
        scheduler = cast("Any", SizedFlow).from_config(self.scheduler_config)
        assert isinstance(scheduler, SizedFlow)
        return scheduler

    def predict(self, latent: Tensor, timestep: Tensor, told: Conditioning) -> Tensor:
        return self._velocity(latent, timestep, told, guidance=1.0)

    def patch_for(self, mode: str) -> Patch | None:
        """The one published patch, or the adapter's, which serves every mode."""
        if self.adapter is not None:
            return self._learnt
        path = needed(self.locate, _LORA)
        self.files.use(path)
        if self._patch is None:
            try:
                self._patch = read_flux_lora(read_weights(path), self.denoiser)
            except ModelDamaged as error:
                raise ModelDamaged(f"{path}: {error.message}", error.hint) from error
        return self._patch

    def _guided(
        self, prompt: PromptEmbedding, guidance: float, condition: Tensor | None
    ) -> Denoise:
        """Guidance is an input of the denoiser here, so one run a step is all there is."""

        told = Conditioning(prompt.positive, prompt.pooled_positive)

        def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
            return self.ladder.attempt(
                lambda: self._velocity(latent, timestep, told, guidance, str(id(prompt)))
            )

        return denoise

    def _velocity(
        self,
        latent: Tensor,
        timestep: Tensor,
        told: Conditioning,
        guidance: float,
        branch: str = "alone",
    ) -> Tensor:
        height, width = latent.shape[-2:]
        guided = self.transformer.config["guidance_embeds"]
        words = told.tokens.shape[1]
        with self.one_run(branch):
            packed = self.transformer(
                hidden_states=pack(latent).to(self.dtype),
                timestep=timestep.expand(len(latent)).to(self.dtype) / 1000,
                guidance=latent.new_full((len(latent),), guidance) if guided else None,
                pooled_projections=told.pooled,
                encoder_hidden_states=told.tokens,
                txt_ids=torch.zeros(words, 3, device=latent.device, dtype=self.dtype),
                img_ids=places(height // 2, width // 2).to(latent.device, self.dtype),
                return_dict=False,
            )[0]
        return unpack(packed, height, width)

    def _scaled(self, latent: Tensor) -> Tensor:
        return (latent - self._shift) * self._scale

    def _unscaled(self, latent: Tensor) -> Tensor:
        return latent / self._scale + self._shift


def read_flux_lora(file: dict[str, Tensor], denoiser: nn.Module) -> WeightPatch:
    """A low-rank patch in any form that diffusers reads. Raises PatchMismatch."""
    lora = any("lora" in name for name in file)
    return WeightPatch.read(flux_style(file) if lora else file, denoiser)
