"""The jobs on their way, always in sight: the bar of the one that runs here, a row for each other.

Each has its own Cancel; with several, one button empties the queue.
"""

from __future__ import annotations

from functools import partial

from acetate_bridge.panel.view import Actions, PanelView, ProgressView, QueuedJob
from acetate_krita.qt import Qt, QtWidgets
from acetate_krita.widgets.labels import flexible

_MOST_ROWS = 3


class Queue(QtWidgets.QWidget):
    """Stands below what scrolls, so that a low docker shows it, too."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self._shown: tuple[tuple[str, str, str], ...] | None = None
        self._job = ""
        self.progress = QtWidgets.QProgressBar()
        self.progress.setRange(0, 1000)
        self.cancel = _small("Cancel", "Stop this layer (Escape)")
        self.cancel.clicked.connect(lambda: actions.cancel(self._job))
        self._first = _row(flexible(self.progress), self.cancel)
        self._others = QtWidgets.QWidget()
        self._rows = QtWidgets.QVBoxLayout(self._others)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(1)
        self.buttons: list[QtWidgets.QToolButton] = []
        self.empty = _small("Cancel all", "Stop every layer that waits, in every image")
        self.empty.clicked.connect(lambda: actions.cancel_all())
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._first)
        layout.addWidget(self._others)

    def show_view(self, view: PanelView) -> None:
        """Take over a view."""
        here = next((each for each in view.queue if each.here), None)
        self._job = here.job if here is not None else ""
        self._first.setVisible(view.progress is not None)
        if view.progress is not None:
            self._draw_bar(view.progress)
        self._draw_others([each for each in view.queue if each is not here])
        self.setVisible(view.progress is not None or bool(view.queue))

    def _draw_bar(self, found: ProgressView) -> None:
        self.progress.setRange(0, 0 if found.share is None else 1000)
        if found.share is not None:
            self.progress.setValue(round(1000 * min(1.0, max(0.0, found.share))))
        self.progress.setFormat(found.words)
        self.progress.setToolTip(found.words)

    def _draw_others(self, jobs: list[QueuedJob]) -> None:
        shown = tuple((each.job, _words(each), each.title) for each in jobs)
        if shown == self._shown:
            return
        self._shown = shown
        self.empty.setParent(None)
        while (item := self._rows.takeAt(0)) is not None:
            item.widget().deleteLater()
        self.buttons = []
        for job, words, title in shown[:_MOST_ROWS]:
            label = QtWidgets.QLabel(words)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setToolTip(f"{words} · {title}")
            cancel = _small("Cancel", f"Stop {words}")
            cancel.clicked.connect(partial(self._stop, job))
            self.buttons.append(cancel)
            self._rows.addWidget(_row(flexible(label), cancel))
        if len(shown) > 1:
            more = len(shown) - _MOST_ROWS
            label = QtWidgets.QLabel(f"and {more} more" if more > 0 else "")
            row = _row(flexible(label), self.empty)
            self.empty.show()
            self._rows.addWidget(row)
        self._others.setVisible(bool(shown))

    def _stop(self, job: str, *_: object) -> None:
        self._actions.cancel(job)


def _words(job: QueuedJob) -> str:
    place = "" if job.here else f" in {job.title}"
    return f"“{job.words}”{place}: {job.progress.words}"


def _small(words: str, tip: str) -> QtWidgets.QToolButton:
    button = QtWidgets.QToolButton()
    button.setText(words)
    button.setToolTip(tip)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _row(*widgets: QtWidgets.QWidget) -> QtWidgets.QWidget:
    row = QtWidgets.QWidget()
    layout = QtWidgets.QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for each in widgets:
        layout.addWidget(each)
    return row
