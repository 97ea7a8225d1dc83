from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from acetate.models.families import FAMILIES
from acetate.modes.registry import MODES as PAINTED
from acetate_bridge import Role
from acetate_bridge.protocol.modes import MODES, Mode, mode_row

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_every_mode_of_the_table_is_painted_by_a_module_of_its_name(mode: Mode) -> None:
    paint = PAINTED[mode.name].paint
    assert inspect.getmodule(paint).__name__ == f"acetate.modes.{mode.name}"  # pyright: ignore[reportOptionalMemberAccess]
    assert any(mode.name in family.modes for family in FAMILIES.values())


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_every_mode_says_what_comes_of_it(mode: Mode) -> None:
    said = mode.sentence.format(name="“cat”", place="8 × 8")
    assert "8 × 8" in said and ("“cat”" in said) == mode.needs_layer
    assert mode.label[0].isupper() and mode.label[1:].islower()
    assert set(mode.script_prompts) <= set(mode.prompts)


def test_a_mode_of_a_newer_server_is_painted_like_any_layer() -> None:
    mode = mode_row("animate")
    assert mode.label == "Animate" and not mode.needs_layer
    assert mode.whole is not None and mode.whole({Role.FOREGROUND})


def test_a_variant_is_complete_when_its_roles_have_come() -> None:
    scene, text = MODES["joint"].whole, MODES["text"].whole
    assert scene is not None and text is not None
    assert not scene({Role.FOREGROUND}) and scene({Role.FOREGROUND, Role.BACKGROUND})
    assert not text({Role.BLENDED})
    assert MODES["decompose"].whole is None


def test_the_plug_ins_and_the_panel_branch_on_no_mode_by_name() -> None:
    """What differs between modes stands in the table, so that a new one needs no other file."""
    sources = [
        path
        for folder in ("shared/acetate_bridge", "krita_plugin", "gimp_plugin")
        for path in (ROOT / folder).rglob("*.py")
        if "_vendor" not in path.parts and path.name != "modes.py"
    ]
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        for side in ast.walk(node)
        if isinstance(side, ast.Constant) and side.value in MODES
    ]
    assert found == []
