"""The local page in a real Chromium, before a real server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from acetate_bridge.client.page_link import page_link
from tests.app.server_process import RunningServer

CHROMIUM = os.environ.get("ACETATE_CHROMIUM") or shutil.which("chromium") or ""
PATIENCE = 300_000
"""Milliseconds that anything may take on a slow, busy machine before it counts as failed."""
expect.set_options(timeout=PATIENCE)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of its own, whose painter fills its layers with plain colours."""
    painter = "tests.page.page_painter:open_painter"
    with RunningServer(tmp_path_factory.mktemp("server"), painter) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.fail("NOT TESTED in a browser: Chromium is not here (tests/page/setup.sh).")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE
        )
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of a person of its own; what its pages complain about fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    yield context
    context.close()
    # A 401 is how a page learns that it is to be signed in, a 400 what the server refuses in words;
    # a preview may be gone when asked for.
    quiet = ("400", "401", "404")
    assert [each for each in complaints if not any(code in each for code in quiet)] == []


@pytest.fixture
def page(context: BrowserContext, server: RunningServer) -> Page:
    """The page, opened signed in."""
    page = context.new_page()
    page.goto(page_link(server.runtime))
    page.get_by_role("heading", name="Paint", exact=True).wait_for()
    page.locator("#mode option").first.wait_for(state="attached")
    return page
