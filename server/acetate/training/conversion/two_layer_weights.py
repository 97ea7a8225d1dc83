"""What a denoiser learns from pairs of layers, and the published file that holds it."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from math import sqrt
from typing import Any, cast

from torch import Tensor, nn

from acetate.adapters import AttentionSharing
from acetate.adapters.attention_sharing import attentions_of
from acetate.adapters.shared_attention import (
    SIGNAL_WIDTH,
    ControlEncoder,
    SharedAttention,
    SharedRun,
)
from acetate.models.unet_names import ldm_names
from acetate.training.conversion.low_rank import TrainedAttention
from acetate.training.conversion.patch_files import PUBLISHED_RANK
from acetate.training.conversion.two_layer_tasks import Task

_CONVOLUTIONS = re.compile(r"resnets|samplers|conv_in|conv_norm_out|conv_out")
_KEPT = re.compile(r"\.to_[qkv]\.|time_embedding|add_embedding")
"""What the published file that paints a layer leaves as it is; it changes all the rest."""
_INPUT = "conv_in"


class TwoLayerWeights(nn.Module):
    """Trained weights inside a frozen denoiser, until `remove`."""

    @abstractmethod
    def look_at(self, picture: Tensor | None) -> None:
        """What the next run is shown, [B, 3, H, W] in [0, 1]."""

    @abstractmethod
    def file(self) -> dict[str, Tensor]:
        """The tensors of the published file, before `remove`."""

    @abstractmethod
    def remove(self) -> None:
        """Leave the denoiser as it was."""


class SharedWeights(TwoLayerWeights):
    """SD 1.5: frames of one picture share attention, and a control encoder looks at a picture."""

    def __init__(self, denoiser: nn.Module, task: Task, rank: int) -> None:
        super().__init__()
        denoiser.requires_grad_(False)
        frames, control = len(task.painted), bool(task.seen)
        units = {
            name: SharedAttention(
                cast("nn.Linear", attention.to_q).in_features,
                cast("nn.Linear", attention.to_k).in_features,
                rank or PUBLISHED_RANK,
                frames,
                control=control,
                signal_width=SIGNAL_WIDTH,
            )
            for name, attention in attentions_of(denoiser).items()
        }
        self.units = nn.ModuleList(units.values())
        self.control = ControlEncoder(SIGNAL_WIDTH) if control else None
        for unit in units.values():
            _answering_nothing(unit)
        self.to(next(denoiser.parameters()).device)
        self._patch = AttentionSharing(units, self.control, frames)
        self._patch.inject(denoiser)

    def look_at(self, picture: Tensor | None) -> None:
        if self.control is not None and picture is not None:
            self._patch.run = SharedRun(signals=self.control(picture))

    def file(self) -> dict[str, Tensor]:
        state: dict[str, Tensor] = {}
        for number, unit in enumerate(self.units):
            for key, value in unit.state_dict().items():
                tensor = value.detach().cpu()
                if ".down." in key and (room := PUBLISHED_RANK - tensor.shape[0]) > 0:
                    tensor = nn.functional.pad(tensor, (0, 0, 0, room))
                elif ".up." in key and (room := PUBLISHED_RANK - tensor.shape[1]) > 0:
                    tensor = nn.functional.pad(tensor, (0, room))
                state[f"hookers.layers.{number}.{key}"] = tensor
        if self.control is not None:
            for key, value in self.control.state_dict().items():
                state[f"kwargs_encoder.{key}"] = value.detach().cpu()
        return state

    def remove(self) -> None:
        self._patch.eject()


class WidenedWeights(TwoLayerWeights):
    """SDXL: what is seen enters beside the noisy latent, through weights that begin at zero.

    With a rank the attention learns beside that, without one what the published files change.
    """

    def __init__(self, denoiser: nn.Module, task: Task, rank: int, channels: int) -> None:
        super().__init__()
        self._denoiser = [denoiser]  # In a list, so that its weights are not this module's.
        self.attention = TrainedAttention(denoiser, rank) if rank else None
        denoiser.requires_grad_(False) if not rank else None
        whole = task.painted == ("layer",)
        names = [f"{_INPUT}.weight", f"{_INPUT}.bias"]
        if not rank:
            names = [
                name
                for name, _ in denoiser.named_parameters()
                if (not _KEPT.search(name) if whole else _CONVOLUTIONS.search(name))
            ]
        self._originals: dict[str, Tensor] = {}
        self.whole = nn.ParameterDict()
        for name in names:
            weight = denoiser.get_parameter(name)
            self._originals[name] = weight.detach()
            wide = weight.detach().float()
            if name == f"{_INPUT}.weight":
                more = len(task.seen) * channels
                wide = nn.functional.pad(wide, (0, 0, 0, 0, 0, more))
            self._exchange(name, nn.Parameter(wide.clone()))
            self.whole[name.replace(".", "/")] = denoiser.get_parameter(name)

    def look_at(self, picture: Tensor | None) -> None:
        """It sees latents."""

    def file(self) -> dict[str, Tensor]:
        (denoiser,) = self._denoiser
        ldm = {ours: theirs for theirs, ours in ldm_names([*self._names(denoiser)]).items()}
        state: dict[str, Tensor] = {}
        for key, weight in self.whole.items():
            name = key.replace("/", ".")
            change = weight.detach().float().cpu().clone()
            original = self._originals[name].float().cpu()
            change[tuple(slice(side) for side in original.shape)] -= original
            state[f"diffusion_model.{ldm[name]}::diff::0"] = change
        for name, (up, down) in (self.attention.changes() if self.attention else {}).items():
            key = f"diffusion_model.{ldm[f'{name}.weight']}"
            state[f"{key}::lora::0"], state[f"{key}::lora::1"] = up, down
        return state

    def remove(self) -> None:
        for name, original in self._originals.items():
            self._exchange(name, nn.Parameter(original, requires_grad=False))
        if self.attention is not None:
            self.attention.remove()

    def _exchange(self, name: str, weight: nn.Parameter) -> None:
        module_name, _, kind = name.rpartition(".")
        module: Any = self._denoiser[0].get_submodule(module_name)
        setattr(module, kind, weight)
        if name == f"{_INPUT}.weight":
            module.in_channels = weight.shape[1]

    @staticmethod
    def _names(denoiser: nn.Module) -> list[str]:
        """As they are without the pairs of a rank beside them."""
        return [name.replace(".base.", ".") for name in denoiser.state_dict()]


def _answering_nothing(unit: SharedAttention) -> None:
    """At first a unit adds nothing to the attention that it takes the place of."""
    modules = cast("Iterator[tuple[str, nn.Module]]", unit.named_modules())
    for name, module in modules:
        if name.endswith(".up"):
            nn.init.zeros_(cast("nn.Linear", module).weight)
        elif name.endswith(".down"):
            nn.init.kaiming_uniform_(cast("nn.Linear", module).weight, a=sqrt(5))
        elif name == "temporal_o" or re.fullmatch(r"control_convs\.\d+\.2", name):
            for parameter in module.parameters():
                nn.init.zeros_(parameter)
