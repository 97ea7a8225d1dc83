"""A panel at work: the editor in memory, a client that a test speaks for, and the views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from acetate_bridge.client.client import OnEvent, OnOffer, OnQueue, OnState
from acetate_bridge.client.connection_state import Connection, State
from acetate_bridge.panel.controller import Controller
from acetate_bridge.panel.view import PanelView
from acetate_bridge.protocol.frame_planning import FrameLimits
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.messages import (
    Accepted,
    Done,
    Event,
    Failed,
    LayerReady,
    ModeInfo,
    ModeInput,
    ModelInfo,
    Models,
    Preview,
    Progress,
)
from acetate_bridge.protocol.setup import Setup
from acetate_bridge.protocol.types import Image, Layer, Recipe, Request, Role
from tests.editors.host import Kind
from tests.editors.memory_editor import PLAIN, MemoryEditor
from tests.editors.memory_stack import Node

READY = State(Connection.READY, "Connected to acetate.")
LIMITS = FrameLimits(multiple=16, smallest=64, largest=256, most_pixels=192 * 192)
MODES = [
    ModeInfo("text", "Generate a layer"),
    ModeInfo("background", "Fill", [ModeInput("layer", "layer")]),
    ModeInfo("foreground", "Add", [ModeInput("picture", "picture")], ["foreground", "blended"]),
    ModeInfo("joint", "Scene", prompts=["foreground", "background", "blended"]),
    ModeInfo("refine", "Repaint", [ModeInput("layer", "layer")]),
    ModeInfo(
        "extract",
        "Lift",
        [
            ModeInput("picture", "picture"),
            ModeInput("background", "layer", required=False),
            ModeInput("layer", "layer", required=False),
        ],
    ),
]
SMALL = ModelInfo(
    "small", "Small model", "embedded", ["text", "background", "refine"], frame=LIMITS, steps=9
)
LARGE = ModelInfo("large", "Large model", "sdxl", [mode.name for mode in MODES], frame=LIMITS)
OFFER = Models([SMALL, LARGE], MODES)


class ScriptedLink:
    """Stands for the client: notes what it is told, and says what the test says."""

    def __init__(
        self,
        identity: str,
        on_event: OnEvent,
        on_state: OnState,
        on_offer: OnOffer,
        on_queue: OnQueue,
        *,
        address: str | None = None,
        token_file: str = "",
    ) -> None:
        self.identity, self.address, self.token_file = identity, address, token_file
        self.on_event, self.on_state, self.on_offer = on_event, on_state, on_offer
        self.on_queue = on_queue
        self.asked_setup: list[Callable[[Setup | None, str], None]] = []
        self.asked_page: list[Callable[[str, str], None]] = []
        self.requests: dict[str, Request] = {}
        self.cancelled: list[str] = []
        self.acknowledged: list[str] = []
        self.said: list[str] = []

    def start(self) -> None:
        self.said.append("start")

    def stop(self, timeout: float = 5.0) -> None:
        self.said.append("stop")

    def submit(self, request: Request, job: str | None = None) -> str:
        assert job is not None
        self.requests[job] = request
        return job

    def cancel(self, job: str) -> None:
        self.cancelled.append(job)

    def acknowledge(self, job: str) -> None:
        self.acknowledged.append(job)

    def move(self, job: str, before: str = "") -> None:
        self.said.append(f"move {job} before {before or 'nothing'}")

    def ask_page(self, done: Callable[[str, str], None]) -> None:
        self.asked_page.append(done)

    def ask_setup(self, done: Callable[[Setup | None, str], None]) -> None:
        self.asked_setup.append(done)

    def update_plugin(self, editor: str, done: Callable[[str], None]) -> None:
        self.said.append(f"update {editor}")
        done("The plug-in is up to date: start the editor again.")

    def retry(self) -> None:
        self.said.append("retry")

    def start_server(self) -> None:
        self.said.append("start_server")

    def pull(self, model: str, accepted: Sequence[str] = ()) -> None:
        self.said.append(f"pull {model} {', '.join(accepted)}".strip())

    def pause(self, model: str) -> None:
        self.said.append(f"pause {model}")


class Desk:
    """Opens a panel, connected and with a document of 160 × 120 unless told otherwise."""

    opened: ClassVar[list[Desk]] = []

    def __init__(
        self,
        folder: Path,
        connected: bool = True,
        kind: Kind = PLAIN,
        editor: MemoryEditor | None = None,
        offer: Models = OFFER,
    ) -> None:
        self.editor = editor or MemoryEditor()
        self.document = self.editor.new(160, 120, kind, "harbour.ora") if editor is None else ""
        self.views: list[PanelView] = []
        self.links: list[ScriptedLink] = []
        self.panel = Controller(
            self.editor, folder / "panel.json", self.views.append, self._make_link
        )
        self._sequence = 0
        Desk.opened.append(self)
        self.panel.start()
        if connected:
            self.link.on_state(READY)
            self.link.on_offer(offer)
            self.editor.settle()

    def _make_link(self, *parts: Any, **server: Any) -> ScriptedLink:
        self.links.append(ScriptedLink(*parts, **server))
        return self.links[-1]

    @property
    def link(self) -> ScriptedLink:
        return self.links[-1]

    @property
    def view(self) -> PanelView:
        return self.panel.view

    @property
    def job(self) -> str:
        """The job that was submitted last."""
        return list(self.link.requests)[-1]

    @property
    def request(self) -> Request:
        return self.link.requests[self.job]

    def names(self) -> list[str]:
        return [entry.name for entry in self.editor.stack(self.document)]

    def paint(self, name: str, image: Image, x: int = 0, y: int = 0) -> str:
        key = self.editor.add(
            self.document, Node("", name, Rect(x, y, image.width, image.height), image)
        )
        self.panel.refresh()
        return key

    def ask(self, prompt: str = "a paper lantern, glowing", mode: str = "text") -> str:
        """Type and press Generate; returns the job."""
        self.panel.set_mode(mode)
        self.panel.set_prompt(prompt)
        self.panel.generate()
        return self.job

    def hear(self, event: Event) -> None:
        self._sequence += 1
        numbered = replace(event, sequence=self._sequence)
        self.link.on_event(numbered)
        self.editor.settle()

    def state(self, connection: Connection, message: str = "So it is.", cure: str = "") -> None:
        self.link.on_state(State(connection, message, cure))
        self.editor.settle()

    def accepted(self, ahead: int = 0) -> None:
        self.hear(Accepted(self.job, 0, ahead))

    def progress(self, step: int, steps: int, left: float = -1.0) -> None:
        self.hear(Progress(self.job, 0, "painting", step, steps, left))

    def preview(self, image: Image) -> None:
        self.hear(Preview(self.job, 0, image))

    def layer(
        self,
        variant: int = 0,
        image: Image | None = None,
        role: Role = Role.FOREGROUND,
        job: str = "",
        index: int = 0,
    ) -> None:
        """The server sends a layer for the region that was asked for."""
        job = job or self.job
        request = self.link.requests.get(job)
        region = Rect(0, 0, 160, 120)
        recipe = Recipe("text", "a lantern from before")
        if request is not None:
            assert request.frame is not None
            region, recipe = request.frame.region, request.recipe
        image = image or lantern(region.width, region.height, variant)
        recipe = replace(recipe, seed=recipe.seed + variant)
        name = f"{role.value} {variant}"
        layer = Layer(image, role, name, region.x, region.y, recipe)
        self.hear(LayerReady(job, 0, index, layer, variant))

    def done(self, job: str = "") -> None:
        self.hear(Done(job or self.job, 0, Recipe("text"), 1))

    def failed(self, code: str, message: str, hint: str = "") -> None:
        self.hear(Failed(self.job, 0, code, message, hint))


def lantern(width: int, height: int, variant: int = 0) -> Image:
    """Half clear, half solid, a colour of its own for each variant."""
    row = bytes((0, 0, 0, 0)) * (width // 2)
    row += bytes((250, 40 * variant % 256, 10, 255)) * (width - width // 2)
    return Image(width, height, row * height)


def solid(width: int, height: int, colour: tuple[int, int, int, int]) -> Image:
    return Image(width, height, bytes(colour) * (width * height))


def shown(desk: Desk) -> Node:
    """The node of the result that stands in the document."""
    nodes = [
        desk.editor.node(desk.document, each.key) for each in desk.editor.layers(desk.document)
    ]
    return next(node for node in nodes if node.recipe is not None)


def move(node: Node, x: int, y: int) -> None:
    """As a painter moves a layer."""
    assert node.bounds is not None
    node.bounds = node.bounds.moved(x, y)
    node.moved = (node.moved[0] + x, node.moved[1] + y)
