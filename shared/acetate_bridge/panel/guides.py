"""What guides a painting beside its prompt, as the panel has it: layers to follow, and styles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast, get_args

from acetate_bridge.editing.editor import LayerInfo
from acetate_bridge.editing.guides import Follow
from acetate_bridge.panel.lists import LISTS, Row
from acetate_bridge.panel.view import Choice, FieldView, ListView
from acetate_bridge.protocol.messages import ModelInfo
from acetate_bridge.protocol.types import ControlKind

KIND_WORDS: dict[str, str] = {
    "scribble": "Sketch",
    "lineart": "Line art",
    "canny": "Edges (canny)",
    "depth": "Depth",
    "pose": "Pose",
    "softedge": "Soft edges",
    "tile": "Tile",
    "segment": "Segments",
    "reference": "Reference",
}
_IMPORT = "take one over with `acetate models import`"


def list_views(
    rows: Mapping[str, Sequence[Row]],
    mode: str,
    model: ModelInfo | None,
    layers: Sequence[LayerInfo],
    active: LayerInfo | None,
) -> dict[str, ListView]:
    """Every list as it stands."""
    choices = {
        "layer": _layer_choices(layers),
        "kind": kind_choices(model),
        "style": _style_choices(model),
    }
    views: dict[str, ListView] = {}
    for name, row in LISTS.items():
        entries = rows.get(name, ())
        views[name] = ListView(
            tuple(
                {
                    column: FieldView(
                        value, choices=_with_own(choices.get(column, ()), column, value, entry)
                    )
                    for column, value in row.clean(entry).items()
                }
                for entry in entries
            ),
            row.applies(mode),
            len(entries) < row.most and (name != "follow" or active is not None),
        )
    return views


def first_kind(model: ModelInfo | None) -> str:
    """What a layer is most likely followed as."""
    able = [choice.name for choice in kind_choices(model) if choice.available]
    return able[0] if able else "scribble"


def kind_choices(model: ModelInfo | None) -> tuple[Choice, ...]:
    """What a layer can be followed as; greyed is what this model cannot."""
    able = set(model.controls) if model is not None else set[str]()
    name = (model.name or model.id) if model is not None else "No model"
    return tuple(
        Choice(
            kind,
            words,
            kind in able,
            "" if kind in able else f"{name} cannot follow that: {_IMPORT}.",
        )
        for kind, words in KIND_WORDS.items()
    )


def followed(entries: Sequence[Row]) -> tuple[Follow, ...]:
    """The layers to follow."""
    rows = [LISTS["follow"].clean(each) for each in entries]
    return tuple(
        Follow(
            str(each["layer"]),
            str(each["name"]),
            cast(ControlKind, each["kind"]),
            float(each["strength"]),
            float(each["end"]),
        )
        for each in rows
        if each["layer"] and each["kind"] in get_args(ControlKind)
    )


def as_rows(follows: Sequence[Follow]) -> tuple[Row, ...]:
    """The entries of a list that follows these."""
    return tuple(
        {
            "layer": each.mark,
            "kind": each.kind,
            "strength": each.strength,
            "end": each.end,
            "name": each.name,
        }
        for each in follows
    )


def chosen_styles(entries: Sequence[Row]) -> dict[str, float]:
    """The weight of each style that was chosen."""
    rows = [LISTS["styles"].clean(each) for each in entries]
    return {str(each["style"]): float(each["weight"]) for each in rows if each["style"]}


def with_full_names(styles: Mapping[str, float], model: ModelInfo | None) -> dict[str, float]:
    """Styles under the names that the model announces, with their endings."""
    known = model.styles if model is not None else []
    full = {each.removesuffix(".safetensors"): each for each in known}
    return {full.get(name, name): weight for name, weight in styles.items()}


def further_prompts(entries: Sequence[Row]) -> list[str]:
    """What to paint on each further layer."""
    return [text for each in entries if (text := str(each.get("words", "")).strip())]


def with_triggers(prompt: str, styles: Mapping[str, float], model: ModelInfo | None) -> str:
    """A prompt with the words that its styles want to hear, unless it has them."""
    if model is None or not prompt.strip():
        return prompt
    wanted = [words for name in styles if (words := model.triggers.get(name, ""))]
    missing = [words for words in wanted if words.lower() not in prompt.lower()]
    return ", ".join([prompt, *missing])


def hindrance(
    follows: Sequence[Follow],
    styles: Mapping[str, float],
    model: ModelInfo | None,
    layers: Sequence[LayerInfo],
) -> str:
    """What lacks of all that was chosen, with the cure; empty when nothing does."""
    if model is None:
        return ""
    name, marks = model.name or model.id, {each.mark or each.key for each in layers}
    for each in follows:
        if layers and each.mark not in marks:
            return f"The layer “{each.name}” to follow is not in this image: choose another one."
        if each.kind not in model.controls:
            what = KIND_WORDS[each.kind].lower()
            return f"{name} has no control network that follows this ({what}): {_IMPORT}."
    for file in styles:
        if file not in model.styles:
            style = file.removesuffix(".safetensors")
            return f"There is no style called “{style}” for {name}: {_IMPORT}."
    return ""


def _layer_choices(layers: Sequence[LayerInfo]) -> tuple[Choice, ...]:
    return tuple(Choice(each.mark or each.key, each.name) for each in layers)


def _style_choices(model: ModelInfo | None) -> tuple[Choice, ...]:
    if model is None or not model.styles:
        words = f"No style is here: {_IMPORT}."
        return (Choice("", "No style is here", False, words),)
    return tuple(
        Choice(name, name.removesuffix(".safetensors"), True, _says(model.triggers.get(name, "")))
        for name in model.styles
    )


def _says(words: str) -> str:
    return f"Adds “{words}” to the prompt." if words else ""


def _with_own(
    choices: tuple[Choice, ...], column: str, value: object, entry: Row
) -> tuple[Choice, ...]:
    """The choices, with what was chosen though it is not here any more."""
    if not choices or not value or value in {each.name for each in choices}:
        return choices
    called = str(value).removesuffix(".safetensors")
    label = str(entry.get("name") or value) if column == "layer" else called
    return (*choices, Choice(str(value), f"{label} (not here)", False, "It is not here."))
