"""A panel beside a document of any editor, with a server that the test speaks for.

Everything belongs on the editor's GUI thread. Python 3.10 and no pytest: this runs inside editors.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate_bridge.editing.editor import Editor
from acetate_bridge.panel.controller import Controller
from acetate_bridge.protocol.messages import Cancelled, Done, LayerReady, ModeInfo, Models
from acetate_bridge.protocol.modes import MODES
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request, Role
from tests.acetate_bridge.panel.desk import LARGE, OFFER, READY, ScriptedLink

SCENE = "harbour"
"""The name of the group that a scene comes in."""

_KNOWN = {mode.name for mode in OFFER.modes}
_ALL = Models(
    [OFFER.models[0], replace(LARGE, modes=list(MODES))],
    [
        *OFFER.modes,
        *(
            ModeInfo(name, mode.title, list(mode.inputs))
            for name, mode in MODES.items()
            if name not in _KNOWN
        ),
    ],
)
"""A model that can do every mode."""

_ROLES = {"background": [Role.BACKGROUND], "joint": [Role.FOREGROUND, Role.BACKGROUND]}


class Stage:
    """Presses the panel's buttons, and lets layers come."""

    def __init__(self, editor: Editor, settle: Callable[[], None]) -> None:
        self._editor, self._settle = editor, settle
        self._sequence = 0
        self._links: list[ScriptedLink] = []
        folder = Path(tempfile.mkdtemp())
        self._panel = Controller(editor, folder / "panel.json", lambda view: None, self._link)
        self._panel.start()
        self._links[-1].on_state(READY)
        self._links[-1].on_offer(_ALL)
        settle()

    def _link(self, *parts: Any, **server: Any) -> ScriptedLink:
        self._links.append(ScriptedLink(*parts, **server))
        return self._links[-1]

    def press(self, action: str, *values: object) -> None:
        """One of the panel's actions, by its name."""
        getattr(self._panel, action)(*values)
        self._settle()

    def ask(self, mode: str) -> bool:
        """Ask for a layer of a mode; False where it cannot be painted here."""
        before = len(self._links[-1].requests)
        self._panel.refresh()
        self._panel.set_mode(mode)
        self._panel.set_prompt(f"the {SCENE}, at night")
        self._panel.generate()
        self._settle()
        return len(self._links[-1].requests) > before

    def asked(self) -> int:
        """How many jobs were asked for."""
        return len(self._links[-1].requests)

    def deliver(self, variants: int = 1) -> None:
        """The layers of the last job come."""
        job, request = list(self._links[-1].requests.items())[-1]
        assert request.frame is not None
        for variant in range(variants):
            for role in _ROLES.get(request.recipe.mode, [Role.FOREGROUND]):
                self._say(LayerReady(job, 0, 0, _layer(request, role, variant), variant))
        self._say(Done(job, 0, Recipe("text"), 1))

    def cancelled(self) -> None:
        """The last job was cancelled."""
        self._say(Cancelled(list(self._links[-1].requests)[-1], 0))

    def said(self) -> str:
        """What the status line says."""
        return self._panel.view.status.sentence

    def where(self) -> str:
        """What is said of where it would be painted."""
        return self._panel.view.sentence

    def strip(self) -> list[bool]:
        """For each result whether it stands in the document."""
        return [each.shown for each in self._panel.view.results]

    def offered(self) -> str:
        """What is said of a result that has no place; empty without one."""
        offer = self._panel.view.offer
        return offer.sentence if offer is not None else ""

    def close(self) -> None:
        """Close the panel."""
        self._panel.stop()

    def _say(self, event: LayerReady | Done | Cancelled) -> None:
        self._sequence += 1
        self._links[-1].on_event(replace(event, sequence=self._sequence))
        self._settle()


def _layer(request: Request, role: Role, variant: int) -> Layer:
    assert request.frame is not None
    region = request.frame.region
    half = bytes((0, 0, 0, 0)) * (region.width // 2)
    half += bytes((250, 90 * variant % 256, 10, 255)) * (region.width - region.width // 2)
    image = Image(region.width, region.height, half * region.height)
    recipe = replace(request.recipe, seed=request.recipe.seed + variant)
    return Layer(image, role, f"{role.value} {variant}", region.x, region.y, recipe)
