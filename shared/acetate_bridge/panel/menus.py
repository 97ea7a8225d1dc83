"""The menus of modes and models, as the server's announcement and this version know them."""

from __future__ import annotations

from acetate_bridge.editing.request_builder import choose_model
from acetate_bridge.panel import strings as words
from acetate_bridge.panel.strings import per_cent
from acetate_bridge.panel.view import Choice
from acetate_bridge.protocol.messages import Models
from acetate_bridge.protocol.modes import MODES, mode_row


def mode_choices(offer: Models | None) -> tuple[Choice, ...]:
    """All modes; before a server has spoken none is greyed, as nothing is known."""
    announced = {each.name: each for each in offer.modes} if offer is not None else {}
    names = [*MODES, *(name for name in announced if name not in MODES)]
    return tuple(
        _mode_choice(
            offer, name, MODES[name].label if name in MODES else announced[name].words or name
        )
        for name in names
    )


def model_choices(offer: Models | None, mode: str) -> tuple[Choice, ...]:
    """All models; one that has still to be fetched may be chosen, which offers to fetch it."""
    choices: list[Choice] = []
    for model in offer.models if offer is not None else []:
        name = model.name or model.id
        if mode not in model.modes:
            label = mode_row(mode).label
            choices.append(Choice(model.id, name, False, f"{name} cannot do “{label}”."))
        elif model.state == "downloading":
            choices.append(
                Choice(
                    model.id,
                    f"{name} ({per_cent(model.progress)})",
                    True,
                    "It is being downloaded.",
                )
            )
        else:
            missing = model.state != "ready"
            size = f", {words.size(model.bytes_total)}" if model.bytes_total else ""
            reason = (model.reason or "It is not downloaded yet.") if missing else ""
            label = f"{name} (not here{size})" if missing else name
            choices.append(Choice(model.id, label, True, reason))
    return tuple(choices)


def _mode_choice(offer: Models | None, mode: str, label: str) -> Choice:
    """A mode as it stands; one whose model has still to be fetched may be chosen, too."""
    if offer is None or not offer.models:
        return Choice(mode, label)
    model = choose_model(offer, mode, "")
    if model is None:
        return Choice(mode, label, False, words.NO_MODEL)
    if model.state == "ready":
        return Choice(mode, label)
    return Choice(mode, label, False, words.needs(model), model.id)
