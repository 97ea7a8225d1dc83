"""Which language is spoken: the painter's choice, else the editor's, else English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from acetate_bridge.language.spoken import ENGLISH, say, speak
from acetate_bridge.protocol.types import Image
from tests.acetate_bridge.panel.desk import Desk


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    while Desk.opened:
        Desk.opened.pop().panel.stop()
    speak(ENGLISH)


@pytest.mark.parametrize(
    ("surroundings", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, "en"),
        ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "sv:fr:de"}, "fr"),
        ({"LANGUAGE": "en:de", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_MESSAGES": "es_MX", "LANG": "de_DE"}, "es"),
        ({"LANG": "ja_JP.eucJP"}, "ja"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_SG@x"}, "zh_CN"),
        ({"LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANG": "sv_SE.UTF-8"}, "en"),
    ],
)
def test_the_editors_language_is_followed(surroundings: dict[str, str], language: str) -> None:
    assert speak("", surroundings) == language
    assert (say("Settings") == "Settings") == (language == "en")


def test_a_choice_comes_before_the_editor() -> None:
    assert speak("fr", {"LANG": "de_DE"}) == "fr" and say("Keep") == "Garder"
    assert speak("en", {"LANG": "de_DE"}) == "en" and say("Keep") == "Keep"


def test_the_panel_speaks_what_is_chosen_and_says_prompts_as_they_are(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    english = desk.view
    desk.panel.set_prompt("Settings")
    desk.panel.set_field("language", "de")
    view = desk.view
    assert view.status.sentence == "Bereit · Small model"
    assert view.modes[0].label == "Ebene erzeugen" and view.modes[0].name == "text"
    assert view.sentence.startswith("Malt 160 × 120, die ganze Leinwand, ")
    assert view.prompt == "Settings" and view.fields["language"].value == "de"
    desk.panel.set_field("language", "en")
    desk.panel.set_prompt("")
    assert desk.view.modes == english.modes and desk.view.sentence == english.sentence


def test_a_panel_keeps_its_language_when_it_is_opened_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.panel.set_field("language", "ja")
    desk.panel.stop()
    assert Desk(tmp_path).view.modes[0].label == "レイヤーを生成"


def test_nothing_on_the_first_panel_stays_english(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    before = set(_texts(desk.view))
    desk.panel.set_field("language", "de")
    same = before & set(_texts(desk.view))
    names = {"Server", "Small model", "Large model", "English", "Deutsch", "Español", "Français",
             "日本語", "简体中文", "Apache-2.0"}  # fmt: skip
    assert not [text for text in same - names if re.search(r"[a-z] [a-z]|^[A-Z][a-z]+$", text)]


def _texts(view: object) -> Iterator[str]:
    """What a view shows, but for codes, keys and addresses."""
    if isinstance(view, str):
        yield view
    elif isinstance(view, (tuple, list)):
        for part in view:
            yield from _texts(part)
    elif isinstance(view, dict):
        yield from _texts(tuple(view.values()))
    elif is_dataclass(view) and not isinstance(view, (type, Image)):
        for each in fields(view):
            hidden = ("key", "address", "command", "path", "prompt", "mode", "model")
            if each.name not in hidden:
                yield from _texts(getattr(view, each.name))
