"""Style LoRAs: low-rank changes of denoiser and text encoders, in the forms people share.

- kohya: `lora_unet_<module, dots as underscores>.lora_down.weight`, `lora_te_`, `lora_te1_`,
  `lora_te2_`; SDXL files use the first code's names of the denoiser's modules or diffusers'.
- diffusers: `unet.<module>.lora_A.weight`, `text_encoder.<module>...`, `text_encoder_2....`, and
  the older `processor.to_q_lora.down.weight` and `lora_linear_layer.down.weight`.

A style goes into the base before any transparency patch, and comes off after it: users found that
the other order spoils the transparency.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor, nn

from acetate.adapters.patch import PatchMismatch, shape_words
from acetate.adapters.unet_names import ldm_names
from acetate.adapters.weight_changes import Change, LowRank
from acetate.adapters.weight_patch import WeightPatch

_PREFIXES = {
    "lora_unet_": "unet",
    "lora_te_": "text_encoder",
    "lora_te1_": "text_encoder",
    "lora_te2_": "text_encoder_2",
    "unet.": "unet",
    "text_encoder.": "text_encoder",
    "text_encoder_2.": "text_encoder_2",
}
_PART = re.compile(
    r"(?P<module>.+?)(?:[._](?P<old>to_(?:q|k|v|out))_lora)?"
    r"(?:\.lora_linear_layer|\.lora)?[._]?"
    r"(?P<part>lora_down|lora_up|lora_A|lora_B|down|up)(?:\.default)?\.weight"
)
_DOWN = ("lora_down", "lora_A", "down")
_FOREIGN = ("hada_", "lokr_", "dora_scale", "lora_mid", "oft_", "diff_b", "glora")


class StylePatch:
    """A style in all networks of a pipeline at a weight; after `eject` they are as before."""

    def __init__(self, changes: Mapping[str, Mapping[str, Change]], weight: float) -> None:
        self._patches = {
            network: WeightPatch(found, weight) for network, found in changes.items() if found
        }

    @classmethod
    def read(
        cls, file: Mapping[str, Tensor], networks: Mapping[str, nn.Module], weight: float, name: str
    ) -> StylePatch:
        """From a file's tensors; `networks` are `unet`, `text_encoder`, and SDXL's `_2`.

        Raises PatchMismatch naming the file and its first tensor that fits nowhere.
        """
        return cls(read_style(file, networks, name), weight)

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
    file: Mapping[str, Tensor], networks: Mapping[str, nn.Module], name: str
) -> dict[str, dict[str, Change]]:
    """The changes in a style file, by network and by the name of the weight. See StylePatch."""
    tables = {network: _table(network, module) for network, module in networks.items()}
    halves: dict[tuple[str, str], dict[str, tuple[str, Tensor]]] = {}
    alphas: dict[tuple[str, str], float] = {}
    for key, tensor in file.items():
        if any(mark in key for mark in _FOREIGN):
            raise PatchMismatch(
                f"The style {name} is of a kind that Acetate cannot fuse: it holds {key}. "
                "Take one with plain low-rank pairs (LoRA)."
            )
        if key.endswith(".alpha"):
            network, module = _place(key.removesuffix(".alpha").removesuffix(".lora"), key, name)
            alphas[network, module] = float(tensor)
            continue
        match = _PART.fullmatch(key)
        if match is None:
            raise _unknown(key, tensor, name)
        network, module = _place(match["module"], key, name)
        if old := match["old"]:
            module = f"{module.removesuffix('.processor')}.{'to_out.0' if old == 'to_out' else old}"
        part = "down" if match["part"] in _DOWN else "up"
        halves.setdefault((network, module), {})[part] = (key, tensor)
    if not halves:
        raise PatchMismatch(f"The style {name} holds no tensors at all.")
    found: dict[str, dict[str, Change]] = {network: {} for network in networks}
    for (network, module), parts in halves.items():
        first_key, first = next(iter(parts.values()))
        if len(parts) != 2:
            raise PatchMismatch(
                f"The style {name} is incomplete: the other matrix to {first_key} is missing."
            )
        target = tables.get(network, {}).get(module)
        if target is None:
            raise _unknown(first_key, first, name)
        weight = networks[network].get_parameter(target)
        up, down = parts["up"][1], parts["down"][1]
        change = LowRank(up, down, alphas.get((network, module), down.shape[0]) / down.shape[0])
        if not change.fits(weight):
            raise PatchMismatch(
                f"The style {name} does not fit this model: its tensor {first_key} changes "
                f"{shape_words(change.shape())}, the model's {target} has "
                f"{shape_words(tuple(weight.shape))}."
            )
        found[network][target] = change
    return found


def _place(module: str, key: str, name: str) -> tuple[str, str]:
    for prefix, network in _PREFIXES.items():
        if module.startswith(prefix):
            return network, module.removeprefix(prefix)
    raise PatchMismatch(f"The style {name} holds {key}, which belongs to no network of a model.")


def _table(network: str, module: nn.Module) -> dict[str, str]:
    """Every way in which files call a module, to the name of its weight."""
    weights = [name for name, _ in module.named_parameters() if name.endswith(".weight")]
    table: dict[str, str] = {}
    for weight in weights:
        plain = weight.removesuffix(".weight")
        table[plain] = weight
        table[plain.replace(".", "_")] = weight
        if network != "unet" and not plain.startswith("text_model."):
            table[f"text_model.{plain}"] = weight
            table[f"text_model_{plain}".replace(".", "_")] = weight
    if network == "unet":
        for ldm, weight in ldm_names(weights).items():
            if ldm.endswith(".weight"):
                table[ldm.removesuffix(".weight").replace(".", "_")] = weight
    return table


def _unknown(key: str, tensor: Tensor, name: str) -> PatchMismatch:
    return PatchMismatch(
        f"The style {name} does not fit this model, which has no weight for its tensor {key} of "
        f"the shape {shape_words(tuple(tensor.shape))}."
    )
