"""Results for slow links are packed once, however many ask for them and however often."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from acetate.app.layer_encoding import PackedLayers
from acetate.jobs.async_store import Ledger
from acetate.jobs.records import FreshLayer, StoredLayer
from acetate_bridge import Image, Role
from acetate_bridge.protocol.codec import Encoding, PackedImage, register

PIXELS = Image(2, 1, b"abcdefgh")


def stored(file: str) -> StoredLayer:
    return StoredLayer(1, "job", 0, 0, Role.FOREGROUND, "", 0, 0, None, 2, 1, "rgba8", file)


@pytest.fixture
def packings(monkeypatch: pytest.MonkeyPatch) -> list[Image]:
    """Every image that was packed as `backwards`."""
    done: list[Image] = []

    def write(image: Image) -> bytes:
        done.append(image)
        return image.data[::-1]

    monkeypatch.setattr("acetate_bridge.protocol.codec._ENCODINGS", {})
    register(Encoding("backwards", write, lambda data, *_: PIXELS))
    return done


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path, 2**30)


async def test_many_readers_at_once_and_later_ones_share_one_packing(
    ledger: Ledger, packings: list[Image]
) -> None:
    packed = PackedLayers(ledger)
    fresh = FreshLayer(stored("layer-1"), PIXELS.data)
    packed.begin(fresh, "backwards")
    readers = [packed.get(fresh, "backwards") for _ in range(3)]
    expected = PackedImage(2, 1, PIXELS.data[::-1], "rgba8", "backwards")
    assert await asyncio.gather(*readers) == [expected] * 3
    # The file was never written, so this can only come from memory.
    assert await packed.get(stored("layer-1"), "backwards") == expected
    assert packings == [PIXELS]
    ledger.close()


async def test_a_reader_that_leaves_does_not_spoil_it_for_the_others(
    ledger: Ledger, packings: list[Image]
) -> None:
    packed = PackedLayers(ledger)
    fresh = FreshLayer(stored("layer-1"), PIXELS.data)
    leaver = asyncio.create_task(packed.get(fresh, "backwards"))
    await asyncio.sleep(0)
    stayer = asyncio.create_task(packed.get(fresh, "backwards"))
    await asyncio.sleep(0)
    leaver.cancel()
    assert (await stayer).data == PIXELS.data[::-1]
    assert packings == [PIXELS]
    ledger.close()


async def test_what_was_let_go_is_packed_from_the_disk_again(
    ledger: Ledger, packings: list[Image]
) -> None:
    packed = PackedLayers(ledger, kept_bytes=8)
    await ledger.keep_layer("layer-1", PIXELS)
    for file in ("layer-1", "layer-2"):
        await packed.get(FreshLayer(stored(file), PIXELS.data), "backwards")
    assert (await packed.get(stored("layer-1"), "backwards")).data == PIXELS.data[::-1]
    assert len(packings) == 3
    ledger.close()


async def test_pixels_that_are_gone_are_gone_for_every_reader(
    ledger: Ledger, packings: list[Image]
) -> None:
    packed = PackedLayers(ledger)
    for _ in range(2):
        with pytest.raises(OSError):
            await packed.get(stored("nowhere"), "backwards")
    ledger.close()
