"""Small layers to learn from, with captions, as a person would keep them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("red disc", "green disc", "blue ring", "grey square", "pale glass", "warm fade")


def layer(number: int, side: int = 96) -> Image.Image:
    """A thing in a colour of its own with a soft edge; every third is half clear."""
    y, x = np.mgrid[0:side, 0:side]
    random = np.random.default_rng(number)
    middle = side / 2 + random.uniform(-0.1, 0.1, 2) * side
    distance = np.hypot(x - middle[0], y - middle[1])
    alpha = np.clip(side * random.uniform(0.25, 0.4) - distance, 0, 2) / 2
    if number % 3 == 2:
        alpha = alpha * 0.5
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[..., :3] = random.integers(30, 230, 3)
    pixels[..., 3] = (alpha * 255).round()
    return Image.fromarray(pixels)


def write_layers(folder: Path, count: int = 12, side: int = 96) -> Path:
    """Named after what they show."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        name = NAMES[number % len(NAMES)].replace(" ", "-")
        layer(number, side).save(folder / f"{name}-{number:02}.png")
    return folder


def claimed(width: int, height: int) -> bytes:
    """A PNG that says it is so large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunk = b"IHDR" + header
    crc = struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk + crc
