"""Styles: changes of denoiser and text encoders, fused for as long as something is painted.

A style goes into the base before any transparency patch, and comes off after it: users found that
the other order spoils the transparency.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from acetate.adapters.lora_formats import Module, changes_of, read_modules
from acetate.adapters.lora_names import Names, belongs_somewhere
from acetate.adapters.patch import PatchMismatch, shape_words
from acetate.adapters.quantised_linear import weights_of
from acetate.adapters.style_scales import Scales
from acetate.adapters.weight_changes import Change, Rows
from acetate.adapters.weight_patch import WeightPatch
from acetate.models.flux_names import rows_of


class StylePatch:
    """A style in all networks of a pipeline at a weight; after `eject` they are as before."""

    def __init__(self, changes: Mapping[str, Mapping[str, Change]], weight: float) -> None:
        self._patches = {
            network: WeightPatch(found, weight) for network, found in changes.items() if found
        }

    @classmethod
    def read(
        cls,
        file: Mapping[str, Tensor],
        networks: Mapping[str, nn.Module],
        weight: float,
        name: str,
        header: Mapping[str, str] | None = None,
    ) -> StylePatch:
        """From a file's tensors; `networks` are `unet` or `transformer`, `text_encoder`, and `_2`.

        Raises PatchMismatch naming the file and its first tensor that fits nowhere.
        """
        return cls(read_style(file, networks, name, header), weight)

    def inject(self, networks: Mapping[str, nn.Module]) -> None:
        """Put it into all networks or, if that fails, into none."""
        try:
            for network, patch in self._patches.items():
                patch.inject(networks[network])
        except BaseException:
            self.eject()
            raise

    def eject(self) -> None:
        """Take it out of all of them."""
        for patch in reversed(list(self._patches.values())):
            patch.eject()


def read_style(
    file: Mapping[str, Tensor],
    networks: Mapping[str, nn.Module],
    name: str,
    header: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Change]]:
    """The changes in a style file, by network and by the name of the weight. See StylePatch."""
    modules, _ = read_modules(file, name)
    parameters = {network: weights_of(module) for network, module in networks.items()}
    names = Names(parameters)
    scales = Scales.read(header or {}, name)
    found: dict[str, dict[str, Change]] = {network: {} for network in networks}
    for said, module in modules.items():
        for network, own, kind, change in placed_changes(said, module, names, scales, name):
            weight = parameters[network].get(f"{own}.{kind}")
            if weight is None:
                raise fits_nowhere(said, module, name)
            if not change.fits(weight):
                raise PatchMismatch(
                    f"The style {name} does not fit this model: its tensor {module.key} changes "
                    f"{shape_words(change.shape())}, the model's {own}.{kind} has "
                    f"{shape_words(tuple(weight.shape))}."
                )
            if f"{own}.{kind}" in found[network]:
                raise twice(module, name)
            found[network][f"{own}.{kind}"] = change
    return found


def placed_changes(
    said: str, module: Module, names: Names, scales: Scales, name: str
) -> Iterator[tuple[str, str, str, Change]]:
    """Network, module, “weight” or “bias”, and change, of all that a module of a file changes.

    `said` is what the file calls it. Raises PatchMismatch.
    """
    place = names.place(said)
    if place is not None:
        for kind, change in changes_of(module, *place, scales, name).items():
            yield *place, kind, change
        return
    joined = names.joined(said)
    if joined is None:
        raise fits_nowhere(said, module, name)
    theirs, places = joined
    for kind, change in changes_of(module, "transformer", places[0], scales, name).items():
        whole = (change.shape() or (0,))[0]
        shares = rows_of(theirs, whole, len(places))
        if sum(end - begin for rows in shares for begin, end in rows) != whole:
            raise PatchMismatch(
                f"The style {name} does not fit this model: its tensor {module.key} has {whole} "
                f"rows, which do not go into {len(places)} matrices."
            )
        for own, rows in zip(places, shares, strict=True):
            try:
                part = Rows.of(change, rows, whole)
            except ValueError as error:
                raise PatchMismatch(
                    f"The style {name} cannot be fused: {module.key} keeps {error}, and these are "
                    "apart in Acetate's Flux. Take one whose lengths are of rows, or a LoRA."
                ) from error
            yield "transformer", own, kind, part


def twice(module: Module, name: str) -> PatchMismatch:
    """The error for a module that a file has under two names."""
    return PatchMismatch(
        f"The style {name} changes one weight twice: {module.key} is there under another name, too."
    )


def fits_nowhere(said: str, module: Module, name: str) -> PatchMismatch:
    """The error for a module that no network has."""
    if not belongs_somewhere(said):
        return PatchMismatch(
            f"The style {name} holds {module.key}, which belongs to no network of a model."
        )
    shape = shape_words(tuple(next(iter(module.parts.values())).shape))
    return PatchMismatch(
        f"The style {name} does not fit this model, which has no weight for its tensor "
        f"{module.key} of the shape {shape}."
    )
