"""The queue over a Ray cluster of two nodes: jobs are painted once, whatever becomes of a node."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
ray = pytest.importorskip("ray", reason="Ray is an extra (acetate[ray])")

from ray.cluster_utils import Cluster  # noqa: E402

from acetate.app.settings import GENERATOR  # noqa: E402
from acetate.jobs.admission import DEFAULT_LIMITS  # noqa: E402
from acetate.jobs.async_store import Ledger  # noqa: E402
from acetate.jobs.event_feed import Notice  # noqa: E402
from acetate.jobs.manager import Manager  # noqa: E402
from acetate.jobs.records import FreshLayer  # noqa: E402
from acetate.workers import ray_engine  # noqa: E402
from acetate.workers.ipc import WorkerSettings  # noqa: E402
from acetate.workers.ray_engine import (  # noqa: E402
    ClusterUnreachable,
    RayEngine,
    RaySettings,
    join_cluster,
)
from acetate.workers.supervisor import WorkerEngine  # noqa: E402
from acetate_bridge import Accepted, Cancelled, Done, Failed, Progress, Recipe  # noqa: E402
from acetate_bridge.protocol.messages import Submit  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    # Ray leaves sockets and subprocesses to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
FAKE = "tests.workers.fake_painter:open_fake"
ELSEWHEN = "tests.workers.fake_painter:open_in_another_time"
ONE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
PATIENCE = 600.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head that has no room for painters, and two nodes that have room for one each."""
    cluster = Cluster(
        initialize_head=True, head_node_args={**ONE, "num_cpus": 0, "include_dashboard": False}
    )
    for _ in range(2):
        cluster.add_node(**ONE)
    join_cluster(cluster.address)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


class House:
    """A manager over engines, and what its client hears."""

    def __init__(self, folder: Path, engines: list[Any]) -> None:
        self.engines = engines
        self.ledger = Ledger.open(folder, 2**30)
        self.manager = Manager(self.ledger, engines, DEFAULT_LIMITS)
        self.heard: list[Notice] = []
        self._changed = asyncio.Event()

    async def __aenter__(self) -> House:
        self.manager.subscribe("me", self._hear)
        await self.manager.open()
        await self.until(lambda: self.manager.offer is not None)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.manager.close(0)
        self.ledger.close()

    def _hear(self, notice: Notice) -> None:
        self.heard.append(notice)
        self._changed.set()

    async def submit(self, job: str, prompt: str, side: int = 64, **more: Any) -> None:
        recipe = Recipe("text", prompt, seed=5, width=side, height=side, **more)
        assert await self.manager.submit("me", Submit(job, recipe)) is not None

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._changed.clear()
                with_pause = asyncio.wait_for(self._changed.wait(), 0.2)
                try:
                    await with_pause
                except TimeoutError:
                    continue

    def steps(self, job: str) -> int:
        """The furthest step of a job."""
        return max(
            (each.step for each in self.heard if isinstance(each, Progress) and each.job == job),
            default=0,
        )

    def told(self, job: str, kind: type[Notice]) -> list[Notice]:
        return [each for each in self.heard if isinstance(each, kind) and each.job == job]

    async def ending(self, job: str) -> Notice:
        await self.until(lambda: any(self.told(job, kind) for kind in (Done, Failed, Cancelled)))
        return [*self.told(job, Done), *self.told(job, Failed), *self.told(job, Cancelled)][0]

    def layers(self, job: str) -> list[bytes]:
        """Pixels of the layers that were told of."""
        return [
            each.data
            for each in self.heard
            if isinstance(each, FreshLayer) and each.stored.job == job
        ]


def ray_engines(folder: Path, painter: str = FAKE, many: int = 1) -> list[RayEngine]:
    settings = WorkerSettings("cpu", str(folder), painter)
    return [RayEngine(settings, RaySettings(lowest=many, highest=many), n) for n in range(many)]


@pytest.fixture
async def house(cluster: Cluster, tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path / "jobs", ray_engines(tmp_path)) as house:
        yield house


async def node_of(engine: RayEngine) -> tuple[str, int]:
    return await engine._actor.node.remote()  # type: ignore[no-any-return]


async def test_a_job_on_a_node_that_dies_is_painted_once_on_the_other(
    cluster: Cluster, house: House
) -> None:
    await house.submit("job-0001", "slow step=0.1", steps=150)
    await house.submit("job-0002", "waits meanwhile", steps=2)
    await house.until(lambda: house.steps("job-0001") >= 2)
    lost, _ = await node_of(house.engines[0])
    (node,) = [each for each in cluster.list_all_nodes() if each.node_id == lost]
    await asyncio.to_thread(cluster.remove_node, node, allow_graceful=False)
    assert isinstance(await house.ending("job-0001"), Done)
    assert isinstance(await house.ending("job-0002"), Done)
    assert (await node_of(house.engines[0]))[0] != lost
    for job in ("job-0001", "job-0002"):
        assert len(house.layers(job)) == len(house.told(job, Done)) == 1
        assert len(house.told(job, Accepted)) == 1
    cluster.add_node(**ONE)


async def test_a_node_that_comes_while_jobs_wait_takes_some(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with House(tmp_path / "jobs", ray_engines(tmp_path, many=3)) as house:
        for number in range(6):
            await house.submit(f"job-1{number:03d}", "slow step=0.1", steps=30)
        await house.until(lambda: sum(house.steps(f"job-1{n:03d}") > 0 for n in range(6)) >= 2)
        cluster.add_node(**ONE)
        for number in range(6):
            assert isinstance(await house.ending(f"job-1{number:03d}"), Done)
        await house.until(lambda: all(engine.has_actor for engine in house.engines))
        nodes = {(await node_of(engine))[0] for engine in house.engines}
        assert len(nodes) == 3
        assert all(len(house.layers(f"job-1{number:03d}")) == 1 for number in range(6))


async def test_a_running_and_a_waiting_job_are_cancelled(house: House) -> None:
    await house.submit("job-2001", "slow step=1", steps=150)
    await house.submit("job-2002", "waits")
    await house.until(lambda: house.steps("job-2001") >= 1)
    assert await house.manager.cancel("me", "job-2002")
    assert await house.manager.cancel("me", "job-2001")
    assert isinstance(await house.ending("job-2001"), Cancelled)
    assert isinstance(await house.ending("job-2002"), Cancelled)
    assert house.layers("job-2001") == house.layers("job-2002") == []


async def test_a_node_that_is_cut_off_for_a_while_paints_its_job_once(
    cluster: Cluster, house: House
) -> None:
    await house.submit("job-3001", "slow step=0.1", steps=100)
    await house.until(lambda: house.steps("job-3001") >= 2)
    name, painter = await node_of(house.engines[0])
    (node,) = [each for each in cluster.list_all_nodes() if each.node_id == name]
    raylet = node.all_processes["raylet"][0].process.pid
    for pid in (raylet, painter):
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(3)
    for pid in (painter, raylet):
        os.kill(pid, signal.SIGCONT)
    assert isinstance(await house.ending("job-3001"), Done)
    assert len(house.layers("job-3001")) == 1


async def test_a_node_whose_clock_is_wrong_paints_the_same(
    cluster: Cluster, tmp_path: Path
) -> None:
    async with House(tmp_path / "jobs", ray_engines(tmp_path, ELSEWHEN)) as house:
        await house.submit("job-4001", "a lantern", steps=3)
        assert isinstance(await house.ending("job-4001"), Done)
        skewed = house.layers("job-4001")
    worker = WorkerEngine(WorkerSettings("cpu", str(tmp_path), FAKE))
    async with House(tmp_path / "local", [worker]) as house:
        await house.submit("job-4001", "a lantern", steps=3)
        assert isinstance(await house.ending("job-4001"), Done)
        assert house.layers("job-4001") == skewed


async def test_the_embedded_model_paints_the_same_bytes_as_here(
    cluster: Cluster, tmp_path: Path
) -> None:
    painted: list[list[bytes]] = []
    here = WorkerEngine(WorkerSettings("cpu", str(tmp_path), GENERATOR))
    for name, engines in (("ray", ray_engines(tmp_path, GENERATOR)), ("here", [here])):
        async with House(tmp_path / name, engines) as house:
            await house.submit("job-5001", "a red apple", 384, steps=1, passes=1)
            assert isinstance(ending := await house.ending("job-5001"), Done), ending
            painted.append(house.layers("job-5001"))
    assert painted[0] == painted[1] and len(painted[0]) == 1


async def test_a_node_of_another_version_is_said_and_its_job_is_not_lost_in_silence(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = ray_engines(tmp_path)
    async with House(tmp_path / "jobs", engines) as house:
        await engines[0]._let_go()
        monkeypatch.setattr(ray_engine.acetate, "__version__", "9.9")
        await house.submit("job-6001", "a lantern")
        ending = await house.ending("job-6001")
    assert isinstance(ending, Failed) and ending.code == "worker_lost"
    assert "its node has Acetate" in ending.message and "this server 9.9" in ending.message


def test_a_cluster_of_another_ray_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: Any) -> None:
        raise RuntimeError("Version mismatch: The cluster was started with: Ray: 2.9.0")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(ClusterUnreachable, match="another version of Ray or Python"):
        join_cluster("auto")


def test_the_file_for_a_cloud_is_one_that_ray_up_takes() -> None:
    import yaml
    from ray.autoscaler._private.util import prepare_config, validate_config

    path = Path(__file__).parents[2] / "docs" / "ray" / "cluster.yaml"
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    validate_config(prepare_config(given))
    assert given["available_node_types"]["painter"]["resources"]["GPU"] == 1
    starts = given["head_start_ray_commands"] + given["worker_start_ray_commands"]
    assert any("ray start --head" in command for command in starts)
