"""What a person does on the local page, in a real browser."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image as Pillow
from playwright.sync_api import BrowserContext, Page, expect

from acetate_bridge.client.page_link import page_link
from acetate_bridge.protocol.seeds import DRAWN
from tests.app.server_process import TOKEN, RunningServer

LONG = 300_000


def generate(page: Page, prompt: str) -> None:
    expect(page.get_by_role("button", name="Generate")).to_be_enabled(timeout=LONG)
    page.get_by_label("Prompt", exact=True).fill(prompt)
    page.get_by_role("button", name="Generate").click()


def result(page: Page, prompt: str) -> object:
    shown = page.locator("article").filter(has_text=prompt).first
    expect(shown.locator("img").first).to_have_js_property("complete", True, timeout=LONG)
    expect(shown.get_by_role("button", name=f"PNG: {prompt}").first).to_be_visible()
    return shown


def test_a_person_paints_and_takes_the_layer_away(page: Page, tmp_path: Path) -> None:
    generate(page, "a paper lantern")
    result(page, "a paper lantern")
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG: a paper lantern").first.click()
    download.value.save_as(tmp_path / "layer.png")
    with Pillow.open(tmp_path / "layer.png") as picture:
        assert picture.mode == "RGBA"
    with page.expect_download() as download:
        page.get_by_role("button", name="ORA: a paper lantern, all layers").first.click()
    download.value.save_as(tmp_path / "layers.ora")
    with zipfile.ZipFile(tmp_path / "layers.ora") as archive:
        assert archive.read("mimetype") == b"image/openraster"


def test_the_recipe_is_shown_and_used_again_or_varied(page: Page) -> None:
    generate(page, "a blue teapot")
    shown = page.locator("article").filter(has_text="a blue teapot").first
    expect(shown.locator("pre")).to_have_count(1, timeout=LONG)
    recipe = json.loads(shown.locator("pre").text_content() or "")
    page.get_by_label("Prompt", exact=True).fill("something else")
    size = page.locator("#width").input_value()
    page.locator("#width").fill("96")
    shown.get_by_role("button", name="Again: a blue teapot").click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a blue teapot")
    expect(page.locator("#width")).to_have_value(size)
    assert page.locator("#seed").input_value() == str(recipe["seed"])
    shown.get_by_role("button", name="Vary: a blue teapot").click()
    expect(page.locator("article").filter(has_text="a blue teapot")).to_have_count(2, timeout=LONG)
    varied = page.locator("article").filter(has_text="blue teapot").locator("pre")
    expect(varied).to_have_count(2, timeout=LONG)
    seeds = {json.loads(each)["seed"] for each in varied.all_text_contents()}
    assert len(seeds) == 2


def test_a_seed_is_drawn_as_everywhere_else(page: Page) -> None:
    expect(page.get_by_role("button", name="Generate")).to_be_enabled(timeout=LONG)
    drawn = page.evaluate(
        "() => { crypto.getRandomValues = (found) => found.fill(2 ** 32 - 1); "
        "return recipeNow().seed; }"
    )
    assert 0 <= drawn < DRAWN


def test_a_removed_result_stays_removed(page: Page) -> None:
    generate(page, "a clay pot")
    result(page, "a clay pot")
    page.get_by_role("button", name="Remove: a clay pot").click()
    expect(page.locator("article").filter(has_text="a clay pot")).to_have_count(0)
    page.reload()
    page.get_by_role("heading", name="Paint").wait_for()
    expect(page.locator("article").filter(has_text="a clay pot")).to_have_count(0)


def test_what_is_removed_in_one_tab_goes_from_the_other(
    page: Page, context: BrowserContext
) -> None:
    generate(page, "a tin drum")
    other = context.new_page()
    other.goto(page.url)
    result(other, "a tin drum")
    result(page, "a tin drum")
    page.get_by_role("button", name="Remove: a tin drum").click()
    for tab in (page, other):
        expect(tab.locator("article").filter(has_text="a tin drum")).to_have_count(0)


def test_a_waiting_job_is_painted_next_or_cancelled(page: Page) -> None:
    page.locator("summary").filter(has_text="More").click()
    expect(page.get_by_role("button", name="Generate")).to_be_enabled(timeout=LONG)
    page.get_by_label("Steps").fill("150")
    for prompt in ("the long one step=1", "the second", "the third"):
        generate(page, prompt)
        expect(page.locator("#queue li").filter(has_text=prompt)).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name="Later: the third")).to_be_hidden()
    page.get_by_role("button", name="Sooner: the third").click()
    expect(page.locator("#queue li").nth(1)).to_contain_text("the third", timeout=LONG)
    page.get_by_role("button", name="Later: the third").click()
    expect(page.locator("#queue li").nth(2)).to_contain_text("the third", timeout=LONG)
    page.get_by_role("button", name="Paint next: the third").click()
    expect(page.locator("#queue li").nth(1)).to_contain_text("the third", timeout=LONG)
    page.get_by_role("button", name="Cancel: the second").click()
    cancelled = page.locator("article").filter(has_text="the second")
    expect(cancelled).to_contain_text("Cancelled.", timeout=LONG)
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator("#queue li")).to_have_count(0, timeout=LONG)


def hear_late(page: Page, prompt: str, tells: dict[str, object]) -> None:
    """Have the page hear of a job once more, as it was before, and wait until it is drawn."""
    page.evaluate(
        "([prompt, tells]) => { const job = [...state.jobs.values()]"
        ".find((one) => one.recipe.prompt === prompt); take({ ...job, ...tells }); }",
        [prompt, tells],
    )
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")


def test_an_answer_that_comes_after_the_end_of_its_job_puts_it_back_into_no_queue(
    page: Page,
) -> None:
    generate(page, "a wooden spoon")
    result(page, "a wooden spoon")
    hear_late(page, "a wooden spoon", {"state": "running"})
    expect(page.locator("#queue li")).to_have_count(0)
    expect(page.locator("article").filter(has_text="a wooden spoon")).to_have_count(1)


def test_an_event_that_comes_after_its_result_was_removed_does_not_show_it_again(
    page: Page,
) -> None:
    generate(page, "a brass bell")
    result(page, "a brass bell")
    page.get_by_role("button", name="Remove: a brass bell").click()
    expect(page.locator("article").filter(has_text="a brass bell")).to_have_count(0)
    for state in ("done", "running"):
        hear_late(page, "a brass bell", {"state": state, "acknowledged": False})
        expect(page.locator("#queue li")).to_have_count(0)
        expect(page.locator("article").filter(has_text="a brass bell")).to_have_count(0)


def test_reloading_in_mid_job_loses_nothing_and_two_tabs_agree(
    page: Page, context: BrowserContext
) -> None:
    page.locator("summary").filter(has_text="More").click()
    expect(page.get_by_role("button", name="Generate")).to_be_enabled(timeout=LONG)
    page.get_by_label("Steps").fill("60")
    generate(page, "a slow ship step=0.5")
    expect(page.locator("#queue li").filter(has_text="a slow ship")).to_be_visible(timeout=LONG)
    page.reload()
    other = context.new_page()
    other.goto(page.url)
    for tab in (page, other):
        shown = tab.locator("article").filter(has_text="a slow ship")
        expect(shown.get_by_role("button", name="PNG: a slow ship step=0.5")).to_be_visible(
            timeout=LONG
        )


def test_a_picture_is_dropped_in_where_a_mode_needs_one(page: Page, tmp_path: Path) -> None:
    Pillow.new("RGBA", (90, 70), (200, 30, 30, 255)).save(tmp_path / "boat.png")
    page.locator("#mode option[value=echo]").wait_for(state="attached", timeout=LONG)
    page.get_by_label("What").select_option("echo")
    generate(page, "open sea")
    expect(page.locator("#status")).to_contain_text("Choose first: the picture to give back.")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "boat.png")
    expect(page.get_by_label("Width")).to_have_value("90")
    page.get_by_role("button", name="Generate").click()
    shown = page.locator("article").filter(has_text="open sea").first
    expect(shown.locator("figcaption").first).to_contain_text("90 × 70", timeout=LONG)


def test_the_card_says_what_is_in_place_and_what_runs_well(page: Page) -> None:
    card = page.locator("#setup .part")
    expect(card.filter(has_text="program")).to_contain_text("Apache-2.0", timeout=LONG)
    expect(card.filter(has_text="server")).to_contain_text("here")
    expect(page.locator("#machine")).to_contain_text("GB free for models")


def test_a_link_opens_the_page_once(context: BrowserContext, server: RunningServer) -> None:
    address = page_link(server.runtime)
    page = context.new_page()
    page.goto(address)
    page.get_by_role("heading", name="Paint").wait_for()
    assert "open=" not in page.url
    page.evaluate("localStorage.clear()")
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#status")).to_contain_text("This link has been used")
    expect(page.get_by_label("Token")).to_be_visible()


def test_whoever_has_the_token_may_paste_it(context: BrowserContext, server: RunningServer) -> None:
    page = context.new_page()
    page.goto(f"http://{server.runtime.address}/")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("heading", name="Paint").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nobody_is_kept_out(page: Page, scheme: str, width: int) -> None:
    """Names, contrast and order as axe checks them; nothing to scroll sideways on a phone."""
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    page.set_viewport_size({"width": width, "height": 800})
    generate(page, "a green kite")
    result(page, "a green kite")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    expect(page.get_by_role("button", name="Generate")).to_be_enabled(timeout=LONG)
    page.get_by_label("What").focus()
    reached = set[str]()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"prompt", "width", "height", "variants", "SUMMARY", "generate"} <= reached
    page.get_by_label("Prompt", exact=True).fill("a brass key")
    page.get_by_label("Prompt", exact=True).press("Control+Enter")
    result(page, "a brass key")


def test_the_page_asks_no_other_host(context: BrowserContext, server: RunningServer) -> None:
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url))
    page = context.new_page()
    page.goto(page_link(server.runtime))
    page.get_by_role("heading", name="Paint").wait_for()
    own = (f"http://{server.runtime.address}/", f"blob:http://{server.runtime.address}/")
    assert [url for url in asked if not url.startswith(own)] == []
