"""The settings on the panel as actions, and the rule that no action raises into the host."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Concatenate, ParamSpec, TypeVar

from acetate_bridge.editing.editor import DocumentClosed, LayerGone, Refusal
from acetate_bridge.editing.plan import CannotPlan
from acetate_bridge.language.spoken import speak
from acetate_bridge.panel import status as statuses
from acetate_bridge.panel.fields import Value
from acetate_bridge.panel.preferences import Preferences
from acetate_bridge.panel.spoken_view import spoken
from acetate_bridge.panel.view import PanelView, Status
from acetate_bridge.panel.view_model import Knowledge, Work, draw
from acetate_bridge.protocol.messages import ModelInfo

log = logging.getLogger("acetate.panel")

P = ParamSpec("P")
Panel = TypeVar("Panel", bound="Adjusting")


def safely(
    action: Callable[Concatenate[Panel, P], None],
) -> Callable[Concatenate[Panel, P], None]:
    """Nothing reaches the host: a sentence takes the place of every exception."""

    @functools.wraps(action)
    def guarded(self: Panel, *values: P.args, **named: P.kwargs) -> None:
        try:
            action(self, *values, **named)
        except CannotPlan as error:
            self.say(str(error))
        except DocumentClosed:
            self.say("The image was closed.")
        except LayerGone:
            self.say("The layer is not there any more.")
        except ValueError as error:
            log.warning("refused: %s", error, exc_info=not isinstance(error, Refusal))
            self.say(str(error))
        except Exception:
            log.exception("an action of the panel failed")
            self.known.outcome = statuses.FAULT
        self.redraw()

    return guarded


class Adjusting:
    """Half of the panel's actions: those that only change its settings."""

    def __init__(self, known: Knowledge, preferences: Preferences) -> None:
        self.known = known
        self._preferences = preferences
        self._language = speak(str(preferences.current.value("language")))
        self._view = spoken(draw(known, preferences, Work()), self._language)

    @property
    def view(self) -> PanelView:
        """The panel as it stands now."""
        return self._view

    def say(self, sentence: str) -> None:
        """A sentence for the status line."""
        self.known.outcome = Status(sentence, "notice")

    def _model(self) -> ModelInfo | None:
        """The model that would paint."""
        return self.known.model(self._preferences.current.mode, self._preferences.model)

    def redraw(self) -> None:
        """Hand a new view to the toolkit."""
        raise NotImplementedError

    @safely
    def set_mode(self, mode: str) -> None:
        """Choose what to do."""
        self.known.outcome = None
        self._preferences.change(replace(self._preferences.current, mode=mode))

    @safely
    def set_field(self, name: str, value: Value) -> None:
        """Set a field, for the model that would paint where that counts. A seed is then locked."""
        if name == "preset":
            self._preferences.choose_preset(str(value))
            return
        settings = self._preferences.current.changed(name, value, self._view.model)
        if name == "seed":
            settings = settings.changed("seed_locked", True)
        if name == "language":
            self._language = speak(str(settings.value(name)))
        self._preferences.change(settings)

    @safely
    def set_prompt(self, text: str) -> None:
        """What to paint in this mode."""
        now = self._preferences.current
        self._preferences.change(replace(now, prompts={**now.prompts, now.mode: text}))

    @safely
    def set_layer_prompt(self, role: str, text: str) -> None:
        """What to paint on one layer of a scene."""
        now = self._preferences.current
        self._preferences.change(replace(now, layer_prompts={**now.layer_prompts, role: text}))

    @safely
    def set_more_open(self, more_open: bool) -> None:
        """Fold or unfold the details."""
        self._preferences.change(replace(self._preferences.current, more_open=more_open))
