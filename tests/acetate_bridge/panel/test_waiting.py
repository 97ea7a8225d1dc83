"""Results that wait until the painter is done with something."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acetate_bridge.panel.desk import Desk


def test_while_a_tool_is_in_use_the_result_waits_and_a_button_lets_it_in(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.editor.painting = True
    desk.layer()
    desk.done()
    button = desk.view.status.button
    assert desk.names() == [] and button is not None and button.action == "insert_now"
    desk.panel.press_status_button()
    assert desk.names() == ["foreground 0"]


def test_what_a_result_waits_for_is_said_as_soon_as_it_is_known(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.editor.painting = True
    desk.layer()
    assert "as soon as the hand rests" in desk.view.status.sentence
    desk.editor.why = "“sketch” is hidden: show it."
    desk.editor.pass_time()
    button = desk.view.status.button
    assert desk.view.status.sentence == desk.editor.why
    assert button is not None and button.action == "insert_now"
    desk.editor.painting = False
    desk.editor.pass_time()
    assert desk.names() == ["foreground 0"] and desk.view.status.sentence != desk.editor.why


def test_a_result_that_waits_in_one_document_holds_up_no_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.editor.busy = lambda document: document == desk.document  # type: ignore[method-assign]
    job = desk.ask("a red boat")
    other = desk.editor.new(160, 120, title="other.ora")
    desk.panel.refresh()
    second = desk.ask("a blue boat")
    desk.layer(job=job)
    desk.layer(job=second)
    assert desk.names() == []
    assert [entry.name for entry in desk.editor.stack(other)] == ["foreground 0"]


@pytest.mark.parametrize("ended", [True, False])
def test_a_result_that_is_discarded_while_it_waits_does_not_come(
    tmp_path: Path, ended: bool
) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.editor.painting = True
    desk.layer()
    if ended:
        desk.done()
    desk.panel.discard()
    assert desk.view.results == () and "hand rests" not in desk.view.status.sentence
    desk.editor.painting = False
    desk.editor.pass_time()
    if not ended:
        desk.done()
    assert desk.names() == [] and desk.link.acknowledged == [desk.job]
