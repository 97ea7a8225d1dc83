"""Nothing is overwritten unasked, and no two results have one name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from acetate.cli.outputs import settle
from acetate.errors import BadRequest, CannotWrite
from acetate.images.formats import STDOUT


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_free_names_are_taken_as_they_are(tmp_path: Path) -> None:
    found = settle(tmp_path / "a.png", tmp_path / "s.png", 1, 1)
    assert (names(found.layers), names(found.scenes), found.notes) == (["a.png"], ["s.png"], ())
    assert names(settle(tmp_path / "a.png", None, 3, 0).layers) == ["a-1.png", "a-2.png", "a-3.png"]


def test_what_is_there_gets_company(tmp_path: Path) -> None:
    for name in ("a.png", "a-2.png", "b-2.png"):
        (tmp_path / name).touch()
    found = settle(tmp_path / "a.png", None, 1, 0)
    assert names(found.layers) == ["a-3.png"] and "--force" in found.notes[0]
    assert names(settle(tmp_path / "b.png", None, 2, 0).layers) == ["b-3.png", "b-4.png"]
    forced = settle(tmp_path / "a.png", None, 1, 0, force=True)
    assert (names(forced.layers), forced.notes) == (["a.png"], ())


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_two_outputs_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(tmp_path, target_is_directory=True)
    for scene in ("a.png", "A.PNG", "here/a.png", "./a.png"):
        with pytest.raises(BadRequest, match="both be written"):
            settle(tmp_path / "a.png", tmp_path / scene, 1, 1)
    with pytest.raises(BadRequest, match="one of the layers"):
        settle(tmp_path / "a.png", tmp_path / "a-2.png", 2, 1, force=True)


def test_standard_output_takes_one(tmp_path: Path) -> None:
    assert settle(STDOUT, None, 1, 0).layers == (STDOUT,)
    with pytest.raises(BadRequest, match="one picture"):
        settle(STDOUT, None, 2, 0)


def test_places_that_cannot_be_written_are_known(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite):
        settle(tmp_path / "no" / "a.png", None, 1, 0)
