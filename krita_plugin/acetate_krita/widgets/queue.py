"""The jobs on their way, always in sight: the bar of the one that runs here, a row for each other.

Each has its own Cancel, those that wait are moved up and down, and one button empties the queue.
"""

from __future__ import annotations

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.queue_view import ProgressView, QueuedJob
from acetate_bridge.panel.view import Actions, PanelView
from acetate_krita.qt import Qt, QtWidgets
from acetate_krita.widgets.labels import OneLine, flexible

_MOST_ROWS = 3
_THIN = 6


class Queue(QtWidgets.QWidget):
    """Stands below what scrolls, so that a low docker shows it, too."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self._job = ""
        self.progress = QtWidgets.QProgressBar()
        self.progress.setRange(0, 1000)
        self.cancel = _small(say("Cancel"), say("Stop this layer (Escape)"))
        self.cancel.clicked.connect(lambda: actions.cancel(self._job))
        # Its words stand above it: within it, no theme lets all of them be read.
        self.words = OneLine()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(_THIN)
        self._first = QtWidgets.QWidget()
        first = QtWidgets.QGridLayout(self._first)
        first.setContentsMargins(0, 0, 0, 0)
        first.setSpacing(2)
        first.addWidget(self.words, 0, 0)
        first.addWidget(self.cancel, 0, 1)
        first.addWidget(flexible(self.progress), 1, 0, 1, 2)
        self.rows: dict[str, _Row] = {}
        inner = QtWidgets.QWidget()
        self._column = QtWidgets.QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._column.addStretch(1)
        self._others = QtWidgets.QScrollArea()
        self._others.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self._others.setWidgetResizable(True)
        self._others.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._others.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._others.setWidget(inner)
        self.empty = _small(say("Cancel all"), say("Stop every layer that waits, in every image"))
        self.empty.clicked.connect(lambda: actions.cancel_all())
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._first)
        layout.addWidget(self._others)
        layout.addWidget(self.empty, 0, Qt.AlignmentFlag.AlignRight)

    def show_view(self, view: PanelView) -> None:
        """Take over a view."""
        here = next((each for each in view.queue if each.here and not each.waits), None)
        self._job = here.job if here is not None else ""
        # One that outlived its editor belongs to no document, and has the bar all the same.
        orphan = None if any(each.here for each in view.queue) else view.progress
        progress = here.progress if here is not None else orphan
        self._first.setVisible(progress is not None)
        if progress is not None:
            self._draw_bar(progress)
        self._draw_others([each for each in view.queue if each is not here])
        self.empty.setVisible(len(view.queue) > 1)
        self.setVisible(progress is not None or bool(view.queue))

    def _draw_bar(self, found: ProgressView) -> None:
        self.progress.setRange(0, 0 if found.share is None else 1000)
        if found.share is not None:
            self.progress.setValue(round(1000 * min(1.0, max(0.0, found.share))))
        self.progress.setFormat(found.words)
        self.words.setText(found.words[:1].upper() + found.words[1:])
        self.words.setToolTip(found.words)

    def _draw_others(self, jobs: list[QueuedJob]) -> None:
        """A row that stays keeps the keyboard."""
        there = {job.job for job in jobs}
        for key in [each for each in self.rows if each not in there]:
            row = self.rows.pop(key)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, job in enumerate(jobs):
            if job.job not in self.rows:
                self.rows[job.job] = _Row(self._actions, job.job)
            row = self.rows[job.job]
            if self._column.indexOf(row) != place:
                self._column.removeWidget(row)
                self._column.insertWidget(place, row)
            row.show_job(job)
        self._others.setVisible(bool(jobs))
        if jobs:
            high = max(row.sizeHint().height() for row in self.rows.values()) + 1
            # A low docker shows one row, and scrolls to the others.
            self._others.setMinimumHeight(high)
            self._others.setMaximumHeight(high * min(len(jobs), _MOST_ROWS))


class _Row(QtWidgets.QWidget):
    """What is painted and where, how far it is, and what can be done about it."""

    def __init__(self, actions: Actions, job: str) -> None:
        super().__init__()
        self.label = OneLine()
        self.sooner = _arrow(Qt.ArrowType.UpArrow, say("Paint it before the one above"))
        self.later = _arrow(Qt.ArrowType.DownArrow, say("Paint it after the one below"))
        self.cancel = _small(say("Cancel"), "")
        self.sooner.clicked.connect(lambda *_: actions.move(job, True))
        self.later.clicked.connect(lambda *_: actions.move(job, False))
        self.cancel.clicked.connect(lambda *_: actions.cancel(job))
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        for each in (self.label, self.sooner, self.later, self.cancel):
            layout.addWidget(each)

    def show_job(self, job: QueuedJob) -> None:
        """Take over how it stands."""
        name = f"“{job.words}”" if job.here else say(f"“{job.words}” in {job.title}")
        words = f"{name}: {job.progress.words}"
        self.label.setText(words)
        self.label.setToolTip(f"{words} · {job.title}")
        for button, able, deed in (
            (self.sooner, job.sooner, say("Sooner")),
            (self.later, job.later, say("Later")),
        ):
            button.setVisible(job.sooner or job.later)
            button.setEnabled(able)
            button.setAccessibleName(f"{deed}: “{job.words}”")
        self.cancel.setToolTip(say(f"Stop {words}"))
        self.cancel.setAccessibleName(say(f"Cancel “{job.words}”"))


def _small(words: str, tip: str) -> QtWidgets.QToolButton:
    button = QtWidgets.QToolButton()
    button.setText(words)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _arrow(kind: Qt.ArrowType, tip: str) -> QtWidgets.QToolButton:
    button = _small("", tip)
    button.setArrowType(kind)
    return button
