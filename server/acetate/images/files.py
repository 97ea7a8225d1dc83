"""Layers on the disk: pictures read with care, and written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from acetate.errors import BadImage, CannotWrite
from acetate.images.formats import STDOUT, format_of
from acetate.images.part_files import part_file, part_of
from acetate.images.recipe_texts import RECIPE_KEY, BadRecipe, Carried, carried_by, recipe_text
from acetate_bridge.protocol.types import Image, Recipe

__all__ = [
    "RECIPE_KEY",
    "read_carried",
    "read_image",
    "read_recipe",
    "read_recipes",
    "write_image",
]


_LAYERED = (b"8BPS", b"PK\x03\x04")
"""How a Photoshop file begins, and an archive, such as OpenRaster and Krita's own."""


def read_image(path: Path) -> Image:
    """The picture in a file of any kind that is read, `-` for standard input.

    Raises BadImage naming the file and what is wrong with it.
    """
    from acetate.images.decoding import decode_picture

    data = _read(path)
    try:
        return decode_picture(data)
    except BadImage as error:
        raise BadImage(f"Cannot read {path}: {error.message}", error.hint) from error


def read_recipe(path: Path) -> Recipe:
    """The recipe that Acetate wrote into a picture. Raises BadImage if there is none, or many."""
    recipes = read_recipes(path)
    if len(recipes) > 1:
        raise BadImage(
            f"{path} shows {len(recipes)} pictures, each with a recipe of its own.",
            f"Choose one with --pick 1 to --pick {len(recipes)}.",
        )
    return recipes[0]


def read_recipes(path: Path) -> list[Recipe]:
    """All recipes that a picture carries. Raises BadImage if there is none."""
    return read_carried(path).recipes


def read_carried(path: Path) -> Carried:
    """All recipes that a picture carries, and what of. Raises BadImage if there is none."""
    data = _read(path)
    try:
        carried = carried_by(data)
    except BadRecipe as error:
        raise BadImage(f"The recipe in {path} cannot be read: {error}.") from error
    if carried.recipes:
        return carried
    if data.startswith(_LAYERED):
        raise BadImage(
            f"There is no recipe in {path}: a file of layers carries none that is read here.",
            "The pictures carry it that its layers were painted as.",
        )
    raise BadImage(
        f"There is no recipe in {path}: it was not painted by Acetate, or another program has "
        "saved it since."
    )


def write_image(
    path: Path,
    image: Image,
    recipe: Recipe | Sequence[Recipe] | None = None,
    *,
    replace: bool = True,
    scene: bool = False,
) -> Path:
    """Write a picture, in the format of the path's ending, with its recipe; returns its path.

    `scene` says that it is stacked from the layers of its recipes and what lies beneath them.

    The file appears complete or not at all. Without `replace` a file that is there is kept, and
    the new one gets the next number. Raises CannotWrite, and BadRequest for an ending that cannot
    hold the picture.
    """
    from acetate.images.encoding import encode_picture
    from acetate.images.samples import is_opaque

    kind = format_of(path, deep=image.format == "rgba16", alpha=not is_opaque(image))
    data = encode_picture(image, kind, recipe_text(recipe, scene))
    if path == STDOUT:
        _write_out(data)
        return path
    try:
        with part_file(path) as part:
            part.write_bytes(data)
            if replace:
                part.replace(path)
                return path
            return next(place for place in numbered(path) if _appears(part, place))
    except OSError as error:
        raise _unwritable(path, error) from error


def numbered(path: Path) -> Iterator[Path]:
    """The path itself, then `name-2`, `name-3` and so on."""
    yield path
    for index in count(2):
        yield path.with_stem(f"{path.stem}-{index}")


def check_writable(path: Path) -> None:
    """Raise CannotWrite unless a file can be written there; leaves nothing behind.

    Asked before painting, so that nobody waits for a picture that cannot be kept.
    """
    if path == STDOUT:
        return
    if path.is_dir():
        raise CannotWrite(f"Cannot write {path}: it is a folder.")
    probe = part_of(path)
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def _appears(part: Path, path: Path) -> bool:
    """Whether the part now stands there; False when another file was first."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except (OSError, AttributeError, NotImplementedError):
        if path.exists():
            return False
        part.replace(path)  # Here files cannot have two names.
    return True


def _write_out(data: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise CannotWrite(f"Cannot write to standard output: {_reason(error)}.") from error


def _read(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == STDOUT else path.read_bytes()
    except OSError as error:
        raise BadImage(f"Cannot read {path}: {_reason(error)}.") from error


def _unwritable(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(f"Cannot write {path}: {_reason(error)}.")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
