"""A patch that exchanges weights for changed ones."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from acetate.adapters.packed_linear import PackedLinear
from acetate.adapters.patch import Patch
from acetate.adapters.quantised_linear import holder_of, weights_of
from acetate.adapters.transparency_patch_file import INPUT, read_changes
from acetate.adapters.weight_changes import Change, Offset


class WeightPatch(Patch):
    """Additive and low-rank changes at a strength: 1 as published, 0 the bare network.

    The originals are set aside and put back, never recomputed. Where a change widens the input
    convolution, the network takes `extra_channels` more channels while the patch is in. Weights in
    fewer bits cannot be written: there the change stands beside them.
    """

    def __init__(self, changes: Mapping[str, Change], strength: float = 1.0) -> None:
        super().__init__()
        self.changes = dict(changes)
        self.strength = strength
        self._originals: dict[str, Tensor] = {}
        self._beside: list[PackedLinear] = []

    @classmethod
    def read(
        cls, file: Mapping[str, Tensor], target: nn.Module, strength: float = 1.0
    ) -> WeightPatch:
        """From the tensors of a patch file, checked against the network that it is for.

        Raises PatchMismatch.
        """
        return cls(read_changes(file, weights_of(target)), strength)

    def extra_channels(self, target: nn.Module) -> int:
        """How many input channels the network gains over its own while the patch is in."""
        change = self.changes.get(INPUT)
        if not isinstance(change, Offset) or self.strength == 0:
            return 0
        own = self._originals.get(INPUT, target.get_parameter(INPUT))
        return max(0, change.tensor.shape[1] - own.shape[1])

    def _put_in(self, target: nn.Module) -> None:
        if self.strength == 0:
            return
        for name, change in self.changes.items():
            if (holder := holder_of(target, name)) is not None:
                holder.changes.append((change, self.strength))
                self._beside.append(holder)
                continue
            parameter = target.get_parameter(name)
            merged = change.merged(parameter.data, self.strength)
            self._originals[name] = parameter.data
            _exchange(target, name, merged)

    def _take_out(self, target: nn.Module) -> None:
        while self._beside:
            self._beside.pop().changes.pop()
        while self._originals:
            name, original = self._originals.popitem()
            _exchange(target, name, original)


def _exchange(target: nn.Module, name: str, tensor: Tensor) -> None:
    module_name, _, kind = name.rpartition(".")
    module = target.get_submodule(module_name)
    module.get_parameter(kind).data = tensor
    if kind == "weight" and isinstance(module, nn.Conv2d):
        module.out_channels, module.in_channels = tensor.shape[0], tensor.shape[1] * module.groups
