"""What a style wants to hear, by its header and by what lies beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acetate.models.trigger_words import cleaned, trigger_words

FILE = Path("ink.safetensors")


def header(tags: dict[str, int], pictures: int = 20) -> dict[str, str]:
    """As kohya's trainer writes it."""
    return {
        "ss_tag_frequency": json.dumps({"10_ink": tags}),
        "ss_dataset_dirs": json.dumps({"10_ink": {"n_repeats": 10, "img_count": pictures}}),
    }


def test_the_phrase_of_the_header_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "ink.safetensors"
    file.with_suffix(".civitai.info").write_text(json.dumps({"trainedWords": ["inkwash"]}))
    assert trigger_words({"modelspec.trigger_phrase": "ink  style"}, file) == "ink style"
    assert trigger_words({"modelspec.trigger_phrase": "  "}, file) == "inkwash"


def test_descriptions_beside_the_file_are_read(tmp_path: Path) -> None:
    file = tmp_path / "ink.safetensors"
    file.with_suffix(".json").write_text(json.dumps({"activation text": "inked"}))
    assert trigger_words({}, file) == "inked"
    beside = file.with_suffix(".civitai.info")
    beside.write_text(json.dumps({"trainedWords": ["a wash", "another"]}))
    assert trigger_words({}, file) == "a wash"
    for damaged in (
        "",
        "[",
        "[1]",
        "{}",
        '{"trainedWords": 3}',
        '{"trainedWords": [1]}',
        "[" * 9999,
    ):
        beside.write_text(damaged)
        assert trigger_words({}, file) == "inked"
    beside.write_bytes(b"\xff\xfe\x00")
    assert trigger_words({}, file) == "inked"


def test_a_tag_of_every_picture_is_one_if_it_stands_alone() -> None:
    assert trigger_words(header({"inkwash": 20, "tree": 12}), FILE) == "inkwash"
    assert trigger_words(header({"inkwash": 20, "1girl": 20}), FILE) == "inkwash"
    assert trigger_words(header({"tree": 19, "house": 3}), FILE) == ""
    assert trigger_words(header({"inkwash": 20, "wash": 20}), FILE) == ""
    assert trigger_words(header({"1girl": 20, "solo": 20}), FILE) == ""
    without = header({"inkwash": 20})
    del without["ss_dataset_dirs"]
    assert trigger_words(without, FILE) == ""


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", '{"a": 1}', '{"10_ink": {"x": "y"}}'])
def test_a_header_of_any_form_is_survived(damaged: str) -> None:
    told = {"ss_tag_frequency": damaged, "ss_dataset_dirs": damaged}
    assert trigger_words(told, FILE) == ""


def test_words_are_cleaned_and_bounded() -> None:
    assert cleaned("ink,, ink ,\twash\n<lora:ink:1>") == "ink, wash"
    assert cleaned("{a|b} __colours__ c # d \x00\ud800") == "a b c d"
    long = ", ".join(f"word {index}" for index in range(100))
    assert 150 < len(cleaned(long)) <= 200 and long.startswith(cleaned(long))
    assert len(cleaned("x " * 500)) <= 200
    assert cleaned("x" * 500) == ""
