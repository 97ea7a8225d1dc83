"""A server as a process of its own: the real one, or one with the fake painter."""

from __future__ import annotations

import asyncio
import contextlib
import json
import linecache
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from acetate.app import application
from acetate.app.server import serve
from acetate.app.settings import Settings
from acetate.jobs.admission import DEFAULT_LIMITS
from acetate.jobs.downloads import DOWNLOADER
from acetate.jobs.manager import Manager
from acetate.logs import LogFormat, set_up
from acetate.workers.supervisor import Patience
from acetate_bridge.client.discovery import Runtime, read_runtime
from tests.support.other_process import OtherProcess

ROOT = Path(__file__).parents[2]
TOKEN = "test-token-" + "0123456789abcdef" * 2
FAKE = "tests.workers.fake_painter:open_fake"
BLOCKED = 0.05
"""Seconds for which nothing may keep the event loop."""
OURS = ("acetate", "__main__", "tests")
WAITS = {
    "time.sleep", "open", "sqlite3.connect", "subprocess.Popen", "socket.getaddrinfo",
    "os.listdir", "os.scandir", "os.remove", "os.rename", "shutil.copyfile", "shutil.rmtree",
}  # fmt: skip
"""Audit events of calls that have no place in an event loop."""
LONG = 300.0
"""Seconds that a wait may take on a slow, busy machine before it counts as failed."""


class RunningServer(OtherProcess):
    """Starts on entry; `kill` and `start` again as a test needs. Folders are kept in between."""

    def __init__(
        self,
        folder: Path,
        painter: str = FAKE,
        downloader: str = DOWNLOADER,
        silence: float = 60.0,
        real: Sequence[str] | None = None,
        quota: int = 2**32,
        prefix: Sequence[str] = (),
        devices: Sequence[str] = ("cpu",),
        idle_exit: float = 0.0,
        debug: bool = False,
        pause: float = 0.0,
        log_format: LogFormat = "text",
        catalog: bool = False,
        shared: bool = False,
        racks: Sequence[str] = (),
        message_bytes: int = DEFAULT_LIMITS.message_bytes,
    ) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        self._prefix = list(prefix)
        options = {
            "data": str(folder / "data"),
            "run": str(folder / "run"),
            "painter": painter,
            "downloader": downloader,
            "silence": silence,
            "quota": quota,
            "devices": list(devices),
            "idle_exit": idle_exit,
            "debug": debug,
            "pause": pause,
            "log_format": log_format,
            "catalog": catalog,
            "share_port": 0 if shared else None,
            "racks": list(racks),
            "message_bytes": message_bytes,
        }
        self._debug = debug
        if real is None:
            self.command = [sys.executable, "-m", __name__, json.dumps(options)]
        else:
            self.command = [sys.executable, "-c", "from acetate.cli import main; main()", *real]
        self.process: subprocess.Popen[bytes] | None = None
        self.runtime = Runtime(0, "", 0, TOKEN, 1)

    def __enter__(self) -> RunningServer:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The number of the process that was started last."""
        assert self.process is not None
        return self.process.pid

    @property
    def environment(self) -> dict[str, str]:
        """What lets a process find this server, and nothing of the person who tests."""
        return {
            "ACETATE_WILDCARDS_DIR": str(self.folder / "wildcards"),
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "server", ROOT / "shared"))),
            "ACETATE_RUNTIME_DIR": str(self.folder / "run"),
            "ACETATE_DATA_DIR": str(self.folder / "data"),
            "PYTHONASYNCIODEBUG": "1" if self._debug else "",
        }

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start a process, without waiting for anything."""
        self.folder.mkdir(exist_ok=True, parents=True)
        with open(self.log, "ab") as log:
            return subprocess.Popen(
                [*self._prefix, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=ROOT,
            )

    def start(self) -> None:
        """Start, and wait until the runtime file tells of it."""
        # What an earlier server, or a test, has left there is no word of this one.
        before = read_runtime(self.folder / "run")
        self.process = self.spawn()
        until = time.monotonic() + LONG
        while time.monotonic() < until and self.process.poll() is None:
            runtime = read_runtime(self.folder / "run")
            if runtime is not None and runtime != before:
                self.runtime = runtime
                return
            time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def kill(self) -> None:
        """`kill -9`, and its worker is on its own."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask politely and wait; returns the exit status."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(LONG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def wait(self) -> int:
        """Exit status of a server that ends by itself."""
        assert self.process is not None
        return self.process.wait(LONG)


def watch_the_loop() -> None:
    """Report callbacks that computed for more than 50 ms, and calls that may wait for the world.

    Both are told apart from a busy machine, which may put any thread aside for long: the first
    by the loop's own processor time, the second by what is called, however quickly it returned.
    """
    run = asyncio.Handle._run  # type: ignore[attr-defined]
    running: list[asyncio.Handle] = []

    def watched(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        running.append(handle)
        run(handle)
        running.pop()
        if (worked := time.thread_time() - began) > BLOCKED:
            print(f"BLOCKED for {worked:.3f} s: {handle!r}", file=sys.stderr, flush=True)

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event not in WAITS or not running or threading.get_ident() != loop_thread:
            return
        frame = sys._getframe(1)
        # The debug mode reads sources for its own reports.
        while frame is not None and frame.f_code.co_filename != linecache.__file__:
            if frame.f_globals.get("__name__", "").startswith(OURS):
                where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                print(f"BLOCKED by {event} at {where}", file=sys.stderr, flush=True)
                return
            frame = frame.f_back

    def audited(seconds: float) -> None:
        # Before Python 3.13 this raises no event of its own.
        sys.audit("time.sleep", seconds)
        sleep(seconds)

    loop_thread = threading.get_ident()
    sleep, time.sleep = time.sleep, audited
    asyncio.Handle._run = watched  # type: ignore[attr-defined]
    sys.addaudithook(audit)


def pause_in_the_loop(seconds: float) -> None:
    """Let every acknowledgement keep the loop: what `watch_the_loop` is there to find.

    A positive number computes that long, a negative one sleeps.
    """
    acknowledge = Manager.acknowledge

    async def slow(manager: Manager, client: str, job_id: str) -> bool:
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            pass
        if seconds < 0:
            time.sleep(-seconds)
        return await acknowledge(manager, client, job_id)

    Manager.acknowledge = slow


def main(text: str) -> None:
    """Serve as the options say."""
    options = msgspec.json.decode(text)
    if options["log_format"] == "json":
        set_up("json")
    else:
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    if options["debug"]:
        watch_the_loop()
    if options["pause"]:
        pause_in_the_loop(options["pause"])
    if options["catalog"]:
        # The painter passes for the real one, whose models are known before it is there.
        application.GENERATOR = options["painter"]
    data = Path(options["data"])
    serve(
        Settings(
            data_folder=data,
            runtime_folder=Path(options["run"]),
            token=TOKEN,
            painter=options["painter"],
            downloader=options["downloader"],
            devices=tuple(options["devices"]),
            models_dir=data.parent / "models",
            patience=Patience(silence=options["silence"]),
            quota=options["quota"],
            limits=replace(DEFAULT_LIMITS, message_bytes=options["message_bytes"]),
            idle_exit=options["idle_exit"],
            log_format=options["log_format"],
            share_port=options["share_port"],
            racks=tuple(options["racks"]),
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
