"""A pipeline of large networks, which take turns on the device where they do not fit together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from acetate.images.tensors import opaque
from acetate.pipelines.memory_ladder import Ladder, Rung
from acetate.pipelines.offloading import Offloading
from acetate.pipelines.pipeline import Pipeline
from acetate.pipelines.weight_placement import form_of, place_weights, reduce_as_asked


class OffloadedPipeline(Pipeline):
    """What the large families do when memory runs out."""

    _offloading: Offloading | None = None

    @property
    def can_offload(self) -> bool:
        """Whether there is another place than the device itself."""
        return self.device.type != "cpu"

    def offload(self) -> bool:
        """From now on only the network that works is on the device; whether that is new."""
        if self._offloading is not None or not self.can_offload:
            return False
        self._offloading = Offloading(self.modules, self.device)
        return True

    def _at_hand(self, decode: Callable[[], Tensor]) -> Callable[[], Tensor] | None:
        """A decoder for previews, unless the denoiser would have to leave the device for it."""
        return decode if self._offloading is None else None

    def preview_opaque(self, latent: Tensor) -> Tensor:
        return opaque(self.preview(latent)[:, :3])

    def _stream(self) -> bool:
        """From now on the denoiser comes in piece by piece; whether that is new."""
        return self._offloading is not None and self._offloading.stream(self.denoiser)

    @property
    @abstractmethod
    def reducible(self) -> list[nn.Module]:
        """The networks that may be kept in fewer bits, the denoiser first."""

    @property
    def weight_form(self) -> str:
        return form_of(self.reducible)

    def reduce_as_asked(self) -> None:
        if not self.weight_form:
            reduce_as_asked(self.reducible, self.ladder)

    def place(self) -> None:
        """Bring as much onto the device as fits, in fewer bits where it must be."""
        self._offloading = place_weights(self.modules, self.reducible, self.device, self.ladder)

    def _usual_ladder(self, device: torch.device, decode_in_pieces: Callable[[], bool]) -> Ladder:
        return Ladder(
            device,
            [
                Rung("Memory ran out: what was only remembered was let go.", lambda: True),
                Rung("Memory ran out: the picture is decoded in pieces.", decode_in_pieces),
                Rung("Memory ran out: idle parts of the model wait outside.", self.offload),
                Rung("Memory ran out: the denoiser comes in block by block.", self._stream),
            ],
        )
