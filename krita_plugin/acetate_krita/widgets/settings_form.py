"""Settings drawn from the table of fields: the fold of the panel, and a part of the dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.fields import FIELDS, Field
from acetate_bridge.panel.view import Actions, FieldView, PanelView, Setting
from acetate_krita.qt import Qt, QtGui, QtWidgets
from acetate_krita.widgets.combo_box import ChoiceBox
from acetate_krita.widgets.labels import flexible

Icon = Callable[[str], QtGui.QIcon]

_LARGEST_WHOLE = 2**31 - 1
_ICONS = {"seed_locked": ("layer-locked", "layer-unlocked")}
"""Krita's own pictures for buttons that have no room for words: pressed, and not."""


class Details(QtWidgets.QWidget):
    """The fold of the panel, with the button that unfolds it: what has a good default."""

    def __init__(self, actions: Actions, icon: Icon) -> None:
        super().__init__()
        self.fold = QtWidgets.QToolButton()
        self.fold.setText(say("More"))
        self.fold.setCheckable(True)
        self.fold.setAutoRaise(True)
        self.fold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.clicked.connect(actions.set_more_open)
        rows = {name: row for name, row in FIELDS.items() if not (row.in_dialog or row.guides)}
        self.fields = Form(actions, icon, rows)
        self.inputs = self.fields.inputs
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.fields)
        self._open(False)

    def show_view(self, view: PanelView) -> None:
        """Take over a view."""
        self._open(view.more_open)
        self.fields.show_fields(view.fields)

    def _open(self, unfolded: bool) -> None:
        self.fold.setChecked(unfolded)
        arrow = Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow
        self.fold.setArrowType(arrow)
        self.fields.setVisible(unfolded)


class Form(QtWidgets.QWidget):
    """A row for each of these fields."""

    def __init__(self, actions: Setting, icon: Icon, rows: Mapping[str, Field]) -> None:
        super().__init__()
        self._actions, self._icon = actions, icon
        self._form = QtWidgets.QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._show: dict[str, Callable[[FieldView], None]] = {}
        self._rows: dict[str, tuple[QtWidgets.QWidget, ...]] = {}
        self.inputs: dict[str, Any] = {name: self._draw(field) for name, field in rows.items()}
        for field in rows.values():
            if not field.beside:
                self._add_row(field)

    def show_fields(self, views: Mapping[str, FieldView]) -> None:
        """Take over how the fields stand."""
        for name, show in self._show.items():
            show(views[name])
            for widget in self._rows.get(name, ()):
                widget.setEnabled(views[name].applies)

    def _draw(self, field: Field) -> QtWidgets.QWidget:
        """The widget of a field, which tells what the painter sets."""
        draw = {
            "menu": self._draw_menu,
            "line": self._draw_line,
            "share": self._draw_share,
            "number": self._draw_number,
            "toggle": self._draw_toggle,
        }[field.kind]
        return draw(field)

    def _tell(self, field: Field, value: Any) -> None:
        self._actions.set_field(field.name, value)

    def _draw_menu(self, field: Field) -> QtWidgets.QWidget:
        box = ChoiceBox(say(field.tip), lambda name: self._tell(field, name))
        self._show[field.name] = lambda found: box.show_choices(found.choices, str(found.value))
        return box

    def _draw_line(self, field: Field) -> QtWidgets.QWidget:
        line = QtWidgets.QLineEdit()
        line.textEdited.connect(lambda text: self._tell(field, text))

        def show(found: FieldView) -> None:
            if line.text() != found.value:
                line.setText(str(found.value))

        self._show[field.name] = show
        return flexible(line)

    def _draw_share(self, field: Field) -> QtWidgets.QWidget:
        bound = field.bound
        assert bound is not None
        slider = QtWidgets.QSlider(Qt.Orientation.Horizontal)
        slider.setRange(round(100 * bound.lowest), round(100 * bound.most))
        slider.valueChanged.connect(lambda value: self._tell(field, value / 100))
        slider.percent = QtWidgets.QLabel("100 %")

        def show(found: FieldView) -> None:
            _show(slider, round(100 * float(found.value)))
            slider.percent.setText(f"{slider.value()} %")

        self._show[field.name] = show
        return flexible(slider)

    def _draw_number(self, field: Field) -> QtWidgets.QWidget:
        bound = field.bound
        assert bound is not None
        # A QSpinBox stops at 31 bits; seeds are longer, and a double holds them exactly.
        whole = not field.decimals and bound.most <= _LARGEST_WHOLE
        number = int if whole else float
        box = QtWidgets.QSpinBox() if whole else QtWidgets.QDoubleSpinBox()
        box.setRange(number(bound.lowest), number(bound.most))
        box.setSingleStep(number(bound.step))
        if not whole:
            box.setDecimals(field.decimals)
        if not field.spins:
            box.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        box.valueChanged.connect(
            lambda value: self._tell(field, value if field.decimals else round(value))
        )
        self._show[field.name] = lambda found: _show(box, number(found.value))
        return flexible(box)

    def _draw_toggle(self, field: Field) -> QtWidgets.QWidget:
        button = QtWidgets.QToolButton() if field.beside else QtWidgets.QCheckBox(say(field.words))
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setAccessibleName(say(field.spoken or field.words))
        button.setToolTip(say(field.tip))
        button.clicked.connect(lambda checked: self._tell(field, checked))
        icons = _ICONS.get(field.name)
        if field.beside and icons is None:
            button.setText(say(field.words))

        def show(found: FieldView) -> None:
            button.setChecked(bool(found.value))
            if icons is not None:
                button.setIcon(self._icon(icons[0] if found.value else icons[1]))

        self._show[field.name] = show
        return button

    def _add_row(self, field: Field) -> None:
        target = self.inputs[field.name]
        beside = [self.inputs[each.name] for each in FIELDS.values() if each.beside == field.name]
        if field.kind == "share":
            beside.insert(0, target.percent)
        row = _beside(target, *beside) if beside else target
        if field.kind == "toggle":
            self._form.addRow(flexible(row))
            self._rows[field.name] = (row,)
            return
        label = QtWidgets.QLabel(say(field.words))
        for each in (label, target):
            each.setToolTip(say(field.tip))
        target.setAccessibleName(say(field.words))
        self._form.addRow(label, row)
        self._rows[field.name] = (label, row)


def _beside(*widgets: QtWidgets.QWidget) -> QtWidgets.QWidget:
    row = QtWidgets.QWidget()
    layout = QtWidgets.QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for each in widgets:
        layout.addWidget(each)
    return row


def _show(field: QtWidgets.QWidget, value: float) -> None:
    """Set a number without telling it back, and without disturbing who is typing the same."""
    if field.value() != value:
        blocked = field.blockSignals(True)
        field.setValue(value)
        field.blockSignals(blocked)
