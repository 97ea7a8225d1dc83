"""What is wrong with the words of a command, and what to type instead."""

from __future__ import annotations

import re
import sys

import typer

from acetate.cli.quoting import written
from acetate.modes.registry import MODES

_NO_COMMAND = re.compile(r"No such command '(.*?)'\.(?: Did you mean (.*)\?)?", re.DOTALL)
_BAD_VALUE = re.compile(r"Invalid value for '(.*?)': Input should be (.*)", re.DOTALL)
_NEEDS = (
    (re.compile(r"a valid integer.*", re.DOTALL), "takes a whole number."),
    (re.compile(r"a valid number.*", re.DOTALL), "takes a number."),
    (re.compile(r"less than or equal to (\S+)"), r"is at most \1."),
    (re.compile(r"greater than or equal to (\S+)"), r"is at least \1."),
)


def with_next_step(error: typer.TyperException) -> str:
    """The sentence of a refused command line, with what to do about it."""
    words = error.format_message().replace("Value error, ", "")
    if found := _NO_COMMAND.fullmatch(words):
        return _command(found[1], (found[2] or "").replace("'", ""), error)
    if found := _BAD_VALUE.fullmatch(words):
        return _value(found[1], found[2])
    if words.startswith("Missing argument 'prompt'"):
        return 'The prompt is missing: say what to paint, in quotes, as in "a red apple".'
    if words.startswith("Missing option '--output'"):
        return "Name the file to write with --output, as in -o apple.png."
    if words.startswith("Missing option '--mask'"):
        return "Name a picture with --mask that is white where the layer is to be painted."
    if words.startswith("Missing argument 'address'"):
        return (
            "Name the address that the other machine shows, as in "
            "acetate connect 192.168.1.20:7861 --code K7Q-M2X."
        )
    return words


def _corrected(given: str, near: str) -> str:
    """The command that was typed, with the mode that was meant; a question mark behind it."""
    mode = near.partition(",")[0].strip()
    typed = sys.argv[1:]
    if given in typed:
        typed[typed.index(given)] = mode
    return f"{written(['acetate', *typed])} ?"


def _value(what: str, need: str) -> str:
    for pattern, sentence in _NEEDS:
        if found := pattern.fullmatch(need):
            return f"{what} {found.expand(sentence)}"
    return f"{what} should be {need}."


def _command(given: str, near: str, error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    if context is not None and context.info_name == "generate":
        if near:
            return f"“{given}” is no mode: did you mean {_corrected(given, near)}"
        return (
            f"“{given}” is no mode ({', '.join(MODES)}): name one before the prompt, "
            f"as in acetate generate text {written([given])} -o apple.png."
        )
    if given in MODES:
        return f"There is no command “{given}”: it is acetate generate {given}."
    meant = f"did you mean {near}? " if near else ""
    return f"There is no command “{given}”: {meant}acetate --help lists those there are."
