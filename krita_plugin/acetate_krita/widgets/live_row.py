"""The switch of the live preview, its Keep, and why there is no preview."""

from __future__ import annotations

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.preview_view import LiveView
from acetate_bridge.panel.view import Actions
from acetate_krita.qt import Qt, QtWidgets
from acetate_krita.widgets.labels import flexible, sentence


class LiveRow(QtWidgets.QWidget):
    """Stands below the button that generates."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self.switch = QtWidgets.QCheckBox(say("Live"))
        self.switch.clicked.connect(lambda on: actions.set_live(bool(on)))
        self.keep = QtWidgets.QPushButton(say("Keep the preview"))
        self.keep.setAutoDefault(False)
        self.keep.setToolTip(say("Put the live preview into the image as a layer"))
        self.keep.clicked.connect(lambda: actions.keep_live())
        self._sentence = sentence(muted=True)
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        # As wide as its words: beside them a click would meet the switch and do nothing.
        layout.addWidget(self.switch, 0, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(flexible(self.keep), 0, 1)
        layout.addWidget(self._sentence, 1, 0, 1, 2)
        self.show_view(LiveView())

    def show_view(self, view: LiveView) -> None:
        """Take over how it stands."""
        self.switch.setChecked(view.on)
        self.switch.setEnabled(view.on or view.offered)
        tip = say("Repaint the active layer as a preview whenever the hand rests")
        self.switch.setToolTip(tip if view.on or view.offered else view.why_not)
        self.keep.setVisible(view.on)
        self.keep.setEnabled(view.can_keep)
        self._sentence.setText(view.sentence)
        self._sentence.setVisible(view.on and bool(view.sentence))
