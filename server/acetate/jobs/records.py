"""What the store keeps, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from acetate.errors import AcetateError
from acetate_bridge.protocol.messages import Accepted, LayerReady, Submit
from acetate_bridge.protocol.types import (
    BYTES_PER_PIXEL,
    Image,
    Layer,
    PixelFormat,
    Recipe,
    Role,
)

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: tuple[JobState, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class JobRecord:
    """A job as it is on disk. `attempts` counts the times it was begun and not ended in peace."""

    job: str
    client: str
    state: JobState
    submit: Submit
    attempts: int
    created: float
    code: str = ""
    message: str = ""
    hint: str = ""
    acknowledged: bool = False


@dataclass(frozen=True)
class NewJob:
    """A job to be written down with the event that says so, which is numbered when that is done;
    `created` by the wall clock."""

    client: str
    submit: Submit
    accepted: Accepted
    created: float

    @property
    def record(self) -> JobRecord:
        """The job as it is on disk then."""
        return JobRecord(self.submit.job, self.client, "queued", self.submit, 0, self.created)


@dataclass(frozen=True)
class StoredLayer:
    """A layer event whose pixels lie in a file of the results folder."""

    sequence: int
    job: str
    index: int
    variant: int
    role: Role
    name: str
    x: int
    y: int
    recipe: Recipe | None
    width: int
    height: int
    format: PixelFormat
    file: str

    @property
    def pixel_bytes(self) -> int:
        """The memory that its pixels take."""
        return self.width * self.height * BYTES_PER_PIXEL[self.format]

    def image(self, data: bytes) -> Image:
        """The image that these bytes are; raises ValueError when they do not fill it."""
        return Image(self.width, self.height, data, self.format)

    def with_image(self, image: Image) -> LayerReady:
        """The event as it is sent."""
        layer = Layer(image, self.role, self.name, self.x, self.y, self.recipe)
        return LayerReady(self.job, self.sequence, self.index, layer, self.variant)


@dataclass(frozen=True)
class FreshLayer:
    """A layer that was just stored, with its pixels still at hand."""

    stored: StoredLayer
    data: bytes

    @property
    def sequence(self) -> int:
        """Sequence number of the event."""
        return self.stored.sequence


class Refused(AcetateError):
    """A job or image is not taken; the code says why."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint, code=code)


class MissingImages(AcetateError):
    """A job names images that were not uploaded."""

    code = "missing_images"

    def __init__(self, images: list[str]) -> None:
        super().__init__(f"{len(images)} images are missing")
        self.images = images


class DiskFull(AcetateError):
    """Nothing more can be written."""

    code = "disk_full"

    def __init__(self) -> None:
        super().__init__("The disk is full.", "Free some space.")
