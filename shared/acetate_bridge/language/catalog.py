"""Catalogs as gettext's tools read and write them (`.po`), read without being compiled first.

Only plain pairs of `msgid` and `msgstr` are used; comments are left out, and so is the header.
"""

from __future__ import annotations

import ast
from importlib.resources import files

ENDING = ".po"
_FOLDER = "acetate_bridge.language"


class BadCatalog(ValueError):
    """The text is no catalog."""


def languages() -> tuple[str, ...]:
    """The languages that a catalog is here for, as gettext names them ("de", "zh_CN")."""
    names = (each.name for each in files(_FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(ENDING) for name in names if name.endswith(ENDING)))


def load_catalog(language: str) -> dict[str, str]:
    """Sentences in English and what they are in that language. Raises OSError and BadCatalog."""
    return read_catalog(files(_FOLDER).joinpath(language + ENDING).read_text(encoding="utf-8"))


def read_catalog(text: str) -> dict[str, str]:
    """The pairs of a catalog, in its order. Raises BadCatalog naming the line."""
    pairs: dict[str, str] = {}
    found: dict[str, str] = {}
    key = ""
    for number, line in enumerate([*text.splitlines(), ""], 1):
        line = line.strip()
        if line.startswith("#"):
            continue
        keyword, _, quoted = line.partition(" ")
        if line.startswith('"'):
            quoted = line
        elif keyword in ("msgid", "msgstr"):
            key = keyword
            if key in found:
                raise BadCatalog(f"line {number}: an empty line is missing before this one")
        elif not line:
            if found and set(found) != {"msgid", "msgstr"}:
                raise BadCatalog(f"line {number}: a msgid goes with one msgstr")
            if found.get("msgid"):
                if found["msgid"] in pairs:
                    raise BadCatalog(f"line {number}: “{found['msgid']}” is there twice")
                pairs[found["msgid"]] = found["msgstr"]
            found, key = {}, ""
            continue
        else:
            raise BadCatalog(f"line {number}: only msgid and msgstr are known here")
        if not key:
            raise BadCatalog(f"line {number}: a text without a msgid or msgstr")
        try:
            part = ast.literal_eval(quoted)
        except (SyntaxError, ValueError):
            raise BadCatalog(f"line {number}: the text is not in quotation marks") from None
        found[key] = found.get(key, "") + str(part)
    return pairs
