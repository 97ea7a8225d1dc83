"""Runs inside GIMP: how the panel reads and behaves under the mouse, and its list of jobs."""

# pyright: reportMissingImports=false
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk  # noqa: E402

from acetate_bridge.editing.editor import Selection  # noqa: E402
from acetate_bridge.panel.completion import Completion  # noqa: E402
from acetate_bridge.panel.fields import FIELDS  # noqa: E402
from acetate_bridge.panel.preview_view import InPlaceView, LiveView, Placed  # noqa: E402
from acetate_bridge.panel.setup_view import (  # noqa: E402
    FolderView,
    Hyperlink,
    ServerView,
    SetupButton,
    SetupRow,
    SetupView,
)
from acetate_bridge.panel.view import (  # noqa: E402
    Button,
    Choice,
    FieldView,
    ProgressView,
    QueuedJob,
    Status,
)
from acetate_bridge.protocol.geometry import Rect  # noqa: E402
from acetate_bridge.protocol.types import Image  # noqa: E402
from widgets.pictures import in_place  # noqa: E402

if TYPE_CHECKING:
    from tests.editors.gimp.widget_checks import Bench

JOBS = (
    QueuedJob("one", "a boat", "harbour.xcf", True, ProgressView(0.5, "step 5 of 10", 5, 10)),
    QueuedJob("two", "a tree", "garden.xcf", False, ProgressView(None, "waiting, 1 before it")),
)
WAITING = (
    *JOBS,
    QueuedJob("three", "a cow", "farm.xcf", True, ProgressView(None, "waiting"), True, False, True),
    QueuedJob("four", "a dog", "farm.xcf", True, ProgressView(None, "waiting"), True, True, False),
)
LICENCE = Hyperlink("openrail++", "https://example.org/licence")
CARD = SetupView(
    (
        SetupRow(
            "program", "Program", "missing", False, "Acetate is not installed here.", "600 MB",
            (LICENCE,), SetupButton("Copy command", "copy"), "pipx install acetate",
        ),
        SetupRow(
            "server", "Server", "stopped", False, "The server is not running.",
            button=SetupButton("Start", "start_server"),
        ),
    ),
    (
        SetupRow(
            "model sdxl", "Stable Diffusion XL with LayerDiffuse", "25 %, 6 min left", True,
            "Needs 10 GB, there are 24.", "13.6 GB (812.0 GB free)", (LICENCE,),
            SetupButton("Pause", "pause"), "", 0.25,
        ),
    ),
    "This machine: RTX 4090, 24564 MiB",
    True,
)  # fmt: skip
SERVER = ServerView("studio:7860", "/home/me/token", (FolderView("Settings", "/tmp"),))
FETCHING = Status(
    "Needs Stable Diffusion XL with LayerDiffuse, 13.6 GB (812.0 GB free). "
    "To get it is to accept its terms: openrail++.",
    "notice",
    Button("Accept and get it", "pull"),
    links=(LICENCE,),
)
_LEAST_CONTRAST = 4.5
_NARROW = 250


def check_live_is_a_switch_and_keep_and_says_why_not(bench: Bench) -> None:
    bench.draw(replace(bench.view, live=LiveView(why_not="Not connected.")))
    live = bench.panel.live
    assert not live.switch.get_sensitive() and not live.keep.get_mapped()
    assert live.switch.get_tooltip_text() == "Not connected."
    bench.draw(replace(bench.view, live=LiveView(offered=True)))
    live.switch.clicked()
    assert bench.heard == [("set_live", True)]
    bench.draw(replace(bench.view, live=LiveView(True, True, sentence="Say what to paint first.")))
    assert "Say what to paint first." in bench.words() and not live.keep.get_sensitive()
    bench.draw(replace(bench.view, live=LiveView(True, True, can_keep=True)))
    live.keep.clicked()
    live.switch.clicked()
    assert bench.heard == [("keep_live",), ("set_live", False)]
    bench.draw(replace(bench.view, live=LiveView()))


def check_live_is_switched_by_its_letter_whatever_is_open(bench: Bench) -> None:
    for more_open in (False, True):
        bench.draw(replace(bench.view, live=LiveView(offered=True), more_open=more_open))
        assert bench.window.mnemonic_activate(Gdk.KEY_l, Gdk.ModifierType.MOD1_MASK)
        bench.settle(0.5)
        assert bench.heard == [("set_live", True)], (more_open, bench.heard)
    bench.draw(replace(bench.view, live=LiveView(), more_open=False))


def check_what_is_not_in_the_image_is_shown_in_its_place(bench: Bench) -> None:
    region, seen = Rect(20, 20, 40, 40), Rect(0, 0, 80, 80)
    red, sea = _solid(10, (255, 0, 0, 255)), _solid(80, (0, 0, 255, 255))
    view = InPlaceView("1", "job", region, (Placed(red, region),), None, seen, sea)
    bench.draw(replace(bench.view, in_place=view))
    assert bench.panel.in_place.get_mapped()
    assert bench.panel.in_place.image.get_pixbuf().get_width() > 80, "larger than it is"

    def colours(view: InPlaceView) -> list[tuple[int, ...]]:
        shown = in_place(view, 80, 80)
        data, stride, step = shown.get_pixels(), shown.get_rowstride(), shown.get_n_channels()
        places = ((10, 10), (21, 21), (58, 58), (70, 70))
        return [tuple(data[y * stride + x * step :][:3]) for x, y in places]

    red, sea = (255, 0, 0), (0, 0, 255)
    assert colours(view) == [sea, red, red, sea]
    sky = Image(80, 80, bytes((0, 255, 0, 255)) * 3200 + bytes(4 * 3200))
    green = (0, 255, 0)
    assert colours(replace(view, cover=sky)) == [green, green, red, sea], "what lies above covers"
    cut = Selection(Rect(20, 20, 20, 40), bytes([255]) * 800)
    assert colours(replace(view, mask=cut)) == [sea, red, sea, sea]
    large = Placed(view.pictures[0].image, seen)
    assert colours(replace(view, pictures=(large,))) == [sea, red, red, sea], "within its region"
    grey = {(0x99,) * 3, (0x66,) * 3}
    bare = colours(replace(view, backdrop=None))
    assert bare[1:3] == [red, red] and {bare[0], bare[3]} <= grey
    bench.draw(replace(bench.view, in_place=None))
    assert not bench.panel.in_place.get_mapped()


def _solid(side: int, colour: tuple[int, int, int, int]) -> Image:
    return Image(side, side, bytes(colour) * (side * side))


def check_generate_stays_generate_and_each_job_has_its_own_cancel(bench: Bench) -> None:
    bench.draw(replace(bench.view, can_generate=True, running=True, queue=JOBS))
    bench.click("_Generate")
    cancels = [each for each in bench.all(Gtk.Button) if each.get_label() == "Cancel"]
    assert len(cancels) == 2
    cancels[1].clicked()
    bench.click("Cancel _all")
    assert bench.heard == [("generate",), ("cancel", "two"), ("cancel_all",)]
    words = {"“a boat” · step 5 of 10", "“a tree” in garden.xcf · waiting, 1 before it"}
    assert words <= set(bench.words())
    bars = [each.get_text() for each in bench.all(Gtk.ProgressBar)]
    assert bars == ["step 5 of 10", "waiting, 1 before it"]
    bench.draw(replace(bench.view, queue=JOBS[1:]))
    assert len([each for each in bench.all(Gtk.Button) if each.get_label() == "Cancel"]) == 1
    bench.draw(replace(bench.view, running=False, queue=()))
    assert not bench.all(Gtk.ProgressBar)


def check_a_job_is_seen_and_stopped_however_low_the_panel_is(bench: Bench) -> None:
    bench.draw(replace(bench.view, queue=JOBS[:1], more_open=True))
    bench.window.resize(360, 180)
    bench.settle(0.3)
    height = bench.window.get_allocated_height()
    cancels = [each for each in bench.all(Gtk.Button) if each.get_label() == "Cancel"]
    assert cancels
    for widget in (*bench.all(Gtk.ProgressBar), *cancels):
        _, top = widget.translate_coordinates(bench.window, 0, 0)
        assert top + widget.get_allocated_height() <= height, (top, height)
    bench.window.resize(360, 640)
    bench.settle(0.3)


def check_the_wheel_scrolls_and_changes_nothing(bench: Bench) -> None:
    bench.draw(replace(bench.view, queue=(), more_open=True))
    bench.panel.prompts.text.grab_focus()
    fields = [*bench.all(Gtk.SpinButton), *bench.all(Gtk.ComboBox), *bench.all(Gtk.Scale)]
    assert len(fields) > 4
    for field in fields:
        for direction in (Gdk.ScrollDirection.UP, Gdk.ScrollDirection.DOWN):
            event = Gdk.Event.new(Gdk.EventType.SCROLL)
            event.window = field.get_window()
            event.direction = direction
            field.event(event)
    bench.settle()
    assert bench.heard == [], bench.heard


def check_a_name_is_completed_by_keys(bench: Bench) -> None:
    bench.draw(replace(bench.view, prompt=""))
    text, names = bench.panel.prompts.text, bench.panel.prompts.completer
    bench.names = tuple(Completion(each, f"<lora:{each}:1>", 2, 5) for each in ("ink", "wash"))
    text.grab_focus()
    text.get_buffer().insert_at_cursor("🦊 <in")
    bench.settle()
    assert names.open and len(bench.all(Gtk.ListBoxRow)) == 2
    for key in (Gdk.KEY_Down, Gdk.KEY_Tab):
        _press(text, key)
    assert bench.panel.prompts.written == "🦊 <lora:wash:1>" and not names.open
    assert bench.heard[-1] == ("set_prompt", "🦊 <lora:wash:1>")
    text.get_buffer().set_text("🦊 <in")
    bench.settle()
    assert names.open
    _press(text, Gdk.KEY_Escape)
    assert bench.panel.prompts.written == "🦊 <in" and not names.open
    bench.names = ()


def _press(text: Gtk.TextView, key: int) -> None:
    event = Gdk.Event.new(Gdk.EventType.KEY_PRESS)
    event.window, event.keyval = text.get_window(Gtk.TextWindowType.WIDGET), key
    text.event(event)


def check_the_panel_can_be_narrow(bench: Bench) -> None:
    from tests.editors.gimp.widget_checks import VIEWS

    full = {"queue": WAITING, "more_open": True, "can_regenerate": True, "setup": CARD}
    for name, view in VIEWS.items():
        for status in (view.status, FETCHING, replace(FETCHING, button=Button("Go on", "pull"))):
            bench.draw(replace(view, **full, status=status))
            least, _ = bench.panel.get_preferred_width()
            assert least <= _NARROW, (name, least, _widths(bench.panel))


def _widths(box: Gtk.Container, deep: int = 5) -> list[Any]:
    """What makes a box so wide."""
    children = [each for each in box.get_children() if each.get_visible()]
    if not children:
        return []
    widest = max(children, key=lambda each: each.get_preferred_width()[0])
    here = [type(widest).__name__, widest.get_preferred_width()[0]]
    inner = _widths(widest, deep - 1) if deep and isinstance(widest, Gtk.Container) else []
    return [*here, *inner]


def check_a_waiting_job_is_moved_from_its_row(bench: Bench) -> None:
    bench.draw(replace(bench.view, queue=WAITING))
    moves = {each.get_accessible().get_name(): each for each in bench.all(Gtk.Button)}
    moves = {name: each for name, each in moves.items() if name and name[:5] in ("Soone", "Later")}
    assert {name: each.get_sensitive() for name, each in moves.items()} == {
        "Sooner: “a cow”": False,
        "Later: “a cow”": True,
        "Sooner: “a dog”": True,
        "Later: “a dog”": False,
    }
    moves["Later: “a cow”"].clicked()
    moves["Sooner: “a dog”"].clicked()
    assert bench.heard == [("move", "three", False), ("move", "four", True)]
    assert len([each for each in bench.all(Gtk.Button) if each.get_label() == "Cancel"]) == 4


def check_the_card_has_a_row_for_each_part_and_its_button(bench: Bench) -> None:
    bench.draw(replace(bench.view, setup=CARD))
    words = bench.words()
    assert "○ Program: missing" in words and "600 MB" in words and "openrail++" in words
    bench.click("Copy command")
    assert Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text() == "pipx install acetate"
    bench.click("Start")
    assert bench.heard == [("press_setup_button", "server")]
    bench.draw(replace(bench.view, setup=replace(CARD, pressing=False)))
    assert "○ Program: missing" not in bench.words()


def check_the_dialog_sets_the_server_and_what_repainting_does(bench: Bench) -> None:
    choices = tuple(Choice(*each) for each in FIELDS["after_repaint"].choices)
    fields = {**bench.view.fields, "after_repaint": FieldView("hide", choices=choices)}
    card = replace(CARD, pressing=False)
    bench.draw(replace(bench.view, setup=card, server=SERVER, fields=fields))
    dialog = bench.panel.settings
    dialog.open(bench.window)
    bench.settle(0.2)
    assert bench.heard == [("look_at_setup",)] and dialog.get_mapped()
    bench.heard.clear()
    assert dialog.address.get_text() == "studio:7860"
    dialog.address.grab_focus()
    dialog.address.set_text("other:1")
    bench.panel.draw(replace(bench.view, prompt="what is typed stays"))
    assert dialog.address.get_text() == "other:1"
    bench.heard.clear()
    buttons = {each.get_label(): each for each in bench.all(Gtk.Button, dialog)}
    buttons["_Connect"].clicked()
    buttons["Open _Page"].clicked()
    buttons["Pause"].clicked()
    boxes = bench.all(Gtk.ComboBox, dialog)
    (source,) = [each for each in boxes if each.get_active_id() == "hide"]
    source.set_active_id("replace")
    assert bench.heard == [
        ("set_server", "other:1", "/home/me/token"),
        ("open_page",),
        ("press_setup_button", "model sdxl"),
        ("set_field", "after_repaint", "replace"),
    ], bench.heard
    for label in bench.all(Gtk.Label, dialog):
        if label.get_text().strip() and label.is_sensitive():
            assert _contrast(label) >= _LEAST_CONTRAST, (label.get_text(), _contrast(label))
    dialog.close()
    bench.settle(0.2)
    assert not dialog.get_mapped()
    bench.draw(replace(bench.view, setup=SetupView()))


def check_the_prompt_grows_with_its_text(bench: Bench) -> None:
    text = bench.panel.prompts.text
    bench.draw(replace(bench.view, prompt="a boat"))
    low = text.get_parent().get_allocated_height()
    bench.draw(replace(bench.view, prompt="a boat\n" * 9))
    bench.settle(0.3)
    assert text.get_parent().get_allocated_height() > low + 30
    bench.draw(replace(bench.view, prompt="a boat"))


def check_every_word_can_be_read(bench: Bench) -> None:
    views = (
        bench.view,
        replace(bench.view, prompt="", status=Status("The server is not running.", "problem")),
        replace(bench.view, queue=WAITING, more_open=True),
        replace(bench.view, setup=CARD, status=FETCHING),
    )
    for view in views:
        bench.draw(view)
        for label in bench.all(Gtk.Label):
            if label.get_text().strip() and label.is_sensitive():
                found = _contrast(label)
                assert found >= _LEAST_CONTRAST, (label.get_text(), round(found, 2))
    bench.draw(views[0])


def _contrast(label: Gtk.Label) -> float:
    """Contrast of a label's letters and the ground below them, as the web's guidelines count it."""
    ground = (1.0, 1.0, 1.0)
    chain: list[Gtk.Widget] = []
    widget: Gtk.Widget | None = label
    while widget is not None:
        chain.insert(0, widget)
        widget = widget.get_parent()
    opacity = 1.0
    for each in chain:
        context = each.get_style_context()
        opacity *= context.get_property("opacity", context.get_state())
        colour = context.get_property("background-color", context.get_state())
        ground = _over((colour.red, colour.green, colour.blue), colour.alpha, ground)
    context = label.get_style_context()
    letters = context.get_color(context.get_state())
    seen = _over((letters.red, letters.green, letters.blue), letters.alpha * opacity, ground)
    lighter, darker = sorted((_light(seen), _light(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _over(
    colour: tuple[float, ...], alpha: float, ground: tuple[float, ...]
) -> tuple[float, float, float]:
    red, green, blue = (c * alpha + g * (1 - alpha) for c, g in zip(colour, ground))  # noqa: B905
    return red, green, blue


def _light(colour: tuple[float, ...]) -> float:
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


CHECKS = {name: check for name, check in list(globals().items()) if name.startswith("check_")}
