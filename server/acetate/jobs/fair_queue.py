"""Whose turn it is: clients take turns, and each client's jobs keep their order."""

from __future__ import annotations

from collections import OrderedDict, deque


class FairQueue:
    """Job ids waiting to be painted; the client that was served longest ago comes first."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[str]] = {}
        self._turns: OrderedDict[str, None] = OrderedDict()

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
            # A newcomer has never been served, so it comes before all who have.
            if client not in self._turns:
                self._turns[client] = None
                self._turns.move_to_end(client, last=False)

    def take(self) -> str | None:
        """The next job, or None when nothing waits."""
        for client in self._turns:
            if jobs := self._waiting.get(client):
                job = jobs.popleft()
                self._turns.move_to_end(client)
                self._forget_idle()
                return job
        return None

    def remove(self, client: str, job: str) -> bool:
        """Take out a job that shall not run; False when it does not wait."""
        jobs = self._waiting.get(client)
        if jobs is None or job not in jobs:
            return False
        jobs.remove(job)
        self._forget_idle()
        return True

    def ahead(self, client: str) -> int:
        """How many waiting jobs would run before one that this client added now, at most."""
        return len(self)

    def _forget_idle(self) -> None:
        """Clients that come and go must not pile up."""
        for client in [name for name, jobs in self._waiting.items() if not jobs]:
            del self._waiting[client]
        while len(self._turns) > 1000:
            for client in self._turns:
                if client not in self._waiting:
                    del self._turns[client]
                    break
            else:
                return
