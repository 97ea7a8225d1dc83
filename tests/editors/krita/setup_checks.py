"""What the card, the queue's order and the settings dialog promise, in either Qt."""

from __future__ import annotations

from dataclasses import replace

from acetate_bridge.panel.fields import FIELDS
from acetate_bridge.panel.setup_view import (
    FolderView,
    Hyperlink,
    ServerView,
    SetupButton,
    SetupRow,
    SetupView,
)
from acetate_bridge.panel.view import (
    Button,
    Choice,
    FieldView,
    PanelView,
    ProgressView,
    QueuedJob,
    Status,
)
from acetate_krita.qt import Qt, QtCore, QtGui, QtWidgets
from tests.editors.krita.qt_hands import shown, turn
from tests.editors.krita.test_contrast import contrast

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
VIEW = PanelView(
    modes=(
        Choice("text", "Generate layer"),
        Choice("joint", "Scene in layers", False, "Needs SDXL, 13.6 GB", "sdxl"),
        Choice("extract", "Lift out", False, "No model that is known here can do that."),
    ),
    can_generate=True,
)
FETCHING = Status(
    "Needs SDXL, 13.6 GB (812.0 GB free). To get it is to accept its terms: openrail++.",
    "notice",
    Button("Accept and get it", "pull"),
    links=(LICENCE,),
)
_WAITS = ProgressView(None, "waiting")


def check_the_card_has_a_row_for_each_part_and_its_button() -> None:
    panel, told = shown(replace(VIEW, setup=CARD))
    words = {each.text() for each in panel.card.findChildren(QtWidgets.QLabel)}
    assert "○ <b>Program</b>: missing" in words and "600 MB" in words
    panel.card.buttons["program"].click()
    assert QtWidgets.QApplication.clipboard().text() == "pipx install acetate"
    panel.card.buttons["server"].click()
    assert told.calls == [("press_setup_button", "server")]
    panel.draw(replace(VIEW, setup=replace(CARD, pressing=False)))
    assert not panel.card.isVisible()


def check_the_card_and_a_long_sentence_fit_into_250_pixels() -> None:
    panel, _told = shown(replace(VIEW, setup=CARD, status=FETCHING))
    assert panel.minimumSizeHint().width() <= 250, panel.minimumSizeHint()
    for widget in (*panel.card.buttons.values(), panel.status.button, panel.settings_button):
        assert widget.mapTo(panel, QtCore.QPoint(widget.width(), 0)).x() <= 250, widget
    assert "openrail++" in panel.status.links.text() and panel.status.links.openExternalLinks()


def check_a_mode_that_can_be_fetched_is_greyed_and_can_be_chosen() -> None:
    panel, told = shown(VIEW)
    items = panel.mode.model()
    assert items.item(1).text() == "Scene in layers (needs SDXL, 13.6 GB)"
    assert items.item(1).isEnabled() and not items.item(2).isEnabled()
    assert items.item(1).foreground() != items.item(0).foreground()
    panel.mode.activated.emit(1)
    assert told.calls == [("set_mode", "joint")]


def check_a_waiting_job_is_moved_from_its_row() -> None:
    jobs = (
        QueuedJob("a", "boat", "one.kra", True, ProgressView(0.5, "step 9 of 20")),
        QueuedJob("b", "hills", "two.kra", False, _WAITS, True, False, True),
        QueuedJob("c", "sea", "one.kra", True, _WAITS, True, True, False),
    )
    running = replace(VIEW, running=True, progress=jobs[0].progress, queue=jobs)
    panel, told = shown(running)
    rows = panel.queue.rows
    assert list(rows) == ["b", "c"] and panel.progress.value() == 500
    able = [(row.sooner.isEnabled(), row.later.isEnabled()) for row in rows.values()]
    assert able == [(False, True), (True, False)]
    rows["b"].later.click()
    rows["c"].sooner.click()
    rows["c"].cancel.click()
    assert told.calls == [("move", "b", False), ("move", "c", True), ("cancel", "c")]
    kept = rows["c"].cancel
    kept.setFocus()
    panel.draw(replace(running, queue=(jobs[0], jobs[2], jobs[1])))
    turn()
    assert rows["c"].cancel is kept and rows["c"].y() < rows["b"].y()
    panel.draw(replace(VIEW, queue=jobs[1:]))
    assert len(panel.queue.rows) == 2, "what waits is seen while nothing is painted here"


def check_every_one_of_many_jobs_can_be_stopped() -> None:
    jobs = tuple(
        QueuedJob(str(each), f"job {each}", "one.kra", True, _WAITS, True, True, True)
        for each in range(12)
    )
    panel, told = shown(replace(VIEW, queue=jobs))
    for row in panel.queue.rows.values():
        row.cancel.click()
    assert told.calls == [("cancel", str(each)) for each in range(12)]
    assert panel.queue.sizeHint().height() < 180


def check_the_dialog_sets_the_server_and_what_repainting_does() -> None:
    choices = tuple(Choice(*each) for each in FIELDS["after_repaint"].choices)
    fields = {**VIEW.fields, "after_repaint": FieldView("hide", choices=choices)}
    server = ServerView("studio:7860", "/home/me/token", (FolderView("Settings", "/tmp"),))
    view = replace(VIEW, setup=CARD, server=server, fields=fields)
    panel, told = shown(view)
    panel.settings_button.click()
    dialog = panel.settings
    assert dialog.isVisible() and not dialog.isModal()
    assert told.calls == [("look_at_setup",)]
    assert dialog.address.text() == "studio:7860"
    dialog.address.setText("other:1")
    dialog.connect_button.click()
    dialog.page.click()
    dialog.models.buttons["model sdxl"].click()
    source = dialog.form.inputs["after_repaint"]
    source.activated.emit(source.findData("replace"))
    assert told.calls[1:] == [
        ("set_server", "other:1", "/home/me/token"),
        ("open_page",),
        ("press_setup_button", "model sdxl"),
        ("set_field", "after_repaint", "replace"),
    ], told.calls
    assert "after_repaint" not in panel.details.inputs
    dialog.close()
    assert Qt is not None and not dialog.isVisible()


def check_every_word_can_be_read_in_a_dark_and_a_bright_theme() -> None:
    application = QtWidgets.QApplication.instance()
    before = QtGui.QPalette(application.palette())
    view = replace(VIEW, setup=CARD, status=FETCHING, more_open=True)
    panel, _told = shown(view)
    try:
        for letters, window, base in (
            ("#dcdcdc", "#313131", "#272727"),
            ("#1a1a1a", "#d6d6d6", "#e6e6e6"),
        ):
            application.setPalette(_theme(letters, window, base))
            turn()
            panel.draw(replace(view, sentence="Paints."))
            panel.draw(view)
            turn()
            read = 0
            for widget in (*panel.findChildren(QtWidgets.QWidget), panel):
                for colour, ground in _words_of(widget):
                    read += 1
                    found = contrast(colour, ground)
                    assert found >= 4.5, (type(widget).__name__, colour, ground, found)
            assert read > 20
    finally:
        application.setPalette(before)


def _theme(letters: str, window: str, base: str) -> QtGui.QPalette:
    role, palette = QtGui.QPalette.ColorRole, QtGui.QPalette()
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(each, QtGui.QColor(letters))
    for each in (role.Window, role.Button):
        palette.setColor(each, QtGui.QColor(window))
    palette.setColor(role.Base, QtGui.QColor(base))
    return palette


def _words_of(widget: QtWidgets.QWidget) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Colours of the words of a widget and of what is below them."""
    role, palette = QtGui.QPalette.ColorRole, widget.palette()
    if isinstance(widget, QtWidgets.QLabel):
        if widget.text() in "●◐◓◑◒":
            return []  # A mark, whose sentence stands beside it.
        effect = widget.graphicsEffect()
        strength = effect.opacity() if effect is not None else 1.0
        ground = palette.color(role.Window)
        return [(_mixed(palette.color(widget.foregroundRole()), ground, strength), _mixed(ground))]
    if isinstance(widget, (QtWidgets.QLineEdit, QtWidgets.QPlainTextEdit)):
        ground = palette.color(role.Base)
        colours = (palette.color(role.Text), palette.color(role.PlaceholderText))
        placed = bool(widget.placeholderText())
        return [(_mixed(each, ground), _mixed(ground)) for each in colours[: 1 + placed]]
    if isinstance(widget, QtWidgets.QAbstractButton) and widget.text():
        ground = palette.color(role.Button)
        return [(_mixed(palette.color(role.ButtonText), ground), _mixed(ground))]
    return []


def _mixed(
    colour: QtGui.QColor, ground: QtGui.QColor | None = None, strength: float = 1.0
) -> tuple[float, ...]:
    """What is seen of a colour that lets its ground through."""
    front = (colour.red(), colour.green(), colour.blue())
    if ground is None:
        return front
    back, share = (ground.red(), ground.green(), ground.blue()), colour.alphaF() * strength
    return tuple(share * one + (1 - share) * other for one, other in zip(front, back, strict=True))
