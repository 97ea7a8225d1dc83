"""The whole way, with nothing replaced: `acetate serve`, its worker, and the embedded model."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from acetate.models.families import FAMILIES
from acetate_bridge import (
    Accepted,
    Cancelled,
    Client,
    Done,
    Frame,
    Image,
    LayerReady,
    ModelInfo,
    Models,
    Preview,
    Progress,
    Recipe,
    Rect,
    Request,
    Role,
    plan_frame,
)
from acetate_bridge.protocol.modes import MODES
from tests.app.links import CuttingProxy
from tests.app.listening import Listener
from tests.app.server_process import LONG, RunningServer
from tests.app.test_survival import workers_of

pytestmark = pytest.mark.slow

QUICK = {"steps": 3, "passes": 1, "guidance": 1.0}
FEW = {**QUICK, "steps": 2}


@pytest.fixture(scope="module")
def painting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """`acetate serve` itself; its token is in the runtime file."""
    folder = tmp_path_factory.mktemp("painting")
    with RunningServer(folder, real=["serve", "--device", "cpu"]) as server:
        yield server


@pytest.fixture(scope="module")
def model(painting: RunningServer) -> ModelInfo:
    """What the worker announces about the embedded model once it is ready."""
    offers: queue.Queue[Models] = queue.Queue()
    runtime = painting.runtime
    client = Client(
        "asking", lambda event: None, None, offers.put, address=runtime.address, token=runtime.token
    )
    client.start()
    try:
        while not (offer := offers.get(timeout=LONG)).models:
            pass
        return offer.models[0]
    finally:
        client.stop(LONG)


@pytest.fixture
def listener(painting: RunningServer) -> Iterator[Listener]:
    with Listener(painting.runtime.address, painting.runtime.token) as listening:
        yield listening


def frame_for(model: ModelInfo, region: Rect) -> Frame:
    assert model.frame is not None
    return plan_frame(region, model.frame)


def test_a_layer_is_painted_at_its_place_and_its_recipe_paints_it_again(
    listener: Listener, model: ModelInfo
) -> None:
    assert model.state == "ready" and set(model.modes) >= {"text", "background"}
    region = Rect(-40, 17, 210, 190)
    frame = frame_for(model, region)
    request = Request(Recipe("text", "a red apple", seed=7, **QUICK), frame=frame)
    job = listener.client.submit(request)
    done = listener.ending(job)
    assert isinstance(done, Done), done
    kinds = [type(event) for event in listener.events]
    assert kinds[0] is Accepted and kinds[-1] is Done
    steps = [event.step for event in listener.of(job, Progress) if event.stage != "loading"]
    # A reader that is slow is told only of the last.
    assert steps[-1] == 3 and steps == sorted(set(steps))
    preview = listener.of(job, Preview)[0].image
    assert preview.format == "rgba8" and preview.width >= 8
    (ready,) = listener.of(job, LayerReady)
    layer = ready.layer
    assert (layer.x, layer.y, layer.role) == (-40, 17, Role.FOREGROUND)
    assert (layer.image.width, layer.image.height) == (210, 190)
    assert done.recipe.model == model.id and done.recipe.model_hash and done.recipe.software
    again = listener.client.submit(Request(done.recipe, frame=frame))
    assert isinstance(listener.ending(again), Done)
    assert listener.of(again, LayerReady)[0].layer == layer


def test_a_background_is_filled_around_a_layer(listener: Listener, model: ModelInfo) -> None:
    region = Rect(5, -9, model.native, model.native)
    frame = frame_for(model, region)
    rows = [b"\xff\x00\x00\xff" * 100 + bytes(4 * (model.native - 100))] * model.native
    cut_out = Image(model.native, model.native, b"".join(rows))
    recipe = Recipe("background", "green hills under a blue sky", seed=3, **QUICK)
    job = listener.client.submit(Request(recipe, {"layer": cut_out}, frame=frame))
    done = listener.ending(job)
    assert isinstance(done, Done), done
    (ready,) = listener.of(job, LayerReady)
    assert ready.layer.role is Role.BACKGROUND
    assert (ready.layer.x, ready.layer.y) == (5, -9)
    assert ready.layer.image.data[3::4] == b"\xff" * model.native**2
    assert set(done.recipe.inputs) == {"layer"}


def test_every_mode_of_the_menu_is_painted_by_the_model_that_ships(
    listener: Listener, model: ModelInfo
) -> None:
    assert set(model.modes) == set(FAMILIES["embedded"].modes) <= set(MODES)
    apple = painted(listener, model, Recipe("text", "a red apple", seed=7, **FEW))
    room = painted(listener, model, Recipe("background", "green hills", **FEW), layer=apple)
    side = apple.width
    rows = [b"\x00\x00\x00\xff" * (side // 2) + b"\xff" * 4 * (side // 2)] * side
    mask = Image(side, side, b"".join(rows))
    pictures = {"layer": apple, "picture": room, "background": room, "below": room, "mask": mask}
    for mode in model.modes:
        wanted = {
            item.name: pictures[item.name]
            for item in MODES[mode].inputs
            if (mode, item.name) != ("extract", "layer")  # Either it or the background.
        }
        recipe = Recipe(mode, "a red apple", seed=3, layers=2, **FEW)
        frame = smallest(model)
        if mode == "upscale":
            wanted, frame = {"layer": Image(48, 48, apple.data[: 48 * 48 * 4])}, None
            recipe = replace(recipe, width=48, height=48)
        job = listener.client.submit(Request(recipe, wanted, frame=frame))
        done = listener.ending(job)
        assert isinstance(done, Done), (mode, done)
        layers = [event.layer for event in listener.of(job, LayerReady)]
        assert len(layers) == {"joint": 3, "decompose": 2, "foreground": 2}.get(mode, 1), mode
        for layer in layers:
            assert max(layer.image.data) > 0, (mode, layer.role)
            if layer.role in (Role.BACKGROUND, Role.BLENDED):
                assert min(layer.image.data[3::4]) == 255, (mode, layer.role)


def smallest(model: ModelInfo) -> Frame:
    assert model.frame is not None
    side = model.frame.smallest
    return plan_frame(Rect(0, 0, side, side), model.frame)


def painted(listener: Listener, model: ModelInfo, recipe: Recipe, **images: Image) -> Image:
    """The first layer of a job at the smallest size."""
    job = listener.client.submit(Request(recipe, images, frame=smallest(model)))
    assert isinstance(listener.ending(job), Done)
    return listener.of(job, LayerReady)[0].layer.image


def test_cancelling_in_mid_run_takes_effect_within_a_step(
    listener: Listener, model: ModelInfo
) -> None:
    job = listener.submit("a red apple", **{**QUICK, "steps": 150})
    at = listener.wait(lambda event: isinstance(event, Progress) and event.step >= 2)
    listener.client.cancel(job)
    assert isinstance(listener.ending(job), Cancelled)
    assert isinstance(at, Progress)
    last = listener.of(job, Progress)[-1].step
    assert last < 150 and not listener.of(job, LayerReady)
    assert isinstance(listener.ending(listener.submit("a red apple", **QUICK)), Done)


def test_twenty_jobs_of_four_clients_take_turns(painting: RunningServer, model: ModelInfo) -> None:
    address, token = painting.runtime.address, painting.runtime.token
    with (
        Listener(address, token, "first") as first,
        Listener(address, token, "anna") as anna,
        Listener(address, token, "ben") as ben,
        Listener(address, token, "cleo") as cleo,
        Listener(address, token, "dan") as dan,
    ):
        clients = [anna, ben, cleo, dan]
        blocking = first.submit("a red apple", **{**QUICK, "steps": 150})
        first.wait(lambda event: isinstance(event, Progress))
        few = {**QUICK, "steps": 1}
        jobs = [
            (one, one.submit("a cat", seed=seed, **few)) for one in clients for seed in range(5)
        ]
        for one, job in jobs:
            one.wait(lambda event, job=job: event.job == job and isinstance(event, Accepted))
        first.client.cancel(blocking)
        started: list[tuple[int, int]] = []
        for one, job in jobs:
            assert isinstance(one.ending(job), Done)
            started.append((one.of(job, Progress)[0].sequence, clients.index(one)))
        order = [client for _, client in sorted(started)]
        rounds = [order[start : start + 4] for start in range(0, 20, 4)]
        assert all(sorted(one) == [0, 1, 2, 3] for one in rounds), order


@pytest.mark.exhaustive
def test_killing_worker_and_server_loses_nothing(tmp_path: Path) -> None:
    options = ["serve", "--device", "cpu", "--token-file", str(tmp_path / "token")]
    with (
        RunningServer(tmp_path, real=options) as server,
        CuttingProxy(server.runtime.port) as way,
        Listener(way.address, server.runtime.token) as listener,
    ):
        jobs = [listener.submit("a red apple", seed=1, **{**QUICK, "steps": 12})]
        jobs += [listener.submit("a cat", seed=seed, **QUICK) for seed in range(2, 7)]
        listener.wait(lambda event: isinstance(event, Progress) and event.step >= 2)
        for worker in workers_of(server):
            worker.kill()
        listener.wait(lambda event: isinstance(event, Done) and event.job == jobs[0])
        listener.wait(lambda event: isinstance(event, Progress) and event.job == jobs[1])
        server.kill()
        server.start()
        way.aim(server.runtime.port)
        assert [type(listener.ending(job)) for job in jobs] == [Done] * 6
        assert sorted(listener.layer_names()) == sorted((job, 0) for job in jobs)
