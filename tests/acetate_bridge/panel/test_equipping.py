"""The panel's card, its greyed modes, its queue and its settings of the server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from acetate_bridge.client import connection_state as states
from acetate_bridge.client.connection_state import Connection
from acetate_bridge.panel.settings import load_settings
from acetate_bridge.panel.view import Button, Choice
from acetate_bridge.protocol.messages import Accepted, Models, Queue
from acetate_bridge.protocol.setup import Setup, SetupPart, fit
from tests.acetate_bridge.panel.desk import LARGE, MODES, SMALL, Desk

MISSING = replace(
    LARGE, state="missing", bytes_total=13_600_000_000, licences=["openrail++"], progress=0.0
)
ONLY_SMALL = [mode for mode in MODES if mode.name in SMALL.modes]
SETUP = Setup(
    "1.0",
    "Linux",
    "RTX, 8192 MiB",
    8.6,
    [SetupPart("program", "here", "torch 2.9")],
    [fit("small", "Small model", 1, 8.6), fit("large", "Large model", 10, 8.6)],
    812.0,
)


def told(desk: Desk, setup: Setup | None = SETUP, card: str = "") -> None:
    desk.link.asked_setup[-1](setup, card)
    desk.editor.settle()


def joint(desk: Desk) -> Choice:
    return next(each for each in desk.view.modes if each.name == "joint")


# ---- greyed modes


def test_a_greyed_mode_says_which_model_can_do_it_and_offers_to_fetch_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, offer=Models([SMALL, MISSING], ONLY_SMALL))
    told(desk)
    assert joint(desk) == Choice(
        "joint", "Scene in layers", False, "Needs Large model, 13.6 GB", "large"
    )
    desk.panel.set_mode("joint")
    status = desk.view.status
    assert status.sentence == (
        "Needs Large model, 13.6 GB (812.0 GB free). To get it is to accept its terms: openrail++."
    )
    assert status.button and status.button.label == "Accept and get it"
    assert [link.words for link in status.links] == ["openrail++"]
    assert status.links[0].address.startswith("https://")
    assert [each.role for each in desk.view.layer_prompts] == [
        "foreground", "background", "blended",
    ]  # fmt: skip
    desk.panel.press_status_button()
    assert desk.link.said[-1] == "pull large openrail++"


def test_a_mode_whose_model_is_on_its_way_says_how_long_it_takes(tmp_path: Path) -> None:
    coming = replace(MISSING, state="downloading", progress=0.41, seconds_left=360.0)
    desk = Desk(tmp_path, offer=Models([SMALL, coming], ONLY_SMALL))
    assert joint(desk).reason == "Needs Large model, which is being fetched, 41 %, 6 min left"


def test_no_mode_is_said_to_be_beyond_every_model_while_one_can_do_it(tmp_path: Path) -> None:
    for models in ([SMALL, MISSING], [MISSING], []):
        desk = Desk(tmp_path, offer=Models(models, []))
        for choice in desk.view.modes:
            assert ("No model" in choice.reason) == (
                bool(models) and choice.name not in LARGE.modes
            ), choice


def test_a_disk_that_is_too_full_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    desk = Desk(tmp_path, offer=Models([MISSING], []))
    told(desk, replace(SETUP, free=3.0))
    assert "13.6 GB, but only 3.0 GB are free." in desk.view.status.sentence


# ---- the card


def test_the_card_stands_in_the_panel_while_the_server_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_COMMAND", "/opt/acetate")
    desk = Desk(tmp_path, connected=False)
    desk.link.on_state(states.no_server(1.0))
    desk.editor.settle()
    told(desk, None, "RTX, 8192 MiB")
    card = desk.view.setup
    assert card.pressing and card.machine == "This machine: RTX, 8192 MiB"
    stands = {row.name: (row.state, row.button.label if row.button else "") for row in card.parts}
    assert stands == {
        "Program": ("here", ""),
        "Server": ("stopped", "Start"),
        "Model": ("here", ""),
        "This plug-in": ("here", ""),
    }
    shown = {row.name: row.button for row in desk.view.card_rows}
    assert shown.keys() == stands.keys() and shown["Server"] is None
    assert desk.view.status.button == Button("Start", "start_server"), "one is enough"
    assert card.models[0].words.endswith("GB, there are 8.6.")
    desk.panel.press_setup_button("server")
    assert desk.link.said[-1] == "start_server"
    desk.state(Connection.READY)
    assert not desk.view.setup.pressing


def test_what_is_unknown_is_not_called_small(tmp_path: Path) -> None:
    desk = Desk(tmp_path, connected=False)
    desk.link.on_state(states.no_server(1.0))
    desk.editor.settle()
    told(desk, None, "")
    rows = {row.key: row.words for row in desk.view.setup.models}
    assert rows["model embedded"] == "Runs anywhere, without a card too."
    assert all("Nobody knows" in words for key, words in rows.items() if key != "model embedded")


def test_without_the_program_the_card_has_its_size_its_licence_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACETATE_DATA_DIR", "HOME", "PATH"):
        monkeypatch.setenv(name, str(tmp_path / "empty"))
    monkeypatch.delenv("ACETATE_COMMAND", raising=False)
    desk = Desk(tmp_path, connected=False)
    desk.link.on_state(states.no_server(1.0))
    desk.editor.settle()
    row = desk.view.setup.parts[0]
    assert (row.name, row.state, row.facts) == ("Program", "missing", "600 MB")
    assert row.links[0].words == "Apache-2.0"
    assert row.button and row.button.action == "copy" and row.command == "pipx install acetate"


def test_each_model_has_one_button_and_says_how_it_will_run(tmp_path: Path) -> None:
    desk = Desk(tmp_path, offer=Models([SMALL, MISSING], MODES))
    told(desk)
    small, large = desk.view.setup.models
    assert (small.state, small.button) == ("here", None)
    assert large.state == "not here" and large.facts == "13.6 GB (812.0 GB free)"
    assert "takes longer" in large.words and large.links[0].words == "openrail++"
    desk.panel.press_setup_button("model large")
    assert desk.link.said[-1] == "pull large openrail++"
    coming = replace(MISSING, state="downloading", progress=0.25, seconds_left=30.0)
    desk.link.on_offer(Models([SMALL, coming], MODES))
    desk.editor.settle()
    large = desk.view.setup.models[1]
    assert (large.state, large.share) == ("25 %, 30 s left", 0.25)
    desk.panel.press_setup_button("model large")
    assert desk.link.said[-1] == "pause large"
    desk.panel.press_setup_button("nothing of the kind")


def test_a_model_that_the_server_offers_has_its_row_and_no_other_has(tmp_path: Path) -> None:
    own = replace(SMALL, id="own", name="My own")
    desk = Desk(tmp_path, offer=Models([SMALL, own], MODES))
    told(desk)
    assert [row.key for row in desk.view.setup.models] == ["model small", "model own"]


def test_a_panel_of_another_version_says_so_and_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_COMMAND", "/opt/acetate")
    desk = Desk(tmp_path)
    desk.link.on_state(states.ready("acetate 9.0", "8.0"))
    desk.editor.settle()
    assert desk.view.status.sentence == (
        "Ready · Small model. Connected to acetate 9.0; this panel is of version 8.0."
    )
    (row,) = [row for row in desk.view.setup.parts if row.name == "This plug-in"]
    assert row.state == "another version" and row.button and row.button.label == "Update"
    desk.panel.press_setup_button("plug-in")
    desk.editor.settle()
    assert desk.link.said[-1] == "update memory"
    assert desk.view.status.sentence == "The plug-in is up to date: start the editor again."
    desk.ask()
    assert desk.link.requests


# ---- the server and its page


def test_another_server_is_remembered_and_looked_for_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_server(" studio:7860 ", "/home/me/token")
    assert len(desk.links) == 2 and "stop" in desk.links[0].said
    assert (desk.link.address, desk.link.token_file) == ("studio:7860", "/home/me/token")
    assert desk.link.identity == desk.links[0].identity
    assert not desk.view.can_generate and desk.view.server.address == "studio:7860"
    desk.link.on_state(states.ready("acetate"))
    desk.editor.settle()
    desk.panel.set_server("studio:7860", "/home/me/token")
    assert len(desk.links) == 2, "nothing has changed"
    kept = load_settings(tmp_path / "panel.json")
    assert (kept.server_address, kept.token_file) == ("studio:7860", "/home/me/token")
    desk.panel.set_server("", "")
    assert desk.link.address is None


def test_an_address_that_is_none_is_refused_with_a_sentence(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_server("ftp://studio", "")
    assert len(desk.links) == 1 and "not an address" in desk.view.status.sentence
    assert desk.view.server.address == ""


def test_the_page_opens_in_the_browser_or_a_sentence_says_why_not(tmp_path: Path) -> None:
    desk, opened = Desk(tmp_path), list[str]()
    desk.panel.open_address = opened.append
    desk.panel.open_page()
    desk.link.asked_page[-1]("http://127.0.0.1:1/#open=code", "")
    desk.editor.settle()
    assert opened == ["http://127.0.0.1:1/#open=code"]
    desk.panel.open_page()
    desk.link.asked_page[-1]("", "The server does not answer.")
    desk.editor.settle()
    assert desk.view.status.sentence == "The server does not answer."
    desk.panel.open_address = lambda address: False
    desk.panel.open_page()
    desk.link.asked_page[-1]("http://127.0.0.1:1/", "")
    desk.editor.settle()
    assert "acetate open" in desk.view.status.sentence
    assert "127.0.0.1:1" not in desk.view.status.sentence


# ---- the queue


def four_jobs(desk: Desk) -> list[str]:
    jobs = [desk.ask(f"boat {number}") for number in range(4)]
    for job in jobs:
        desk.hear(Accepted(job, 0, 0))
    return jobs


def say(desk: Desk, jobs: list[str] | None) -> None:
    desk.link.on_queue(Queue(jobs, list(range(len(jobs)))) if jobs is not None else None)
    desk.editor.settle()


def test_waiting_jobs_are_shown_in_their_order_and_moved(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    one, two, three, four = four_jobs(desk)
    say(desk, [two, three, four])
    shown = [(job.job, job.waits, job.sooner, job.later) for job in desk.view.queue]
    assert shown == [
        (one, False, False, False),
        (two, True, False, True),
        (three, True, True, True),
        (four, True, True, False),
    ]
    desk.panel.move(four, sooner=True)
    desk.panel.move(two, sooner=False)
    desk.panel.move(three, sooner=False)
    moves = [said for said in desk.link.said if said.startswith("move")]
    assert moves == [
        f"move {four} before {three}",
        f"move {two} before {four}",
        f"move {three} before nothing",
    ]
    for job, sooner in ((two, True), (four, False), (one, True), ("gone", True)):
        desk.panel.move(job, sooner)
    assert len([said for said in desk.link.said if said.startswith("move")]) == 3
    say(desk, [four, three, two])
    assert [job.job for job in desk.view.queue] == [one, four, three, two]
    assert desk.view.queue[3].progress.words == "waiting, 2 before it"


def test_a_server_that_tells_no_order_has_nothing_moved(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    jobs = four_jobs(desk)
    say(desk, None)
    assert not any(job.sooner or job.later for job in desk.view.queue)
    desk.panel.move(jobs[2], sooner=True)
    assert not any(said.startswith("move") for said in desk.link.said)


def test_of_two_answers_about_the_set_up_the_one_that_was_asked_for_last_counts(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.state(Connection.WAITING)
    desk.state(Connection.READY)
    lost, now = desk.link.asked_setup[-2:]
    now(SETUP, "")
    lost(None, "own card")
    desk.editor.settle()
    assert desk.view.setup.machine == f"This machine: {SETUP.card}"


def test_how_a_job_stood_when_it_was_taken_is_older_than_the_queue(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    job = desk.ask()
    say(desk, [job])
    before = desk.view.queue[0].progress.words
    desk.accepted(5)
    assert desk.view.queue[0].progress.words == before
