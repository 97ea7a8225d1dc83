"""Which version of a plug-in this bridge came with."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

from acetate_bridge.protocol.json_text import read_json

MANIFEST = "installed.json"
_DEEPEST = 2
"""Folders between the bridge and the plug-in that it was packed into."""


@cache
def plugin_version(bridge: Path = Path(__file__).parents[1]) -> str:
    """What the manifest beside the plug-in says; empty where the bridge is no part of one."""
    for folder in list(bridge.parents)[:_DEEPEST]:
        try:
            found: Any = read_json((folder / MANIFEST).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            return str(cast("dict[str, Any]", found).get("version", ""))
    return ""
