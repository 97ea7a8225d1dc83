"""The panel without a toolkit: follows editor, painter and server, and keeps all three in step.

Everything runs on the editor's GUI thread, and nothing here raises into the host.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from pathlib import Path

from acetate_bridge.client.client import Client
from acetate_bridge.client.connection_state import STOPPED, Connection, State
from acetate_bridge.editing.editor import Editor
from acetate_bridge.editing.job import Arrival, Task
from acetate_bridge.editing.job_file import TaskBook
from acetate_bridge.editing.plan import CannotPlan
from acetate_bridge.panel import status as statuses
from acetate_bridge.panel.adjusting import safely
from acetate_bridge.panel.dispatch import Hearing, MakeLink
from acetate_bridge.panel.equipping import editor_kind
from acetate_bridge.panel.previewing import Previewing
from acetate_bridge.panel.settings import PanelSettings
from acetate_bridge.panel.spoken_view import spoken
from acetate_bridge.panel.view import PanelView, Status
from acetate_bridge.panel.view_model import Work, draw, thumbnails
from acetate_bridge.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    Event,
    Failed,
    LayerReady,
    Models,
    Preview,
    Progress,
)

log = logging.getLogger("acetate.panel")

_UNHEARD_AFTER = 20.0


class Controller(Previewing):
    """Fulfils `panel.Actions`. `on_change` is handed every new view, on the GUI thread."""

    def __init__(
        self,
        editor: Editor,
        settings_file: Path,
        on_change: Callable[[PanelView], None],
        make_link: MakeLink = Client,
    ) -> None:
        super().__init__(editor, settings_file)
        self._folder = settings_file.parent
        self._on_change = on_change
        self._make_link = make_link
        self._revived = False
        self._states = 0
        self._given_way: PanelSettings | None = None

    # ---- coming and going

    @safely
    def start(self) -> None:
        """Connect, and hear of jobs that an earlier run of the editor has left."""
        if self._book is None:
            self._book = TaskBook(self._folder / "jobs", editor_kind(self._editor))
            for record in self._book.records:
                self._tasks[record.job] = Task(record, orphan=True)
        if self._link is None:
            self.connect()
        self._look()

    def connect(self) -> None:
        """Look for the server that is set now, and for no other."""
        if self._book is None:
            return
        if self._link is not None:
            self._link.stop()
        self._live.forget()
        settings, hearing = self._preferences.current, Hearing(self._editor.call_soon, self)
        self.known.state, self.known.offer, self.known.queue = STOPPED, None, None
        self.known.setup = None
        make = self._make_link
        if settings.server_address or settings.token_file:
            address = settings.server_address or None
            make = functools.partial(make, address=address, token_file=settings.token_file)
        self._link = make(
            self._book.identity, hearing.event, hearing.state, hearing.offer, hearing.queue
        )
        self._link.start()

    @safely
    def stop(self) -> None:
        """Leave no thread behind; jobs go on at the server and are offered the next time."""
        self._live.switch(False)
        if self._book is not None:
            # First, as the other takes a while: a panel that is opened meanwhile goes on with it.
            self._book.close()
            self._book = None
        if self._link is not None:
            self._link.stop()
            self._link = None
        self._live.forget()
        self._peeked = None
        self._tasks.clear()
        self.known.state = STOPPED
        self._preferences.flush()

    @safely
    def refresh(self) -> None:
        """Look at the editor again; what was said of another document is not repeated."""
        before = self.known.situation.document
        self._look()
        document = self.known.situation.document
        if (document and document.key) != (before and before.key):
            self.known.outcome, self._peeked = None, None

    # ---- painting

    @safely
    def cancel(self, job: str = "") -> None:
        """Stop one job; without its name every job for this document that is on its way."""
        here = self._jobs_here()
        for each, task in self._tasks.items():
            wanted = each == job if job else here(task) or task.orphan
            if wanted and not task.ended and self._link is not None:
                self._link.cancel(each)

    @safely
    def cancel_all(self) -> None:
        """Empty the queue: stop the jobs of all documents."""
        for job, task in self._tasks.items():
            if not task.ended and self._link is not None:
                self._link.cancel(job)

    # ---- results

    @safely
    def swap(self, index: int) -> None:
        """Show this result in place of the shown one."""
        self._peeked = None
        self._deliveries.show(index)

    @safely
    def keep(self, index: int) -> None:
        """Let this result stay beside the next one."""
        self._deliveries.keep(index)

    @safely
    def discard(self) -> None:
        """Take the shown result out; where none is shown, clear the strip."""
        self.known.outcome = None
        self._deliveries.discard()

    @safely
    def restore(self, index: int) -> None:
        """Fill the panel with a recipe of the history."""
        if 0 <= index < len(self.known.history):
            entry, before = self.known.history[index], self._preferences.current
            self._preferences.restore(entry.recipe, entry.follows)
            self._look()
            written = before.prompts.get(entry.recipe.mode, "").strip()
            known = {each.recipe.prompt.strip() for each in self.known.history}
            if written and written not in known:
                # Nothing but the panel knows what was typed there.
                self._given_way, self.known.outcome = before, statuses.GAVE_WAY

    @safely
    def insert_offer(self) -> None:
        """Put the offered result into the active document."""
        self._look()
        document = self.known.situation.document
        if document is None:
            raise CannotPlan("Open or create an image first.")
        self._deliveries.insert_offer(document, self.known.situation.layer)
        self._look()

    @safely
    def dismiss_offer(self) -> None:
        """Let the offered result go."""
        self._deliveries.dismiss_offer()

    @safely
    def press_status_button(self) -> None:
        """Do what the button beside the status says."""
        button = self._view.status.button
        if button is None:
            return
        if button.action == "retry" and self._link is None:
            self.start()
        elif button.action == "retry" and self._link is not None:
            self._link.retry()
        elif button.action == "start_server" and self._link is not None:
            self._link.start_server()
        elif button.action == "pull" and self._link is not None:
            model = self.known.model(self._view.mode, self._view.model)
            self._link.pull(self._view.model, model.licences if model is not None else [])
        elif button.action == "pause" and self._link is not None:
            self._link.pause(self._view.model)
        elif button.action == "convert" and self.known.situation.document is not None:
            self._editor.convert_to_colour(self.known.situation.document.key)
            self.known.outcome = None
            self._deliveries.after_conversion()
            self._look()
        elif button.action == "again":
            self._generate(self._preferences.current.mode)
        elif button.action == "insert_now":
            self._deliveries.try_again(at_once=True)
            self._look()
        elif button.action == "bring_back" and self._given_way is not None:
            self._preferences.change(self._given_way)
            self._given_way, self.known.outcome = None, None
        elif button.action == "dismiss":
            self.known.outcome = None

    # ---- what the client says (see `hearing.Listener`)

    @safely
    def take_state(self, state: State) -> None:
        """The connection has changed."""
        if self._link is None:
            return
        before, self.known.state = self.known.state, state
        if (state.connection, state.message) != (before.connection, before.message):
            self.look_at_setup()
        if state.connection is Connection.READY:
            self._revived = False
        elif state.connection is Connection.NO_SERVER and not self._revived:
            # Its server died while a job was on its way: once for each outage, a new one is begun.
            self._revived = any(task.heard and not task.ended for task in self._tasks.values())
            if self._revived:
                self._link.start_server()
        self._states += 1
        if state.connection is Connection.READY and any(map(_unheard, self._tasks.values())):
            forget = functools.partial(self._forget_unheard, self._states)
            self._editor.call_later(_UNHEARD_AFTER, forget)

    @safely
    def take_offer(self, offer: Models) -> None:
        """Modes and models have changed."""
        self.known.offer = offer

    @safely
    def take_layer(self, event: LayerReady, arrival: Arrival) -> None:
        """A layer has come."""
        if self._hear_live(event, arrival):
            return
        task = self._task(event)
        if task is not None:
            for result in task.take(event.variant, arrival):
                self._deliveries.deliver(task, result)
            self._look()

    @safely
    def take(self, event: Event) -> None:
        """Something was said of a job."""
        if self._hear_live(event):
            return
        task = self._task(event)
        if task is None:
            if isinstance(event, (Done, Failed, Cancelled)) and self._link is not None:
                # Settled earlier, but the server has not heard so.
                self._link.acknowledge(event.job)
        elif isinstance(event, Accepted):
            if self.known.queue is None or event.job not in self.known.queue.jobs:
                task.ahead = event.ahead
        elif isinstance(event, Progress):
            task.progress = event
        elif isinstance(event, Preview):
            task.preview = event.image
        elif isinstance(event, Failed):
            self.known.outcome = statuses.of_failure(event)
            self._end(task)
        elif isinstance(event, Cancelled):
            self.known.outcome = Status("Cancelled.")
            self._end(task)
        elif isinstance(event, Done):
            for result in task.finish():
                self._deliveries.deliver(task, result)
            warning = self._deliveries.warning(task)
            if warning:
                self.known.outcome = statuses.of_warning(warning)
            self._end(task)
            self._look()

    @safely
    def _forget_unheard(self, since: int) -> None:
        """The server knows nothing of these jobs: they never reached it, or are too old.

        Another connection than the one that stood all the time has still to tell of them.
        """
        if since == self._states:
            for task in list(filter(_unheard, self._tasks.values())):
                self._settle(task)

    def _task(self, event: Event) -> Task | None:
        task = self._tasks.get(event.job)
        if task is not None:
            task.heard = True
        return task

    def _end(self, task: Task) -> None:
        task.ended, task.preview = True, None
        self._deliveries.end(task)

    def _settle(self, task: Task) -> None:
        """All of a task is where it belongs: nobody has to remember it any more."""
        job = task.record.job
        self._tasks.pop(job, None)
        if self._book is not None:
            self._book.forget(job)
        if self._link is not None:
            self._link.acknowledge(job)

    @safely
    def _arrived(self, problem: str) -> None:
        """Something came in later than it was delivered, or could not."""
        if problem:
            self.say(problem)
        self._look()

    # ---- showing

    def redraw(self) -> None:
        """Hand a new view to the toolkit."""
        here, delivered = self._jobs_here(), self._deliveries
        queue = [task for task in self._tasks.values() if task.heard and not task.ended]
        if self.known.queue is not None:
            turns = {job: turn for turn, job in enumerate(self.known.queue.jobs)}
            queue.sort(key=lambda task: turns.get(task.record.job, -1))
        try:
            in_place = self.in_place()
        except Exception:
            log.exception("a preview could not be shown")
            in_place = None
        work = Work(
            next((task for task in queue if here(task) or task.orphan), None),
            thumbnails(delivered.strip.results),
            delivered.offered,
            delivered.waits_for_the_hand,
            delivered.waits_for,
            tuple(queue),
            self.can_try_again,
            self.live_view,
            in_place,
        )
        try:
            self._view = spoken(draw(self.known, self._preferences, work), self._language)
            self._on_change(self._view)
        except Exception:
            log.exception("the panel could not be drawn")


def _unheard(task: Task) -> bool:
    return task.orphan and not task.heard
