"""Where results belong: a region that has moved, a document found again, a place in the history."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from acetate_bridge.editing.editor import Selection
from acetate_bridge.protocol.geometry import Rect, Size
from acetate_bridge.protocol.types import Image
from tests.acetate_bridge.panel.desk import Desk, move, shown, solid
from tests.editors.memory_editor import KINDS
from tests.editors.memory_stack import Node

RED = (200, 10, 10, 255)


def test_the_region_follows_a_canvas_that_grows_and_a_layer_that_moves(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", picture(64, 64), 20, 10)
    desk.editor.sheet(desk.document).selected = Selection(Rect(40, 30, 64, 64))
    desk.ask()
    sheet = desk.editor.sheet(desk.document)
    sheet.size = Size(300, 300)
    move(desk.editor.node(desk.document, key), 50, 60)
    desk.layer()
    assert shown(desk).bounds == Rect(90, 90, 64, 64)

    desk.editor.sheet(desk.document).selected = None
    desk.editor.choose(desk.document, key)
    desk.ask("a boat", "refine")
    move(desk.editor.node(desk.document, key), -3, 4)
    desk.layer()
    bounds = [each.bounds for each in desk.editor.layers(desk.document)]
    assert Rect(67, 74, 64, 64) in bounds


@pytest.mark.parametrize("deed", ["scaled", "mirrored", "upside down", "layer scaled"])
def test_a_result_whose_place_is_lost_is_offered(tmp_path: Path, deed: str) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", picture(160, 120))
    job = desk.ask("a boat", "refine" if deed == "layer scaled" else "text")
    node, sheet = desk.editor.node(desk.document, key), desk.editor.sheet(desk.document)
    assert node.pixels is not None
    if deed == "scaled":
        sheet.size, node.bounds = Size(80, 60), Rect(0, 0, 80, 60)
        node.pixels = picture(80, 60)
    elif deed == "layer scaled":
        node.bounds, node.pixels = Rect(0, 0, 80, 60), picture(80, 60)
    else:
        node.pixels = turned(node.pixels, deed == "upside down")
    desk.layer()
    desk.done()
    assert desk.names() == ["sketch"] and not desk.link.acknowledged
    assert desk.view.offer is not None and "scaled or turned" in desk.view.offer.sentence
    desk.panel.insert_offer()
    assert len(desk.names()) == 2 and desk.link.acknowledged == [job]


def test_painting_on_while_a_job_runs_does_not_move_the_result(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    key = desk.paint("sketch", picture(100, 80))
    desk.ask("a boat", "refine")
    node = desk.editor.node(desk.document, key)
    node.bounds, node.pixels = Rect(0, 0, 160, 120), solid(160, 120, RED)
    desk.layer()
    assert shown(desk).bounds == Rect(0, 0, 100, 80)


def test_a_document_is_found_again_by_what_it_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    desk.panel.stop()
    again = Desk(tmp_path, editor=desk.editor)
    again.document, again.link.requests[job] = desk.document, desk.request
    again.layer(job=job)
    again.done(job)
    assert again.view.offer is None and again.names() == ["foreground 0"]
    assert again.link.acknowledged == [job]


@pytest.mark.parametrize("lasting", [True, False])
def test_a_document_closed_and_opened_again_in_mid_job_gets_its_result(
    tmp_path: Path, lasting: bool
) -> None:
    desk = Desk(tmp_path)
    desk.editor.lasting = lasting
    keys = [desk.paint(name, picture(64, 64), 20, 10) for name in ("sketch", "ink")]
    desk.panel.set_field("after_repaint", "replace")
    desk.editor.choose(desk.document, keys[0])
    job = desk.ask("a boat", "refine")
    desk.document = desk.editor.reopen(desk.document)
    desk.panel.refresh()
    assert desk.view.running
    desk.layer()
    desk.done()
    assert desk.view.offer is None and desk.link.acknowledged == [job]
    assert desk.names() == ["ink", "sketch"] and len(desk.view.history) == 1


@pytest.mark.parametrize("twice", [False, True])
def test_in_a_file_that_was_closed_and_opened_again_a_result_lies_beside_its_source(
    tmp_path: Path, twice: bool
) -> None:
    desk = Desk(tmp_path)
    desk.editor.lasting = False
    sketch, _ = (desk.paint(name, picture(64, 64), 20, 10) for name in ("sketch", "ink"))
    desk.editor.choose(desk.document, sketch)
    desk.ask("a boat", "refine")
    for _time in range(1 + twice):
        desk.document = desk.editor.reopen(desk.document)
        desk.panel.refresh()
    desk.layer()
    desk.done()
    assert desk.names() == ["ink", "foreground 0", "sketch"]
    hidden = [each.name for each in desk.editor.layers(desk.document) if each.hidden]
    assert hidden == ["sketch"], "its source, and no other layer with its old number"
    desk.panel.another_try()
    desk.layer(1)
    desk.done()
    assert desk.names() == ["ink", "foreground 1", "foreground 0", "sketch"]


def test_a_result_that_waited_while_its_file_was_closed_is_in_the_history_once(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.editor.lasting = False
    desk.paint("sketch", picture(64, 64), 20, 10)
    desk.ask("a boat", "refine")
    desk.editor.painting = True
    desk.layer()
    desk.done()
    desk.document, desk.editor.painting = desk.editor.reopen(desk.document), False
    desk.editor.pass_time()
    desk.panel.refresh()
    assert desk.names() == ["foreground 0", "sketch"] and len(desk.view.history) == 1


@pytest.mark.parametrize("lasting", [True, False])
def test_the_results_of_a_file_are_there_when_it_is_opened_again(
    tmp_path: Path, lasting: bool
) -> None:
    desk = Desk(tmp_path)
    desk.editor.lasting = lasting
    desk.paint("sketch", picture(64, 64), 20, 10)
    desk.panel.set_field("variants", 3)
    desk.ask("a boat", "refine")
    for variant in range(2):
        desk.layer(variant)
    desk.document = desk.editor.reopen(desk.document)
    desk.panel.refresh()
    assert [each.shown for each in desk.view.results] == [True, False]
    desk.layer(2)
    desk.done()
    assert [each.shown for each in desk.view.results] == [True, False, False]
    desk.panel.swap(1)
    assert desk.names() == ["foreground 1", "sketch"]
    desk.panel.discard()
    assert desk.names() == ["sketch"]
    assert not any(each.hidden for each in desk.editor.layers(desk.document))


def test_a_panel_that_is_opened_later_knows_the_last_results_of_a_document(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("sketch", picture(64, 64), 20, 10)
    desk.ask("an old boat")
    desk.layer()
    desk.done()
    desk.panel.set_field("variants", 2)
    desk.ask("a boat", "refine")
    desk.layer(0)
    desk.layer(1)
    desk.done()
    desk.panel.keep(1)
    before = desk.names()
    desk.panel.stop()
    again = Desk(tmp_path, editor=desk.editor)
    again.document = desk.document
    assert [each.shown for each in again.view.results] == [True, True]
    again.panel.swap(1)
    active = again.editor.active_layer(desk.document)
    assert active is not None and active.name == "foreground 1"
    again.editor.remove(desk.document, [active.key])
    again.panel.refresh()
    assert [each.shown for each in again.view.results] == [True, False]
    again.panel.swap(1)
    assert sorted(again.names()) == sorted(before), "it can be put in again"
    again.panel.refresh()
    keys = again.editor.layers(desk.document)
    again.panel.discard()
    assert [each.hidden for each in again.editor.layers(desk.document) if each.name == "sketch"]
    assert len(again.editor.layers(desk.document)) == len(keys) - 1, "the one that was put in"


def test_what_came_before_the_panel_was_opened_again_comes_no_second_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.paint("sketch", picture(64, 64), 20, 10)
    desk.panel.set_field("variants", 2)
    job = desk.ask("a boat", "refine")
    desk.layer(0)
    assert desk.names() == ["foreground 0", "sketch"]
    move(shown(desk), 5, 7)
    desk.panel.stop()
    again = Desk(tmp_path, editor=desk.editor)
    again.document, again.link.requests[job] = desk.document, desk.request
    for variant in range(2):
        again.layer(variant, job=job)
    again.done(job)
    assert again.names() == ["foreground 0", "sketch"] and again.link.acknowledged == [job]
    assert [each.shown for each in again.view.results] == [True, False]
    again.panel.swap(1)
    assert again.names() == ["foreground 1", "sketch"]
    assert shown(again).bounds == Rect(25, 17, 64, 64), "where it was moved"
    assert len(again.view.history) == 2
    again.panel.discard()
    assert again.names() == ["sketch"]
    assert not any(each.hidden for each in again.editor.layers(desk.document))


def test_a_result_that_was_not_saved_waits_in_the_strip_of_its_file(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.editor.lasting = False
    desk.paint("sketch", picture(64, 64), 20, 10)
    saved = copy.deepcopy(desk.editor.sheet(desk.document).nodes)
    desk.ask("a boat", "refine")
    desk.layer()
    desk.done()
    desk.panel.refresh()
    desk.editor.sheet(desk.document).nodes = saved
    desk.document = desk.editor.reopen(desk.document)
    desk.panel.refresh()
    assert [each.shown for each in desk.view.results] == [False]
    desk.panel.swap(0)
    assert desk.names() == ["foreground 0", "sketch"]
    assert [each.name for each in desk.editor.layers(desk.document) if each.hidden] == ["sketch"]


@pytest.mark.parametrize("group", [False, True])
def test_a_result_lies_where_its_layer_was_when_that_is_gone(tmp_path: Path, group: bool) -> None:
    desk = Desk(tmp_path)
    folder = desk.editor.add(desk.document, Node("", "folder", children=[])) if group else None
    keys = {
        name: desk.editor.add(
            desk.document, Node("", name, Rect(0, 0, 64, 64), picture(64, 64)), folder
        )
        for name in ("paper", "sketch", "ink")
    }
    desk.editor.choose(desk.document, keys["sketch"])
    desk.paint("above all", picture(64, 64))
    desk.editor.choose(desk.document, keys["sketch"])
    outer = ["above all", "folder"] if group else ["above all"]
    for gone, expected in (
        (["sketch"], ["ink", "foreground 0", "paper"]),
        (["sketch", "paper"], ["ink", "foreground 0"]),
        (["sketch", "paper", "ink"], ["foreground 0"]),
    ):
        before = copy.deepcopy(desk.editor.sheet(desk.document).nodes)
        desk.ask()
        desk.editor.remove(desk.document, [keys[name] for name in gone])
        desk.layer()
        desk.done()
        if len(gone) == 3 and group:
            assert desk.names() == ["above all", "foreground 0", "folder"]
        else:
            assert desk.names() == outer + expected
        desk.editor.sheet(desk.document).nodes = before


def test_what_is_offered_goes_home_when_its_document_is_opened_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    sheet = desk.editor.sheets.pop(desk.document)
    other = desk.editor.new(160, 120)
    desk.layer()
    desk.done()
    assert desk.view.offer is not None and not desk.link.acknowledged
    desk.editor.sheets["again"], sheet.key = sheet, "again"
    desk.document = desk.editor.active = "again"
    desk.panel.refresh()
    assert desk.view.offer is None and desk.names() == ["foreground 0"]
    assert not desk.editor.stack(other) and desk.link.acknowledged == [job]


def test_a_result_goes_into_no_copy_of_its_document_while_that_is_in_doubt(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    first = desk.editor.sheets.pop(desk.document)
    copies = [desk.editor.new(160, 120) for _ in range(2)]
    for each in copies:
        desk.editor.sheet(each).mark = first.mark
    desk.layer(job=job)
    assert desk.view.offer is not None
    assert not any(desk.editor.stack(copy) for copy in copies)


def test_a_refused_result_is_not_settled_until_it_is_in_or_thrown_away(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    kind = desk.editor.sheet(desk.document).kind
    desk.editor.sheet(desk.document).kind = next(k for k in KINDS if not k.keeps_colour)
    desk.layer()
    desk.done()
    assert desk.names() == [] and not desk.link.acknowledged
    desk.editor.sheet(desk.document).kind = kind
    desk.panel.swap(0)
    assert desk.names() == ["foreground 0"] and desk.link.acknowledged == [job]
    job = desk.ask()
    desk.layer(image=solid(160, 120, RED))
    desk.done()
    assert job not in desk.link.acknowledged
    desk.panel.discard()
    assert job in desk.link.acknowledged


def test_what_was_refused_is_offered_when_newer_results_come(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    kind = desk.editor.sheet(desk.document).kind
    jobs = [desk.ask(), desk.ask()]
    desk.editor.sheet(desk.document).kind = next(k for k in KINDS if not k.keeps_colour)
    for job in jobs:
        desk.layer(job=job)
        desk.done(job)
    assert desk.view.offer is not None and "could not take it" in desk.view.offer.sentence
    desk.editor.sheet(desk.document).kind = kind
    desk.panel.swap(0)
    assert desk.link.acknowledged == [jobs[1]]
    desk.panel.insert_offer()
    assert desk.names() == ["foreground 0"] * 2 and desk.link.acknowledged == [jobs[1], jobs[0]]


def test_an_entry_of_the_history_is_painted_again_from_its_seed_at_its_place(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.editor.sheet(desk.document).selected = Selection(Rect(40, 30, 64, 64))
    desk.ask("a paper lantern")
    desk.layer()
    desk.done()
    first = desk.request
    desk.editor.sheet(desk.document).selected = None
    desk.panel.refresh()
    desk.panel.repeat(0)
    assert desk.request is not first
    assert desk.request.recipe == first.recipe and desk.request.frame == first.frame


@pytest.mark.parametrize("mode", ["text", "background", "foreground", "refine", "extract"])
def test_an_entry_painted_again_sees_what_it_saw_and_is_clipped_as_it_was(
    tmp_path: Path, mode: str
) -> None:
    desk = Desk(tmp_path)
    desk.paint("boat", solid(100, 80, RED), 10, 10)
    soft = Selection(Rect(20, 20, 64, 48), bytes(range(64)) * 48)
    desk.editor.sheet(desk.document).selected = soft
    desk.panel.refresh()
    desk.ask(mode=mode)
    first = desk.request
    desk.layer()
    desk.done()
    desk.panel.discard()
    desk.editor.sheet(desk.document).selected = None
    desk.panel.refresh()
    desk.panel.repeat(0)
    again = desk.request
    assert again is not first
    assert (again.recipe, again.frame, again.images) == (first.recipe, first.frame, first.images)
    desk.layer()
    desk.done()
    (ours,) = [each for each in desk.editor.layers(desk.document) if each.name != "boat"]
    assert desk.editor.node(desk.document, ours.key).mask == soft


def picture(width: int, height: int) -> Image:
    """Lighter to the right and redder downwards, so that every turn of it shows."""
    rows = bytearray()
    for y in range(height):
        for x in range(width):
            rows += bytes((y * 255 // height, x * 255 // width, 80, 255))
    return Image(width, height, bytes(rows))


def turned(image: Image, upside_down: bool) -> Image:
    stride = 4 * image.width
    rows = [image.data[y * stride : (y + 1) * stride] for y in range(image.height)]
    if upside_down:
        rows.reverse()
    else:
        rows = [b"".join(row[x : x + 4] for x in range(stride - 4, -1, -4)) for row in rows]
    return Image(image.width, image.height, b"".join(rows))
