"""Whatever picture a person has can be painted from: kinds, depths, colours and turns."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from acetate.errors import BadImage
from acetate.images.decoding import decode_picture
from acetate.images.samples import samples_of

GRADIENT = np.stack(
    [
        *np.meshgrid(np.linspace(0, 255, 40), np.linspace(0, 255, 24)),
        np.full((24, 40), 90.0),
        np.tile(np.linspace(255, 0, 40), (24, 1)),
    ],
    axis=-1,
).astype(np.uint8)


def saved(picture: Pillow.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def read(data: bytes) -> np.ndarray:
    return samples_of(decode_picture(data))


def far(found: np.ndarray, expected: np.ndarray) -> int:
    return int(abs(found.astype(int) - expected.astype(int)).max())


RGBA = Pillow.fromarray(GRADIENT, "RGBA")
RGB = RGBA.convert("RGB")

EXACT: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: saved(RGBA, "PNG"),
    "WebP": lambda: saved(RGBA, "WEBP", lossless=True, exact=True),
    "TIFF": lambda: saved(RGBA, "TIFF"),
    "TIFF, packed": lambda: saved(RGBA, "TIFF", compression="tiff_lzw"),
    "animated PNG": lambda: saved(RGBA, "PNG", save_all=True, append_images=[RGB.convert("RGBA")]),
}


@pytest.mark.parametrize("kind", EXACT)
def test_lossless_kinds_come_back_to_the_last_bit(kind: str) -> None:
    assert (read(EXACT[kind]()) == GRADIENT).all()


def test_an_animated_picture_gives_its_first_frame() -> None:
    other = Pillow.new("RGB", RGB.size)
    data = saved(RGB, "WEBP", save_all=True, append_images=[other], lossless=True)
    assert far(read(data)[..., :3], np.asarray(RGB)) <= 1


@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "P", "PA", "1", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_every_mode_is_read(mode: str, kind: str) -> None:
    picture = (RGB if mode == "P" else RGBA).convert(mode)
    if (kind, mode) == ("PNG", "PA"):
        picture = RGBA.quantize(32)
    assert far(read(saved(picture, kind)), np.asarray(picture.convert("RGBA"))) == 0


def test_a_palette_with_transparency_keeps_it() -> None:
    picture = RGB.quantize(8)
    found = read(saved(picture, "PNG", transparency=bytes([0, 128]) + bytes([255]) * 6))
    assert set(np.unique(found[..., 3])) <= {0, 128, 255} and found[..., 3].min() < 255


def test_gray_with_a_clear_value_keeps_it() -> None:
    picture = Pillow.fromarray(np.array([[3, 4]], np.uint8), "L")
    assert read(saved(picture, "PNG", transparency=3)).tolist() == [
        [[3] * 3 + [0], [4] * 3 + [255]]
    ]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_gray_are_kept(kind: str) -> None:
    deep = np.arange(960, dtype=np.uint16).reshape(24, 40) * 68
    found = read(saved(Pillow.fromarray(deep), kind))
    assert found.dtype == np.uint16 and (found[..., 0] == deep).all()
    assert (found[..., 3] == 65535).all()


def test_jpeg_is_read_upright() -> None:
    upright = np.asarray(RGBA.convert("RGB"))
    for orientation, turned in ((1, upright), (3, upright[::-1, ::-1]), (6, np.rot90(upright, 1))):
        exif = Pillow.Exif()
        exif[274] = orientation
        picture = Pillow.fromarray(np.ascontiguousarray(turned))
        found = read(saved(picture, "JPEG", quality=98, subsampling=0, exif=exif))
        assert found.shape == (24, 40, 4)
        assert far(found[..., :3], upright) < 12


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_read(kind: str) -> None:
    found = read(saved(RGB.convert("CMYK"), kind, **({"quality": 98} if kind == "JPEG" else {})))
    assert far(found[..., :3], np.asarray(RGB)) < 16


def test_avif_is_read() -> None:
    found = read(saved(RGBA, "AVIF", quality=95, subsampling="4:4:4"))
    assert far(found, GRADIENT) < 24


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_the_colour_profile_is_honoured(kind: str, mode: str) -> None:
    if (kind, mode) == ("JPEG", "RGBA"):
        mode = "RGB"
    profile = bytes(imagecodecs.cms_profile("adobergb"))
    picture = Pillow.new(mode, (16, 16), (60, 200, 60, 128)[: len(mode)])
    options = {"lossless": True} if kind == "WEBP" else {}
    found = read(saved(picture, kind, icc_profile=profile, **options))[8, 8].astype(int)
    # Adobe RGB's green is far outside of sRGB: there it is a purer one.
    assert found[0] < 20 and abs(found[1] - 200) < 6
    assert found[3] == (128 if mode == "RGBA" else 255)


def test_the_profile_counts_in_sixteen_bits_too() -> None:
    deep = np.full((4, 4, 4), (60 * 257, 200 * 257, 60 * 257, 30000), np.uint16)
    profile = bytes(imagecodecs.cms_profile("adobergb"))
    data = bytes(imagecodecs.png_encode(deep))
    import zlib

    body = b"Adobe RGB\0\0" + zlib.compress(profile)
    chunk = struct.pack(">I", len(body)) + b"iCCP" + body
    chunk += struct.pack(">I", zlib.crc32(b"iCCP" + body))
    found = read(data[:33] + chunk + data[33:])[0, 0]
    assert found[0] < 20 * 257 and found[3] == 30000


def test_srgb_and_broken_profiles_change_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"no profile", srgb[:200]):
        assert (read(saved(RGBA, "PNG", icc_profile=profile)) == GRADIENT).all()


def test_openraster_and_krita_give_their_merged_picture() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "image/openraster")
        archive.writestr("mergedimage.png", saved(RGBA, "PNG"))
    assert (read(file.getvalue()) == GRADIENT).all()
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("mimetype", "application/zip")
    with pytest.raises(BadImage, match="no merged picture"):
        decode_picture(empty.getvalue())


def psd(planes: np.ndarray, mode: int, *, clear: bool, packed: bool = False) -> bytes:
    """A PSD as Photoshop writes one, with nothing but its merged picture."""
    channels, height, width = planes.shape
    depth = planes.dtype.itemsize * 8
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, channels, height, width, depth, mode)
    layers = struct.pack(">Ih", 2, -1 if clear else 0) if clear else b""
    rows = [row.astype(row.dtype.newbyteorder(">")).tobytes() for plane in planes for row in plane]
    if packed:
        packs = [bytes(imagecodecs.packbits_encode(row)) for row in rows]
        body = struct.pack(f">H{len(packs)}H", 1, *map(len, packs)) + b"".join(packs)
    else:
        body = struct.pack(">H", 0) + b"".join(rows)
    sections = struct.pack(">II", 0, 0) + struct.pack(">I", len(layers)) + layers
    return head + sections + body


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("deep", [False, True])
def test_photoshops_merged_picture_is_read(packed: bool, deep: bool) -> None:
    alpha = GRADIENT[..., 3:] / 255
    on_white = np.rint(GRADIENT[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    planes = np.moveaxis(np.concatenate([on_white, GRADIENT[..., 3:]], axis=-1), -1, 0)
    if deep:
        planes = planes.astype(np.uint16) * 257
    found = read(psd(planes, 3, clear=True, packed=packed)) // (257 if deep else 1)
    assert (found[..., 3] == GRADIENT[..., 3]).all()
    solid = GRADIENT[..., 3] > 100
    assert far(found[solid], GRADIENT[solid]) <= 3


def test_photoshops_gray_and_cmyk_are_read() -> None:
    grey = GRADIENT[None, ..., 0]
    assert (read(psd(grey, 1, clear=False))[..., :3] == grey[0][..., None]).all()
    cmyk = 255 - np.moveaxis(np.asarray(RGB.convert("CMYK")), -1, 0)
    assert far(read(psd(cmyk, 4, clear=False))[..., :3], np.asarray(RGB)) < 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "GIF"])
def test_a_file_that_was_cut_short_is_one_sentence(kind: str) -> None:
    picture = RGB if kind in ("JPEG", "GIF") else RGBA
    data = saved(picture, kind)
    for length in (len(data) // 2, 12):
        with pytest.raises(BadImage):
            decode_picture(data[:length])


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"8BPS", b"\xff\xd8\xff", b"BM"])
def test_what_is_no_picture_is_one_sentence(data: bytes) -> None:
    with pytest.raises(BadImage):
        decode_picture(data)


def swollen(data: bytes, small: tuple[int, int], large: tuple[int, int]) -> bytes:
    """The same file, whose headers tell of another size in 16 bits each."""
    told, claimed = (struct.pack("<HH", *each) for each in (small, large))
    assert told in data
    return data.replace(told, claimed)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "TIFF", "GIF"])
def test_a_bomb_is_known_before_it_is_unpacked(kind: str) -> None:
    size = (16_000, 12_000) if kind != "GIF" else (30_000, 30_000)
    if kind in ("WEBP", "GIF"):
        # Writing as many pixels takes seconds; what is refused is refused for what it claims.
        data = swollen(saved(Pillow.new("L", (37, 41)), kind), (37, 41), size)
    else:
        picture = Pillow.new("1" if kind == "TIFF" else "L", size)
        data = saved(picture, kind, **({"compression": "group4"} if kind == "TIFF" else {}))
    with pytest.raises(BadImage, match="64 megapixels"):
        decode_picture(data)
