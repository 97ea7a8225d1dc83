"""The picture packages that the embedded model learns from, and how to read each of them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PACKAGES = {
    "emojibase-data": "17.0.0",
    "emojilib": "4.0.3",
    "@lobehub/fluent-emoji-3d": "1.1.0",
    "@iconify-json/fluent-emoji": "1.2.7",
    "@iconify-json/noto": "1.2.9",
    "@iconify-json/noto-v1": "1.2.5",
    "@iconify-json/fxemoji": "1.2.2",
    "@iconify-json/fluent-emoji-flat": "1.2.3",
}
"""npm packages and the versions that the shipped weights were trained on."""

HELD_OUT_STYLE = "flat"
"""No stage of the training ever sees a picture of this style."""

ICON_STYLES = (
    ("@iconify-json/fluent-emoji", "glossy"),
    ("@iconify-json/noto", "drawn"),
    ("@iconify-json/noto-v1", "blob"),
    ("@iconify-json/fxemoji", "fox"),
    ("@iconify-json/fluent-emoji-flat", HELD_OUT_STYLE),
)
"""Icon packages and what the manner of each is called here."""

_SKIN_TONES = range(0x1F3FB, 0x1F400)
_GROUP_PEOPLE, _GROUP_COMPONENTS, _GROUP_FLAGS = 1, 2, 9
_NO_THINGS = frozenset(
    {
        "family", "person-symbol", "keycap", "alphanum", "arrow", "av-symbol", "currency", "math",
        "punctuation", "zodiac", "religion", "gender",
    }
)  # fmt: skip
_POSES = ("family", "person-gesture", "person-activity", "person-sport", "person-resting")
_SHORT_CODES = ("emojibase", "github", "joypixels", "cldr", "iamcal")


@dataclass(frozen=True)
class Concept:
    """One thing that is drawn in several styles: its code, its name and what it belongs to.

    `names` are what else it is called, `keywords` looser words.
    """

    code: str
    label: str
    tags: tuple[str, ...]
    group: int
    names: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """One picture of a concept, straight RGBA uint8 [H, W, 4]; `icon` is its package's name."""

    concept: Concept
    style: str
    pixels: NDArray[np.uint8]
    icon: str = ""


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
    """Things by code point sequence (lower case, variation selectors left out).

    Flags, signs, and people in poses are left out.
    """
    base = package_folder(root, "emojibase-data")
    subgroups = json.loads((base / "meta" / "groups.json").read_text("utf-8"))["subgroups"]
    short = _short_codes(base / "en" / "shortcodes")
    library = package_folder(root, "emojilib") / "dist" / "emoji-en-US.json"
    keywords: dict[str, list[str]] = {
        plain_code("-".join(f"{ord(sign):x}" for sign in emoji)): words
        for emoji, words in json.loads(library.read_text("utf-8")).items()
    }
    concepts: dict[str, Concept] = {}
    for entry in json.loads((base / "en" / "data.json").read_text("utf-8")):
        group = entry.get("group")
        if group is None or group in (_GROUP_COMPONENTS, _GROUP_FLAGS):
            continue
        subgroup = subgroups[str(entry["subgroup"])]
        code = plain_code(entry["hexcode"])
        if subgroup in _NO_THINGS or not code or _posing(group, subgroup, entry["label"]):
            continue
        concepts[code] = Concept(
            code,
            entry["label"],
            tuple(entry.get("tags", ())),
            group,
            tuple(short.get(code, ())),
            tuple(keywords.get(code, ())),
        )
    return concepts


def read_drawings(root: Path, size: int) -> Iterator[Drawing]:
    """Every usable drawing of every package, rendered at `size` × `size`."""
    concepts = read_concepts(root)
    webp = package_folder(root, "@lobehub/fluent-emoji-3d") / "assets"
    for file in sorted(webp.glob("*.webp")):
        concept = concepts.get(plain_code(file.stem))
        if concept is not None:
            with Image.open(file) as picture:
                rgba = picture.convert("RGBA")
            if rgba.size != (size, size):
                rgba = _resize_premultiplied(rgba, size)
            yield Drawing(concept, "3d", np.asarray(rgba), file.stem)
    for package, style in ICON_STYLES:
        yield from read_icons(package_folder(root, package), style, concepts, size)


def render_svg(markup: str, size: int) -> NDArray[np.uint8]:
    """Straight RGBA uint8 [H, W, 4] of an SVG, `size` pixels wide."""
    import resvg_py

    png = bytes(resvg_py.svg_to_bytes(svg_string=markup, width=size))
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGBA"))


def plain_code(code: str) -> str:
    """A code point sequence without variation selectors; empty for one with a skin tone."""
    parts = [part for part in code.lower().split("-") if part != "fe0f"]
    if any(int(part, 16) in _SKIN_TONES for part in parts):
        return ""
    return "-".join(parts)


def _posing(group: int, subgroup: str, label: str) -> bool:
    if group != _GROUP_PEOPLE:
        return False
    people = ("man ", "woman ", "men ", "women ", "man:", "woman:", "people", "person:")
    return subgroup.startswith(_POSES) or label.startswith(people)


def _short_codes(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in _SHORT_CODES:
        table: dict[str, str | list[str]] = json.loads((folder / f"{name}.json").read_text("utf-8"))
        for code, words in table.items():
            own = [words] if isinstance(words, str) else words
            found.setdefault(plain_code(code), []).extend(own)
    return found


def read_icons(
    folder: Path, style: str, concepts: dict[str, Concept], size: int
) -> Iterator[Drawing]:
    """The usable drawings of one icon package, rendered at `size` × `size`."""
    icons = json.loads((folder / "icons.json").read_text("utf-8"))
    names: dict[str, str] = json.loads((folder / "chars.json").read_text("utf-8"))
    pairs = [(plain_code(code), name) for code, name in sorted(names.items())]
    if not names:  # this package lists no code points: its icons are named after the labels
        by_name = _codes_by_name(concepts)
        pairs = [(by_name.get(_run_together(name), ""), name) for name in icons["icons"]]
    drawn: set[str] = set()
    for code, name in pairs:
        icon = icons["icons"].get(name)
        if code not in concepts or icon is None or code in drawn:
            continue
        drawn.add(code)
        box = [
            icon.get(key, icons.get(key, usual))
            for key, usual in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
        ]
        markup = (
            f'<svg xmlns="http://www.w3.org/2000/svg" '
            f'xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'viewBox="{" ".join(map(str, box))}" width="{size}" height="{size}">'
            f"{icon['body']}</svg>"
        )
        yield Drawing(concepts[code], style, render_svg(markup, size), name)


def _codes_by_name(concepts: dict[str, Concept]) -> dict[str, str]:
    found: dict[str, str] = {}
    for code, concept in concepts.items():
        found.setdefault(_run_together(concept.label), code)
    for code, concept in concepts.items():
        for name in concept.names:
            found.setdefault(_run_together(name), code)
    return found


def _run_together(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def _resize_premultiplied(picture: Image.Image, size: int) -> Image.Image:
    """Resize to `size` × `size` with colour weighted by alpha (Pillow's RGBa mode)."""
    return picture.convert("RGBa").resize((size, size), Image.Resampling.LANCZOS).convert("RGBA")
