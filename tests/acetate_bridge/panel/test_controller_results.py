"""Results: the first goes in at once, the others wait; nothing is lost."""

from __future__ import annotations

from pathlib import Path

from acetate_bridge.editing.editor import Selection
from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.messages import Cancelled
from acetate_bridge.protocol.types import Role
from tests.acetate_bridge.panel.desk import Desk, lantern, solid
from tests.editors.memory_editor import KINDS


def test_the_first_result_is_inserted_at_once_as_one_undo_step(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("sketch", lantern(20, 20))
    job = desk.ask()
    desk.layer()
    assert desk.names() == ["foreground 0", "sketch"]
    assert not desk.link.acknowledged
    desk.done()
    assert desk.link.acknowledged == [job] and not desk.view.running
    (thumbnail,) = desk.view.results
    assert thumbnail.shown and not thumbnail.kept and not thumbnail.warning
    desk.editor.undo(desk.document)
    assert desk.names() == ["sketch"]
    desk.editor.redo(desk.document)
    assert desk.names() == ["foreground 0", "sketch"]


def test_the_layer_carries_its_recipe(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.layer()
    key = desk.editor.layers(desk.document)[0].key
    text = desk.editor.recipe(desk.document, key)
    assert text is not None and read_recipe(text) == desk.request.recipe


def test_other_variants_wait_and_a_click_swaps_them_in_place(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("low", lantern(20, 20))
    desk.panel.set_field("variants", 3)
    desk.ask()
    assert desk.request.variants == 3
    for variant in range(3):
        desk.layer(variant)
    desk.done()
    desk.paint("high", lantern(20, 20))
    assert desk.names() == ["high", "foreground 0", "low"]
    desk.panel.swap(2)
    assert desk.names() == ["high", "foreground 2", "low"]
    assert [each.shown for each in desk.view.results] == [False, False, True]
    desk.panel.swap(2)
    assert desk.names() == ["high", "foreground 2", "low"]
    desk.editor.undo(desk.document)
    assert desk.names() == ["high", "foreground 0", "low"]


def test_the_strip_follows_undo_and_redo(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("variants", 3)
    desk.ask()
    for variant in range(3):
        desk.layer(variant)
    desk.done()
    desk.panel.swap(1)
    desk.editor.undo(desk.document)
    desk.panel.refresh()
    assert [each.shown for each in desk.view.results] == [True, False, False]
    desk.editor.redo(desk.document)
    desk.panel.refresh()
    assert [each.shown for each in desk.view.results] == [False, True, False]
    desk.editor.undo(desk.document)
    desk.panel.swap(2)
    assert desk.names() == ["foreground 2"], "in place of the one that undo brought back"
    desk.panel.discard()
    assert desk.names() == []


def test_a_kept_result_stays_and_the_next_is_added(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("variants", 2)
    desk.ask()
    desk.layer(0)
    desk.layer(1)
    desk.done()
    desk.panel.keep(0)
    desk.panel.swap(1)
    assert sorted(desk.names()) == ["foreground 0", "foreground 1"]
    assert [(each.shown, each.kept) for each in desk.view.results] == [(True, True), (True, False)]
    desk.panel.discard()
    assert desk.names() == ["foreground 0"] and desk.view.results == ()


def test_discarding_takes_the_shown_result_out(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.layer()
    desk.done()
    desk.panel.discard()
    assert desk.names() == [] and desk.view.results == ()
    desk.editor.undo(desk.document)
    assert desk.names() == ["foreground 0"]


def test_what_the_painter_deleted_is_inserted_anew(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("variants", 2)
    desk.ask()
    desk.layer(0)
    desk.layer(1)
    desk.done()
    desk.editor.remove(desk.document, [desk.editor.layers(desk.document)[0].key])
    desk.panel.refresh()
    assert not any(each.shown for each in desk.view.results)
    desk.panel.swap(0)
    assert desk.names() == ["foreground 0"]


def test_nothing_is_inserted_while_a_hand_is_painting(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    desk.editor.painting = True
    desk.layer()
    desk.done()
    assert desk.names() == [] and not desk.link.acknowledged
    assert "as soon as the hand rests" in desk.view.status.sentence
    desk.editor.pass_time()
    assert desk.names() == []
    desk.editor.painting = False
    desk.editor.pass_time()
    assert desk.names() == ["foreground 0"] and desk.link.acknowledged == [job]
    assert desk.view.status.sentence == "Ready · Small model"
    assert desk.view.results[0].shown


def test_a_result_for_a_closed_document_is_offered_and_never_lost(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    desk.editor.close(desk.document)
    desk.layer()
    desk.done()
    offer = desk.view.offer
    assert offer is not None and not offer.insertable
    assert offer.sentence == "“paper lantern” is ready, but “harbour.ora” was closed."
    assert not desk.link.acknowledged
    other = desk.editor.new(160, 120, title="other.ora")
    desk.panel.refresh()
    assert desk.view.offer is not None and desk.view.offer.insertable
    desk.panel.insert_offer()
    assert [entry.name for entry in desk.editor.stack(other)] == ["foreground 0"]
    assert desk.view.offer is None and desk.link.acknowledged == [job]
    assert desk.view.results[0].shown


def test_an_offer_off_the_new_canvas_comes_to_its_middle(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.editor.sheet(desk.document).selected = Selection(Rect(100, 80, 40, 30))
    desk.ask()
    desk.editor.close(desk.document)
    desk.layer()
    desk.done()
    other = desk.editor.new(60, 50)
    desk.panel.insert_offer()
    assert desk.editor.layers(other)[0].bounds == Rect(10, 10, 40, 30)


def test_an_offer_can_be_dismissed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    desk.editor.close(desk.document)
    desk.layer()
    desk.done()
    desk.panel.dismiss_offer()
    assert desk.view.offer is None and desk.link.acknowledged == [job]


def test_an_opaque_result_is_said_and_waits_to_be_chosen(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.layer(image=solid(160, 120, (9, 9, 9, 255)))
    desk.done()
    assert desk.names() == []
    assert "opaque all over" in desk.view.status.sentence
    assert "opaque all over" in desk.view.results[0].warning
    desk.panel.swap(0)
    assert desk.names() == ["foreground 0"]


def test_an_empty_result_is_said_and_a_good_one_goes_in_instead(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("variants", 2)
    desk.ask()
    desk.layer(0, solid(160, 120, (9, 9, 9, 0)))
    desk.layer(1)
    desk.done()
    assert desk.names() == ["foreground 1"]
    assert [bool(each.warning) for each in desk.view.results] == [True, False]


def test_an_opaque_background_is_as_it_should_be(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("low", solid(160, 120, (1, 1, 1, 255)))
    desk.paint("lantern", lantern(20, 20), 5, 5)
    desk.ask("a harbour at night", "background")
    desk.layer(image=solid(160, 120, (9, 9, 9, 255)), role=Role.BACKGROUND)
    desk.layer(image=solid(160, 120, (7, 7, 7, 255)), role=Role.BLENDED, index=1)
    desk.done()
    assert desk.names() == ["lantern", "background 0", "low"]
    assert len(desk.view.results) == 1


def test_a_scene_is_one_group_without_the_blended_picture(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_mode("joint")
    desk.panel.set_layer_prompt("foreground", "a boat")
    desk.panel.set_field("variants", 2)
    desk.ask("a harbour, at night", "joint")
    assert desk.request.recipe.layer_prompts == {"foreground": "a boat"}
    for variant in range(2):
        desk.layer(variant, role=Role.FOREGROUND)
        opaque = solid(160, 120, (9, 9, variant, 255))
        desk.layer(variant, opaque, Role.BACKGROUND, index=1)
        desk.layer(variant, opaque, Role.BLENDED, index=2)
    desk.done()
    assert desk.names() == ["harbour", "foreground 0", "background 0"]
    desk.panel.swap(1)
    assert desk.names() == ["harbour", "foreground 1", "background 1"]
    desk.panel.discard()
    assert desk.names() == []


def test_a_soft_selection_becomes_the_mask(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    soft = Selection(Rect(10, 20, 40, 30), bytes(range(200))[:1] * 1200)
    desk.editor.sheet(desk.document).selected = soft
    desk.ask()
    desk.layer()
    node = desk.editor.sheet(desk.document).nodes[0]
    assert node.mask == soft and node.bounds == Rect(10, 20, 40, 30)


def test_the_mask_of_a_closed_document_goes_into_no_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    soft = Selection(Rect(10, 20, 40, 30), bytes(range(200))[:1] * 1200)
    desk.editor.sheet(desk.document).selected = soft
    desk.ask()
    desk.editor.close(desk.document)
    desk.layer()
    desk.done()
    other = desk.editor.new(160, 120)
    desk.panel.insert_offer()
    (node,) = desk.editor.sheet(other).nodes
    assert node.mask is None


def test_a_kept_result_that_is_undone_is_not_kept_any_more(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("variants", 2)
    desk.ask()
    desk.layer(0)
    desk.layer(1)
    desk.done()
    desk.panel.keep(0)
    desk.editor.undo(desk.document)
    desk.panel.refresh()
    assert desk.names() == [] and not any(each.kept for each in desk.view.results)
    desk.panel.swap(0)
    desk.panel.swap(1)
    assert desk.names() == ["foreground 1"], "nothing of it stays beside the next"


def test_a_cancelled_job_keeps_what_had_come(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("variants", 2)
    job = desk.ask()
    desk.layer(0)
    desk.hear(Cancelled(job, 0))
    assert desk.names() == ["foreground 0"] and not desk.view.running
    assert desk.view.status.sentence == "Cancelled."


def test_a_job_that_outlives_the_editor_is_offered_by_the_next(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    desk.panel.stop()
    later = Desk(tmp_path)
    assert later.link.identity == desk.link.identity
    assert not later.view.running
    later.link.requests[job] = desk.request
    later.layer()
    later.done()
    assert later.view.offer is not None and later.names() == []
    later.panel.insert_offer()
    assert later.names() == ["foreground 0"] and later.link.acknowledged == [job]
    later.panel.stop()
    assert Desk(tmp_path).link.requests == {}


def test_a_panel_opened_again_while_a_job_runs_finds_the_document_that_is_still_open(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    (sheet,) = desk.editor.sheets.values()
    sheet.mark = ""  # As if the painter had taken it off, and it was never saved.
    desk.panel.stop()
    again = Desk(tmp_path, editor=desk.editor)
    again.link.requests[job] = desk.request
    again.layer()
    again.done()
    assert desk.names() == ["foreground 0"] and again.view.offer is None
    assert again.link.acknowledged == [job]


def test_a_panel_opened_before_the_old_one_has_left_goes_on_with_its_jobs(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    opened: list[Desk] = []
    desk.link.stop = lambda timeout=5.0: opened.append(Desk(tmp_path, editor=desk.editor))
    desk.panel.stop()
    (again,) = opened
    assert again.link.identity == desk.link.identity
    again.link.requests[job] = desk.request
    again.layer()
    again.done()
    assert desk.names() == ["foreground 0"] and again.link.acknowledged == [job]


def test_a_job_that_never_reached_the_server_is_forgotten(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    desk.panel.stop()
    later = Desk(tmp_path)
    later.editor.pass_time()
    assert later.link.acknowledged == [job] and not later.view.running


def test_two_editors_at_once_have_jobs_of_their_own(tmp_path: Path) -> None:
    one, other = Desk(tmp_path), Desk(tmp_path)
    assert one.link.identity != other.link.identity


def test_a_result_that_was_settled_before_is_acknowledged_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.layer(job="somebody-elses")
    desk.done(job="somebody-elses")
    assert desk.link.acknowledged == ["somebody-elses"] and desk.names() == []
    assert desk.view.offer is None


def test_only_the_newest_preview_is_drawn(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.preview(lantern(16, 16, 1))
    assert desk.view.preview == lantern(16, 16, 1)
    desk.layer()
    desk.done()
    assert desk.view.preview is None


def test_a_document_that_turns_gray_during_a_job_refuses_until_converted(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.editor.sheet(desk.document).kind = next(k for k in KINDS if not k.keeps_colour)
    desk.layer()
    desk.done()
    assert desk.names() == [] and len(desk.view.results) == 1
    assert desk.view.status.button is not None
    desk.panel.press_status_button()
    assert desk.names() == ["foreground 0"]
