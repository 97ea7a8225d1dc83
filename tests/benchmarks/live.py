"""What Live costs a painter in Krita, and how soon a stroke is followed by its preview.

`python -m tests.benchmarks.live [trixie|forky …]`: strokes by a real mouse with Live on, and the
same strokes with Live off, in turns; the built-in model paints at the panel's own steps. It needs
`make editors`.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from tests.app.server_process import RunningServer
from tests.editors.krita.conftest import reach
from tests.editors.krita.desk import Desk
from tests.editors.krita.session import SUITES, KritaSession, install_plugin
from tests.editors.screen import Screen, missing

_REPEATS = 7
_SIDES = (640, 1024)
_DELAY, _STALL = 700, 50
"""Milliseconds: the aims."""


def strokes(desk: Desk, live: bool) -> tuple[list[float], list[float]]:
    """Milliseconds from the end of each stroke to its preview, and its longest stall."""
    desk.krita.run(f"studio().controller.set_live({live})")
    x, y = desk.ask("place(canvas())")
    delays: list[float] = []
    stalls: list[float] = []
    for repeat in range(_REPEATS + 1):
        desk.wait(lambda: desk.ask("settled() and not studio().controller._live.painting"))
        if live:
            desk.wait(lambda: desk.ask("shown()"))
        desk.krita.run("delay.restart()")
        there = ["mousemove", str(x - 60), str(y + 12 * repeat - 40), "mousedown", "1"]
        moves = ["mousemove_relative", "12", "3", "sleep", "0.02"] * 10
        desk.screen.do("xdotool", *there, *moves, "mouseup", "1", "sleep", "1.5")
        if live:
            desk.wait(lambda: desk.ask("delay.seconds"))
        delay, stall = desk.ask("[delay.seconds, delay.longest]")
        desk.krita.run("delay.stop()")
        if repeat:  # The first one warms up.
            delays.append(1000 * delay)
            stalls.append(1000 * stall)
    desk.krita.run("studio().controller.set_live(False)")
    return delays, stalls


def measure(suite: str, folder: Path, screen: Screen) -> None:
    """Print a line for each size of a document."""
    install_plugin(folder / f"home-{suite}")
    krita = KritaSession(suite, folder / f"home-{suite}", screen, reach(folder, suite))
    try:
        desk = Desk(krita)
        krita.run("from tests.editors.krita.live_checks import *")
        krita.run("from tests.editors.krita.live_delays import *\ndelay = Delay()")
        version = krita.run("from krita import Krita\nanswer = Krita.instance().version()")
        for side in _SIDES:
            desk.fresh(side, side)
            krita.run("Krita.instance().action('KritaShape/KisToolBrush').trigger()")
            desk.write("a red apple")
            _, without = strokes(desk, live=False)
            delays, stalls = strokes(desk, live=True)
            middle = statistics.median
            print(
                f"Krita {version}, {side}²: preview {middle(delays):.0f} ms after the stroke, "
                f"at best {min(delays):.0f} (aim {_DELAY}); longest stall {middle(stalls):.0f} ms,"
                f" at best {min(stalls):.0f}, without Live {middle(without):.0f}, at best "
                f"{min(without):.0f} (aim {_STALL} beyond it)",
                flush=True,
            )
        krita.quit()
    finally:
        krita.close()


def main() -> None:
    """Measure in each Krita that is set up here."""
    folder, screen = Path(tempfile.mkdtemp(prefix="acetate-krita-")), Screen("1280x860x24")
    try:
        with RunningServer(folder / "server", real=["serve"]):
            for suite in sys.argv[1:] or SUITES:
                if why := missing(suite):
                    print(f"Krita: not measured, {why}")
                    continue
                measure(suite, folder, screen)
    finally:
        screen.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
