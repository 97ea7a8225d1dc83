"""What guides a painting: the fold with presets, styles and layers to follow, and every list."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.fields import FIELDS, Value
from acetate_bridge.panel.lists import HIDDEN_COLUMNS, LISTS, ListField
from acetate_bridge.panel.view import Actions, ListView, PanelView
from acetate_krita.qt import Qt, QtWidgets
from acetate_krita.widgets.labels import ReadablePlaceholder, flexible, heading, sentence
from acetate_krita.widgets.settings_form import Form, Icon

Tame = Callable[[QtWidgets.QWidget], None]
"""Called with every widget that is made later, for the mouse wheel."""


class Guides(QtWidgets.QWidget):
    """Closed until the painter unfolds it."""

    def __init__(self, actions: Actions, icon: Icon, tame: Tame) -> None:
        super().__init__()
        self._actions = actions
        self.fold = QtWidgets.QToolButton()
        self.fold.setText(say("Follow and Style"))
        self.fold.setToolTip(
            say("Layers to follow, styles, presets, and what the model does not see")
        )
        self.fold.setCheckable(True)
        self.fold.setAutoRaise(True)
        self.fold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.clicked.connect(actions.set_guides_open)
        self.inner = QtWidgets.QWidget()
        rows = {name: row for name, row in FIELDS.items() if row.guides}
        self.form = Form(actions, icon, rows)
        self.name = QtWidgets.QLineEdit()
        self.name.setPlaceholderText(say("Name of a new preset"))
        self.name.setAccessibleName(say("Name of a new preset"))
        ReadablePlaceholder(self.name)
        self.save = _button(
            say("Save"), say("Keep model, styles, words and numbers under this name")
        )
        self.save.clicked.connect(lambda: self._save())
        self.add = _button(
            say("Add…"), say("Take over a preset from a file that somebody has shared")
        )
        self.add.clicked.connect(lambda: self._add())
        self.lists = {
            name: Entries(actions, icon, row, tame) for name, row in LISTS.items() if row.folded
        }
        self.left_out = QtWidgets.QCheckBox(say("Unseen by the model"))
        self.left_out.setToolTip(say("A lettering or a note: painters see it, the model does not"))
        self.left_out.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.left_out.clicked.connect(actions.leave_out)
        self._left_out_words = sentence(muted=True)
        self._lay_out()
        self._open(False)

    def show_view(self, view: PanelView) -> None:
        """Take over a view."""
        self._open(view.guides_open)
        self.form.show_fields(view.fields)
        for name, entries in self.lists.items():
            entries.show_list(view.lists[name])
        self.left_out.setChecked(bool(view.left_out.value))
        self.left_out.setEnabled(view.left_out.applies)
        self._left_out_words.setText(view.left_out_words)
        self._left_out_words.setVisible(bool(view.left_out_words))

    def _save(self) -> None:
        self._actions.save_preset(self.name.text())
        self.name.clear()

    def _add(self) -> None:
        chosen, _ = QtWidgets.QFileDialog.getOpenFileName(self, say("Preset"), "", "*.json")
        if chosen:
            self._actions.add_preset(chosen)

    def _open(self, unfolded: bool) -> None:
        self.fold.setChecked(unfolded)
        arrow = Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow
        self.fold.setArrowType(arrow)
        self.inner.setVisible(unfolded)

    def _lay_out(self) -> None:
        kept = QtWidgets.QHBoxLayout()
        kept.addWidget(flexible(self.name))
        kept.addWidget(self.save)
        kept.addWidget(self.add)
        column = QtWidgets.QVBoxLayout(self.inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.form)
        column.addLayout(kept)
        for entries in self.lists.values():
            column.addWidget(entries)
        column.addWidget(flexible(self.left_out))
        column.addWidget(self._left_out_words)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.inner)


class _Cells:
    """What a form tells, told of one entry of a list."""

    def __init__(self, actions: Actions, list_name: str, index: int) -> None:
        self._actions, self._list, self._index = actions, list_name, index

    def set_field(self, name: str, value: Value) -> None:
        """The painter has set a column."""
        self._actions.set_cell(self._list, self._index, name, value)


class Entries(QtWidgets.QWidget):
    """One list: its entries below each other, and the button for one more."""

    def __init__(self, actions: Actions, icon: Icon, row: ListField, tame: Tame) -> None:
        super().__init__()
        self._actions, self._icon, self._row, self._tame = actions, icon, row, tame
        self.forms: list[Form] = []
        self.removes: list[QtWidgets.QToolButton] = []
        self._places: list[QtWidgets.QWidget] = []
        self._title = heading(say(row.title))
        self.more = _button(say(row.add), say(row.tip))
        self.more.clicked.connect(lambda: actions.add_entry(row.name))
        self._column = QtWidgets.QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self._title)
        self._column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)

    def show_list(self, view: ListView) -> None:
        """Take over a list; entries that are there already keep their cursor."""
        self.setVisible(view.applies)
        while len(self.forms) > len(view.entries):
            self._drop()
        while len(self.forms) < len(view.entries):
            self._grow()
        for form, entry in zip(self.forms, view.entries):  # noqa: B905 (as many)
            form.show_fields(entry)
        self._title.setVisible(bool(view.entries))
        self.more.setEnabled(view.can_add)

    def _grow(self) -> None:
        index = len(self.forms)
        columns = {
            name: row for name, row in self._row.fields.items() if name not in HIDDEN_COLUMNS
        }
        form = Form(_Cells(self._actions, self._row.name, index), self._icon, columns)
        remove = QtWidgets.QToolButton()
        remove.setText("✕")
        remove.setAutoRaise(True)
        remove.setAccessibleName(f"{say('Remove')}: {say(self._row.title)} {index + 1}")
        remove.setToolTip(say("Remove"))
        remove.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        remove.clicked.connect(partial(self._remove, index))
        place = QtWidgets.QWidget()
        line = QtWidgets.QHBoxLayout(place)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(form, 1)
        line.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)
        self._column.insertWidget(self._column.count() - 1, place)
        self.forms.append(form)
        self.removes.append(remove)
        self._places.append(place)
        self._tame(place)

    def _remove(self, index: int, *_: object) -> None:
        self._actions.remove_entry(self._row.name, index)

    def _drop(self) -> None:
        self.forms.pop()
        self.removes.pop()
        place = self._places.pop()
        place.hide()
        self._column.removeWidget(place)
        # It may be its own button that was pressed just now.
        place.deleteLater()


def _button(words: str, tip: str) -> QtWidgets.QToolButton:
    button = QtWidgets.QToolButton()
    button.setText(words)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
