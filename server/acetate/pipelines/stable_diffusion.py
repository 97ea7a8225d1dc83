"""What SD 1.5 and SDXL have in common: CLIP prompts, a U-Net over eight times smaller latents."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

import torch
from diffusers.models.embeddings import get_timestep_embedding
from torch import Tensor, nn
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from acetate.adapters.control_network import followed_by
from acetate.adapters.followed import Evaluation, Followed, added_up
from acetate.adapters.reference_aspects import shares_of
from acetate.errors import ModelDamaged
from acetate.models.families import FAMILIES
from acetate.models.hashing import model_hash
from acetate.models.image_adapters import ImageEncoderFile
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.models.used_files import UsedFiles
from acetate.models.weights import read_weights
from acetate.pipelines import hole_input, schedulers
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding
from acetate.pipelines.denoising import Denoising
from acetate.pipelines.diffusers_folder import Base
from acetate.pipelines.hole_input import Hole, hole_in, whole_hole
from acetate.pipelines.latent_preview import LatentPreview
from acetate.pipelines.learned_words import Vocabulary, learned_words_in
from acetate.pipelines.lru_cache import Recent, tensor_key
from acetate.pipelines.memory_ladder import Ladder, Rung, eased
from acetate.pipelines.picture_prompts import SeenPictures, seen_by
from acetate.pipelines.pipeline import Patch, Told
from acetate.pipelines.precision import chunk_for, home_for, pair_precision, precision
from acetate.pipelines.prompt_tokens import in_turns
from acetate.pipelines.sampling import Denoise
from acetate.pipelines.style_fusing import fused_styles
from acetate.pipelines.tiled_decoding import decode_in_tiles
from acetate.pipelines.tiny_decoder import tiny_decoder
from acetate.pipelines.transparency import Transparency
from acetate.pipelines.transparency_weights import Locate, load_pair, needed
from acetate.pipelines.transparent_pipeline import TransparentPipeline
from acetate.pipelines.weight_sizes import bytes_of, fits
from acetate_bridge.protocol.types import Aspect


class StableDiffusionPipeline(TransparentPipeline):
    """Noise- or velocity-predicting U-Net; transparency by the published files.

    `locate` finds published files by id: the pair when the model is loaded, patches when a mode
    first needs one; the patch that was used last stays in memory.
    """

    default_scheduler = "dpmpp_2m_karras"
    weighs_words: ClassVar[bool] = True
    paints_together: ClassVar[bool] = True
    encoders: ClassVar[Mapping[str, Any]]
    """The published classes of its text encoders, by what their folders' names end with."""
    pair_files: ClassVar[tuple[Sequence[str], Sequence[str]]]
    """Ids of the published encoder and decoder of transparency, any of which will do."""

    @classmethod
    def from_base(
        cls,
        base: Base,
        device: torch.device,
        model: str,
        locate: Locate,
        adapter: RgbaAdapter | None = None,
    ) -> Self:
        """Load a base and what it paints layers with: an adapter, or the published pair.

        Raises ModelMissing or ModelDamaged.
        """
        home = home_for(base, device)
        pair = adapter or load_pair(locate, *cls.pair_files, home, *pair_precision(device))
        return cls(base, pair, device=device, home=home, locate=locate, model=model)

    def __init__(
        self,
        base: Base,
        pair: Transparency | RgbaAdapter,
        *,
        device: torch.device,
        home: torch.device,
        locate: Locate,
        model: str,
        dtypes: tuple[torch.dtype, torch.dtype] | None = None,
    ) -> None:
        # Of denoiser and autoencoder.
        dtype, vae_dtype = dtypes or precision(device)
        self._read_networks(base, pair, home, dtype, vae_dtype)
        self.unet: Any = self.denoiser
        self.tokenizers = [_unlimited(base.tokenizer(part)) for part in self.encoders]
        self.text_encoders = [
            base.text_encoder(kind, part, dtype, home) for part, kind in self.encoders.items()
        ]
        self.scheduler_config = base.scheduler_config()
        self.locate = locate
        self.model = model
        self.model_hash = model_hash(base.weights)
        beside = {path.name: path for path in self.transparency.files}
        self.files = UsedFiles({**base.files, **beside})
        self.device = device
        self.dtype = dtype
        unet, vae = self.unet.config, self.vae.config
        self.latent_channels = unet["out_channels"]
        self.latent_factor = 2 ** (len(vae["block_out_channels"]) - 1)
        self.native = unet["sample_size"] * self.latent_factor
        self.limits = FAMILIES[self.family].frames(self.native)
        tiny = tiny_decoder(self.family, self.latent_channels, device, dtype)
        self._preview = LatentPreview(self.family, tiny)
        self._scale = float(vae["scaling_factor"])
        self.vocabulary = Vocabulary()
        self._patch: tuple[str, Path, Patch] | None = None
        self._prompts: Recent[PromptEmbedding] = Recent(16)
        self._conditions: Recent[Tensor] = Recent(8)
        self._controls: tuple[Followed, ...] = ()
        self._pictures = SeenPictures()
        self._hole: Hole | None = None
        self._guidance_read: Tensor | None = None
        self._styles: tuple[tuple[str, float], ...] = ()
        self._chunk_pixels = chunk_for(device)
        self.ladder = Ladder(
            device,
            [
                Rung("Memory ran out: what was only remembered was let go.", self._forget),
                Rung("Memory ran out: the picture is decoded in pieces.", self._decode_in_pieces),
                Rung("Memory ran out: idle parts of the model wait outside.", self.offload),
                Rung("Memory ran out: the denoiser comes in layer by layer.", self._stream),
                Rung("Memory ran out: it is painted in smaller batches.", self._paint_in_turn),
            ],
        )
        if home != device:
            self.place()

    @property
    def reducible(self) -> list[nn.Module]:
        return [self.denoiser, *self.text_encoders]

    @property
    def modules(self) -> list[nn.Module]:
        return [*self.networks.values(), self.vae, *self.transparency.modules]

    def begin(self) -> None:
        """A new painting has all memory again; on the device is what fits there by now."""
        self.ladder.begin()
        if self._offloading is not None and fits(bytes_of(self.modules), self.device):
            self._offloading.remove(self.device)
            self._offloading = None
        self.batched_guidance = True
        self._chunk_pixels = chunk_for(self.device)
        self.vae.disable_tiling()
        self.vae.disable_slicing()

    def _forget(self) -> bool:
        self._prompts.clear()
        self._conditions.clear()
        return True

    def _decode_in_pieces(self) -> bool:
        self._chunk_pixels = 1
        decode_in_tiles(self.vae, self.latent_factor)
        self.vae.enable_slicing()
        return True

    def _paint_in_turn(self) -> bool:
        changed, self.batched_guidance = self.batched_guidance, False
        return changed

    @property
    def networks(self) -> dict[str, nn.Module]:
        """What a style changes, by the names that style files use."""
        encoders = zip(("text_encoder", "text_encoder_2"), self.text_encoders, strict=False)
        return {"unet": self.denoiser, **dict(encoders)}

    @contextmanager
    def styled(
        self, styles: Sequence[tuple[Path, float]], told: Told = MappingProxyType({})
    ) -> Generator[None]:
        with fused_styles(self, self.networks, styles, told):
            self._styles = tuple((str(path), weight) for path, weight in styles)
            try:
                yield
            finally:
                self._styles = ()

    @contextmanager
    def following(
        self, network: Path, image: Tensor, strength: float, end: float = 1.0, kind: str = ""
    ) -> Generator[None]:
        """The control image [1, 3, H, W] in [0, 1] is followed for the length of a block."""
        self.files.use(network)
        at = self.device, self.dtype
        followed = self.ladder.attempt(
            lambda: followed_by(network, self.unet, image, strength, end, kind, at)
        )
        before = self._controls
        self._controls = (*before, followed)
        try:
            yield
        finally:
            self._controls = before

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
        self.files.use(adapter)
        self.files.use(encoder.path)
        at, shares = (self.device, self.dtype), shares_of(aspect, self.family)
        seen = self.ladder.attempt(
            lambda: seen_by(adapter, encoder, picture, strength, self.denoiser, at, shares)
        )
        before, self._pictures = self._pictures, self._pictures.beside(seen)
        try:
            with seen.adapter.inside(self.denoiser):
                yield
        finally:
            self._pictures = before

    def prepared(self, asked: Denoising) -> Denoising:
        return replace(asked, prompt=self._pictures.told_with(asked.prompt))

    def words_of(self, tokens: Tensor) -> Tensor:
        """The words [B, T, D] of what the denoiser is told; the rest is shown as pictures."""
        return self._pictures.shown(tokens)

    @contextmanager
    def filling(self, picture: Tensor, mask: Tensor) -> Generator[None]:
        """For the length of a block a hole is filled: the picture [1, 3, H, W] under the mask
        [1, 1, H, W], 1 inside. Only for a base that was trained to; see `fills`.
        """
        self._hole = hole_in(picture, mask, self.latent_factor, self.encode_image)
        try:
            yield
        finally:
            self._hole = None

    @property
    def fills(self) -> bool:
        """Whether the denoiser was trained to fill holes."""
        return self.unet.config["in_channels"] == hole_input.CHANNELS

    def entered(self, latent: Tensor) -> Tensor:
        """What the denoiser reads first: the noisy latent, and of one that fills holes the hole."""
        if not self.fills:
            return latent
        hole = self._hole
        if hole is None:
            sides = [side * self.latent_factor for side in latent.shape[-2:]]
            hole = whole_hole(sides[0], sides[1], self.encode_image)
        return hole_input.beside(latent, hole)

    def predict(self, latent: Tensor, timestep: Tensor, told: Conditioning) -> Tensor:
        tokens, condition = self.words_of(told.tokens), told.condition
        added = self.read_beside(latent, told.pooled)
        entered = self.entered(latent)
        if condition is not None:
            entered = torch.cat([entered, condition.expand(len(latent), -1, -1, -1)], dim=1)
        return self.unet(
            entered.to(self.dtype),
            timestep,
            tokens,
            timestep_cond=self.read_guidance(latent.to(self.dtype)),
            added_cond_kwargs=added,
            return_dict=False,
            **self.followed(Evaluation(latent.to(self.dtype), timestep, tokens, added)),
        )[0]

    def read_beside(self, latent: Tensor, pooled: Tensor | None) -> dict[str, Tensor | None] | None:
        """What the denoiser reads beside words and time, as diffusers names it."""
        return None

    def followed(self, at: Evaluation) -> dict[str, Any]:
        """What the control networks add to one evaluation of the denoiser, as its arguments."""
        now = [each for each in self._controls if each.counts(at.timestep)]
        return added_up([each.residuals(at) for each in now])

    def _guided(
        self, prompt: PromptEmbedding, guidance: float, condition: Tensor | None
    ) -> Denoise:
        """A base that was distilled to read its guidance (LCM) gets it as a number, once a step."""
        width = self.unet.config.get("time_cond_proj_dim")
        if width is None:
            self._guidance_read = None
            return super()._guided(prompt, guidance, condition)
        number = torch.tensor([(guidance - 1) * 1000])
        self._guidance_read = get_timestep_embedding(number, width, flip_sin_to_cos=False)
        return super()._guided(prompt, 1.0, condition)

    def read_guidance(self, latent: Tensor) -> Tensor | None:
        """The guidance as the denoiser reads it; None for most."""
        read = self._guidance_read
        return None if read is None else read.expand(len(latent), -1).to(latent)

    @eased
    @torch.inference_mode()
    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        learned = learned_words_in([*prompts, *negative_prompts], self.family)
        for word in learned:
            self.files.use(word.path)
        self.vocabulary = Vocabulary(learned)
        words = tuple(word.sha256 for word in learned)
        key = (self._styles, words, tuple(prompts), tuple(negative_prompts))
        return self._prompts.get(key, lambda: in_turns(prompts, negative_prompts, self.embed))

    @abstractmethod
    def embed(self, prompts: Sequence[str], negative_prompts: Sequence[str]) -> PromptEmbedding:
        """`encode_prompt` without its memory."""

    def encode_image(self, rgb: Tensor) -> Tensor:
        encode = super().encode_image
        return self._conditions.get(tensor_key("image", rgb), lambda: encode(rgb).to(self.device))

    def encode_layer(self, rgba: Tensor) -> Tensor:
        encode = super().encode_layer
        return self._conditions.get(tensor_key("layer", rgba), lambda: encode(rgba))

    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        rgba = super().decode_layer(latent, passes)
        self._preview.learn(latent, rgba)
        return rgba

    def preview(self, latent: Tensor) -> Tensor:
        """Colour and alpha by a linear map or a tiny autoencoder: no other decoder is cheap."""
        return self._preview.see(latent)

    def make_scheduler(self, name: str) -> Any:
        return schedulers.make_scheduler(name or self.default_scheduler, self.scheduler_config)

    def patch_for(self, mode: str) -> Patch | None:
        if self.adapter is not None:
            return self._learnt
        if self._patch is None or self._patch[0] != mode:
            self._patch = None
            path = needed(self.locate, *self.patch_files(mode))
            file = read_weights(path)
            try:
                patch = self.ladder.attempt(lambda: self.read_patch(file))
                self._patch = (mode, path, patch)
            except ModelDamaged as error:
                raise ModelDamaged(f"{path}: {error.message}", error.hint) from error
        _, path, patch = self._patch
        self.files.use(path)
        return patch

    @abstractmethod
    def patch_files(self, task: str) -> tuple[str, ...]:
        """Ids of the published files that teach a task, any of which will do."""

    @abstractmethod
    def read_patch(self, file: dict[str, Tensor]) -> Patch:
        """The patch in the tensors of a file. Raises ModelDamaged naming what does not fit."""

    def _scaled(self, latent: Tensor) -> Tensor:
        return latent * self._scale

    def _unscaled(self, latent: Tensor) -> Tensor:
        return latent / self._scale

    def _decode(self, unscaled: Tensor) -> Tensor:
        return super()._decode(unscaled).clamp(0, 1)


def _unlimited(tokenizer: CLIPTokenizer) -> CLIPTokenizer:
    """Long prompts are cut into chunks here; the tokenizer would warn of every one of them."""
    tokenizer.model_max_length = 10**9
    return tokenizer
