"""Layers on the disk: pictures read with care, and written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

from acetate.errors import BadImage, CannotWrite
from acetate.images.png import decode_png, encode_png, png_texts
from acetate_bridge.protocol.json_text import read_json
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain
from acetate_bridge.protocol.types import Image, Recipe

RECIPE_KEY = "acetate.recipe"
"""Keyword of the text chunk that holds the recipe as JSON."""


def read_image(path: Path) -> Image:
    """The picture in a PNG file. Raises BadImage naming the file and what is wrong with it."""
    data = _read(path)
    try:
        return decode_png(data)
    except BadImage as error:
        raise BadImage(f"Cannot read {path}: {error.message}") from error


def read_recipe(path: Path) -> Recipe:
    """The recipe that Acetate wrote into a PNG file. Raises BadImage if there is none."""
    data = _read(path)
    text = png_texts(data).get(RECIPE_KEY)
    if text is None:
        raise BadImage(f"There is no recipe in {path}: it was not painted by Acetate.")
    try:
        return from_plain(Recipe, read_json(text), allow_unknown=True)
    except (ValueError, Mismatch) as error:
        raise BadImage(f"The recipe in {path} cannot be read: {error}.") from error


def write_image(path: Path, image: Image, recipe: Recipe | None = None) -> None:
    """Write a PNG with its recipe; the file appears complete or not at all.

    Raises CannotWrite.
    """
    texts = {}
    if recipe is not None:
        texts[RECIPE_KEY] = json.dumps(to_plain(recipe), ensure_ascii=False)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(encode_png(image, texts))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def check_writable(path: Path) -> None:
    """Raise CannotWrite unless a file can be written there; leaves nothing behind.

    Asked before painting, so that nobody waits for a picture that cannot be kept.
    """
    if path.is_dir():
        raise CannotWrite(f"Cannot write {path}: it is a folder.")
    probe = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadImage(f"Cannot read {path}: {_reason(error)}.") from error


def _unwritable(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(f"Cannot write {path}: {_reason(error)}.")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
