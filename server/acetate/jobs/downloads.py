"""Fetching models for those who ask: a process for each, that outlives every connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

import msgspec

from acetate.background_tasks import start_task
from acetate.jobs.availability import DownloadState, Offers
from acetate.jobs.records import Refused
from acetate.workers.download_process import Ended, Line, News, Order
from acetate.workers.own_module import module_command, module_environment
from acetate_bridge.protocol.messages import ModelInfo

log = logging.getLogger("acetate.downloads")

DOWNLOADER = "acetate.workers.download_process"
_MOST_AT_ONCE = 4
_TELL_SECONDS = 0.25
_GRACE_SECONDS = 5.0


class Downloads:
    """Belongs to one event loop, which never waits for the disk or the network here."""

    def __init__(
        self,
        offers: Offers,
        models_folder: Path,
        look_again: Callable[[], None],
        downloader: str = DOWNLOADER,
    ) -> None:
        self._offers = offers
        self._models_folder = models_folder
        self._look_again = look_again
        self._downloader = downloader
        self._pulls: dict[str, asyncio.Task[None]] = {}
        self._accepted: dict[str, list[str]] = {}
        self._processes: dict[str, Process] = {}
        self._stopping: set[str] = set()
        self._telling: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is being fetched."""
        return bool(self._pulls)

    def pull(self, model_id: str, accepted: list[str]) -> None:
        """Begin to fetch what a model lacks; once begun, asking again changes nothing.

        `accepted` are the licences that a person has accepted, by name. Raises Refused.
        """
        model = self._known(model_id)
        if model_id in self._pulls or model.state == "ready":
            return
        if needed := [name for name in model.licences if name not in accepted]:
            raise Refused(
                "licence_needed",
                f"{model.name or model.id} is licensed under {' and '.join(needed)}.",
                "Read and accept that first.",
            )
        if len(self._pulls) >= _MOST_AT_ONCE:
            raise Refused(
                "too_many_downloads",
                f"{_MOST_AT_ONCE} models are being fetched already.",
                "Wait for one to arrive, or pause it.",
            )
        given = self._accepted.setdefault(model_id, [])
        given += [name for name in model.licences if name in accepted]
        self._set(model_id, DownloadState("downloading", model.bytes_here, model.bytes_total))
        self._pulls[model_id] = start_task(self._pull(model_id, given), model_id)

    async def pause(self, model_id: str) -> None:
        """Stop fetching; what has arrived is kept. Raises Refused."""
        self._known(model_id)
        if task := self._pulls.get(model_id):
            await self._stop(model_id, task)

    async def remove(self, model_id: str) -> None:
        """Delete the transparency files of a model. Raises Refused."""
        self._known(model_id)
        await self.pause(model_id)
        try:
            ended = await self._run(Order(model_id, str(self._models_folder), remove=True))
        except OSError as error:
            raise Refused(
                "not_removed", f"The model could not be removed: {error}.", "Try again later."
            ) from error
        if ended.code:
            raise Refused(ended.code, ended.message, ended.hint)
        self._set(model_id, None)
        self._look_again()

    async def close(self) -> None:
        """Stop all downloads; they go on when somebody asks for them again."""
        await asyncio.gather(*(self._stop(*item) for item in list(self._pulls.items())))
        if self._telling is not None:
            self._telling.cancel()

    def _known(self, model_id: str) -> ModelInfo:
        """Only what was announced can be asked for, so no name of a stranger's reaches the disk."""
        if self._offers.now is None:
            raise Refused("not_ready", "The server is still starting.", "Try again in a moment.")
        model = self._offers.model(model_id)
        if model is None:
            raise Refused("unknown_model", f"There is no model {model_id[:40]!r}.")
        return model

    async def _pull(self, model_id: str, accepted: list[str]) -> None:
        last = News(0, 0)

        def hear(news: News) -> None:
            nonlocal last
            last = news
            self._set(
                model_id,
                DownloadState("downloading", news.here, news.total, news.seconds_left),
            )

        try:
            ended = await self._run(Order(model_id, str(self._models_folder), accepted), hear)
        except Exception as error:
            # No memory or no descriptors for a process, or one that speaks nonsense.
            log.exception("the download of %s could not be followed", model_id)
            ended = Ended(
                "download_lost",
                f"The download could not be followed ({type(error).__name__}).",
                "Ask for it again; it resumes.",
            )
        finally:
            del self._pulls[model_id]
        sentence = f"{ended.message} {ended.hint}".strip()
        if not ended.code:
            state = DownloadState("ready", last.total, last.total)
        elif ended.code == "stopped":
            state = DownloadState("paused", last.here, last.total, reason="The download is paused.")
        else:
            log.warning("%s could not be fetched: %s", model_id, sentence)
            state = DownloadState("failed", last.here, last.total, reason=sentence)
        self._set(model_id, state)
        if not ended.code:
            self._look_again()

    async def _run(self, order: Order, hear: Callable[[News], None] = lambda news: None) -> Ended:
        """Follow a process to its end."""
        process = await asyncio.create_subprocess_exec(
            *module_command(
                self._downloader,
                msgspec.json.encode(msgspec.structs.replace(order, parent=os.getpid())).decode(),
            ),
            stdin=PIPE,
            stdout=PIPE,
            env=module_environment(),
        )
        self._processes[order.model] = process
        ended: Ended | None = None
        assert process.stdin is not None and process.stdout is not None
        if order.model in self._stopping:
            process.stdin.close()  # It was to stop before it was there.
        try:
            async for text in process.stdout:
                line = msgspec.json.decode(text, type=Line)
                if isinstance(line, Ended):
                    ended = line
                else:
                    hear(line)
            await process.wait()
        finally:
            if self._processes.get(order.model) is process:
                del self._processes[order.model]
            await _end(process)
        return ended or Ended(
            "download_lost", "The download ended unexpectedly.", "Ask for it again; it resumes."
        )

    async def _stop(self, model_id: str, task: asyncio.Task[None]) -> None:
        """Ask the process to stop, and end it if it does not; a file is always fit to resume."""
        self._stopping.add(model_id)
        process = self._processes.get(model_id)
        if process is not None and process.stdin is not None:
            process.stdin.close()
        done, _ = await asyncio.wait([task], timeout=_GRACE_SECONDS)
        if not done:
            if (process := self._processes.get(model_id)) is not None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await asyncio.wait([task])
            self._set(model_id, DownloadState("paused", reason="The download is paused."))
        self._stopping.discard(model_id)

    def _set(self, model_id: str, state: DownloadState | None) -> None:
        """Note where a download stands, and tell of it at most four times a second."""
        self._offers.set_download(model_id, state)
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TELL_SECONDS, self._tell)

    def _tell(self) -> None:
        self._telling = None
        self._offers.tell()


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process that nobody follows any more, and wait until it is gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        # What it has still said is read away: it keeps the pipe open, and that the waiting.
        await process.communicate()
