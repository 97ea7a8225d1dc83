"""The jobs that are on their way, each with its bar and its own button to stop it."""

from __future__ import annotations

from gi.repository import Gtk, Pango

from acetate_bridge.language.spoken import say
from acetate_bridge.panel.queue_view import ProgressView, QueuedJob
from acetate_bridge.panel.view import Actions
from widgets.style import make_narrow

_MOST_HEIGHT = 132


class Queue(Gtk.Box):
    """Stands below what scrolls, so that a job can always be seen and stopped."""

    def __init__(self, actions: Actions) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6, no_show_all=True)
        self._actions = actions
        self._rows: dict[str, _Row] = {}
        self._list = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        scrolled = Gtk.ScrolledWindow(propagate_natural_height=True)
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_max_content_height(_MOST_HEIGHT)
        scrolled.set_overlay_scrolling(False)
        scrolled.add(self._list)
        self._all = Gtk.Button(label=say("Cancel _all"), use_underline=True, halign=Gtk.Align.END)
        self._all.connect("clicked", lambda _: actions.cancel_all())
        self.pack_start(scrolled, False, False, 0)
        self.pack_start(self._all, False, False, 0)
        scrolled.show_all()

    def show_jobs(self, jobs: tuple[QueuedJob, ...]) -> None:
        """Take over what is on its way, in its order; a row that stays keeps the keyboard."""
        there = {job.job for job in jobs}
        for job in [each for each in self._rows if each not in there]:
            self._rows.pop(job).destroy()
        for place, job in enumerate(jobs):
            if job.job not in self._rows:
                self._rows[job.job] = _Row(self._actions, job.job)
                self._list.pack_start(self._rows[job.job], False, False, 0)
            self._list.reorder_child(self._rows[job.job], place)
            self._rows[job.job].show_job(job)
        self.set_visible(bool(jobs))
        self._all.set_visible(len(jobs) > 1)


class _Row(Gtk.Grid):
    """What is painted and where, how far it is, and Cancel."""

    def __init__(self, actions: Actions, job: str) -> None:
        super().__init__(column_spacing=6, row_spacing=2)
        self._words = Gtk.Label(xalign=0, hexpand=True, ellipsize=Pango.EllipsizeMode.END)
        # Its words stand above it: within it, some themes make them hard to read.
        self._bar = Gtk.ProgressBar(hexpand=True)
        cancel = Gtk.Button(label=say("Cancel"), valign=Gtk.Align.CENTER)
        cancel.connect("clicked", lambda _: actions.cancel(job))
        self._cancel = cancel
        self._sooner, self._later = (
            Gtk.Button(label=sign, valign=Gtk.Align.CENTER, no_show_all=True) for sign in "↑↓"
        )
        self._sooner.connect("clicked", lambda _: actions.move(job, True))
        self._later.connect("clicked", lambda _: actions.move(job, False))
        self._sooner.set_tooltip_text(say("Paint it before the one above"))
        self._later.set_tooltip_text(say("Paint it after the one below"))
        for button in (self._sooner, self._later, cancel):
            make_narrow(button)
        self.attach(self._words, 0, 0, 1, 1)
        for column, button in enumerate((self._sooner, self._later, cancel)):
            self.attach(button, 1 + column, 0, 1, 1)
        self.attach(self._bar, 0, 1, 4, 1)
        self.show_all()

    def show_job(self, job: QueuedJob) -> None:
        """Take over how it stands."""
        name = f"“{job.words}”" if job.here else say(f"“{job.words}” in {job.title}")
        words = f"{name} · {job.progress.words}"
        self._words.set_text(words)
        self._words.set_tooltip_text(words)
        self._cancel.get_accessible().set_name(say(f"Cancel {name}"))
        self._sooner.get_accessible().set_name(say(f"Sooner: {name}"))
        self._later.get_accessible().set_name(say(f"Later: {name}"))
        for button, able in ((self._sooner, job.sooner), (self._later, job.later)):
            button.set_visible(job.sooner or job.later)
            button.set_sensitive(able)
        # What waits has no bar: nothing of it is done yet.
        self._bar.set_visible(not job.waits)
        _show_progress(self._bar, job.progress)


def _show_progress(bar: Gtk.ProgressBar, progress: ProgressView) -> None:
    if progress.share is None:
        bar.pulse()
    else:
        bar.set_fraction(min(1.0, max(0.0, progress.share)))
    bar.set_text(progress.words)
