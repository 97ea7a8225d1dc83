"""The settings on the panel as actions, and the rule that no action raises into the host."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Concatenate, ParamSpec, TypeVar

from acetate_bridge.editing.editor import DocumentClosed, LayerGone
from acetate_bridge.editing.plan import CannotPlan
from acetate_bridge.panel import status as statuses
from acetate_bridge.panel.preferences import Preferences
from acetate_bridge.panel.view import AfterRepaint, PanelView, Status
from acetate_bridge.panel.view_model import Knowledge, Work, draw

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
            log.warning("an action was refused", exc_info=True)
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
        self._view = draw(known, preferences, Work())

    @property
    def view(self) -> PanelView:
        """The panel as it stands now."""
        return self._view

    def say(self, sentence: str) -> None:
        """A sentence for the status line."""
        self.known.outcome = Status(sentence, "notice")

    def redraw(self) -> None:
        """Hand a new view to the toolkit."""
        raise NotImplementedError

    @safely
    def set_mode(self, mode: str) -> None:
        """Choose what to do."""
        self.known.outcome = None
        self._preferences.change(replace(self._preferences.current, mode=mode))

    @safely
    def set_model(self, model: str) -> None:
        """Choose a model."""
        self._preferences.change(replace(self._preferences.current, model=model))

    @safely
    def set_prompt(self, text: str) -> None:
        """What to paint in this mode."""
        now = self._preferences.current
        self._preferences.change(replace(now, prompts={**now.prompts, now.mode: text}))

    @safely
    def set_negative_prompt(self, text: str) -> None:
        """What to avoid."""
        self._preferences.change(replace(self._preferences.current, negative_prompt=text))

    @safely
    def set_layer_prompt(self, role: str, text: str) -> None:
        """What to paint on one layer of a scene."""
        now = self._preferences.current
        self._preferences.change(replace(now, layer_prompts={**now.layer_prompts, role: text}))

    @safely
    def set_strength(self, strength: float) -> None:
        """How far a repainting may go."""
        self._preferences.change(replace(self._preferences.current, strength=strength))

    @safely
    def set_steps(self, steps: int) -> None:
        """Denoising steps of this model."""
        now = self._preferences.current
        self._preferences.change(replace(now, steps={**now.steps, self._view.model: steps}))

    @safely
    def set_guidance(self, guidance: float) -> None:
        """How closely this model follows the prompt."""
        now = self._preferences.current
        changed = {**now.guidance, self._view.model: guidance}
        self._preferences.change(replace(now, guidance=changed))

    @safely
    def set_seed(self, seed: int) -> None:
        """Choose a seed, which locks it."""
        now = self._preferences.current
        self._preferences.change(replace(now, seed=seed, seed_locked=True))

    @safely
    def set_seed_locked(self, locked: bool) -> None:
        """Keep the seed, or draw another for each job."""
        self._preferences.change(replace(self._preferences.current, seed_locked=locked))

    @safely
    def set_variants(self, variants: int) -> None:
        """How many results to paint."""
        self._preferences.change(replace(self._preferences.current, variants=variants))

    @safely
    def set_after_repaint(self, after: AfterRepaint) -> None:
        """Choose what a repainting does to its source."""
        self._preferences.change(replace(self._preferences.current, repaint=after))

    @safely
    def set_keep_transparency(self, keep: bool) -> None:
        """Choose whether a repainting leaves the alpha of its layer as it is."""
        self._preferences.change(replace(self._preferences.current, keep_transparency=keep))

    @safely
    def set_more_open(self, more_open: bool) -> None:
        """Fold or unfold the details."""
        self._preferences.change(replace(self._preferences.current, more_open=more_open))
