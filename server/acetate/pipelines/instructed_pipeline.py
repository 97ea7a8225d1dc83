"""A pipeline whose words are read by a language model, in sight of pictures that they speak of.

What FLUX.2 and Qwen-Image-2.1 have in common: one folder of diffusers, a transformer that flows
from noise to picture, and a language model in place of a text encoder.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle

from acetate.errors import BadRequest
from acetate.images.tensors import opaque
from acetate.models.families import FAMILIES
from acetate.models.hashing import model_hash
from acetate.models.rgba_adapter import RgbaAdapter
from acetate.models.used_files import UsedFiles
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding, ReferredPrompt
from acetate.pipelines.folder_components import FolderComponents
from acetate.pipelines.latent_preview import LatentPreview, shrunk
from acetate.pipelines.memory_ladder import eased
from acetate.pipelines.patching import Patch
from acetate.pipelines.pipeline import Composition
from acetate.pipelines.precision import home_for
from acetate.pipelines.sampling import Denoise, guided
from acetate.pipelines.transparency import NoTransparency, Transparency
from acetate.pipelines.transparent_pipeline import TransparentPipeline

NATIVE = 1024
"""Side of the square that the published code of these families paints unless it is told another."""


class InstructedPipeline(TransparentPipeline):
    """Subclasses set `latent_channels`, `latent_factor` and the scales, and then call `_settle`.

    The scales are `_mean` and `_deviation` of what the autoencoder gives, [1, C, 1, 1] each.
    """

    composition: Composition = "instructed"
    flow: ClassVar[type[FlowMatchEulerDiscreteScheduler]]
    """Noise levels as its authors lay them."""
    packing: ClassVar[int] = 1
    """Places of the autoencoder's latent that lie in one of a scaled latent, along each side."""
    _mean: Tensor
    _deviation: Tensor
    components: ClassVar[type[FolderComponents]]
    most_references: ClassVar[int] = 0
    """Pictures that an instruction may speak of."""
    distilled: bool = False
    """Whether it was distilled to one run a step, without guidance."""

    def __init__(
        self,
        base: FolderComponents,
        device: torch.device,
        model: str,
        transparency: Transparency | RgbaAdapter | None = None,
    ) -> None:
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        self._home = home_for(base, device)
        # In whole precision: 8 bits of a mantissa show as steps in a soft alpha.
        layers = transparency or NoTransparency([])
        self._read_networks(base, layers, self._home, dtype, torch.float32)
        self.transformer: Any = self.denoiser
        self.text_encoder: Any = base.text_encoder(dtype, self._home)
        self.tokenizer = base.tokenizer()
        self.scheduler_config = base.scheduler_config()
        self.model = model
        self.model_hash = model_hash(base.weights)
        self.files = UsedFiles(base.files)
        self.device = device
        self.dtype = dtype
        self._preview = LatentPreview(self.family)
        self.native = NATIVE
        self.limits = FAMILIES[self.family].frames(NATIVE)

    def _settle(self) -> None:
        """Go to where there is room; the last thing that is done before the first painting."""
        self.ladder = self._usual_ladder(self.device, self._decode_in_pieces)
        if self._home != self.device:
            self.place()

    @classmethod
    def from_folder(cls, folder: Path, device: torch.device, model: str) -> Self:
        """Read the folder layout of diffusers. Raises ModelMissing or ModelDamaged."""
        return cls(cls.components(folder), device, model)

    @property
    def reducible(self) -> list[nn.Module]:
        return [self.denoiser, self.text_encoder]

    @property
    def modules(self) -> list[nn.Module]:
        return [self.denoiser, self.text_encoder, self.vae, *self.transparency.modules]

    def begin(self) -> None:
        self.ladder.begin()
        self.vae.use_tiling = False

    def _decode_in_pieces(self) -> bool:
        self.vae.enable_tiling()
        return True

    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        (prompt,), (negative_prompt,) = prompts, negative_prompts
        return self.encode_instruction(prompt, negative_prompt, ())

    def check_references(self, pictures: Sequence[Tensor]) -> None:
        """Raises BadRequest for more pictures than it looks at."""
        if len(pictures) > self.most_references:
            raise BadRequest(f"The model “{self.model}” looks at {self.most_references} pictures.")

    def needed_patch(self) -> Patch | None:
        """The adapter's, where painting layers takes one. Raises BadRequest without."""
        if self.adapter is None:
            raise BadRequest(
                f"The model “{self.model}” knows no transparency by itself.",
                "Take over an RGBA adapter for it with `acetate models import FOLDER --base "
                f"{self.model}`, and paint with that.",
            )
        return self._learnt

    @abstractmethod
    def _velocity(
        self, latent: Tensor, timestep: Tensor, words: Tensor, references: Sequence[Tensor]
    ) -> Tensor:
        """One evaluation of the denoiser, in sight of pictures [1, C, h, w]."""

    def _away(self, wanted: Tensor, avoided: Tensor, guidance: float) -> Tensor:
        """The wanted prediction, led away from the avoided one."""
        return guided(wanted, avoided, guidance)

    def predict(self, latent: Tensor, timestep: Tensor, told: Conditioning) -> Tensor:
        return self._velocity(latent, timestep, told.tokens, ())

    def _guided(
        self, prompt: PromptEmbedding, guidance: float, condition: Tensor | None
    ) -> Denoise:
        references = prompt.references if isinstance(prompt, ReferredPrompt) else ()
        alone = self.distilled or guidance == 1

        def run(latent: Tensor, timestep: Tensor, words: Tensor) -> Tensor:
            def once() -> Tensor:
                with self.one_run(f"{id(prompt)} {words is prompt.positive}"):
                    return self._velocity(latent, timestep, words, references)

            return self.ladder.attempt(once)

        def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
            wanted = run(latent, timestep, prompt.positive)
            if alone:
                return wanted
            return self._away(wanted, run(latent, timestep, prompt.negative), guidance)

        return denoise

    def make_scheduler(self, name: str) -> Any:
        FAMILIES[self.family].check_scheduler(name)
        return cast("Any", self.flow).from_config(self.scheduler_config)

    def _told_scales(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation as the autoencoder's configuration has them."""
        mean, deviation = (
            torch.tensor(self.vae.config[name])[None, :, None, None].to(self.device)
            for name in ("latents_mean", "latents_std")
        )
        return mean, deviation

    def _apart(self, latent: Tensor) -> Tensor:
        """A scaled latent as the linear map of previews reads it: with its places apart."""
        return pixel_shuffle(latent, self.packing)

    def _scaled(self, latent: Tensor) -> Tensor:
        return (latent - self._mean) / self._deviation

    def _unscaled(self, latent: Tensor) -> Tensor:
        return latent.to(self.device) * self._deviation + self._mean

    @eased
    @torch.inference_mode()
    def decode_image(self, latent: Tensor) -> Tensor:
        rgb = super().decode_image(latent)
        if self.adapter is None:  # All that is painted comes through here, and is opaque.
            self._preview.learn(self._apart(latent), opaque(rgb))
        return rgb

    @eased
    @torch.inference_mode()
    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        rgba = super().decode_layer(latent, passes)
        self._preview.learn(self._apart(latent), rgba)
        return rgba

    @eased
    @torch.inference_mode()
    def preview(self, latent: Tensor) -> Tensor:
        decode = super().decode_layer
        return self._preview.see(
            self._apart(latent), self._at_hand(lambda: decode(shrunk(latent), passes=1))
        )
