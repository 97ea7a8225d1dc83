"""GIMP's open panel is reached by a socket of this machine, to which any program can speak."""

from __future__ import annotations

import importlib.util
import json
import socket
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acetate_bridge.panel.view import PanelView, Status

LONG = 60.0
SOURCE = Path(__file__).parents[1] / "gimp_plugin" / "acetate_gimp" / "panel_socket.py"
VIEW = PanelView(status=Status("Ready"))
NONSENSE = (
    b"\n", b"x\n", b"null\n", b"[]\n", b'"x"\n', b"5\n", b"\xff\xfe\n", b"\0" * 70_000,
    b"[" * 60_000 + b"\n", b'{"a":' * 12_000 + b"\n", b'{"token": ' + b"9" * 60_000 + b"}\n",
    b'{"token": "\\ud800"}\n', b'{"token": ["x"]}\n', b"GET / HTTP/1.1\r\n\r\n",
)  # fmt: skip


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, dict[str, Any]]:
    """The module with as much of GIMP as it asks for, and what it has left with GIMP."""
    left: dict[str, bytes] = {}
    gimp = types.SimpleNamespace(
        Parasite=types.SimpleNamespace(new=lambda name, flags, data: (name, data)),
        attach_parasite=lambda parasite: left.update([parasite]),
        detach_parasite=left.pop,
        get_parasite_list=lambda: list(left),
        get_parasite=left.__getitem__,
    )

    def idle_add(call: Callable[..., bool], *given: Any, priority: int) -> None:
        call(*given)

    main_loop = types.SimpleNamespace(idle_add=idle_add, PRIORITY_DEFAULT=0)
    for name, holds in {
        "gi": {},
        "gi.repository": {"Gimp": gimp, "GLib": main_loop},
        "adapter": {},
        "adapter.metadata": {"data_of": lambda parasite: parasite},
    }.items():
        module = types.ModuleType(name)
        vars(module).update(holds)
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("panel_socket_here", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Types of GIMP stand in annotations alone, which are not looked up.
    spec.loader.exec_module(module)
    return module, left


def test_whatever_a_stranger_says_the_panel_is_reached_after_it(
    panel: tuple[Any, dict[str, Any]],
) -> None:
    module, left = panel
    listener = module.Listener()
    try:
        view = types.SimpleNamespace(controller=types.SimpleNamespace(view=VIEW))
        listener.window = view
        word = json.loads(left["acetate-panel"])
        for line in NONSENSE:
            with socket.create_connection(("127.0.0.1", word["port"]), LONG) as stranger:
                try:
                    stranger.sendall(line)
                    heard = stranger.recv(65536)
                except ConnectionError:
                    heard = b""
            assert heard == b"", line[:20]
        told = module.ask_panel()
        assert told is not None and told["status"] == "Ready"
    finally:
        listener.close()
