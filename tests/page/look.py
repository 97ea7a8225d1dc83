"""Pictures of the page for a person to look at: `python -m tests.page.look FOLDER`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from acetate.app.settings import GENERATOR
from acetate_bridge.client.page_link import page_link
from tests.app.server_process import RunningServer
from tests.page.conftest import ARGUMENTS, CHROMIUM


def main(folder: Path) -> None:
    """Paint twice and photograph the page, wide and narrow, bright and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        RunningServer(Path(home), painter=GENERATOR) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for scheme, width in (("light", 1280), ("dark", 390)):
            context = browser.new_context(
                viewport={"width": width, "height": 1000}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(page_link(server.runtime))
            page.locator("#generate:enabled").wait_for(timeout=400_000)
            page.get_by_label("Prompt", exact=True).fill("a red apple")
            page.get_by_role("button", name="Generate").click()
            page.locator("article img").first.wait_for(timeout=400_000)
            page.wait_for_timeout(500)
            page.screenshot(path=folder / f"page-{scheme}-{width}.png", full_page=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
