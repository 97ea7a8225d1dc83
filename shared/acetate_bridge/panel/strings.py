"""The sentences of the panel. Words for painters; the field's terms stand in tooltips."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from acetate_bridge.editing.editor import LayerInfo
from acetate_bridge.editing.plan import Plan
from acetate_bridge.protocol.messages import ModelInfo, Progress
from acetate_bridge.protocol.modes import mode_row
from acetate_bridge.protocol.naming import layer_name

PROMPT_LABELS = {
    "foreground": "In front",
    "background": "Behind",
    "blended": "All together",
}

FAULT = "Acetate met a fault of its own, and nothing was changed."
NO_MODEL = "No model that is known here can do that."
CHOOSE_ANOTHER_MODE = "No model that is known here can do that: choose another mode."
HAND_IS_PAINTING = "The layer is ready and comes in as soon as the hand rests."


def where(mode: str, plan: Plan) -> str:
    """What will be painted where and how large: the one line above the button."""
    region, size = plan.region, plan.frame.size
    extent = f"{region.width} × {region.height}"
    if plan.origin == "canvas":
        place = f"{extent}, the whole canvas"
    elif plan.origin == "selection":
        place = f"{extent} at the selection ({region.x}, {region.y})"
    else:
        place = f"{extent} at ({region.x}, {region.y})"
    name = f"“{plan.source.name}”" if plan.source is not None else "the layer"
    sentence = mode_row(mode).sentence.format(name=name, place=place)
    if plan.frame.resampled:
        sentence = f"{sentence}, painted at {size.width} × {size.height} and scaled"
    return f"{sentence}."


def hidden_instead(layer: LayerInfo) -> str:
    """What becomes of a layer that a repainting cannot replace."""
    name, clone = layer.name, layer.shown_by
    if layer.derived:
        return f"“{name}” is no layer of pixels: it is hidden, not replaced."
    return f"“{clone}” is a clone of “{name}”, which is hidden, not replaced."


def seen_on_it(layer: LayerInfo) -> str:
    """What a clipped layer does to a new background."""
    return f"“{layer.name}” is clipped to what lies below it, and will be seen on it, too."


def duration(seconds: float) -> str:
    """Time as a person says it: "3 s", "2 min", "1 h 5 min"."""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def left(seconds: float) -> str:
    """Time that is left; empty while unknown."""
    return f"{duration(seconds)} left" if seconds >= 0 else ""


def per_cent(share: float) -> str:
    """A share as a person reads it: "41 %"."""
    return f"{round(100 * share)} %"


def size(count: int) -> str:
    """Bytes as a person reads them: "7.1 GB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def room(wanted: int, free: float) -> str:
    """What is free on the disk for so many bytes; `free` in gigabytes, negative for unknown."""
    if free < 0:
        return ""
    found = size(round(free * 1e9))
    return f", but only {found} are free" if wanted > free * 1e9 else f" ({found} free)"


def needs(model: ModelInfo) -> str:
    """What has to be fetched first, in a few words for a menu: "Needs SDXL, 13.6 GB"."""
    name = model.name or model.id
    if model.state == "downloading":
        parts = (f"Needs {name}, which is being fetched", per_cent(model.progress))
        return ", ".join((*parts, *filter(None, [left(model.seconds_left)])))
    return f"Needs {name}, {size(model.bytes_total)}" if model.bytes_total else f"Needs {name}"


def progress(found: Progress | None, ahead: int) -> str:
    """The words beside the bar."""
    if found is None or found.stage == "queued":
        return f"waiting, {ahead} before it" if ahead else "waiting"
    if found.stage == "loading":
        return "loading the model"
    if found.stage == "decoding" and found.step >= found.steps:
        return "finishing the layer"
    step = f"step {found.step} of {found.steps}" if found.steps else "painting"
    return " · ".join(words for words in (step, left(found.seconds_left)) if words)


def painting(prompt: str) -> str:
    """The status while a job runs."""
    return f"Painting “{layer_name(prompt)}”."


def homeless(prompt: str, title: str) -> str:
    """A result whose document is gone."""
    return f"“{layer_name(prompt)}” is ready, but “{title}” was closed."


def turned(prompt: str, title: str) -> str:
    """A result whose place nobody knows any more."""
    return (
        f"“{layer_name(prompt)}” is ready, but “{title}” or its layer was scaled or turned "
        "meanwhile: insert it where you want it."
    )


def refused(prompt: str, title: str) -> str:
    """A result that its document could not take, and that others have followed since."""
    return f"“{layer_name(prompt)}” is ready; “{title}” could not take it when it came."


def unseen(layer: str, group: str) -> str:
    """A layer went in where nobody sees it."""
    return f"“{layer}” lies in the hidden group “{group}”: show the group to see it."


def left_out(names: Sequence[str]) -> str:
    """Which layers the model does not see; empty when it sees all."""
    return f"Not seen: {', '.join(f'“{name}”' for name in names)}." if names else ""


def unread(prompt: str) -> str:
    """Letters that models were not trained on; empty when all are."""
    strange = {each for each in prompt if each.isalpha() and not _is_latin(each)}
    strange |= {each for each in prompt if each > "\u2100" and unicodedata.category(each) == "So"}
    if not strange:
        return ""
    shown = "".join(sorted(strange)[:3])
    return f"The models read English: “{shown}” and the like mean nothing to them."


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(("LATIN", "FEMININE", "MASCULINE", "MICRO"))


def ready(model: str) -> str:
    """Nothing to do."""
    return f"Ready · {model}"
