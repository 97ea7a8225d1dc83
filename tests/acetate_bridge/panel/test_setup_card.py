"""The card says of each part whether it is here, and the one thing that mends it."""

from __future__ import annotations

from pathlib import Path

from acetate_bridge.client.connection_state import State, no_server, ready
from acetate_bridge.client.launcher import CannotStart
from acetate_bridge.client.sandbox import Sandbox
from acetate_bridge.panel.setup_card import setup_parts
from acetate_bridge.protocol.setup import SetupPart, fit, ranked


def card(
    state: State, found: bool = True, sandbox: Sandbox | None = None, version: str = "0.1.0"
) -> dict[str, SetupPart]:
    def find() -> list[str]:
        if not found:
            raise CannotStart("not installed")
        return ["/home/me/.local/bin/acetate", "serve"]

    parts = setup_parts(state, version=version, find=find, sandbox=lambda: sandbox)
    return {part.name: part for part in parts}


def test_a_stopped_server_has_one_button() -> None:
    parts = card(no_server(1.0))
    assert [part.state for part in parts.values()] == ["here", "missing", "here", "here"]
    assert [part.cure for part in parts.values() if part.cure] == ["Start"]


def test_without_the_program_the_command_is_named() -> None:
    parts = card(no_server(1.0), found=False)
    assert parts["program"].state == parts["server"].state == parts["model"].state == "missing"
    assert "pipx install acetate" in parts["program"].cure and parts["program"].gigabytes > 0
    assert parts["program"].licence == "Apache-2.0" and parts["program"].link.startswith("https://")


def test_in_a_sandbox_the_program_is_in_the_wrong_place() -> None:
    parts = card(no_server(1.0), sandbox=Sandbox("Flatpak", Path("/home/me"), Path("/x")))
    assert parts["program"].state == "wrong_place" and "acetate serve" in parts["server"].cure


def test_another_version_is_mended_by_one_command() -> None:
    part = card(ready("acetate 0.2.0", "0.1.0"))["plug-in"]
    assert part.state == "other_version" and part.cure == "Update"
    part = card(ready("acetate 0.2.0", "0.1.0"), found=False)["plug-in"]
    assert part.state == "other_version" and "plugins install" in part.cure
    assert card(ready("acetate 0.1.0", "0.1.0"))["plug-in"].state == "here"


def test_what_is_unknown_is_not_called_small() -> None:
    fits = [
        fit("sdxl", "SDXL", 10, 8),
        fit("own", "Mine", 0, 8),
        fit("sd15", "SD 1.5", 4, 8),
        fit("flux", "Flux", 28, 8),
        fit("embedded", "Small", 1, 8),
    ]
    assert [(each.model, each.verdict) for each in ranked(fits)] == [
        ("sd15", "runs_well"),
        ("embedded", "runs_well"),
        ("own", "unknown"),
        ("sdxl", "runs_slowly"),
        ("flux", "needs_more"),
    ]
    assert fit("sdxl", "SDXL", 10, -1).verdict == "unknown"
    unknown = [fit("flux", "Flux", 28, -1), fit("sd15", "SD 1.5", 4, -1)]
    assert [each.model for each in ranked(unknown)] == ["sd15", "flux"], "what needs least, first"
