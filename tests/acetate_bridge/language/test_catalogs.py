"""Every catalog says all that the editors' panels say, and nothing else."""

from __future__ import annotations

import re

import pytest

from acetate_bridge.language.catalog import BadCatalog, languages, load_catalog, read_catalog
from acetate_bridge.panel.fields import FIELDS
from tests.acetate_bridge.language.messages import messages, plain, unsaid

LANGUAGES = languages()
PLACEHOLDER = re.compile(r"\{\w*\}")


def test_the_languages_of_the_setting_are_those_of_the_catalogs() -> None:
    assert {"de", "fr", "es", "ja", "zh_CN"} <= set(LANGUAGES)
    offered = {name for name, _ in FIELDS["language"].choices}
    assert offered == {"", "en", *LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalog_lacks_no_sentence_and_keeps_none_that_is_gone(language: str) -> None:
    wanted, there = messages(), {plain(each) for each in load_catalog(language)}
    assert not sorted(wanted[key] for key in wanted.keys() - there)
    assert not sorted(there - wanted.keys())


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_filled_in_is_filled_in_everywhere(language: str) -> None:
    wrong = {
        said: meant
        for said, meant in load_catalog(language).items()
        if not meant.strip()
        or sorted(PLACEHOLDER.findall(said)) != sorted(PLACEHOLDER.findall(meant))
        or len(PLACEHOLDER.sub("", meant)) != len(re.sub(r"[{}]", "", PLACEHOLDER.sub("", meant)))
    }
    assert not wrong


def test_every_text_on_a_widget_is_said_in_the_painters_language() -> None:
    assert not unsaid()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('msgid "a"\nmsgstr "b"\nmsgid "c"\nmsgstr "d"', "line 3: an empty line is missing"),
        ('msgid "a"\n\nmsgstr "b"', "line 2: a msgid goes with one msgstr"),
        ('msgid "a"\nmsgstr "b"\n\nmsgid "a"\nmsgstr "c"', "“a” is there twice"),
        ("msgid a\nmsgstr b", "line 1: the text is not in quotation marks"),
        ('msgctxt "x"\nmsgid "a"\nmsgstr "b"', "line 1: only msgid and msgstr"),
        ('"a"', "line 1: a text without a msgid"),
    ],
)
def test_a_catalog_that_cannot_be_read_says_where(text: str, sentence: str) -> None:
    with pytest.raises(BadCatalog, match=sentence):
        read_catalog(text)


def test_a_catalog_is_read_as_gettext_writes_it() -> None:
    text = (
        '# Words\nmsgid ""\nmsgstr "Language: de\\n"\n\n#: panel.py:3\n'
        'msgid ""\n"a long "\n"sentence"\nmsgstr "ein „langer“ "\n"Satz\\n"\n'
    )
    assert read_catalog(text) == {"a long sentence": "ein „langer“ Satz\n"}
