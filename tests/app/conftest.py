from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.links import CuttingProxy
from tests.app.listening import Listener
from tests.app.server_process import TOKEN, RunningServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server with the fake painter, for all tests that leave it as they found it."""
    with RunningServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(params=["loopback", "slow link"])
def address(request: pytest.FixtureRequest, server: RunningServer) -> Iterator[str]:
    """Where the server is reached: directly, or through a slow link."""
    if request.param == "loopback":
        yield server.runtime.address
        return
    with CuttingProxy(server.runtime.port, piece=4096, pause=0.001) as proxy:
        yield proxy.address


@pytest.fixture
def listener(address: str) -> Iterator[Listener]:
    with Listener(address, TOKEN) as listening:
        yield listening
