"""The life of a server: one at a time, gone when idle, cheap while it waits, honest when full."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from acetate.app.locks import AlreadyLocked, hold
from acetate.app.server import catch_signals
from acetate_bridge import Done, Failed
from acetate_bridge.client.discovery import UnsafeFolder, read_runtime
from tests.app.listening import Listener
from tests.app.server_process import LONG, TOKEN, RunningServer


def test_the_runtime_file_is_private_and_tells_where_the_server_is(server: RunningServer) -> None:
    folder = server.folder / "run"
    file = folder / "server.json"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert server.process is not None
    found = json.loads(file.read_text())
    assert found["pid"] == server.process.pid and found["token"] == TOKEN
    assert TOKEN not in repr(server.runtime)


def test_a_second_server_says_so_and_leaves(server: RunningServer) -> None:
    second = server.spawn()
    assert second.wait(LONG) != 0
    said = server.log.read_text()
    assert f"already running at {server.runtime.address} (process" in said
    assert read_runtime(server.folder / "run") == server.runtime


@pytest.mark.slow
def test_of_two_servers_started_at_once_one_stays(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    both = [server.spawn(), server.spawn()]
    try:
        until = time.monotonic() + LONG
        while all(one.poll() is None for one in both) and time.monotonic() < until:
            time.sleep(0.05)
        assert sorted(one.poll() is None for one in both) == [False, True]
        while read_runtime(tmp_path / "run") is None and time.monotonic() < until:
            time.sleep(0.05)
        runtime = read_runtime(tmp_path / "run")
        assert runtime is not None
        with Listener(runtime.address, TOKEN) as listener:
            assert isinstance(listener.ending(listener.submit()), Done)
    finally:
        for one in both:
            one.terminate()
            one.wait(LONG)
    assert not (tmp_path / "run" / "server.json").exists()


@pytest.mark.slow
def test_an_idle_server_leaves_by_itself_but_not_while_it_works(tmp_path: Path) -> None:
    with RunningServer(tmp_path, idle_exit=10.0) as server:
        with Listener(server.runtime.address, TOKEN) as listener:
            assert isinstance(listener.ending(listener.submit("step=0.1", steps=120)), Done)
        assert server.wait() == 0
    assert not (tmp_path / "run" / "server.json").exists()


@pytest.mark.slow
def test_waiting_costs_next_to_nothing(tmp_path: Path) -> None:
    with RunningServer(tmp_path) as server, Listener(server.runtime.address, TOKEN) as listener:
        listener.ending(listener.submit())
        assert server.process is not None
        parent = psutil.Process(server.process.pid)
        family = [parent, *parent.children(recursive=True)]

        def worked() -> float:
            return sum(sum(one.cpu_times()[:2]) for one in family)

        # What a first job has begun may be winding up still.
        until, share = time.monotonic() + LONG, 1.0
        while share >= 0.01:
            assert time.monotonic() < until, share
            began, before = time.monotonic(), worked()
            time.sleep(4)
            share = (worked() - before) / (time.monotonic() - began)


def test_neither_token_nor_prompt_is_in_the_log(server: RunningServer) -> None:
    with Listener(server.runtime.address, TOKEN) as listener:
        listener.ending(listener.submit("a very private prompt"))
        listener.ending(listener.submit("bug private prompt"))
    subprocess.run(
        ["curl", "-s", "-o", "/dev/null", f"http://{server.runtime.address}/v1/jobs?token={TOKEN}"]
        if shutil.which("curl")
        else [sys.executable, "-c", ""],
        check=False,
    )
    said = server.log.read_text()
    assert TOKEN not in said and "private prompt" not in said


def full_disk(folder: Path) -> list[str] | None:
    """A command prefix that gives the server a tiny disk of its own at `folder`, if allowed."""
    tools = shutil.which("unshare"), shutil.which("mount")
    if sys.platform != "linux" or None in tools:
        return None
    mount = f'mount -t tmpfs -o size=3m,mode=0700 tmpfs {folder} && exec "$0" "$@"'
    flags = ["-m"] if os.geteuid() == 0 else ["-r", "-m"]
    prefix = ["unshare", *flags, "sh", "-c", mount]
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return prefix if tried.returncode == 0 else None


def small_files() -> list[str]:
    """A command prefix that forbids files beyond 2 MB: the same refusal from the system."""
    limit = "import os,resource,sys; resource.setrlimit(resource.RLIMIT_FSIZE,(2<<20,2<<20));"
    return [sys.executable, "-c", f"{limit}os.execvp(sys.argv[1],sys.argv[1:])"]


def seen_by(server: RunningServer, folder: Path) -> Path:
    """A folder as the server sees it, which may have mounts of its own."""
    assert server.process is not None
    root = Path(f"/proc/{server.process.pid}/root")
    return root / folder.relative_to("/") if root.exists() else folder


def fill(folder: Path) -> None:
    """Write until nothing more fits (on a large disk: as much as one of the server's files may)."""
    with contextlib.suppress(OSError), open(folder / "filler", "wb", buffering=0) as file:
        for _ in range(3 * 1024):
            file.write(bytes(1024))


@pytest.mark.slow
def test_a_full_disk_fails_the_job_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    data = folder / "data"
    data.mkdir(parents=True)
    prefix = full_disk(data) or small_files()
    with RunningServer(folder, prefix=prefix) as server:
        with Listener(server.runtime.address, TOKEN) as listener:
            assert isinstance(listener.ending(listener.submit(width=64, height=64)), Done)
            failed = listener.ending(listener.submit(width=1024, height=1024))
            assert isinstance(failed, Failed) and failed.code == "disk_full"
            assert isinstance(listener.ending(listener.submit(width=64, height=64)), Done)
            fill(seen_by(server, data))
            failed = listener.ending(listener.submit(width=512, height=512))
            assert isinstance(failed, Failed) and failed.code == "disk_full"
            (seen_by(server, data) / "filler").unlink()
            assert isinstance(listener.ending(listener.submit(width=64, height=64)), Done)
        assert server.process is not None and server.process.poll() is None
        copy = tmp_path / "copy"
        copy.mkdir()
        for file in (seen_by(server, data) / "jobs").glob("jobs.sqlite3*"):
            shutil.copy(file, copy)
    with sqlite3.connect(copy / "jobs.sqlite3") as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        states = [state for (state,) in store.execute("SELECT state FROM jobs ORDER BY number")]
    store.close()
    assert states == ["done", "failed", "done", "failed", "done"]


@pytest.mark.slow
def test_results_that_nobody_acknowledges_fill_the_quota_and_others_make_room(
    tmp_path: Path,
) -> None:
    with RunningServer(tmp_path, quota=3 * 2**20) as server:
        address = server.runtime.address
        with Listener(address, TOKEN) as tidy:
            for seed in range(4):
                ending = tidy.ending(tidy.submit(seed=seed, width=512, height=512))
                assert isinstance(ending, Done)
        with Listener(address, TOKEN, acknowledge=False) as hoarder:
            endings = [
                hoarder.ending(hoarder.submit(seed=seed, width=512, height=512))
                for seed in range(4)
            ]
        assert [type(ending) for ending in endings[:2]] == [Done, Done]
        last = endings[-1]
        assert isinstance(last, Failed) and last.code == "quota_full"


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with hold(tmp_path / "lock"), pytest.raises(AlreadyLocked), hold(tmp_path / "lock"):
        pass
    with hold(tmp_path / "lock"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="links are for administrators there")
def test_what_is_no_lock_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("folder", "link"):
        with pytest.raises(UnsafeFolder, match="no file to lock"), hold(tmp_path / name):
            pass
    assert not (tmp_path / "elsewhere").exists()

    def without_locks(handle: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    # Some disks of the network know none; that is not another server.
    monkeypatch.setattr("acetate.app.locks._lock_on_posix", without_locks)
    with pytest.raises(UnsafeFolder, match="keeps no locks"), hold(tmp_path / "lock"):
        pass


def test_windows_locks_with_its_own_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    calls: list[tuple[int, int]] = []
    module = types.ModuleType("msvcrt")
    module.LK_NBLCK = 2  # type: ignore[attr-defined]
    module.locking = lambda handle, mode, count: calls.append((mode, count))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "msvcrt", module)
    with hold(tmp_path / "lock", platform="win32"):
        assert calls == [(2, 1)]


def test_windows_ends_on_its_own_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    import signal
    from unittest.mock import Mock

    handlers: dict[int, object] = {}
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    loop, stop = Mock(), Mock()
    catch_signals(loop, stop, platform="win32")
    assert set(handlers) == {signal.SIGINT, 21}
    handlers[21](21, None)  # type: ignore[operator]
    loop.call_soon_threadsafe.assert_called_once_with(stop)
    loop.add_signal_handler.assert_not_called()
