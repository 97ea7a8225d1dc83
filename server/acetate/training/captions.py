"""What a drawing is called, in as many ways as people would: names, colours, manners, tags."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import numpy as np

from .sources import Concept

MANNERS = {
    "3d": ("3d render of", "3d"),
    "glossy": ("glossy",),
    "drawn": ("cartoon", "drawing of"),
    "blob": ("flat drawing of", "cartoon"),
    "fox": ("simple icon of", "flat icon of"),
}
_LEADING = re.compile(
    r"^(red|orange|yellow|green|blue|purple|pink|brown|black|white|grey|golden|old|tiny|small) "
)


@cache
def synonyms() -> dict[str, tuple[str, ...]]:
    """Other names by label, in lower case."""
    rows: dict[str, tuple[str, ...]] = {}
    for line in files("acetate.training").joinpath("synonyms.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            label, names = line.split(": ", 1)
            rows[label] = tuple(name.strip() for name in names.split(","))
    return rows


def plain_label(concept: Concept) -> str:
    """The label as people would write it."""
    return re.sub("[’']", "", concept.label.lower().replace(": ", " "))


def names_of(concept: Concept, most: int = 10) -> list[str]:
    """What a concept is looked up by, the most usual first."""
    label = plain_label(concept)
    found = [label, *synonyms().get(label, ())]
    found += [name.replace("_", " ") for name in (*concept.names, *concept.keywords[:1])]
    return [name for name in dict.fromkeys(found) if re.search("[a-z]", name)][:most]


def tags_of(concept: Concept) -> list[str]:
    """Looser words that lead to a concept."""
    words = (*concept.tags, *concept.keywords)
    return list(dict.fromkeys(word.replace("_", " ").lower() for word in words))


def caption(
    concept: Concept,
    style: str,
    random: np.random.Generator,
    word: str = "",
    colour: str | None = None,
) -> str:
    """One way to ask for this drawing.

    `word` is a colour or an attribute that it was given; `colour` the one that it has anyway,
    which is told now and then.
    """
    label = concept.label.lower().replace(": ", " ")
    others = [*concept.names[:3], *concept.keywords[:2]]
    name = str(random.choice([label] * 4 + [other.replace("_", " ") for other in others]))
    if not word and colour and random.random() < 0.35 and colour not in name:
        word = colour
    if word:
        name = f"{word} {_LEADING.sub('', name)}"
    kind = random.random()
    if kind < 0.15:
        name = f"{random.choice(MANNERS[style])} {name}"
    elif kind < 0.65:
        name = with_article(name)
    if concept.tags and random.random() < 0.15:
        count = min(2, len(concept.tags))
        name += ", " + ", ".join(map(str, random.choice(concept.tags, count, replace=False)))
    if random.random() < 0.08:
        name = " ".join(part for part in name.split() if random.random() > 0.3) or name
    return name


def with_article(noun_phrase: str) -> str:
    """ "a red apple", "an owl"; plurals and stuff stay bare."""
    if noun_phrase.endswith("s") and not noun_phrase.endswith(("ss", "us")):
        return noun_phrase
    return f"{'an' if noun_phrase[0] in 'aeiou' else 'a'} {noun_phrase}"
