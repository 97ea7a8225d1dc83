"""The small model that ships with Acetate: rectified flow over a folded autoencoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertModel

from acetate.errors import BadRequest
from acetate.latent_transparency import (
    OffsetEncoder,
    TransparentDecoder,
    decode_transparent,
    encode_with_offset,
)
from acetate.latent_transparency.decoding import CHUNK_PIXELS
from acetate.models.families import FAMILIES
from acetate.models.files import configured, damaged, existing, read_config
from acetate.models.hashing import model_hash
from acetate.models.used_files import UsedFiles
from acetate.models.weights import fill
from acetate.pipelines.memory import Ladder, Rung, eased
from acetate.pipelines.pipeline import Pipeline, PromptEmbedding

DIFFUSERS_WEIGHTS = "diffusion_pytorch_model.safetensors"


class EmbeddedPipeline(Pipeline):
    """Velocity-predicting U-Net over the latents of a folded autoencoder.

    `fold` × `fold` pixels become channels before the autoencoder sees them. A condition latent
    enters the denoiser beside the noisy one, zeros where there is none.
    """

    family: ClassVar[str] = "embedded"

    def __init__(
        self,
        vae: AutoencoderKL,
        unet: UNet2DConditionModel,
        text_encoder: BertModel,
        tokenizer: Tokenizer,
        encoder: OffsetEncoder,
        decoder: TransparentDecoder,
        *,
        scheduler_config: dict[str, Any],
        fold: int,
        offset_factor: float,
        offset_scaled_by_std: bool,
        model: str,
        model_hash: str,
        files: Mapping[str, Path],
    ) -> None:
        self.vae: Any = vae  # diffusers annotates it more narrowly than it behaves
        self.denoiser = unet
        self.text_encoder = text_encoder
        self.tokenizer = tokenizer
        self.encoder = encoder
        self.decoder = decoder
        self.scheduler_config = scheduler_config
        self.fold = fold
        self.offset_factor = offset_factor
        self.offset_scaled_by_std = offset_scaled_by_std
        self.model = model
        self.model_hash = model_hash
        self.device = unet.device
        self.files = UsedFiles(files)
        self._chunk_pixels = CHUNK_PIXELS
        self.ladder = Ladder(
            self.device,
            [
                Rung("Memory ran out: what was only remembered was let go.", lambda: True),
                Rung("Memory ran out: the picture is decoded in pieces.", self._decode_in_pieces),
                Rung("Memory ran out: it is painted in smaller batches.", self._paint_in_turn),
            ],
        )
        self.dtype = unet.dtype
        self.latent_channels = unet.config["out_channels"]
        self.latent_factor = fold * 2 ** (len(vae.config["block_out_channels"]) - 1)
        self.native = unet.config["sample_size"] * self.latent_factor
        self.limits = FAMILIES[self.family].frames(self.native)
        self._scale = float(vae.config["scaling_factor"])
        self._shift = float(vae.config.get("shift_factor") or 0.0)

    @classmethod
    def from_folder(cls, folder: Path, device: torch.device, model: str) -> EmbeddedPipeline:
        """Read the diffusers folder layout. Raises ModelMissing or ModelDamaged naming a file."""
        fold = configured(folder / "model_index.json", lambda index: int(index["pixel_unshuffle"]))
        encoder, decoder, offset_factor, offset_scaled_by_std = configured(
            folder / "transparency" / "config.json",
            lambda config: (
                OffsetEncoder(**config["encoder"]),
                TransparentDecoder(**config["decoder"]),
                float(config["offset_factor"]),
                bool(config["offset_scaled_by_std"]),
            ),
        )
        text_config = configured(
            folder / "text_encoder" / "config.json", lambda config: BertConfig(**config)
        )
        text_encoder = BertModel(text_config, add_pooling_layer=False)
        vae = configured(folder / "vae" / "config.json", AutoencoderKL.from_config)
        unet = configured(folder / "unet" / "config.json", UNet2DConditionModel.from_config)
        assert isinstance(vae, AutoencoderKL) and isinstance(unet, UNet2DConditionModel)
        modules: list[tuple[nn.Module, Path]] = [
            (vae, folder / "vae" / DIFFUSERS_WEIGHTS),
            (unet, folder / "unet" / DIFFUSERS_WEIGHTS),
            (text_encoder, folder / "text_encoder" / "model.safetensors"),
            (encoder, folder / "transparency" / "encoder.safetensors"),
            (decoder, folder / "transparency" / "decoder.safetensors"),
        ]
        dtype = torch.float32 if device.type == "cpu" else torch.float16
        for module, path in modules:
            fill(module, path, device, dtype)
        vocabulary = folder / "tokenizer" / "tokenizer.json"
        return cls(
            vae,
            unet,
            text_encoder,
            _read_tokenizer(vocabulary, text_config.max_position_embeddings),
            encoder,
            decoder,
            scheduler_config=read_config(folder / "scheduler" / "scheduler_config.json"),
            fold=fold,
            offset_factor=offset_factor,
            offset_scaled_by_std=offset_scaled_by_std,
            model=model,
            model_hash=model_hash([vocabulary, *(path for _, path in modules)]),
            files={
                path.relative_to(folder).as_posix(): path
                for path in (vocabulary, *(path for _, path in modules))
            },
        )

    @property
    def modules(self) -> list[nn.Module]:
        return [self.vae, self.denoiser, self.text_encoder, self.encoder, self.decoder]

    def begin(self) -> None:
        """A new painting has all memory again."""
        self.ladder.begin()
        self.batched_guidance = True
        self._chunk_pixels = CHUNK_PIXELS

    def _decode_in_pieces(self) -> bool:
        self._chunk_pixels = 1
        return True

    def _paint_in_turn(self) -> bool:
        changed, self.batched_guidance = self.batched_guidance, False
        return changed

    @eased
    @torch.inference_mode()
    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        texts = [*prompts, *negative_prompts]
        encodings = self.tokenizer.encode_batch(texts)
        for text, encoding in zip(texts, encodings, strict=True):
            if encoding.overflowing:
                read = text[: max(end for _, end in encoding.offsets)]
                self.ladder.tell(f"This model reads prompts only so far: “… {read[-30:].strip()}”.")
        tokens = torch.tensor([encoding.ids for encoding in encodings], device=self.device)
        mask = torch.tensor([encoding.attention_mask for encoding in encodings], device=self.device)
        states = self.text_encoder(tokens, attention_mask=mask).last_hidden_state
        return PromptEmbedding(states[: len(prompts)], states[len(prompts) :])

    @eased
    @torch.inference_mode()
    def encode_image(self, rgb: Tensor) -> Tensor:
        return self._scaled(self._moments(rgb)[0])

    @eased
    @torch.inference_mode()
    def encode_layer(self, rgba: Tensor) -> Tensor:
        latent = encode_with_offset(
            self.encoder,
            rgba.to(self.device, self.dtype),
            self._moments,
            factor=self.offset_factor,
            scaled_by_std=self.offset_scaled_by_std,
        )
        return self._scaled(latent)

    @eased
    @torch.inference_mode()
    def decode_image(self, latent: Tensor) -> Tensor:
        return self._decode(self._unscaled(latent)).float()

    @eased
    @torch.inference_mode()
    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        unscaled = self._unscaled(latent)
        pixel = self._decode(unscaled)
        return decode_transparent(
            self.decoder, pixel, unscaled, passes, chunk_pixels=self._chunk_pixels
        ).float()

    def make_scheduler(self, name: str) -> FlowMatchEulerDiscreteScheduler:
        if name not in ("", "euler"):
            raise BadRequest(f"The embedded model has no scheduler “{name}”: it knows euler.")
        scheduler = FlowMatchEulerDiscreteScheduler.from_config(self.scheduler_config)
        assert isinstance(scheduler, FlowMatchEulerDiscreteScheduler)
        return scheduler

    def predict(
        self,
        latent: Tensor,
        timestep: Tensor,
        tokens: Tensor,
        pooled: Tensor | None,
        condition: Tensor | None,
    ) -> Tensor:
        beside = torch.zeros_like(latent) if condition is None else condition
        pair = torch.cat([latent, beside], dim=1).to(self.dtype)
        return self.denoiser(pair, timestep, tokens, return_dict=False)[0]

    def _moments(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        folded = pixel_unshuffle(rgb.to(self.device, self.dtype) * 2 - 1, self.fold)
        posterior = self.vae.encode(folded).latent_dist
        return posterior.mean, posterior.std

    def _decode(self, unscaled: Tensor) -> Tensor:
        folded = self.vae.decode(unscaled, return_dict=False)[0]
        return (pixel_shuffle(folded, self.fold) * 0.5 + 0.5).clamp(0, 1)

    def _scaled(self, latent: Tensor) -> Tensor:
        return ((latent - self._shift) * self._scale).float()

    def _unscaled(self, latent: Tensor) -> Tensor:
        return (latent / self._scale + self._shift).to(self.device, self.dtype)


def _read_tokenizer(path: Path, length: int) -> Tokenizer:
    """Every prompt becomes exactly `length` tokens, as in training."""
    try:
        tokenizer = Tokenizer.from_file(str(existing(path)))
    except Exception as error:  # The tokenizers library raises plain Exception for a broken file.
        if path.is_file():
            raise damaged(path) from error
        raise
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_id=tokenizer.token_to_id("[PAD]") or 0)
    return tokenizer
