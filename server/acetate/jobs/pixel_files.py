"""Pixels on disk: uploaded images by their digest, results under names that the server makes."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Generator
from pathlib import Path

from acetate.jobs.disk_space import is_full
from acetate.jobs.records import DiskFull
from acetate_bridge.client.discovery import make_private

_OURS = re.compile(r"(?:image|layer)-[A-Za-z0-9_-]+")
_PART = re.compile(r"[0-9a-f]{32}\.part")


class PixelFiles:
    """A folder of files that appear whole or not at all. Methods block: call them in threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = make_private(folder, link=True)
        for leftover in folder.iterdir():
            if _PART.fullmatch(leftover.name):
                leftover.unlink(missing_ok=True)

    def write(self, name: str, data: bytes) -> None:
        """Store data under a name; raises DiskFull and leaves nothing behind."""
        self.name_part(self.write_part(data), name)

    def write_part(self, data: bytes) -> Path:
        """Write data that has no name yet; raises DiskFull and leaves nothing behind."""
        part = self.new_part()
        with _whole(part), open(part, "wb") as file:
            file.write(data)
        return part

    def new_part(self) -> Path:
        """A path for data that has no name yet; what is left there goes at the next start."""
        return self._folder / f"{uuid.uuid4().hex}.part"

    def name_part(self, part: Path, name: str) -> None:
        """Let what was written appear under its name; raises DiskFull."""
        with _whole(part):
            os.replace(part, self._folder / name)

    def read(self, name: str) -> bytes:
        """What was stored; raises OSError."""
        if not _OURS.fullmatch(name):
            raise FileNotFoundError(name)
        return (self._folder / name).read_bytes()

    def size(self, name: str) -> int:
        """Bytes on disk, or -1 when there is no such file."""
        try:
            return (self._folder / name).stat().st_size
        except OSError:
            return -1

    def remove(self, *names: str) -> None:
        """Forget files; those that are not there do not matter."""
        for name in filter(_OURS.fullmatch, names):
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()

    def set_aside(self, folder: Path) -> Path:
        """Move all that is stored into another folder, and return that."""
        make_private(folder)
        for name in self.names():
            with contextlib.suppress(OSError):
                os.replace(self._folder / name, folder / name)
        return folder

    def names(self) -> set[str]:
        """All that is stored; what somebody else has put there is left alone."""
        return {
            path.name
            for path in self._folder.iterdir()
            if _OURS.fullmatch(path.name) and path.is_file()
        }


@contextlib.contextmanager
def _whole(part: Path) -> Generator[None]:
    """Removes the part when something goes wrong with it; raises DiskFull."""
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if is_full(error):
            raise DiskFull from error
        raise
