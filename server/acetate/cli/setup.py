"""`acetate setup`: what is here, what is missing, and what would be fetched for this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Annotated

import typer

from acetate import __version__
from acetate.cli.quoting import written
from acetate.errors import AcetateError
from acetate.models.machine import CUDA, Build, Machine, fits, install_words, installed_torch, look


class CannotSetUp(AcetateError):
    """What was to be fetched could not be."""

    code = "cannot_set_up"


def setup(
    yes: Annotated[bool, typer.Option("--yes", help="Fetch and install what is missing.")] = False,
    build: Annotated[
        str, typer.Option(help="Take this build of torch instead: cpu, cuda, rocm or xpu.")
    ] = "",
) -> None:
    """Look at the machine, and say what fits it; with --yes, fetch it. Changes nothing else."""
    machine = look()
    wanted = _chosen(build) or machine.build
    print(f"{'Program':<10} acetate {__version__}")
    print(f"{'Machine':<10} {machine.system}, {machine.card or 'no graphics card that is known'}")
    found = installed_torch(wanted)
    good = found is not None and found.fits and (not build or _is_of(found.version, wanted))
    torch = found.version if found else ""
    print(f"{'torch':<10} {torch or 'missing'}, {_words(machine, wanted, good, torch)}")
    for line in _parts():
        print(line)
    if good:
        print("Nothing has to be fetched.")
        return
    words = install_words(wanted)
    print(f"To fetch: torch for {wanted.words}, about {wanted.gigabytes:g} GB:")
    print(f"  {written(words)}")
    if not yes:
        print("Nothing was changed: `acetate setup --yes` runs this command.")
        return
    try:
        code = subprocess.run(words, check=False).returncode
    except OSError as error:
        raise CannotSetUp(f"{words[0]} cannot be run: {error}.") from error
    if code:
        raise CannotSetUp(f"The command above ended with status {code}; nothing else was changed.")
    print("Done: `acetate doctor` says what it can do now.")


def _words(machine: Machine, wanted: Build, good: bool, version: str) -> str:
    if good and wanted.kind == "cpu" and fits(version, CUDA):
        return "for a card of NVIDIA; without one it paints on the processor"
    if good:
        return f"for {wanted.words}"
    return f"which leaves {machine.card or wanted.words} unused"


def _is_of(version: str, build: Build) -> bool:
    """Whether the version is of exactly this build, as asked for by name."""
    tag = version.partition("+")[2]
    return any(tag.startswith(each) if each else not tag for each in build.tags)


def _chosen(name: str) -> Build | None:
    from acetate.errors import BadRequest
    from acetate.models import machine

    builds = {each.kind: each for each in (machine.CPU, machine.CUDA, machine.ROCM, machine.XPU)}
    if name and name not in builds:
        raise BadRequest(f"There is no build “{name}”: use {', '.join(builds)}.")
    return builds.get(name)


def _parts() -> Iterator[str]:
    """Server, model and plug-ins: where each stands, and the command that mends it."""
    from acetate.plugin_install.bundle import EDITORS
    from acetate.plugin_install.editor_folders import places as places_of
    from acetate.plugin_install.install import installed
    from acetate_bridge.client.discovery import read_runtime

    runtime = read_runtime()
    state = f"running at {runtime.address}" if runtime else "not running: acetate serve"
    yield f"{'Server':<10} {state}"
    yield f"{'Model':<10} embedded, ships with Acetate (Apache-2.0)"
    places = [place for editor in EDITORS for place in places_of(editor)]
    for place in places:
        before = installed(place.editor, place.folder)
        if before is None:
            state = f"not installed: acetate plugins install {place.editor}"
        elif before.version == __version__:
            state = f"installed, {__version__}"
        else:
            state = (
                f"of {before.version or 'another version'}: acetate plugins install {place.editor}"
            )
        yield f"{'Plug-in':<10} {place.words}: {state}"
    if not places:
        yield f"{'Plug-in':<10} no GIMP 3 or Krita was found; start the editor once"
