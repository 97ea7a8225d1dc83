"""The words that a style wants to hear: what its header or the files beside it say of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

TRIGGERS = "triggers"
"""Under which an imported style keeps them among its facts."""
_LONGEST = 200
_MOST_BYTES = 2**20
_COMMON = {
    *("1girl", "1boy", "2girls", "solo", "simple background", "white background", "no humans"),
    *("looking at viewer", "photo", "realistic", "portrait", "man", "woman", "girl", "boy"),
}
"""Tags of so many pictures that they are no word of one style."""
_SIGNS = re.compile(r"<[^<>]*>|__[\w /-]*__|[{}<>|#\\]|[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def trigger_words(header: Mapping[str, str], told: Path) -> str:
    """Words for a prompt, at most 200 characters; empty where nobody tells them.

    `header` is the file's own; `told` is the file that the person named, beside which a
    description of Civitai or of AUTOMATIC1111 may lie.
    """
    for words in (header.get("modelspec.trigger_phrase"), *_told_beside(told), _tag(header)):
        if isinstance(words, str) and (found := cleaned(words)):
            return found
    return ""


def cleaned(words: str) -> str:
    """Words without signs that would choose, fetch or comment in a prompt, cut at a comma."""
    plain = _SIGNS.sub(" ", words[: 4 * _LONGEST])
    parts = [" ".join(part.split()) for part in plain.split(",")]
    kept = ""
    for part in dict.fromkeys(filter(None, parts)):
        longer = f"{kept}, {part}" if kept else part
        if len(longer) > _LONGEST:
            return kept or part[:_LONGEST].rpartition(" ")[0]
        kept = longer
    return kept


def _told_beside(told: Path) -> list[str]:
    """What descriptions beside the file say, those of Civitai first."""
    civitai = _read(told.with_suffix(".civitai.info")).get("trainedWords")
    # The first is what the author uses most; the others are for other figures or clothes.
    trained = cast("list[Any]", civitai)[:1] if isinstance(civitai, list) else [civitai]
    kept = _read(told.with_suffix(".json")).get("activation text")
    return [words for words in (*trained, kept) if isinstance(words, str)]


def _tag(header: Mapping[str, str]) -> str:
    """The one tag that every picture of the training had, if there is just one."""
    frequencies, folders = (_parsed(header.get(key)) for key in (_TAGS, _FOLDERS))
    counts: dict[str, int] = {}
    pictures = 0
    for name, tags in frequencies.items():
        told = folders.get(name)
        number = cast("dict[str, Any]", told).get("img_count") if isinstance(told, dict) else None
        if not isinstance(tags, dict) or not isinstance(number, int):
            return ""
        pictures += number
        for tag, count in cast("dict[str, Any]", tags).items():
            if isinstance(count, int):
                counts[tag.strip()] = counts.get(tag.strip(), 0) + count
    always = [tag for tag, count in counts.items() if 0 < pictures <= count]
    always = [tag for tag in always if tag and tag.lower().replace("_", " ") not in _COMMON]
    return always[0] if len(always) == 1 and len(always[0]) <= _LONGEST else ""


_TAGS, _FOLDERS = "ss_tag_frequency", "ss_dataset_dirs"


def _read(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return {}
        return _parsed(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}


def _parsed(text: str | None) -> dict[str, Any]:
    """An object of JSON; none for anything else, as whoever wrote it wrote what they liked."""
    try:
        value: object = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
