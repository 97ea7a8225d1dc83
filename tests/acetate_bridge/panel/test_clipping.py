"""Clipped layers show what they showed, whatever background comes in below them."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Role
from tests.acetate_bridge.panel.desk import Desk, lantern, solid
from tests.editors.memory_stack import Node


def test_a_background_goes_below_the_group_whose_layers_are_clipped(tmp_path: Path) -> None:
    desk = _stacked(tmp_path, _group("figure", _sheet("shade", True), _sheet("body")), "body")
    assert "clipped" not in desk.view.sentence
    _fill(desk)
    assert _tree(desk) == ["figure", "  shade", "  body", "background 0", "paper"]


def test_a_background_for_a_clipped_layer_goes_below_what_it_is_clipped_to(tmp_path: Path) -> None:
    desk = _stacked(tmp_path, _group("figure", _sheet("shade", True), _sheet("body")), "shade")
    _fill(desk)
    assert _tree(desk) == ["figure", "  shade", "  body", "background 0", "paper"]


def test_a_group_around_the_group_may_be_what_a_layer_is_clipped_to(tmp_path: Path) -> None:
    inner = _group("inner", _sheet("body"), _sheet("sketch"))
    desk = _stacked(tmp_path, _group("outer", _sheet("shade", True), inner), "body")
    _fill(desk)
    wanted = ["outer", "  shade", "  inner", "    body", "    sketch", "background 0", "paper"]
    assert _tree(desk) == wanted


@pytest.mark.parametrize("clipped_below", [True, False])
def test_without_a_clipped_layer_above_it_goes_directly_below(
    tmp_path: Path, clipped_below: bool
) -> None:
    group = _group("figure", _sheet("body"), _sheet("shade", clipped_below), _sheet("low"))
    desk = _stacked(tmp_path, group, "body")
    _fill(desk)
    assert _tree(desk) == [
        "figure",
        "  body",
        "  background 0",
        "  shade",
        "  low",
        "paper",
    ]


def test_where_there_is_no_such_place_it_is_said_before(tmp_path: Path) -> None:
    desk = _stacked(tmp_path, _sheet("body"), "body")
    desk.editor.sheet(desk.document).nodes.insert(0, Node("top", "shade", clipped=True))
    desk.panel.refresh()
    said = "“shade” is clipped to what lies below it, and will be seen on it, too."
    assert desk.view.sentence.endswith(said)
    desk.panel.set_mode("text")
    assert said not in desk.view.sentence
    desk.panel.set_mode("background")
    assert desk.view.sentence.endswith(said)
    _fill(desk)
    assert _tree(desk) == ["shade", "body", "background 0", "paper"]


def _stacked(folder: Path, node: Node, active: str) -> Desk:
    """Something above a sheet of paper, and the panel about to fill the background."""
    desk = Desk(folder)
    desk.paint("paper", solid(160, 120, (1, 1, 1, 255)))
    sheet = desk.editor.sheet(desk.document)
    sheet.nodes.insert(0, node)
    for each in desk.editor.layers(desk.document):
        if each.name == active:
            sheet.active = each.key
    desk.panel.set_mode("background")
    desk.panel.refresh()
    return desk


def _fill(desk: Desk) -> None:
    desk.ask("a harbour at night", "background")
    desk.layer(image=solid(160, 120, (9, 9, 9, 255)), role=Role.BACKGROUND)
    desk.done()


def _sheet(name: str, clipped: bool = False) -> Node:
    return Node(f"key of {name}", name, Rect(0, 0, 40, 40), lantern(40, 40), clipped=clipped)


def _group(name: str, *children: Node) -> Node:
    return Node(f"key of {name}", name, children=list(children))


def _tree(desk: Desk) -> list[str]:
    return [f"{'  ' * each.level}{each.name}" for each in desk.editor.stack(desk.document)]
