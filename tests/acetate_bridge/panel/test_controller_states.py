"""Every state that a person can be in: one sentence, and at most one button that helps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from acetate_bridge.client.connection_state import Connection
from acetate_bridge.protocol.messages import Models
from tests.acetate_bridge.panel.desk import LARGE, MODES, OFFER, SMALL, Desk
from tests.editors.memory_editor import KINDS


def test_before_anything_is_known_no_mode_is_greyed_but_nothing_can_be_painted(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, connected=False)
    assert all(choice.available for choice in desk.view.modes)
    assert not desk.view.can_generate and desk.view.why_not


@pytest.mark.parametrize(
    ("connection", "severity", "button", "told"),
    [
        (Connection.NO_SERVER, "notice", "Start", "start_server"),
        (Connection.STARTING, "working", None, None),
        (Connection.CONNECTING, "working", None, None),
        (Connection.WAITING, "notice", "Try now", "retry"),
        (Connection.REFUSED, "problem", "Try again", "retry"),
    ],
)
def test_the_connection_is_described_with_the_button_that_helps(
    tmp_path: Path, connection: Connection, severity: str, button: str | None, told: str | None
) -> None:
    desk = Desk(tmp_path, connected=False)
    desk.state(connection, "Thus it stands.", "Do this.")
    status = desk.view.status
    assert status.sentence.startswith("Thus it stands.") and status.severity == severity
    assert (status.button.label if status.button else None) == button
    assert not desk.view.can_generate
    desk.panel.press_status_button()
    assert desk.link.said[1:] == ([told] if told else [])


def test_connected_with_a_model_it_is_ready(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.view.status.sentence == "Ready · Small model"
    assert desk.view.status.button is None


def test_a_server_without_models_yet_is_getting_ready(tmp_path: Path) -> None:
    desk = Desk(tmp_path, offer=Models([], []))
    assert "getting its models ready" in desk.view.status.sentence
    assert not desk.view.can_generate


@pytest.mark.parametrize(
    ("changes", "sentence", "button", "told"),
    [
        (
            {"state": "downloading", "progress": 0.41, "seconds_left": 360.0},
            "Downloading Small model, 41 %, 6 min left.",
            "Pause",
            "pause small",
        ),
        (
            {"state": "paused", "progress": 0.41},
            "Downloading Small model is paused at 41 %.",
            "Go on",
            "pull small",
        ),
        (
            {"state": "failed", "reason": "The disk is full: free 2 GB."},
            "The disk is full: free 2 GB.",
            "Try again",
            "pull small",
        ),
        (
            {"state": "missing", "bytes_total": 7_100_000_000},
            "Needs Small model, 7.1 GB.",
            "Get it",
            "pull small",
        ),
        (
            {"state": "missing", "licences": ["openrail"]},
            "Needs Small model. To get it is to accept its terms: openrail.",
            "Accept and get it",
            "pull small openrail",
        ),
    ],
)
def test_a_model_that_is_not_here_is_fetched_from_the_panel(
    tmp_path: Path, changes: dict[str, object], sentence: str, button: str, told: str
) -> None:
    model = replace(SMALL, **changes)  # type: ignore[arg-type]
    desk = Desk(tmp_path, offer=Models([model], MODES))
    status = desk.view.status
    assert status.sentence == sentence and not desk.view.can_generate
    assert status.button is not None and status.button.label == button
    desk.panel.press_status_button()
    assert desk.link.said[-1] == told


def test_modes_that_no_model_can_do_are_greyed_with_the_reason(tmp_path: Path) -> None:
    offer = Models([SMALL], [mode for mode in MODES if mode.name in SMALL.modes])
    desk = Desk(tmp_path, offer=offer)
    greyed = {choice.name: choice.reason for choice in desk.view.modes if not choice.available}
    assert set(greyed) == {
        "foreground",
        "joint",
        "harmonize",
        "fill",
        "upscale",
        "defringe",
        "cutout",
        "extract",
        "decompose",
    }
    assert all(greyed.values())


def test_a_mode_takes_the_model_that_can_do_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.view.model == "small"
    desk.panel.set_mode("joint")
    assert desk.view.model == "large"
    (small, _) = desk.view.fields["model"].choices
    assert not small.available and "Small model cannot do" in small.reason
    desk.panel.set_mode("text")
    desk.panel.set_field("model", "large")
    assert desk.view.model == "large"


def test_without_a_document_there_is_nothing_to_paint_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.editor.close(desk.document)
    desk.panel.refresh()
    assert "Open or create an image" in desk.view.sentence and not desk.view.can_generate


def test_without_a_prompt_nothing_is_asked_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert not desk.view.can_generate and desk.view.why_not == "Say what to paint first."
    desk.panel.generate()
    assert not desk.link.requests and desk.view.status.sentence == "Say what to paint first."
    desk.panel.set_prompt("a lantern")
    assert desk.view.can_generate


def test_a_job_that_waits_says_how_many_stand_before_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.accepted(ahead=2)
    assert desk.view.running and desk.view.progress is not None
    assert desk.view.progress.words == "waiting, 2 before it"
    assert desk.view.progress.share is None


def test_progress_is_told_in_steps_and_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.progress(11, 20, 3.2)
    assert desk.view.progress is not None
    assert desk.view.progress.words == "step 11 of 20 · 3 s left"
    assert desk.view.progress.share == 11 / 20
    assert desk.view.status.sentence == "Painting “paper lantern”."


def test_a_failure_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ask()
    desk.failed("out_of_memory", "The GPU ran out of memory.", "Paint a smaller region.")
    status = desk.view.status
    assert status.sentence == "The GPU ran out of memory. Paint a smaller region."
    assert status.severity == "problem" and not desk.view.running
    assert desk.view.can_generate and len(desk.link.acknowledged) == 1
    desk.panel.press_status_button()
    assert len(desk.link.requests) == 2


def test_a_job_is_cancelled_from_the_panel(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    desk.panel.cancel()
    assert desk.link.cancelled == [job]


def test_a_gray_document_is_converted_only_when_the_painter_asks(tmp_path: Path) -> None:
    gray = next(kind for kind in KINDS if not kind.keeps_colour)
    desk = Desk(tmp_path, kind=gray)
    desk.panel.set_prompt("a lantern")
    desk.panel.generate()
    assert not desk.link.requests and not desk.view.can_generate
    status = desk.view.status
    assert "grayscale" in status.sentence
    assert status.button is not None and status.button.label == "Convert to colour"
    desk.panel.press_status_button()
    assert desk.view.can_generate and desk.view.status.sentence == "Ready · Small model"


def test_a_fault_of_our_own_becomes_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(desk.editor, "selection", broken)
    desk.panel.refresh()
    assert desk.view.status.severity == "problem" and desk.view.status.button is not None
    monkeypatch.undo()
    desk.panel.press_status_button()
    assert desk.view.status.sentence == "Ready · Small model"


def test_a_toolkit_that_fails_to_draw_does_not_stop_the_work(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    class Broken(list[object]):
        def append(self, item: object) -> None:
            raise RuntimeError("no display")

    desk.panel._on_change = Broken().append  # type: ignore[assignment]
    desk.ask()
    desk.layer()
    desk.done()
    assert desk.names() == ["foreground 0"]


def test_nothing_is_scheduled_while_nothing_happens(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.refresh()
    assert desk.editor.later == [] and desk.editor.soon == []


def test_what_the_models_advise_counts_until_the_painter_says_otherwise(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.view.fields["steps"].value == SMALL.steps
    desk.panel.set_field("steps", 33)
    assert desk.view.fields["steps"].value == 33
    desk.panel.set_field("model", "large")
    assert desk.view.fields["steps"].value == 20


def test_stopping_leaves_no_thread_and_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.stop()
    assert desk.link.said == ["start", "stop"]
    assert desk.view.status.button is not None and not desk.view.can_generate
    desk.panel.press_status_button()
    assert len(desk.links) == 2


def test_the_offer_of_the_desk_is_complete() -> None:
    assert {mode.name for mode in OFFER.modes} == set(LARGE.modes)


def test_a_server_that_died_with_a_job_is_started_again_once_for_each_outage(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.state(Connection.NO_SERVER, "The server is not running.")
    assert "start_server" not in desk.link.said, "nothing was on its way"
    desk.state(Connection.READY, "Connected.")
    desk.panel.set_prompt("a lamp")
    desk.panel.generate()
    desk.state(Connection.NO_SERVER, "The server is not running.")
    desk.state(Connection.NO_SERVER, "It could not be started.")
    assert desk.link.said.count("start_server") == 1
    desk.state(Connection.READY, "Connected.")
    desk.state(Connection.NO_SERVER, "The server is not running.")
    assert desk.link.said.count("start_server") == 2


def test_a_connection_forgets_no_job_that_the_next_one_may_tell_of(tmp_path: Path) -> None:
    before = Desk(tmp_path)
    job = before.ask()
    before.panel.stop()
    desk = Desk(tmp_path)
    earlier = list(desk.editor.later)
    desk.state(Connection.WAITING)
    desk.state(Connection.READY)
    later = [each for each in desk.editor.later if each not in earlier]
    for due, forgotten in ((earlier, []), (later, [job])):
        for _, action in due:
            action()
        assert desk.link.acknowledged == forgotten
