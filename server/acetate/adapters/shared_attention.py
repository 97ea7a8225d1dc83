"""One attention module that several layers of a scene share (LayerDiffuse, section 3.4).

In a batch the frame varies fastest: the layers of the first picture, of the second, and so on.
Names as in the published SD 1.5 files.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

SIGNAL_WIDTH = 256


@dataclass
class SharedRun:
    """What one run tells its units.

    `frame_texts` holds, per frame, text states [1 or pictures, T, D] that replace the common ones
    for the wanted half of a guided batch, or None. `unconditional` [batch] is 1 for the samples
    of the avoided half. `signals` are the control maps [1 or pictures, C, h, w] by h × w.
    """

    frame_texts: list[Tensor | None] = field(default_factory=list[Tensor | None])
    unconditional: Tensor | None = None
    signals: dict[int, Tensor] = field(default_factory=dict[int, Tensor])


class LowRankPair(nn.Module):
    """The two thin matrices of a low-rank change."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(inputs, rank, bias=False)
        self.up = nn.Linear(rank, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.up(self.down(x))


class SharedAttention(nn.Module):
    """The trained part of a unit: low-rank pairs per frame, attention across frames, control."""

    def __init__(
        self,
        width: int,
        context_width: int,
        rank: int,
        frames: int,
        *,
        control: bool,
        signal_width: int = SIGNAL_WIDTH,
    ) -> None:
        super().__init__()
        self.frames = frames

        def pairs(inputs: int) -> nn.ModuleList:
            return nn.ModuleList(LowRankPair(inputs, width, rank) for _ in range(frames))

        self.to_q_lora = pairs(width)
        self.to_k_lora = pairs(context_width)
        self.to_v_lora = pairs(context_width)
        self.to_out_lora = pairs(width)
        self.temporal_i = nn.Linear(width, width)
        self.temporal_n = nn.LayerNorm(width, eps=1e-6)
        self.temporal_q = nn.Linear(width, width)
        self.temporal_k = nn.Linear(width, width)
        self.temporal_v = nn.Linear(width, width)
        self.temporal_o = nn.Linear(width, width)
        if control:
            self.control_convs = nn.ModuleList(
                nn.Sequential(
                    nn.Conv2d(signal_width, signal_width, 3, padding=1),
                    nn.SiLU(),
                    nn.Conv2d(signal_width, width, 1),
                )
                for _ in range(frames)
            )

    def forward(
        self, base: nn.Module, hidden: Tensor, text: Tensor | None, run: SharedRun
    ) -> Tensor:
        """What to add to `hidden` [batch, tokens, C]; `base` is the frozen attention module."""
        frames = [*torch.unflatten(hidden, 0, (-1, self.frames)).unbind(1)]
        if run.signals:
            frames = [x + self._control(x, index, run) for index, x in enumerate(frames)]
        texts = self._texts(text, run)
        frames = [
            x + self._attend(base, x, x if texts is None else texts[index], index)
            for index, x in enumerate(frames)
        ]
        mixed = torch.stack(frames, dim=1)
        mixed = mixed + self._across_frames(mixed, base)
        return mixed.flatten(0, 1) - hidden

    def _control(self, x: Tensor, index: int, run: SharedRun) -> Tensor:
        signal = run.signals.get(x.shape[1])
        if signal is None:
            raise ValueError(
                f"the control image does not have the size of the picture: nothing for "
                f"{x.shape[1]} tokens"
            )
        convolved = self.control_convs[index](signal.to(x.device, x.dtype))
        return _repeated(convolved.flatten(2).transpose(1, 2), x.shape[0])

    def _texts(self, text: Tensor | None, run: SharedRun) -> list[Tensor] | None:
        if text is None:
            return None
        texts = [*torch.unflatten(text, 0, (-1, self.frames)).unbind(1)]
        for index, own in enumerate(run.frame_texts):
            if own is None:
                continue
            common = texts[index]
            own = _repeated(own.to(common), common.shape[0])
            if run.unconditional is None:
                texts[index] = own
            else:
                mark = run.unconditional.to(common)[:: self.frames, None, None]
                texts[index] = own * (1 - mark) + common * mark
        return texts

    def _attend(self, base: nn.Module, x: Tensor, context: Tensor, index: int) -> Tensor:
        heads: int = base.heads  # pyright: ignore[reportAssignmentType]
        project, back = base.get_submodule, base.get_submodule("to_out.0")
        query = project("to_q")(x) + self.to_q_lora[index](x)
        key = project("to_k")(context) + self.to_k_lora[index](context)
        value = project("to_v")(context) + self.to_v_lora[index](context)
        mixed = _attention(query, key, value, heads)
        return back(mixed) + self.to_out_lora[index](mixed)

    def _across_frames(self, mixed: Tensor, base: nn.Module) -> Tensor:
        """Attention between the frames at each place; `mixed` is [pictures, frames, tokens, C]."""
        heads: int = base.heads  # pyright: ignore[reportAssignmentType]
        places = self.temporal_i(self.temporal_n(mixed)).transpose(1, 2).flatten(0, 1)
        query, key, value = (
            project(places) for project in (self.temporal_q, self.temporal_k, self.temporal_v)
        )
        across = self.temporal_o(_attention(query, key, value, heads))
        return torch.unflatten(across, 0, (mixed.shape[0], -1)).transpose(1, 2)


class ControlEncoder(nn.Module):
    """Control maps of an image, one for each resolution of the denoiser."""

    def __init__(self, signal_width: int = SIGNAL_WIDTH) -> None:
        super().__init__()
        ladder: list[nn.Module] = []
        previous = 3
        for level, width in enumerate((32, 64, 128, signal_width)):
            stride = 1 if level == 0 else 2
            ladder += [nn.Conv2d(previous, width, 3, stride=stride, padding=1), nn.SiLU()]
            ladder += [nn.Conv2d(width, width, 3, padding=1), nn.SiLU()]
            previous = width
        self.blocks_0 = nn.Sequential(*ladder)
        self.blocks_1, self.blocks_2, self.blocks_3 = (
            nn.Sequential(
                nn.Conv2d(signal_width, signal_width, 3, stride=2, padding=1),
                nn.SiLU(),
                nn.Conv2d(signal_width, signal_width, 3, padding=1),
                nn.SiLU(),
            )
            for _ in range(3)
        )

    def forward(self, image: Tensor) -> dict[int, Tensor]:
        """Maps by their number of pixels, for an image [B, 3, H, W] in [0, 1]."""
        x = image * 2 - 1
        signals: dict[int, Tensor] = {}
        for block in (self.blocks_0, self.blocks_1, self.blocks_2, self.blocks_3):
            x = block(x)
            signals[x.shape[-2] * x.shape[-1]] = x
        return signals


def _attention(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    def split(x: Tensor) -> Tensor:
        return torch.unflatten(x, -1, (heads, -1)).transpose(1, 2)

    mixed = functional.scaled_dot_product_attention(split(query), split(key), split(value))
    return mixed.transpose(1, 2).flatten(2)


def _repeated(x: Tensor, count: int) -> Tensor:
    """One entry for all pictures, or as many as there are, once for each half of a guided batch."""
    if x.shape[0] == count:
        return x
    return x.repeat(count // x.shape[0], *[1] * (x.dim() - 1))
