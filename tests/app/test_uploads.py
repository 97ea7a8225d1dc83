"""Packed uploads: what libraries make of them, and that a bomb costs the server nothing."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from acetate.app.unpacking import Order, carry_out, digest_of, unpack_fast
from acetate.app.uploads import Uploads
from acetate.app.webp import write_webp
from acetate.jobs.async_store import Ledger
from acetate.jobs.pixel_files import PixelFiles
from acetate.jobs.records import Refused
from acetate_bridge import Image
from acetate_bridge.protocol.codec import BadFrame, PackedImage
from acetate_bridge.protocol.png import DamagedPng, check_png, read_png, write_png
from acetate_bridge.protocol.types import PixelFormat


def picture(pixel_format: PixelFormat, side: int = 9) -> Image:
    count = side * (side + 2) * (4 if pixel_format == "rgba8" else 8)
    data = np.random.default_rng(3).integers(0, 256, count, np.uint8).tobytes()
    return Image(side, side + 2, data, pixel_format)


def as_png(image: Image) -> PackedImage:
    return PackedImage(image.width, image.height, write_png(image), image.format, "png")


@pytest.mark.parametrize("pixel_format", ["rgba8", "rgba16"])
def test_the_fast_reader_gives_the_pixels_that_the_plain_one_gives(
    pixel_format: PixelFormat,
) -> None:
    image = picture(pixel_format)
    packed = as_png(image)
    assert unpack_fast(packed).tobytes() == image.data == read_png(packed.data).data


def test_colour_under_full_transparency_survives_a_png_and_a_webp() -> None:
    image = Image(16, 16, bytes(range(64)) * 16)
    assert unpack_fast(as_png(image)).tobytes() == image.data
    webp = PackedImage(16, 16, write_webp(image), "rgba8", "webp")
    assert unpack_fast(webp).tobytes() == image.data


def test_a_webp_without_transparency_is_opaque() -> None:
    buffer = io.BytesIO()
    Pillow.new("RGB", (8, 4), (9, 8, 7)).save(buffer, "WEBP", lossless=True)
    packed = PackedImage(8, 4, buffer.getvalue(), "rgba8", "webp")
    assert unpack_fast(packed).tobytes() == bytes([9, 8, 7, 255]) * 32


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, lines: bytes, depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 6, 0, 0, 0)
    packed = zlib.compress(lines, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("lines", [b"", b"x", bytes(33), bytes(35), bytes(10**8)])
def test_a_png_that_holds_more_or_less_than_it_promises_is_damaged(lines: bytes) -> None:
    with pytest.raises(DamagedPng):
        check_png(png(4, 2, lines))
    check_png(png(4, 2, bytes(34)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-14],
        lambda data: data.replace(b"IDAT", b"IDAX"),
        lambda data: data[:40] + b"\xff\xff" + data[42:],
        lambda data: b"",
        lambda data: b"GIF89a" + bytes(100),
    ],
)
def test_damaged_pictures_are_refused(spoil: object, tmp_path: Path) -> None:
    image = picture("rgba8")
    for packed in (as_png(image), PackedImage(9, 11, write_webp(image), "rgba8", "webp")):
        data = spoil(packed.data)  # type: ignore[operator]
        if data == packed.data:
            continue
        order = Order(str(tmp_path / "x"), packed.encoding, 9, 11)
        outcome = carry_out(order, data)
        if packed.encoding == "png" or not data.startswith(b"RIFF"):
            assert outcome.code == "bad_image"
            assert not (tmp_path / "x").exists()


def test_a_webp_of_another_size_than_was_announced_is_refused() -> None:
    packed = PackedImage(4, 2, write_webp(picture("rgba8")), "rgba8", "webp")
    with pytest.raises(ValueError, match="another size"):
        unpack_fast(packed)


@pytest.fixture
def ledger(tmp_path: Path):
    opened = Ledger.open(tmp_path, 2**30)
    yield opened
    opened.close()


def large(pixel_format: PixelFormat = "rgba16") -> tuple[PackedImage, str]:
    """40 MB of pixels in a few kilobytes."""
    side = 2304
    pixel = 8 if pixel_format == "rgba16" else 4
    lines = bytes((side * pixel + 1) * side)
    digest = digest_of(memoryview(bytes(side * side * pixel)))
    return PackedImage(side, side, png(side, side, lines, 2 * pixel), pixel_format, "png"), digest


async def test_a_large_picture_is_unpacked_by_a_process_into_its_file(
    tmp_path: Path, ledger: Ledger
) -> None:
    packed, digest = large()
    assert await Uploads(ledger).keep(packed) == digest
    assert PixelFiles(tmp_path / "pixels").size(f"image-{digest}") == 2304 * 2304 * 8
    assert await Uploads(ledger).keep(packed, digest) == digest


async def test_a_large_picture_that_is_not_what_it_is_called_leaves_nothing(
    tmp_path: Path, ledger: Ledger
) -> None:
    packed, _ = large()
    with pytest.raises(Refused, match="SHA-256"):
        await Uploads(ledger).keep(packed, "0" * 64)
    half = PackedImage(packed.width, packed.height, packed.data[:-20], packed.format, "png")
    with pytest.raises(BadFrame):
        await Uploads(ledger).keep(half)
    assert list((tmp_path / "pixels").iterdir()) == []


async def test_pictures_are_unpacked_one_at_a_time(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = most = 0

    async def counted(order: Order, data: bytes) -> object:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return carry_out(order, data)

    monkeypatch.setattr("acetate.app.uploads._run", counted)
    uploads = Uploads(ledger)
    packed, digest = large()
    assert await asyncio.gather(*(uploads.keep(packed) for _ in range(3))) == [digest] * 3
    assert most == 1


async def test_an_image_whose_file_has_gone_is_taken_again(tmp_path: Path, ledger: Ledger) -> None:
    from acetate_bridge import Recipe
    from acetate_bridge.protocol.messages import ImageReference, Submit

    image = picture("rgba8")
    digest = await Uploads(ledger).keep(image)
    submit = Submit("job-0001", Recipe("text"), {"layer": ImageReference(digest, 9, 11)})
    assert await ledger.missing_images(submit) == []
    (tmp_path / "pixels" / f"image-{digest}").unlink()
    assert await ledger.missing_images(submit) == [digest]
    assert await Uploads(ledger).keep(image) == digest
    assert await ledger.missing_images(submit) == []
    assert (await ledger.request(submit)).images["layer"] == image
