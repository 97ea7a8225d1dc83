"""Pack the drawings that the model begins from: a zip of WebP pictures and a table of contents."""

from __future__ import annotations

import io
import json
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acetate.embedded.drawings import INDEX

from .captions import names_of, tags_of
from .loop import Report
from .sources import HELD_OUT_STYLE, Drawing, read_drawings, render_svg

SIDE = 256
QUALITY, ALPHA_QUALITY, EFFORT = 80, 90, 6
FOLDERS = {
    "3d": "fluent-3d",
    "glossy": "fluent-color",
    "drawn": "noto",
    "blob": "noto-v1",
    "fox": "fxemoji",
}
"""Where each style lies in the archive: who drew it, which is also whose licence holds."""
EXTRA_MARGIN = 12


def write_memory(packages: Path, openclipart: Path | None, file: Path, report: Report) -> None:
    """Write the archive. `openclipart` is the folder `svg` of Debian's openclipart-svg, if any.

    The same input gives the same bytes.
    """
    concepts: dict[str, dict[str, Any]] = {}
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for drawing in read_drawings(packages, SIDE):
            if drawing.style != HELD_OUT_STYLE:
                name = f"{FOLDERS[drawing.style]}/{drawing.icon}"
                _entry(concepts, drawing)["drawings"].append(name)
                _put(archive, f"{name}.webp", _webp(drawing.pixels))
        table = list(concepts.values())
        for name, markup, words in extra_drawings(openclipart):
            table.append({"names": words, "tags": [], "drawings": [name]})
            _put(archive, f"{name}.webp", _webp(_square(render_svg(markup, 2 * SIDE))))
        index = json.dumps({"concepts": table}, separators=(",", ":")).encode()
        _put(archive, INDEX, index, zipfile.ZIP_DEFLATED)
    report(f"{len(table)} things in {file}, {file.stat().st_size / 1e6:.1f} MB")


def extra_drawings(openclipart: Path | None) -> list[tuple[str, str, list[str]]]:
    """Place in the archive, SVG and names of the drawings that complete the emoji sets."""
    own = files("acetate.training")
    found: list[tuple[str, str, list[str]]] = []
    for line in own.joinpath("extra_drawings.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        place, names = line.split(".svg: ", 1)
        source, _, inside = place.partition("/")
        if source == "acetate":
            markup = own.joinpath("drawings", f"{inside}.svg").read_text("utf-8")
        elif openclipart is None:
            continue
        else:
            markup = (openclipart / f"{inside}.svg").read_text("utf-8", errors="replace")
        found.append((f"{source}/{inside.split('/')[-1].rstrip('_')}", markup, names.split(", ")))
    return found


def _entry(concepts: dict[str, dict[str, Any]], drawing: Drawing) -> dict[str, Any]:
    concept = drawing.concept
    fresh = {"names": names_of(concept), "tags": tags_of(concept), "drawings": []}
    return concepts.setdefault(concept.code, fresh)


def _square(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What is visible, centred in a square of `SIDE` with a margin around."""
    picture = Image.fromarray(pixels)
    visible = picture.getchannel("A").point([255 * (value > 8) for value in range(256)]).getbbox()
    picture = picture.crop(visible).convert("RGBa")
    scale = (SIDE - 2 * EXTRA_MARGIN) / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    frame = Image.new("RGBa", (SIDE, SIDE))
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    frame.paste(small, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(frame.convert("RGBA"))


def _webp(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(
        out, "WEBP", quality=QUALITY, alpha_quality=ALPHA_QUALITY, method=EFFORT
    )
    return out.getvalue()


def _put(archive: zipfile.ZipFile, name: str, data: bytes, kind: int = zipfile.ZIP_STORED) -> None:
    entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
    entry.compress_type, entry.external_attr = kind, 0o644 << 16
    archive.writestr(entry, data)
