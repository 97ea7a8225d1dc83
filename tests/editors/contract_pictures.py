"""Pictures that show every mistake, and how the contract compares and inserts them."""

from __future__ import annotations

import struct

from acetate_bridge.editing.editor import Insertion
from acetate_bridge.protocol.types import Image, Layer, PixelFormat, Recipe, Role
from tests.editors.host import Host

RECIPE = Recipe("text", "a paper lantern, “glowing”", seed=2**40 + 7, steps=9, width=128, height=64)


def picture(width: int, height: int, pixel_format: PixelFormat = "rgba8", turn: int = 0) -> Image:
    """Every channel different, all alphas from clear to solid, colour under alpha 0 included."""
    most = 255 if pixel_format == "rgba8" else 65535
    samples: list[int] = []
    for y in range(height):
        for x in range(width):
            samples += (
                (x * most // max(1, width - 1) + turn) % (most + 1),
                y * most // max(1, height - 1),
                (x * 7 + y * 13 + turn) * 257 % (most + 1),
                (0, most, most // 2, most // 5, 1)[(x + y) % 5],
            )
    if pixel_format == "rgba8":
        return Image(width, height, bytes(samples))
    return Image(width, height, struct.pack(f"<{len(samples)}H", *samples), "rgba16")


def solid(width: int, height: int, red: int, green: int, blue: int, alpha: int = 255) -> Image:
    return Image(width, height, bytes((red, green, blue, alpha)) * (width * height))


def layer(
    image: Image, x: int = 0, y: int = 0, name: str = "paper lantern", recipe: Recipe = RECIPE
) -> Layer:
    return Layer(image, Role.FOREGROUND, name, x, y, recipe)


def samples_of(image: Image) -> list[int]:
    if image.format == "rgba8":
        return list(image.data)
    return list(struct.unpack(f"<{len(image.data) // 2}H", image.data))


def assert_same(
    found: Image, expected: Image, off_by: int = 0, colour_under_0: bool = True
) -> None:
    """Same size and samples; says where they differ first and by how much at most."""
    assert (found.width, found.height) == (expected.width, expected.height), (found, expected)
    assert found.format == expected.format
    there, wanted = samples_of(found), samples_of(expected)
    worst, first = 0, ""
    for index, (one, other) in enumerate(zip(there, wanted)):  # noqa: B905 (same length)
        if not colour_under_0 and wanted[index - index % 4 + 3] == 0 and index % 4 != 3:
            continue
        if abs(one - other) > max(worst, off_by):
            worst = abs(one - other)
            x, y = index // 4 % found.width, index // 4 // found.width
            first = f"channel {'RGBA'[index % 4]} at {x}, {y}: {one}, not {other}"
    assert worst <= off_by, f"off by {worst}: {first}"


def put(host: Host, document: str, *layers: Layer, **options: object) -> list[str]:
    return host.editor.insert(document, Insertion(tuple(layers), **options))  # type: ignore[arg-type]


def names(host: Host, document: str) -> list[str]:
    return [entry.name for entry in host.stack(document)]
