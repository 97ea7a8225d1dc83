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
    for answer in stalls.measure({side}, {depth!r}, {repeats}):
        if isinstance(answer, float):
            yield answer
"""


def measure(krita: KritaSession, side: int, depth: str, repeats: int = 9) -> Figures:
    """Milliseconds of the calls and of the longest stalls, bare and ours."""
    return Figures(krita.run(_INSIDE.format(side=side, depth=depth, repeats=repeats)))


class Figures:
    """`calls` and `stalls`, each with a list of milliseconds for `bare` and for `ours`."""

    def __init__(self, found: dict[str, dict[str, list[float]]]) -> None:
        self.calls, self.stalls = found["calls"], found["stalls"]

    @property
    def layer(self) -> float:
        """From bytes in hand to the layer in the document, at best: other programs add to it."""
        return min(self.calls["ours"])

    @property
    def beyond(self) -> float:
        """What the plug-in adds to the longest stall of the bare calls, both at best."""
        return min(self.stalls["ours"]) - min(self.stalls["bare"])

    def __str__(self) -> str:
        middle = statistics.median
        calls, stalls = self.calls, self.stalls
        return (
            f"in the document after {middle(calls['ours']):.0f} ms, at best {self.layer:.0f} "
            f"(bare calls {middle(calls['bare']):.0f}); longest stall {middle(stalls['ours']):.0f}"
            f" ms (bare {middle(stalls['bare']):.0f}), worst {max(stalls['ours']):.0f} "
            f"(bare {max(stalls['bare']):.0f}), at best {self.beyond:+.0f} ms beyond bare"
        )


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
                figures = measure(krita, side, depth)
                print(f"Krita {version}, {side}² {depth}: {figures}; target {TARGET}", flush=True)
            krita.quit()
        finally:
            krita.close()
            screen.close()
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
