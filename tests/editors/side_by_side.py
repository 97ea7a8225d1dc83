"""The tests in several real editors at once: `python -m tests.editors.side_by_side gimp krita`.

Windows are mostly waited for, so two editors take little longer than one. What each says is printed
as a whole when it has ended.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path


def run(*folders: Path) -> int:
    """Run the tests in all of these folders and wait for all; 0 when all have passed."""
    with tempfile.TemporaryDirectory() as place:
        running: list[tuple[Path, subprocess.Popen[bytes]]] = []
        try:
            for number, folder in enumerate(folders):
                log = Path(place) / str(number)
                words = [sys.executable, "-m", "tests.attempts", "late", str(folder)]
                words += ["--durations", "40"]
                with log.open("wb") as said:
                    running.append((log, subprocess.Popen(words, stdout=said, stderr=said)))
            failed = False
            for log, process in running:
                failed |= process.wait() != 0
                print(log.read_text(encoding="utf-8", errors="replace"), flush=True)
            return int(failed)
        finally:
            for _, process in running:
                process.terminate()
            for _, process in running:
                process.wait()


if __name__ == "__main__":
    # As Ctrl+C does, so that the editors are closed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(*(Path(__file__).parent / editor for editor in sys.argv[1:])))
