"""What the panel promises, in either Qt, without Krita and without a screen.

python -m tests.editors.krita.panel_checks PyQt6 REPORT runs all of it: a process can hold only one
Qt, so pytest starts one for each.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def _use(binding: str) -> None:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if binding == "PyQt6":
        sys.modules["PyQt5"] = None  # type: ignore[assignment]
    sys.path[:0] = [str(each) for each in (ROOT / "krita_plugin", ROOT / "shared", ROOT)]


if __name__ == "__main__":
    _use(sys.argv[1])

from acetate_bridge.panel.view import (  # noqa: E402
    Button,
    Choice,
    FieldView,
    LayerPrompt,
    OfferView,
    PanelView,
    ProgressView,
    QueuedJob,
    Status,
    Thumbnail,
)
from acetate_bridge.protocol.types import Image  # noqa: E402
from acetate_krita.adapter import colour, hand  # noqa: E402
from acetate_krita.qt import Qt, QtCore, QtWidgets  # noqa: E402
from acetate_krita.widgets import pictures  # noqa: E402
from tests.editors.krita.completion_checks import *  # noqa: E402, F403
from tests.editors.krita.guide_checks import *  # noqa: E402, F403
from tests.editors.krita.overlay_checks import *  # noqa: E402, F403
from tests.editors.krita.prompt_checks import *  # noqa: E402, F403
from tests.editors.krita.qt_hands import press, shown, turn, turn_wheel  # noqa: E402
from tests.editors.krita.setup_checks import *  # noqa: E402, F403
from tests.editors.krita.undo_checks import *  # noqa: E402, F403 (they run in the same Qt)
from tests.editors.krita.view_checks import *  # noqa: E402, F403
from tests.editors.krita.window_checks import *  # noqa: E402, F403

DOT = Image(2, 2, bytes((255, 0, 0, 255, 9, 8, 7, 0, 0, 255, 0, 128, 1, 2, 3, 4)))


def fields(**values: Any) -> dict[str, FieldView]:
    """All fields as they are at first but for these values."""
    return {**PanelView().fields, **{name: FieldView(value) for name, value in values.items()}}


VIEW = PanelView(
    modes=(Choice("text", "Generate layer"), Choice("joint", "Scene in layers", False, "Not here")),
    fields={**fields(), "strength": FieldView(0.6, applies=False)},
    model="embedded",
    prompt="a paper lantern",
    sentence="Paints 512 × 384 at the selection (40, 30).",
    can_generate=True,
    status=Status("Ready · Embedded model"),
)
FULL = replace(
    VIEW,
    more_open=True,
    can_regenerate=True,
    fields=fields(),
    results=(Thumbnail(DOT, "one", shown=True), Thumbnail(DOT, "two")),
    history=(Thumbnail(DOT, "old"),),
    offer=OfferView("Its document was closed.", DOT),
    status=Status("The server is not running.", "problem", Button("Start", "start_server")),
)


RUNNING = replace(
    VIEW,
    running=True,
    progress=ProgressView(0.5, "step 9 of 20"),
    queue=(
        QueuedJob("a", "boat", "one.kra", True, ProgressView(0.5, "step 9 of 20")),
        QueuedJob("b", "hills", "two.kra", False, ProgressView(None, "waiting")),
        QueuedJob("c", "sea", "one.kra", True, ProgressView(None, "waiting")),
    ),
)


def check_a_name_that_is_typed_into_a_list_is_a_hand_at_work() -> None:
    view = QtWidgets.QTreeWidget()
    item = QtWidgets.QTreeWidgetItem(["layer 1"])
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
    view.addTopLevelItem(item)
    view.show()
    view.activateWindow()
    view.setFocus()
    turn()
    assert not hand.is_busy(None, None)
    view.editItem(item)
    turn()
    assert hand.is_busy(None, None)
    view.setFocus()
    turn()
    assert not hand.is_busy(None, None)
    view.close()


def check_drawing_a_view_asks_for_nothing() -> None:
    panel, told = shown(FULL)
    changed = fields(steps=7, seed=5, variants=3, strength=0.3)
    panel.draw(replace(FULL, prompt="another", fields=changed))
    turn()
    assert told.calls == [], told.calls
    shows = panel.prompts.text.toPlainText(), panel.details.inputs["steps"].value()
    assert shows == ("another", 7), shows


def check_ctrl_enter_generates_once_and_enter_alone_does_not() -> None:
    panel, told = shown(VIEW)
    press(panel.prompts.text, Qt.Key.Key_Return, control=True)
    assert told.calls == [("generate",)], told.calls
    press(panel.prompts.text, Qt.Key.Key_Return)
    assert ("generate",) not in told.calls[1:]


def check_escape_cancels_only_what_runs() -> None:
    panel, told = shown(VIEW)
    press(panel.prompts.text, Qt.Key.Key_Escape)
    assert told.calls == []
    panel.draw(RUNNING)
    press(panel.prompts.text, Qt.Key.Key_Escape)
    assert told.calls == [("cancel",)]


def check_generate_stays_generate_and_each_job_has_its_own_cancel() -> None:
    panel, told = shown(RUNNING)
    assert panel.button.text() == "Generate" and panel.button.isEnabled()
    panel.button.click()
    panel.queue.cancel.click()
    panel.queue.rows["b"].cancel.click()
    panel.queue.empty.click()
    assert told.calls == [("generate",), ("cancel", "a"), ("cancel", "b"), ("cancel_all",)]


def check_a_low_docker_shows_the_bar_and_its_cancel() -> None:
    for jobs in (RUNNING.queue[:1], RUNNING.queue):
        panel, _told = shown(replace(RUNNING, queue=jobs))
        panel.resize(250, 180)
        turn()
        for widget in (panel.progress, panel.queue.cancel):
            bottom = widget.mapTo(panel, QtCore.QPoint(0, widget.height())).y()
            assert widget.isVisible() and bottom <= 180, bottom
        assert panel.minimumSizeHint().height() <= 180, panel.minimumSizeHint()


def check_the_wheel_changes_no_field_that_was_not_chosen() -> None:
    panel, told = shown(FULL)
    panel.button.setFocus()
    for name in ("steps", "guidance", "strength", "variants", "model"):
        field = panel.details.inputs[name]
        turn_wheel(field)
    turn_wheel(panel.mode)
    assert told.calls == [], told.calls


def check_the_prompt_grows_with_its_text() -> None:
    panel, _told = shown(VIEW)
    low = panel.prompts.text.height()
    panel.draw(replace(VIEW, prompt="a lantern, " * 40))
    turn()
    assert panel.prompts.text.height() > low


def check_a_button_that_cannot_be_pressed_says_why() -> None:
    panel, told = shown(replace(VIEW, can_generate=False, why_not="Say what to paint first."))
    assert not panel.button.isEnabled() and panel.button.toolTip() == "Say what to paint first."
    press(panel.prompts.text, Qt.Key.Key_Return, control=True)
    assert told.calls == []


def check_a_mode_that_is_not_available_is_greyed_and_says_why() -> None:
    panel, told = shown(VIEW)
    items = panel.mode.model()
    assert items.item(0).isEnabled() and not items.item(1).isEnabled()
    assert items.item(1).toolTip() == "Not here"
    panel.mode.activated.emit(0)
    assert told.calls == [("set_mode", "text")]


def check_what_is_typed_is_told() -> None:
    panel, told = shown(FULL)
    panel.prompts.text.setPlainText("a fox")
    numbers = {"steps": 12, "guidance": 4.5, "strength": 40, "variants": 4, "seed": 2**53 - 1}
    for name, number in numbers.items():
        panel.details.inputs[name].setValue(number)
    panel.details.inputs["seed_locked"].click()
    panel.details.fold.click()
    assert told.calls == [
        ("set_prompt", "a fox"),
        *(("set_field", name, value) for name, value in {**numbers, "strength": 0.4}.items()),
        ("set_field", "seed_locked", True),
        ("set_more_open", False),
    ], told.calls


def check_a_scene_has_a_line_for_each_layer() -> None:
    prompts = (LayerPrompt("foreground", "In front", "a boat"), LayerPrompt("background", "Behind"))
    panel, told = shown(replace(VIEW, layer_prompts=prompts))
    assert panel.prompts.entries["foreground"].text() == "a boat"
    panel.prompts.entries["background"].textEdited.emit("the sea")
    assert told.calls == [("set_layer_prompt", "background", "the sea")]
    panel.draw(VIEW)
    assert panel.prompts.entries == {}


def check_a_text_that_is_the_same_keeps_its_cursor() -> None:
    panel, _told = shown(VIEW)
    cursor = panel.prompts.text.textCursor()
    cursor.setPosition(4)
    panel.prompts.text.setTextCursor(cursor)
    panel.draw(replace(VIEW, sentence="Paints elsewhere."))
    assert panel.prompts.text.textCursor().position() == 4


def check_everything_fits_into_250_pixels() -> None:
    panel, _told = shown(replace(FULL, running=True, progress=ProgressView(0.5, "step 9 of 20")))
    assert panel.minimumSizeHint().width() <= 250, panel.minimumSizeHint()
    for widget in panel.findChildren(QtWidgets.QAbstractButton):
        if widget.isVisible() and widget.parentWidget() is not None:
            right = widget.mapTo(panel, QtCore.QPoint(widget.width(), 0)).x()
            inside = panel.results.isAncestorOf(widget) or panel.history.isAncestorOf(widget)
            assert inside or right <= 250, (widget.text(), right)


def check_everything_is_reached_by_tab() -> None:
    panel, _told = shown(FULL)
    panel.activateWindow()
    panel.mode.setFocus()
    reached = set()
    for _ in range(60):
        reached.add(QtWidgets.QApplication.focusWidget())
        panel.focusNextChild()
    wanted = [panel.mode, panel.prompts.text, panel.button, panel.again, panel.keep, panel.discard]
    wanted += [panel.details.fold, *panel.details.inputs.values()]
    wanted += [*panel.results.buttons, *panel.history.buttons]
    wanted += [panel.offer.insert, panel.offer.dismiss, panel.status.button]
    missed = [
        widget.accessibleName() or widget.text() for widget in wanted if widget not in reached
    ]
    assert not missed, missed


def check_progress_and_preview_are_seen() -> None:
    panel, _told = shown(VIEW)
    assert not panel.progress.isVisible() and not panel.preview.isVisible()
    running = replace(VIEW, running=True, preview=DOT)
    panel.draw(replace(running, progress=ProgressView(0.55, "step 11 of 20 · 3 s left")))
    assert panel.progress.isVisible() and panel.progress.value() == 550
    assert panel.progress.text() == "step 11 of 20 · 3 s left"
    assert panel.preview.isVisible() and panel.preview.pixmap().width() > 100
    panel.draw(replace(running, progress=ProgressView(None, "loading the model")))
    assert panel.progress.maximum() == 0, "it pulses"


def check_results_are_chosen_kept_and_discarded() -> None:
    panel, told = shown(FULL)
    panel.results.buttons[1].click()
    assert panel.results.buttons[0].isChecked() and not panel.results.buttons[1].isChecked()
    panel.keep.click()
    panel.discard.click()
    panel.history.buttons[0].click()
    panel.again.click()
    assert told.calls == [
        ("swap", 1),
        ("keep", 0),
        ("discard",),
        ("restore", 0),
        ("regenerate",),
    ], told.calls


def check_a_status_is_one_sentence_and_one_button() -> None:
    panel, told = shown(FULL)
    assert panel.status.sentence.text() == "The server is not running."
    assert panel.status.button.text() == "Start"
    panel.status.button.click()
    panel.offer.insert.click()
    panel.offer.dismiss.click()
    assert told.calls == [("press_status_button",), ("insert_offer",), ("dismiss_offer",)]
    panel.draw(VIEW)
    assert not panel.status.button.isVisible() and not panel.offer.isVisible()


def check_red_and_blue_change_places_and_nothing_else_does() -> None:
    assert colour.swapped(DOT.data, 2, 2, "rgba8")[:8] == bytes((0, 0, 255, 255, 7, 8, 9, 0))
    deep = bytes(range(64))
    turned = colour.swapped(deep, 4, 2, "rgba16")
    assert turned[:8] == bytes((4, 5, 2, 3, 0, 1, 6, 7))
    assert colour.swapped(turned, 4, 2, "rgba16") == deep


def check_clear_pixels_show_the_checkerboard() -> None:
    clear = Image(1, 1, bytes((255, 0, 0, 0)))
    seen = pictures.on_checkerboard(clear, 12, 12).toImage()
    assert {seen.pixelColor(x, y).name() for x in range(12) for y in range(12)} == {
        "#999999",
        "#666666",
    }


def check_the_plugin_says_that_no_server_runs_and_leaves_no_thread(folder: Path) -> None:
    for name in ("RUNTIME", "DATA", "CONFIG"):
        os.environ[f"ACETATE_{name}_DIR"] = str(folder / name.lower())
    os.environ["ACETATE_COMMAND"] = str(folder / "nothing-here")
    sys.path.insert(0, str(Path(__file__).parent / "stub"))
    import acetate_krita
    import krita

    acetate_krita._register()
    application, window = krita.Krita.instance(), krita.Window()
    application.extensions[0].createActions(window)
    docker = application.factories[0].make()
    docker.setObjectName("acetate_docker")
    window.frame.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, docker)
    window.frame.show()
    panel, until = docker.widget(), time.monotonic() + 300
    while panel.status.button.text() != "Start" and time.monotonic() < until:
        turn()
        time.sleep(0.02)
    assert panel.status.sentence.text() == "The server is not running."
    assert not panel.button.isEnabled() and panel.button.toolTip()
    names = [name for name in window.actions if name.startswith("acetate_")]
    declared = (ROOT / "krita_plugin" / "acetate_krita.action").read_text()
    for name in names:
        assert name == "acetate_menu" or f'name="{name}"' in declared, name
        window.actions[name].trigger()
    assert "acetate client" in [each.name for each in threading.enumerate()]
    application.notifier().applicationClosing.emit()
    for each in threading.enumerate():
        if each.name == "acetate client":
            each.join(300)  # It has been told to, and Krita does not wait long.
    assert "acetate client" not in [each.name for each in threading.enumerate()]


def checks() -> list[str]:
    """Their names, in the order in which they are written."""
    return [name for name in globals() if name.startswith("check_")]


def main(report: Path) -> None:
    """Run every check and write what came of it: an empty text, or the traceback."""
    application = QtWidgets.QApplication([])
    # PyQt6 crashes now and then when the panel of an earlier check is collected while the next one
    # is being made; in Krita a panel lives as long as its window.
    gc.disable()
    outcome = {"Qt": QtCore.qVersion()}
    for name in checks():
        try:
            check = globals()[name]
            check(report.parent) if "no_thread" in name else check()
            outcome[name] = ""
        except Exception:
            outcome[name] = traceback.format_exc()
        gc.collect()
    report.write_text(json.dumps(outcome), encoding="utf-8")
    del application


if __name__ == "__main__":
    main(Path(sys.argv[2]))
