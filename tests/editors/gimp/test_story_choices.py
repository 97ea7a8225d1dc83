"""What guides a painting, from the fold of the panel to the recipe, by the hand of a painter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.protocol.following import controls_of
from acetate_bridge.protocol.types import Recipe
from tests.app.server_process import RunningServer
from tests.editors.gimp.conftest import assert_no_fault, assert_quiet
from tests.editors.gimp.desk import Desk
from tests.editors.gimp.looking import Looking
from tests.editors.gimp.session import Gimp
from tests.editors.own_things import BASE, STYLE, OwnThings, asked_last
from tests.editors.screen import Screen

pytestmark = pytest.mark.slow

FOLLOW, STYLES = "panel().guides.lists['follow']", "panel().guides.lists['styles']"
FORM = "panel().guides.form.inputs"
MODEL = "panel().details.inputs['model']"


class Hand:
    """Clicks on the panel's widgets where they are seen."""

    def __init__(self, desk: Desk, looking: Looking) -> None:
        self.desk, self.ask = desk, looking.ask

    def click(self, widget: str) -> None:
        """Click on a widget, which may have to be scrolled to."""
        desk = self.desk
        desk.screen.focus(desk.window)
        while astray := self.ask(f"astray({widget})"):
            x, y = self.ask("bar()")
            wheel = "5" if astray > 0 else "4"
            before = self.ask(f"place({widget})")
            desk.screen.do("xdotool", "mousemove", str(x), str(y), "click", wheel)
            desk.wait(lambda before=before: self.ask(f"place({widget})") != before)
        self.press(*self.ask(f"place({widget})"))

    def press(self, x: int, y: int) -> None:
        self.desk.screen.do("xdotool", "mousemove", str(x), str(y), "click", "1")

    def pick(self, menu: str, name: str) -> None:
        """Choose an entry of a menu."""
        self.click(menu)
        self.desk.wait(lambda: self.ask(f"is_open({menu})"))
        self.press(*self.ask(f"entry({menu}, {name!r})"))
        self.desk.wait(lambda: not self.ask(f"is_open({menu})"))
        self.desk.wait(lambda: self.ask(f"{menu}.get_active_id()") == name)

    def fill_in(self, field: str, words: str) -> None:
        """Type into a field in place of what stands there."""
        self.click(field)
        self.desk.screen.key("ctrl+a")
        self.desk.screen.type(words)
        self.desk.wait(lambda: self.ask(f"{field}.get_text()") == words)

    def slide(self, slider: str, percent: int) -> None:
        """Set a slider by mouse and keys: where a click takes it is a matter of pixels."""
        self.click(slider)
        self.desk.screen.key("Home")
        least = self.ask(f"{slider}.get_adjustment().get_lower()")
        self.desk.wait(lambda: self.ask(f"{slider}.get_value()") == least)
        step = self.ask(f"{slider}.get_adjustment().get_step_increment()")
        self.desk.screen.key(*["Right"] * round((percent - least) / step))
        self.desk.wait(lambda: round(self.ask(f"{slider}.get_value()")) == percent)

    def paint(self, server: RunningServer) -> tuple[Recipe, Recipe]:
        """Press Generate; returns the recipe that the server was given, and the new layer's."""
        desk, before = self.desk, set(self.desk.names())
        desk.wait(lambda: self.ask("view()")["can_generate"])
        self.click("panel().button")
        desk.wait(lambda: set(desk.names()) > before)
        desk.wait_for("Ready")
        (new,) = set(desk.names()) - before
        text = desk.gimp.run(
            f"(layer,) = [each for each in image.get_layers() if each.get_name() == {new!r}]\n"
            "answer = about(layer.get_id())['recipe']"
        )
        recipe = read_recipe(text)
        assert recipe is not None
        return asked_last(server), recipe

    def entries(self, name: str) -> list[dict[str, object]]:
        return self.ask(f"entries({name!r})")


@pytest.fixture
def things(server: RunningServer, folder: Path) -> Iterator[OwnThings]:
    """Brought anew for each editor, as the story forgets the style; ask for it before the panel."""
    found = OwnThings(server, folder)
    found.bring()
    yield found
    found.take_away()


@pytest.fixture(scope="module")
def desk(
    suite: str, screen: Screen, folder: Path, reach: dict[str, str], looking: Looking
) -> Iterator[Desk]:
    settings = folder / f"guides-{suite}" / "panel.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"steps": {"embedded": 6, BASE: 2}}))
    environment = {**reach, **looking.environment, "ACETATE_CONFIG_DIR": str(settings.parent)}
    gimp = Gimp(suite, folder / f"guides-home-{suite}", screen, environment)
    try:
        desk = Desk(gimp, screen)
        desk.write("a red apple")
        yield desk
    finally:
        gimp.close()
        assert_quiet(gimp)
        assert_no_fault(reach)


@pytest.fixture
def hand(desk: Desk, looking: Looking) -> Iterator[Hand]:
    """A sketch and a coloured layer in a new image, and the fold open."""
    desk.close_image()
    desk.new_image()
    desk.gimp.run(
        "add_picture(image, 'colours', 60, 60, 240, 240, solid=(230, 90, 40, 255))\n"
        "add_picture(image, 'sketch', 200, 120, 240, 40, solid=(0, 0, 0, 255))"
    )
    found = Hand(desk, looking)
    desk.screen.focus(desk.window)
    desk.wait(lambda: found.ask("active()") == "sketch")
    if not found.ask("panel().guides.get_expanded()"):
        found.click("panel().guides.get_label_widget()")
        desk.wait(lambda: found.ask("panel().guides.get_expanded()"))
    return found


def test_layers_are_followed_from_the_fold_to_the_recipe(
    hand: Hand, desk: Desk, server: RunningServer
) -> None:
    hand.click(f"{FOLLOW}.more")
    desk.wait(lambda: [each["name"] for each in hand.entries("follow")] == ["sketch"])
    hand.click(f"{FOLLOW}.more")
    desk.wait(lambda: len(hand.entries("follow")) == 2)
    second = f"{FOLLOW}.forms[1].inputs"
    layers = dict(
        hand.ask(
            "[(each.label, each.name) for each in "
            "window().controller.view.lists['follow'].entries[1]['layer'].choices]"
        )
    )
    hand.pick(f"{second}['layer']", layers["colours"])
    hand.pick(f"{second}['kind']", "reference")
    hand.slide(f"{second}['strength']", 60)
    desk.picture("follow")
    asked, painted = hand.paint(server)
    for recipe in (asked, painted):
        followed = [(each.kind, each.strength) for each in controls_of(recipe)]
        assert followed == [("scribble", 1.0), ("reference", 0.6)]

    hand.click(f"{FOLLOW}.removes[1]")
    hand.click(f"{FOLLOW}.removes[0]")
    desk.wait(lambda: hand.entries("follow") == [])
    hand.click("thumbnail(0)")
    desk.wait(lambda: len(hand.entries("follow")) == 2)
    chosen = [(each["name"], each["strength"]) for each in hand.entries("follow")]
    assert chosen == [("sketch", 1.0), ("colours", 0.6)], "the history knows what it followed"

    desk.gimp.run(
        "image.remove_layer(next(e for e in image.get_layers() if e.get_name() == 'sketch'))"
    )
    missing = "The layer “sketch” to follow is not in this image: choose another one."
    desk.wait_for(missing)
    assert not hand.ask("panel().button.get_sensitive()")
    desk.picture("follow-missing")
    hand.pick(f"{FOLLOW}.forms[0].inputs['layer']", layers["colours"])
    desk.wait(lambda: hand.ask("panel().button.get_sensitive()"))
    hand.click(f"{FOLLOW}.removes[1]")
    hand.click(f"{FOLLOW}.removes[0]")
    desk.wait(lambda: hand.entries("follow") == [])


def test_a_preset_is_kept_by_name_and_chosen_in_one_click(
    hand: Hand, desk: Desk, server: RunningServer
) -> None:
    hand.fill_in(f"{FORM}['frame']", "{prompt}, a paper cut-out")
    hand.fill_in("panel().guides.name", "Storybook")
    hand.click("panel().guides.save")
    desk.wait_for("The preset “Storybook” is kept.")
    desk.picture("preset-kept")
    hand.pick(f"{FORM}['preset']", "")
    hand.fill_in(f"{FORM}['frame']", "nothing of the kind")
    hand.pick(f"{FORM}['preset']", "Storybook")
    frame = f"{FORM}['frame'].get_text()"
    desk.wait(lambda: hand.ask(frame) == "{prompt}, a paper cut-out")
    asked, painted = hand.paint(server)
    for recipe in (asked, painted):
        assert recipe.prompt == "a red apple, a paper cut-out"
        assert (recipe.preset, recipe.steps) == ("Storybook", 6)
    hand.pick(f"{FORM}['preset']", "")


def test_a_style_is_chosen_and_a_missing_one_is_named_with_its_cure(
    things: OwnThings, hand: Hand, desk: Desk, server: RunningServer
) -> None:
    hand.click("panel().details.get_label_widget()")
    desk.wait(lambda: hand.ask("panel().details.get_expanded()"))
    hand.pick(MODEL, BASE)
    desk.wait(lambda: BASE in desk.panel()["status"])
    desk.wait(lambda: hand.ask(f"{STYLES}.more.get_sensitive()"))
    hand.click(f"{STYLES}.more")
    desk.wait(lambda: [each["style"] for each in hand.entries("styles")] == [STYLE])
    weight = f"{STYLES}.forms[0].inputs['weight']"
    hand.click(weight)
    desk.screen.key("ctrl+a")
    desk.screen.type("0.7")
    desk.screen.key("Tab")
    desk.wait(lambda: hand.entries("styles")[0]["weight"] == 0.7)
    desk.picture("style")
    asked, painted = hand.paint(server)
    assert asked.model == painted.model == BASE
    assert asked.styles == painted.styles == {STYLE: 0.7}
    assert STYLE in painted.files, "its hash is there, so that another one is noticed"

    things.forget_style()
    said = desk.wait_for("no style called “ink”")
    assert "acetate models import" in said
    assert not hand.ask("panel().button.get_sensitive()")
    desk.picture("style-missing")
    hand.click(f"{STYLES}.removes[0]")
    desk.wait(lambda: hand.ask("panel().button.get_sensitive()"))
    desk.assert_undisturbed()
