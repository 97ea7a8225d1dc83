"""What a click asks for: where, from what, with which recipe; and what is remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.types import Role
from tests.acetate_bridge.panel.desk import LIMITS, Desk, lantern, solid
from tests.editors.memory_editor import KINDS


def frame_of(desk: Desk) -> tuple[Rect, Rect]:
    frame = desk.request.frame
    assert frame is not None
    return frame.region, frame.canvas


def test_text_paints_at_the_selection_without_surroundings(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.editor.sheet(desk.document).selected = Selection(Rect(40, 30, 64, 64))
    desk.panel.refresh()
    assert desk.view.sentence == "Paints 64 × 64 at the selection (40, 30)."
    desk.ask()
    assert frame_of(desk) == (Rect(40, 30, 64, 64), Rect(40, 30, 64, 64))
    assert desk.request.images == {}
    recipe = desk.request.recipe
    assert (recipe.width, recipe.height, recipe.model) == (64, 64, "small")


def test_without_a_selection_the_canvas_is_painted(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.view.sentence.startswith("Paints 160 × 120, the whole canvas")
    desk.ask()
    assert frame_of(desk)[0] == Rect(0, 0, 160, 120)


def test_a_large_canvas_is_said_to_be_scaled(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.document = desk.editor.new(1000, 500)
    desk.panel.refresh()
    assert "and scaled." in desk.view.sentence
    desk.ask()
    frame = desk.request.frame
    assert frame is not None and LIMITS.allow(frame.size) and frame.region.width == 1000


def test_a_background_is_made_for_the_layer_over_the_whole_canvas(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    image = lantern(20, 16)
    key = desk.paint("lantern", image, 30, 40)
    desk.ask("a harbour", "background")
    region, canvas = frame_of(desk)
    assert region == Rect(0, 0, 160, 120)
    sent = desk.request.images["layer"]
    assert (sent.width, sent.height) == (canvas.width, canvas.height)
    assert sent == desk.editor.read_layer(desk.document, key, canvas, "rgba8")


def test_an_object_is_added_onto_everything_up_to_the_active_layer(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("red", solid(160, 120, (255, 0, 0, 255)))
    active = desk.paint("green", solid(160, 120, (0, 255, 0, 255)))
    desk.paint("blue", solid(160, 120, (0, 0, 255, 255)))
    desk.editor.sheet(desk.document).active = active
    desk.editor.sheet(desk.document).selected = Selection(Rect(40, 30, 64, 64))
    desk.ask("a boat", "foreground")
    region, canvas = frame_of(desk)
    assert region == Rect(40, 30, 64, 64) and canvas.contains(region.grown(16))
    sent = desk.request.images["picture"]
    assert sent == desk.editor.read_below(desk.document, active, canvas, "rgba8", True)
    middle = (canvas.height // 2 * canvas.width + canvas.width // 2) * 4
    assert sent.data[middle : middle + 4] == bytes((0, 255, 0, 255))
    desk.layer()
    assert desk.names() == ["blue", "foreground 0", "green", "red"]


def test_repainting_takes_the_layers_bounds_even_off_the_canvas(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    image = lantern(64, 64)
    desk.paint("lantern", image, -20, 90)
    desk.panel.set_mode("refine")
    desk.panel.set_field("strength", 0.4)
    assert desk.view.fields["strength"].applies
    assert desk.view.sentence == "Repaints “lantern” on a new layer: 64 × 64 at (-20, 90)."
    desk.ask("a brighter lantern", "refine")
    assert frame_of(desk)[0] == Rect(-20, 90, 64, 64)
    assert desk.request.recipe.strength == 0.4
    assert desk.request.images["layer"] == image
    desk.layer()
    assert desk.names() == ["foreground 0", "lantern"]


@pytest.mark.parametrize("size", [(64, 64), (160, 120), (150, 90), (30, 50)])
@pytest.mark.parametrize("selected", [None, Selection(Rect(4, 4, 20, 24))])
def test_an_opaque_layer_repainted_may_be_opaque(
    tmp_path: Path, size: tuple[int, int], selected: Selection | None
) -> None:
    desk = Desk(tmp_path)
    desk.paint("photo", solid(*size, (5, 5, 5, 255)))
    desk.editor.sheet(desk.document).selected = selected
    desk.ask("a photo", "refine")
    region = frame_of(desk)[0]
    desk.layer(image=solid(region.width, region.height, (9, 9, 9, 255)))
    desk.done()
    assert desk.names() == ["foreground 0", "photo"] and not desk.view.results[0].warning


def test_lifting_out_sends_the_picture_with_and_without_the_layer(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("ground", solid(160, 120, (255, 0, 0, 255)))
    desk.paint("flat", solid(160, 120, (0, 0, 255, 255)))
    desk.ask("a boat", "extract")
    images = desk.request.images
    assert set(images) == {"picture", "background"}
    _, canvas = frame_of(desk)
    middle = (canvas.height // 2 * canvas.width + canvas.width // 2) * 4
    assert images["picture"].data[middle : middle + 4] == bytes((0, 0, 255, 255))
    assert images["background"].data[middle : middle + 4] == bytes((255, 0, 0, 255))


@pytest.mark.parametrize("mode", ["background", "refine", "extract"])
def test_modes_that_need_a_layer_say_so(tmp_path: Path, mode: str) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_mode(mode)
    desk.panel.set_prompt("anything")
    assert desk.view.sentence == "Choose the layer to work on first."
    assert not desk.view.can_generate
    desk.panel.generate()
    assert not desk.link.requests


def test_deep_documents_get_deep_pixels(tmp_path: Path) -> None:
    deep = next(kind for kind in KINDS if kind.deep)
    desk = Desk(tmp_path, kind=deep)
    desk.ask()
    assert desk.request.pixel_format == "rgba16"


def test_each_job_gets_another_seed_unless_it_is_locked(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    seeds: list[int] = []
    for _ in range(2):
        desk.ask()
        seeds.append(desk.request.recipe.seed)
        assert desk.view.fields["seed"].value == seeds[-1]
        desk.done()
    assert seeds[0] != seeds[1]
    desk.panel.set_field("seed", 77)
    assert desk.view.fields["seed_locked"].value
    desk.ask()
    assert desk.request.recipe.seed == 77
    desk.done()
    desk.ask()
    assert desk.request.recipe.seed == 77


def test_regenerating_paints_the_same_recipe_in_the_same_place_with_another_seed(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.paint("low", lantern(20, 20))
    desk.editor.sheet(desk.document).selected = Selection(Rect(40, 30, 64, 64))
    desk.ask("a lantern")
    desk.layer()
    desk.done()
    first = desk.request.recipe
    desk.editor.sheet(desk.document).selected = None
    desk.panel.refresh()
    assert not desk.view.can_regenerate, "the painter's own layer is still the active one"
    desk.panel.swap(0)
    desk.panel.refresh()
    assert desk.view.can_regenerate
    desk.panel.regenerate()
    again = desk.request.recipe
    assert again.prompt == first.prompt and again.seed != first.seed
    assert frame_of(desk)[0] == Rect(40, 30, 64, 64)
    desk.layer(image=lantern(64, 64, 3))
    desk.done()
    assert desk.names() == ["foreground 0", "low"]
    text = desk.editor.recipe(desk.document, desk.editor.layers(desk.document)[0].key)
    assert text is not None and json.loads(text)["seed"] == again.seed
    desk.editor.undo(desk.document)
    text = desk.editor.recipe(desk.document, desk.editor.layers(desk.document)[0].key)
    assert text is not None and json.loads(text)["seed"] == first.seed


def test_a_regenerated_background_is_made_for_the_layer_above_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("lantern", lantern(20, 16), 30, 40)
    desk.ask("a harbour", "background")
    desk.layer(role=Role.BACKGROUND)
    desk.done()
    first = desk.request
    painted = next(one for one in desk.editor.layers(desk.document) if one.key != key)
    desk.editor.sheet(desk.document).active = painted.key
    desk.panel.refresh()
    desk.panel.regenerate()
    assert desk.request.recipe.seed != first.recipe.seed
    assert desk.request.images["layer"] == first.images["layer"]
    desk.layer(role=Role.BACKGROUND)
    desk.done()
    desk.editor.remove(desk.document, [key])
    desk.panel.refresh()
    desk.panel.regenerate()
    assert "No layer lies above" in desk.view.status.sentence


def test_a_layer_of_the_painters_own_cannot_be_regenerated(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("by hand", lantern(20, 20))
    assert not desk.view.can_regenerate
    desk.panel.regenerate()
    assert not desk.link.requests and "no recipe" in desk.view.status.sentence


def test_repainting_without_a_prompt_takes_the_layers_own(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask("a lantern, glowing")
    desk.layer()
    desk.done()
    desk.panel.swap(0)
    desk.panel.repaint()
    assert desk.request.recipe.mode == "refine"
    assert desk.request.recipe.prompt == "a lantern, glowing"


def test_the_history_of_the_document_restores_a_recipe(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("negative_prompt", "text")
    desk.panel.set_field("seed", 5)
    desk.ask("a lantern")
    desk.layer()
    desk.done()
    desk.panel.set_field("seed", 6)
    desk.ask("a boat")
    desk.layer()
    desk.done()
    assert [each.tip for each in desk.view.history] == ["a boat · seed 6", "a lantern · seed 5"]
    desk.panel.set_mode("refine")
    desk.panel.set_field("negative_prompt", "")
    desk.panel.restore(1)
    view = desk.view
    assert (view.mode, view.prompt, view.fields["negative_prompt"].value) == (
        "text",
        "a lantern",
        "text",
    )
    assert view.fields["seed"].value == 5 and view.fields["seed_locked"].value


def test_a_prompt_that_a_history_entry_overwrites_can_be_brought_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask("a lantern")
    desk.layer()
    desk.done()
    desk.panel.restore(0)
    assert desk.view.status.button is None, "nothing is lost"
    desk.panel.set_prompt("a half-written sen")
    desk.panel.set_field("steps", 7)
    desk.panel.restore(0)
    desk.panel.restore(0)
    button = desk.view.status.button
    assert desk.view.prompt == "a lantern" and button is not None
    assert button.label == "Bring it back"
    desk.panel.press_status_button()
    assert desk.view.prompt == "a half-written sen" and desk.view.fields["steps"].value == 7
    assert desk.view.status.button is None


def test_the_history_is_the_documents_own_and_saved_with_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask("a lantern")
    desk.layer()
    desk.done()
    desk.editor.new(50, 50)
    desk.panel.refresh()
    assert desk.view.history == ()
    desk.editor.active = desk.document
    desk.document = desk.editor.reopen(desk.document)
    desk.panel.refresh()
    assert len(desk.view.history) == 1


def test_settings_survive_a_restart(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_mode("refine")
    desk.panel.set_prompt("kept, “glowing”")
    desk.panel.set_field("variants", 4)
    desk.panel.set_field("strength", 0.25)
    desk.panel.set_more_open(True)
    assert not (tmp_path / "panel.json").exists()
    desk.editor.pass_time()
    desk.panel.stop()
    view = Desk(tmp_path).view
    assert (view.mode, view.prompt, view.fields["variants"].value) == (
        "refine",
        "kept, “glowing”",
        4,
    )
    assert view.fields["strength"].value == 0.25 and view.more_open


def test_numbers_out_of_bounds_are_brought_inside(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("variants", 900)
    desk.panel.set_field("strength", float("nan"))
    desk.panel.set_field("steps", -3)
    desk.panel.set_field("guidance", 1e9)
    view = desk.view
    assert (
        view.fields["variants"].value,
        view.fields["strength"].value,
        view.fields["steps"].value,
        view.fields["guidance"].value,
    ) == (16, 1.0, 1, 30.0)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"variants": "many"}', "\0\0"])
def test_a_damaged_settings_file_is_replaced_by_the_defaults(tmp_path: Path, damage: str) -> None:
    (tmp_path / "panel.json").write_text(damage)
    desk = Desk(tmp_path)
    assert desk.view.fields["variants"].value == 1
    desk.panel.set_field("variants", 2)
    desk.panel.stop()
    assert json.loads((tmp_path / "panel.json").read_text())["variants"] == 2
