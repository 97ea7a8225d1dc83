"""The local page in the languages of the editors' panels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from acetate.app.page_words import page_catalogs, page_key, page_words
from acetate_bridge.client.page_link import page_link
from tests.app.server_process import RunningServer
from tests.page.conftest import PATIENCE
from tests.page.test_page import LONG

LOCALES = {"de": "de-AT", "es": "es-MX", "fr": "fr-FR", "ja": "ja-JP", "zh_CN": "zh-CN"}
TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.tagName !== "SCRIPT") found.push(node.textContent);
  }
  for (const each of document.querySelectorAll("[aria-label], [placeholder], [title]")) {
    found.push(each.ariaLabel ?? "", each.placeholder ?? "", each.title);
  }
  return found.map((text) => text.trim().replace(/\\s+/g, " ")).filter(Boolean);
}"""

Open = Callable[[str], Page]


@pytest.fixture
def opened(browser: Browser, server: RunningServer) -> Iterator[Open]:
    """Opens the page for somebody whose browser speaks a language."""
    contexts = []

    def open_page(locale: str) -> Page:
        context = browser.new_context(locale=locale, viewport={"width": 390, "height": 800})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.goto(page_link(server.runtime))
        expect(page.locator("#generate")).to_be_enabled(timeout=LONG)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("language", LOCALES)
def test_the_page_speaks_the_language_of_the_browser_and_nothing_else(
    opened: Open, language: str
) -> None:
    catalog = page_catalogs()[language]
    page = opened(LOCALES[language])
    expect(page.locator("html")).to_have_attribute("lang", language.replace("_", "-"))
    page.locator("#guides summary").click()
    page.locator("#add-follow").click()
    page.locator("#mode").select_option("fill")
    expect(page.locator("#generate")).to_have_text(catalog["generate"])
    expect(page.locator("#field-strength")).to_be_visible()
    expect(page.locator("#machine")).not_to_be_empty()
    english = {text for text in page_words() if "{" not in text and catalog[page_key(text)] != text}
    assert not sorted(english & set(page.evaluate(TEXTS)))
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_language_is_chosen_and_kept_and_left_to_the_browser_again(opened: Open) -> None:
    page = opened("en-GB")
    for chosen, word in (("de", "Erzeugen"), ("en", "Generate"), ("fr", ""), ("", "Generate")):
        page.locator("#language").select_option(chosen)
        expect(page.locator("html")).to_have_attribute("lang", chosen or "en", timeout=LONG)
        if word:
            expect(page.locator("#generate")).to_have_text(word)
    page.locator("#language").select_option("de")
    expect(page.locator("html")).to_have_attribute("lang", "de", timeout=LONG)
    page.reload()
    expect(page.locator("#generate")).to_have_text("Erzeugen")


def test_whoever_reads_no_language_of_these_gets_english(opened: Open) -> None:
    for locale in ("pt-BR", "zh-TW"):
        expect(opened(locale).locator("#generate")).to_have_text("Generate")


def test_what_the_server_says_is_said_in_the_language_of_the_page(opened: Open) -> None:
    page = opened("de-DE")
    said = [
        ("Needs 12 GB, there are 8: it will crawl, or not run.", "12"),
        ("Version 0.1, the server 0.2.", "der Server 0.2"),
        ("Nobody knows what it needs: try it.", ""),
        ("Something that no catalog has.", "Something that no catalog has."),
    ]
    for sentence, words in said:
        meant = page.evaluate("(sentence) => said(sentence)", sentence)
        assert words in meant and (meant == words or meant != sentence), sentence
