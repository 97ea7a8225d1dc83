"""`acetate plugins`: put the plug-ins into GIMP and Krita, and take them out again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acetate.cli.own_command import own_command
from acetate.errors import AcetateError

if TYPE_CHECKING:
    from acetate.plugin_install.bundle import EditorName
    from acetate.plugin_install.editor_folders import Place

_NAMES = {"gimp": "GIMP", "krita": "Krita"}
_USUAL = ("plug-ins", "pykrita")
"""What GIMP and Krita call their folders of plug-ins."""

plugins = typer.Typer(help="Install the plug-ins for GIMP and Krita.", no_args_is_help=True)


class EditorMissing(AcetateError):
    """The editor was not found on this machine."""

    code = "editor_missing"


class Which(StrEnum):
    """Which plug-ins are meant."""

    GIMP = "gimp"
    KRITA = "krita"
    ALL = "all"


Editors = Annotated[Which, typer.Argument(help="gimp, krita or all.")]
Folder = Annotated[
    Path | None,
    typer.Option(help="Use this folder: GIMP's plug-ins, or Krita's pykrita. Found by itself."),
]
Create = Annotated[
    bool, typer.Option("--create", help="Make the folder that --folder names if it is missing.")
]
Enable = Annotated[
    bool, typer.Option("--enable/--no-enable", help="Enable the plug-in in Krita's settings.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder for the zip files.")]


@plugins.command("install")
def install_plugins(
    editors: Editors, folder: Folder = None, enable: Enable = True, create: Create = False
) -> None:
    """Install or upgrade, in every editor of that kind on this machine."""
    from acetate import __version__
    from acetate.plugin_install import kritarc, shortcutsrc
    from acetate.plugin_install.bundle import plugin_files
    from acetate.plugin_install.install import install
    from acetate_bridge.client.launcher import leave_note

    if folder is not None and not create and not _made_by_an_editor(folder):
        raise EditorMissing(
            f"There is no folder {folder}.",
            "Start the editor once, so that it makes it, or add --create.",
        )
    # So that *Start* in the panel knows how.
    leave_note(own_command())
    for place in _places(editors, folder):
        before = install(place.editor, plugin_files(place.editor), place.folder)
        was = f", in place of {before.version or 'an unknown version'}" if before else ""
        print(f"{place.words}: installed {__version__}{was} in {place.folder}")
        if place.editor == "gimp":
            keys = shortcutsrc.add(place.folder.parent / "shortcutsrc")
            opens = ", or press F9" if shortcutsrc.SHORTCUTS["acetate-open-panel"] in keys else ""
            print(f"  Start GIMP again; look under Layer, Acetate{opens}.")
        elif place.kritarc is None or not enable:
            print("  Enable it: Settings, Configure Krita, Python Plugin Manager, Acetate.")
        elif not kritarc.is_enabled(place.kritarc):
            print(f"  Enabling it in {place.kritarc} (not with --no-enable).")
            kritarc.enable(place.kritarc)
            print("  Close Krita first if it is open, since it writes its settings as it closes;")
            print("  then start it: Settings, Dockers, Acetate.")


@plugins.command("remove")
@plugins.command("uninstall", hidden=True)
def uninstall_plugins(editors: Editors, folder: Folder = None) -> None:
    """Remove exactly what was installed."""
    from acetate.plugin_install import kritarc, shortcutsrc
    from acetate.plugin_install.install import uninstall

    for place in _places(editors, folder):
        before = uninstall(place.editor, place.folder)
        if before is None:
            print(f"{place.words}: not installed in {place.folder}")
            continue
        print(f"{place.words}: removed {before.version} from {place.folder}")
        if place.editor == "gimp":
            shortcutsrc.forget(place.folder.parent / "shortcutsrc")
        if place.kritarc is not None and kritarc.is_enabled(place.kritarc):
            kritarc.forget(place.kritarc)
            print(f"  Not enabled any more in {place.kritarc}.")


@plugins.command("status")
def show_status(editors: Editors = Which.ALL, folder: Folder = None) -> None:
    """Say which version is installed where."""
    from acetate.plugin_install import kritarc
    from acetate.plugin_install.install import installed

    for place in _places(editors, folder):
        found = installed(place.editor, place.folder)
        state = "not installed" if found is None else found.version or "installed by hand"
        if found is not None and place.kritarc is not None:
            state += ", enabled" if kritarc.is_enabled(place.kritarc) else ", not enabled"
        print(f"{place.words}: {state} in {place.folder}")


@plugins.command("build")
def build_plugins(editors: Editors = Which.ALL, output: Output = Path("dist")) -> None:
    """Pack the plug-ins as zip files, for Krita's Import Python Plugin or to unpack for GIMP."""
    from acetate.plugin_install.archive import build

    for editor in _named(editors):
        print(build(editor, output))


def _made_by_an_editor(folder: Path) -> bool:
    """Whether it is there, or is the usual one below a folder of an editor that is."""
    return folder.is_dir() or (folder.name in _USUAL and folder.parent.is_dir())


def _named(editors: Which) -> tuple[EditorName, ...]:
    from acetate.plugin_install.bundle import EDITORS

    return tuple(each for each in EDITORS if editors is Which.ALL or editors.value == each)


def _places(editors: Which, folder: Path | None) -> list[Place]:
    """Where to work; raises EditorMissing when there is no such editor."""
    from acetate.plugin_install.editor_folders import Place, places

    named = _named(editors)
    if folder is not None:
        if len(named) > 1:
            raise EditorMissing("A folder belongs to one editor: say gimp or krita.")
        return [Place(each, _NAMES[each], folder) for each in named]
    found = [place for editor in named for place in places(editor)]
    if not found:
        names = " or ".join({"gimp": "GIMP 3", "krita": "Krita"}[editor] for editor in named)
        raise EditorMissing(
            f"No {names} was found here.",
            "Start it once, so that it makes its folder, or name the folder with --folder.",
        )
    return found
