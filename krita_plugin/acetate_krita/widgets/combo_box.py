"""A menu of modes or models; what cannot be chosen is greyed and says why."""

from __future__ import annotations

from collections.abc import Callable

from acetate_bridge.panel.view import Choice
from acetate_krita.qt import Qt, QtGui, QtWidgets
from acetate_krita.widgets.labels import flexible


class ChoiceBox(QtWidgets.QComboBox):
    """`choose` is called with the name of what the painter takes, and never by `show_choices`."""

    def __init__(self, name: str, choose: Callable[[str], None]) -> None:
        super().__init__()
        self._name = name
        self._choices: tuple[Choice, ...] | None = None
        self._items = QtGui.QStandardItemModel(self)
        self.setModel(self._items)
        policy = QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.setSizeAdjustPolicy(policy)
        self.setMinimumContentsLength(8)
        self.setAccessibleName(name)
        flexible(self)
        self.activated.connect(lambda index: choose(self.itemData(index)))

    def show_choices(self, choices: tuple[Choice, ...], chosen: str) -> None:
        """Offer these, with one of them chosen."""
        if choices != self._choices:
            self._choices = choices
            self._items.clear()
            for choice in choices:
                self._items.appendRow(_item(choice))
        index = self.findData(chosen)
        if index != self.currentIndex():
            self.setCurrentIndex(index)
        reason = next((each.reason for each in choices if each.name == chosen), "")
        self.setToolTip(reason or self._name)


def _item(choice: Choice) -> QtGui.QStandardItem:
    item = QtGui.QStandardItem(choice.label)
    item.setData(choice.name, Qt.ItemDataRole.UserRole)
    item.setEnabled(choice.choosable)
    if choice.reason:
        item.setToolTip(choice.reason)
    if choice.fetches:
        # Greyed, and chosen all the same: the status then offers to fetch what lacks.
        item.setText(f"{choice.label} ({choice.reason[:1].lower()}{choice.reason[1:]})")
        palette = QtWidgets.QApplication.palette()
        grey = palette.brush(QtGui.QPalette.ColorGroup.Disabled, QtGui.QPalette.ColorRole.Text)
        item.setForeground(grey)
    return item
