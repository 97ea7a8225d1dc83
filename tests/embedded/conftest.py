from __future__ import annotations

from pathlib import Path

import pytest

from acetate.models.shipped import EMBEDDED, EMBEDDED_FOLDER
from acetate.pipelines.loading import load_folder
from acetate.pipelines.pipeline import Pipeline


@pytest.fixture(scope="session")
def embedded_folder() -> Path:
    return EMBEDDED_FOLDER


@pytest.fixture(scope="session")
def embedded_pipeline(embedded_folder: Path) -> Pipeline:
    return load_folder(embedded_folder, "cpu", model=EMBEDDED)
