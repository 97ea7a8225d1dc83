"""What style files call the modules of a network, and which network they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from acetate.models.flux_names import theirs
from acetate.models.unet_names import ldm_names

PREFIXES = {
    "lora_unet_": "unet",
    "lycoris_unet_": "unet",
    "lycoris_": "unet",
    "lora_te_": "text_encoder",
    "lora_te1_": "text_encoder",
    "lora_te2_": "text_encoder_2",
    "unet.base_model.model.": "unet",
    "text_encoder.base_model.model.": "text_encoder",
    "text_encoder_2.base_model.model.": "text_encoder_2",
    "unet.": "unet",
    "text_encoder.": "text_encoder",
    "text_encoder_2.": "text_encoder_2",
    "transformer.": "transformer",
    "lora_transformer_": "transformer",
    "model.diffusion_model.": "unet",
    "diffusion_model.": "unet",
    "text_encoders.clip_l.transformer.": "text_encoder",
    "text_encoders.clip_g.transformer.": "text_encoder_2",
    "clip_l.": "text_encoder",
    "clip_g.": "text_encoder_2",
}
"""The surer first. Trainers, ComfyUI and peft each have their own."""

_BARE = "base_model.model."
_LEFT_OUT = re.compile(
    r"bundle_emb\..+|.*string_to_(param|token).*|(emb_params|clip_l|clip_g|t5)$|lora_te3_.+"
    r"|.+\.(scaled_fp8|scale_weight)|onetrainer_.+"
)
"""What is packed along with a style and is none of its changes."""


def is_left_out(key: str) -> bool:
    """Whether a tensor is no change of the model, and the style does without it."""
    return _LEFT_OUT.fullmatch(key) is not None


class Names:
    """Every way in which files call the modules of some networks, to the name of the module."""

    def __init__(self, weights: Mapping[str, Iterable[str]]) -> None:
        """`weights` are the names of each network's parameters."""
        self._tables = {network: _table(network, list(names)) for network, names in weights.items()}
        self._joined: dict[str, tuple[str, tuple[str, ...]]] = {}
        for module, places in theirs(weights.get("transformer", ())).items():
            for way in (module, module.replace(".", "_")):
                self._joined[way] = module, places

    def joined(self, module: str) -> tuple[str, tuple[str, ...]] | None:
        """The authors' name of a module of FLUX.1 that a file means, and diffusers' for its rows.

        None where diffusers has the module as it is.
        """
        for prefix in ("", *PREFIXES, _BARE):
            if module.startswith(prefix):
                found = self._joined.get(module.removeprefix(prefix))
                if found is not None:
                    return found
        return None

    def place(self, module: str) -> tuple[str, str] | None:
        """The network and module that a file means; None for one that there is not."""
        for prefix, network in PREFIXES.items():
            if module.startswith(prefix):
                # Trainers keep the prefix of a U-Net for a transformer, too.
                own = network if network != "unet" or network in self._tables else "transformer"
                found = self._tables.get(own, {}).get(module.removeprefix(prefix))
                if found is not None:
                    return own, found
        bare = module.removeprefix(_BARE)
        for network, table in self._tables.items():
            if bare in table:
                return network, table[bare]
        return None


def belongs_somewhere(module: str) -> bool:
    """Whether a name begins as those of styles do."""
    return module.startswith((*PREFIXES, _BARE, "down_blocks.", "up_blocks.", "mid_block."))


def _table(network: str, names: list[str]) -> dict[str, str]:
    modules = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    table: dict[str, str] = {}
    for module in modules:
        table[module] = module
        table[module.replace(".", "_")] = module
        if network.startswith("text_encoder"):
            plain = module.removeprefix("text_model.")
            for way in (plain, f"text_model.{plain}"):
                table[way] = table[way.replace(".", "_")] = module
    if network == "unet":
        layers = {name.split(".")[3] for name in names if name.startswith("down_blocks.0.resnets.")}
        for ldm, ours in ldm_names(names, len(layers) or 2).items():
            module = ldm.rpartition(".")[0]
            table[module] = table[module.replace(".", "_")] = ours.rpartition(".")[0]
    return table
