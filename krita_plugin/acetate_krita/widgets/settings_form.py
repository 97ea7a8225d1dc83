"""The fold of the panel: everything that has a good default."""

from __future__ import annotations

from collections.abc import Callable

from acetate_bridge.panel.view import Actions, PanelView
from acetate_bridge.protocol.limits import GUIDANCE, SEED, STEPS, VARIANTS
from acetate_krita.qt import Qt, QtGui, QtWidgets
from acetate_krita.widgets.combo_box import ChoiceBox
from acetate_krita.widgets.labels import flexible

Icon = Callable[[str], QtGui.QIcon]


class Details(QtWidgets.QWidget):
    """Model, avoid, strength, steps, closeness, seed and variants, behind a button that unfolds."""

    def __init__(self, actions: Actions, icon: Icon) -> None:
        super().__init__()
        self._actions, self._icon = actions, icon
        self.fold = QtWidgets.QToolButton()
        self.fold.setText("More")
        self.fold.setCheckable(True)
        self.fold.setAutoRaise(True)
        self.fold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.clicked.connect(actions.set_more_open)
        self.fields = QtWidgets.QWidget()
        self._form = QtWidgets.QFormLayout(self.fields)
        self._form.setContentsMargins(0, 0, 0, 0)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.fields)
        self._add_fields()
        self._open(False)

    def show_view(self, view: PanelView) -> None:
        """Take over a view."""
        self._open(view.more_open)
        self.model.show_choices(view.models, view.model)
        if self.avoid.text() != view.negative_prompt:
            self.avoid.setText(view.negative_prompt)
        _show(self.strength, round(view.strength * 100))
        self._percent.setText(f"{self.strength.value()} %")
        for widget in (self._strength_row, self._strength_label):
            widget.setEnabled(view.strength_applies)
        _show(self.steps, view.steps)
        _show(self.guidance, view.guidance)
        _show(self.seed, view.seed)
        self.variants.setMaximum(view.most_variants)
        _show(self.variants, view.variants)
        self.lock.setChecked(view.seed_locked)
        self.lock.setIcon(self._icon("layer-locked" if view.seed_locked else "layer-unlocked"))

    def _open(self, unfolded: bool) -> None:
        self.fold.setChecked(unfolded)
        arrow = Qt.ArrowType.DownArrow if unfolded else Qt.ArrowType.RightArrow
        self.fold.setArrowType(arrow)
        self.fields.setVisible(unfolded)

    def _add_fields(self) -> None:
        act = self._actions
        self.model = ChoiceBox("What paints", act.set_model)
        self._row("Model", self.model, "What paints")

        self.avoid = QtWidgets.QLineEdit()
        self.avoid.textEdited.connect(act.set_negative_prompt)
        self._row("Avoid", flexible(self.avoid), "What must not be there (negative prompt)")

        self.strength = QtWidgets.QSlider(Qt.Orientation.Horizontal)
        self.strength.setRange(1, 100)
        self.strength.valueChanged.connect(lambda value: act.set_strength(value / 100))
        self._percent = QtWidgets.QLabel("100 %")
        self._strength_row = _beside(flexible(self.strength), self._percent)
        tip = "How far a repainting may go (denoising strength)"
        self._strength_label = self._row("Strength", self._strength_row, tip, self.strength)

        self.steps = QtWidgets.QSpinBox()
        self.steps.setRange(int(STEPS.least), int(STEPS.most))
        self.steps.valueChanged.connect(act.set_steps)
        tip = "More takes longer and is finer (denoising steps)"
        self._row("Steps", flexible(self.steps), tip)

        self.guidance = QtWidgets.QDoubleSpinBox()
        self.guidance.setRange(GUIDANCE.least, GUIDANCE.most)
        self.guidance.setDecimals(1)
        self.guidance.setSingleStep(0.5)
        self.guidance.valueChanged.connect(act.set_guidance)
        tip = "How closely the prompt is followed (guidance)"
        self._row("Closeness", flexible(self.guidance), tip)

        # A QSpinBox stops at 31 bits; seeds are longer, and a double holds them exactly.
        self.seed = QtWidgets.QDoubleSpinBox()
        self.seed.setRange(SEED.least, SEED.most)
        self.seed.setDecimals(0)
        self.seed.setButtonSymbols(QtWidgets.QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.seed.valueChanged.connect(lambda value: act.set_seed(round(value)))
        self.lock = QtWidgets.QToolButton()
        self.lock.setCheckable(True)
        self.lock.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lock.setAccessibleName("Keep the seed")
        self.lock.setToolTip("Keep the seed instead of drawing another for each layer")
        self.lock.clicked.connect(act.set_seed_locked)
        tip = "The same seed paints the same layer again"
        self._row("Seed", _beside(flexible(self.seed), self.lock), tip, self.seed)

        self.variants = QtWidgets.QSpinBox()
        self.variants.setRange(int(VARIANTS.least), int(VARIANTS.most))
        self.variants.valueChanged.connect(act.set_variants)
        self._row("Variants", flexible(self.variants), "How many to choose from (batch)")

    def _row(
        self,
        words: str,
        widget: QtWidgets.QWidget,
        tip: str,
        target: QtWidgets.QWidget | None = None,
    ) -> QtWidgets.QLabel:
        label = QtWidgets.QLabel(words)
        for each in (label, target or widget):
            each.setToolTip(tip)
        (target or widget).setAccessibleName(words)
        self._form.addRow(label, widget)
        return label


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
