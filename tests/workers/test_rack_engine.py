"""Painting at a vLLM-Omni server: what it has is offered, jobs go there and come back as layers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from acetate.app.application import make_engines
from acetate.app.settings import Settings
from acetate.errors import BadRequest, Interrupted
from acetate.jobs.availability import Offers
from acetate.workers.engine import (
    Announcement,
    EngineLost,
    Painted,
    PaintingFailed,
)
from acetate.workers.rack_engine import SLOTS, RackEngine
from acetate.workers.rack_painter import RackAddress
from acetate_bridge import Image, Recipe, Request
from acetate_bridge.protocol.messages import ModeInfo, ModelInfo
from acetate_bridge.protocol.png import write_png
from acetate_bridge.protocol.serialization import to_plain
from acetate_bridge.protocol.types import Role
from tests.app.server_process import RunningServer
from tests.app.test_http import ask, finished
from tests.workers.fake_painter import solid
from tests.workers.rack_server import RackServer, shade

PATIENCE = 120.0


@pytest.fixture
def rack() -> Iterator[RackServer]:
    with RackServer() as running:
        yield running


@pytest.fixture
async def engine(rack: RackServer) -> AsyncIterator[RackEngine]:
    engine = RackEngine(RackAddress.read(rack.address), 0)
    yield engine
    await engine.stop()


def request(picture: Image | None = None, **more: object) -> Request:
    image = picture or solid(32, 16, 7)
    recipe = Recipe(
        "decompose", "a cat on a mat", seed=5, steps=30, guidance=4.0, layers=3,
        width=image.width, height=image.height, model="qwen-layered",
    )  # fmt: skip
    return Request(recipe, {"picture": image}, **more)  # type: ignore[arg-type]


async def painted(engine: RackEngine, job: str, wish: Request) -> list[Painted]:
    return [event async for event in engine.paint(job, wish) if isinstance(event, Painted)]


async def until(true: object) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_what_the_server_has_is_announced(engine: RackEngine) -> None:
    heard: asyncio.Queue[Announcement] = asyncio.Queue()
    await engine.start(heard.put_nowait)
    offer = await asyncio.wait_for(heard.get(), PATIENCE)
    assert [(model.id, model.state) for model in offer.models] == [("qwen-layered", "ready")]
    assert [mode.name for mode in offer.modes] == ["decompose"]


async def test_layers_come_back_with_their_alpha(engine: RackEngine, rack: RackServer) -> None:
    picture = solid(32, 16, 7)
    layers = [event.layer for event in await painted(engine, "job-0001", request(picture))]
    assert [layer.image for layer in layers] == [shade(picture, index) for index in range(3)]
    assert [layer.role for layer in layers] == [Role.BACKGROUND, Role.FOREGROUND, Role.FOREGROUND]
    (form,) = rack.asked
    assert form["image"] == picture and form["prompt"] == "a cat on a mat"
    assert (form["layers"], form["seed"], form["num_inference_steps"]) == ("3", "5", "30")
    assert (form["true_cfg_scale"], form["resolution"]) == ("4.0", "640")


async def test_deep_pictures_go_and_come(engine: RackEngine) -> None:
    deep = Image(16, 16, b"\xff\x7f" * (16 * 16 * 4), "rgba16")
    wish = request(deep, pixel_format="rgba16")
    (first, *_) = await painted(engine, "job-0002", wish)
    assert first.layer.image.format == "rgba16" and len(first.layer.image.data) == 16 * 16 * 8


async def test_a_job_is_cancelled_while_the_server_paints(
    engine: RackEngine, rack: RackServer
) -> None:
    rack.hold.clear()
    painting = asyncio.create_task(painted(engine, "job-0003", request()))
    await until(lambda: rack.asked)
    engine.cancel("job-0003")
    with pytest.raises(Interrupted):
        await asyncio.wait_for(painting, PATIENCE)
    rack.hold.set()
    assert len(await painted(engine, "job-0004", request())) == 3


async def test_several_jobs_are_there_at_once(rack: RackServer) -> None:
    engines = [RackEngine(RackAddress.read(rack.address), number) for number in range(4)]
    rack.hold.clear()
    jobs = [
        asyncio.create_task(painted(engine, f"job-1{number:03d}", request()))
        for number, engine in enumerate(engines)
    ]
    await until(lambda: rack.most_at_once == 4)
    rack.hold.set()
    assert [len(await job) for job in jobs] == [3] * 4
    for engine in engines:
        await engine.stop()


@pytest.mark.parametrize(("status", "missing"), [(503, 0), (200, 1)])
async def test_a_server_that_fails_may_be_tried_again(
    engine: RackEngine, rack: RackServer, status: int, missing: int
) -> None:
    rack.status, rack.missing = status, missing
    with pytest.raises(EngineLost, match=r"127.0.0.1:\d+"):
        await painted(engine, "job-0005", request())


async def test_a_server_that_is_gone_is_said() -> None:
    engine = RackEngine(RackAddress.read("http://127.0.0.1:9"), 0)
    with pytest.raises(EngineLost, match="127.0.0.1:9 does not answer"):
        await painted(engine, "job-0006", request())
    await engine.stop()


async def test_what_it_cannot_paint_fails_once(engine: RackEngine, rack: RackServer) -> None:
    rack.status = 422
    with pytest.raises(PaintingFailed, match="cannot paint this"):
        await painted(engine, "job-0007", request())


def test_jobs_of_other_models_do_not_go_there() -> None:
    offers = Offers()
    assert not offers.suits("vllm-omni:0", "", selective=True)
    assert not offers.suits("vllm-omni:0", "sdxl", selective=True)


def test_a_server_is_asked_by_many_slots(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path, "t" * 40, racks=("http://rack:8000/v1",))
    names = [engine.name for engine in make_engines(settings)]
    assert names == ["auto", *(f"vllm-omni:{number}" for number in range(SLOTS))]


@pytest.mark.parametrize(
    "text", ["", "rack:8000", "ftp://rack", "http://", "http://a:b", "http://a/x"]
)
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(BadRequest, match="http://rack:8000"):
        RackAddress.read(text)


def test_while_the_devices_are_loading_it_is_not_said_that_nothing_else_is_here() -> None:
    offers = Offers()
    rack_offer = Announcement([ModelInfo("qwen-layered")], [ModeInfo("decompose")])
    offers.announce("vllm-omni:0", rack_offer, selective=True)
    assert offers.model("qwen-layered") is None
    offers.announce("cpu", Announcement([ModelInfo("embedded")], [ModeInfo("text")]))
    assert offers.model("embedded") and offers.model("qwen-layered")


@pytest.mark.slow
def test_a_server_paints_there_what_it_has_not_itself(rack: RackServer, tmp_path: Path) -> None:
    """The whole way: the page's interface, the queue, the other server, and back."""
    with RunningServer(tmp_path, racks=(rack.address,)) as server:
        until_ready = time.monotonic() + PATIENCE
        while '"qwen-layered"' not in (offer := ask(server, "GET", "/v1/models")[1].decode()):
            assert time.monotonic() < until_ready, offer
            time.sleep(0.05)
        picture = solid(640, 640, 9)
        code, body = ask(server, "POST", "/v1/images", write_png(picture), "image/png")
        assert code == 201
        recipe = to_plain(replace(request().recipe, width=640, height=640))
        order = {"recipe": recipe, "images": {"picture": json.loads(body)}}
        code, body = ask(server, "POST", "/v1/jobs", order)
        assert code == 202, body
        status = finished(server, json.loads(body)["job"])
        assert status["state"] == "done", status
        assert len(status["layers"]) == 3 and status["layers"][0]["width"] == 640
        # What is for this machine's own painter goes on being painted here.
        plain = {"recipe": {"mode": "text", "prompt": "x", "steps": 2}}
        job = json.loads(ask(server, "POST", "/v1/jobs", plain)[1])["job"]
        assert finished(server, job)["state"] == "done"
    assert len(rack.asked) == 1


@pytest.mark.parametrize("text", ["rack:8000", "sglang=http://rack:8000", "vllm-omni=rack"])
def test_an_engine_that_is_none_is_one_sentence(tmp_path: Path, text: str) -> None:
    server = RunningServer(tmp_path, real=["serve", "--engine", text])
    with pytest.raises(AssertionError, match="--engine (is written|takes)"):
        server.start()
