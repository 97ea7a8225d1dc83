"""What a document of a stranger holds where Acetate keeps its notes is read, or taken for none."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NONSENSE = (
    b"", b"\xff", b"\0", b"null", b"5", b'"x"', b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000,
    b"[1e400, 0]", b"[NaN, 1]", b'{"a": "\\ud800"}', b"[1, 2, 3]", b'[{}, "x"]', b"[1",
)  # fmt: skip


def module(monkeypatch: pytest.MonkeyPatch, path: Path, **given: dict[str, Any]) -> Any:
    """A module of a plug-in, with as much of its editor as it names."""
    for name, holds in given.items():
        module = types.ModuleType(name.replace("__", "."))
        vars(module).update(holds)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    spec = importlib.util.spec_from_file_location("metadata_here", path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize("data", NONSENSE)
def test_a_krita_document(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = module(
        monkeypatch,
        ROOT / "krita_plugin" / "acetate_krita" / "adapter" / "metadata.py",
        acetate_krita={},
        acetate_krita__adapter={"layers": None},
        acetate_krita__qt={"QtCore": None},
    )
    document = types.SimpleNamespace(annotation=lambda name: data)
    assert metadata.read_recipes(document) == {}


@pytest.mark.parametrize("data", NONSENSE)
def test_a_gimp_layer(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = module(
        monkeypatch,
        ROOT / "gimp_plugin" / "acetate_gimp" / "adapter" / "metadata.py",
        gi={},
        gi__repository={"Gimp": None},
    )
    parasite = types.SimpleNamespace(get_data=lambda: data)
    layer = types.SimpleNamespace(get_parasite=lambda name: parasite)
    assert metadata.read_spot(layer) is None
    assert isinstance(metadata.read_recipe_text(layer), str)
