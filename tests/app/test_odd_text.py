"""Half a character and numbers beyond bounds, at a real server and in a real client."""

from __future__ import annotations

import json

import pytest

from acetate_bridge import Done, Failed, Recipe, Request
from acetate_bridge.client.pending_jobs import Pending
from acetate_bridge.protocol.codec import decode_server
from acetate_bridge.protocol.messages import Problem
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer
from tests.app.test_fuzz import opened

ODD = {
    "model": "\ud800",
    "software": "half \ud83c",
    "guidance": float("nan"),
    "seed": 10**400,
}


@pytest.mark.parametrize("field", ODD)
def test_a_job_that_cannot_be_sent_fails_and_the_client_goes_on(
    server: RunningServer, field: str
) -> None:
    with Listener(server.runtime.address, TOKEN) as listener:
        recipe = Recipe("text", **({"prompt": "x"} | {field: ODD[field]}))  # type: ignore[arg-type]
        failed = listener.ending(listener.client.submit(Request(recipe)))
        assert isinstance(failed, Failed) and failed.code == "bad_message"
        assert f"recipe.{field}" in failed.message and failed.hint
        assert isinstance(listener.ending(listener.submit()), Done)
        assert {state.connection.value for state in listener.states} == {"connecting", "ready"}


def test_half_a_character_in_a_prompt_is_left_out_and_the_job_painted(
    server: RunningServer,
) -> None:
    recipe = Recipe("text", "an apple \ud83c", "blurred\udc00", layer_prompts={"sky": "blue\ud800"})
    assert (recipe.prompt, recipe.negative_prompt) == ("an apple ", "blurred")
    assert recipe.layer_prompts == {"sky": "blue"}
    with Listener(server.runtime.address, TOKEN) as listener:
        done = listener.ending(listener.client.submit(Request(Recipe("text", "an apple \ud83c"))))
        assert isinstance(done, Done) and done.recipe.prompt == "an apple "


def test_odd_names_of_a_client_and_its_jobs_keep_no_connection_down(server: RunningServer) -> None:
    with Listener(server.runtime.address, TOKEN, name="half \ud83c") as listener:
        assert isinstance(
            listener.ending(listener.client.submit(Request(Recipe("text", "x")))), Done
        )
        listener.client.cancel("\ud800")
        listener.client.acknowledge("\udfff")
        listener.client.pull("\ud800", ["\udc00"])
        failed = listener.ending(
            listener.client.submit(Request(Recipe("text")), "job-\ud800") and "job-?"
        )
        assert isinstance(failed, Failed)
        assert isinstance(listener.ending(listener.submit()), Done)


def test_a_job_that_cannot_be_sent_is_not_kept() -> None:
    pending = Pending()
    assert pending.add("abcdefgh", Request(Recipe("text", "x", model="\ud800"))) is not None
    assert pending.open_jobs == [] and not list(pending.resume("store"))


@pytest.mark.parametrize(
    "message",
    [
        {"type": "cancel", "job": "\ud800bcdefgh"},
        {"type": "acknowledge", "job": "\ud800bcdefgh"},
        {"type": "submit", "job": "\ud800bcdefgh", "recipe": {"mode": "text"}},
        {"type": "submit", "job": "abcdefgh", "recipe": {"mode": "text", "prompt": "\ud800"}},
        {"type": "pull", "model": "\ud800", "accepted": []},
    ],
)
def test_a_session_answers_on_after_half_a_character(
    server: RunningServer, message: dict[str, object]
) -> None:
    with opened(server) as connection:
        connection.send(json.dumps(message))
        problem = decode_server(connection.recv(LONG))
        assert isinstance(problem, Problem) and problem.code == "bad_message"
        connection.send(json.dumps({"type": "nonsense"}))
        problem = decode_server(connection.recv(LONG))
        assert isinstance(problem, Problem) and problem.code == "unknown_message"
