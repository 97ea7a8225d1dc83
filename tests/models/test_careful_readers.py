"""Whatever opens a model's file by a library has looked at the file itself before."""

from __future__ import annotations

import ast
from pathlib import Path

import acetate

ROOT = Path(acetate.__file__).parent
OPENERS = {
    "safe_open": {"read_header"},
    "load_file": {"read_header"},
    "from_pretrained": {"read_header", "read_network_config", "read_tokenizer"},
    "from_single_file": {"read_header"},
    "from_file": {"read_tokenizer"},
}
"""What opens a file for a library, and which of our own readers have to be called beside it."""
NO_MODELS = {"training", "embedded"}
"""Rooms whose files are our own: those that ship, and those that training has just written."""


def called_in(path: Path) -> set[str]:
    calls = [
        node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    ]
    names = {each.id for each in calls if isinstance(each, ast.Name)}
    return names | {each.attr for each in calls if isinstance(each, ast.Attribute)}


def test_no_library_reads_a_model_before_its_header_was_read() -> None:
    careless: list[str] = []
    openers = 0
    for path in sorted(ROOT.rglob("*.py")):
        if NO_MODELS & set(path.relative_to(ROOT).parts):
            continue
        called = called_in(path)
        for opener in OPENERS.keys() & called:
            openers += 1
            if not OPENERS[opener] & called:
                careless.append(f"{path.name}: {opener}")
    assert careless == [] and openers >= 6


def test_a_pickle_is_read_in_one_place_that_runs_nothing_of_it() -> None:
    readers = [
        path
        for path in sorted(ROOT.rglob("*.py"))
        if "training" not in path.parts and "torch.load(" in path.read_text()
    ]
    assert [path.name for path in readers] == ["convert_pickle.py"]
    assert "weights_only=True" in readers[0].read_text()
