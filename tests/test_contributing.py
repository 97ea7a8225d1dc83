"""What CONTRIBUTING.md points at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BASES = (
    "",
    "server/",
    "server/acetate/",
    "shared/",
    "shared/acetate_bridge/",
    "gimp_plugin/acetate_gimp/",
)
NAMES = sorted(set(re.findall(r"`([^`\n]+)`", TEXT)))


@pytest.mark.parametrize("path", [name for name in NAMES if "/" in name and " " not in name])
def test_a_file_or_folder_that_is_named_exists(path: str) -> None:
    path = path.split(":")[0].removeprefix("/")
    assert any(list(ROOT.glob(base + path.rstrip("/"))) for base in BASES), path


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("test_")])
def test_a_test_that_is_named_exists(name: str) -> None:
    sources = (ROOT / "tests").rglob("test_*.py")
    assert any(f"def {name}(" in each.read_text(encoding="utf-8") for each in sources)


@pytest.mark.parametrize("target", re.findall(r"`make ([a-z-]+)`", TEXT))
def test_a_target_that_is_named_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
