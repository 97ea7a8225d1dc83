"""Layers to follow, styles, presets and what the model does not see, from panel to request."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from acetate_bridge.client.presets import Preset, write_preset
from acetate_bridge.panel.guides import KIND_WORDS
from acetate_bridge.protocol.messages import Models
from acetate_bridge.protocol.types import Control
from tests.acetate_bridge.panel.desk import LARGE, MODES, SMALL, Desk, solid

ABLE = replace(
    SMALL,
    controls=["depth", "lineart", "reference", "scribble"],
    derives=["lineart", "scribble"],
    styles=["ink.safetensors", "wash.safetensors"],
    triggers={"ink.safetensors": "inkwash"},
    schedulers=["euler"],
)
OFFER = Models([ABLE, replace(LARGE, controls=["scribble"])], MODES)
BLACK, RED = (0, 0, 0, 255), (255, 0, 0, 255)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, offer=OFFER)


def test_a_layer_is_followed_as_a_sketch_and_another_as_reference(desk: Desk) -> None:
    desk.paint("sketch", solid(40, 40, RED))
    desk.panel.add_entry("follow")
    desk.paint("photo", solid(160, 120, RED))
    desk.panel.add_entry("follow")
    desk.panel.set_cell("follow", 0, "strength", 0.7)
    desk.panel.set_cell("follow", 0, "end", 0.5)
    desk.panel.set_cell("follow", 1, "kind", "reference")
    first, second = desk.view.lists["follow"].entries
    assert first["kind"].value == "scribble" and second["name"].value == "photo"
    assert [each.label for each in first["layer"].choices] == ["photo", "sketch"]
    desk.ask()
    recipe, images = desk.request.recipe, desk.request.images
    assert recipe.control == Control("scribble", 0.7, derived=True, end=0.5)
    assert recipe.controls == [Control("reference", 1.0)]
    assert images["control"].data[:4] == bytes(RED) and images["control_2"].width == 160


def test_light_lines_on_black_are_a_map_and_are_not_derived_again(desk: Desk) -> None:
    desk.paint("lines", solid(160, 120, BLACK))
    desk.panel.add_entry("follow")
    desk.ask()
    assert desk.request.recipe.control == Control("scribble")


def test_what_a_model_cannot_follow_is_greyed_and_said_with_the_cure(desk: Desk) -> None:
    desk.paint("sketch", solid(40, 40, RED))
    desk.panel.add_entry("follow")
    choices = {each.name: each for each in desk.view.lists["follow"].entries[0]["kind"].choices}
    assert choices.keys() == KIND_WORDS.keys()
    assert choices["depth"].available and not choices["pose"].available
    assert "acetate models import" in choices["pose"].reason
    desk.panel.set_cell("follow", 0, "kind", "pose")
    desk.panel.set_prompt("a fox")
    assert not desk.view.can_generate and "acetate models import" in desk.view.why_not


def test_a_layer_that_was_deleted_is_named(desk: Desk) -> None:
    key = desk.paint("sketch", solid(40, 40, RED))
    desk.panel.add_entry("follow")
    desk.panel.set_prompt("a fox")
    desk.paint("other", solid(40, 40, RED))
    desk.editor.remove(desk.document, [key])
    desk.panel.refresh()
    assert not desk.view.can_generate
    assert "“sketch”" in desk.view.why_not and "choose another" in desk.view.why_not
    assert desk.view.status.sentence == desk.view.why_not, "it is said where one looks"
    desk.panel.remove_entry("follow", 0)
    assert desk.view.can_generate


def test_another_try_and_the_history_follow_the_same_layer(desk: Desk) -> None:
    desk.paint("sketch", solid(160, 120, RED))
    desk.panel.add_entry("follow")
    job = desk.ask()
    desk.layer()
    desk.done()
    desk.panel.remove_entry("follow", 0)
    desk.panel.another_try()
    assert desk.job != job and "control" in desk.request.images
    desk.panel.repeat(0)
    assert desk.request.recipe.control == Control("scribble", derived=True)
    desk.panel.restore(0)
    assert desk.view.lists["follow"].entries[0]["name"].value == "sketch"


def test_styles_bring_their_weight_and_the_words_they_want(desk: Desk) -> None:
    desk.panel.add_entry("styles")
    desk.panel.add_entry("styles")
    desk.panel.set_cell("styles", 1, "weight", 0.4)
    desk.ask("a fox")
    recipe = desk.request.recipe
    assert recipe.styles == {"ink.safetensors": 1.0, "wash.safetensors": 0.4}
    assert recipe.prompt == "a fox, inkwash"
    desk.ask("a fox, InkWash")
    assert desk.request.recipe.prompt == "a fox, InkWash"


def test_styles_are_remembered_and_layers_to_follow_are_not(desk: Desk, tmp_path: Path) -> None:
    desk.paint("sketch", solid(40, 40, RED))
    desk.panel.add_entry("follow")
    desk.panel.add_entry("styles")
    desk.panel.stop()
    lists = Desk(tmp_path, offer=OFFER).view.lists
    assert len(lists["styles"].entries) == 1 and not lists["follow"].entries


def test_a_style_that_is_not_here_is_named_with_the_cure(desk: Desk) -> None:
    desk.panel.add_entry("styles")
    desk.panel.set_cell("styles", 0, "style", "lost.safetensors")
    desk.panel.set_prompt("a fox")
    assert "“lost”" in desk.view.why_not and "acetate models import" in desk.view.why_not
    assert desk.view.status.sentence == desk.view.why_not, "it is said where one looks"
    (gone,) = [each for each in _styles_of(desk) if "(not here)" in each]
    assert gone == "lost (not here)"


def _styles_of(desk: Desk) -> list[str]:
    return [each.label for each in desk.view.lists["styles"].entries[0]["style"].choices]


def test_a_preset_is_saved_shared_and_chosen_in_one_click(desk: Desk, tmp_path: Path) -> None:
    desk.panel.add_entry("styles")
    desk.panel.set_field("frame", "drawing of {prompt}, muted")
    desk.panel.set_field("steps", 12)
    desk.panel.save_preset("Storybook")
    (file,) = (tmp_path / "presets").glob("*.json")
    shared = tmp_path / "from-a-friend.json"
    value = json.loads(file.read_text(encoding="utf-8"))
    shared.write_text(json.dumps({**value, "name": "Friend", "steps": 5}), encoding="utf-8")
    desk.panel.add_preset(str(shared))
    assert [each.name for each in desk.view.fields["preset"].choices] == ["", "Friend", "Storybook"]
    desk.panel.set_field("preset", "")
    assert not desk.view.lists["styles"].entries
    desk.panel.set_field("preset", "Storybook")
    desk.ask("a fox")
    recipe = desk.request.recipe
    assert recipe.prompt == "drawing of a fox, muted, inkwash" and recipe.preset == "Storybook"
    assert recipe.styles == {"ink.safetensors": 1.0} and recipe.steps == 12


def test_a_file_that_is_no_preset_is_refused_with_a_sentence(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]", encoding="utf-8")
    desk.panel.add_preset(str(tmp_path / "x.json"))
    assert "x.json is no preset" in desk.view.status.sentence
    desk.panel.save_preset("  ")
    assert "name" in desk.view.status.sentence


def test_presets_that_are_put_into_the_folder_are_found(desk: Desk, tmp_path: Path) -> None:
    write_preset(tmp_path / "presets", Preset("Dropped"))
    desk.panel.set_guides_open(True)
    assert "Dropped" in [each.name for each in desk.view.fields["preset"].choices]


def test_a_layer_left_out_is_not_in_the_picture_and_the_document_remembers(desk: Desk) -> None:
    desk.paint("ground", solid(160, 120, RED))
    desk.paint("note", solid(160, 120, BLACK))
    desk.panel.set_guides_open(True)
    desk.panel.leave_out(True)
    assert desk.view.left_out.value and "“note”" in desk.view.left_out_words
    desk.ask("a boat", "foreground")
    assert desk.request.images["picture"].data[:4] == bytes(RED)
    desk.layer()
    desk.done()
    assert desk.view.history and desk.view.left_out_words, "a result does not push it out"
    desk.panel.leave_out(False)
    desk.ask("a boat", "foreground")
    assert desk.request.images["picture"].data[:4] == bytes(BLACK)


def test_a_sketch_that_is_followed_is_no_part_of_the_picture(desk: Desk) -> None:
    desk.paint("ground", solid(160, 120, RED))
    desk.paint("sketch", solid(160, 120, (9, 9, 9, 255)))
    desk.panel.set_mode("foreground")
    desk.panel.add_entry("follow")
    desk.ask("a boat", "foreground")
    images = desk.request.images
    assert images["picture"].data[:4] == bytes(RED) and images["control"].data[0] == 9


def test_layers_one_after_another_come_in_one_group_and_one_undo_step(desk: Desk) -> None:
    desk.panel.set_mode("foreground")
    assert desk.view.lists["then"].applies
    desk.panel.add_entry("then")
    desk.panel.set_cell("then", 0, "words", "a gull")
    desk.panel.add_entry("then")
    job = desk.ask("a boat", "foreground")
    assert desk.request.recipe.then == ["a gull"]
    before = desk.names()
    desk.layer(index=0)
    assert desk.names() == before, "it waits for the others"
    desk.layer(index=1)
    desk.done(job)
    assert [entry.name for entry in desk.editor.stack(desk.document)][:1] == ["boat"]
    assert len(desk.names()) == len(before) + 3
    desk.editor.undo(desk.document)
    assert desk.names() == before
    desk.panel.set_mode("text")
    assert not desk.view.lists["then"].applies
    desk.ask("a boat")
    assert desk.request.recipe.then == []
