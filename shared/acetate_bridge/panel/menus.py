"""The menus of modes and models, as the server's announcement and this version know them."""

from __future__ import annotations

from acetate_bridge.panel.strings import per_cent
from acetate_bridge.panel.view import Choice
from acetate_bridge.protocol.messages import Models
from acetate_bridge.protocol.modes import MODES, mode_row


def mode_choices(offer: Models | None) -> tuple[Choice, ...]:
    """All modes; before a server has spoken none is greyed, as nothing is known."""
    announced = {each.name: each for each in offer.modes} if offer is not None else {}
    names = [*MODES, *(name for name in announced if name not in MODES)]
    return tuple(
        Choice(
            name,
            MODES[name].label if name in MODES else announced[name].words or name,
            not (reason := _unable(offer, name)),
            reason,
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
            reason = (model.reason or "It is not downloaded yet.") if missing else ""
            choices.append(
                Choice(model.id, f"{name} (not here)" if missing else name, True, reason)
            )
    return tuple(choices)


def _unable(offer: Models | None, mode: str) -> str:
    if offer is None:
        return ""
    if all(each.name != mode for each in offer.modes):
        return "No model of this server can do that."
    if not any(mode in model.modes for model in offer.models):
        return "No model that is here can do that."
    return ""
