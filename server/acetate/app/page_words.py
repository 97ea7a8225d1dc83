"""What the page says, out of its own files and the tables that it reads, and what it is elsewhere.

What the page and the editors' panels both say stands in the catalogs of the panels; the page has
catalogs of its own for the rest, in `page/language`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files

from acetate_bridge.language.catalog import ENDING, languages, load_catalog, read_catalog
from acetate_bridge.panel.fields import FIELDS
from acetate_bridge.panel.guides import KIND_WORDS
from acetate_bridge.protocol.modes import MODES

ASPECTS = (
    ("whole", "All of it"),
    ("style", "Its style"),
    ("composition", "Its composition"),
)
"""What of a reference is gone by, and its words."""

ROLES = (("foreground", "In front"), ("background", "Behind"), ("blended", "All together"))
"""Layers that belong together, as the panels call them."""

LANGUAGES = (("", "As the browser"), *FIELDS["language"].choices[1:])
"""What can be chosen, by the name of its catalog."""

SERVER_SENTENCES = (
    "The server is ready.",
    "The server is loading its model.",
    "The disk is full: the result could not be kept.",
    "The disk is full: the server still has the layer that was finished, no more could be kept.",
    "The disk is full: the server still has the {count} layers that were finished, "
    "no more could be kept.",
    "Free some space.",
    "The disk is full.",
    "The server is still starting.",
    "Try again in a moment.",
    "{count} jobs of yours are waiting already.",
    "Wait for one to end, or cancel some.",
    "{model} is licensed under {licences}.",
    "Read and accept that first.",
    "Memory ran out while it was painted.",
    "Close other programs, or try a smaller size or fewer variants.",
    "The painting failed: {error}.",
    "The server's log has the details; try another size or fewer variants.",
    "Program",
    "Server",
    "Not installed.",
    "Version {version}, the server {server}.",
    "Version {version}.",
    "plug-in for {editor}",
    "Runs anywhere, without a card too.",
    "Nobody knows {what}: try it.",
    "what it needs",
    "the memory of this card",
    "Needs {needs} GB of {memory}: parts wait outside the card, which takes longer.",
    "Needs {needs} GB, there are {memory}: it will crawl, or not run.",
    "Needs {needs} GB, there are {memory}.",
    "The layer does not go on where the selection is empty: nothing was painted.",
    "Let the selection touch the layer's edge, or fill it with what the prompt says.",
)
"""Of what the server says in English, that which the page says in its own language; the first
that fits counts, so what says more comes first."""

_SPOKEN = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)*)"')
_PLAIN_TEXT = re.compile(r"[A-Za-z]{2}")
_NAMES = frozenset({"Acetate", "English"})


def page_words() -> Iterator[str]:
    """Every text that the page may say, in English; `{}` in it are filled in."""
    folder = files("acetate.app") / "page"
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".js"):
            yield from _SPOKEN.findall(file.read_text(encoding="utf-8"))
    yield from _of_html((folder / "index.html").read_text(encoding="utf-8"))
    for table in (ASPECTS, ROLES):
        yield from (words for _, words in table)
    yield LANGUAGES[0][1]
    yield from SERVER_SENTENCES
    yield from KIND_WORDS.values()
    for mode in MODES.values():
        yield from (each.words for each in mode.inputs)
    for field in FIELDS.values():
        if any(field.name in mode.fields for mode in MODES.values()):
            yield from (field.words, field.tip, *(words for _, words in field.choices))


def page_catalogs() -> dict[str, dict[str, str]]:
    """The page's texts in each language but English, by what `page_key` makes of them."""
    return {language: _catalog(language) for language in languages()}


def page_key(text: str) -> str:
    """A text as labels with a key and titles have it in common."""
    return text if "{" in text else text.replace("_", "").lower()


def own_catalog(language: str) -> dict[str, str]:
    """What the page alone says, in a language."""
    file = files("acetate.app") / "page" / "language" / (language + ENDING)
    return read_catalog(file.read_text(encoding="utf-8"))


def _catalog(language: str) -> dict[str, str]:
    known = {
        page_key(text): meant if "{" in text else meant.replace("_", "")
        for text, meant in (load_catalog(language) | own_catalog(language)).items()
    }
    found = {key: known[key] for key in map(page_key, page_words()) if key in known}
    # A mode is called as in the menus of the editors.
    titles = {page_key(mode.words): known.get(page_key(mode.title)) for mode in MODES.values()}
    return found | {words: title for words, title in titles.items() if title}


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if _PLAIN_TEXT.search(text) and text not in _NAMES:
            self.found.append(text)


def _of_html(text: str) -> list[str]:
    parser = _Texts()
    parser.feed(text)
    return parser.found
