"""All that a person is told of when something fails has one root: code, message and hint."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

from acetate.errors import AcetateError as FromServer
from acetate.jobs.records import DiskFull, MissingImages, Refused
from acetate.workers.engine import PaintingFailed
from acetate_bridge.client.address import BadAddress
from acetate_bridge.client.launcher import CannotStart
from acetate_bridge.client.pairing import CannotPair
from acetate_bridge.editing.editor import Refusal
from acetate_bridge.editing.plan import CannotPlan
from acetate_bridge.protocol.errors import AcetateError
from acetate_bridge.protocol.json_text import BadFrame
from acetate_bridge.protocol.limits import OutOfBounds

ROOT = Path(__file__).parents[1]
SOURCES = [
    path
    for folder in ("server", "shared", "krita_plugin", "gimp_plugin")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "_vendor" not in path.parts
]


def fails(name: str, bases: list[str]) -> bool:
    """Whether a class is an exception, by what it is made from."""
    endings = ("Error", "Exception")
    return any(base.endswith(endings) for base in bases) and name != "AcetateError"


def test_only_the_root_says_what_an_error_carries() -> None:
    found: list[str] = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ClassDef):
                continue
            if fails(node.name, [ast.unparse(base) for base in node.bases]) and any(
                isinstance(each, ast.Attribute)
                and isinstance(each.ctx, ast.Store)
                and each.attr in ("code", "message", "hint")
                for each in ast.walk(node)
            ):
                found.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert found == []


def test_server_and_bridge_have_the_same_root() -> None:
    assert FromServer is AcetateError


@pytest.mark.parametrize(
    ("error", "code", "message", "hint"),
    [
        (Refused("too_large", "Too large.", "Take less."), "too_large", "Too large.", "Take less."),
        (PaintingFailed("broken", "It broke."), "broken", "It broke.", ""),
        (DiskFull(), "disk_full", "The disk is full.", "Free some space."),
        (MissingImages(["a"]), "missing_images", "1 images are missing", ""),
        (OutOfBounds("Too much.", "too_large"), "too_large", "Too much.", ""),
        (BadFrame("bad_json", "No JSON."), "bad_json", "No JSON.", ""),
        (CannotPlan("Open an image."), "cannot_plan", "Open an image.", ""),
        (Refusal("It is locked."), "document_refuses", "It is locked.", ""),
        (CannotStart("It is gone."), "cannot_start", "It is gone.", ""),
        (BadAddress("No address."), "bad_address", "No address.", ""),
        (CannotPair("Nobody answers.", "Try."), "cannot_pair", "Nobody answers.", "Try."),
    ],
)
def test_an_error_has_code_message_and_hint(
    error: AcetateError, code: str, message: str, hint: str
) -> None:
    assert (error.code, error.message, error.hint) == (code, message, hint)
    assert str(error) == f"{message} {hint}".strip() or str(error) == message


def test_an_error_is_still_of_the_kind_that_callers_catch() -> None:
    assert issubclass(CannotStart, OSError)
    for kind in (OutOfBounds, BadFrame, Refusal, BadAddress):
        assert issubclass(kind, ValueError)


def test_codes_tell_kinds_apart() -> None:
    kinds = [
        kind
        for kind in vars(import_module("acetate.errors")).values()
        if isinstance(kind, type) and issubclass(kind, AcetateError)
    ]
    assert len({kind.code for kind in kinds}) == len(kinds) > 5
