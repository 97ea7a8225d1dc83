"""What can be used: the announcements of all engines together, with the downloads laid over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from acetate.workers.engine import Announcement
from acetate_bridge.protocol.messages import ModelInfo, ModelState

OnOffer = Callable[[Announcement], None]


@dataclass(frozen=True)
class DownloadState:
    """How the download of a model stands; sizes in bytes, `seconds_left` negative if unknown."""

    state: ModelState
    here: int = 0
    total: int = 0
    seconds_left: float = -1.0
    reason: str = ""

    def over(self, model: ModelInfo) -> ModelInfo:
        """The model as this download leaves it."""
        ready = self.state == "ready"
        share = self.here / self.total if self.total else float(ready)
        return replace(
            model,
            state=self.state,
            progress=share,
            reason=self.reason,
            bytes_here=self.here,
            bytes_total=self.total,
            seconds_left=self.seconds_left,
            # Nothing is fetched before they are accepted.
            licences=[],
        )


class Offers:
    """Tells its listeners of every change."""

    def __init__(self) -> None:
        self._announced: dict[str, Announcement] = {}
        self._selective: set[str] = set()
        self._downloads: dict[str, DownloadState] = {}
        self._listeners: list[OnOffer] = []
        self._told: Announcement | None = None
        self._awaited: dict[str, list[asyncio.Future[None]]] = {}

    @property
    def now(self) -> Announcement | None:
        """Models and modes of all engines, or None before the first is ready."""
        # What a selective engine has says nothing of what the others are still loading.
        if not set(self._announced) - self._selective:
            return None
        models: dict[str, ModelInfo] = {}
        for offer in self._announced.values():
            for model in offer.models:
                if model.id not in models or models[model.id].state != "ready":
                    models[model.id] = model
        modes = {mode.name: mode for offer in self._announced.values() for mode in offer.modes}
        return Announcement(list(map(self._with_download, models.values())), list(modes.values()))

    def model(self, model: str) -> ModelInfo | None:
        """The model with this id."""
        offer = self.now
        return next((each for each in offer.models if each.id == model), None) if offer else None

    def suits(self, engine: str, model: str, selective: bool = False) -> bool:
        """Whether an engine may paint with a model: it has it, or no other one has it either.

        An engine that has announced nothing yet may have it. A `selective` one has to have it.
        """
        if not selective and (not model or engine not in self._announced):
            return True
        having = {
            name
            for name, offer in self._announced.items()
            if any(each.id == model and each.state == "ready" for each in offer.models)
        }
        return engine in having or not (having or selective)

    def announce(self, engine: str, offer: Announcement, selective: bool = False) -> None:
        """An engine has looked at what it has; a `selective` one is asked for that alone."""
        self._announced[engine] = offer
        if selective:
            self._selective.add(engine)
        for waiting in self._awaited.pop(engine, []):
            if not waiting.done():
                waiting.set_result(None)
        # It has seen what was fetched by now.
        for model in [each for each, at in self._downloads.items() if at.state == "ready"]:
            del self._downloads[model]
        self.tell()

    async def announced_by(self, engine: str) -> None:
        """Return as soon as this engine has announced anew."""
        waiting = asyncio.get_running_loop().create_future()
        self._awaited.setdefault(engine, []).append(waiting)
        await waiting

    def set_download(self, model: str, state: DownloadState | None) -> None:
        """A download has moved; None forgets it. Nobody is told until `tell`."""
        if state is None:
            self._downloads.pop(model, None)
        else:
            self._downloads[model] = state

    def listen(self, listener: OnOffer) -> Callable[[], None]:
        """Be told when the offer changes; call what is returned to be left alone."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self) -> None:
        """Tell the listeners, if there is anything new."""
        offer = self.now
        if offer is not None and offer != self._told:
            self._told = offer
            for listener in list(self._listeners):
                listener(offer)

    def _with_download(self, model: ModelInfo) -> ModelInfo:
        download = self._downloads.get(model.id)
        return model if download is None or model.state == "ready" else download.over(model)
