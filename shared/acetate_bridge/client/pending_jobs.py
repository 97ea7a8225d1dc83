"""What a client has asked for and not yet got: everything that must survive a cut connection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from acetate_bridge.protocol.codec import encode
from acetate_bridge.protocol.json_text import BadFrame, wellformed
from acetate_bridge.protocol.messages import (
    ENDINGS,
    Accepted,
    Acknowledge,
    Cancel,
    ClientMessage,
    Done,
    Event,
    Failed,
    ImageReference,
    LayerReady,
    Missing,
    ModelMessage,
    Submit,
    Upload,
)
from acetate_bridge.protocol.types import Image, Request

_PATIENCE = 3
_KEPT_THANKS = 1000


@dataclass
class _Open:
    """A job without an ending; its images are kept until then, for a server that lost them."""

    submit: Submit
    images: dict[str, Image]
    accepted: bool = False
    cancelled: bool = False
    missing: int = 0


@dataclass
class Pending:
    """Belongs to one thread. `store` and `last_event` say how far the client has read.

    Methods that note something are apart from those that give what has to be said, because
    without a connection nothing is said, and nothing may count as sent.
    """

    store: str = ""
    last_event: int = 0
    _open: dict[str, _Open] = field(default_factory=dict[str, _Open])
    _sent: set[str] = field(default_factory=set[str])
    _arrived: set[str] = field(default_factory=set[str])
    _thanks: dict[str, None] = field(default_factory=dict[str, None])
    _wishes: dict[str, ModelMessage] = field(default_factory=dict[str, ModelMessage])

    def add(self, job: str, request: Request) -> Failed | None:
        """Note a new job; one that no message can carry is not noted, but has failed."""
        images = {name: (_digest(image), image) for name, image in request.images.items()}
        submit = Submit(
            job,
            request.recipe,
            {
                name: ImageReference(digest, image.width, image.height, image.format)
                for name, (digest, image) in images.items()
            },
            request.variants,
            request.pixel_format,
            request.frame,
        )
        try:
            encode(submit)
        except BadFrame as error:
            return unsendable(job, error)
        self._open[job] = _Open(submit, dict(images.values()))
        return None

    def cancel(self, job: str) -> None:
        """Note that a job shall stop."""
        if job in self._open:
            self._open[job].cancelled = True

    def acknowledge(self, job: str) -> None:
        """Note that the results of a job are safe."""
        self._thanks[job] = None
        while len(self._thanks) > _KEPT_THANKS:
            del self._thanks[next(iter(self._thanks))]

    def wish(self, message: ModelMessage) -> None:
        """Note what shall be done about a model; the last wish counts."""
        self._wishes[message.model] = message

    def introduce(self, job: str) -> Iterator[ClientMessage]:
        """What has to be said for a job to be accepted."""
        if job in self._open:
            yield from self._submit(self._open[job])

    def resume(self, store: str) -> Iterator[ClientMessage]:
        """A connection stands, to the server with this store: say again what may be unheard."""
        if store != self.store:
            self.store = store
            self.last_event = 0
            self._arrived.clear()
            for job in self._open.values():
                job.accepted = False
        self._sent = set(self._arrived)
        for job in self._open.values():
            job.missing = 0
            if not job.accepted:
                yield from self._submit(job)
            if job.cancelled:
                yield Cancel(job.submit.job)
        for job in self._thanks:
            yield Acknowledge(job)
        wishes, self._wishes = self._wishes, {}
        yield from wishes.values()

    def settle(self, event: Event) -> bool:
        """Take note of an event; False when it was heard before."""
        if isinstance(event, (Accepted, LayerReady, *ENDINGS)):
            # A refusal has no number: it was never an event of a job that exists.
            if event.sequence and event.sequence <= self.last_event:
                return False
            self.last_event = max(self.last_event, event.sequence)
        job = self._open.get(event.job)
        if job is not None:
            if not isinstance(event, Failed):
                job.accepted = True
                self._arrived.update(job.images)
            if isinstance(event, ENDINGS):
                del self._open[event.job]
        return True

    def supply(self, missing: Missing, reason: str) -> Iterator[ClientMessage | Failed]:
        """The server lacks images of a job: send them again, or give up with a reason."""
        self._sent.difference_update(missing.images)
        self._arrived.difference_update(missing.images)
        job = self._open.get(missing.job)
        if job is None:
            return
        job.missing += 1
        if job.missing > _PATIENCE or not set(missing.images) <= set(job.images):
            del self._open[missing.job]
            yield Failed(
                missing.job,
                0,
                "upload_failed",
                reason or "The images of this job did not reach the server.",
                "Try again.",
            )
            return
        yield from self._submit(job)
        if job.cancelled:
            # The server knew no such job when it was told the first time.
            yield Cancel(job.submit.job)

    @property
    def open_jobs(self) -> list[str]:
        """Jobs without an ending, in the order in which they were added."""
        return list(self._open)

    def _submit(self, job: _Open) -> Iterator[ClientMessage]:
        for digest, image in job.images.items():
            if digest not in self._sent:
                self._sent.add(digest)
                yield Upload(digest, image)
        yield job.submit


def _digest(image: Image) -> str:
    return hashlib.sha256(image.data).hexdigest()


def unsendable(job: str, error: BadFrame) -> Failed:
    """How a job ends that cannot even be asked for."""
    return Failed(
        wellformed(job),
        0,
        error.code,
        f"This cannot be asked for: {error}.",
        "Type it anew: a letter was cut in half, or a number is too large.",
    )


def is_ending(event: Event) -> bool:
    """Whether nothing more will be heard of the job."""
    return isinstance(event, ENDINGS)


def succeeded(event: Event) -> bool:
    """Whether the job has ended well."""
    return isinstance(event, Done)
