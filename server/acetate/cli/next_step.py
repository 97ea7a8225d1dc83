"""What is wrong with the words of a command, and what to type instead."""

from __future__ import annotations

import typer

from acetate.cli.quoting import written
from acetate.modes.registry import MODES

_NO_COMMAND = "No such command "


def with_next_step(error: typer.TyperException) -> str:
    """The sentence of a refused command line, with what to do about it."""
    words = error.format_message().replace("Value error, ", "")
    if words.startswith(_NO_COMMAND):
        return _command(words.removeprefix(_NO_COMMAND).rstrip(".")[1:-1], error)
    if words.startswith("Missing argument 'prompt'"):
        return 'The prompt is missing: say what to paint, in quotes, as in "a red apple".'
    if words.startswith("Missing option '--output'"):
        return "Name the file to write with --output, as in -o apple.png."
    return words


def _command(given: str, error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    if context is not None and context.info_name == "generate":
        return (
            f"“{given}” is no mode ({', '.join(MODES)}): name one before the prompt, "
            f"as in acetate generate text {written([given])} -o apple.png."
        )
    if given in MODES:
        return f"There is no command “{given}”: it is acetate generate {given}."
    return f"There is no command “{given}”: acetate --help lists those there are."
