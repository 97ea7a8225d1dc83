"""How a server is set up, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from acetate.jobs.admission import DEFAULT_LIMITS
from acetate.jobs.downloads import DOWNLOADER
from acetate.logs import LogFormat
from acetate.workers.ray_settings import RaySettings
from acetate.workers.supervisor import Patience
from acetate_bridge.protocol.messages import Limits

GENERATOR = "acetate.workers.generator:open_generator"


@dataclass(frozen=True)
class Settings:
    """`port` 0 takes a free one; `idle_exit` 0 stays for ever; `quota` is in bytes.

    `hosts` are further names under which clients may address a server that listens beyond this
    machine. `racks` are addresses of servers that paint beside the devices. `share_port` is where
    those that were paired are served, encrypted (None: nowhere).
    """

    data_folder: Path
    runtime_folder: Path
    token: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 0
    hosts: tuple[str, ...] = ()
    devices: tuple[str, ...] = ("auto",)
    models_dir: Path | None = None
    idle_exit: float = 0.0
    drain_seconds: float = 5.0
    quota: int = 4 * 2**30
    limits: Limits = DEFAULT_LIMITS
    patience: Patience = Patience()
    painter: str = GENERATOR
    downloader: str = DOWNLOADER
    sessions: int = 64
    ray: RaySettings | None = None
    racks: tuple[str, ...] = ()
    share_port: int | None = None
    log_format: LogFormat = "text"

    @property
    def models_folder(self) -> Path:
        """Where files of one's own lie."""
        return self.models_dir or self.data_folder / "models"
