"""The picture packages that the embedded model learns from, and how to read each of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PACKAGES = {
    "emojibase-data": "17.0.0",
    "@lobehub/fluent-emoji-3d": "1.1.0",
    "@iconify-json/fluent-emoji": "1.2.7",
    "@iconify-json/noto": "1.2.9",
    "@iconify-json/fluent-emoji-flat": "1.2.3",
}
"""npm packages and the versions that the shipped weights were trained on."""

HELD_OUT_STYLE = "flat"
"""No stage of the training ever sees a picture of this style."""

_SKIN_TONES = range(0x1F3FB, 0x1F400)
_GROUP_COMPONENTS, _GROUP_FLAGS = 2, 9


@dataclass(frozen=True)
class Concept:
    """One thing that is drawn in several styles: its code, its name and what it belongs to."""

    code: str
    label: str
    tags: tuple[str, ...]
    group: int


@dataclass(frozen=True)
class Drawing:
    """One picture of a concept, straight RGBA uint8 [H, W, 4]."""

    concept: Concept
    style: str
    pixels: NDArray[np.uint8]


def folder_name(package: str) -> str:
    """The folder that a package is unpacked into."""
    return package.replace("@", "").replace("/", "-")


def package_folder(root: Path, package: str) -> Path:
    """Where this package was unpacked below `root`; FileNotFoundError with the cure."""
    folder = root / folder_name(package)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is missing; run `acetate train data --fetch` or unpack "
            f"{package}@{PACKAGES[package]} there"
        )
    return folder


def read_concepts(root: Path) -> dict[str, Concept]:
    """Concepts by code point sequence (lower case, variation selectors left out)."""
    table = package_folder(root, "emojibase-data") / "en" / "data.json"
    concepts: dict[str, Concept] = {}
    for entry in json.loads(table.read_text(encoding="utf-8")):
        group = entry.get("group")
        if group is None or group in (_GROUP_COMPONENTS, _GROUP_FLAGS):
            continue
        code = _plain_code(entry["hexcode"])
        concepts[code] = Concept(code, entry["label"], tuple(entry.get("tags", ())), group)
    return concepts


def read_drawings(root: Path, size: int) -> Iterator[Drawing]:
    """Every usable drawing of every package, rendered at `size` × `size`."""
    concepts = read_concepts(root)
    webp = package_folder(root, "@lobehub/fluent-emoji-3d") / "assets"
    for file in sorted(webp.glob("*.webp")):
        concept = concepts.get(_plain_code(file.stem))
        if concept is not None:
            with Image.open(file) as picture:
                rgba = picture.convert("RGBA")
            if rgba.size != (size, size):
                rgba = _resize_premultiplied(rgba, size)
            yield Drawing(concept, "3d", np.asarray(rgba))
    for package, style in (
        ("@iconify-json/fluent-emoji", "glossy"),
        ("@iconify-json/noto", "drawn"),
        ("@iconify-json/fluent-emoji-flat", HELD_OUT_STYLE),
    ):
        yield from _read_iconify(package_folder(root, package), style, concepts, size)


def _read_iconify(
    folder: Path, style: str, concepts: dict[str, Concept], size: int
) -> Iterator[Drawing]:
    icons = json.loads((folder / "icons.json").read_text(encoding="utf-8"))
    names: dict[str, str] = json.loads((folder / "chars.json").read_text(encoding="utf-8"))
    if not names:  # this package lists no code points: its icons are named after the labels
        names = {concept.code: _slug(concept.label) for concept in concepts.values()}
    drawn: set[str] = set()
    for code, name in sorted(names.items()):
        concept = concepts.get(_plain_code(code))
        icon = icons["icons"].get(name)
        if concept is None or icon is None or concept.code in drawn:
            continue
        drawn.add(concept.code)
        width = icon.get("width", icons.get("width", 16))
        height = icon.get("height", icons.get("height", 16))
        markup = (
            f'<svg xmlns="http://www.w3.org/2000/svg" '
            f'xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="0 0 {width} {height}" width="{size}" height="{size}">{icon["body"]}</svg>'
        )
        yield Drawing(concept, style, _render_svg(markup, size))


def _render_svg(markup: str, size: int) -> NDArray[np.uint8]:
    import resvg_py

    png = bytes(resvg_py.svg_to_bytes(svg_string=markup, width=size, height=size))
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGBA"))


def _resize_premultiplied(picture: Image.Image, size: int) -> Image.Image:
    """Resize to `size` × `size` with colour weighted by alpha (Pillow's RGBa mode)."""
    return picture.convert("RGBa").resize((size, size), Image.Resampling.LANCZOS).convert("RGBA")


def _slug(label: str) -> str:
    kept = "".join(c if c.isalnum() else " " for c in label.lower() if c not in "’'.")
    return "-".join(kept.split())


def _plain_code(code: str) -> str:
    parts = [part for part in code.lower().split("-") if part != "fe0f"]
    if any(int(part, 16) in _SKIN_TONES for part in parts):
        return "skin-tone"
    return "-".join(parts)
