"""Takes the pictures of Krita that the README shows: `make editors` first.

python -m tests.editors.krita.pictures
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.app.server_process import RunningServer
from tests.editors.krita.desk import Desk
from tests.editors.krita.session import KritaSession, install_plugin
from tests.editors.screen import ROOT, Screen

FOLDER = ROOT / "tests" / "editors" / "pictures"
_MOST_BYTES = 150_000
_PROMPTS = {"text": "a green leaf", "background": "green hills under a blue sky"}


def main() -> None:
    """Krita 5.2 in its dark theme while it paints and another job waits, 5.3 in its bright one."""
    with tempfile.TemporaryDirectory(prefix="acetate-pictures-", dir="/tmp") as name:
        folder = Path(name)
        with RunningServer(folder / "server", real=["serve"]) as server:
            _take(server, folder, "trixie", True)
            _take(server, folder, "forky", False)


def _take(server: RunningServer, folder: Path, suite: str, dark: bool) -> None:
    settings = folder / f"config-{suite}" / "panel.json"
    settings.parent.mkdir()
    chosen = {"seed": 11, "seed_locked": True, "variants": 2 if dark else 1}
    settings.write_text(
        json.dumps({"prompts": _PROMPTS, "steps": {"embedded": 28 if dark else 10}, **chosen})
    )
    names = ("ACETATE_RUNTIME_DIR", "ACETATE_DATA_DIR")
    reach = {name: server.environment[name] for name in names}
    reach["ACETATE_CONFIG_DIR"] = str(settings.parent)
    screen, home = Screen("1280x860x24"), folder / f"home-{suite}"
    install_plugin(home)
    krita = KritaSession(suite, home, screen, reach, dark)
    try:
        desk = Desk(krita, 384, 288)
        desk.ready()
        desk.krita.run("select(112, 64, 160, 160, 6)")
        desk.wait(lambda: "at the selection" in desk.view()["sentence"])
        desk.generate()
        if dark:
            desk.screen.key("ctrl+Return")
            desk.wait(lambda: (desk.view()["share"] or 0) > 0.2 and desk.view()["preview"])
            _keep(desk, "krita-painting")
            return
        desk.wait(lambda: len(desk.names()) == 2)
        desk.krita.run("Krita.instance().action('deselect').trigger()")
        desk.choose(desk.names()[0])
        desk.krita.run("panel()._actions.set_mode('background')")
        desk.wait(lambda: desk.view()["sentence"].startswith("Fills the background"))
        desk.generate()
        desk.wait(lambda: len(desk.names()) == 3 and not desk.view()["running"])
        _keep(desk, "krita-background")
    finally:
        krita.close()
        screen.close()


def _keep(desk: Desk, name: str) -> None:
    desk.screen.do("xdotool", "mousemove", "1279", "859")
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
