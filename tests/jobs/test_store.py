from __future__ import annotations

import sqlite3
import sys
import uuid
from pathlib import Path

import pytest

from acetate.jobs.disk_space import Reserve, is_full
from acetate.jobs.pixel_files import PixelFiles
from acetate.jobs.records import DiskFull, StoredLayer
from acetate.jobs.store import Store, StoreDamaged
from acetate_bridge import Accepted, Cancelled, Done, Failed, Recipe, Role
from acetate_bridge.protocol.messages import ImageReference, Submit

RECIPE = Recipe("text", "a cat")


def submit(job: str, **images: ImageReference) -> Submit:
    return Submit(job, RECIPE, dict(images))


def layer(job: str, sequence: int, index: int, file: str = "f") -> StoredLayer:
    return StoredLayer(
        sequence, job, index, 0, Role.FOREGROUND, "cat", -3, 4, RECIPE, 2, 1, "rgba8", file
    )


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(tmp_path / "jobs.sqlite3")
    yield opened
    opened.close()


def test_what_was_added_is_there_after_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite3")
    store.add_job("me", submit("job-1"), Accepted("job-1", 1), 5.0)
    assert store.begin("job-1") == 1
    store.close()
    again = Store(tmp_path / "jobs.sqlite3")
    (record,) = again.unfinished()
    assert (record.state, record.attempts, record.submit) == ("running", 1, submit("job-1"))
    assert again.identity == store.identity
    again.close()


def test_every_commit_is_synchronised(store: Store) -> None:
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)  # pyright: ignore[reportPrivateUsage]
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)  # pyright: ignore[reportPrivateUsage]


def test_sequence_numbers_are_never_used_twice(tmp_path: Path) -> None:
    starts: list[int] = []
    for _ in range(3):
        store = Store(tmp_path / "jobs.sqlite3")
        starts.append(store.first_sequence())
        store.close()
    assert starts[0] + 10**9 <= starts[1] and starts[1] + 10**9 <= starts[2] < 2**53


def test_missed_events_come_in_order_and_only_to_their_client(store: Store) -> None:
    store.add_job("me", submit("job-1"), Accepted("job-1", 1), 0)
    store.add_job("you", submit("job-2"), Accepted("job-2", 2), 0)
    store.add_layer(layer("job-1", 3, 0), 8)
    store.end("job-1", Done("job-1", 4, RECIPE, 1), 1)
    mine = store.missed("me", 0)
    assert mine == [Accepted("job-1", 1), layer("job-1", 3, 0), Done("job-1", 4, RECIPE, 1)]
    assert store.missed("me", 3) == mine[2:]
    assert [event.sequence for event in store.missed("you", 0)] == [2]


def test_what_was_acknowledged_is_not_missed(store: Store) -> None:
    store.add_job("me", submit("job-1"), Accepted("job-1", 1), 0)
    assert not store.acknowledge("me", "job-1", 5)
    store.end("job-1", Cancelled("job-1", 2), 1)
    assert not store.acknowledge("you", "job-1", 5)
    assert store.acknowledge("me", "job-1", 5) and store.acknowledge("me", "job-1", 6)
    assert store.missed("me", 0) == []


def test_a_layer_of_a_job_is_stored_once(store: Store) -> None:
    store.add_job("me", submit("job-1"), Accepted("job-1", 1), 0)
    store.add_layer(layer("job-1", 2, 0), 8)
    with pytest.raises(sqlite3.IntegrityError):
        store.add_layer(layer("job-1", 3, 0), 8)
    assert len(store.layers("job-1")) == 1


def test_a_failure_keeps_its_reason(store: Store) -> None:
    store.add_job("me", submit("job-1"), Accepted("job-1", 1), 0)
    store.end("job-1", Failed("job-1", 2, "disk_full", "Full.", "Free some."), 1)
    record = store.job("job-1")
    assert record is not None
    assert (record.state, record.code, record.hint) == ("failed", "disk_full", "Free some.")


def ended(store: Store, job: str, number: int, thanked: float | None) -> None:
    store.add_job("me", submit(job), Accepted(job, 10 * number), number)
    store.add_layer(layer(job, 10 * number + 1, 0, f"file-{job}"), 100)
    store.end(job, Done(job, 10 * number + 2, RECIPE, 1), number)
    if thanked is not None:
        store.acknowledge("me", job, thanked)


def test_the_oldest_acknowledged_results_go_first_and_others_stay(store: Store) -> None:
    ended(store, "kept", 1, None)
    ended(store, "late", 2, 9.0)
    ended(store, "early", 3, 8.0)
    evicted = store.evict(need=100, quota=300)
    assert evicted.jobs == ["early"] and evicted.files == ["file-early"]
    assert store.evict(need=10_000, quota=300).jobs == ["late"]
    assert store.job("kept") is not None and store.used_bytes() == 100


def test_a_day_later_results_and_unused_images_are_forgotten(store: Store) -> None:
    ended(store, "old", 1, None)
    used, unused = "a" * 64, "b" * 64
    for name in (used, unused):
        store.add_image(name, 5, now=1)
    store.add_job("me", submit("new", x=ImageReference(used, 1, 1)), Accepted("new", 99), 1)
    evicted = store.expire(ended_before=50, unused_before=50)
    assert evicted.jobs == ["old"]
    assert evicted.files == ["file-old", f"image-{unused}"]
    assert store.known_images([used, unused]) == {used}
    assert store.files() == {f"image-{used}"}


@pytest.mark.parametrize("content", [b"this is no database" * 300, bytes(5000)])
def test_a_damaged_store_is_named_with_a_cure(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="move"):
        Store(path)


def test_files_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / f"{uuid.uuid4().hex}.part").touch()
    files = PixelFiles(tmp_path)
    files.write("layer-1", b"pixels")
    assert files.read("layer-1") == b"pixels" and files.names() == {"layer-1"}
    assert files.size("layer-1") == 6 and files.size("nosuch") == -1
    files.remove("layer-1", "nosuch")
    assert files.names() == set() and list(tmp_path.iterdir()) == []


def test_files_of_others_in_the_folder_are_neither_counted_nor_deleted(tmp_path: Path) -> None:
    """The folder may be a link of somebody's to a disk that holds more."""
    folder, outside = tmp_path / "pixels", tmp_path / "layer-outside"
    folder.mkdir()
    outside.write_bytes(b"precious")
    for name in ("holiday.png", "half.part", "layer-1.psd", "image"):
        (folder / name).write_bytes(b"precious")
    (folder / "layer-folder").mkdir()
    files = PixelFiles(folder)
    assert files.names() == set()
    files.remove("holiday.png", "half.part", "../layer-outside", "layer-1.psd")
    files.set_aside(tmp_path / "aside")
    assert len(list(folder.iterdir())) == 5 and outside.read_bytes() == b"precious"
    with pytest.raises(FileNotFoundError):
        files.read("../layer-outside")


@pytest.mark.skipif(sys.platform == "win32", reason="links are for administrators there")
def test_the_reserve_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "reserve").symlink_to(tmp_path / "victim")
    Reserve(tmp_path).fill()
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert not (tmp_path / "reserve").is_symlink() and (tmp_path / "reserve").stat().st_size > 0


def test_a_full_disk_is_told_from_other_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    files = PixelFiles(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("acetate.jobs.pixel_files.os.replace", full)
    with pytest.raises(DiskFull):
        files.write("layer-1", b"pixels")
    assert files.names() == set()
    assert is_full(OSError(errno.EFBIG, "")) and not is_full(OSError(errno.EACCES, ""))
    assert is_full(sqlite3.OperationalError("database or disk is full"))


def test_the_reserve_can_be_given_back_and_taken_again(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path)
    reserve.fill()
    reserve.fill()
    assert (tmp_path / "reserve").stat().st_size == 512 * 1024
    reserve.release()
    reserve.release()
    assert list(tmp_path.iterdir()) == []
