"""A shelf with everything of one's own, tiny and random: bases in three forms, and what goes in."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acetate.images.files import write_image
from acetate.model_import.importing import import_any
from acetate_bridge.protocol.types import Image
from tests.support.original_layout import write_checkpoint, write_control, write_style
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

REPOSITORY = "someone/tiny-xl"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Favourite:
    """A base of one's own with its size in pixels, and the style and file names that go with it."""

    model: str
    family: str
    form: str
    side: int


FAVOURITES = [
    Favourite("my-folder", "sd15", "folder", 128),
    Favourite("tiny-xl", "sdxl", "hub", 128),
    Favourite("favourite-15", "sd15", "checkpoint", 384),
    Favourite("favourite-xl", "sdxl", "checkpoint", 768),
]


def fill_shelf(root: Path, shelf: Path, cache: Path) -> None:
    """Write the files below `root` and import them; the shelf and the hub cache must be set."""
    folder = write_tiny_sd15(root / "My Folder")
    snapshot = cache / "models--someone--tiny-xl" / "snapshots" / COMMIT
    write_tiny_sdxl(snapshot)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text(COMMIT)
    import_any(REPOSITORY)
    folder.rename(root / "my-folder")
    import_any(str(root / "my-folder"))
    for family, name in (("sd15", "favourite-15"), ("sdxl", "favourite-xl")):
        write_checkpoint(root / f"{name}.safetensors", family)
        import_any(str(root / f"{name}.safetensors"))
    for family, form in (("sd15", "kohya"), ("sdxl", "diffusers")):
        import_any(str(write_style(root / f"ink-{family}.safetensors", family, form)))
        control = root / f"control-{family}-scribble.safetensors"
        import_any(str(write_control(control, family, "diffusers")))
    for transparency in (root / "my-folder" / "transparency", snapshot / "transparency"):
        for path in transparency.glob("*.safetensors"):
            import_any(str(path))
        # The tiny pair has other arguments than the published one.
        shutil.copy(transparency / "config.json", shelf / "config.json")


def write_sketch(path: Path, side: int) -> Path:
    """Dark strokes on nothing."""
    samples = np.zeros((side, side, 4), np.uint8)
    samples[side // 4 : side // 3, side // 4 : -side // 4, 3] = 255
    samples[side // 4 : -side // 4, side // 4 : side // 3, 3] = 255
    write_image(path, Image(side, side, samples.tobytes()))
    return path
