"""The page says all that it says in every language of the panels."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from acetate.app.page_words import (
    SERVER_SENTENCES,
    own_catalog,
    page_catalogs,
    page_key,
    page_words,
)
from acetate_bridge.language.catalog import languages, load_catalog
from acetate_bridge.protocol.modes import MODES

LANGUAGES = languages()
GAP = re.compile(r"\{\w*\}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_text_of_the_page(language: str) -> None:
    wanted = {page_key(text) for text in (*page_words(), *(row.words for row in MODES.values()))}
    assert not sorted(wanted - page_catalogs()[language].keys())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogs_of_the_page_have_nothing_for_nothing(language: str) -> None:
    own = {page_key(text) for text in own_catalog(language)}
    assert not sorted(own - {page_key(text) for text in page_words()})
    assert not sorted(own & {page_key(text) for text in load_catalog(language)})


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_filled_in_is_filled_in_everywhere(language: str) -> None:
    wrong = {
        text: meant
        for text, meant in own_catalog(language).items()
        if not meant.strip() or sorted(GAP.findall(text)) != sorted(GAP.findall(meant))
    }
    assert not wrong


def test_the_page_says_its_texts_where_they_are_looked_for() -> None:
    found = set(page_words())
    assert {"Generate", "Queue", "Step {step} of {steps}", "All of it", "Sketch"} <= found


def texts_in(source: str) -> Iterator[str]:
    """Every text of a program; `{}` stands for what it fills in."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = (getattr(each, "value", None) for each in node.values)
            yield "".join(part if isinstance(part, str) else "{}" for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_server_says_what_the_page_knows_of_it() -> None:
    said: set[str] = set()
    for package in ("acetate", "acetate_bridge"):
        for file in sorted(Path(str(files(package))).rglob("*.py")):
            if file.name != "page_words.py":
                texts = texts_in(file.read_text(encoding="utf-8"))
                said |= {GAP.sub("{}", text) for text in texts}
    assert not [each for each in SERVER_SENTENCES if GAP.sub("{}", each) not in said]
