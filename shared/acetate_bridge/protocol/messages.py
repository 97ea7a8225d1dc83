"""Every message of wire protocol 1, and the name that it carries on the wire.

A message is a frozen dataclass. A text frame holds one as JSON; a message that holds an `Image`
travels as a binary frame (see `codec`). Events, what the server says about jobs, carry a
`sequence` that only ever rises, across restarts too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from acetate_bridge.protocol.frame_planning import Frame, FrameLimits
from acetate_bridge.protocol.types import Image, Layer, PixelFormat, Recipe

PROTOCOL = 1
QUEUE_FEATURE = "queue"
"""In `hello` and `welcome`: the order of the waiting jobs is told, and can be changed."""

Stage = Literal["queued", "loading", "painting", "decoding"]
ModelState = Literal["ready", "downloading", "paused", "failed", "missing"]
InputKind = Literal["layer", "picture", "control"]


@dataclass(frozen=True)
class ImageReference:
    """An image that was uploaded: `sha256` is the hexadecimal digest of its raw pixels."""

    sha256: str
    width: int
    height: int
    format: PixelFormat = "rgba8"


@dataclass(frozen=True)
class ModeInput:
    """An image that a mode takes, by the name that `Request.images` gives it."""

    name: str
    kind: InputKind = "layer"
    words: str = ""
    required: bool = True


@dataclass(frozen=True)
class ModeInfo:
    """What a painter can ask for; `words` is the sentence that a menu shows.

    `prompts` names the layers that have a prompt of their own (`Recipe.layer_prompts`).
    """

    name: str
    words: str = ""
    inputs: list[ModeInput] = field(default_factory=list[ModeInput])
    prompts: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class ModelInfo:
    """A model that the server knows, what it can do and at which sizes.

    `progress` is the share of a download that is done, `bytes_here` of `bytes_total`, and
    `seconds_left` is negative while unknown. `reason` says why a model that is not ready cannot
    be used, and what to do; `licences` are those to be accepted before it is fetched. `styles`
    are the names of those that fit it, `controls` the kinds of control images that it can
    follow, `derives` those of them that can be made of an ordinary layer; `triggers` are the words
    that a style wants to hear, by its name; `schedulers` are names of samplers. `steps` and
    `guidance` suit most prompts (0: unknown).
    """

    id: str
    name: str = ""
    family: str = ""
    modes: list[str] = field(default_factory=list[str])
    state: ModelState = "ready"
    progress: float = 1.0
    reason: str = ""
    native: int = 0
    frame: FrameLimits | None = None
    styles: list[str] = field(default_factory=list[str])
    controls: list[str] = field(default_factory=list[str])
    steps: int = 0
    guidance: float = 0.0
    bytes_here: int = 0
    bytes_total: int = 0
    seconds_left: float = -1.0
    licences: list[str] = field(default_factory=list[str])
    derives: list[str] = field(default_factory=list[str])
    triggers: dict[str, str] = field(default_factory=dict[str, str])
    schedulers: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Limits:
    """What the server accepts from one client; sizes in bytes, sides in pixels."""

    message_bytes: int
    image_pixels: int
    queued_jobs: int
    variants: int
    steps: int
    side: int
    prompt_characters: int


# ---- what a client says


@dataclass(frozen=True)
class Hello:
    """First message. `client` is an identity that outlives the connection.

    `last_event` is the highest sequence number seen from the job store `store`; a server with
    another store replays everything it has for this client. `features` lists, best first, the
    encodings that the client can read (`encoding:raw`, `encoding:webp`, `encoding:png`), and
    whether it puts `parts` of large frames together and wants to hear of its `queue`.
    """

    protocol: int
    client: str
    features: list[str] = field(default_factory=list[str])
    last_event: int = 0
    store: str = ""


@dataclass(frozen=True)
class Upload:
    """Pixels for later jobs; `sha256` names the raw pixels, whatever the encoding."""

    sha256: str
    image: Image


@dataclass(frozen=True)
class Submit:
    """A request under an id that the client made; saying it again means the same job."""

    job: str
    recipe: Recipe
    images: dict[str, ImageReference] = field(default_factory=dict[str, ImageReference])
    variants: int = 1
    pixel_format: PixelFormat = "rgba8"
    frame: Frame | None = None


@dataclass(frozen=True)
class Cancel:
    """Stop the job within a denoising step; a job that has ended stays as it ended."""

    job: str


@dataclass(frozen=True)
class Move:
    """Paint a waiting job right before another of one's own, or last without `before`.

    Only for a server that has said `queue`; a job that does not wait any more stays as it is.
    """

    job: str
    before: str = ""


@dataclass(frozen=True)
class Acknowledge:
    """The results are safe with the client; the server may forget them."""

    job: str


@dataclass(frozen=True)
class Pull:
    """Fetch what an announced model lacks, or go on with it; `models` tells how it goes.

    `accepted` are those of its licences that a person has read and accepted, by name.
    """

    model: str
    accepted: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Pause:
    """Stop fetching a model; what has arrived is kept for the next time."""

    model: str


@dataclass(frozen=True)
class Remove:
    """Delete the files of a model that no other one needs; its base stays."""

    model: str


# ---- what the server says


@dataclass(frozen=True)
class Welcome:
    """Answer to `hello`. `store` names the job store, `server` the software and its version.

    `features` says whether the server puts `parts` of large frames together, and whether the
    order of the `queue` can be changed. `wildcards` are the names of its files of choices.
    """

    server: str
    protocol: int
    store: str
    models: list[ModelInfo]
    modes: list[ModeInfo]
    limits: Limits
    features: list[str] = field(default_factory=list[str])
    wildcards: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Models:
    """What can be used has changed; while models are fetched, up to four times a second."""

    models: list[ModelInfo]
    modes: list[ModeInfo]
    wildcards: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Queue:
    """The waiting jobs of this client in the order of their turns, said whenever it changes.

    `ahead` counts, for each, the jobs of all clients that wait before it. Only for a client that
    has said `queue`.
    """

    jobs: list[str]
    ahead: list[int]


@dataclass(frozen=True)
class Missing:
    """These images of a submitted job are unknown here: upload them and submit again."""

    job: str
    images: list[str]


@dataclass(frozen=True)
class Problem:
    """A message could not be taken; nothing else has changed."""

    code: str
    message: str
    hint: str = ""
    job: str = ""


@dataclass(frozen=True)
class Accepted:
    """The job is on disk and will be painted; `ahead` jobs stand before it."""

    job: str
    sequence: int
    ahead: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a running job is: `step` of `steps`; `seconds_left` is negative while unknown.

    `note` says in a sentence what was done differently than asked, such as to save memory.
    """

    job: str
    sequence: int
    stage: Stage
    step: int = 0
    steps: int = 0
    seconds_left: float = -1.0
    note: str = ""


@dataclass(frozen=True)
class Preview:
    """A rough picture of variant `variant`, straight alpha, ready for a checkerboard."""

    job: str
    sequence: int
    image: Image
    variant: int = 0


@dataclass(frozen=True)
class LayerReady:
    """A result. `index` counts the layers of a job, which may arrive while others are painted."""

    job: str
    sequence: int
    index: int
    layer: Layer
    variant: int = 0


@dataclass(frozen=True)
class Done:
    """All `layers` layers have been sent; the recipe reproduces them."""

    job: str
    sequence: int
    recipe: Recipe
    layers: int = 0


@dataclass(frozen=True)
class Failed:
    """The job has ended without a result: a stable code, a sentence, and what to do."""

    job: str
    sequence: int
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Cancelled:
    """The job has ended because a client asked for it."""

    job: str
    sequence: int


ModelMessage = Pull | Pause | Remove
ClientMessage = Hello | Upload | Submit | Cancel | Move | Acknowledge | ModelMessage
Event = Accepted | Progress | Preview | LayerReady | Done | Failed | Cancelled
ServerMessage = Welcome | Models | Queue | Missing | Problem | Event
Message = ClientMessage | ServerMessage

CLIENT_MESSAGES: dict[str, type[ClientMessage]] = {
    "hello": Hello,
    "upload": Upload,
    "submit": Submit,
    "cancel": Cancel,
    "move": Move,
    "acknowledge": Acknowledge,
    "pull": Pull,
    "pause": Pause,
    "remove": Remove,
}
SERVER_MESSAGES: dict[str, type[ServerMessage]] = {
    "welcome": Welcome,
    "models": Models,
    "queue": Queue,
    "missing": Missing,
    "problem": Problem,
    "accepted": Accepted,
    "progress": Progress,
    "preview": Preview,
    "layer": LayerReady,
    "done": Done,
    "failed": Failed,
    "cancelled": Cancelled,
}
WIRE_NAMES: dict[type[Message], str] = {
    **{kind: name for name, kind in CLIENT_MESSAGES.items()},
    **{kind: name for name, kind in SERVER_MESSAGES.items()},
}

ENDINGS = (Done, Failed, Cancelled)
EVENTS = (Accepted, Progress, Preview, LayerReady, Done, Failed, Cancelled)
