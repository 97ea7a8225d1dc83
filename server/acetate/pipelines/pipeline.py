"""The verbs that every family of models speaks, and nothing that a painter would say.

Pictures are float tensors [B, 3 or 4, H, W] in [0, 1], RGBA with straight alpha. Latents are
*scaled* latents, [B, C, H / factor, W / factor]: the space that the denoiser works in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from acetate.errors import BadRequest
from acetate.images.tensors import opaque
from acetate.models.image_adapters import ImageEncoderFile
from acetate.models.used_files import UsedFiles
from acetate.pipelines.acceleration import CompileState
from acetate.pipelines.conditioning import Conditioning, PromptEmbedding
from acetate.pipelines.denoising import Denoising, in_one_batch
from acetate.pipelines.memory_ladder import Ladder
from acetate.pipelines.patching import Patch, injected
from acetate.pipelines.sampling import (
    Denoise,
    Handover,
    OnStep,
    Step,
    guided,
    planned_steps,
    sample,
)
from acetate.upscaling.network import Upscaler
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.types import Aspect

Told = Mapping[str, Mapping[str, str]]

Composition = Literal["direct", "staged", "shared", "instructed"]
"""How a family paints layers that belong together: straight from the condition; the blended
picture first and the missing layer from it; all layers at once, sharing attention; or as a sentence
about pictures says, which it reads with them."""


@dataclass(frozen=True)
class Filling:
    """What a selection is filled from, a straight layer [1, 4, H, W], and where it may change.

    It is repainted with a strength of `most` at the most.
    """

    start: Tensor
    free: Tensor
    most: float = 1.0


class Pipeline(ABC):
    """One loaded model. Subclasses own the components and know their shapes and scales."""

    family: ClassVar[str]
    composition: Composition = "direct"
    paints_together: ClassVar[bool] = False
    """Whether a batch can have pictures of several prompts; see `denoising.merged`."""

    batched_guidance: bool = True
    """Whether wanted and avoided prompt go through the denoiser together or one after the other."""

    weighs_words: ClassVar[bool] = False
    """Whether `(words:1.3)` in a prompt is for it to read; others get words alone."""

    upscaler: Upscaler | None = None
    """What enlarges layers, of a model that does nothing else; others take the one that ships."""

    preset: str = ""
    """The scheduler that the base was distilled for, which a recipe without one gets."""
    model: str
    model_hash: str
    device: torch.device
    dtype: torch.dtype
    latent_channels: int
    latent_factor: int
    native: int
    """Side of the square that the model was trained on, in pixels: where it paints best."""
    limits: FrameLimits
    denoiser: nn.Module
    files: UsedFiles
    """Which files the painting of the moment uses."""
    ladder: Ladder
    """What is given up when memory runs out."""
    compiled: CompileState | None = None
    """How compiling the blocks of its denoiser goes, where that is wanted."""
    step_cache: Any = None  # A `StepCache`, where the painting of the moment skips steps.

    @property
    def weight_form(self) -> str:
        """In how few bits its weights are kept, as a recipe has it: empty where not reduced."""
        return ""

    def reduce_as_asked(self) -> None:
        """Bring its weights into the form that a recipe asks for, where that can be."""
        return None

    @property
    @abstractmethod
    def modules(self) -> list[nn.Module]:
        """All networks that stay in memory with the model."""

    @abstractmethod
    def encode_prompt(
        self, prompts: Sequence[str], negative_prompts: Sequence[str]
    ) -> PromptEmbedding:
        """Embed as many prompts as there are pictures; an empty negative prompt avoids nothing."""

    def layer_words(self, prompt: str) -> str:
        """A prompt in the words with which the family's authors ask for transparency, if any."""
        return prompt

    def encode_instruction(
        self, instruction: str, negative_prompt: str, pictures: Sequence[Tensor]
    ) -> PromptEmbedding:
        """A sentence about pictures, straight [1, 4, H, W], which it calls <image1>, <image2>, …

        Only for families whose composition is instructed. Raises BadRequest.
        """
        raise BadRequest(f"The model “{self.model}” cannot be told to change a picture.")

    @abstractmethod
    def encode_image(self, rgb: Tensor) -> Tensor:
        """Scaled latent of an opaque picture [B, 3, H, W]."""

    @abstractmethod
    def encode_layer(self, rgba: Tensor) -> Tensor:
        """Scaled latent of a straight-alpha layer [B, 4, H, W], its transparency included."""

    @abstractmethod
    def decode_image(self, latent: Tensor) -> Tensor:
        """Opaque picture [B, 3, H, W] of a scaled latent."""

    @abstractmethod
    def decode_layer(self, latent: Tensor, passes: int) -> Tensor:
        """Straight-alpha layer [B, 4, H, W] of a scaled latent; `passes` is 1, 2, 4 or 8."""

    @abstractmethod
    def make_scheduler(self, name: str) -> Any:
        """A fresh scheduler by name; the empty name is the model's own. Raises BadRequest."""

    @abstractmethod
    def predict(self, latent: Tensor, timestep: Tensor, told: Conditioning) -> Tensor:
        """One evaluation of the denoiser on a scaled input [B, C, h, w], without guidance."""

    @abstractmethod
    def begin(self) -> None:
        """A new painting starts: what the last one gave up for want of memory is there again."""

    def patch_for(self, mode: str) -> Patch | None:
        """The weights that teach the denoiser this mode; None where it can do it as it is."""
        return None

    def styled(
        self, styles: Sequence[tuple[Path, float]], told: Told = MappingProxyType({})
    ) -> AbstractContextManager[None]:
        """Style files fused at these weights, in this order, for the length of a block.

        `told` is what was known of a file when it was imported beside its own header, by its name.
        Raises BadRequest.
        """
        if styles:
            raise BadRequest(f"The model “{self.model}” takes no styles.")
        return nullcontext()

    def following(
        self, network: Path, image: Tensor, strength: float, end: float = 1.0, kind: str = ""
    ) -> AbstractContextManager[None]:
        """A control image followed for the length of a block. Raises BadRequest.

        `end` is the share of the noise levels after which it is followed no more; `kind` tells a
        network that follows several what the image shows. Blocks inside
        each other follow all their images at once.
        """
        raise BadRequest(f"The model “{self.model}” cannot follow a control image.")

    def sketched(
        self, lines: Tensor, strength: float, end: float = 1.0
    ) -> AbstractContextManager[None]:
        """Light lines on black [1, 3, H, W] followed for the length of a block. Raises BadRequest.

        Only for families that follow `sketches` without a control network.
        """
        raise BadRequest(f"The model “{self.model}” cannot follow a sketch.")

    def filled(
        self, prompt: str, seed: int, layer: Tensor, continued: Tensor, free: Tensor
    ) -> Filling:
        """What a selection of a straight layer [1, 4, H, W] is filled from.

        `continued` is the layer with its free part, [1, 1, H, W], filled from its surroundings.
        """
        return Filling(continued, free)

    def referring(self, picture: Tensor, strength: float) -> AbstractContextManager[None]:
        """A straight layer [1, 4, H, W] gone by for the length of a block. Raises BadRequest.

        Only for families with `references`.
        """
        raise BadRequest(f"The model “{self.model}” cannot go by a reference picture.")

    def resembling(
        self,
        adapter: Path,
        encoder: ImageEncoderFile,
        picture: Tensor,
        strength: float,
        aspect: Aspect = "whole",
    ) -> AbstractContextManager[None]:
        """The same by an image adapter, which reads the picture with an image encoder.

        Blocks inside each other go by all their pictures. Raises BadRequest, also for an aspect
        that the family cannot tell from the rest.
        """
        raise BadRequest(f"The model “{self.model}” cannot go by a reference picture.")

    def preview(self, latent: Tensor) -> Tensor:
        """A small picture [B, 4, h, w] of a scaled latent, cheap enough for every step."""
        return self.decode_layer(latent, passes=1)

    def preview_opaque(self, latent: Tensor) -> Tensor:
        """The same of a latent without transparency."""
        return opaque(self.decode_image(latent))

    def one_run(self, branch: str) -> AbstractContextManager[None]:
        """Around one run of the denoiser: for this branch of the guidance, of this prompt."""
        return nullcontext() if self.step_cache is None else self.step_cache.of(branch)

    def draw_noise(self, width: int, height: int, generator: torch.Generator) -> Tensor:
        """Unit noise for one picture of this size in pixels.

        Drawn on the CPU, so that a seed means the same picture on every device.
        """
        shape = (1, self.latent_channels, height // self.latent_factor, width // self.latent_factor)
        return torch.randn(shape, generator=generator).to(self.device)

    def denoise(
        self,
        noise: Tensor,
        prompt: PromptEmbedding,
        *,
        steps: int,
        guidance: float,
        latent: Tensor | None = None,
        strength: float = 1.0,
        freedom: Tensor | None = None,
        conditions: Sequence[Tensor] = (),
        patch: Patch | None = None,
        stop_at: float = 1.0,
        scheduler: str = "",
        generator: torch.Generator | None = None,
        preview: Callable[[Tensor], Tensor] | None = None,
        on_step: OnStep | None = None,
    ) -> Tensor:
        """Paint: from noise, or from `latent` noised to `strength`, to a scaled latent.

        `freedom` holds places of that latent back: see `sample`.
        `conditions` are scaled latents that the denoiser looks at. `patch` is injected for the
        run and always ejected; past `stop_at` of the noise levels the bare denoiser finishes
        alone. `preview` turns the expected latent into the picture that `on_step` can ask for.
        """
        asked = Denoising(
            noise,
            prompt,
            steps,
            guidance,
            latent,
            strength,
            freedom,
            conditions,
            patch,
            stop_at,
            scheduler,
            generator,
        )
        return self.denoise_prepared(self.prepared(asked), preview, on_step)

    def prepared(self, asked: Denoising) -> Denoising:
        """What a family does before it paints: what it begins from, and what it looks at."""
        return asked

    def denoise_prepared(
        self,
        asked: Denoising,
        preview: Callable[[Tensor], Tensor] | None = None,
        on_step: OnStep | None = None,
    ) -> Tensor:
        """`denoise` for what is prepared; of several pictures the preview shows the first."""
        render = preview or self.preview
        shown = 1 if asked.apart else len(asked.noise)
        if self.step_cache is not None:
            steps, whole = asked.steps, asked.latent is None
            planned = steps if whole else planned_steps(steps, asked.strength)
            self.step_cache.begin(planned, planned - steps)

        def report(index: int, total: int, expected: Callable[[], Tensor]) -> None:
            if on_step is not None:
                on_step(Step(index, total, lambda: render(expected()[:shown])))

        with injected(asked.patch, self.denoiser, self.ladder) as eject:

            def finish_bare() -> Denoise:
                eject()
                return self._told(asked, bare=True)

            return sample(
                self._told(asked),
                self.make_scheduler(asked.scheduler),
                asked.noise,
                steps=asked.steps,
                latent=asked.latent,
                strength=asked.strength,
                freedom=asked.freedom,
                handover=Handover(asked.stop_at, finish_bare) if asked.stop_at < 1 else None,
                generator=asked.generator,
                on_step=report,
            )

    def _told(self, asked: Denoising, bare: bool = False) -> Denoise:
        """The denoiser told what is asked for; `bare` is without its patch, and what that sees."""
        condition = None if bare and asked.patch else asked.condition
        denoise = self._taking_turns(asked.prompt, asked.guidance, condition)
        if not asked.apart:
            return denoise
        return in_one_batch(denoise, [self._told(each, bare) for each in asked.apart], self.ladder)

    def _taking_turns(
        self, prompt: PromptEmbedding, guidance: float, condition: Tensor | None
    ) -> Denoise:
        """Guided by the prompt, or at each step by the next of those that take turns."""
        ways = [self._guided(each, guidance, condition) for each in (prompt, *prompt.turns)]
        if self.step_cache is not None:
            self.step_cache.forget()
            ways = [self.step_cache.watching(each) for each in ways]
        if len(ways) == 1:
            return ways[0]
        seen: list[float] = []

        def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
            level = float(timestep)
            if level not in seen:
                seen.append(level)
            return ways[seen.index(level) % len(ways)](latent, timestep)

        return denoise

    def _guided(
        self, prompt: PromptEmbedding, guidance: float, condition: Tensor | None
    ) -> Denoise:
        wanted = Conditioning(prompt.positive, prompt.pooled_positive, condition)
        avoided = Conditioning(prompt.negative, prompt.pooled_negative, condition)

        def alone(latent: Tensor, timestep: Tensor) -> Tensor:
            return self.predict(latent, timestep, wanted)

        def in_turn(latent: Tensor, timestep: Tensor) -> Tensor:
            positive = self.predict(latent, timestep, wanted)
            negative = self.predict(latent, timestep, avoided)
            return guided(positive, negative, guidance)

        def together(latent: Tensor, timestep: Tensor) -> Tensor:
            both = Conditioning(
                torch.cat([wanted.tokens, avoided.tokens]),
                _both(wanted.pooled, avoided.pooled),
                _both(condition, condition),
            )
            found = self.predict(torch.cat([latent, latent]), timestep, both)
            positive, negative = found.chunk(2)
            return guided(positive, negative, guidance)

        def denoise(latent: Tensor, timestep: Tensor) -> Tensor:
            way = alone if guidance == 1 else together if self.batched_guidance else in_turn
            return way(latent, timestep)

        return lambda latent, timestep: self.ladder.attempt(lambda: denoise(latent, timestep))


def _both(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return None if first is None or second is None else torch.cat([first, second])
