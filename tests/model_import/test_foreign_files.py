from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from acetate.model_import.importing import import_any
from acetate.models.foreign_files import ends_in_nothing, what_it_is
from acetate.models.recognition_error import NotRecognised

WEIGHTS = save({"weight": torch.ones(64)})


@pytest.fixture(autouse=True)
def empty_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "shelf"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\nsize 2132696762\n", "2133 MB"),
        (b"<!DOCTYPE html><title>Log in</title>", "a web page"),
        (b"\xef\xbb\xbf  <html>", "a web page"),
        (b'{"error": "Repository is gated"}', "it says “Repository is gated”"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (WEIGHTS[:40], "half a download"),
        (b'{"error": {"message": "Unauthorized"}}', "it says “Unauthorized”"),
    ],
)
def test_what_is_no_weight_file_is_called_what_it_is(
    content: bytes, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert words in what_it_is(path)
    with pytest.raises(NotRecognised, match=r"model\.safetensors is"):
        import_any(str(path))


def test_an_archive_is_told_from_what_torch_saves(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("model.safetensors", WEIGHTS)
    torch.save({"weight": torch.ones(2)}, tmp_path / "model.pth")
    assert "a zip archive" in what_it_is(tmp_path / "model.zip")
    assert what_it_is(tmp_path / "model.pth") == ""
    (tmp_path / "whole.bin").write_bytes(WEIGHTS)
    assert what_it_is(tmp_path / "whole.bin") == ""


def test_a_download_that_another_program_goes_on_with_is_not_finished(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(WEIGHTS)
    (tmp_path / "model.safetensors.aria2").write_bytes(b"state")
    with pytest.raises(NotRecognised, match="a download that is not finished"):
        import_any(str(path))


@pytest.mark.parametrize(("room", "expected"), [(0, False), (2000, True)])
def test_room_that_was_taken_and_not_filled_is_seen(
    room: int, expected: bool, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"a": torch.ones(256), "b": torch.zeros(room)}))
    assert ends_in_nothing(path) is expected
    path.write_bytes(save({"a": torch.zeros(512)}))
    assert not ends_in_nothing(path)  # Nothing at all is no half.
