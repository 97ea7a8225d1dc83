"""Prompts as people type them: some begin with a dash, and some have lost their quotes."""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperOption

from acetate.errors import BadRequest

_MARK = "\x1f"
"""Stands before a prompt that would be read as an option."""


class PromptCommand(TyperCommand):
    """A command whose last argument is a prompt."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take what can be no option for the prompt, and say what to do about loose words."""
        options = [each for each in self.get_params(ctx) if isinstance(each, TyperOption)]
        try:
            rest = super().parse_args(ctx, marked(args, options))
        except typer.TyperException as error:
            words = error.format_message()
            if "unexpected extra argument" in words:
                raise BadRequest(
                    "There are more words than this takes: put the prompt in quotes, "
                    'as in "a red apple".'
                ) from None
            near = "ossible" in words or "ean" in words
            if words.startswith("No such option") and (not near or self._lacks_words(ctx, args)):
                raise BadRequest(
                    f"{words.rstrip('.')}.", "If it begins the prompt, write -- before it."
                ) from None
            raise
        for name, value in ctx.params.items():
            if isinstance(value, str):
                ctx.params[name] = as_typed(value.removeprefix(_MARK))
            elif name == "then":
                ctx.params[name] = [as_typed(prompt) for prompt in value or ()]
        return rest

    def _lacks_words(self, ctx: Any, args: list[str]) -> bool:
        """Whether there are fewer words than this takes, so that an odd one may be the prompt."""
        params = self.get_params(ctx)
        taking = {
            name
            for option in params
            if isinstance(option, TyperOption) and not option.is_flag
            for name in option.opts
        }
        before = ["", *args]
        loose = [
            word
            for last, word in zip(before, args, strict=False)
            if not word.startswith("-") and last not in taking
        ]
        return len(loose) < sum(isinstance(each, TyperArgument) for each in params)


def as_typed(word: str) -> str:
    """A word with letters that the system's encoding has not: read as UTF-8, else as Latin-1."""
    if word.isascii():
        return word
    try:
        typed = os.fsencode(word)
    except UnicodeEncodeError:
        return word
    try:
        return typed.decode()
    except UnicodeDecodeError:
        return typed.decode("latin-1")


def marked(args: list[str], options: list[TyperOption]) -> list[str]:
    """The arguments, with a mark before each that begins with a dash and is no option."""
    names = {name for option in options for name in (*option.opts, *option.secondary_opts)}
    taking = {name for option in options if not option.is_flag for name in option.opts}
    short = {name for name in names if len(name) == 2}
    given = {word.partition("=")[0] for word in args}
    found: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            return [*found, word, *words]
        found.append(word)
        if word in names:
            if word in taking and (value := next(words, None)) is not None:
                found.append(value)
        elif _is_prompt(word, names, short, given):
            found[-1] = _MARK + word
    return found


def _is_prompt(word: str, names: set[str], short: set[str], given: set[str]) -> bool:
    if not word.startswith("-") or word == "-":
        return False
    if word.startswith("--"):
        head = word.partition("=")[0]
        return head not in names and any(letter.isspace() for letter in word)
    # A short option with its value glued to it, unless that option stands on its own as well.
    return word[:2] not in short or bool(given & {word[:2], *_long_of(word[:2])})


def _long_of(short: str) -> set[str]:
    return {"--output"} if short == "-o" else set()
