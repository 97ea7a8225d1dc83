"""Painting layers side by side, as SD 1.5 does: one batch, its attention shared."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from acetate.adapters import AttentionSharing
from acetate.modes.context import Painting, cannot
from acetate.pipelines.conditioning import PromptEmbedding
from acetate_bridge.protocol.types import Role


def paint_frames(
    painting: Painting, task: str, roles: Sequence[Role], control: Tensor | None = None
) -> dict[Role, Tensor]:
    """The scaled latent [1, C, h, w] of each role, in the order that the patch was trained with.

    `control` is the picture [1, 3, H, W] that the layers are made for. The recipe's prompt goes
    to all layers; words of a single layer are put before it.
    """
    pipeline, recipe = painting.pipeline, painting.recipe
    patch = pipeline.patch_for(task)
    if not isinstance(patch, AttentionSharing) or patch.frames != len(roles):
        raise cannot(pipeline, recipe.mode)
    count = len(roles)
    own = [_joined(recipe.layer_prompts.get(role.value, ""), recipe.prompt) for role in roles]
    # All in one call, so that long prompts come out with equally many tokens.
    embedded = pipeline.encode_prompt(
        [recipe.prompt] * count + own, [recipe.negative_prompt] * count
    )
    halves = 1 if recipe.guidance == 1 else 2
    patch.prepare(
        frame_texts=[
            embedded.positive[count + index : count + index + 1]
            if recipe.layer_prompts.get(role.value)
            else None
            for index, role in enumerate(roles)
        ],
        control=control,
        unconditional=torch.arange(halves).repeat_interleave(count) if halves == 2 else None,
    )
    prompt = PromptEmbedding(embedded.positive[:count], embedded.negative)
    preview = None if roles[0] is Role.FOREGROUND else painting.seen
    latents = painting.stage(
        prompt,
        patch,
        frames=count,
        stop_at=recipe.stop_at,
        preview=preview or (lambda latent: pipeline.preview(latent[:1])),
    )
    return {role: latents[index : index + 1] for index, role in enumerate(roles)}


def _joined(own: str, common: str) -> str:
    return ", ".join(words for words in (own, common) if words)
