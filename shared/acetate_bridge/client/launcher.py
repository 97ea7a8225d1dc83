"""Starting a server that outlives the editor: a detached process with its log kept."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from acetate_bridge.client.discovery import (
    INSTALLATION_FILE,
    data_folder,
    log_file,
    make_data_folder,
    make_private,
)
from acetate_bridge.client.paths import write_whole
from acetate_bridge.client.private_folders import read_owned
from acetate_bridge.client.sandbox import sandbox_of
from acetate_bridge.client.surroundings import own_environment, program
from acetate_bridge.protocol.errors import AcetateError
from acetate_bridge.protocol.json_text import read_json

LOG_BYTES = 4 * 2**20
"""From which length on the log begins anew; the server looks after it while it runs."""
_LINE_BYTES = 500
_UPDATE_SECONDS = 120.0


class CannotStart(AcetateError, OSError):
    """The server could not be started; the text says why and what to do."""

    code = "cannot_start"


def find_command() -> list[str]:
    """How to start the server on this machine; raises CannotStart when it is not installed.

    Asks ACETATE_COMMAND, then the note that `acetate` leaves when it runs, then the search path.
    A sandbox keeps an editor from starting anything outside, so there it is said what to do.
    """
    if (sandbox := sandbox_of()) is not None:
        raise CannotStart(
            f"This editor runs in a sandbox ({sandbox.kind}), which cannot start programs of the "
            "system: run `acetate serve` in a terminal, and the panel connects by itself"
        )
    if chosen := os.environ.get("ACETATE_COMMAND"):
        return [chosen, "serve"]
    note = data_folder() / INSTALLATION_FILE
    try:
        found: Any = read_json(read_owned(note))
        command: Any = found["command"]
        if isinstance(command, list):
            words = [word for word in cast("list[Any]", command) if isinstance(word, str)]
            if words and Path(words[0]).exists():
                return [*words, "serve"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if on_path := program("acetate"):
        return [on_path, "serve"]
    raise CannotStart("Acetate is not installed here: run `pipx install acetate`, then start again")


@dataclass(frozen=True)
class Detachment:
    """What makes a child process independent of its parent: Windows flags, or a new session."""

    creation_flags: int
    new_session: bool


def detachment(platform: str = sys.platform) -> Detachment:
    """How a process is detached on this system."""
    if platform == "win32":
        detached, new_group, no_window = 0x00000008, 0x00000200, 0x08000000
        return Detachment(detached | new_group | no_window, False)
    return Detachment(0, True)


def start_server(
    command: Sequence[str] | None = None, platform: str = sys.platform
) -> subprocess.Popen[bytes]:
    """Start a server in the background; raises CannotStart. Its log is `discovery.log_file()`."""
    words = list(command) if command is not None else find_command()
    log, detached = log_file(), detachment(platform)
    try:
        make_private(log.parent)
        # Another editor may be doing the same.
        with contextlib.suppress(FileNotFoundError):
            if log.stat().st_size > LOG_BYTES:
                os.replace(log, older_log(log))
        with open(log, "ab") as output:
            return subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=str(Path.home()),
                close_fds=True,
                env=own_environment(),
                creationflags=detached.creation_flags,
                start_new_session=detached.new_session,
            )
    except OSError as error:
        raise CannotStart(f"the server could not be started: {error}") from error


def update_plugin(editor: str, platform: str = sys.platform) -> None:
    """Let this machine's Acetate put its own plug-in into an editor. Blocks; raises CannotStart."""
    words = [*find_command()[:-1], "plugins", "install", editor]
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_UPDATE_SECONDS,
            check=False,
            cwd=str(Path.home()),
            env=own_environment(),
            creationflags=detachment(platform).creation_flags,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotStart(f"The plug-in could not be updated: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = said[-1].strip() if said else f"acetate ended with {done.returncode}"
        raise CannotStart(f"The plug-in could not be updated: {why}")


def older_log(log: Path) -> Path:
    """Where the lines before those of the log lie."""
    return log.with_suffix(".old.log")


def last_words() -> str:
    """The last line of the log, which says why a server that was started here has ended."""
    log = log_file()
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - _LINE_BYTES))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        lines = []
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return said or f"see {log}"


def leave_note(command: Sequence[str]) -> None:
    """Tell editors how this installation is started (written by `acetate` itself)."""
    folder = make_data_folder(data_folder())
    write_whole(folder / INSTALLATION_FILE, json.dumps({"command": list(command)}))
