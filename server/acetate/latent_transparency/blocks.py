"""The down, middle and up blocks that the transparent decoder is stacked from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor, nn

from acetate.latent_transparency.unet_layers import (
    Downsample,
    ResidualBlock,
    SelfAttention,
    Upsample,
)

Skip = Tensor | Callable[[], Tensor]
"""A map for the way up: kept, or made again when it is needed."""


class DownBlock(nn.Module):
    """One level on the way down; returns its output and the skips that the way up will need."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        layers: int,
        groups: int,
        head_dim: int | None,
        *,
        last: bool,
    ) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(
            ResidualBlock(width_in if i == 0 else width_out, width_out, groups)
            for i in range(layers)
        )
        self.attentions = _attentions(width_out, layers, head_dim, groups)
        self.downsamplers = None if last else nn.ModuleList([Downsample(width_out)])

    def forward(
        self, x: Tensor, again: Callable[[], Tensor] | None = None
    ) -> tuple[Tensor, list[Skip]]:
        """`again` makes the input once more: memory is scarce, so only one skip is kept here."""
        if again is not None and self.attentions is None:
            return self._sparing(x, again)
        skips: list[Skip] = []
        for index, resnet in enumerate(self.resnets):
            x = resnet(x)
            if self.attentions is not None:
                x = self.attentions[index](x)
            skips.append(x)
        if self.downsamplers is not None:
            x = self.downsamplers[0](x)
            skips.append(x)
        return x, skips

    def _sparing(self, x: Tensor, again: Callable[[], Tensor]) -> tuple[Tensor, list[Skip]]:
        skips: list[Skip] = []
        for index, resnet in enumerate(self.resnets):
            x = resnet(x, reuse=True)
            skips.append(partial(self._until, index, again))
        skips[-1] = x  # Needed first on the way up.
        if self.downsamplers is not None:
            x = self.downsamplers[0](x)
            skips.append(x)
        return x, skips

    def _until(self, index: int, again: Callable[[], Tensor]) -> Tensor:
        """The output of a layer, from the start."""
        x = again()
        for resnet in self.resnets[: index + 1]:
            x = resnet(x, reuse=True)
        return x


class MiddleBlock(nn.Module):
    """Residual, attention (where the decoder has any), residual at the coarsest level."""

    def __init__(self, width: int, groups: int, head_dim: int | None) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(ResidualBlock(width, width, groups) for _ in range(2))
        self.attentions = _attentions(width, 1, head_dim, groups)

    def forward(self, x: Tensor) -> Tensor:
        x = self.resnets[0](x)
        if self.attentions is not None:
            x = self.attentions[0](x)
        return self.resnets[1](x)


class UpBlock(nn.Module):
    """One level on the way up; every residual block first takes one skip off the stack."""

    def __init__(
        self,
        widths_in: Sequence[int],
        width_out: int,
        groups: int,
        head_dim: int | None,
        *,
        last: bool,
    ) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(
            ResidualBlock(width_in, width_out, groups) for width_in in widths_in
        )
        self.attentions = _attentions(width_out, len(widths_in), head_dim, groups)
        self.upsamplers = None if last else nn.ModuleList([Upsample(width_out)])

    def forward(self, x: Tensor, skips: list[Skip]) -> Tensor:
        for index, resnet in enumerate(self.resnets):
            skip = skips.pop()
            x = resnet(x, skip if isinstance(skip, Tensor) else skip(), reuse=True)
            del skip
            if self.attentions is not None:
                x = self.attentions[index](x)
        return x if self.upsamplers is None else self.upsamplers[0](x)


def _attentions(width: int, count: int, head_dim: int | None, groups: int) -> nn.ModuleList | None:
    if head_dim is None:
        return None
    return nn.ModuleList(SelfAttention(width, head_dim, groups) for _ in range(count))
