"""Files come from the hub and its stores, wherever anybody would like to send the download."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from acetate.models.download_plan import CannotFetch, Download, plan_downloads
from acetate.models.hub_download import fetch
from acetate.models.hub_hosts import is_known
from tests.models.hub_server import COMMIT, Hub
from tests.models.test_download_plan import DOWNLOAD, ENTRY


@pytest.fixture
def inside() -> Iterator[tuple[str, list[str]]]:
    """A service of this machine that trusts whoever can reach it, and what it was asked."""
    asked: list[str] = []

    class Trusting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Trusting)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirect_to_a_service_of_this_machine_is_not_followed(
    hub: Hub, inside: tuple[str, list[str]]
) -> None:
    hub.elsewhere, asked = inside
    hub.redirected = True
    with pytest.raises(CannotFetch, match="no host of the hub"):
        fetch(DOWNLOAD, endpoint=hub.address)
    assert asked == []


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://huggingface.co/x", True),
        ("https://cas-bridge.xethub.hf.co/x", True),
        ("https://cdn-lfs.huggingface.co:443/x", True),
        ("http://huggingface.co/x", False),
        ("https://huggingface.co.evil.example/x", False),
        ("https://evilhuggingface.co/x", False),
        ("https://huggingface.co@evil.example/x", False),
        ("https://evil.example/huggingface.co", False),
        ("https://127.0.0.1/x", False),
        ("http://169.254.169.254/latest/meta-data", False),
        ("file:///etc/passwd", False),
        ("\\\\evil\\share", False),
        ("https://[::1/x", False),
        ("", False),
    ],
)
def test_only_the_hub_and_its_stores_are_known(url: str, known: bool) -> None:
    assert is_known(url) is known


@pytest.mark.parametrize(
    "name", ["scheduler/../../../x", "scheduler//x", "scheduler/..\\..\\x", "scheduler/./x"]
)
def test_a_listed_name_that_leads_out_of_the_folder_is_not_fetched(hub: Hub, name: str) -> None:
    hub.files["someone/base"][name] = b"x"
    with pytest.raises(CannotFetch, match="leads out"):
        plan_downloads(ENTRY, endpoint=hub.address)


def test_a_tag_that_is_a_path_is_not_filed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.models.hub_server._Handler._facts", _evil_facts)
    with pytest.raises(CannotFetch, match="does not say"):
        fetch(Download("someone/weights", "w.safetensors", COMMIT, 1), endpoint=hub.address)


def _evil_facts(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_header("ETag", '"../../../evil"')
    handler.send_header("X-Repo-Commit", COMMIT)
    handler.send_header("X-Linked-Size", str(len(content)))
