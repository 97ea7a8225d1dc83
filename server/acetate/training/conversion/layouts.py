"""What the published files of each family are called, and how their networks are joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acetate.latent_transparency import OffsetEncoder, TransparentDecoder


@dataclass(frozen=True)
class Layout:
    """File names without their ending; a pair in one file has the same name twice.

    `alpha_last` is the order of the channels at both networks, `clipped` whether the decoder sees
    the plain picture clipped, `factor` what an offset is multiplied with and `by_deviation`
    whether by the latent's standard deviation too.
    """

    encoder: str
    decoder: str
    patch: str
    alpha_last: bool = False
    clipped: bool = True
    factor: float = 300.0
    by_deviation: bool = True

    @property
    def one_file(self) -> bool:
        """Whether the pair is published as one file."""
        return self.encoder == self.decoder


LAYOUTS = {
    "sd15": Layout(
        "layer_sd15_vae_transparent_encoder",
        "layer_sd15_vae_transparent_decoder",
        "layer_sd15_transparent_attn",
    ),
    "sdxl": Layout(
        "vae_transparent_encoder", "vae_transparent_decoder", "layer_xl_transparent_attn"
    ),
    "flux": Layout("TransparentVAE", "TransparentVAE", "layerlora", alpha_last=True, clipped=False),
    "embedded": Layout("encoder", "decoder", "", factor=1.0, by_deviation=False),
}

WIDENED_ALONE = ("flux2",)
"""Families for which nobody has published a pair."""


def build_pair(
    family: str, channels: int, shape: dict[str, Any] | None
) -> tuple[OffsetEncoder, TransparentDecoder]:
    """An untrained pair: in the published shape, or as {"encoder": {...}, "decoder": {...}} says.

    Raises TypeError and ValueError for a shape that is none.
    """
    if shape is None and family == "embedded":
        from acetate.training.architecture import TRANSPARENCY

        shape = TRANSPARENCY
    own = shape or {"encoder": {}, "decoder": {}}
    common: dict[str, Any] = {"latent_channels": channels}
    return (
        OffsetEncoder(**{**own["encoder"], **common}),
        TransparentDecoder(**{**own["decoder"], **common}),
    )
