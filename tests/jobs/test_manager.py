"""The manager with an engine that a test holds by the hand."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from acetate.errors import Interrupted
from acetate.jobs.admission import DEFAULT_LIMITS
from acetate.jobs.async_store import Ledger
from acetate.jobs.event_feed import Notice
from acetate.jobs.manager import Manager
from acetate.jobs.records import FreshLayer, MissingImages, Refused
from acetate.workers.engine import (
    Announcement,
    EngineEvent,
    EngineLost,
    Painted,
    PaintingFailed,
)
from acetate_bridge import (
    Accepted,
    Cancelled,
    Done,
    Failed,
    Image,
    Layer,
    Progress,
    Recipe,
    Request,
)
from acetate_bridge.protocol.messages import ImageReference, ModeInfo, ModelInfo, Submit

PIXELS = Image(1, 1, b"abcd")
OFFER = Announcement([ModelInfo("m")], [ModeInfo("text")])


class HandHeldEngine:
    """Does what `script` says for each job, one entry per attempt."""

    name = "hand"

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.painted: list[str] = []
        self.stopped = asyncio.Event()
        self.lost = False

    async def start(self, announce: Callable[[Announcement], None]) -> None:
        announce(OFFER)

    async def paint(self, job: str, request: Request) -> AsyncGenerator[EngineEvent]:
        self.painted.append(job)
        step = self.script.pop(0) if self.script else None
        yield Progress(job, 0, "painting", 1, 2)
        if isinstance(step, Exception):
            raise step
        if step == "wait":
            await self.stopped.wait()
            self.stopped.clear()
            raise EngineLost("stopped") if self.lost else Interrupted
        for variant in range(request.variants):
            if variant == step:
                raise EngineLost("it died in between")
            layer = Layer(PIXELS, recipe=Recipe("text", seed=request.recipe.seed + variant))
            yield Painted(layer, variant)

    def look_again(self) -> None:
        pass

    def cancel(self, job: str) -> None:
        self.stopped.set()

    async def stop(self) -> None:
        self.lost = True
        self.stopped.set()


class House:
    """A manager, and what its client `me` hears."""

    def __init__(self, folder: Path, *script: object, quota: int = 2**30) -> None:
        self.engine = HandHeldEngine(*script)
        self.ledger = Ledger.open(folder, quota)
        self.manager = Manager(self.ledger, [self.engine], DEFAULT_LIMITS)
        self.heard: list[Notice] = []
        self._changed = asyncio.Event()

    async def __aenter__(self) -> House:
        self.manager.subscribe("me", self._hear)
        await self.manager.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.manager.close(0)
        self.ledger.close()

    def _hear(self, notice: Notice) -> None:
        self.heard.append(notice)
        self._changed.set()

    async def submit(self, job: str, client: str = "me", **options: object) -> Accepted | None:
        return await self.manager.submit(client, Submit(job, Recipe("text", "a cat"), **options))  # type: ignore[arg-type]

    async def hear(self, kind: type[Notice], job: str) -> Notice:
        """The first notice of a kind about a job."""
        async with asyncio.timeout(120):
            while True:
                for notice in self.heard:
                    about = notice.stored.job if isinstance(notice, FreshLayer) else notice.job
                    if isinstance(notice, kind) and about == job:
                        return notice
                self._changed.clear()
                await self._changed.wait()


async def test_a_job_is_on_disk_before_it_is_accepted(tmp_path: Path) -> None:
    async with House(tmp_path, "wait") as house:
        await house.submit("job-0001")
        await house.submit("job-0002")
        other = Ledger.open(tmp_path, 2**30)
        assert [record.job for record in other.store.unfinished()] == ["job-0001", "job-0002"]
        other.close()


async def test_a_repeat_is_the_same_job_and_another_clients_id_is_taken(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        assert await house.submit("job-0001") is not None
        assert await house.submit("job-0001") is None
        await house.hear(Done, "job-0001")
        assert await house.submit("job-0001") is None
        with pytest.raises(Refused, match="Another client"):
            await house.submit("job-0001", client="you")
        assert house.engine.painted == ["job-0001"]


async def test_two_submissions_at_the_same_moment_are_one_job(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        answers = await asyncio.gather(*(house.submit("job-0001") for _ in range(5)))
        assert sum(answer is not None for answer in answers) == 1
        await house.hear(Done, "job-0001")
        assert house.engine.painted == ["job-0001"]


async def test_a_lost_engine_is_tried_once_more(tmp_path: Path) -> None:
    async with House(tmp_path, EngineLost("it died")) as house:
        await house.submit("job-0001")
        await house.hear(Done, "job-0001")
        assert house.engine.painted == ["job-0001"] * 2


async def test_a_job_that_is_retried_after_some_layers_loses_and_renumbers_none(
    tmp_path: Path,
) -> None:
    async with House(tmp_path, 2) as house:
        await house.submit("job-0001", variants=4)
        done = await house.hear(Done, "job-0001")
        layers = [each.stored for each in house.heard if isinstance(each, FreshLayer)]
        assert [(each.index, each.variant) for each in layers] == [(0, 0), (1, 1), (2, 2), (3, 3)]
        assert [each.recipe.seed for each in layers if each.recipe] == [0, 1, 2, 3]
        assert isinstance(done, Done) and done.layers == 4


async def test_a_cancel_just_before_the_painting_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with House(tmp_path) as house:
        read = house.ledger.request

        async def cancelled_meanwhile(submit: Submit) -> Request:
            assert await house.manager.cancel("me", "job-0001")
            return await read(submit)

        monkeypatch.setattr(house.ledger, "request", cancelled_meanwhile)
        await house.submit("job-0001")
        await house.hear(Cancelled, "job-0001")
        assert house.engine.painted == []


async def test_a_job_that_loses_two_engines_fails_with_the_reason(tmp_path: Path) -> None:
    async with House(tmp_path, EngineLost("it died"), EngineLost("it hung")) as house:
        await house.submit("job-0001")
        failed = await house.hear(Failed, "job-0001")
        assert isinstance(failed, Failed)
        assert failed.code == "worker_lost" and "it hung" in failed.message


async def test_a_refusal_of_the_engine_is_final(tmp_path: Path) -> None:
    async with House(tmp_path, PaintingFailed("bad_request", "No.", "Try.")) as house:
        await house.submit("job-0001")
        failed = await house.hear(Failed, "job-0001")
        assert isinstance(failed, Failed) and (failed.code, failed.hint) == ("bad_request", "Try.")
        assert house.engine.painted == ["job-0001"]


async def test_a_fault_of_our_own_fails_the_job_and_not_the_queue(tmp_path: Path) -> None:
    async with House(tmp_path, ValueError("a bug")) as house:
        await house.submit("job-0001")
        failed = await house.hear(Failed, "job-0001")
        assert isinstance(failed, Failed) and failed.code == "internal"
        await house.submit("job-0002")
        await house.hear(Done, "job-0002")


async def test_cancelling_twice_is_cancelling_once(tmp_path: Path) -> None:
    async with House(tmp_path, "wait") as house:
        await house.submit("job-0001")
        await house.submit("job-0002")
        assert await house.manager.cancel("me", "job-0002")
        assert not await house.manager.cancel("you", "job-0001")
        await house.hear(Progress, "job-0001")  # it has reached the engine
        assert await house.manager.cancel("me", "job-0001")
        assert await house.manager.cancel("me", "job-0001")
        await house.hear(Cancelled, "job-0001")
        assert not await house.manager.cancel("me", "job-0001")
        endings = [notice for notice in house.heard if isinstance(notice, Cancelled)]
        assert sorted(notice.job for notice in endings) == ["job-0001", "job-0002"]
        assert house.engine.painted == ["job-0001"]


async def test_stopping_puts_the_running_job_back_without_counting_it(tmp_path: Path) -> None:
    for _ in range(4):
        async with House(tmp_path, "wait") as house:
            await house.submit("job-0001")
            await house.hear(Progress, "job-0001")
    async with House(tmp_path) as house:
        await house.hear(Done, "job-0001")


async def test_the_order_that_was_chosen_outlives_the_server(tmp_path: Path) -> None:
    async with House(tmp_path, "wait") as house:
        for job in ("job-0001", "job-0002", "job-0003", "job-0004"):
            await house.submit(job)
        await house.submit("job-other", "another")
        await house.hear(Progress, "job-0001")
        assert await house.manager.move("me", "job-0002", "")
        assert await house.manager.promote("me", "job-0004")
        await house.submit("job-0005")
    async with House(tmp_path) as house:
        await house.hear(Done, "job-0005")
        mine = [job for job in house.engine.painted if job != "job-other"]
    assert mine == ["job-0001", "job-0004", "job-0003", "job-0002", "job-0005"]


async def test_clients_take_turns(tmp_path: Path) -> None:
    async with House(tmp_path, "wait") as house:
        await house.submit("first-job")
        for client in ("a", "b", "c", "d"):
            for number in range(5):
                await house.submit(f"job-{client}-{number:04}", client=client)
        house.engine.stopped.set()
        await house.submit("last-job-")
        await house.hear(Done, "last-job-")
        while house.manager.busy:
            await asyncio.sleep(0.01)
        order = [job.split("-")[1] for job in house.engine.painted if job.startswith("job-")]
        rounds = [order[start : start + 4] for start in range(0, 20, 4)]
        assert all(sorted(one) == ["a", "b", "c", "d"] for one in rounds)


async def test_a_client_may_not_fill_the_queue(tmp_path: Path) -> None:
    async with House(tmp_path, "wait") as house:
        for number in range(DEFAULT_LIMITS.queued_jobs + 1):
            await house.submit(f"job-{number:04}")
        with pytest.raises(Refused, match="waiting already"):
            await house.submit("one-too-many")
        await house.submit("another-one", client="you")


async def test_images_must_have_arrived(tmp_path: Path) -> None:
    digest = hashlib.sha256(PIXELS.data).hexdigest()
    images = {"layer": ImageReference(digest, 1, 1)}
    async with House(tmp_path) as house:
        with pytest.raises(MissingImages) as caught:
            await house.submit("job-0001", images=images)
        assert caught.value.images == [digest]
        with pytest.raises(Refused, match="SHA-256"):
            await house.ledger.keep_image("0" * 64, PIXELS)
        await house.ledger.keep_image(digest, PIXELS)
        await house.submit("job-0001", images=images)
        await house.hear(Done, "job-0001")


async def test_an_image_of_another_size_than_was_said_fails_the_job(tmp_path: Path) -> None:
    digest = hashlib.sha256(PIXELS.data).hexdigest()
    async with House(tmp_path) as house:
        await house.ledger.keep_image(digest, PIXELS)
        await house.submit("job-0001", images={"layer": ImageReference(digest, 2, 2)})
        failed = await house.hear(Failed, "job-0001")
        assert isinstance(failed, Failed) and failed.code == "image_lost"


async def test_what_was_missed_comes_with_the_progress_of_what_runs(tmp_path: Path) -> None:
    async with House(tmp_path, None, "wait") as house:
        await house.submit("job-0001")
        done = await house.hear(Done, "job-0001")
        await house.submit("job-0002")
        await house.hear(Progress, "job-0002")
        missed = await house.manager.missed("me", 0)
        assert [type(notice).__name__ for notice in missed] == [
            "Accepted", "StoredLayer", "Done", "Accepted", "Progress",
        ]  # fmt: skip
        later = await house.manager.missed("me", done.sequence)
        assert [type(notice).__name__ for notice in later] == ["Accepted", "Progress"]


async def test_the_offer_is_announced_once(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.manager.offer is None
    offers: list[Announcement] = []
    leave = house.manager.offers.listen(offers.append)
    async with house:
        assert offers == [OFFER] and house.manager.offer == OFFER
        leave()
