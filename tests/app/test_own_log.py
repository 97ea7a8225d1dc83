"""The log of a server that runs for weeks: short, and what was said last is still there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from acetate.app.own_log import OwnLog
from acetate.app.refusal_log import SparingLog
from acetate_bridge.client.discovery import log_file
from acetate_bridge.client.launcher import LOG_BYTES, older_log
from tests.app.server_process import LONG, RunningServer

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows shortens no open files")


@pytest.fixture
def descriptor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The log as a server that was started by an editor holds it."""
    monkeypatch.setenv("ACETATE_DATA_DIR", str(tmp_path / "data"))
    log_file().parent.mkdir(parents=True)
    opened = os.open(log_file(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    yield opened
    os.close(opened)


def test_a_long_log_begins_anew_under_those_who_write_it(descriptor: int) -> None:
    with open(log_file(), "ab") as worker:
        os.write(descriptor, b"before " * 100)
        assert OwnLog(descriptor, most=500).look()
        worker.write(b"from a worker\n")
        worker.flush()
    os.write(descriptor, b"from the server\n")
    assert log_file().read_bytes() == b"from a worker\nfrom the server\n"
    older = older_log(log_file())
    assert older.read_bytes() == b"before " * 100 and older.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in log_file().parent.iterdir()) == [
        "server.log",
        "server.old.log",
    ]


def test_a_short_log_is_left_alone(descriptor: int) -> None:
    os.write(descriptor, b"x" * 500)
    assert not OwnLog(descriptor, most=500).look()


def test_a_log_on_a_full_disk_makes_room(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    os.write(descriptor, b"x" * 600)
    assert OwnLog(descriptor, most=500).look()
    assert log_file().stat().st_size == 0 and not older_log(log_file()).exists()
    assert len(list(log_file().parent.iterdir())) == 1


def test_what_somebody_else_keeps_is_left_alone(descriptor: int, tmp_path: Path) -> None:
    """A terminal, a file of the person's own, a link to one, a file that is not appended to."""
    mine = tmp_path / "mine.log"
    mine.write_bytes(b"x" * 600)
    os.write(descriptor, b"x" * 600)
    with open(mine, "ab") as other:
        assert not OwnLog(other.fileno(), most=500).look()
    with open(log_file(), "r+b") as other:
        assert not OwnLog(other.fileno(), most=500).look()
    reading, writing = os.pipe()
    assert not OwnLog(writing, most=0).look()
    os.close(reading)
    os.close(writing)
    log_file().unlink()
    log_file().symlink_to(mine)
    with open(mine, "ab") as other:
        assert not OwnLog(other.fileno(), most=500).look()
    assert mine.read_bytes() == b"x" * 600


@pytest.mark.slow
def test_a_running_server_keeps_its_log_short(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    server.log = tmp_path / "data" / "logs" / "server.log"
    for folder in (tmp_path / "data", server.log.parent):
        folder.mkdir(mode=0o700)
    server.log.write_bytes(b"x" * (LOG_BYTES + 1))
    with server:
        until = time.monotonic() + LONG
        while server.log.stat().st_size > LOG_BYTES and time.monotonic() < until:
            time.sleep(0.05)
        assert server.log.stat().st_size < LOG_BYTES
        assert older_log(server.log).read_bytes().startswith(b"x" * LOG_BYTES)


def test_refusals_are_said_a_hundred_times_a_minute_and_then_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    sparing = SparingLog(most=100, window=60.0, clock=lambda: now)
    assert [sparing.may_say() for _ in range(1000)].count(True) == 100
    now = 61.0
    with caplog.at_level("INFO", "acetate.http"):
        assert sparing.may_say()
    assert "900 more" in caplog.text
