"""Runs inside GIMP: the panel's widgets by themselves, drawn from views that a test makes up."""

# pyright: reportMissingImports=false
from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GimpUi, GLib, Gtk  # noqa: E402

from acetate_bridge.panel.completion import Completion  # noqa: E402
from acetate_bridge.panel.menus import mode_choices, model_choices  # noqa: E402
from acetate_bridge.panel.view import (  # noqa: E402
    Button,
    FieldView,
    LayerPrompt,
    OfferView,
    PanelView,
    ProgressView,
    QueuedJob,
    Status,
    Thumbnail,
)
from acetate_bridge.protocol.messages import ModeInfo, ModelInfo, Models  # noqa: E402
from tests.editors.contract_pictures import picture  # noqa: E402
from tests.editors.gimp import guide_checks, panel_checks  # noqa: E402
from widgets.panel import Panel  # noqa: E402

TITLE = "Acetate widgets"
_ABLE = ["text", "background", "refine"]
OFFER = Models(
    [
        ModelInfo("embedded", "Embedded model", "embedded", _ABLE),
        ModelInfo(
            "sdxl",
            "Stable Diffusion XL",
            "sdxl",
            [*_ABLE, "joint"],
            state="missing",
            bytes_total=13_600_000_000,
        ),
    ],
    [ModeInfo(name) for name in _ABLE],
)


def set_fields(**given: FieldView) -> dict[str, FieldView]:
    """All fields as they are at first but for those that are given."""
    return {**PanelView().fields, **given}


QUIET = PanelView(
    modes=mode_choices(OFFER),
    fields=set_fields(model=FieldView("embedded", choices=model_choices(OFFER, "text"))),
    model="embedded",
    prompt="a paper lantern, glowing",
    sentence="Paints 512 × 384 at the selection (40, 30).",
    can_generate=True,
    status=Status("Ready · Embedded model"),
)
_PICTURES = tuple(
    Thumbnail(picture(64, 48, turn=turn * 60), f"paper lantern · seed {turn}") for turn in range(3)
)
PROGRESS = ProgressView(0.55, "step 11 of 20 · 3 s left", 11, 20, "3 s left")
BUSY = replace(
    QUIET,
    running=True,
    queue=(QueuedJob("one", "paper lantern", "harbour.xcf", True, PROGRESS),),
    preview=picture(64, 48),
    status=Status("Painting “paper lantern”.", "working"),
)
DONE = replace(
    QUIET,
    can_regenerate=True,
    can_try_again=True,
    more_open=True,
    results=(
        replace(_PICTURES[0], kept=True, shown=True),
        replace(_PICTURES[1], shown=True),
        replace(_PICTURES[2], warning="It has no transparency."),
    ),
    history=_PICTURES,
)
TROUBLE = replace(
    QUIET,
    mode="joint",
    prompt="",
    layer_prompts=(LayerPrompt("foreground", "In front"), LayerPrompt("background", "Behind")),
    can_generate=False,
    why_not="Say what to paint first.",
    offer=OfferView("“paper lantern” is ready, but “harbour.xcf” was closed.", picture(64, 48)),
    status=Status("The server is not running.", "notice", Button("Start", "start_server")),
)
VIEWS = {"quiet": QUIET, "busy": BUSY, "done": DONE, "trouble": TROUBLE}


class Bench:
    """A window with the panel in it; `heard` is what the panel asked of its controller.

    `peeked` is what the pointer asked of it, which may rest anywhere on the screen.
    """

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.peeked: list[tuple[Any, ...]] = []
        self.names: tuple[Completion, ...] = ()
        self.panel = Panel(self)  # type: ignore[arg-type]
        self.window = Gtk.Window(title=TITLE, default_width=360, default_height=640)
        self.window.add(self.panel)
        self.draw(QUIET)
        self.window.show()

    def complete(self, prompt: str, cursor: int) -> tuple[Completion, ...]:
        """What there is to complete with, which asks for nothing."""
        return tuple(each for each in self.names if each.end == cursor)

    def __getattr__(self, name: str) -> Callable[..., None]:
        told = self.peeked if name.startswith("peek") else self.heard
        return lambda *values: told.append((name, *values))

    def draw(self, view: PanelView) -> None:
        self.view = view
        self.panel.draw(view)
        self.settle()
        self.heard.clear()

    def settle(self, seconds: float = 0.05) -> None:
        until, turns = time.monotonic() + seconds, 0
        while Gtk.events_pending() or turns < 50 or time.monotonic() < until:
            GLib.MainContext.default().iteration(False)
            turns += 1

    def all(self, kind: type, within: Gtk.Widget | None = None) -> list[Any]:
        """All widgets of a kind that can be seen."""
        found: list[Any] = []

        def look(widget: Gtk.Widget) -> None:
            if isinstance(widget, kind) and widget.get_mapped():
                found.append(widget)
            if isinstance(widget, Gtk.Container):
                widget.forall(look)

        look(within or self.window)
        return found

    def click(self, words: str) -> None:
        """Click the button with these words."""
        labels = {each: each.get_label() or "" for each in self.all(Gtk.Button)}
        same = [each for each, label in labels.items() if label == words]
        (button,) = same or [each for each, label in labels.items() if words in label]
        assert button.get_sensitive(), words
        button.clicked()

    def mode_box(self) -> Gtk.ComboBox:
        return next(
            each for each in self.all(Gtk.ComboBox) if each.get_active_id() == self.view.mode
        )

    def words(self) -> list[str]:
        return [label.get_text() for label in self.all(Gtk.Label)]


def check_a_mode_that_nothing_can_do_is_greyed_and_says_why(bench: Bench) -> None:
    bench.draw(QUIET)
    box = bench.mode_box()
    rows = {row[0]: (row[1], row[2]) for row in box.get_model()}
    assert {name for name, (_, able) in rows.items() if able} == {*_ABLE, "joint"}
    assert "Needs Stable Diffusion XL, 13.6 GB" in rows["joint"][0]
    for words, able in rows.values():
        assert able or "No model" in words, words
    box.set_active_id("refine")
    assert bench.heard == [("set_mode", "refine")]


def check_every_field_tells_what_the_painter_sets(bench: Bench) -> None:
    bench.draw(replace(DONE, fields={**DONE.fields, "scale": FieldView(2, False)}))
    bench.panel.prompts.text.get_buffer().set_text("a boat")
    (avoid,) = [each for each in _entries(bench) if not isinstance(each, Gtk.SpinButton)]
    avoid.set_text("fog")
    spins = [each for each in bench.all(Gtk.SpinButton) if each.is_sensitive()]
    for spin in spins:
        spin.set_value(spin.get_value() + spin.get_increments().step)
    bench.click("L_ock")
    (model,) = [each for each in bench.all(Gtk.ComboBox) if each.get_active_id() == "embedded"]
    model.set_active_id("sdxl")
    assert ("set_prompt", "a boat") in bench.heard
    said = {name: value for action, name, *value in bench.heard if action == "set_field"}
    assert said == {
        "negative_prompt": ["fog"],
        "steps": [21],
        "guidance": [3.5],
        "seed": [1],
        "seed_locked": [True],
        "variants": [2],
        "model": ["sdxl"],
    }, said


def check_strength_is_for_repainting_alone(bench: Bench) -> None:
    for applies in (False, True):
        strength = FieldView(0.25, applies)
        fields = {**DONE.fields, "strength": strength}
        bench.draw(replace(DONE, mode="refine", fields=fields))
        (scale,) = bench.all(Gtk.Scale)
        assert scale.get_sensitive() == applies and scale.get_value() == 25
    scale.set_value(40)
    assert bench.heard == [("set_field", "strength", 0.4)]


def check_results_can_be_chosen_kept_and_discarded(bench: Bench) -> None:
    bench.draw(DONE)
    strips = [each for each in bench.all(Gtk.Button) if each.get_label() is None]
    strips = [each for each in strips if "seed" in (each.get_tooltip_text() or "")]
    assert len(strips) == 6
    assert strips[2].get_tooltip_text() == "paper lantern · seed 2 · It has no transparency."
    strips[2].clicked()
    strips[4].clicked()
    bench.click("_Keep")
    bench.click("_Discard")
    bench.click("Ane_w")
    bench.click("Another _try")
    assert bench.heard == [
        ("swap", 2),
        ("restore", 1),
        ("keep", 1),
        ("discard",),
        ("regenerate",),
        ("another_try",),
    ]
    assert {"kept", "shown", "check"} <= set(bench.words())


def check_the_pointer_on_a_result_and_on_the_preview_shows_it_in_place(bench: Bench) -> None:
    def pointer(widget: Gtk.Widget, comes: bool) -> None:
        kind = Gdk.EventType.ENTER_NOTIFY if comes else Gdk.EventType.LEAVE_NOTIFY
        bench.peeked.clear()
        widget.emit("enter-notify-event" if comes else "leave-notify-event", Gdk.Event.new(kind))
        bench.settle()

    bench.draw(DONE)
    thumbnails = [each for each in bench.all(Gtk.Button) if each.get_label() is None]
    second = next(each for each in thumbnails if "seed 1" in (each.get_tooltip_text() or ""))
    pointer(second, True)
    assert ("peek", 1) in bench.peeked
    pointer(second, False)
    assert ("peek_nothing",) in bench.peeked
    bench.draw(BUSY)
    (preview,) = [each for each in bench.all(Gtk.EventBox) if type(each).__name__ == "Peeked"]
    pointer(preview, True)
    assert ("peek_preview",) in bench.peeked
    pointer(preview, False)
    assert ("peek_nothing",) in bench.peeked


def check_generate_is_grey_and_says_why(bench: Bench) -> None:
    bench.draw(replace(QUIET, can_generate=False, why_not="Say what to paint first."))
    (button,) = [each for each in bench.all(Gtk.Button) if each.get_label() == "_Generate"]
    assert not button.get_sensitive() and button.get_tooltip_text() == "Say what to paint first."


def check_a_result_without_its_image_and_the_status_have_their_buttons(bench: Bench) -> None:
    bench.draw(TROUBLE)
    bench.click("I_nsert")
    bench.click("Dis_miss")
    bench.click("_Start")
    assert bench.heard == [("insert_offer",), ("dismiss_offer",), ("press_status_button",)]
    assert "The server is not running." in bench.words()
    bench.draw(QUIET)
    assert not [each for each in bench.all(Gtk.Button) if "_Start" in (each.get_label() or "")]


def check_a_scene_has_a_line_for_each_layer(bench: Bench) -> None:
    bench.draw(TROUBLE)
    entries = {each.get_accessible().get_name(): each for each in _entries(bench)}
    assert set(entries) == {"In front", "Behind"}
    entries["Behind"].set_text("the sea")
    assert bench.heard == [("set_layer_prompt", "background", "the sea")]


def _entries(bench: Bench) -> list[Any]:
    """Where something can be typed in the panel, but in its guides."""
    guides = bench.all(Gtk.Entry, bench.panel.guides)
    return [each for each in bench.all(Gtk.Entry) if each not in guides]


def check_drawing_anew_leaves_cursor_and_keyboard_alone(bench: Bench) -> None:
    bench.draw(DONE)
    text = bench.panel.prompts.text
    text.grab_focus()
    buffer = text.get_buffer()
    buffer.place_cursor(buffer.get_iter_at_offset(4))
    reseeded = {**DONE.fields, "seed": FieldView(7)}
    bench.draw(replace(DONE, status=Status("Painting.", "working"), fields=reseeded))
    assert buffer.get_property("cursor-position") == 4 and bench.window.get_focus() == text
    assert not bench.heard, "what is drawn is not what the painter did"


def check_everything_can_be_reached_by_keyboard(bench: Bench) -> None:
    bench.draw(replace(DONE, offer=TROUBLE.offer, status=TROUBLE.status))
    wanted = {each for each in bench.all(Gtk.Widget) if each.get_can_focus()}
    wanted = {each for each in wanted if each.is_sensitive() and not _inside_a_box(each)}
    reached: set[Gtk.Widget] = set()
    bench.window.set_focus(None)
    for _ in range(len(wanted) * 2):
        bench.window.child_focus(Gtk.DirectionType.TAB_FORWARD)
        reached.add(bench.window.get_focus())
    missed = [type(each).__name__ for each in wanted - reached if _acts(each)]
    assert not missed, missed


def _inside_a_box(widget: Gtk.Widget) -> bool:
    """GTK's own inner button of a combo box."""
    return isinstance(widget.get_parent(), Gtk.ComboBox)


def _acts(widget: Gtk.Widget) -> bool:
    kinds = (Gtk.Button, Gtk.Entry, Gtk.TextView, Gtk.Scale, Gtk.Expander)
    return isinstance(widget, kinds)


def run(ask: Callable[..., Any], theme: str) -> dict[str, str]:
    """All checks, and pictures in GIMP's theme; the traceback of each that failed."""
    GimpUi.init("acetate-widgets")
    bench = Bench()
    outcome: dict[str, str] = {}
    for name, check in {**globals(), **panel_checks.CHECKS, **guide_checks.CHECKS}.items():
        if name.startswith("check_"):
            try:
                check(bench)
                outcome[name] = ""
            except Exception:
                outcome[name] = traceback.format_exc()
    worn = "dark" if _is_dark(bench.window) else "light"
    outcome[f"the {theme} theme"] = "" if worn == theme else f"it is {worn}"
    for name, view in VIEWS.items():
        bench.draw(view)
        bench.settle(0.3)
        ask("picture", TITLE, f"{theme}-{name}")
    # With keys, as GTK opens no menu without a hand.
    bench.mode_box().grab_focus()
    ask("press", TITLE, "space")
    bench.settle(0.5)
    ask("picture", "", f"{theme}-modes")
    ask("press", TITLE, "Escape")
    bench.settle()
    bench.window.destroy()
    return outcome


def _is_dark(window: Gtk.Window) -> bool:
    """Light letters stand on a dark ground."""
    colour = window.get_style_context().get_color(Gtk.StateFlags.NORMAL)
    return colour.red + colour.green + colour.blue > 1.5
