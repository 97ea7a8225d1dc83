"""Three bases of one's own on one shelf."""

from __future__ import annotations

import shutil
from pathlib import Path

from acetate.model_import.importing import import_any
from acetate.models.own_register import own_folder
from tests.support.original_layout import write_checkpoint
from tests.support.tiny_families import write_tiny_sd15, write_tiny_sdxl

TRIPLE = ("tiny-15", "tiny-xl", "tiny-file")


def fill_with_three(root: Path) -> None:
    """Two folders and a checkpoint below `root`, imported with their transparency files."""
    write_checkpoint(root / "tiny-file.safetensors", "sd15")
    import_any(str(root / "tiny-file.safetensors"))
    for folder in (write_tiny_sd15(root / "tiny-15"), write_tiny_sdxl(root / "tiny-xl")):
        import_any(str(folder))
        for path in (folder / "transparency").glob("*.safetensors"):
            import_any(str(path))
        shutil.copy(folder / "transparency" / "config.json", own_folder())
