"""Whose turn it is: clients take turns, and each client's jobs keep their order."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

MOST_PASSES = 10
"""How often a job whose turn it is lets another go first that needs no other model loaded."""
LOOK_AHEAD = 32
"""Among how many clients such a job is looked for."""


class FairQueue:
    """Job ids waiting to be painted; nobody waits for more than one job of each other client.

    A client's turn comes in the order in which it asked for one: when it adds a job while none
    of its own waits, and anew once the job that it was served with has made room for the next.
    """

    def __init__(
        self, on_change: Callable[[], None] = lambda: None, most_passes: int = MOST_PASSES
    ) -> None:
        """`on_change` is called after whatever changes the order."""
        self.on_change = on_change
        self._most_passes = most_passes
        self._passed: dict[str, set[str]] = {}
        self._waiting: dict[str, deque[str]] = {}
        self._turns: OrderedDict[str, None] = OrderedDict()
        self._served: list[str] = []

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def count(self, client: str) -> int:
        """Jobs that this client has waiting."""
        return len(self._waiting.get(client, ()))

    def add(self, client: str, job: str, first: bool = False) -> None:
        """Append a job, or put it before the client's others (one that is tried again)."""
        jobs = self._waiting.setdefault(client, deque())
        if first:
            jobs.appendleft(job)
            self._turns[client] = None
            self._turns.move_to_end(client, last=False)
        else:
            jobs.append(job)
            # Whose job is being painted asks again when that one has made room (see `take`).
            if client not in self._served:
                self._turns.setdefault(client)
        self.on_change()

    def take(
        self,
        fits: Callable[[str], bool] = lambda job: True,
        prefers: Callable[[str], bool] = lambda job: False,
    ) -> str | None:
        """The next job, or None when none waits that `fits`. Called when there is room for one.

        One that `prefers` says yes to may go before others whose turn it is, which put up with
        that `MOST_PASSES` times, and once for each of the others.
        """
        for client in self._served:
            if client in self._waiting:
                self._turns.setdefault(client)
        self._served.clear()
        if (client := self._choose(fits, prefers)) is None:
            return None
        del self._turns[client]
        self._passed.pop(client, None)
        jobs = self._waiting[client]
        job = jobs.popleft()
        self._served.append(client)
        self._forget_idle(client)
        self.on_change()
        return job

    def _choose(self, fits: Callable[[str], bool], prefers: Callable[[str], bool]) -> str | None:
        """Whose first job is next."""
        before: list[str] = []
        for client in self._turns:
            job = self._waiting[client][0]
            if not fits(job):
                continue
            if prefers(job) and not any(client in self._passed.get(each, ()) for each in before):
                for each in before:
                    self._passed.setdefault(each, set()).add(client)
                return client
            before.append(client)
            passes = len(self._passed.get(client, ()))
            if passes >= self._most_passes or len(before) >= LOOK_AHEAD:
                break
        return before[0] if before else None

    def remove(self, client: str, job: str) -> bool:
        """Take out a job that shall not run; False when it does not wait."""
        jobs = self._waiting.get(client)
        if jobs is None or job not in jobs:
            return False
        jobs.remove(job)
        self._forget_idle(client)
        self.on_change()
        return True

    def promote(self, client: str, job: str) -> bool:
        """Put a waiting job before the client's others; False when it does not wait."""
        jobs = self._waiting.get(client)
        return bool(jobs) and self.move(client, job, jobs[0])

    def move(self, client: str, job: str, before: str = "") -> bool:
        """Put a waiting job right before another of the client, or last; False when it cannot.

        It cannot when either of them does not wait.
        """
        jobs = self._waiting.get(client)
        if jobs is None or job not in jobs or (before and before not in jobs):
            return False
        if job != before:
            jobs.remove(job)
            jobs.insert(jobs.index(before) if before else len(jobs), job)
            self.on_change()
        return True

    def order(self) -> list[tuple[str, str]]:
        """All waiting jobs with their clients, in the order of their turns as it stands now."""
        rest = {client: deque(jobs) for client, jobs in self._waiting.items()}
        turns = deque(self._turns)
        turns.extend(client for client in rest if client not in self._turns)
        found: list[tuple[str, str]] = []
        while turns:
            client = turns.popleft()
            found.append((client, rest[client].popleft()))
            if rest[client]:
                turns.append(client)
        return found

    def ahead(self, client: str) -> int:
        """How many waiting jobs would run before one that this client added now, at most."""
        return len(self)

    def _forget_idle(self, client: str) -> None:
        """Clients that come and go must not pile up."""
        if not self._waiting[client]:
            del self._waiting[client]
            self._turns.pop(client, None)
            self._passed.pop(client, None)
