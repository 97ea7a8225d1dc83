from __future__ import annotations

import msgspec
import pytest

from acetate_bridge import Frame, Recipe, Rect, Role, Size
from acetate_bridge.protocol.messages import ModelInfo, Submit
from acetate_bridge.protocol.serialization import Mismatch, from_plain, to_plain
from acetate_bridge.protocol.types import Layer
from tests.acetate_bridge.protocol.wire_messages import PIXELS


def test_plain_values_are_those_that_the_server_writes() -> None:
    frame = Frame(Rect(-1, 2, 3, 4), Rect(-1, 2, 3, 4), Size(64, 64))
    submit = Submit("job", Recipe("text", layer_prompts={"sky": "blue"}), frame=frame)
    written = msgspec.to_builtins(submit)
    assert written["recipe"].pop("weights") == "" and written["recipe"].pop("cache") == ""
    assert to_plain(submit) == written
    assert from_plain(Submit, to_plain(submit)) == submit


def test_reduced_weights_are_written_and_others_leave_a_recipe_as_it_was() -> None:
    assert "weights" not in to_plain(Recipe("text"))
    recipe = Recipe("text", weights="4")
    assert to_plain(recipe)["weights"] == "4"
    assert from_plain(Recipe, to_plain(recipe)) == recipe
    assert from_plain(Recipe, to_plain(Recipe("text"))).weights == ""


def test_an_enumeration_is_its_value() -> None:
    plain = to_plain(Layer(PIXELS, Role.BACKGROUND), lambda value: None)
    assert plain["role"] == "background"


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({}, "'id'"),
        ([], "object"),
        ({"id": 3}, "id must be str"),
        ({"id": "x", "native": 1.5}, "native must be a whole number"),
        ({"id": "x", "native": True}, "native must be a whole number"),
        ({"id": "x", "progress": "much"}, "progress must be a finite number"),
        ({"id": "x", "progress": float("inf")}, "progress must be a finite number"),
        ({"id": "x", "modes": "text"}, "modes must be a list"),
        ({"id": "x", "modes": ["text", 3]}, r"modes\[1\] must be str"),
        ({"id": "x", "state": "gone"}, "state must be one of"),
        ({"id": "x", "frame": {"multiple": 0}}, "frame"),
        ({"id": "x", "colour": "red"}, "no field 'colour'"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(value: object, where: str) -> None:
    with pytest.raises(Mismatch, match=where):
        from_plain(ModelInfo, value)


def test_whole_numbers_are_fine_where_fractions_are_wanted() -> None:
    assert from_plain(ModelInfo, {"id": "x", "progress": 1}).progress == 1.0
