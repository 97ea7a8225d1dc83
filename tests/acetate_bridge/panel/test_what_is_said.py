"""What the panel says of a job, and takes out of a prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from tests.acetate_bridge.panel.desk import Desk, lantern
from tests.editors.memory_stack import Node


@pytest.mark.parametrize("prompt", ["猫", "قطة", "a fox 🦊"])
def test_letters_that_no_model_reads_are_said(tmp_path: Path, prompt: str) -> None:
    desk = Desk(tmp_path)
    desk.ask(prompt)
    desk.layer()
    desk.done()
    assert "read English" in desk.view.status.sentence
    desk.ask("a café in Zürich, “déjà vu”")
    assert "read English" not in desk.view.status.sentence


def test_a_layer_in_a_hidden_group_is_said_to_be_unseen(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    group = desk.editor.add(desk.document, Node("", "folder", children=[], visible=False))
    desk.editor.add(desk.document, Node("", "sheet", Rect(0, 0, 9, 9), lantern(9, 9)), group)
    desk.ask("a paper lantern")
    desk.layer()
    desk.done()
    assert "hidden group “folder”" in desk.view.status.sentence


def test_a_selection_of_a_few_pixels_is_a_slip(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.editor.sheet(desk.document).selected = Selection(Rect(4, 4, 1, 1))
    desk.panel.set_prompt("a boat")
    desk.panel.generate()
    assert not desk.link.requests
    assert "only 1 × 1 pixels" in desk.view.status.sentence


def test_control_characters_are_stripped_at_the_door(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("negative_prompt", "blur\x00")
    desk.ask("a\x1b[31m lantern\x00\ttall\n\x7fand red")
    recipe = desk.request.recipe
    assert recipe.prompt == "a[31m lantern\ttall\nand red" and recipe.negative_prompt == "blur"
