from __future__ import annotations

from pathlib import Path

import pytest

from acetate.errors import CannotWrite
from acetate.plugin_install import kritarc

OTHERS = "[General]\nname=Ölfarbe\n\n[python]\nenable_other=true\n\n[theme]\nTheme=Dark\n"


@pytest.mark.parametrize("before", ["", OTHERS, "[General]\na=1\n", "[python]\n"])
def test_enabling_adds_one_line_and_forgetting_takes_it_out(tmp_path: Path, before: str) -> None:
    file = tmp_path / "kritarc"
    file.write_text(before, encoding="utf-8")
    assert not kritarc.is_enabled(file)
    assert kritarc.enable(file) and kritarc.is_enabled(file)
    assert not kritarc.enable(file)
    added = [line for line in file.read_text("utf-8").splitlines() if line not in before]
    assert set(added) <= {"[python]", "enable_acetate_krita=true"}
    kritarc.forget(file)
    assert not kritarc.is_enabled(file)
    # Without another line the file is one that nobody wrote anything into.
    left = file.read_text("utf-8") if file.exists() else ""
    assert left == (before if before != "[python]\n" else "")


def test_enabling_turns_a_plug_in_that_was_off_on(tmp_path: Path) -> None:
    file = tmp_path / "kritarc"
    file.write_text("[python]\nenable_acetate_krita=false\nenable_other=true\n")
    assert kritarc.enable(file)
    assert file.read_text() == "[python]\nenable_acetate_krita=true\nenable_other=true\n"


def test_the_same_key_in_another_section_is_not_ours(tmp_path: Path) -> None:
    file = tmp_path / "kritarc"
    file.write_text("[python]\n[other]\nenable_acetate_krita=true\n")
    assert not kritarc.is_enabled(file)
    kritarc.enable(file)
    assert file.read_text().startswith("[python]\nenable_acetate_krita=true\n[other]\n")


def test_a_file_that_does_not_exist_is_made(tmp_path: Path) -> None:
    file = tmp_path / "config" / "kritarc"
    assert not kritarc.is_enabled(file)
    kritarc.forget(file)
    assert not file.exists()
    kritarc.enable(file)
    assert file.read_text() == "[python]\nenable_acetate_krita=true\n"


def test_settings_that_cannot_be_read_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "kritarc"
    file.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(CannotWrite, match="cannot be read"):
        kritarc.enable(file)
    assert file.read_bytes() == b"\xff\xfe\xfa"
