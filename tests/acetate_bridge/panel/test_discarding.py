"""What is discarded and brought back by an undo is in the strip again, as it is in the document."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acetate_bridge.panel.desk import Desk, lantern, shown


@pytest.mark.parametrize(("mode", "after"), [("text", "keep"), ("refine", "hide")])
def test_the_last_result_is_back_in_the_strip_with_an_undo(
    tmp_path: Path, mode: str, after: str
) -> None:
    desk = _painted(tmp_path, mode, after)
    before, pixels = desk.names(), shown(desk).pixels
    for _time in range(2):
        desk.panel.discard()
        assert desk.view.results == () and desk.names() == ["sketch"]
        _undo(desk)
        assert desk.names() == before and [each.shown for each in desk.view.results] == [True]
        assert shown(desk).pixels == pixels


def test_what_replaced_its_source_is_back_in_the_strip_with_an_undo(tmp_path: Path) -> None:
    desk = _painted(tmp_path, "refine", "replace")
    replaced = shown(desk).pixels
    desk.panel.discard()
    assert desk.view.results == ()
    _undo(desk)
    assert [each.shown for each in desk.view.results] == [True]
    assert shown(desk).pixels == replaced
    desk.panel.discard()
    (node,) = desk.editor.sheet(desk.document).nodes
    assert node.pixels == lantern(64, 64), "and what it replaced is not forgotten"


def test_each_of_several_that_were_discarded_comes_back_with_its_undo(tmp_path: Path) -> None:
    desk = _painted(tmp_path, "text", "keep", 2)
    desk.panel.discard()
    desk.panel.swap(0)
    desk.panel.discard()
    assert desk.view.results == ()
    for results in ([True], [False]):
        _undo(desk)
        assert [each.shown for each in desk.view.results] == results
    _undo(desk)
    assert [each.shown for each in desk.view.results] == [True, False]


def test_a_kept_result_alone_brings_nothing_back(tmp_path: Path) -> None:
    desk = _painted(tmp_path, "text", "keep", 2)
    desk.panel.keep(0)
    desk.panel.swap(1)
    desk.panel.discard()
    desk.panel.refresh()
    assert desk.view.results == () and "foreground 0" in desk.names()
    _undo(desk)
    assert [(each.shown, each.kept) for each in desk.view.results] == [(True, True), (True, False)]


def test_a_strip_that_others_have_taken_does_not_come_back(tmp_path: Path) -> None:
    desk = _painted(tmp_path, "text", "keep")
    desk.panel.discard()
    desk.ask("a boat")
    desk.layer(5)
    desk.done()
    _undo(desk)
    _undo(desk)
    assert [each.shown for each in desk.view.results] == [False]


def _painted(folder: Path, mode: str, after: str, variants: int = 1) -> Desk:
    """A sketch, and so many results of it."""
    desk = Desk(folder)
    desk.paint("sketch", lantern(64, 64))
    desk.panel.set_field("after_repaint", after)
    desk.panel.set_field("variants", variants)
    desk.ask("a paper lantern", mode)
    for variant in range(variants):
        desk.layer(variant, lantern(64, 64, variant + 1))
    desk.done()
    return desk


def _undo(desk: Desk) -> None:
    desk.editor.undo(desk.document)
    desk.panel.refresh()
