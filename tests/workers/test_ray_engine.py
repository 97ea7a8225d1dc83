"""Painting in a Ray cluster of two nodes on this machine: placed, streamed, cancelled, lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
ray = pytest.importorskip("ray", reason="Ray is an extra (acetate[ray])")

from ray.cluster_utils import Cluster  # noqa: E402

from acetate.errors import Interrupted  # noqa: E402
from acetate.workers import ipc  # noqa: E402
from acetate.workers.engine import (  # noqa: E402
    Announcement,
    EngineLost,
    Painted,
    PaintingFailed,
)
from acetate.workers.ipc import WorkerSettings  # noqa: E402
from acetate.workers.ray_engine import (  # noqa: E402
    ClusterUnreachable,
    RayEngine,
    RaySettings,
    join_cluster,
)
from acetate.workers.supervisor import WorkerEngine  # noqa: E402
from acetate_bridge import Recipe, Request  # noqa: E402
from acetate_bridge.protocol.messages import Progress  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    # Ray leaves sockets and subprocesses to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
PATIENCE = 600.0
FAKE = "tests.workers.fake_painter:open_fake"
ONE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head that has no room for painters, and a node that has room for one."""
    cluster = Cluster(
        initialize_head=True,
        head_node_args={**ONE, "num_cpus": 0, "include_dashboard": False},
    )
    cluster.add_node(**ONE)
    join_cluster(cluster.address)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
async def engine(cluster: Cluster, tmp_path: Path) -> AsyncIterator[RayEngine]:
    engine = RayEngine(WorkerSettings("cpu", str(tmp_path), FAKE), RaySettings(), 0)
    yield engine
    await engine.stop()


def request(prompt: str, steps: int = 3, variants: int = 1) -> Request:
    return Request(Recipe("text", prompt, seed=5, steps=steps), variants=variants)


async def painted(engine: RayEngine | WorkerEngine, job: str, wish: Request) -> list[Painted]:
    return [event async for event in engine.paint(job, wish) if isinstance(event, Painted)]


async def test_a_painter_of_the_cluster_says_what_it_can_do(engine: RayEngine) -> None:
    announced: asyncio.Queue[Announcement] = asyncio.Queue()
    await engine.start(announced.put_nowait)
    first = await asyncio.wait_for(announced.get(), PATIENCE)
    assert [model.id for model in first.models] == ["fake"]
    engine.look_again()
    assert await asyncio.wait_for(announced.get(), PATIENCE) == first


async def test_steps_and_layers_come_as_from_a_local_worker(
    engine: RayEngine, tmp_path: Path
) -> None:
    wish = request("a lantern", variants=2)
    events = [event async for event in engine.paint("job-0001", wish)]
    assert [event.step for event in events if isinstance(event, Progress)][-1] == 6
    local = WorkerEngine(WorkerSettings("cpu", str(tmp_path), FAKE))
    await local.start(lambda announcement: None)
    try:
        expected = await painted(local, "job-0001", wish)
    finally:
        await local.stop()
    assert [event for event in events if isinstance(event, Painted)] == expected


async def test_a_job_is_cancelled_within_a_step(engine: RayEngine) -> None:
    steps = 0
    with pytest.raises(Interrupted):
        async for event in engine.paint("job-0002", request("slow step=2", steps=200)):
            if isinstance(event, Progress) and event.step:
                steps = event.step
                engine.cancel("job-0002")
    assert 1 <= steps <= 4
    assert len(await painted(engine, "job-0003", request("the next"))) == 1


async def test_a_reader_that_leaves_frees_the_painter(engine: RayEngine) -> None:
    events = engine.paint("job-0004", request("slow step=0.2", steps=200))
    async for event in events:
        if isinstance(event, Progress) and event.step:
            break
    await events.aclose()
    assert len(await painted(engine, "job-0005", request("the next"))) == 1


async def test_a_job_that_cannot_be_painted_fails_with_its_sentence(engine: RayEngine) -> None:
    with pytest.raises(PaintingFailed) as failed:
        await painted(engine, "job-0006", request("break"))
    assert failed.value.code == "bad_request"


async def test_a_painter_whose_card_is_lost_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a cluster: what the painter says last is all that counts."""
    engine = RayEngine(WorkerSettings("cuda", str(tmp_path), FAKE), RaySettings(), 0)
    old = object()
    ended: list[object] = []

    async def says(actor: object, order: ipc.Paint) -> AsyncIterator[tuple[ipc.Broken, bytes]]:
        yield ipc.Broken(order.job, "device_lost", "The card stopped answering.", ""), b""

    monkeypatch.setattr("acetate.workers.ray_engine._kill", ended.append)
    monkeypatch.setattr(engine, "_actor", old)
    monkeypatch.setattr(engine, "_stream", says)
    with pytest.raises(PaintingFailed, match="stopped answering"):
        await painted(engine, "job-0007", request("vanish"))
    assert ended == [old] and not engine.has_actor
    assert engine.health().restarts == 1


async def test_a_node_lost_in_mid_job_is_told_and_another_node_takes_the_next(
    cluster: Cluster, engine: RayEngine
) -> None:
    assert len(await painted(engine, "job-0007", request("warm"))) == 1
    node = cluster.list_all_nodes()[-1]
    with pytest.raises(EngineLost, match="node was lost"):
        async for event in engine.paint("job-0008", request("slow step=0.2", steps=500)):
            if isinstance(event, Progress) and event.step == 1:
                await asyncio.to_thread(cluster.remove_node, node, allow_graceful=False)
    waiting = asyncio.create_task(painted(engine, "job-0009", request("waits for room")))
    await asyncio.sleep(1)
    assert not waiting.done()
    cluster.add_node(**ONE)  # Ray sets signals, which only the main thread may.
    assert len(await asyncio.wait_for(waiting, PATIENCE)) == 1


async def test_one_that_waits_for_room_is_cancelled_too(engine: RayEngine, tmp_path: Path) -> None:
    assert len(await painted(engine, "job-0010", request("takes the only room"))) == 1
    second = RayEngine(WorkerSettings("cpu", str(tmp_path), FAKE), RaySettings(), 1)
    waiting = asyncio.create_task(painted(second, "job-0011", request("no room")))
    await asyncio.sleep(0.5)
    second.cancel("job-0011")
    with pytest.raises(Interrupted):
        await asyncio.wait_for(waiting, PATIENCE)
    await second.stop()


async def test_an_idle_painter_beyond_the_lowest_number_is_let_go(
    cluster: Cluster, tmp_path: Path
) -> None:
    settings = RaySettings(lowest=0, highest=1, idle_seconds=2.0)
    engine = RayEngine(WorkerSettings("cpu", str(tmp_path), FAKE), settings, 0)
    await engine.start(lambda announcement: None)
    assert not engine.has_actor
    assert len(await painted(engine, "job-0012", request("one"))) == 1
    assert engine.has_actor
    async with asyncio.timeout(PATIENCE):
        while engine.has_actor:
            await asyncio.sleep(0.1)
    await engine.stop()


def test_an_address_without_a_cluster_is_said() -> None:
    code = (
        "from acetate.workers.ray_engine import ClusterUnreachable, join_cluster\n"
        "try: join_cluster('127.0.0.1:9')\n"
        "except ClusterUnreachable as error: print(error.message, error.hint)"
    )
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert "No Ray cluster answers at 127.0.0.1:9." in done.stdout, done.stderr[-500:]
    assert "ray start --head" in done.stdout
    assert ClusterUnreachable.code == "cluster_unreachable"
