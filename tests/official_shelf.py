"""Tiny random bases of the official families, taken over as a person would, with their files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acetate.models.own_bases import import_any
from tests.tiny_families import write_tiny_sd15, write_tiny_sdxl

WRITERS: dict[str, Callable[[Path], Path]] = {"sd15": write_tiny_sd15, "sdxl": write_tiny_sdxl}


@contextmanager
def official_shelf(root: Path) -> Iterator[Path]:
    """For the length of a block, `tiny-sd15` and `tiny-sdxl` can be named like any model.

    The bases stay in folders of diffusers under `root`, the transparency files are linked into
    ROOT/data/models. The published pair would take minutes a decode here: that of the shelf is
    narrower, which its `config.json` says.
    """
    shelf = root / "data" / "models"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACETATE_MODELS_DIR", str(shelf))
        patch.setenv("ACETATE_RUNTIME_DIR", str(root / "run"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        for family, write in WRITERS.items():
            folder = write(root / f"tiny-{family}")
            import_any(str(folder))
            for path in (folder / "transparency").glob("*.safetensors"):
                import_any(str(path))
            shutil.copy(folder / "transparency" / "config.json", shelf / "config.json")
        yield root
