"""Where layers stand: by their neighbours, in a file that was opened anew, above earlier ones."""

from __future__ import annotations

from acetate_bridge.editing.editor import LayerInfo, Place
from acetate_bridge.editing.stack_order import (
    Earlier,
    beneath,
    covering,
    entries_of,
    found_again,
    key_now,
    place_now,
    renamed,
)
from acetate_bridge.protocol.geometry import Rect

ALL = Rect(0, 0, 9, 9)


def layer(key: str, parent: str = "", **how: object) -> LayerInfo:
    return LayerInfo(key, f"name of {key}", ALL, parent=parent, **how)  # type: ignore[arg-type]


STACK = [
    layer("ink"),
    layer("folder", group=True),
    layer("high", "folder"),
    layer("low", "folder"),
    layer("paper"),
]


def test_what_lies_below_a_place_is_left_out_to_see_what_lies_above() -> None:
    assert beneath(Place("ink"), STACK) == ["ink", "folder", "paper"]
    assert beneath(Place("low"), STACK) == ["low", "paper"]
    assert beneath(Place("high", below=True), STACK) == ["low", "paper"]
    assert set(beneath(Place(), STACK)) == {each.key for each in STACK}
    assert beneath(Place(below=True), STACK) == []


def test_only_what_is_seen_over_a_region_covers_it() -> None:
    assert covering(Place("low"), STACK, ALL, ())
    assert not covering(Place("ink"), STACK, ALL, ())
    assert not covering(Place(), STACK, ALL, ())
    assert not covering(Place("low"), STACK, Rect(20, 20, 9, 9), ())
    assert not covering(Place("low"), STACK, ALL, ("ink", "high"))
    assert not covering(Place("paper"), STACK, ALL, ("ink", "folder"))
    unseen = [layer("ink", hidden=True), *STACK[1:2], layer("high", "folder", hidden_in="folder")]
    assert not covering(Place("paper"), [*unseen, layer("paper")], ALL, ())


def test_a_layer_of_a_file_is_found_by_its_mark_and_its_name_and_by_no_number() -> None:
    then = [layer("3", mark="30"), layer("4", mark="40"), layer("5", mark="50")]
    now = [
        LayerInfo("4", "name of 3", ALL, mark="30"),
        LayerInfo("3", "another", ALL, mark="40"),
    ]
    keys = found_again(entries_of(then), now)
    assert keys == {"3": "4"}
    assert [each.key for each in renamed(entries_of(then), keys)] == ["4", "gone 4", "gone 5"]
    assert key_now("", keys) == ""


def test_a_place_in_a_group_that_is_gone_is_where_the_group_was() -> None:
    left = [STACK[0], STACK[4]]
    assert place_now(Place("low"), entries_of(STACK), left) == Place("paper")
    assert place_now(Place("low"), entries_of(STACK), STACK[:3]) == Place("high", below=True)
    assert place_now(Place("unknown"), entries_of(STACK), left) == Place("unknown")


def test_the_newest_goes_above_the_topmost_of_the_earlier_ones_in_the_same_group() -> None:
    earlier, place = Earlier(), Place("low")
    assert earlier.topmost("1", place, STACK) == place
    earlier.note("1", place, ["ink", "high"])
    assert earlier.topmost("1", place, STACK) == Place("high"), "what was moved away is not meant"
    assert earlier.topmost("2", place, STACK) == place, "nor that of another document"
    earlier.note_heirs("1", ("high",), ["heir"])
    heir = [*STACK[:2], layer("heir", "folder"), *STACK[3:]]
    assert earlier.topmost("1", place, heir) == Place("heir")
    earlier.opened_again("1", "2", {"low": "7", "heir": "8"})
    again = [layer("8"), layer("7")]
    assert earlier.topmost("2", Place("7"), again) == Place("8")
