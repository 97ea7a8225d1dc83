"""Pictures of strangers, damaged at random places: a picture comes of them, or one sentence."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pillow

from acetate.errors import BadImage
from acetate.images.decoding import decode_picture
from acetate.images.layered_files import write_openraster, write_psd
from acetate.images.recipe_texts import BadRecipe, recipes_in
from acetate.images.tiff import encode_tiff
from acetate_bridge.protocol.types import Image, Layer, Role

NOISE = np.random.default_rng(1).integers(0, 255, (24, 20, 4), dtype=np.uint8)
IMAGE = Image(20, 24, NOISE.tobytes(), "rgba8")
LAYERS = [Layer(IMAGE, Role.FOREGROUND, "noise")]
TIMES = 300


def saved(kind: str, mode: str = "RGBA", **options: object) -> bytes:
    file = io.BytesIO()
    tags = Pillow.Exif()
    tags[274], tags[270] = 6, '{"acetate.recipe": {}}'
    more = {"exif": tags} if kind in ("JPEG", "WEBP", "TIFF", "AVIF") else {}
    Pillow.fromarray(NOISE, "RGBA").convert(mode).save(file, kind, **more, **options)
    return file.getvalue()


KINDS: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: saved("PNG"),
    "JPEG": lambda: saved("JPEG", "RGB"),
    "JPEG in CMYK": lambda: saved("JPEG", "CMYK"),
    "GIF": lambda: saved("GIF", "P"),
    "BMP": lambda: saved("BMP", "RGB"),
    "WebP": lambda: saved("WEBP"),
    "AVIF": lambda: saved("AVIF"),
    "TIFF": lambda: saved("TIFF"),
    "TIFF, packed": lambda: saved("TIFF", compression="tiff_lzw"),
    "TIFF of 16 bits": lambda: encode_tiff(
        Image(20, 24, NOISE.astype("<u2").tobytes(), "rgba16"), "{}"
    ),
    "PSD": lambda: write_psd(LAYERS),
    "OpenRaster": lambda: write_openraster(LAYERS),
}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few of them changed, taken out, put in or cut off."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(len(found) if chance.random() < 0.5 else min(len(found), 200))
        match chance.randrange(5):
            case 0:
                found[at] = chance.randrange(256)
            case 1:
                found[at : at + 4] = chance.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"))
            case 2:
                del found[at : at + chance.randrange(1, 40)]
            case 3:
                found[at:at] = chance.randbytes(chance.randrange(1, 30))
            case _:
                del found[max(10, at) :]
        found = found or bytearray(b"x")
    return bytes(found)


def look(kind: str, count: int) -> None:
    whole, chance = KINDS[kind](), random.Random(kind)
    assert decode_picture(whole).width in (20, 24)
    for turn in range(count):
        cut = turn % 4 == 0
        data = whole[: chance.randrange(8, len(whole))] if cut else damaged(whole, chance)
        try:
            assert decode_picture(data).data
        except BadImage as error:
            assert error.message.endswith(".")
        with contextlib.suppress(BadRecipe):
            recipes_in(data)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_happens_to_a_picture_it_is_read_or_explained(kind: str) -> None:
    look(kind, TIMES)
