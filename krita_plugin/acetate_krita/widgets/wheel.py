"""The mouse wheel over a setting that has not the focus scrolls the panel and changes nothing."""

from __future__ import annotations

from acetate_krita.qt import Qt, QtCore, QtWidgets

_TURNED = (QtWidgets.QAbstractSpinBox, QtWidgets.QComboBox, QtWidgets.QAbstractSlider)


class WheelGuard(QtCore.QObject):
    """Lets the wheel through to what scrolls, unless the painter has chosen the field."""

    def guard(self, panel: QtWidgets.QWidget) -> None:
        """Watch over every field that is in a panel now."""
        for field in panel.findChildren(QtWidgets.QWidget):
            if isinstance(field, _TURNED) and not isinstance(field, QtWidgets.QScrollBar):
                if field.focusPolicy() == Qt.FocusPolicy.WheelFocus:
                    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
                field.installEventFilter(self)

    def eventFilter(self, watched: QtWidgets.QWidget, event: QtCore.QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Ignored by the field, the wheel goes to its parents."""
        if event.type() != QtCore.QEvent.Type.Wheel or watched.hasFocus():
            return False
        event.ignore()
        return True
