"""Tiny random bases of the official families, taken over as a person would, with their files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acetate.model_import.importing import import_any
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl
from tests.support.tiny_flux import write_tiny_flux

WRITERS: dict[str, Callable[[Path], Path]] = {
    "sd15": write_tiny_sd15,
    "sdxl": write_tiny_sdxl,
    "flux": write_tiny_flux,
}


@contextmanager
def official_shelf(root: Path) -> Iterator[Path]:
    """For the length of a block, `tiny-sd15`, `tiny-sdxl` and `tiny-flux` can be named like any.

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
            for path in (folder / "transparency").iterdir():
                if path.suffix == ".json":
                    shutil.copy(path, shelf / path.name)
                else:
                    import_any(str(path))
        yield root
