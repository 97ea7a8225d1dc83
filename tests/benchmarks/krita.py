"""What a layer costs Krita's GUI thread, beside the bare calls that put the same pixels there.

python -m tests.benchmarks.krita: in the real Krita, both versions, as `make editors` set them up.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from tests.editors.krita.session import SUITES, KritaSession, install_plugin
from tests.editors.screen import Screen, missing

TARGET = 50
"""Milliseconds: beyond the bare calls at 2048², and for a whole layer at 1024²."""

_INSIDE = """
from tests.editors.krita import stalls
def main():
    global answer
    for each in stalls.measure({side}, {depth!r}):
        if isinstance(each, dict):
            answer = each
        else:
            yield each
"""


def main() -> None:
    """Print medians of the repeats, and the worst of them."""
    for suite in SUITES:
        if why := missing(suite):
            print(f"Krita: not measured, {why}")
            continue
        folder, screen = Path(tempfile.mkdtemp(prefix="acetate-krita-")), Screen()
        install_plugin(folder)
        krita = KritaSession(suite, folder, screen)
        try:
            version = krita.run("from krita import Krita\nanswer = Krita.instance().version()")
            for side, depth in ((1024, "U8"), (2048, "U8"), (1024, "U16"), (2048, "U16")):
                _line(version, side, depth, krita.run(_INSIDE.format(side=side, depth=depth)))
            krita.quit(60)
        finally:
            krita.close()
            screen.close()
            shutil.rmtree(folder, ignore_errors=True)


def _line(version: str, side: int, depth: str, found: dict[str, dict[str, list[float]]]) -> None:
    middle = {
        kind: {way: statistics.median(times) for way, times in ways.items()}
        for kind, ways in found.items()
    }
    calls, stalls = middle["calls"], middle["stalls"]
    print(
        f"Krita {version}, {side}² {depth}: in the document after {calls['ours']:.0f} ms "
        f"(bare calls {calls['bare']:.0f}), longest stall {stalls['ours']:.0f} ms "
        f"(bare {stalls['bare']:.0f}): {stalls['ours'] - stalls['bare']:+.0f} ms, "
        f"worst {max(found['stalls']['ours']):.0f} (bare {max(found['stalls']['bare']):.0f}); "
        f"target {TARGET}",
        flush=True,
    )


if __name__ == "__main__":
    main()
