"""What an insertion costs in GIMP, and what a painter feels of it: needs `make editors`.

    python -m tests.benchmarks.gimp [trixie|forky …]

From bytes in hand to the layer in the stack, beside the bare `Gegl.Buffer.set` and insertion that
no plug-in can do without, taking turns in the same run. Then the panel paints in the live GIMP
while another plug-in asks GIMP's main loop for a trifle, over and over: the longest answer is the
longest time for which a brush would have stood still.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.app.server_process import RunningServer
from tests.editors.gimp.session import VERSIONS, Gimp
from tests.editors.screen import Screen, missing

_REPEATS = 11
_TARGETS = {1024: 50, 2048: 150}

_INSERTIONS = """
import gi, os, time
gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp
from acetate_bridge.editing.editor import Insertion
from adapter.editor import GimpEditor
from acetate_bridge.protocol.types import Image, Layer, Recipe

side = {side}
data = os.urandom(side * 64) * (side // 16)
image = Gimp.Image.new(side, side, Gimp.ImageBaseType.RGB)
display = Gimp.Display.new(image) if {windowed} else None
insertion = Insertion((Layer(Image(side, side, data), name="x", recipe=Recipe("text", "x")),))

editor, key = GimpEditor(), str(image.get_id())

def ours():
    return Gimp.Item.get_by_id(int(editor.insert(key, insertion)[0]))

def bare():
    kind, mode = Gimp.ImageType.RGBA_IMAGE, Gimp.LayerMode.NORMAL
    layer = Gimp.Layer.new(image, "x", side, side, kind, 100.0, mode)
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, side, side), "R'G'B'A u8", data)
    buffer.flush()
    image.insert_layer(layer, None, 0)
    Gimp.displays_flush()
    return layer

answer = [[], [], [], []]
for turn in range({repeats} + 1):
    for place, insert in enumerate((ours, bare)):
        began, worked = time.perf_counter(), time.process_time()
        layer = insert()
        took, worked = time.perf_counter() - began, time.process_time() - worked
        if turn:
            answer[place].append(took * 1000)
            answer[place + 2].append(worked * 1000)
        image.remove_layer(layer)
        # GIMP draws the image without it, which is not to be measured with the next one.
        time.sleep(0.4)
display.delete() if display else image.delete()
"""

_DOCUMENT = """
from tests.editors.gimp.scripting import *
import time
image = new_image(2048, 2048)
add_paper(image)
display = Gimp.Display.new(image)
image.clean_all()
"""

_BARE_STALL = """
found = []
for turn in range(3):
    kind, mode = Gimp.ImageType.RGBA_IMAGE, Gimp.LayerMode.NORMAL
    layer = Gimp.Layer.new(image, "x", 2048, 2048, kind, 100.0, mode)
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, 2048, 2048), "R'G'B'A u8", bytes(2048 * 2048 * 4))
    buffer.flush()
    calls = [lambda: image.insert_layer(layer, None, 0), Gimp.displays_flush]
    until, longest = time.perf_counter() + 2, 0.0
    while time.perf_counter() < until:
        call = calls.pop(0) if calls else image.get_layers
        began = time.perf_counter()
        call()
        longest = max(longest, (time.perf_counter() - began) * 1000)
        time.sleep(0.002)
    found.append(longest)
    image.remove_layer(layer)
    Gimp.displays_flush()
    time.sleep(1)
answer = found
"""

_PING = """
found, count, until, grown = [], len(image.get_layers()), time.perf_counter() + {seconds}, 0.0
while time.perf_counter() < until:
    began = time.perf_counter()
    layers = len(image.get_layers())
    found.append((began, (time.perf_counter() - began) * 1000))
    if layers > count and not grown:
        # The projection is drawn anew after the insertion, so go on for a while.
        grown = time.perf_counter()
        until = grown + 2
    # A flood of questions would be a stall of its own.
    time.sleep(0.002)
near = [took for began, took in found if not grown or began > grown - 1.5]
answer = [max(near), sorted(near)[len(near) // 2], len(near), bool(grown)]
"""


def main(suites: list[str]) -> None:
    """Print one line for each figure, in milliseconds."""
    for suite in suites or list(VERSIONS):
        if why := missing(suite):
            print(f"GIMP {VERSIONS[suite]}: {why}")
            continue
        with tempfile.TemporaryDirectory(prefix="acetate-bench-", dir="/tmp") as folder:
            _measure(suite, Path(folder))


def _measure(suite: str, folder: Path) -> None:
    with RunningServer(folder / "server", real=["serve"]) as server:
        reach = {name: server.environment[name] for name in server.environment if _ours(name)}
        reach["ACETATE_CONFIG_DIR"] = str(folder / "config")
        screen = Screen()
        gimp = Gimp(suite, folder / "home", screen, reach)
        try:
            for side, target in _TARGETS.items():
                code = _INSERTIONS.format(side=side, repeats=_REPEATS, windowed=True)
                ours, bare, *work = gimp.run(code)
                _line(f"GIMP {gimp.version}: insert {side}²", ours, f"at most {target} ms")
                _line(f"GIMP {gimp.version}: bare set and insert {side}²", bare)
                for words, times in zip(("insert", "bare set and insert"), work, strict=True):
                    _line(f"GIMP {gimp.version}: processor time of {words} {side}²", times)
            _stalls(gimp, screen)
        finally:
            gimp.close()
            screen.close()


def _stalls(gimp: Gimp, screen: Screen) -> None:
    gimp.run(_DOCUMENT)
    bare = ", ".join(f"{each:.1f}" for each in gimp.run(_BARE_STALL))
    print(f"GIMP {gimp.version}: longest answer after the bare insertion of 2048² {bare}")
    screen.focus(gimp.window)
    screen.key("F9")
    window = screen.wait_for_window("^Acetate$")
    until = time.monotonic() + 240
    while not (gimp.run("answer = panel()") or {}).get("status", "").startswith("Ready"):
        if time.monotonic() > until:
            raise RuntimeError(f"the panel is not ready: {gimp.run('answer = panel()')}")
        time.sleep(0.2)
    screen.focus(window)
    screen.type("a red apple")
    time.sleep(2)
    idle, *_ = gimp.run(_PING.format(seconds=4))
    print(f"GIMP {gimp.version}: longest answer of the main loop while nothing happens {idle:.1f}")
    for _ in range(3):
        screen.focus(window)
        screen.key("ctrl+Return")
        longest, usual, count, came = gimp.run(_PING.format(seconds=240))
        print(
            f"GIMP {gimp.version}: longest answer while a 2048² layer comes in {longest:.1f} "
            f"(median {usual:.2f} of {count}{'' if came else '; no layer came'})"
        )


def _line(words: str, times: list[float], wanted: str = "") -> None:
    middle = statistics.median(times)
    print(f"{words}: median {middle:.1f}, best {min(times):.1f} {wanted and f'({wanted})'}")


def _ours(name: str) -> bool:
    return name in ("ACETATE_RUNTIME_DIR", "ACETATE_DATA_DIR")


if __name__ == "__main__":
    main(sys.argv[1:])
