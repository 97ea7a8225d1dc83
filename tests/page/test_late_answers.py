"""What is answered, read or told late undoes nothing that a person has done on the page since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.page.test_guiding import choose_mode
from tests.page.test_page import generate, result

READ_LATE = """() => {
  const real = window.createImageBitmap.bind(window);
  window.reading = [];
  window.createImageBitmap = (file) =>
    new Promise((done, fail) => window.reading.push(() => real(file).then(done, fail)));
}"""
READ = "(which) => window.reading[which]()"
LAYER = "Drop or choose: the layer"


class Held:
    """What the page asks for at a path, unanswered until it is let go."""

    def __init__(self, page: Page, path: str) -> None:
        self._page, self._free = page, False
        self._routes: list[Route] = []
        page.route(path, self._take)

    def _take(self, route: Route) -> None:
        if self._free:
            route.continue_()
        else:
            self._routes.append(route)

    def wait(self) -> None:
        """Until the page has asked."""
        while not self._routes:
            self._page.evaluate("() => new Promise((turn) => setTimeout(turn))")

    def let_go(self) -> None:
        self._free = True
        for route in self._routes:
            route.continue_()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[str, int], Path]:
    def made(name: str, width: int) -> Path:
        Pillow.new("RGBA", (width, 64), (200, 30, 30, 255)).save(tmp_path / name)
        return tmp_path / name

    return made


def told_by(request: Request) -> dict[str, Any]:
    """The recipe, pictures and frame that a job was asked for with."""
    told = request.post_data_json
    assert told is not None
    return told


def is_order(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/v1/jobs")


def offered(page: Page) -> dict[str, Any]:
    """What the server offers, to be told again with a change."""
    return page.evaluate("() => askJson('/v1/models')")


def tell(page: Page, offer: dict[str, Any]) -> None:
    """Have the server offer this, and the page look."""
    page.route("**/v1/models", lambda route: route.fulfill(json=offer))
    page.evaluate("() => loadModels()")


def test_what_was_removed_while_nothing_was_told_goes_when_it_is_told_again(
    page: Page, context: BrowserContext
) -> None:
    generate(page, "a glass jug")
    result(page, "a glass jug")
    held = Held(page, "**/v1/events")
    page.reload()
    result(page, "a glass jug")
    other = context.new_page()
    other.goto(page.url)
    result(other, "a glass jug")
    other.get_by_role("button", name="Remove: a glass jug").click()
    expect(other.locator("article").filter(has_text="a glass jug")).to_have_count(0)
    held.let_go()
    expect(page.locator("article").filter(has_text="a glass jug")).to_have_count(0)


def test_what_is_asked_for_is_the_form_as_it_was(
    page: Page, picture: Callable[[str, int], Path]
) -> None:
    choose_mode(page, "fill")
    inputs = page.evaluate("() => modeNow().inputs.map((input) => input.name)")
    for name in inputs:
        page.locator(f"#input-{name}").set_input_files(picture(f"{name}.png", 64))
    held = Held(page, "**/v1/images")
    generate(page, "a mended cup")
    held.wait()
    choose_mode(page, "text")
    page.get_by_label("Variants").fill("2")
    with page.expect_request(is_order) as order:
        held.let_go()
    asked = told_by(order.value)
    assert set(asked["images"]) == set(inputs) and len(inputs) > 1
    assert (asked["recipe"]["mode"], asked["variants"]) == ("fill", 1)


def test_of_two_pictures_the_one_that_was_chosen_last_counts(
    page: Page, picture: Callable[[str, int], Path]
) -> None:
    choose_mode(page, "fill")
    page.evaluate(READ_LATE)
    for name, width in (("large.png", 192), ("small.png", 96)):
        page.locator("#input-layer").set_input_files(picture(name, width))
    for which in (1, 0):
        page.evaluate(READ, which)
    page.evaluate("() => new Promise((turn) => setTimeout(turn))")
    assert page.locator("#width").input_value() == "96"
    assert page.evaluate("() => state.pictures.get('layer').file.name") == "small.png"


def test_a_picture_that_is_still_being_read_is_waited_for(
    page: Page, picture: Callable[[str, int], Path]
) -> None:
    choose_mode(page, "upscale")
    page.evaluate(READ_LATE)
    page.locator("#input-layer").set_input_files(picture("wide.png", 160))
    with page.expect_request(is_order) as order:
        page.get_by_role("button", name="Generate").click()
        page.evaluate(READ, 0)
    assert told_by(order.value)["frame"]["region"]["width"] == 160


def test_what_is_no_picture_is_said_and_not_taken(page: Page, tmp_path: Path) -> None:
    choose_mode(page, "upscale")
    (tmp_path / "words.png").write_text("no picture")
    page.locator("#input-layer").set_input_files(tmp_path / "words.png")
    expect(page.locator("#status")).to_contain_text("words.png is no picture.")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#status")).to_contain_text("Choose first")


def test_of_two_results_that_are_taken_up_the_last_one_fills_the_form(
    page: Page, picture: Callable[[str, int], Path]
) -> None:
    choose_mode(page, "fill")
    inputs = page.evaluate("() => modeNow().inputs.map((input) => input.name)")
    for prompt in ("a first cup", "a second cup"):
        for name in inputs:
            page.locator(f"#input-{name}").set_input_files(picture(f"{prompt} {name}.png", 64))
        generate(page, prompt)
        result(page, prompt)
    page.evaluate(READ_LATE)
    for prompt in ("a first cup", "a second cup"):
        page.get_by_role("button", name=f"Again: {prompt}").first.click()
    for which in reversed(range(page.evaluate("() => window.reading.length"))):
        page.evaluate(READ, which)
    page.evaluate("() => new Promise((turn) => setTimeout(turn))")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a second cup")
    names = page.evaluate("() => [...state.pictures.values()].map(({ file }) => file.name)")
    assert names == [f"a second cup {name}.png" for name in inputs] and len(names) > 1


def test_what_is_filled_in_stays_when_another_mode_is_offered(
    page: Page, picture: Callable[[str, int], Path]
) -> None:
    choose_mode(page, "fill")
    page.locator("summary").filter(has_text="More").click()
    page.locator("#input-layer").set_input_files(picture("kept.png", 64))
    page.get_by_label("Steps").fill("33")
    offer = offered(page)
    count = len(offer["modes"])
    offer["modes"].append({**offer["modes"][0], "name": "another"})
    tell(page, offer)
    expect(page.locator("#mode option")).to_have_count(count + 1)
    expect(page.get_by_label("Steps")).to_have_value("33")
    assert page.locator("#input-layer").evaluate("input => input.files[0].name") == "kept.png"
    assert page.evaluate("() => state.pictures.get('layer').file.name") == "kept.png"


def test_an_accepted_licence_stays_accepted_while_another_model_is_fetched(page: Page) -> None:
    offer = offered(page)
    (model, *_) = offer["models"]
    wanted = {**model, "id": "wanted", "name": "Wanted", "state": "missing", "licences": ["mit"]}
    for progress in (0.1, 0.2):
        coming = {**model, "id": "coming", "name": "Coming", "state": "downloading"}
        tell(page, {**offer, "models": [model, wanted, {**coming, "progress": progress}]})
        expect(page.locator("#models")).to_contain_text(f"{progress * 100:.0f} %")
        box = page.locator("#models").get_by_role("checkbox")
        if progress == 0.1:
            box.check()
    expect(box).to_be_checked()


def test_an_older_answer_about_models_is_not_drawn_over_a_newer_one(page: Page) -> None:
    offer = offered(page)
    (model, *_) = offer["models"]
    old = {**model, "id": "old", "name": "Old", "state": "ready"}
    new = {**model, "id": "new", "name": "New", "state": "paused", "reason": ""}
    held = Held(page, "**/v1/setup")
    page.route("**/v1/models", lambda route: route.fulfill(json={**offer, "models": [model, old]}))
    page.evaluate("() => { window.late = loadModels(); }")
    held.wait()
    page.unroute("**/v1/models")
    page.evaluate("() => { loadModels.ready = 1; }")
    tell(page, {**offer, "models": [model, new]})
    held.let_go()
    page.evaluate("() => window.late")
    expect(page.locator("#models h3").filter(has_text="New")).to_have_count(1)
    expect(page.locator("#models h3").filter(has_text="Old")).to_have_count(0)


def test_what_was_to_be_varied_is_not_painted_in_the_mode_that_was_chosen_since(
    page: Page, picture: Callable[[str, int], Path]
) -> None:
    choose_mode(page, "upscale")
    page.locator("#input-layer").set_input_files(picture("varied.png", 48))
    with page.expect_response(lambda response: is_order(response.request)) as taken:
        page.get_by_role("button", name="Generate").click()
    job = taken.value.json()["job"]
    vary = page.locator(f"article[data-job='{job}']").get_by_role("button", name="Vary")
    expect(vary).to_be_visible()
    page.evaluate(READ_LATE)
    orders: list[Request] = []
    page.on("request", lambda request: orders.append(request) if is_order(request) else None)
    vary.click()
    choose_mode(page, "text")
    width = page.locator("#width").input_value()
    page.evaluate(READ, 0)
    with page.expect_request(is_order) as order:
        generate(page, "a cup of its own")
    assert told_by(order.value)["recipe"]["prompt"] == "a cup of its own"
    assert [told_by(each)["recipe"]["mode"] for each in orders] == ["text"]
    assert page.locator("#width").input_value() == width
