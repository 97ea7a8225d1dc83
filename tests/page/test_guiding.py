"""Settings of single modes, styles and pictures to follow, chosen on the local page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image as Pillow
from playwright.sync_api import Page, expect

from acetate_bridge.protocol.limits import LONGEST_SIDE, SEED, STEPS, VARIANTS
from tests.page.test_page import LONG, generate


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Pillow.new("RGBA", (96, 64), (200, 30, 30, 255)).save(tmp_path / "boat.png")
    return tmp_path / "boat.png"


def recipe_of(page: Page, prompt: str) -> dict[str, Any]:
    shown = page.locator("article").filter(has_text=prompt).first
    expect(shown.locator("pre")).to_have_count(1, timeout=LONG)
    return json.loads(shown.locator("pre").text_content() or "")


def choose_mode(page: Page, mode: str) -> None:
    page.locator(f"#mode option[value={mode}]").wait_for(state="attached", timeout=LONG)
    page.get_by_label("What", exact=True).select_option(mode)


def name_of(page: Page, label: str) -> str:
    """The file that is chosen there."""
    return page.get_by_label(label).evaluate("input => input.files[0].name")


def guide(page: Page) -> None:
    expect(page.get_by_role("button", name="Generate")).to_be_enabled(timeout=LONG)
    page.locator("summary").filter(has_text="Guide it").click()


def test_styles_are_taken_at_their_weights_and_again_from_the_recipe(page: Page) -> None:
    guide(page)
    expect(page.locator("#styles")).to_contain_text("It listens to: inked lines")
    page.get_by_label("ink", exact=True).check()
    page.get_by_label("Weight of ink").fill("0.6")
    page.get_by_label("Weight of ink").blur()
    generate(page, "a styled boat")
    assert recipe_of(page, "a styled boat")["styles"] == {"ink.safetensors": 0.6}
    page.get_by_label("ink", exact=True).uncheck()
    page.get_by_role("button", name="Again: a styled boat").click()
    expect(page.get_by_label("ink", exact=True)).to_be_checked()
    expect(page.get_by_label("Weight of ink")).to_have_value("0.6")
    expect(page.get_by_label("wash", exact=True)).not_to_be_checked()


def test_pictures_are_followed_and_gone_by_in_their_order(page: Page, picture: Path) -> None:
    guide(page)
    page.get_by_role("button", name="Add a picture").click()
    generate(page, "a guided boat")
    expect(page.locator("#status")).to_contain_text("Choose first: Picture 1 to follow.")
    page.get_by_label("Picture 1 to follow").set_input_files(picture)
    expect(page.get_by_label("What to go by of picture 1")).to_be_visible()
    page.get_by_label("What to go by of picture 1").select_option("style")
    page.get_by_role("button", name="Add a picture").click()
    page.get_by_label("Picture 2 to follow").set_input_files(picture)
    page.get_by_label("Kind of picture 2").select_option("scribble")
    expect(page.get_by_label("What to go by of picture 2")).to_be_hidden()
    page.get_by_label("Strength of picture 2").fill("0.5")
    page.get_by_label("Strength of picture 2").blur()
    page.get_by_label("An ordinary picture").last.check()
    generate(page, "a guided boat")
    recipe = recipe_of(page, "a guided boat")
    first, second = recipe["control"], recipe["controls"][0]
    assert (first["kind"], first["strength"], first["aspect"]) == ("reference", 1, "style")
    assert (second["kind"], second["strength"], second["derived"]) == ("scribble", 0.5, True)
    page.get_by_role("button", name="Remove: Picture 1").click()
    expect(page.get_by_label("Kind of picture 1")).to_have_value("scribble")
    page.get_by_role("button", name="Again: a guided boat").click()
    expect(page.get_by_label("What to go by of picture 1")).to_have_value("style")
    expect(page.get_by_label("Strength of picture 2")).to_have_value("0.5")
    expect(page.locator("#follow-rows img:visible")).to_have_count(2)
    for place in (1, 2):
        assert name_of(page, f"Picture {place} to follow") == "boat.png"
    page.get_by_role("button", name="Remove: Picture 1").click()
    expect(page.get_by_label("Kind of picture 2")).to_have_count(0)
    choose_mode(page, "refine")
    assert name_of(page, "Picture 1 to follow") == "boat.png"
    page.reload()
    page.get_by_role("button", name="Again: a guided boat").click(timeout=LONG)
    expect(page.locator("#status")).to_contain_text("Choose the pictures again")
    expect(page.get_by_label("Kind of picture 2")).to_have_value("scribble")


def test_again_takes_the_picture_that_was_given_and_vary_waits_for_one_that_is_gone(
    page: Page, picture: Path
) -> None:
    choose_mode(page, "refine")
    page.locator("#pictures input[type=file]").first.set_input_files(picture)
    expect(page.locator("#pictures img:visible")).to_have_count(1)
    generate(page, "a tarred boat")
    recipe_of(page, "a tarred boat")
    choose_mode(page, "text")
    page.get_by_role("button", name="Again: a tarred boat").click()
    expect(page.locator("#pictures img:visible")).to_have_count(1)
    assert page.locator("#mode").input_value() == "refine"
    page.reload()
    page.get_by_role("button", name="Vary: a tarred boat").click(timeout=LONG)
    expect(page.locator("#status")).to_contain_text("Choose the pictures again")


def test_a_recipe_that_no_model_here_can_paint_leaves_the_form_as_it_is(page: Page) -> None:
    expect(page.get_by_role("button", name="Generate")).to_be_enabled(timeout=LONG)
    page.evaluate("() => safely(() => restore({ job: '' }, { mode: 'gone' }, true))")
    expect(page.locator("#status")).to_contain_text("No model that is known here can do that.")
    assert page.locator("#mode").input_value() == "text"


def test_each_mode_has_its_own_settings(page: Page, picture: Path) -> None:
    expect(page.get_by_label("Strength", exact=True)).to_have_count(0)
    choose_mode(page, "fill")
    page.get_by_label("What for").select_option("remove")
    expect(page.get_by_label("Strength", exact=True)).to_have_value("0.4")
    for zone in page.locator("#pictures input[type=file]").all()[:2]:
        zone.set_input_files(picture)
    generate(page, "a mended boat")
    recipe = recipe_of(page, "a mended boat")
    assert (recipe["mode"], recipe["fill"], recipe["strength"]) == ("fill", "remove", 0.4)
    choose_mode(page, "refine")
    page.get_by_label("Keep transparency").check()
    page.locator("#pictures input[type=file]").first.set_input_files(picture)
    generate(page, "a redrawn boat")
    assert recipe_of(page, "a redrawn boat")["keep_transparency"] is True


def test_a_layer_is_enlarged_at_its_own_size(page: Page, tmp_path: Path) -> None:
    Pillow.new("RGBA", (45, 27), (200, 30, 30, 255)).save(tmp_path / "odd.png")
    choose_mode(page, "upscale")
    page.get_by_label("Size", exact=True).fill("4")
    page.locator("#pictures input[type=file]").set_input_files(tmp_path / "odd.png")
    for useless in ("#prompt", "#width", "#avoid", "#guides"):
        expect(page.locator(useless)).to_be_hidden()
    expect(page.locator("#pictures img")).to_be_visible()
    with page.expect_request(
        lambda asked: asked.url.endswith("/v1/jobs") and asked.method == "POST"
    ) as sent:
        page.get_by_role("button", name="Generate").click()
    shown = page.locator("article").filter(has_text="180 × 108")
    expect(shown).to_have_count(1, timeout=LONG)
    recipe = json.loads(shown.locator("pre").text_content() or "")
    assert (recipe["mode"], recipe["scale"], recipe["prompt"]) == ("upscale", 4, "")
    frame = json.loads(sent.value.post_data or "")["frame"]
    assert (frame["size"]["width"], frame["size"]["height"]) == (45, 27)


def test_numbers_have_the_limits_of_the_command_line_and_are_refused_in_words(page: Page) -> None:
    expect(page.get_by_role("button", name="Generate")).to_be_enabled(timeout=LONG)
    for name, most in (("width", LONGEST_SIDE), ("height", LONGEST_SIDE)):
        assert page.locator(f"#{name}").get_attribute("max") == str(most)
    for name, bound in (("variants", VARIANTS), ("steps", STEPS), ("seed", SEED)):
        assert page.locator(f"#{name}").get_attribute("max") == f"{bound.most:.0f}"
    page.locator("summary").filter(has_text="More").click()
    page.get_by_label("Steps").fill("151")
    page.locator("summary").filter(has_text="More").click()
    generate(page, "a long boat")
    expect(page.locator("#status")).to_contain_text("Ask for 1 to 150 steps, not 151.")
    expect(page.locator("#status")).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_of_guiding(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    page.set_viewport_size({"width": 390, "height": 800})
    guide(page)
    page.get_by_role("button", name="Add a picture").click()
    choose_mode(page, "fill")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
