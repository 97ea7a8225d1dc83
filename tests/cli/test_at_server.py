from __future__ import annotations

from pathlib import Path

import pytest

from acetate.images.files import read_image, read_recipe
from tests.app.server_process import RunningServer
from tests.cli.conftest import Acetate


@pytest.mark.slow
def test_variants_are_painted_at_the_local_server(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RunningServer(
        tmp_path / "server", painter="tests.cli.embedded_fake:open_painter"
    ) as server:
        monkeypatch.setenv("ACETATE_RUNTIME_DIR", server.environment["ACETATE_RUNTIME_DIR"])
        arguments = ["--seed", "5", "--size", "100x70", "--variants", "2", "--steps", "2"]
        outcome = acetate(
            "generate", "text", "a cat", "--server", "local", *arguments, "-o", tmp_path / "a.png"
        )
    assert outcome.code == 0, outcome.err
    for index in (1, 2):
        image = read_image(tmp_path / f"a-{index}.png")
        assert (image.width, image.height) == (100, 70)
        assert read_recipe(tmp_path / f"a-{index}.png").seed == 4 + index


def test_without_a_server_there_is_one_sentence(
    acetate: Acetate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path / "run"))
    outcome = acetate("generate", "text", "a cat", "--server", "local", "-o", tmp_path / "a.png")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1 and "server is not running" in outcome.err
    assert not (tmp_path / "a.png").exists()
