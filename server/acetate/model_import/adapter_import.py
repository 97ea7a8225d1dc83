"""Taking over an RGBA adapter: a model of its own, which paints with the base that it goes onto."""

from __future__ import annotations

from typing import Any

from acetate.models.base_facts import EDITS
from acetate.models.catalog import Entry
from acetate.models.hashing import model_hash
from acetate.models.hub_cache import missing_base
from acetate.models.own_register import CannotImport, Own
from acetate.models.recognition_error import NotRecognised
from acetate.models.registry import models
from acetate.models.rgba_adapter import (
    ADAPTER,
    ALPHA,
    BASE,
    MEASURED,
    RgbaAdapter,
    alpha_words,
)
from acetate.models.supplies import Wishes


def described_adapter(adapter: RgbaAdapter, name: str, wishes: Wishes) -> Own:
    """What the list of imported files keeps of it. Raises NotRecognised, CannotImport."""
    from acetate.pipelines.adapter_rehearsal import rehearse_adapter
    from acetate.pipelines.measured_alpha import alpha_of_adapter

    base = _base_of(adapter, wishes.base)
    rehearse_adapter(adapter, base, adapter.folder.name)
    facts: dict[str, Any] = {
        ADAPTER: 1,
        **({"licence": adapter.licence} if adapter.licence else {}),
        **({EDITS: 1} if EDITS in base.facts else {}),
    }
    measured = "" if adapter.alpha else alpha_of_adapter(adapter)
    if kind := adapter.alpha or measured:
        facts |= {ALPHA: kind, MEASURED: int(bool(measured))}
    notes = [f"It paints with {base.id}, whose own files stay as they are."]
    if adapter.lora is None:
        notes.append("It brings no LoRA, so the base paints as it would without it.")
    notes.append(f"Its alpha is {alpha_words(facts)}.")
    return Own(
        name.removesuffix(".safetensors"),
        "base",
        (adapter.family,),
        model_hash(adapter.weights),
        str(adapter.folder),
        form="folder",
        native=base.native,
        preset=base.scheduler,
        facts=facts,
        supplied={BASE: f"model:{base.id}"},
        notes=tuple(notes),
    )


def _base_of(adapter: RgbaAdapter, wanted: str) -> Entry:
    """The model that it is to go onto: the one that is named, or the first that is here."""
    known = {
        id_: entry
        for id_, entry in models().items()
        if entry.family == adapter.family and ADAPTER not in entry.facts
    }
    if wanted:
        if wanted not in known:
            raise CannotImport(
                f"{adapter.folder.name} is an RGBA adapter for {adapter.family}, and there is no "
                f"model of that family called “{wanted[:60]}”.",
                f"Name one with --base: {', '.join(known)}.",
            )
        known = {wanted: known[wanted]}
    for entry in known.values():
        if not missing_base(entry):
            return entry
    raise NotRecognised(
        f"{adapter.folder.name} is an RGBA adapter, which goes onto a base of the family "
        f"{adapter.family}, and none is here.",
        f"Fetch one with `acetate models pull {next(iter(known))}`, or import a folder of it.",
    )
