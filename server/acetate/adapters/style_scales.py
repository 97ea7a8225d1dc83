"""How strong a style was trained to be: alpha over rank, from its tensors or its header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from acetate.adapters.patch import PatchMismatch
from acetate_bridge.protocol.json_text import read_json

METADATA = "lora_adapter_metadata"
"""The entry of the header that diffusers writes since 0.34: peft's configuration as JSON."""

_LONGEST_PATTERN = 300
_REPEATS = re.compile(r"(?<!\\)[*+{]")
_NETWORKS = ("unet", "transformer", "text_encoder", "text_encoder_2")


@dataclass(frozen=True)
class Scales:
    """`configurations` are peft's own by network; that of no network is for all."""

    configurations: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, header: Mapping[str, str], name: str) -> Scales:
        """From the header of a style file. Raises PatchMismatch for one that cannot be read."""
        told = header.get(METADATA)
        if told is None:
            return cls({})
        try:
            content = read_json(told)
            found: dict[str, dict[str, Any]] = {}
            for key, value in _flat(content):
                network, dot, entry = key.partition(".")
                inside = bool(dot) and network in _NETWORKS
                place, entry = (network, entry) if inside else ("", key)
                found.setdefault(place, {})[entry] = value
        except (ValueError, AttributeError) as error:
            raise PatchMismatch(
                f"The style {name} says of its strength what cannot be read ({METADATA})."
            ) from error
        return cls(found)

    def of(self, network: str, module: str, rank: int, alpha: float | None) -> float:
        """What the product of this module's matrices is multiplied by."""
        if rank < 1:
            raise PatchMismatch("A style holds matrices of no rank.")
        if alpha is not None:
            return alpha / rank
        config = self.configurations.get(network, self.configurations.get("", {}))
        told = _patterned(config.get("alpha_pattern"), module, config.get("lora_alpha"))
        if told is None:
            return 1.0
        if not isinstance(told, (int, float)):
            raise PatchMismatch("A style says of its strength what is no number.")
        return float(told) / (rank**0.5 if config.get("use_rslora") else rank)


def _flat(content: Any) -> Iterator[tuple[str, Any]]:
    """Entries as diffusers names them; some keep those of a network in an object of their own."""
    for key, value in content.items():
        if key in _NETWORKS and isinstance(value, Mapping):
            inner = cast("Mapping[str, Any]", value)
            yield from ((f"{key}.{entry}", each) for entry, each in inner.items())
        else:
            yield key, value


def _patterned(patterns: object, module: str, otherwise: Any) -> Any:
    """As peft reads them: a pattern is met by the end of a module's name."""
    if isinstance(patterns, Mapping):
        for pattern, value in cast("Mapping[str, Any]", patterns).items():
            if len(pattern) > _LONGEST_PATTERN or len(_REPEATS.findall(pattern)) > 1:
                continue  # Two repetitions in each other can take longer than anybody lives.
            try:
                if re.fullmatch(rf"(.*\.)?({pattern})", module):
                    return value
            except re.error:
                continue
    return otherwise
