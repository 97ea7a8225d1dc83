"""Layers that belong together, painted as a sentence about pictures says (Qwen-Image-2.1)."""

from __future__ import annotations

from collections.abc import Sequence

from acetate.images.tensors import opaque
from acetate.latent_transparency import composite_on_grey, composite_over
from acetate.modes.context import Painting
from acetate.pipelines.conditioning import PromptEmbedding
from acetate_bridge.protocol.types import Layer, Role

_BEHIND = "Paint only the background that lies behind what the picture shows, without it"
_ONTO = "Paint, to be laid onto the picture, in its light and its perspective"
_OUT = "Take out of <image1> what <image2> lacks"
_REMOVED = "Take away from <image1> what <image2> shows, and paint what lies behind it"


def paint_background(painting: Painting) -> list[Layer]:
    """The opaque picture behind the image `layer`."""
    told = _told(painting, _BEHIND, ["layer"], painting.recipe.prompt)
    latent = painting.stage(told, None, preview=painting.seen)
    return [painting.opaque(latent, Role.BACKGROUND)]


def paint_foreground(painting: Painting) -> list[Layer]:
    """The layer for the image `picture`; blended is what the two add up to."""
    words = painting.prompt(Role.FOREGROUND)
    told = _told(painting, _ONTO, ["picture"], words, cut_out=True)
    latent = painting.stage(told, painting.pipeline.patch_for("foreground"))
    rgba = painting.pipeline.decode_layer(latent, painting.recipe.passes).cpu()
    blended = opaque(composite_over(rgba, composite_on_grey(painting.picture("picture"))))
    return [painting.layer(rgba, Role.FOREGROUND), painting.layer(blended, Role.BLENDED)]


def paint_other(painting: Painting, known: str) -> list[Layer]:
    """The layer of `picture` that is not `known`: its `background` or the `layer` in front."""
    role = Role.FOREGROUND if known == "background" else Role.BACKGROUND
    words = painting.prompt(role)
    if role is Role.FOREGROUND:
        told = _told(painting, _OUT, ["picture", known], words, cut_out=True)
        patch = painting.pipeline.patch_for("extract")
        return [painting.transparent(painting.stage(told, patch))]
    told = _told(painting, _REMOVED, ["picture", known], words)
    return [painting.opaque(painting.stage(told, None, preview=painting.seen), role)]


def change_of_layer(painting: Painting) -> PromptEmbedding:
    """What the recipe's prompt says is to be done to the image `layer`."""
    pipeline = painting.pipeline
    words = pipeline.layer_words(painting.recipe.prompt)
    return pipeline.encode_instruction(
        words, painting.recipe.negative_prompt, [painting.picture("layer")]
    )


def _told(
    painting: Painting, task: str, names: Sequence[str], words: str, *, cut_out: bool = False
) -> PromptEmbedding:
    pipeline = painting.pipeline
    sentence = f"{task}: {words}" if words.strip() else task
    return pipeline.encode_instruction(
        pipeline.layer_words(sentence) if cut_out else f"{sentence}.",
        painting.recipe.negative_prompt,
        [painting.picture(name) for name in names],
    )
