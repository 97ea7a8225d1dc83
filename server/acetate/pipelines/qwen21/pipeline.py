"""Qwen-Image-2.1: text, references and transparency in one model, without a patch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from acetate.errors import BadRequest, ModelDamaged
from acetate.images.tensors import opaque
from acetate.models.families import CACHED_EULER, FAMILIES
from acetate.models.hashing import model_hash
from acetate.models.used_files import UsedFiles
from acetate.pipelines.latent_preview import LatentPreview, shrunk
from acetate.pipelines.memory import eased
from acetate.pipelines.offloaded_pipeline import OffloadedPipeline
from acetate.pipelines.offloading import fits
from acetate.pipelines.pipeline import Composition, PromptEmbedding
from acetate.pipelines.qwen21.components import Components
from acetate.pipelines.qwen21.denoising import Branch, SeenPrompt, TokenFlow
from acetate.pipelines.qwen21.prompts import Reading, read, transparent_words
from acetate.pipelines.sampling import Denoise, guided
from acetate.pipelines.transparency import unmultiplied

NATIVE = 1024
"""Side of the square that the published code paints unless it is told another."""

MOST_REFERENCES = 10


class Qwen21Pipeline(OffloadedPipeline):
    """Layers are straight alpha: the published code writes what it decodes as PNG.

    `premultiplied` is set for a base whose autoencoder was measured to be of the other kind.
    """

    family: ClassVar[str] = "qwen21"
    composition: ClassVar[Composition] = "instructed"
    premultiplied = False

    def __init__(self, components: Components, device: torch.device, model: str) -> None:
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        size = sum(path.stat().st_size for path in components.weights)
        home = device if fits(size, device) else torch.device("cpu")
        # In whole precision: 8 bits of a mantissa show as steps in a soft alpha.
        self.vae: Any = components.autoencoder(torch.float32, home)
        self.denoiser = components.denoiser(dtype, home)
        self.transformer: Any = self.denoiser
        self.text_encoder: Any = components.text_encoder(dtype, home)
        self.tokenizer = components.tokenizer()
        self.scheduler_config = components.scheduler_config()
        self._authors_levels = tuple(components.sample_sigmas)
        self.model = model
        self.model_hash = model_hash(components.weights)
        self.files = UsedFiles(components.files)
        self.device = device
        self.dtype = dtype
        self.preset = CACHED_EULER
        config = self.vae.config
        if config["in_channels"] != 4 or config["out_channels"] != 4:
            raise ModelDamaged(f"The autoencoder of {model} knows no transparency.")
        self.latent_channels = config["z_dim"]
        self.latent_factor = config["scale_factor_spatial"]
        self.native = NATIVE
        self.limits = FAMILIES[self.family].frames(NATIVE)
        self._mean, self._deviation = (
            torch.tensor(config[name])[None, :, None, None].to(device)
            for name in ("latents_mean", "latents_std")
        )
        self._preview = LatentPreview(self.family)
        self._caching = True
        self.ladder = self._usual_ladder(device, self._decode_in_pieces)
        if home != device:
            self.place()

    @classmethod
    def from_folder(cls, folder: Path, device: torch.device, model: str) -> Qwen21Pipeline:
        """Read the folder layout of diffusers. Raises ModelMissing or ModelDamaged."""
        return cls(Components(folder), device, model)

    @property
    def reducible(self) -> list[nn.Module]:
        return [self.denoiser, self.text_encoder]

    @property
    def modules(self) -> list[nn.Module]:
        return [self.denoiser, self.text_encoder, self.vae]

    def begin(self) -> None:
        self.ladder.begin()
        self.vae.use_tiling = False

    def _decode_in_pieces(self) -> bool:
        self.vae.enable_tiling()
        return True

    def layer_words(self, prompt: str) -> str:
        return transparent_words(prompt)

    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        (prompt,), (negative_prompt,) = prompts, negative_prompts
        return self.encode_instruction(prompt, negative_prompt, ())

    @eased
    @torch.inference_mode()
    def encode_instruction(
        self, instruction: str, negative_prompt: str, pictures: Sequence[Tensor]
    ) -> SeenPrompt:
        if len(pictures) > MOST_REFERENCES:
            raise BadRequest(f"The model “{self.model}” looks at {MOST_REFERENCES} pictures.")
        words, slots = self._embed(read(instruction, pictures))
        avoided, avoided_slots = self._embed(read(negative_prompt, pictures))
        references = tuple(self.encode_layer(picture) for picture in pictures)
        return SeenPrompt(
            words, avoided, slots=slots, negative_slots=avoided_slots, references=references
        )

    def _embed(self, reading: Reading) -> tuple[Tensor, Tensor]:
        """States of the tokens after the system's words, and which of them are a picture's."""
        ids = torch.tensor([self.tokenizer(reading.text)["input_ids"]], device=self.device)
        skipped = len(self.tokenizer(reading.skipped)["input_ids"])
        picture = ids == self.text_encoder.config.image_token_id
        seen: dict[str, Any] = {}
        if reading.patches is not None and reading.grids is not None:
            seen["pixel_values"] = reading.patches.to(self.device, self.dtype)
            seen["image_grid_thw"] = reading.grids.to(self.device)
        # The denoiser was trained on what goes into the last norm, not on what comes out.
        norm = self.text_encoder.language_model.norm
        handle = norm.register_forward_hook(_what_goes_in)
        try:
            states = self.text_encoder(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                mm_token_type_ids=picture.to(torch.int32),
                use_cache=False,
                **seen,
            ).last_hidden_state
        finally:
            handle.remove()
        return states[:, skipped:], picture[:, skipped:]

    def encode_image(self, rgb: Tensor) -> Tensor:
        return self.encode_layer(opaque(rgb))

    @eased
    @torch.inference_mode()
    def encode_layer(self, rgba: Tensor) -> Tensor:
        if self.premultiplied:
            rgba = torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)
        frame = (rgba.to(self.device, self.vae.dtype) * 2 - 1)[:, :, None]
        latent = self.vae.encode(frame).latent_dist.mode()[:, :, 0].float()
        return (latent - self._mean) / self._deviation

    def decode_image(self, latent: Tensor) -> Tensor:
        return self.decode_layer(latent, passes=1)[:, :3]

    @eased
    @torch.inference_mode()
    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        rgba = self._decoded(latent)
        self._preview.learn(latent, rgba)
        return rgba

    def _decoded(self, latent: Tensor) -> Tensor:
        unscaled = latent.to(self.device) * self._deviation + self._mean
        frame = unscaled[:, :, None].to(self.vae.dtype)
        pixels = self.vae.decode(frame, return_dict=False)[0][:, :, 0]
        rgba = (pixels.float() * 0.5 + 0.5).clamp(0, 1)
        return unmultiplied(rgba) if self.premultiplied else rgba

    @eased
    @torch.inference_mode()
    def preview(self, latent: Tensor) -> Tensor:
        return self._preview.see(latent, self._at_hand(lambda: self._decoded(shrunk(latent))))

    def make_scheduler(self, name: str) -> TokenFlow:
        FAMILIES[self.family].check_scheduler(name)
        # Part of the sampler's name, as rounding makes another picture of it in half precision.
        self._caching = name in ("", CACHED_EULER)
        scheduler = cast("Any", TokenFlow).from_config(self.scheduler_config)
        assert isinstance(scheduler, TokenFlow)
        scheduler.authors_levels = self._authors_levels
        return scheduler

    def predict(
        self,
        latent: Tensor,
        timestep: Tensor,
        tokens: Tensor,
        pooled: Tensor | None,
        condition: Tensor | None,
    ) -> Tensor:
        slots = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        return self._velocity(Branch(self.transformer, tokens, slots), latent, timestep)

    def _velocity(self, branch: Branch, latent: Tensor, timestep: Tensor) -> Tensor:
        def run() -> Tensor:
            with self.one_run(branch.run):
                return branch(latent, timestep)

        return self.ladder.attempt(run)

    def _guided(
        self, prompt: PromptEmbedding, guidance: float, condition: Tensor | None
    ) -> Denoise:
        assert isinstance(prompt, SeenPrompt)
        branches: list[Branch] = []

        def begin() -> None:
            # Not before the first step, when the scheduler has been made.
            for words, slots in (
                (prompt.positive, prompt.slots),
                (prompt.negative, prompt.negative_slots),
            ):
                assert slots is not None
                branches.append(
                    Branch(
                        self.transformer,
                        words,
                        slots,
                        prompt.references,
                        caching=self._caching,
                    )
                )

        def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
            if not branches:
                begin()
            wanted, avoided = branches
            positive = self._velocity(wanted, latent, timestep)
            if guidance == 1:
                return positive
            negative = self._velocity(avoided, latent, timestep)
            return guided(positive, negative, guidance)

        return denoise


def _what_goes_in(module: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> Tensor:
    """As a hook of a network: its input in place of its output."""
    return given[0]
