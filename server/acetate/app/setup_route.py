"""What is in place on this machine, and which models will run well on it."""

from __future__ import annotations

import asyncio

from aiohttp import web

from acetate import __version__
from acetate.app.context import CONTEXT
from acetate.app.responses import answer
from acetate.models.download_plan import free_bytes
from acetate.models.hub_cache import missing_parts
from acetate.models.machine import installed_torch, look
from acetate.models.registry import models
from acetate.models.shipped import EMBEDDED
from acetate.plugin_install.bundle import EDITORS
from acetate.plugin_install.editor_folders import places
from acetate.plugin_install.install import installed
from acetate_bridge.protocol.licences import licence_link
from acetate_bridge.protocol.setup import Setup, SetupPart, fit, memory_of, ranked

_LICENCE = "Apache-2.0"


async def show_setup(request: web.Request) -> web.Response:
    manager = request.app[CONTEXT].manager
    ready = manager.offer is not None
    return answer(await asyncio.to_thread(find_setup, ready))


def find_setup(ready: bool) -> Setup:
    """Looks at the disk and asks the driver's tool; takes a moment. `ready`: a worker is up."""
    machine = look()
    memory = memory_of(machine.card)
    known = models().values()
    fits = [fit(entry.id, entry.name, entry.memory, memory) for entry in known]
    torch = installed_torch(machine.build)
    good = torch is not None and torch.fits
    words = f"torch {torch.version}" if torch else "torch is missing"
    program = SetupPart(
        "program",
        "here" if good else "wrong_place" if torch else "missing",
        words if good else f"{words}: {machine.card or 'the processor'} is not used",
        -1.0 if good else machine.build.gigabytes,
        _LICENCE,
        _link(_LICENCE),
        "" if good else "Run in a terminal: acetate setup --yes",
    )
    stands = "The server is ready." if ready else "The server is loading its model."
    server = SetupPart("server", "here", stands)
    found = [program, server, *_model_parts(), *_plugin_parts()]
    free = round(free_bytes() / 1e9, 1)
    return Setup(__version__, machine.system, machine.card, memory, found, ranked(fits), free)


def _model_parts() -> list[SetupPart]:
    parts: list[SetupPart] = []
    for entry in models().values():
        missing = missing_parts(entry)
        size = entry.size / 1e3
        parts.append(
            SetupPart(
                f"model {entry.id}",
                "missing" if missing else "here",
                f"{entry.name}: {', '.join(missing)} missing" if missing else entry.name,
                -1.0 if entry.id == EMBEDDED else round(size, 2),
                entry.licence,
                _link(entry.licence),
                f"acetate models pull {entry.id}" if missing else "",
            )
        )
    return parts


def _plugin_parts() -> list[SetupPart]:
    parts: list[SetupPart] = []
    for place in (place for editor in EDITORS for place in places(editor)):
        before = installed(place.editor, place.folder)
        cure = f"acetate plugins install {place.editor}"
        if before is None:
            part = SetupPart(f"plug-in for {place.words}", "missing", "Not installed.", cure=cure)
        elif before.version == __version__:
            part = SetupPart(f"plug-in for {place.words}", "here", f"Version {before.version}.")
        else:
            words = f"Version {before.version or 'unknown'}, the server {__version__}."
            part = SetupPart(f"plug-in for {place.words}", "other_version", words, cure=cure)
        parts.append(part)
    return parts


def _link(licence: str) -> str:
    return licence_link(licence)
