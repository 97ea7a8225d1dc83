"""The live preview by itself: the newest wins, nothing piles up, nothing is left."""

from __future__ import annotations

import random

import pytest

from acetate_bridge.editing.editor import DocumentClosed, LayerGone
from acetate_bridge.editing.insertion import HAND_RESTS_AFTER
from acetate_bridge.editing.plan import CannotPlan
from acetate_bridge.panel.live import LOOK_EVERY, PAINTED_WITHIN
from acetate_bridge.protocol.messages import Done, Failed, Progress
from acetate_bridge.protocol.types import Image, Recipe
from tests.acetate_bridge.panel.live_studio import RESTED, Studio, painted, rested

_DOT = Image(1, 1, bytes((1, 2, 3, 255)))


@pytest.mark.parametrize(("share", "pixels"), [(3.0, 1 / 3), (0.1, 10.0)])
def test_a_server_is_asked_for_as_many_pixels_as_it_paints_in_time(
    share: float, pixels: float
) -> None:
    studio = Studio()
    assert studio.live.pixels_in_time("slow") is None, "not measured yet"
    painted(studio, share * PAINTED_WITHIN)
    assert studio.live.pixels_in_time("slow") is None, "no reason to paint the same again"
    painted(studio, share * PAINTED_WITHIN)
    assert studio.live.pixels_in_time("slow") == pytest.approx(512**2 * pixels, rel=1e-3)
    assert studio.live.pixels_in_time("another") is None


def test_a_time_that_suits_leaves_the_size_as_it_is() -> None:
    studio = Studio()
    for share in (3.0, 0.9, 0.9):
        painted(studio, share * PAINTED_WITHIN)
    asked = studio.live.pixels_in_time("slow")
    assert asked == pytest.approx(512**2 / 3, rel=1e-3)
    for share in (0.2, 0.2):
        painted(studio, share * PAINTED_WITHIN)
    assert studio.live.pixels_in_time("slow") != asked


def test_a_preview_is_asked_for_as_soon_as_the_hand_has_rested() -> None:
    studio = Studio()
    assert studio.live.next_look == LOOK_EVERY
    studio.stroke()
    looks = [studio.live.next_look]
    while not studio.submitted:
        studio.look(looks[-1])
        looks.append(studio.live.next_look)
    assert sum(looks[:-1]) == pytest.approx(HAND_RESTS_AFTER, abs=0.002)
    assert max(looks) == looks[-1] == LOOK_EVERY


def test_a_preview_is_asked_for_when_the_hand_has_rested_and_not_before() -> None:
    studio = Studio()
    studio.stroke()
    studio.look(HAND_RESTS_AFTER * 0.9)
    assert not studio.jobs
    studio.look(HAND_RESTS_AFTER * 0.2)
    assert [each.recipe.prompt for each in studio.jobs.values()] == ["sheet 1"]
    assert studio.live.painting and not studio.shown
    studio.answer()
    assert studio.shown == "sheet 1" and not studio.live.painting


def test_nothing_is_asked_for_while_a_stroke_is_open_however_long() -> None:
    studio = Studio(down=True)
    studio.look(10)
    studio.look(10)
    assert not studio.jobs
    rested_by = Studio()
    rested(rested_by).down = True
    rested_by.look(5)
    assert rested_by.shown, "a hand that has changed nothing yet has outdated nothing"


def test_what_is_seen_of_a_stroke_only_after_it_is_no_stroke_of_its_own() -> None:
    studio = rested(Studio())
    studio.stroke()
    studio.drawn_late, studio.seen_late_at = 1, studio.time + 0.3
    studio.look(HAND_RESTS_AFTER)
    assert len(studio.jobs) == 1
    studio.look(0.3)
    assert not studio.cancelled and len(studio.jobs) == 1, "what it is painted from was there"
    studio.answer()
    assert studio.shown == studio.there


def test_a_stroke_takes_the_preview_away_and_cancels_the_job_that_is_on_its_way() -> None:
    studio = rested(Studio())
    studio.stroke()
    assert not studio.shown
    studio.look(RESTED)
    (job,) = studio.jobs
    studio.stroke()
    assert studio.cancelled == [job], "at once, not when the hand rests"
    studio.look(RESTED)
    assert list(studio.jobs) == [job], "the next waits until it has ended"
    studio.answer()
    assert [each.recipe.prompt for each in studio.jobs.values()] == [studio.there]


@pytest.mark.parametrize("seed", range(20))
def test_200_rapid_strokes_leave_one_preview_of_the_newest_and_nothing_else(seed: int) -> None:
    chance = random.Random(seed)
    studio = Studio()
    for _stroke in range(200):
        studio.stroke(chance.uniform(0.0, 0.4))
        assert len(studio.jobs) <= 1
        for _look in range(chance.randrange(4)):
            studio.look(chance.uniform(0.0, 0.3))
            assert studio.shown in ("", studio.there), "never of an earlier stroke"
        if chance.random() < 0.4:
            studio.answer()
            assert studio.shown in ("", studio.there)
    for _turn in range(3):
        studio.look(RESTED)
        studio.answer()
    assert studio.shown == studio.there and not studio.jobs
    assert len(studio.acknowledged) == studio.submitted == len(set(studio.acknowledged))
    studio.live.switch(False)
    assert not studio.shown and not studio.jobs


@pytest.mark.parametrize("seed", range(30))
def test_whatever_comes_in_whatever_order_there_is_one_job_and_no_lie(seed: int) -> None:
    chance = random.Random(seed)
    studio = Studio()

    def turn_to_another() -> None:
        studio.document = chance.choice(["sheet", "other"])

    def toggle() -> None:
        studio.live.switch(not studio.live.on)

    def hinder() -> None:
        studio.problem = chance.choice(
            [None, None, CannotPlan("No."), LayerGone(), DocumentClosed()]
        )

    acts = [
        studio.stroke, studio.answer, turn_to_another, toggle, hinder, studio.live.take,
        lambda: studio.look(chance.uniform(0.0, 0.3)),
    ]  # fmt: skip
    for _turn in range(300):
        chance.choice(acts)()
        assert len(studio.jobs) <= 1
        if studio.live.shown is not None:
            studio.look()
            assert studio.shown in ("", studio.there)
    studio.live.switch(False)
    studio.answer()
    assert not studio.jobs and not studio.shown
    assert len(studio.acknowledged) == studio.submitted


def test_what_is_as_it_was_is_not_painted_again() -> None:
    studio = rested(Studio())
    before = studio.submitted, studio.jobs.copy()
    studio.drawing += 1
    studio.look()
    studio.drawing -= 1
    studio.look(0.01)
    studio.look(RESTED)
    assert not studio.jobs and studio.shown == studio.there
    assert studio.jobs == before[1] and studio.acknowledged == ["job 1"]


def test_what_was_taken_is_shown_no_more_until_the_hand_has_changed_something() -> None:
    studio = rested(Studio())
    taken = studio.live.take()
    assert taken is not None and taken.request.recipe.prompt == studio.there
    assert studio.live.take() is None
    studio.look(1)
    studio.look(1)
    assert not studio.jobs and not studio.shown
    studio.stroke()
    rested(studio)


def test_a_failure_and_a_hindrance_are_a_sentence_and_no_endless_asking() -> None:
    studio = Studio()
    studio.look()
    studio.look(RESTED)
    (job,) = studio.jobs
    del studio.jobs[job]
    studio.say(Failed(job, 0, "no_memory", "There is too little memory.", "Close something."))
    studio.look(5)
    assert studio.live.sentence == "There is too little memory. Close something."
    assert not studio.jobs and studio.acknowledged == [job]
    studio.problem = CannotPlan("Choose the layer to work on first.")
    studio.stroke()
    studio.look(RESTED)
    assert studio.live.sentence == "Choose the layer to work on first." and not studio.jobs
    studio.problem = None
    studio.stroke()
    rested(studio)
    assert not studio.live.sentence


def test_switched_off_with_a_job_it_is_cancelled_and_what_still_comes_of_it_is_let_go() -> None:
    studio = Studio()
    studio.look()
    studio.look(RESTED)
    (job,) = studio.jobs
    studio.live.switch(False)
    assert studio.cancelled == [job]
    studio.live.switch(True)
    studio.look(RESTED)
    studio.look(RESTED)
    assert list(studio.jobs) == [job], "not a second one beside it"
    studio.cancelled.clear()
    studio.answer()
    assert studio.acknowledged == [job] and not studio.shown, "it was done all the same"


def test_events_of_other_jobs_are_not_taken() -> None:
    studio = Studio()
    assert not studio.live.hear(Done("another", 0, Recipe("text"), 1))
    studio.look()
    studio.look(RESTED)
    assert not studio.live.hear(Failed("another", 0, "code", "No."))
    assert studio.live.painting


def test_another_server_is_asked_anew() -> None:
    studio = Studio()
    studio.look()
    studio.look(RESTED)
    studio.jobs.clear()
    studio.live.forget()
    rested(studio)


def test_what_is_shown_holds_until_the_hand_does_something() -> None:
    studio = Studio()
    assert not studio.live.holds, "nobody has looked yet"
    studio.look()
    studio.look(RESTED)
    studio.answer()
    assert studio.live.holds
    studio.down = True
    assert not studio.live.holds, "who knows what comes of it"
    studio.down = False
    assert studio.live.holds, "nothing did"
    studio.drawing += 1
    assert not studio.live.holds
    studio.look()
    assert studio.live.holds and not studio.shown
    studio.live.switch(False)
    studio.drawing += 1
    assert studio.live.holds, "nobody asks what the hand does"


def test_the_time_that_a_preview_waits_for_the_jobs_of_others_is_not_its_own() -> None:
    studio = Studio()
    for _ in range(2):
        studio.stroke()
        studio.look(RESTED)
        studio.time += 60.0
        for job in studio.jobs:
            studio.say(Progress(job, 0, "loading"))
        studio.time += PAINTED_WITHIN
        studio.answer()
    assert studio.live.pixels_in_time("slow") == pytest.approx(512**2, rel=1e-3)


def test_the_copy_of_a_layer_gets_a_preview_of_its_own() -> None:
    studio = rested(Studio())
    studio.layer = "copy of the drawing"
    studio.look()
    assert not studio.shown, "it would hide the layer that it was painted from"
    studio.look(RESTED)
    studio.answer()
    shown = studio.live.shown
    assert shown is not None and shown.task.record.hides == ["copy of the drawing"]


def test_a_document_that_is_saved_is_not_painted_once_more() -> None:
    studio = rested(Studio())
    before = studio.submitted
    studio.title = "saved"
    studio.look()
    studio.look(RESTED)
    assert studio.submitted == before and studio.shown
