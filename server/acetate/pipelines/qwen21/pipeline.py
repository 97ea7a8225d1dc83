"""Qwen-Image-2.1: text, references and transparency in one model, without a patch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from acetate.errors import ModelDamaged
from acetate.models.families import CACHED_EULER
from acetate.pipelines.conditioning import PromptEmbedding
from acetate.pipelines.instructed_pipeline import InstructedPipeline
from acetate.pipelines.memory_ladder import eased
from acetate.pipelines.qwen21.components import Components
from acetate.pipelines.qwen21.denoising import Branch, SeenPrompt, TokenFlow
from acetate.pipelines.qwen21.prompts import Reading, read, transparent_words
from acetate.pipelines.sampling import Denoise, guided
from acetate.pipelines.transparency import AlphaKind, WidenedAutoencoder


class Qwen21Pipeline(InstructedPipeline):
    """Layers are straight alpha, as the published code writes what it decodes as PNG, unless the
    autoencoder of a base was measured to be of the other kind.
    """

    family: ClassVar[str] = "qwen21"
    components = Components
    flow = TokenFlow
    most_references = 10
    films = True

    def __init__(
        self,
        components: Components,
        device: torch.device,
        model: str,
        alpha: AlphaKind = "straight",
    ) -> None:
        super().__init__(components, device, model, WidenedAutoencoder(alpha, []))
        self._authors_levels = tuple(components.sample_sigmas)
        self.preset = CACHED_EULER
        config = self.vae.config
        if config["in_channels"] != 4 or config["out_channels"] != 4:
            raise ModelDamaged(f"The autoencoder of {model} knows no transparency.")
        self.latent_channels = config["z_dim"]
        self.latent_factor = config["scale_factor_spatial"]
        self._mean, self._deviation = self._told_scales()
        self._caching = True
        self._settle()

    def layer_words(self, prompt: str) -> str:
        return transparent_words(prompt)

    @eased
    @torch.inference_mode()
    def encode_instruction(
        self, instruction: str, negative_prompt: str, pictures: Sequence[Tensor]
    ) -> SeenPrompt:
        self.check_references(pictures)
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

    def decode_image(self, latent: Tensor) -> Tensor:
        return self.decode_layer(latent, passes=1)[:, :3]

    def make_scheduler(self, name: str) -> TokenFlow:
        scheduler: TokenFlow = super().make_scheduler(name)
        # Part of the sampler's name, as rounding makes another picture of it in half precision.
        self._caching = name in ("", CACHED_EULER)
        scheduler.authors_levels = self._authors_levels
        return scheduler

    def _velocity(
        self, latent: Tensor, timestep: Tensor, words: Tensor, references: Sequence[Tensor]
    ) -> Tensor:
        slots = torch.zeros(words.shape[:2], dtype=torch.bool, device=words.device)
        return Branch(self.transformer, words, slots, tuple(references))(latent, timestep)

    def _step(self, branch: Branch, latent: Tensor, timestep: Tensor) -> Tensor:
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
            positive = self._step(wanted, latent, timestep)
            if guidance == 1:
                return positive
            negative = self._step(avoided, latent, timestep)
            return guided(positive, negative, guidance)

        return denoise


def _what_goes_in(module: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> Tensor:
    """As a hook of a network: its input in place of its output."""
    return given[0]
