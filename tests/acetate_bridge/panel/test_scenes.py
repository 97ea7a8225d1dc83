"""A scene in layers: its results take one another's place, and lie beside it, never inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate_bridge.protocol.types import Role
from tests.acetate_bridge.panel.desk import Desk, solid
from tests.editors.memory_stack import Node

GROUP = ["harbour", "  foreground {0}", "  background {0}"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A sheet of paper and a scene of two variants above it."""
    found = Desk(tmp_path)
    found.paint("paper", solid(160, 120, (1, 1, 1, 255)))
    found.panel.set_field("variants", 2)
    found.ask("a harbour, at night", "joint")
    _come(found, 2)
    return found


def test_variants_of_a_scene_take_its_place_back_and_forth(desk: Desk) -> None:
    for index in (1, 0, 1):
        desk.panel.swap(index)
        assert _tree(desk) == _stack(index)
    desk.panel.swap(1)
    desk.panel.swap(0)
    assert _tree(desk) == _stack(0), "also while one of its layers is the active one"


def test_a_kept_scene_has_the_next_one_beside_it(desk: Desk) -> None:
    desk.panel.swap(0)
    desk.panel.keep(0)
    desk.panel.swap(1)
    assert _tree(desk) == [*_scene(1), *_scene(0), "paper"]


@pytest.mark.parametrize("again", ["generate", "another_try"])
def test_another_scene_goes_beside_the_one_whose_layer_is_active(desk: Desk, again: str) -> None:
    desk.panel.swap(0)
    assert desk.editor.node(desk.document, desk.editor.sheet(desk.document).active).recipe
    getattr(desk.panel, again)()
    _come(desk, 2)
    assert _tree(desk) == [*_scene(0), *_scene(0), "paper"]


def test_a_scene_in_a_group_of_the_painters_stays_in_that(desk: Desk) -> None:
    nodes = desk.editor.sheet(desk.document).nodes
    scene = nodes.pop(0)
    folder = desk.editor.add(desk.document, Node("", "folder", children=[]))
    children = desk.editor.node(desk.document, folder).children
    assert children is not None
    children.append(scene)
    desk.panel.swap(0)
    desk.panel.generate()
    _come(desk, 2)
    inside = [f"  {each}" for each in (*_scene(0), *_scene(0))]
    assert _tree(desk) == ["folder", *inside, "paper"]


def test_painting_a_scene_anew_paints_all_of_it_in_its_place(desk: Desk) -> None:
    desk.panel.swap(0)
    desk.panel.regenerate()
    _come(desk, 1)
    assert _tree(desk) == _stack(0)
    desk.panel.discard()
    assert _tree(desk) == _stack(0), "the old scene is back"


@pytest.mark.parametrize("gone", ["foreground 0", "background 0"])
def test_what_the_painter_took_out_of_a_scene_comes_back_within_it(desk: Desk, gone: str) -> None:
    layers = desk.editor.layers(desk.document)
    key = next(each.key for each in layers if each.name == gone)
    desk.editor.remove(desk.document, [key])
    desk.panel.refresh()
    desk.panel.swap(1)
    assert _tree(desk) == _stack(1)


def _come(desk: Desk, variants: int) -> None:
    """The layers of the last job come."""
    for variant in range(variants):
        desk.layer(variant, role=Role.FOREGROUND)
        desk.layer(variant, solid(160, 120, (9, 9, variant, 255)), Role.BACKGROUND, index=1)
    desk.done()


def _scene(variant: int) -> list[str]:
    return [line.format(variant) for line in GROUP]


def _stack(variant: int) -> list[str]:
    return [*_scene(variant), "paper"]


def _tree(desk: Desk) -> list[str]:
    return [f"{'  ' * each.level}{each.name}" for each in desk.editor.stack(desk.document)]
