from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.side_by_side import run


@pytest.mark.parametrize(("second", "status"), [("pass", 0), ("assert 1 == 2", 1)])
def test_what_all_say_is_printed_and_one_that_fails_is_enough(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    second: str,
    status: int,
) -> None:
    # Others' plug-ins of pytest take longer to load than these tests run.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    folders = tmp_path / "one", tmp_path / "another"
    for folder, body in zip(folders, (second, "pass"), strict=True):
        folder.mkdir()
        (folder / f"test_{folder.name}.py").write_text(f"def test_it():\n    {body}\n")
    assert run(*folders) == status
    said = capfd.readouterr().out
    assert "test_one.py" in said and "test_another.py" in said
