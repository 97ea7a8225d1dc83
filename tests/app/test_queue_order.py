"""A client hears in which order its jobs wait, and changes it; one that does not ask is spared."""

from __future__ import annotations

import asyncio
import json
import queue
from concurrent.futures import ThreadPoolExecutor

from acetate_bridge.client.address import Target, session_url
from acetate_bridge.client.client import Client
from acetate_bridge.client.handshake import opening, prove
from acetate_bridge.protocol.messages import Queue
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer


def until(heard: queue.Queue[Queue | None], jobs: list[str]) -> None:
    """Wait until these jobs wait in this order."""
    while (found := heard.get(timeout=LONG)) is None or found.jobs != jobs:
        pass


def test_waiting_jobs_are_told_and_moved(server: RunningServer) -> None:
    heard: queue.Queue[Queue | None] = queue.Queue()
    with Listener(server.runtime.address, TOKEN) as listener:
        client = listener.client
        client._on_queue = heard.put
        jobs = [listener.submit("step=0.5", steps=150) for _ in range(4)]
        try:
            until(heard, jobs[1:])
            client.move(jobs[3], jobs[1])
            until(heard, [jobs[3], jobs[1], jobs[2]])
            client.move(jobs[3])
            until(heard, [jobs[1], jobs[2], jobs[3]])
            client.move(jobs[0], jobs[3])  # It is being painted, and stays.
            client.cancel(jobs[2])
            until(heard, [jobs[1], jobs[3]])
        finally:
            for job in jobs:
                client.cancel(job)
                listener.ending(job)


def test_a_client_that_does_not_know_the_queue_hears_nothing_of_it(server: RunningServer) -> None:
    async def talk() -> list[str]:
        target = Target(session_url(server.runtime.address)[0], TOKEN)
        async with opening(target, await prove(target, LONG), LONG) as session:
            recipe = {"mode": "text", "prompt": "a cat", "steps": 2}
            submit = {"type": "submit", "job": "an-old-client-1", "recipe": recipe}
            hello = {"type": "hello", "protocol": 1, "client": "old", "features": ["encoding:raw"]}
            for message in (hello, submit, {**submit, "job": "an-old-client-2"}):
                await session.send(json.dumps(message))
            kinds: list[str] = []
            while sum(kind in ("done", "failed") for kind in kinds) < 2:
                frame = await asyncio.wait_for(session.recv(), LONG)
                kinds.append(json.loads(frame)["type"] if isinstance(frame, str) else "binary")
            return kinds

    with ThreadPoolExecutor(1) as pool:
        kinds = pool.submit(lambda: asyncio.run(talk())).result(LONG)
    assert kinds[0] == "welcome" and kinds.count("done") == 2 and "queue" not in kinds


def test_the_page_and_the_setup_are_asked_of_a_server_that_knows_the_token(
    server: RunningServer,
) -> None:
    answers: queue.Queue[object] = queue.Queue()
    for token in (TOKEN, "wrong"):
        client = Client("asking", print, address=server.runtime.address, token=token)
        client.ask_page(lambda address, why: answers.put((address, why)))
        address, why = answers.get(timeout=LONG)  # type: ignore[misc]
        client.ask_setup(lambda found, card: answers.put(found))
        setup = answers.get(timeout=LONG)
        if token == TOKEN:
            assert "/#open=" in address and not why
            assert setup is not None and setup.free > 0 and setup.models  # type: ignore[attr-defined]
        else:
            assert not address and "not the server" in why
            assert setup is None
