"""The card of what is in place: a row for each part or model, with the one button that mends it."""

from __future__ import annotations

import html
from functools import partial

from acetate_bridge.panel.setup_view import Hyperlink, SetupRow
from acetate_bridge.panel.view import Actions
from acetate_krita.qt import Qt, QtWidgets
from acetate_krita.widgets.labels import flexible, sentence

_GOOD, _BAD = "●", "○"


class SetupCard(QtWidgets.QWidget):
    """Rows below each other, drawn anew only where they differ."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self._shown: dict[str, SetupRow] = {}
        self._widgets: dict[str, QtWidgets.QWidget] = {}
        self.buttons: dict[str, QtWidgets.QPushButton] = {}
        self._column = QtWidgets.QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def show_rows(self, rows: tuple[SetupRow, ...]) -> None:
        """Take over these rows, in their order; one that stays as it is keeps the keyboard."""
        keys = [row.key for row in rows]
        for key in [each for each in self._shown if each not in keys]:
            self._remove(key)
        for place, row in enumerate(rows):
            if self._shown.get(row.key) != row:
                self._remove(row.key)
                self._shown[row.key] = row
                self._widgets[row.key] = self._draw(row)
            if self._column.indexOf(self._widgets[row.key]) != place:
                self._column.removeWidget(self._widgets[row.key])
                self._column.insertWidget(place, self._widgets[row.key])

    def _remove(self, key: str) -> None:
        self._shown.pop(key, None)
        self.buttons.pop(key, None)
        widget = self._widgets.pop(key, None)
        if widget is not None:
            self._column.removeWidget(widget)
            widget.hide()
            widget.deleteLater()

    def _draw(self, row: SetupRow) -> QtWidgets.QWidget:
        widget = QtWidgets.QWidget()
        column = QtWidgets.QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        head = sentence()
        head.setTextFormat(Qt.TextFormat.RichText)
        # The mark differs in shape as well, for whoever sees no colours.
        mark = _GOOD if row.good else _BAD
        state = f": {html.escape(row.state)}" if row.state else ""
        head.setText(f"{mark} <b>{html.escape(row.name)}</b>{state}")
        column.addWidget(head)
        if row.share is not None:
            bar = QtWidgets.QProgressBar()
            bar.setRange(0, 1000)
            bar.setValue(round(1000 * row.share))
            bar.setTextVisible(False)
            column.addWidget(flexible(bar))
        words = sentence(muted=True)
        words.setText(row.words)
        column.addWidget(words)
        if row.facts:
            facts = sentence()
            facts.setText(row.facts)
            column.addWidget(facts)
        if row.links:
            column.addWidget(links_label(row.links))
        if row.button is not None:
            button = QtWidgets.QPushButton(row.button.label)
            button.setAutoDefault(False)
            button.setToolTip(row.command)
            button.setAccessibleName(f"{row.button.label}: {row.name}")
            button.clicked.connect(partial(self._press, row))
            self.buttons[row.key] = button
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        return widget

    def _press(self, row: SetupRow, *_: object) -> None:
        if row.button is not None and row.button.action == "copy":
            QtWidgets.QApplication.clipboard().setText(row.command)
        else:
            self._actions.press_setup_button(row.key)


def links_label(links: tuple[Hyperlink, ...] = ()) -> QtWidgets.QLabel:
    """Words that open their addresses in the browser."""
    label = sentence()
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setOpenExternalLinks(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
    label.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    show_links(label, links)
    return label


def show_links(label: QtWidgets.QLabel, links: tuple[Hyperlink, ...]) -> None:
    """Let a label show these links, in a colour that its ground lets be read."""
    colour = label.palette().color(label.foregroundRole()).name()
    parts = [
        f'<a href="{html.escape(each.address)}" style="color: {colour}">'
        f"{html.escape(each.words)}</a>"
        for each in links
    ]
    label.setText(" · ".join(parts))
