"""One variant being painted, in one stage or in several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from acetate.errors import BadRequest
from acetate.images.tensors import bleed, opaque, to_image, to_tensor
from acetate.latent_transparency import composite_on_grey
from acetate.modes.naming import layer_name
from acetate.pipelines.conditioning import PromptEmbedding
from acetate.pipelines.pipeline import Patch, Pipeline
from acetate.pipelines.sampling import OnStep, Step
from acetate_bridge.protocol.types import Layer, Request, Role


class Painting:
    """Request, pipeline and random numbers of one variant; progress counts over all stages."""

    def __init__(
        self, request: Request, pipeline: Pipeline, on_step: OnStep | None, stages: int = 1
    ) -> None:
        self.request = request
        self.recipe = request.recipe
        self.pipeline = pipeline
        self.generator = torch.Generator().manual_seed(request.recipe.seed)
        self._on_step = on_step
        self._stages = stages
        self._done = 0

    def picture(self, name: str) -> Tensor:
        """An image of the request, straight-alpha [1, 4, H, W]."""
        return to_tensor(self.request.images[name])

    def on_grey(self, name: str) -> Tensor:
        """An image of the request as the diffusion sees transparency: [1, 3, H, W] on mid grey."""
        return composite_on_grey(self.picture(name))

    def prompt(self, role: Role) -> str:
        """What is to be painted on the layer of this role."""
        return self.recipe.layer_prompts.get(role.value) or self.recipe.prompt

    def embed(self, prompt: str) -> PromptEmbedding:
        """The prompt, against what the recipe avoids."""
        return self.pipeline.encode_prompt([prompt], [self.recipe.negative_prompt])

    def noise(self, frames: int = 1) -> Tensor:
        """Unit noise for that many layers of the frame's size."""
        size = self.recipe.width, self.recipe.height
        drawn = [self.pipeline.draw_noise(*size, self.generator) for _ in range(frames)]
        return torch.cat(drawn)

    def stage(
        self,
        prompt: PromptEmbedding,
        patch: Patch | None,
        *,
        frames: int = 1,
        conditions: Sequence[Tensor] = (),
        latent: Tensor | None = None,
        strength: float = 1.0,
        freedom: Tensor | None = None,
        steps: int | None = None,
        stop_at: float = 1.0,
        scheduler: str = "",
        preview: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """Denoise once; the scaled latent. See `Pipeline.denoise`."""
        result = self.pipeline.denoise(
            self.noise(frames),
            prompt,
            steps=self.recipe.steps if steps is None else steps,
            guidance=self.recipe.guidance,
            latent=latent,
            strength=strength,
            freedom=freedom,
            conditions=conditions,
            patch=patch,
            stop_at=stop_at,
            scheduler=self.recipe.scheduler or scheduler,
            generator=self.generator,
            preview=preview,
            on_step=self._counting_on(),
        )
        self._done += 1
        return result

    def seen(self, latent: Tensor) -> Tensor:
        """Preview of the first frame as an opaque picture."""
        return self.pipeline.preview_opaque(latent[:1])

    def transparent(self, latent: Tensor, role: Role = Role.FOREGROUND) -> Layer:
        """The layer in a latent with transparency."""
        return self.layer(self.pipeline.decode_layer(latent, self.recipe.passes), role)

    def opaque(self, latent: Tensor, role: Role) -> Layer:
        """The layer in a latent without."""
        return self.layer(opaque(self.pipeline.decode_image(latent)), role)

    def layer(self, rgba: Tensor, role: Role) -> Layer:
        """Pixels [1, 4, H, W] as a layer of this painting."""
        return Layer(
            to_image(bleed(rgba), self.request.pixel_format),
            role,
            layer_name(self.prompt(role)),
            recipe=self.recipe,
        )

    def _counting_on(self) -> OnStep | None:
        on_step, done, stages = self._on_step, self._done, self._stages
        if on_step is None:
            return None

        def count(step: Step) -> None:
            index, total = done * step.total + step.index, stages * step.total
            on_step(replace(step, index=index, total=total))

        return count


def cannot(pipeline: Pipeline, mode: str) -> BadRequest:
    """The error for a mode that a family has no way to paint."""
    return BadRequest(f"The model “{pipeline.model}” cannot do the mode “{mode}”.")
