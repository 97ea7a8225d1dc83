"""What to paint: the prompt, and a line for each layer of a scene."""

from __future__ import annotations

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.view import Actions, LayerPrompt, PanelView
from acetate_krita.qt import QtGui, QtWidgets
from acetate_krita.widgets.completer import Completer
from acetate_krita.widgets.labels import ReadablePlaceholder, flexible

_LINES = 3
_MOST_LINES = 10


class Prompts(QtWidgets.QWidget):
    """A text of several lines, which Tab leaves, and the lines for layers below it.

    `sent` says that nothing was changed since the prompt was sent, `given` that it was put there
    in place of another one, and not typed: what stood there before comes back with an undo.
    """

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self._mode = ""
        self.given = False
        self.sent = False
        self.text = QtWidgets.QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setPlaceholderText(say("What to paint"))
        ReadablePlaceholder(self.text)
        self.text.setToolTip(say("What to paint. Ctrl+Enter paints it."))
        self.text.setAccessibleName(say("Prompt"))
        self.text.setMinimumWidth(40)
        self.text.textChanged.connect(lambda: self._changed())
        self.completer = Completer(self.text, actions.complete)
        self.text.document().documentLayout().documentSizeChanged.connect(lambda *_: self._fit())
        self.entries: dict[str, QtWidgets.QLineEdit] = {}
        self._layers = QtWidgets.QWidget()
        self._rows = QtWidgets.QFormLayout(self._layers)
        self._rows.setContentsMargins(0, 0, 0, 0)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        layout.addWidget(self._layers)
        self._layers.hide()
        self._fit()

    def show_view(self, view: PanelView) -> None:
        """Take over a view; a text that is the same keeps its cursor and its undo history."""
        if self.text.toPlainText() != view.prompt:
            self._give(view.prompt, view.mode == self._mode)
        self._mode = view.mode
        if [each.role for each in view.layer_prompts] != list(self.entries):
            self._make_entries(view.layer_prompts)
        for each in view.layer_prompts:
            if self.entries[each.role].text() != each.text:
                self.entries[each.role].setText(each.text)

    @property
    def can_take_back(self) -> bool:
        """Whether there is anything to go back to."""
        return self.text.document().isUndoAvailable()

    def take_back(self) -> None:
        """Let the text stand there again that another one was put in the place of."""
        self.text.undo()

    def _changed(self) -> None:
        self.sent = self.given = False
        self._actions.set_prompt(self.text.toPlainText())

    def _give(self, prompt: str, undoable: bool) -> None:
        """Put another prompt there; that of another mode is nothing to go back to."""
        blocked = self.text.blockSignals(True)
        if undoable:
            cursor = QtGui.QTextCursor(self.text.document())
            cursor.select(QtGui.QTextCursor.SelectionType.Document)
            cursor.insertText(prompt)
        else:
            self.text.setPlainText(prompt)
        self.text.blockSignals(blocked)
        self.sent, self.given = False, True

    def changeEvent(self, event: object) -> None:  # noqa: N802 (Qt's name)
        """The painter may choose a larger font."""
        super().changeEvent(event)
        self._fit()

    def _fit(self) -> None:
        text = getattr(self, "text", None)
        if text is not None:
            margins = 2 * (text.frameWidth() + round(text.document().documentMargin()))
            lines = min(_MOST_LINES, max(_LINES, round(text.document().size().height())))
            height = text.fontMetrics().lineSpacing() * lines + margins
            if text.height() != height or text.maximumHeight() != height:
                text.setFixedHeight(height)

    def _make_entries(self, prompts: tuple[LayerPrompt, ...]) -> None:
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self.entries = {}
        for each in prompts:
            entry = QtWidgets.QLineEdit(each.text)
            entry.setAccessibleName(each.label)
            entry.textEdited.connect(
                lambda text, role=each.role: self._actions.set_layer_prompt(role, text)
            )
            self._rows.addRow(each.label, flexible(entry))
            self.entries[each.role] = entry
        self._layers.setVisible(bool(prompts))
