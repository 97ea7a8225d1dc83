"""Full disks, held and damaged stores, other versions, wrong clocks: what was accepted is kept."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from acetate.jobs.async_store import Ledger
from acetate.jobs.records import DiskFull, StoredLayer
from acetate.jobs.store import Store, StoreDamaged
from acetate_bridge import Done, Failed
from tests.jobs.test_manager import House
from tests.jobs.test_store import ended


def edit(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


async def test_an_ending_that_cannot_be_written_is_told_and_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True

    def end(self: Store, *args: object) -> None:
        if full:
            raise DiskFull
        written(self, *args)  # type: ignore[arg-type]

    written = Store.end
    monkeypatch.setattr(Store, "end", end)
    monkeypatch.setattr("acetate.jobs.unwritten_endings._RETRY_SECONDS", 0.01)
    async with House(tmp_path) as house:
        await house.submit("job-0001")
        await house.hear(Done, "job-0001")
        record = await house.manager.record("me", "job-0001")
        assert record is not None and record.state == "done"
        assert any(isinstance(event, Done) for event in await house.manager.missed("me", 0))
        full = False
        async with asyncio.timeout(60):
            while not await house.ledger.call(house.ledger.store.acknowledge, "me", "job-0001", 1):
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (0, "the result could not be kept"),
        (1, "still has the layer that was finished"),
        (2, "still has the 2 layers that were finished"),
    ],
)
async def test_a_disk_that_fills_in_between_leaves_the_layers_that_were_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int, words: str
) -> None:
    def add_layer(self: Store, stored: StoredLayer, size: int) -> None:
        if stored.index == kept:
            raise DiskFull
        added(self, stored, size)

    added = Store.add_layer
    monkeypatch.setattr(Store, "add_layer", add_layer)
    async with House(tmp_path) as house:
        await house.submit("job-0001", variants=3)
        failed = await house.hear(Failed, "job-0001")
        assert isinstance(failed, Failed) and failed.code == "disk_full" and words in failed.message
        layers = await house.ledger.call(house.ledger.store.layers, "job-0001")
        assert [layer.index for layer in layers] == list(range(kept))


async def test_a_store_that_another_program_holds_is_waited_for(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        other = sqlite3.connect(tmp_path / "jobs.sqlite3", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        submitting = asyncio.ensure_future(house.submit("job-0001"))
        await asyncio.sleep(0.6)
        assert not submitting.done()
        other.execute("ROLLBACK")
        other.close()
        await submitting
        await house.hear(Done, "job-0001")


async def test_a_damaged_row_costs_its_own_job(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, 2**30)
    for number, job in enumerate(("job-0001", "job-0002", "job-0003", "job-0004"), 1):
        ended(ledger.store, job, number, None)
    ledger.close()
    edit(
        tmp_path / "jobs.sqlite3",
        "UPDATE jobs SET submit = 'x' WHERE job = 'job-0001'",
        "UPDATE events SET body = 'x' WHERE job = 'job-0002' AND kind = 'layer'",
        "UPDATE jobs SET state = 'nonsense' WHERE job = 'job-0003'",
    )
    async with House(tmp_path) as house:
        missed = await house.manager.missed("me", 0)
        failed = {event.job for event in missed if isinstance(event, Failed)}
        assert failed == {"job-0001", "job-0002", "job-0003"}
        assert [event.job for event in missed if isinstance(event, Done)] == ["job-0004"]
        await house.submit("job-0005")
        await house.hear(Done, "job-0005")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE facts SET value = '99' WHERE name = 'version'", "newer version"),
        ("UPDATE facts SET value = 'x' WHERE name = 'version'", "move"),
        ("UPDATE facts SET value = 'x' WHERE name = 'sequence'", "number of the last event"),
        ("ALTER TABLE jobs RENAME COLUMN client TO klient", "no column client"),
        ("ALTER TABLE events DROP COLUMN bytes", "no column bytes"),
        ("DROP TABLE images", "table images"),
        ("DROP TABLE facts", "none of Acetate's"),
    ],
)
def test_a_store_of_another_form_is_said_to_be(tmp_path: Path, statement: str, words: str) -> None:
    path = tmp_path / "jobs.sqlite3"
    Store(path).close()
    edit(path, statement)
    with pytest.raises(StoreDamaged, match=words):
        Store(path)


def test_an_older_store_is_brought_up_to_date_with_a_copy_of_what_was(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    store = Store(path)
    ended(store, "job-0001", 1, None)
    store.close()
    edit(
        path,
        "ALTER TABLE jobs DROP COLUMN looks",
        "UPDATE facts SET value = '1' WHERE name = 'version'",
    )
    again = Store(path)
    assert again.job("job-0001") is not None and len(again.missed("me", 0)) == 3
    again.close()
    copy = sqlite3.connect(tmp_path / "jobs.sqlite3.version-1")
    assert copy.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
    copy.close()


def test_results_without_a_store_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "pixels").mkdir(mode=0o700)
    (tmp_path / "pixels" / "layer-x").write_bytes(b"pixels")
    Ledger.open(tmp_path, 2**30).close()
    assert [path.read_bytes() for path in tmp_path.glob("set-aside-*/layer-x")] == [b"pixels"]


def test_results_that_nobody_fetched_outlive_a_clock_that_was_slow(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite3")
    ended(store, "unfetched", 1, None)
    ended(store, "fetched", 2, 3.0)
    for _ in range(23):
        store.expire(ended_before=50, unused_before=0, looks=24)
    assert store.job("unfetched") is not None and store.job("fetched") is None
    assert store.expire(ended_before=50, unused_before=0, looks=24).jobs == ["unfetched"]
    store.close()


def test_images_that_no_job_names_make_room_for_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite3")
    for number in range(5):
        store.add_image(f"{number}" * 64, 100, now=number)
    ended(store, "unfetched", 1, None)
    evicted = store.evict(need=250, quota=600)
    assert evicted.files == [f"image-{digit * 64}" for digit in "012"] and evicted.over <= 0
    assert store.job("unfetched") is not None
    store.close()


async def test_what_waits_for_another_program_is_not_overtaken(tmp_path: Path) -> None:
    ledger = await asyncio.to_thread(Ledger.open, tmp_path, 2**20)
    written: list[int] = []
    tried = asyncio.Event()
    loop, held = asyncio.get_running_loop(), True

    def write(number: int) -> None:
        if held:
            loop.call_soon_threadsafe(tried.set)
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        written.append(number)

    calls = [asyncio.ensure_future(ledger.call(write, number)) for number in (1, 2, 3)]
    await tried.wait()
    # Who only looks waits for none of them.
    assert await ledger.read(lambda: list(written)) == []
    held = False
    await asyncio.gather(*calls)
    assert written == [1, 2, 3]
    await asyncio.to_thread(ledger.close)
