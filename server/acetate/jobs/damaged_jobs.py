"""What a server does about damaged rows when it starts: each costs its own job, and is said."""

from __future__ import annotations

import logging
from collections.abc import Callable

from acetate.jobs.async_store import Ledger
from acetate.jobs.store import now
from acetate_bridge.protocol.messages import Failed

log = logging.getLogger("acetate.jobs")


async def give_up_damaged(ledger: Ledger, next_number: Callable[[], int]) -> None:
    """Let every job fail of which a row cannot be read; the others are as they were."""
    store = ledger.store
    for job, _ in await ledger.call(store.broken_jobs):
        log.error("a job in the job store is damaged and was given up")
        failed = Failed(
            job,
            next_number(),
            "record_damaged",
            "What the server had noted of this job is damaged, so it was given up.",
            "Ask for it again.",
        )
        files = await ledger.call(store.give_up, failed, now())
        ledger.remove_files(*files)
