"""What becomes of the layers of a job, in the order in which the server hands them out."""

from __future__ import annotations

import pytest

from acetate_bridge.editing.anchor import Anchor
from acetate_bridge.editing.job import Record, Task, look_at
from acetate_bridge.editing.stack_order import StackEntry
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Image, Layer, Recipe, Role

REGION = Rect(0, 0, 8, 8)


def arrived(task: Task, name: str, role: Role, alpha: int) -> list[list[str]]:
    image = Image(8, 8, bytes((9, 9, 9, alpha)) * 64)
    results = task.take(0, look_at(Layer(image, role, name)))
    return [[layer.name for layer in result.layers] for result in results]


def test_a_split_picture_is_listed_from_the_top_though_the_hindmost_layer_comes_first() -> None:
    task = Task(Record("job", "1", "flat", "decompose", REGION, Recipe("decompose", "a poster")))
    assert arrived(task, "wall", Role.BACKGROUND, 255) == []
    assert arrived(task, "table", Role.FOREGROUND, 128) == []
    assert arrived(task, "lantern", Role.FOREGROUND, 128) == []
    (result,) = task.finish()
    assert [layer.name for layer in result.layers] == ["lantern", "table", "wall"]


def test_a_scene_is_complete_with_its_background_and_its_blended_picture_is_left_out() -> None:
    task = Task(Record("job", "1", "scene", "joint", REGION, Recipe("joint", "a harbour")))
    assert arrived(task, "harbour", Role.BACKGROUND, 255) == []
    assert arrived(task, "boat", Role.FOREGROUND, 128) == [["boat", "harbour"]]
    assert arrived(task, "both", Role.BLENDED, 255) == []
    assert task.finish() == []


@pytest.mark.parametrize(
    ("mode", "said", "name"),
    [
        ("defringe", "layer, defringed", "Hair, defringed"),
        ("upscale", "layer × 2", "Hair × 2"),
        ("cutout", "layer, cut out", "Hair, cut out"),
        ("refine", "layer", "layer"),
    ],
)
def test_what_is_made_of_a_layer_without_a_prompt_bears_its_name(
    mode: str, said: str, name: str
) -> None:
    anchor = Anchor(8, 8, stack=[StackEntry("1", "", "1", "Sky"), StackEntry("2", "", "2", "Hair")])
    record = Record("job", "1", "face", mode, REGION, Recipe(mode), source="2", anchor=anchor)
    assert arrived(Task(record), said, Role.FOREGROUND, 128) == [[name]]
