"""Trainings in processes of their own, alone and together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch.distributed import TCPStore

ROOT = Path(__file__).parents[3]
PATIENCE = 1800.0


def script(module: str, *words: object, **variables: str) -> subprocess.Popen[bytes]:
    """Start a module of these tests."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "server", "shared"))
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.training.conversion.{module}", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **variables},
    )


@contextmanager
def processes_together(processes: int) -> Iterator[list[dict[str, str]]]:
    """The variables that make as many processes share their steps; on the processor, here."""
    # Where all meet is open before they start, so that nobody else takes its port meanwhile.
    meeting = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    common = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(meeting.port)}
    common |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "0"}
    common |= {"ACCELERATE_USE_CPU": "true", "GLOO_SOCKET_IFNAME": "lo"}
    yield [common | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(processes)]
    del meeting
