"""Names that complete what stands before the cursor of a prompt: styles and wildcards.

`<` or `<lora:` and a few letters ask for a style, `__` for a wildcard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MOST = 8
_STYLE = re.compile(r"(?<!\\)<(lora:)?([^<>:|{}\n]{0,60})$")
_STYLE_REST = re.compile(r"[^<>:|{}\n,]*(?=[:>])")
_WILDCARD = re.compile(r"(?<![\w\\])__((?:(?!__)[\w /-]){0,60})$")
_WILDCARD_REST = re.compile(r"(?:(?!__)[\w/-])*__(?!\w)")


@dataclass(frozen=True)
class Completion:
    """A name that fits: `text` takes the place of what lies from `start` to `end` in the prompt.

    Both count characters (code points). `detail` says more of it, as the words that a style hears.
    """

    name: str
    text: str
    start: int
    end: int
    detail: str = ""

    def applied(self, prompt: str) -> tuple[str, int]:
        """The prompt with it, and where the cursor then stands."""
        return prompt[: self.start] + self.text + prompt[self.end :], self.start + len(self.text)


def completions(
    prompt: str, cursor: int, styles: Mapping[str, str], wildcards: Sequence[str]
) -> tuple[Completion, ...]:
    """At most `MOST` names that fit before the cursor; those that begin as it does come first.

    `styles` holds, by name, the words that a style wants to hear. None where the only name that
    fits stands there already.
    """
    before, behind = prompt[:cursor], prompt[cursor:]
    style, wildcard = _STYLE.search(before), _WILDCARD.search(before)
    if style is not None:
        # Half of the word `lora` is no name yet.
        begun = "" if not style[1] and "lora".startswith(style[2].lower()) else style[2]
        rest = _STYLE_REST.match(behind)
        tail = ":1>" if rest is None else ""
        found = [
            Completion(name, f"<lora:{name}{tail}", style.start(), _end(cursor, rest), styles[name])
            for name in _fitting(styles, begun)
        ]
    elif wildcard is not None:
        end = _end(cursor, _WILDCARD_REST.match(behind))
        found = [
            Completion(name, f"__{name}__", wildcard.start(), end)
            for name in _fitting(wildcards, wildcard[1])
        ]
    else:
        return ()
    written = [prompt[each.start : each.end] == each.text for each in found]
    return () if written == [True] else tuple(found)


def _end(cursor: int, rest: re.Match[str] | None) -> int:
    return cursor if rest is None else cursor + rest.end()


def _fitting(names: Iterable[str], begun: str) -> list[str]:
    """Those that begin like that, then those in which it stands elsewhere."""
    wanted = begun.strip().casefold()
    fit = [name for name in names if wanted in name.casefold()]
    return sorted(fit, key=lambda name: not name.casefold().startswith(wanted))[:MOST]
