"""Takes the pictures of GIMP that the README shows: `make editors` first.

python -m tests.editors.gimp.pictures
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.app.server_process import RunningServer
from tests.editors.gimp.desk import Desk
from tests.editors.gimp.session import Gimp
from tests.editors.screen import ROOT, Screen

FOLDER = ROOT / "tests" / "editors" / "pictures"
_CANVAS = (256, 192)
_MOST_BYTES = 150_000
_SETTINGS = {"prompts": {"text": "a red apple", "background": "green hills under a blue sky"}}


def main() -> None:
    """Take both: GIMP 3.0 in its dark theme while it paints, GIMP 3.2 in its light one after."""
    with tempfile.TemporaryDirectory(prefix="acetate-pictures-", dir="/tmp") as name:
        folder = Path(name)
        with RunningServer(folder / "server", real=["serve"]) as server:
            _take(server, folder, "trixie", "dark", False)
            _take(server, folder, "forky", "light", True)


def _take(server: RunningServer, folder: Path, suite: str, theme: str, to_the_end: bool) -> None:
    settings = folder / f"config-{suite}" / "panel.json"
    settings.parent.mkdir()
    chosen = {
        "seed": 11,
        "seed_locked": True,
        "more_open": to_the_end,
        "steps": {"embedded": 10 if to_the_end else 28},
    }
    settings.write_text(json.dumps({**_SETTINGS, **chosen}))
    names = ("ACETATE_RUNTIME_DIR", "ACETATE_DATA_DIR")
    reach = {name: server.environment[name] for name in names}
    reach["ACETATE_CONFIG_DIR"] = str(settings.parent)
    screen = Screen("1280x860x24")
    gimp = Gimp(suite, folder / suite, screen, reach, theme)
    try:
        desk = Desk(gimp, screen, _CANVAS)
        desk.gimp.run("image.select_rectangle(Gimp.ChannelOps.REPLACE, 72, 56, 112, 112)")
        desk.gimp.run("Gimp.displays_flush()")
        _arrange(desk)
        desk.generate()
        if not to_the_end:
            desk.in_panel("ctrl+Return")  # Another one waits behind it.
            desk.wait(lambda: _step(desk) >= 8)
            _keep(desk, "gimp-painting")
            return
        desk.wait(lambda: len(desk.names()) == 2)
        desk.gimp.run("Gimp.Selection.none(image)")
        desk.gimp.run("image.set_selected_layers([image.get_layers()[0]])")
        desk.in_image("ctrl+F9")
        desk.wait(lambda: desk.panel()["plan"].startswith("Fills the background"))
        desk.generate()
        desk.wait(lambda: len(desk.names()) == 3 and not desk.panel()["running"])
        _keep(desk, "gimp-details")
    finally:
        gimp.close()
        screen.close()


def _arrange(desk: Desk) -> None:
    """GIMP on the left, the panel on the right, the image as large as there is room."""
    for window, width, x in ((desk.gimp.window, 860, 0), (desk.window, 380, 880)):
        desk.screen.do("xdotool", "windowsize", "--sync", window, str(width), "800")
        desk.screen.do("xdotool", "windowmove", window, str(x), "20")
    # Where no tooltip comes up.
    desk.screen.do("xdotool", "mousemove", "1279", "0")
    desk.in_image("ctrl+shift+j")


def _step(desk: Desk) -> int:
    """How far the painting is: "step 11 of 20 · 3 s left"."""
    words = desk.panel()["progress"].split()
    return int(words[1]) if words[:1] == ["step"] else 0


def _keep(desk: Desk, name: str) -> None:
    large = desk.screen.picture(ROOT / "artifacts" / "editors" / f"{name}.png")
    small = FOLDER / f"{name}.png"
    for colours in (255, 128, 64, 32):
        words = ("+dither", "-colors", str(colours), f"PNG8:{small}")
        desk.screen.do("convert", str(large), *words)
        if small.stat().st_size <= _MOST_BYTES:
            break
    print(f"{small}: {small.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
