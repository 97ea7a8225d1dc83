from __future__ import annotations

from pathlib import Path

import pytest

from acetate_bridge.panel.fields import FIELDS, Field
from acetate_bridge.panel.settings import PanelSettings, load_settings, save_settings
from acetate_bridge.protocol.limits import STOP_AT
from tests.acetate_bridge.panel.desk import Desk


@pytest.mark.parametrize("row", FIELDS.values(), ids=FIELDS)
def test_a_default_lies_inside_its_bounds_and_other_types_become_it(row: Field) -> None:
    assert row.clean(row.default) == row.default
    for nonsense in (None, [], {"a": 1}):
        assert row.clean(nonsense) == row.default
    if row.bound is not None:
        assert row.clean(10**9 * row.bound.most) == row.bound.most
        assert row.clean(True) == row.default, "a truth is no number"


def test_a_setting_that_is_added_as_a_row_reaches_panel_file_and_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Field("stop_at", "Stop a_t", "When the base goes on alone", "share", 1.0, STOP_AT)
    monkeypatch.setitem(FIELDS, row.name, row)
    desk = Desk(tmp_path)
    assert desk.view.fields["stop_at"].value == 1.0
    desk.panel.set_field("stop_at", 0.25)
    desk.ask()
    assert desk.request.recipe.stop_at == 0.25
    desk.panel.stop()
    assert Desk(tmp_path).view.fields["stop_at"].value == 0.25, "remembered"


def test_settings_are_kept_in_one_flat_file_and_damaged_ones_left_out(tmp_path: Path) -> None:
    file = tmp_path / "panel.json"
    settings = PanelSettings(mode="refine").changed("steps", 33, "small")
    save_settings(file, settings.changed("strength", 7).changed("after_repaint", "keep"))
    assert load_settings(file).value("strength") == 1.0
    assert load_settings(file).for_models == {"steps": {"small": 33}}
    text = file.read_text(encoding="utf-8")
    assert '"steps": {' in text and '"after_repaint": "keep"' in text
    file.write_text(text.replace('"keep"', '"burn"').replace("1.0", '"much"'), encoding="utf-8")
    found = load_settings(file)
    assert found.mode == "refine" and found.for_models == {"steps": {"small": 33}}
    assert (found.value("after_repaint"), found.value("strength")) == ("hide", 0.6)
