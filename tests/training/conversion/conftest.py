from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from acetate.training.command import app
from tests.training.layer_pictures import write_layers


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layers(tmp_path_factory.mktemp("layers"))


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Calls a command of training; what it shows on the way is painted in one step."""
    # Not above: what only the loop of a stage is tested with needs neither.
    from acetate.training.conversion import layer_stage, two_layer_stage

    for stage in (layer_stage, two_layer_stage):
        monkeypatch.setattr(stage, "SHOWN_STEPS", 1)

    def call(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words])

    return call
