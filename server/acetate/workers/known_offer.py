"""What this machine can offer, known from the catalog and the disk before any worker is up."""

from __future__ import annotations

from dataclasses import replace

from acetate.models.catalog import Entry
from acetate.models.families import FAMILIES
from acetate.models.hub_cache import missing_bytes, missing_parts
from acetate.models.image_adapters import goes_by_pictures
from acetate.models.licences import unaccepted
from acetate.models.own_register import own_files
from acetate.models.registry import model_named, models
from acetate.models.shipped import EMBEDDED
from acetate.models.trigger_words import TRIGGERS
from acetate.modes.registry import MODES
from acetate.workers.engine import Announcement
from acetate_bridge.protocol.following import DERIVED
from acetate_bridge.protocol.messages import ModelInfo


def known_offer() -> Announcement:
    """All models as a worker will announce them, unless it finds a damaged file."""
    entry = model_named(EMBEDDED)
    embedded = replace(embedded_model(), native=entry.native, frame=entry.frame)
    return offer_of([embedded, *official_models()])


def offer_of(models: list[ModelInfo]) -> Announcement:
    """These models, with the modes that any of those that are ready can do."""
    offered = {name for model in models if model.state == "ready" for name in model.modes}
    return Announcement(models, [mode.info for mode in MODES.values() if mode.info.name in offered])


def embedded_model() -> ModelInfo:
    """The model that ships, without the sizes that it paints at."""
    family = FAMILIES[EMBEDDED]
    return ModelInfo(
        EMBEDDED,
        "Embedded model",
        EMBEDDED,
        list(family.modes),
        steps=family.steps,
        guidance=family.guidance,
        controls=sorted([*family.sketches, *(["reference"] if family.references else [])]),
        derives=sorted(set(DERIVED) & set(family.sketches)),
        schedulers=list(family.schedulers),
    )


def official_models() -> list[ModelInfo]:
    """The models of the catalog and of one's own, here or still to be fetched."""
    return [
        _info(entry)
        for entry in models().values()
        if entry.id != EMBEDDED and FAMILIES[entry.family].modes
    ]


def _info(entry: Entry) -> ModelInfo:
    family = FAMILIES[entry.family]
    networks = own_files("control", entry.family)
    controls = {kind for own in networks for kind in own.follows} | set(family.sketches)
    if family.image_adapters and goes_by_pictures(entry.family):
        controls.add("reference")
    styles = own_files("style", entry.family)
    info = ModelInfo(
        entry.id,
        entry.name,
        entry.family,
        [mode for mode in entry.modes if family.can(mode)],
        native=entry.native,
        frame=entry.frame,
        steps=entry.advice[0],
        guidance=entry.advice[1],
        styles=[own.name for own in styles],
        controls=sorted(controls),
        derives=sorted(set(DERIVED) & controls),
        triggers={own.name: str(words) for own in styles if (words := own.facts.get(TRIGGERS))},
        schedulers=list(family.schedulers),
    )
    if not (missing := missing_parts(entry)):
        return info
    reason = f"It is not here yet ({', '.join(missing)}): fetch it first."
    if entry.lacking:
        gone = " and ".join(entry.lacking)
        reason = f"It needs {gone}, which is not here any more: import or fetch it again."
    return replace(
        info,
        state="missing",
        progress=0.0,
        reason=reason,
        licences=unaccepted(entry),
        bytes_total=missing_bytes(entry),
    )
