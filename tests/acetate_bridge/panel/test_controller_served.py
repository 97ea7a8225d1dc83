"""The panel over the real server with the embedded model: typed, painted, inserted, resumed."""

from __future__ import annotations

import functools
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acetate_bridge.client.client import Client
from acetate_bridge.editing.editor import Selection
from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.panel.controller import Controller
from acetate_bridge.panel.view import PanelView
from acetate_bridge.protocol.geometry import Rect
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.editors.memory_editor import MemoryEditor


class LoopEditor(MemoryEditor):
    """Its GUI thread is the test's: actions of other threads wait in a queue for it."""

    def __init__(self) -> None:
        super().__init__()
        self.actions: queue.Queue[Callable[[], None]] = queue.Queue()

    def call_soon(self, action: Callable[[], None]) -> None:
        self.actions.put(action)


class Studio:
    """A painter with a panel at a real server."""

    def __init__(self, folder: Path, server: RunningServer) -> None:
        self.editor = LoopEditor()
        self.document = self.editor.new(320, 240, title="harbour.ora")
        self.views: list[PanelView] = []
        make = functools.partial(Client, address=server.runtime.address, token=TOKEN)
        self.panel = Controller(self.editor, folder / "panel.json", self.views.append, make)
        self.panel.start()

    def until(self, reached: Callable[[PanelView], object]) -> PanelView:
        """Let the loop turn until the panel shows it."""
        until = time.monotonic() + LONG
        while not reached(self.panel.view):
            assert time.monotonic() < until, self.panel.view.status
            try:
                self.editor.actions.get(timeout=1)()
            except queue.Empty:
                continue
        return self.panel.view


@pytest.fixture(scope="module")
def painting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    painter = "acetate.workers.generator:open_generator"
    with RunningServer(tmp_path_factory.mktemp("painting"), painter) as running:
        yield running


@pytest.fixture
def studio(tmp_path: Path, painting_server: RunningServer) -> Iterator[Studio]:
    open_studio = Studio(tmp_path, painting_server)
    yield open_studio
    open_studio.panel.stop()


@pytest.mark.slow
def test_a_layer_is_painted_where_the_selection_is_and_a_background_around_it(
    studio: Studio,
) -> None:
    studio.until(lambda view: view.model == "embedded" and view.modes)
    editor, panel, document = studio.editor, studio.panel, studio.document
    editor.sheet(document).selected = Selection(Rect(40, 30, 128, 96))
    panel.refresh()
    panel.set_prompt("a red apple")
    panel.set_field("seed", 7)
    panel.set_field("variants", 2)
    assert panel.view.can_generate, panel.view.why_not
    panel.generate()
    assert panel.view.running and panel.view.can_generate, "jobs queue up"
    view = studio.until(lambda view: not view.running)
    assert any(each.progress is not None and each.progress.step > 1 for each in studio.views)
    assert any(each.preview is not None for each in studio.views)
    assert len(view.results) == 2, view.status
    if not any(each.shown for each in view.results):
        assert all(each.warning for each in view.results)
        panel.swap(0)
    (layer,) = editor.layers(document)
    assert layer.bounds == Rect(40, 30, 128, 96) and layer.name == "red apple"
    text = editor.recipe(document, layer.key)
    recipe = read_recipe(text) if text is not None else None
    assert recipe is not None and recipe.seed in (7, 8) and recipe.model_hash

    editor.sheet(document).selected = None
    editor.sheet(document).active = layer.key
    panel.refresh()
    panel.set_mode("background")
    panel.set_prompt("a wooden table")
    panel.set_field("variants", 1)
    panel.generate()
    studio.until(lambda view: not view.running)
    names = [entry.name for entry in editor.stack(document)]
    assert names[0] == "red apple" and len(names) == 2
    assert editor.layers(document)[1].bounds == Rect(0, 0, 320, 240)
    assert len(panel.view.history) == 3


@pytest.mark.slow
def test_a_job_is_cancelled_and_another_is_offered_after_a_restart_of_the_editor(
    tmp_path: Path, painting_server: RunningServer, studio: Studio
) -> None:
    panel = studio.panel
    studio.until(lambda view: view.model == "embedded" and view.modes)
    panel.set_prompt("a green leaf")
    panel.set_field("steps", 150)
    panel.generate()
    studio.until(lambda view: view.progress is not None and view.progress.step > 0)
    panel.cancel()
    studio.until(lambda view: not view.running)
    assert panel.view.status.sentence == "Cancelled." and not studio.editor.layers(studio.document)
    panel.set_field("steps", 20)
    panel.generate()
    studio.until(lambda view: view.progress is not None and view.progress.step > 0)
    panel.stop()

    again = Studio(tmp_path, painting_server)
    try:
        view = again.until(lambda view: view.offer is not None)
        assert view.offer is not None and "harbour.ora" in view.offer.sentence
        again.until(lambda view: not view.running)
        again.panel.insert_offer()
        (layer,) = again.editor.layers(again.document)
        assert layer.bounds == Rect(0, 0, 320, 240) and again.panel.view.offer is None
    finally:
        again.panel.stop()
