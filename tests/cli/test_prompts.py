"""Prompts that begin with a dash are prompts, options stay options."""

from __future__ import annotations

import pytest
from typer.main import get_command

from acetate.cli.generate import generate
from acetate.cli.prompts import PromptCommand
from acetate.errors import BadRequest


def parsed(*words: str, mode: str = "text") -> dict[str, object]:
    command = get_command(generate).commands[mode]  # type: ignore[attr-defined]
    assert isinstance(command, PromptCommand)
    return command.make_context(mode, list(words)).params


@pytest.mark.parametrize(
    "prompt",
    ["-5 apples", "-apple", "-5", "--- a cat", "-o range fruit", "--seed of an apple", "-"],
)
def test_a_dash_begins_a_prompt(prompt: str) -> None:
    for words in ((prompt, "-o", "x.png"), ("-o", "x.png", prompt), ("--output", "x.png", prompt)):
        found = parsed(*words)
        assert (found["prompt"], str(found["output"])) == (prompt, "x.png")


def test_values_of_options_are_theirs() -> None:
    found = parsed("-x", "--avoid", "-leaves and twigs", "--seed", "3", "-oa b.png")
    assert (found["prompt"], found["avoid"]) == ("-x", "-leaves and twigs")
    assert (found["seed"], str(found["output"])) == (3, "a b.png")
    assert parsed("--avoid=-a b", "-o", "x.png", "a")["avoid"] == "-a b"


def test_after_two_dashes_all_is_meant_as_it_is() -> None:
    assert parsed("-o", "x.png", "--", "--seed")["prompt"] == "--seed"


def test_loose_words_want_quotes() -> None:
    with pytest.raises(BadRequest, match="in quotes"):
        parsed("a", "red", "apple", "-o", "x.png")
    with pytest.raises(BadRequest, match="in quotes"):
        parsed("layer.png", "green", "hills", "-o", "x.png", mode="background")


def test_letters_that_the_systems_encoding_has_not_are_kept() -> None:
    cyrillic = "привет".encode().decode("ascii", "surrogateescape")
    latin = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert parsed("-o", "x.png", cyrillic, "--avoid", latin)["prompt"] == "привет"
    assert parsed("-o", "x.png", "a", "--avoid", latin)["avoid"] == "café"
    assert parsed("-o", "x.png", "a 🍎")["prompt"] == "a 🍎"


def test_a_file_name_is_left_as_the_system_has_it() -> None:
    odd = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    assert str(parsed("-o", odd, "a")["output"]) == odd
