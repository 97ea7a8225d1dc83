"""The lowest rows of the panel: a result without a document, and how things stand."""

from __future__ import annotations

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.view import Actions, OfferView, Severity, Status
from acetate_krita.qt import Qt, QtCore, QtWidgets
from acetate_krita.widgets.labels import sentence
from acetate_krita.widgets.pictures import on_checkerboard
from acetate_krita.widgets.setup_card import links_label, show_links

_COLOURS: dict[Severity, str] = {
    "ready": "#4e9a06",
    "working": "#3584e4",
    "notice": "#d9960a",
    "problem": "#e0352b",
}
# Letters, because they grow with the editor's font and need no icon theme.
_TURNING = "◐◓◑◒"
_TURN_EVERY = 160
_OFFER_SIDE = 48


class StatusLine(QtWidgets.QWidget):
    """A dot (it turns while something is going on), a sentence, at most one button."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._status: Status | None = None
        self._turn = 0
        self._dot = QtWidgets.QLabel("●")
        self.sentence = sentence()
        self.button = QtWidgets.QPushButton()
        self.button.setAutoDefault(False)
        self.button.clicked.connect(lambda: actions.press_status_button())
        self.button.hide()
        self.links = links_label()
        self.links.hide()
        self._clock = QtCore.QTimer(self)
        self._clock.setInterval(_TURN_EVERY)
        self._clock.timeout.connect(self._turn_on)
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._dot, 0, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.sentence, 0, 1)
        # Below: beside a long button a narrow docker leaves a word a line.
        layout.addWidget(self.links, 1, 1)
        layout.addWidget(self.button, 2, 1)
        layout.setColumnStretch(1, 1)

    def show_status(self, status: Status) -> None:
        """Take over a status."""
        if status == self._status:
            return
        self._status = status
        self._dot.setStyleSheet(f"color: {_COLOURS[status.severity]}")
        if status.severity == "working":
            self._clock.start()
        else:
            self._clock.stop()
            self._dot.setText("●")
        self.sentence.setText(status.sentence)
        self.setToolTip(status.details)
        show_links(self.links, status.links)
        self.links.setVisible(bool(status.links))
        self.button.setVisible(status.button is not None)
        if status.button is not None:
            self.button.setText(status.button.label)

    def _turn_on(self) -> None:
        self._turn = (self._turn + 1) % len(_TURNING)
        self._dot.setText(_TURNING[self._turn])


class OfferRow(QtWidgets.QWidget):
    """A finished result whose document was closed, and what can be done with it."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._offer: OfferView | None = None
        self._picture, self.sentence = QtWidgets.QLabel(), sentence()
        self.insert, self.dismiss = QtWidgets.QPushButton(), QtWidgets.QPushButton()
        for button in (self.insert, self.dismiss):
            button.setAutoDefault(False)
        self.insert.clicked.connect(lambda: actions.insert_offer())
        self.dismiss.clicked.connect(lambda: actions.dismiss_offer())
        self._picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        words = QtWidgets.QVBoxLayout()
        for each in (self.sentence, self.insert, self.dismiss):
            words.addWidget(each)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        self.hide()

    def show_offer(self, offer: OfferView | None) -> None:
        """Take over an offer, or none."""
        self.setVisible(offer is not None)
        if offer is None or offer == self._offer:
            return
        self._offer = offer
        ratio = self.devicePixelRatioF()
        pixmap = on_checkerboard(offer.image, _OFFER_SIDE, _OFFER_SIDE, ratio)
        self._picture.setPixmap(pixmap)
        self.sentence.setText(offer.sentence)
        # The label may be long; a tooltip holds all of it where the docker is narrow.
        self.insert.setText(say("Insert"))
        self.insert.setToolTip(offer.insert_label)
        self.insert.setEnabled(offer.insertable)
        self.dismiss.setText(offer.dismiss_label)
