"""Text on the panel: it wraps, and never makes the docker wider."""

from __future__ import annotations

from acetate_krita.qt import Qt, QtCore, QtGui, QtWidgets

MUTED = 0.85
"""How strongly muted text stands on its ground: 4.5 to 1 at least in Krita's own themes."""


def sentence(muted: bool = False) -> QtWidgets.QLabel:
    """A text of as many lines as it takes; `muted` holds it back in light and dark themes."""
    label = QtWidgets.QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setMinimumWidth(40)
    policy = label.sizePolicy()
    policy.setHorizontalPolicy(QtWidgets.QSizePolicy.Policy.Ignored)
    policy.setHorizontalStretch(1)
    label.setSizePolicy(policy)
    if muted:
        effect = QtWidgets.QGraphicsOpacityEffect(label)
        effect.setOpacity(MUTED)
        label.setGraphicsEffect(effect)
    return label


class ReadablePlaceholder(QtCore.QObject):
    """Keeps the words in an empty field readable, also after the painter takes another theme."""

    def __init__(self, field: QtWidgets.QWidget) -> None:
        super().__init__(field)
        self._field = field
        field.installEventFilter(self)
        self._tint()

    def eventFilter(self, watched: object, event: QtCore.QEvent) -> bool:  # noqa: N802 (Qt's name)
        """The theme has changed."""
        if event.type() == QtCore.QEvent.Type.PaletteChange:
            self._tint()
        return False

    def _tint(self) -> None:
        role, palette = QtGui.QPalette.ColorRole, self._field.palette()
        colour = palette.color(role.Text)
        colour.setAlphaF(MUTED)
        if palette.color(role.PlaceholderText) != colour:
            palette.setColor(role.PlaceholderText, colour)
            self._field.setPalette(palette)


class OneLine(QtWidgets.QLabel):
    """A text on one line, shortened where there is no room; its tooltip holds all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        flexible(self)

    def paintEvent(self, event: object) -> None:  # noqa: N802 (Qt's name)
        """Draw as much as fits, and say by an ellipsis that there is more."""
        painter = QtGui.QPainter(self)
        metrics, room = self.fontMetrics(), self.contentsRect()
        words = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        sides = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, int(sides), words)
        painter.end()


def heading(words: str) -> QtWidgets.QLabel:
    """The name of a part of the panel."""
    label = QtWidgets.QLabel(words)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def flexible(widget: QtWidgets.QWidget) -> QtWidgets.QWidget:
    """Let a field take whatever width there is, and ask for none."""
    widget.setMinimumWidth(40)
    policy = widget.sizePolicy()
    policy.setHorizontalPolicy(QtWidgets.QSizePolicy.Policy.Ignored)
    policy.setHorizontalStretch(1)
    widget.setSizePolicy(policy)
    return widget
