"""The client from its host's side: it never raises, and always says how things stand."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acetate.cli.remote import RemoteProgress, generate_on_server
from acetate.errors import AcetateError
from acetate_bridge import Client, Connection, Done, Recipe, Request, State
from acetate_bridge.client import connection as link
from acetate_bridge.client.discovery import log_file, read_runtime
from acetate_bridge.protocol.messages import Event
from tests.app.listening import Listener
from tests.app.server_process import LONG, ROOT, TOKEN, RunningServer
from tests.workers.fake_painter import solid


class Watched:
    """A client whose states a test can wait for."""

    def __init__(self, **options: object) -> None:
        self.states: list[State] = []
        self.events: list[Event] = []
        self._changed = threading.Condition()
        self.client = Client("watched", self.events.append, self._become, **options)  # type: ignore[arg-type]

    def __enter__(self) -> Watched:
        self.client.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.client.stop(LONG)

    def _become(self, state: State) -> None:
        with self._changed:
            self.states.append(state)
            self._changed.notify_all()

    def reach(self, connection: Connection, after: int = -1) -> State:
        return self.states[self._first(lambda state: state.connection is connection, after)]

    def told(self, words: str, after: int = -1) -> int:
        """Which of the states, beyond one of them, has these words."""
        return self._first(lambda state: words in state.message, after)

    def _first(self, wanted: Callable[[State], bool], after: int) -> int:
        def found() -> list[int]:
            return [at for at, state in enumerate(self.states) if at > after and wanted(state)]

        with self._changed:
            assert self._changed.wait_for(found, LONG), self.states
            return found()[0]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders without any server."""
    monkeypatch.setenv("ACETATE_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("ACETATE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", "")
    return tmp_path


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """One that nobody listens at, and that nobody else can take meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_without_a_server_there_is_a_quiet_state_with_a_cure(nowhere: Path) -> None:
    with Watched() as watched:
        state = watched.reach(Connection.NO_SERVER)
        assert state.message == "The server is not running." and "acetate serve" in state.cure
        assert 0 < state.retry_in < 1
    with closed_port() as port, Watched(address=f"127.0.0.1:{port}") as watched:
        watched.reach(Connection.NO_SERVER)


def test_a_wrong_token_is_named(server: RunningServer) -> None:
    with Watched(address=server.runtime.address, token="wrong") as watched:
        assert "token" in watched.reach(Connection.REFUSED).message


def test_something_else_at_the_address_is_named(nowhere: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with Watched(address=f"127.0.0.1:{other.getsockname()[1]}", token="x") as watched:
            assert "404" in watched.reach(Connection.REFUSED).message


def test_a_nonsense_address_is_named() -> None:
    with Watched(address="ftp://nowhere") as watched:
        assert "not an address" in watched.reach(Connection.REFUSED).message


def test_a_host_that_raises_in_its_callbacks_hears_the_next_event_all_the_same(
    server: RunningServer,
) -> None:
    heard: list[Event] = []
    done = threading.Event()

    def raising(event: Event) -> None:
        heard.append(event)
        if isinstance(event, Done):
            done.set()
        raise RuntimeError("the host is broken")

    def raising_too(state: State) -> None:
        raise RuntimeError("here too")

    client = Client("raising", raising, raising_too, address=server.runtime.address, token=TOKEN)
    client.start()
    client.submit(Request(Recipe("text", "a cat", steps=2)))
    assert done.wait(LONG) and len(heard) > 3
    client.stop(LONG)
    client.stop()
    client.submit(Request(Recipe("text", "a cat")))
    client.cancel("whatever")
    assert client.state.connection is Connection.STOPPED


def test_no_thread_is_left_behind(server: RunningServer) -> None:
    with Watched(address=server.runtime.address, token=TOKEN) as watched:
        watched.reach(Connection.READY)
    assert not [thread for thread in threading.enumerate() if thread.name == "acetate client"]


def test_a_client_goes_on_where_an_earlier_one_stopped(server: RunningServer) -> None:
    address = server.runtime.address
    with Listener(address, TOKEN, "resuming", acknowledge=False) as first:
        job = first.submit()
        first.ending(job)
        store, last = first.client.position
    again = Client("resuming", lambda event: None, store=store, last_event=last)
    assert again.position == (store, last)
    events: list[Event] = []
    resumed = Client(
        "resuming", events.append, address=address, token=TOKEN, store=store, last_event=last
    )
    resumed.start()
    other = resumed.submit(Request(Recipe("text", "a cat", steps=1)))
    until = time.monotonic() + LONG
    while time.monotonic() < until and not any(isinstance(event, Done) for event in events):
        time.sleep(0.02)
    resumed.stop(LONG)
    assert {event.job for event in events} == {other}


@pytest.mark.slow
def test_the_server_is_started_when_asked_and_found_by_itself(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = RunningServer(nowhere, idle_exit=15.0)
    monkeypatch.chdir(ROOT)
    # The editor's PYTHONPATH is not handed on, so the command itself says where these tests lie.
    tests = f"os.environ['PYTHONPATH'] = {made.environment['PYTHONPATH']!r}"
    start = f"import os, sys; {tests}; os.execv(sys.executable, sys.argv[1:])"
    command = [sys.executable, "-c", start, *made.command]
    with Watched(command=command) as watched:
        watched.reach(Connection.NO_SERVER)
        watched.client.start_server()
        watched.reach(Connection.STARTING)
        watched.reach(Connection.READY)
        assert "INFO" in log_file().read_text() or log_file().exists()
    until = time.monotonic() + LONG
    while read_runtime(nowhere / "run") is not None and time.monotonic() < until:
        time.sleep(0.05)
    assert read_runtime(nowhere / "run") is None


def test_a_server_that_cannot_be_started_is_named_for_as_long_as_that_is_so(
    nowhere: Path,
) -> None:
    with Watched() as watched:
        watched.client.start_server()
        first = watched.told("not installed")
        watched.told("not installed", after=first)
        assert "pipx install acetate" in watched.states[first].message


def test_a_server_that_ends_as_soon_as_it_is_started_is_quoted(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "_OTHER_SECONDS", 0.5)
    words = [sys.executable, "-c", "import sys; sys.exit('The store is damaged.')"]
    with Watched(command=words) as watched:
        watched.client.start_server()
        watched.reach(Connection.STARTING)
        first = watched.told("did not start: The store is damaged.")
        again = watched.told("did not start: The store is damaged.", after=first)
        assert {state.connection for state in watched.states[first:again]} == {Connection.NO_SERVER}
        watched.client.start_server()
        watched.reach(Connection.STARTING, after=again)


def test_the_command_line_paints_at_the_server(server: RunningServer) -> None:
    seen: list[RemoteProgress] = []
    request = Request(Recipe("text", "a cat", seed=4, steps=3, width=16, height=8), variants=2)
    layers = generate_on_server(
        request, seen.append, address=server.runtime.address, token=TOKEN, patience=LONG
    )
    assert [layer.image for layer in layers] == [solid(16, 8, 4), solid(16, 8, 5)]
    assert [one.step for one in seen if one.stage in ("painting", "decoding")][-1] == 6
    assert any(one.preview for one in seen)


def test_the_command_line_says_what_is_wrong(server: RunningServer, nowhere: Path) -> None:
    request = Request(Recipe("text", "break", steps=2))
    with pytest.raises(AcetateError, match="cannot be painted"):
        generate_on_server(request, address=server.runtime.address, token=TOKEN, patience=LONG)
    with pytest.raises(AcetateError, match="token"):
        generate_on_server(request, address=server.runtime.address, token="no", patience=LONG)
    with pytest.raises(AcetateError, match="not running"):
        generate_on_server(request, patience=LONG)


def test_an_interrupted_command_line_cancels_its_job(server: RunningServer) -> None:
    def interrupt(progress: RemoteProgress) -> None:
        if progress.step > 1:
            raise KeyboardInterrupt

    request = Request(Recipe("text", "step=0.5", steps=150))
    with pytest.raises(KeyboardInterrupt):
        generate_on_server(
            request, interrupt, address=server.runtime.address, token=TOKEN, patience=LONG
        )
    with Listener(server.runtime.address, TOKEN) as next_one:
        assert isinstance(next_one.ending(next_one.submit()), Done)
