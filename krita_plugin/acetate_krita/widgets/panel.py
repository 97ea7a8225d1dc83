"""The panel: a column of widgets that draws a `PanelView` and passes on what the painter does."""

from __future__ import annotations

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.fields import FIELDS
from acetate_bridge.panel.lists import LISTS
from acetate_bridge.panel.view import Actions, PanelView
from acetate_bridge.protocol.types import Image
from acetate_krita.qt import Qt, QtCore, QtWidgets
from acetate_krita.widgets.combo_box import ChoiceBox
from acetate_krita.widgets.guides import Entries, Guides
from acetate_krita.widgets.labels import flexible, heading, sentence
from acetate_krita.widgets.live_row import LiveRow
from acetate_krita.widgets.pictures import on_checkerboard
from acetate_krita.widgets.prompts import Prompts
from acetate_krita.widgets.queue import Queue
from acetate_krita.widgets.settings_dialog import SettingsDialog
from acetate_krita.widgets.settings_form import Details, Icon
from acetate_krita.widgets.setup_card import SetupCard
from acetate_krita.widgets.status_bar import OfferRow, StatusLine
from acetate_krita.widgets.thumbnails import HISTORY_SIDE, RESULT_SIDE, PointerWatch, Strip
from acetate_krita.widgets.wheel import WheelGuard

_PREVIEW_SIDE = 192
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Panel(QtWidgets.QWidget):
    """Everything in the docker, from the mode down to the status line. `icon` finds Krita's."""

    def __init__(self, actions: Actions, icon: Icon) -> None:
        super().__init__()
        self._actions = actions
        self._view = PanelView()
        self._preview_shown: Image | None = None
        self.mode = ChoiceBox(say("What to do"), actions.set_mode)
        self.settings = SettingsDialog(self, actions, icon)
        self.settings_button = QtWidgets.QToolButton()
        self.settings_button.setIcon(icon("configure"))
        self.settings_button.setAccessibleName(say("Settings"))
        self.settings_button.setToolTip(say("Settings, and what is in place"))
        self.settings_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.settings_button.clicked.connect(lambda: self.settings.open_beside())
        self.card = SetupCard(actions)
        self.prompts = Prompts(actions)
        self.details = Details(actions, icon)
        self._wheel = WheelGuard()
        self.guides = Guides(actions, icon, self._wheel.guard)
        self.then = Entries(actions, icon, LISTS["then"], self._wheel.guard)
        self._where = sentence(muted=True)
        self.button = QtWidgets.QPushButton(say("Generate"))
        self.button.setAutoDefault(False)
        self.button.clicked.connect(lambda: self.press())
        self.again = QtWidgets.QToolButton()
        self.again.setIcon(icon("view-refresh"))
        self.again.setText(say("Paint Anew"))
        self.again.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.again.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.again.setAccessibleName(say("Paint Anew"))
        self.again.setToolTip(say("Paint the active layer anew from its recipe, in its place"))
        self.again.clicked.connect(lambda: actions.regenerate())
        self.live = LiveRow(actions)
        self.queue = Queue(actions)
        self.progress = self.queue.progress
        self.preview = QtWidgets.QLabel()
        PointerWatch(self.preview, actions.peek_preview, actions.peek_nothing)
        self.results = Strip(
            RESULT_SIDE, actions.swap, peek=actions.peek, leave=actions.peek_nothing
        )
        self.history = Strip(
            HISTORY_SIDE, actions.restore, (say("Paint again here"), actions.repeat)
        )
        self._results_head = self._make_results_head()
        self._history_head = heading(say("History"))
        self.offer, self.status = OfferRow(actions), StatusLine(actions)
        self._lay_out()
        self._wheel.guard(self)
        for key in self._keys():
            key.installEventFilter(self)
        self.draw(self._view)

    def press(self) -> None:
        """Generate, if that can be done now; layers queue up while others are painted."""
        self.prompts.completer.close()
        if self._view.can_generate:
            self._actions.generate()

    def ask_for_prompt(self) -> None:
        """Put the cursor into an empty prompt."""
        if not self._view.prompt:
            self.prompts.text.setFocus()

    def draw(self, view: PanelView) -> None:
        """Take over a view."""
        self._view = view
        self.mode.show_choices(view.modes, view.mode)
        self.prompts.show_view(view)
        self.then.show_list(view.lists["then"])
        self.details.show_view(view)
        self.guides.show_view(view)
        self._where.setText(view.sentence)
        self._where.setVisible(bool(view.sentence))
        self._draw_button(view)
        self.live.show_view(view.live)
        self.queue.show_view(view)
        self._draw_preview(view)
        for strip, head, thumbnails in (
            (self.results, self._results_head, view.results),
            (self.history, self._history_head, view.history),
        ):
            strip.show_all_of(thumbnails)
            strip.setVisible(bool(thumbnails))
            head.setVisible(bool(thumbnails))
        self.keep.setEnabled(any(each.shown and not each.kept for each in view.results))
        self.offer.show_offer(view.offer)
        self.card.setVisible(view.setup.pressing)
        self.card.show_rows(view.card_rows)
        self.settings.show_view(view)
        self.status.show_status(view.status)

    def eventFilter(self, watched: object, event: QtCore.QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Ctrl+Enter generates and Escape cancels, before Krita takes them for shortcuts."""
        if event.type() not in (QtCore.QEvent.Type.ShortcutOverride, QtCore.QEvent.Type.KeyPress):
            return False
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if control and event.key() == Qt.Key.Key_Z and not shift:
            if self.prompts.sent:
                # Nothing was typed since it was sent: it is the layer that shall go, not the words.
                event.ignore()
                return True
            return self._undoes_what_was_given(event)
        generates = control and event.key() in _ENTER
        cancels = event.key() == Qt.Key.Key_Escape and self._view.running
        cancels = cancels and not self.prompts.completer.open
        if not generates and not cancels:
            return False
        event.accept()
        if event.type() == QtCore.QEvent.Type.KeyPress:
            if cancels:
                self._actions.cancel()
            else:
                self.prompts.sent = True
                self.press()
        return True

    def _undoes_what_was_given(self, event: QtCore.QEvent) -> bool:
        """After a click on the history the key brings back what has given way to that.

        In the prompt, and where the click has left the keyboard: the document was not changed.
        """
        focused = QtWidgets.QApplication.focusWidget()
        here = focused is self.prompts.text or focused in self.history.buttons
        button = self._view.status.button
        offered = button is not None and button.action == "bring_back"
        if not here or not self.prompts.given or not (offered or self.prompts.can_take_back):
            return False
        event.accept()
        if event.type() == QtCore.QEvent.Type.KeyPress:
            if offered:
                self._actions.press_status_button()
                self.prompts.given = False
            else:
                self.prompts.take_back()
        return True

    def _draw_button(self, view: PanelView) -> None:
        self.button.setEnabled(view.can_generate)
        self.button.setToolTip("Ctrl+Enter" if view.can_generate else view.why_not)
        self.again.setVisible(view.can_regenerate)
        self.another.setEnabled(view.can_try_again)

    def _draw_preview(self, view: PanelView) -> None:
        self.preview.setVisible(view.preview is not None)
        if view.preview is not None and view.preview is not self._preview_shown:
            side = min(_PREVIEW_SIDE, max(64, self.width() - 24))
            ratio = self.devicePixelRatioF()
            self.preview.setPixmap(on_checkerboard(view.preview, side, side, ratio))
        self._preview_shown = view.preview

    def _make_results_head(self) -> QtWidgets.QWidget:
        self.keep = _small_button(say("Keep"))
        self.keep.setToolTip(say("Let the shown result stay when another one is chosen"))
        self.keep.clicked.connect(lambda: self._keep_shown())
        self.discard = _small_button(say("Discard"))
        self.discard.setToolTip(say("Take the shown result out of the image"))
        self.discard.clicked.connect(lambda: self._actions.discard())
        self.another = _small_button(say("Another try"))
        self.another.setToolTip(say("The same once more with another seed, from the same source"))
        self.another.clicked.connect(lambda: self._actions.another_try())
        head = QtWidgets.QWidget()
        grid = QtWidgets.QGridLayout(head)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(flexible(heading(say("Results"))), 0, 0)
        grid.addWidget(self.another, 0, 1)
        buttons = QtWidgets.QHBoxLayout()
        for button in (self.keep, self.discard):
            buttons.addWidget(flexible(button))
        grid.addLayout(buttons, 1, 0, 1, 2)
        return head

    def _keep_shown(self) -> None:
        for index, each in enumerate(self._view.results):
            if each.shown and not each.kept:
                self._actions.keep(index)
                return

    def _lay_out(self) -> None:
        top, buttons = QtWidgets.QHBoxLayout(), QtWidgets.QHBoxLayout()
        top.addWidget(self.mode, 1)
        top.addWidget(self.settings_button)
        buttons.addWidget(self.button, 1)
        buttons.addWidget(self.again)
        inner = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        top_down = (self.card, self.prompts, self.then, self.details, self.guides, self._where)
        for each in top_down:
            column.addWidget(each)
        column.addLayout(buttons)
        for each in (
            self.live,
            self.preview,
            self._results_head,
            self.results,
            self.offer,
            self._history_head,
            self.history,
        ):
            column.addWidget(each)
        column.addStretch(1)
        scrolled = QtWidgets.QScrollArea()
        scrolled.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        scrolled.setWidgetResizable(True)
        scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scrolled.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scrolled.setWidget(inner)
        scrolled.setMinimumSize(120, 40)
        outer = QtWidgets.QVBoxLayout(self)
        outer.setContentsMargins(6, 6, 6, 6)
        outer.setSpacing(4)
        outer.addWidget(scrolled, 1)
        outer.addWidget(self.queue)
        outer.addWidget(self.status)

    def _keys(self) -> list[QtWidgets.QWidget]:
        """Fields in which the keys of the panel count."""
        typed = [
            self.details.inputs[name]
            for name, row in FIELDS.items()
            if row.kind in ("line", "number") and name in self.details.inputs
        ]
        return [self, self.prompts.text, self.mode, self.button, *typed]


def _small_button(words: str) -> QtWidgets.QToolButton:
    button = QtWidgets.QToolButton()
    button.setText(words)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
