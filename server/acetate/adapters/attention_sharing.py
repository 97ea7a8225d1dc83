"""The SD 1.5 patches: layers of one scene painted together, through shared attention."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from acetate.adapters.beside_picture import in_place_of
from acetate.adapters.patch import Patch, PatchMismatch, shape_words
from acetate.adapters.shared_attention import (
    SIGNAL_WIDTH,
    ControlEncoder,
    SharedAttention,
    SharedRun,
)
from acetate.models.unet_names import attention_units

_PAIR = re.compile(r"hookers\.layers\.0\.to_q_lora\.(\d+)\.down\.weight")


class AttentionSharing(Patch):
    """A unit in the place of every attention of the denoiser; `frames` layers to a picture.

    Each run is announced with `prepare`: texts of single frames, control image, guided batch.
    """

    def __init__(
        self, units: Mapping[str, SharedAttention], control: ControlEncoder | None, frames: int
    ) -> None:
        super().__init__()
        self.units = dict(units)
        self.control = control
        self.frames = frames
        self.run = SharedRun()
        self._originals: dict[str, Any] = {}

    @classmethod
    def read(cls, file: Mapping[str, Tensor], target: nn.Module) -> AttentionSharing:
        """From the tensors of a published file, checked against the denoiser that it is for.

        Raises PatchMismatch for the first tensor that is missing, unknown or of a wrong shape.
        """
        frames = sum(1 for key in file if _PAIR.fullmatch(key))
        has_control = any(key.startswith("kwargs_encoder.") for key in file)
        if not frames:
            key, tensor = next(iter(file.items()), ("", torch.empty(0)))
            raise PatchMismatch(
                f"The patch does not share attention: its first tensor {key} has the shape "
                f"{shape_words(tuple(tensor.shape))}."
            )
        rank = file["hookers.layers.0.to_q_lora.0.down.weight"].shape[0]
        last = file.get("kwargs_encoder.blocks_3.2.weight")
        signal_width = SIGNAL_WIDTH if last is None or last.dim() != 4 else last.shape[0]
        with torch.device("meta"):
            units = {
                name: SharedAttention(
                    cast(nn.Linear, attention.to_q).in_features,
                    cast(nn.Linear, attention.to_k).in_features,
                    rank,
                    frames,
                    control=has_control,
                    signal_width=signal_width,
                )
                for name, attention in attentions_of(target).items()
            }
            control = ControlEncoder(signal_width) if has_control else None
        whole = nn.ModuleDict({"hookers": nn.ModuleDict({"layers": nn.ModuleList(units.values())})})
        if control is not None:
            whole["kwargs_encoder"] = control
        _check(file, whole.state_dict())
        whole.load_state_dict(dict(file), assign=True)
        parameter = next(target.parameters())
        whole.requires_grad_(False).to(parameter.device, parameter.dtype)
        if control is not None:
            # A coarse control map shifts the whole picture: fp32, like the published code.
            control.float()
        return cls(units, control, frames)

    @torch.inference_mode()
    def prepare(
        self,
        *,
        frame_texts: Sequence[Tensor | None] = (),
        control: Tensor | None = None,
        unconditional: Tensor | None = None,
    ) -> None:
        """Say what the next run is about.

        `frame_texts` replace the common text frame by frame, in the wanted half of a guided
        batch; `unconditional` [batch] marks the other half with 1 (None: there is none).
        `control` is the image [1 or pictures, 3, H, W] in [0, 1] that the layers are made for,
        of exactly the size that is painted. Raises ValueError if the patch needs one and there
        is none, or takes none.
        """
        if control is None and self.control is not None:
            raise ValueError("this patch needs a control image")
        if control is not None and self.control is None:
            raise ValueError("this patch takes no control image")
        signals: dict[int, Tensor] = {}
        if control is not None and self.control is not None:
            device = next(self.control.parameters()).device
            signals = self.control(control.to(device).float())
        self.run = SharedRun(list(frame_texts), unconditional, signals)

    def _put_in(self, target: nn.Module) -> None:
        for name, attention in attentions_of(target).items():
            self._originals[name] = attention.processor
            unit = _Processor(self, self.units[name])
            attention.processor = in_place_of(attention.processor, unit)

    def _take_out(self, target: nn.Module) -> None:
        while self._originals:
            name, processor = self._originals.popitem()
            target.get_submodule(name).processor = processor


class _Processor:
    """Stands where diffusers expects the function that computes an attention."""

    def __init__(self, patch: AttentionSharing, unit: SharedAttention) -> None:
        self._patch = patch
        self._unit = unit

    def __call__(
        self,
        attention: nn.Module,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        return self._unit(attention, hidden_states, encoder_hidden_states, self._patch.run)


def attentions_of(target: nn.Module) -> dict[str, Any]:
    """The attention modules of the denoiser in the order of the published files."""
    config = cast(Any, target).config
    layers = config["layers_per_block"]
    down = ["CrossAttn" in block for block in config["down_block_types"]]
    up = ["CrossAttn" in block for block in config["up_block_types"]]
    return {name: target.get_submodule(name) for name in attention_units(layers, down, up)}


def _check(file: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    for key, tensor in file.items():
        if key not in expected:
            raise PatchMismatch(
                f"The patch does not fit this model, which has no place for its tensor {key} of "
                f"the shape {shape_words(tuple(tensor.shape))}."
            )
        if tensor.shape != expected[key].shape:
            raise PatchMismatch(
                f"The patch does not fit this model: its tensor {key} has the shape "
                f"{shape_words(tuple(tensor.shape))}, the model needs "
                f"{shape_words(tuple(expected[key].shape))}."
            )
    for key in expected:
        if key not in file:
            raise PatchMismatch(f"The patch is incomplete: its tensor {key} is missing.")
