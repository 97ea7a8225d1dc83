"""A server that dies, is too old, does not know the token or lacks a model; and quitting."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.app.server_process import LONG, RunningServer
from tests.editors.caller import Caller
from tests.editors.elder import elder_server
from tests.editors.krita.conftest import assert_quiet, reach
from tests.editors.krita.desk import Desk

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


def test_a_server_killed_with_a_job_is_started_again_and_the_layer_comes(
    desk: Desk, server: RunningServer, caller: Caller
) -> None:
    desk.fresh()
    calls = caller.calls
    desk.krita.run("panel()._actions.set_mode('text')")
    desk.write("a red apple")
    desk.generate()
    desk.started()
    server.kill()
    words = ("lost", "not running", "starting")
    desk.wait(lambda: any(word in desk.view()["status"] for word in words))
    desk.picture("server-gone")
    desk.wait(lambda: desk.names() == ["red apple", "Background"])
    assert caller.calls == calls + 1, "it was started from here, once, and by nobody's hand"


def test_a_missing_model_is_a_sentence_and_a_button(desk: Desk) -> None:
    desk.ready()
    models = dict(
        desk.ask("[(each.label, each.name) for each in panel()._view.fields['model'].choices]")
    )
    missing = next(name for label, name in models.items() if "(not here" in label)
    desk.krita.run(f"panel()._actions.set_field('model', {missing!r})")
    desk.wait(lambda: "get it" in desk.view()["button"].lower())
    assert desk.view()["status"].startswith("Needs ") and " GB" in desk.view()["status"]
    assert not desk.view()["can_generate"]
    desk.picture("missing-model")
    desk.click("panel().settings_button")
    desk.wait(lambda: desk.ask("panel().settings.isVisible()"))
    row = f"panel().settings.models.buttons['model {missing}']"
    desk.wait(lambda: "get it" in desk.ask(f"{row}.text()").lower())
    desk.picture("settings")
    desk.screen.key("Escape")
    desk.wait(lambda: not desk.ask("panel().settings.isVisible()"))
    desk.krita.run("panel()._actions.set_field('model', 'embedded')")
    desk.ready()


def test_no_server_and_an_older_protocol_are_a_sentence_and_a_button_each(
    desk: Desk, server: RunningServer, folder: Path
) -> None:
    server.stop()
    desk.shows("not running", "Start")

    with elder_server("t") as port:
        word = {"pid": os.getpid(), "host": "127.0.0.1", "port": port, "token": "t", "protocol": 0}
        _word(desk, folder).write_text(json.dumps(word))
        # The client follows no word that others of this machine could have written.
        _word(desk, folder).chmod(0o600)
        desk.shows("protocol", "Try again")
        desk.picture("older-protocol")
    # A server that starts would find the elder's process alive and go.
    _word(desk, folder).unlink()


def test_a_wrong_token_is_a_sentence_and_a_button(
    desk: Desk, server: RunningServer, folder: Path
) -> None:
    server.start()
    file = _word(desk, folder)
    right = file.read_text()
    file.write_text(json.dumps({**json.loads(right), "token": "wrong"}))
    # It may have read the right one in between.
    desk.krita.run("panel()._studio.controller.stop()\npanel()._studio.controller.start()")
    desk.shows("does not accept this token", "Try again")
    desk.picture("wrong-token")
    desk.click("panel().status.button")
    desk.shows("does not accept this token", "Try again")
    # By itself it tries again, too, so that the button may be gone before anybody clicks.
    file.write_text(right)
    desk.ready()


def test_krita_quits_without_a_thread_or_a_process_left(desk: Desk) -> None:
    desk.wait(lambda: "acetate client" in desk.ask("threads()"))
    desk.krita.run("panel()._studio.close()")
    desk.wait(lambda: "acetate client" not in desk.ask("threads()"))  # Unloaded.
    desk.krita.run("panel()._studio.controller.start()")
    desk.wait(lambda: "acetate client" in desk.ask("threads()"))
    assert desk.krita.processes()
    assert desk.krita.quit() == 0
    until = time.monotonic() + LONG
    while (left := desk.krita.processes()) and time.monotonic() < until:
        time.sleep(0.1)
    assert not left
    assert_quiet(desk.krita)


def _word(desk: Desk, folder: Path) -> Path:
    return Path(reach(folder, desk.krita.suite)["ACETATE_RUNTIME_DIR"]) / "server.json"
