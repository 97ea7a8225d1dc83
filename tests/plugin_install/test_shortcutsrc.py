"""Default keys for GIMP: ours are added, the painter's stay."""

from __future__ import annotations

from pathlib import Path

from acetate.plugin_install import shortcutsrc


def test_a_missing_file_is_made_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "shortcutsrc"
    assert "F9" in shortcutsrc.add(file)
    text = file.read_text()
    assert text.startswith("(file-version 1)\n")
    assert '(action "acetate-open-panel" "F9")\n' in text
    assert shortcutsrc.add(file) == [] and file.read_text() == text


def test_the_painters_own_choices_stay(tmp_path: Path) -> None:
    file = tmp_path / "shortcutsrc"
    own = (
        '# GIMP shortcutsrc\n\n(file-version 1)\n(action "edit-undo" "<Primary>z")\n'
        '(action "filters-repeat" "<Primary>F9")\n(action "acetate-open-panel")\n'
    )
    file.write_text(own)
    keys = shortcutsrc.add(file)
    assert "F9" not in keys, "the painter has taken it away"
    assert "<Primary>F9" not in keys, "it belongs to another action"
    assert file.read_text().startswith(own)


def test_uninstalling_takes_out_our_lines_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "shortcutsrc"
    own = '(file-version 1)\n(action "edit-undo" "<Primary>z")\n'
    file.write_text(own)
    shortcutsrc.add(file)
    shortcutsrc.forget(file)
    assert file.read_text() == own
    shortcutsrc.forget(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
