"""What guides a painting, from the fold of the docker to the recipe, by the hand of a painter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.protocol.following import controls_of
from acetate_bridge.protocol.types import Recipe
from tests.app.server_process import RunningServer
from tests.editors.krita.desk import Desk
from tests.editors.own_things import BASE, STYLE, OwnThings, asked_last
from tests.editors.patience import NotInTime

pytestmark = pytest.mark.slow

GUIDES = "panel().guides"
FOLLOW, STYLES = f"{GUIDES}.lists['follow']", f"{GUIDES}.lists['styles']"
PRESET, FRAME = f"{GUIDES}.form.inputs['preset']", f"{GUIDES}.form.inputs['frame']"
MODEL = "panel().details.inputs['model']"


def click(desk: Desk, widget: str) -> None:
    """Click on a widget of the panel, which may have to be scrolled to."""
    while astray := desk.ask(f"astray({widget})"):
        (x, y), before = desk.ask("[place(bar()), bar().value()]")
        wheel = "5" if astray > 0 else "4"
        desk.screen.do("xdotool", "mousemove", str(x), str(y), "click", wheel)
        desk.wait(lambda before=before: desk.ask("bar().value()") != before)
    desk.click(widget)


def pick(desk: Desk, menu: str, name: str) -> None:
    """Choose an entry of a menu; once more where it opened late, as people do.

    Qt then takes the end of the click that opened it for a choice, and the next click opens it.
    """
    for _ in range(3):
        if not desk.ask(f"is_open({menu})"):
            click(desk, menu)
        if desk.soon(lambda: desk.ask(f"is_open({menu})")):
            x, y = desk.ask(f"entry({menu}, {name!r})")
            desk.screen.do("xdotool", "mousemove", str(x), str(y), "click", "1")
        if desk.soon(lambda: desk.ask(f"not is_open({menu}) and {menu}.currentData() == {name!r}")):
            return
    desk.picture("not-chosen")
    raise NotInTime(f"{name!r} was never chosen; {desk.view()}")


def fill_in(desk: Desk, field: str, words: str) -> None:
    """Type into a field in place of what stands there."""
    click(desk, field)
    desk.screen.key("ctrl+a")
    desk.screen.type(words)


def slide(desk: Desk, slider: str, percent: int) -> None:
    """Set a slider by mouse and arrow keys."""
    click(desk, slider)
    away = desk.ask(f"{slider}.value()") - percent
    desk.screen.key(*["Left" if away > 0 else "Right"] * abs(away))
    desk.wait(lambda: desk.ask(f"{slider}.value()") == percent)


def paint(desk: Desk, server: RunningServer) -> tuple[Recipe, Recipe]:
    """Press Generate; returns the recipe that the server was given, and the new layer's."""
    before = set(desk.names())
    desk.wait(lambda: desk.view()["can_generate"])
    click(desk, "panel().button")
    desk.wait(lambda: set(desk.names()) > before)
    desk.ready()
    (new,) = set(desk.names()) - before
    recipe = read_recipe(desk.ask(f"layer_recipe({new!r})"))
    assert recipe is not None
    return asked_last(server), recipe


def unfolded(desk: Desk, fold: str, inner: str) -> None:
    click(desk, fold)
    desk.wait(lambda: desk.ask(f"{inner}.isVisible()"))


@pytest.fixture
def things(server: RunningServer, folder: Path) -> Iterator[OwnThings]:
    """Brought anew for each editor, as the story forgets the style; ask for it before the panel."""
    found = OwnThings(server, folder)
    found.bring()
    yield found
    found.take_away()


@pytest.fixture
def sheet(desk: Desk) -> Iterator[Desk]:
    """A sketch and a coloured layer on white paper, and the fold open."""
    desk.krita.run("from tests.editors.krita.guiding import *")
    desk.fresh()
    with desk.settings_kept():
        desk.krita.run(
            "add_painted('colours', [(60, 60, 240, 240)], [40, 90, 230])\n"
            "add_painted('sketch', [(200, 120, 240, 8), (200, 320, 240, 8)], [0, 0, 0])\n"
            "panel()._actions.set_mode('text')\n"
            "panel()._actions.set_field('steps', 6)\n"
        )
        desk.write("a red apple")
        unfolded(desk, f"{GUIDES}.fold", f"{GUIDES}.inner")
        yield desk
        desk.krita.run("panel()._actions.set_guides_open(False)")
    desk.fresh()


def test_layers_are_followed_from_the_fold_to_the_recipe(
    sheet: Desk, server: RunningServer
) -> None:
    sheet.choose("sketch")
    click(sheet, f"{FOLLOW}.more")
    sheet.wait(lambda: [each["name"] for each in sheet.ask("entries('follow')")] == ["sketch"])
    click(sheet, f"{FOLLOW}.more")
    sheet.wait(lambda: len(sheet.ask("entries('follow')")) == 2)
    second = f"{FOLLOW}.forms[1].inputs"
    layers = dict(
        sheet.ask(
            "[(each.label, each.name) for each in "
            "panel()._view.lists['follow'].entries[1]['layer'].choices]"
        )
    )
    pick(sheet, f"{second}['layer']", layers["colours"])
    pick(sheet, f"{second}['kind']", "reference")
    slide(sheet, f"{second}['strength']", 60)
    sheet.picture("follow")
    asked, painted = paint(sheet, server)
    for recipe in (asked, painted):
        followed = [(each.kind, each.strength) for each in controls_of(recipe)]
        assert followed == [("scribble", 1.0), ("reference", 0.6)]
    sheet.picture("followed")

    click(sheet, f"{FOLLOW}.removes[1]")
    click(sheet, f"{FOLLOW}.removes[0]")
    sheet.wait(lambda: sheet.ask("entries('follow')") == [])
    click(sheet, "panel().history.buttons[0]")
    sheet.wait(lambda: len(sheet.ask("entries('follow')")) == 2)
    chosen = [(each["name"], each["strength"]) for each in sheet.ask("entries('follow')")]
    assert chosen == [("sketch", 1.0), ("colours", 0.6)], "the history knows what it followed"

    sheet.choose("sketch")
    sheet.krita.run("Krita.instance().action('remove_layer').trigger()")
    sheet.wait(lambda: "sketch" not in sheet.names())
    missing = "The layer “sketch” to follow is not in this image: choose another one."
    sheet.wait(lambda: missing in sheet.view()["why_not"])
    assert not sheet.view()["can_generate"]
    sheet.picture("follow-missing")
    assert missing in sheet.view()["status"], "it is said, and not only beside the pointer"
    pick(sheet, f"{FOLLOW}.forms[0].inputs['layer']", layers["colours"])
    sheet.wait(lambda: sheet.view()["can_generate"])


@pytest.mark.exhaustive
def test_a_preset_is_kept_by_name_and_chosen_in_one_click(
    sheet: Desk, server: RunningServer
) -> None:
    fill_in(sheet, FRAME, "{prompt}, a paper cut-out")
    fill_in(sheet, f"{GUIDES}.name", "Storybook")
    click(sheet, f"{GUIDES}.save")
    sheet.wait(lambda: "The preset “Storybook” is kept." in sheet.view()["status"])
    sheet.picture("preset-kept")
    pick(sheet, PRESET, "")
    fill_in(sheet, FRAME, "nothing of the kind")
    sheet.krita.run("panel()._actions.set_field('steps', 3)")
    pick(sheet, PRESET, "Storybook")
    sheet.wait(lambda: sheet.ask(f"{FRAME}.text()") == "{prompt}, a paper cut-out")
    asked, painted = paint(sheet, server)
    for recipe in (asked, painted):
        assert recipe.prompt == "a red apple, a paper cut-out"
        assert (recipe.preset, recipe.steps) == ("Storybook", 6)
    sheet.picture("preset")


@pytest.mark.exhaustive
def test_a_style_is_chosen_and_a_missing_one_is_named_with_its_cure(
    things: OwnThings, sheet: Desk, server: RunningServer
) -> None:
    unfolded(sheet, "panel().details.fold", "panel().details.fields")
    pick(sheet, MODEL, BASE)
    sheet.krita.run("panel()._actions.set_field('steps', 2)")
    click(sheet, f"{STYLES}.more")
    sheet.wait(lambda: [each["style"] for each in sheet.ask("entries('styles')")] == [STYLE])
    fill_in(sheet, f"{STYLES}.forms[0].inputs['weight']", "0.7")
    sheet.screen.key("Return")
    sheet.wait(lambda: sheet.ask("entries('styles')")[0]["weight"] == 0.7)
    sheet.picture("style")
    asked, painted = paint(sheet, server)
    assert asked.model == painted.model == BASE
    assert asked.styles == painted.styles == {STYLE: 0.7}
    assert STYLE in painted.files, "its hash is there, so that another one is noticed"

    things.forget_style()
    sheet.wait(lambda: "no style called “ink”" in sheet.view()["why_not"])
    assert "acetate models import" in sheet.view()["why_not"]
    assert not sheet.view()["can_generate"]
    sheet.picture("style-missing")
    assert "no style called “ink”" in sheet.view()["status"]
    click(sheet, f"{STYLES}.removes[0]")
    sheet.wait(lambda: sheet.view()["can_generate"])
