"""Where the parts that a base lacks come from: what the person names, or a base that is here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acetate.models.base_inventory import PARTS, WORDS
from acetate.models.hub_cache import missing_base
from acetate.models.own_register import CannotImport, own_files
from acetate.models.recognition_error import NotRecognised
from acetate.models.registry import models

_ROLES = {"autoencoder": "autoencoder", "text_encoder": "text encoder"}
_OPTIONS = {
    "autoencoder": "--vae",
    "text_encoder": "--text-encoder",
    "text_encoder_2": "--text-encoder",
}


@dataclass(frozen=True)
class Wishes:
    """What the person who imports a base says about it; empty where the files shall tell.

    `vae` and `text_encoder` name an imported file or a model that is here; `prediction` is
    “epsilon” or “v_prediction”.
    """

    vae: str = ""
    text_encoder: str = ""
    prediction: str = ""
    base: str = ""
    """The model that an RGBA adapter goes onto."""

    @property
    def any(self) -> bool:
        """Whether anything is said."""
        return bool(self.vae or self.text_encoder or self.prediction or self.base)

    @property
    def facts(self) -> dict[str, str]:
        """What is said of the training. Raises CannotImport."""
        if not self.prediction:
            return {}
        if self.prediction not in ("epsilon", "v_prediction"):
            raise CannotImport(
                f"A base cannot predict “{self.prediction[:40]}”: say epsilon or v_prediction."
            )
        return {"prediction_type": self.prediction}


def named_supplies(wishes: Wishes, family: str) -> dict[str, str]:
    """The parts that a person named. Raises CannotImport for what is not here or no such part."""
    asked = {"autoencoder": wishes.vae, "text_encoder": wishes.text_encoder}
    found: dict[str, str] = {}
    for part, name in asked.items():
        if not name:
            continue
        source = _source(name, part, family)
        parts = (part,)
        if part == "text_encoder" and source.startswith("model:"):
            parts = tuple(each for each in PARTS[family] if each.startswith("text_encoder"))
        found |= dict.fromkeys(parts, source)
    return found


def supplies_here(lacking: Sequence[str], family: str) -> Iterator[dict[str, str]]:
    """Ways in which the lacking parts can be had from what is here, the surest first."""
    for entry in models().values():
        if entry.family == family and not entry.supplied and not missing_base(entry):
            yield dict.fromkeys(lacking, f"model:{entry.id}")


def source_of_rest(
    wishes: Wishes, family: str, name: str, called: str, preferred: Mapping[str, Any] | None = None
) -> str:
    """The model, as “model:ID”, that a denoiser in one file takes all else from.

    Of those that are here one with these facts comes first. `called` is what its family is called.
    Raises CannotImport, NotRecognised.
    """
    named = list(named_supplies(wishes, family).values())
    here = [source for found in supplies_here(("",), family) for source in found.values()]
    alike = [
        source
        for source in here
        if dict(models()[source.partition(":")[2]].facts) == dict(preferred or {})
    ]
    for source in (*named, *alike, *here):
        return source
    raise NotRecognised(
        f"{name} is a {called} in one file, which needs a {called} folder of diffusers beside "
        "it for its text encoders, tokenizers and autoencoder, and none is here.",
        f"Fetch one with `acetate models pull {family}`, or import a folder.",
    )


def nothing_to_take(name: str, lacking: Sequence[str], family: str) -> NotRecognised:
    """The error for a base that lacks parts which nothing here can give."""
    words = " and ".join(WORDS[part] for part in lacking)
    options = " and ".join(dict.fromkeys(_OPTIONS[part] for part in lacking))
    return NotRecognised(
        f"{name} has no {words}, and no model of its family is here to take it from.",
        f"Fetch one (`acetate models pull {family}`), or import the part and name it with "
        f"{options}.",
    )


def said(supplied: dict[str, str]) -> str:
    """One line about where the parts come from."""
    sources: dict[str, list[str]] = {}
    for part, source in supplied.items():
        sources.setdefault(source.partition(":")[2], []).append(WORDS[part])
    return "; ".join(
        f"Its {' and '.join(parts)} is taken from {name.removesuffix('.safetensors')}."
        for name, parts in sources.items()
    )


def _source(name: str, part: str, family: str) -> str:
    stem = Path(name).name if "/" in name or "\\" in name else name
    plain = stem.lower().removesuffix(".safetensors")
    for own in own_files():
        if own.role == _ROLES[part] and family in own.families:
            origin = Path(own.source).stem.lower()
            if plain in (own.name.removesuffix(".safetensors"), origin):
                return f"file:{own.name}"
    entry = models().get(name)
    if entry is not None and entry.family == family and not missing_base(entry):
        return f"model:{name}"
    raise CannotImport(
        f"There is no {WORDS[part]} called “{name[:60]}” for {family} here.",
        "Import it first, or name a model that is here.",
    )
