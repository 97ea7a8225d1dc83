from __future__ import annotations

from pathlib import Path

import pytest

from acetate.embedded.architecture import write_untrained
from acetate.models import load_folder
from acetate.models.loading import EMBEDDED, EMBEDDED_FOLDER
from acetate.pipelines.pipeline import Pipeline


@pytest.fixture(scope="session")
def embedded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that ships; where none lies here yet, an untrained one of the same shapes."""
    if EMBEDDED_FOLDER.is_dir():
        return EMBEDDED_FOLDER
    folder = tmp_path_factory.mktemp("embedded") / "model"
    write_untrained(folder)
    return folder


@pytest.fixture(scope="session")
def embedded_pipeline(embedded_folder: Path) -> Pipeline:
    return load_folder(embedded_folder, "cpu", model=EMBEDDED)
