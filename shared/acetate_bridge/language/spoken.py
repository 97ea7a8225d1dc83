"""The language of this editor: the painter's choice, else the editor's own, else English."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from acetate_bridge.language.catalog import BadCatalog, languages, load_catalog
from acetate_bridge.language.translation import Translation

log = logging.getLogger("acetate.panel")

ENGLISH = "en"
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_PLAIN = ("", "C", "POSIX")
_current: list[Translation | None] = [None]


def say(sentence: str) -> str:
    """The sentence in the language that was chosen last; in English to the last letter as it is."""
    translation = _current[0]
    return translation.of(sentence) if translation is not None and sentence else sentence


def speak(chosen: str = "", surroundings: Mapping[str, str] | None = None) -> str:
    """Speak this language from now on (empty: the editor's); the one that it is, is returned.

    Both editors tell their plug-ins of their language by gettext's variables.
    """
    wanted = [chosen] if chosen else wanted_languages(surroundings)
    language = next((found for each in wanted if (found := _found(each))), ENGLISH)
    _current[0] = None
    if language != ENGLISH:
        try:
            _current[0] = Translation(load_catalog(language), language)
        except (OSError, BadCatalog):
            log.warning("the catalog of %s cannot be read", language, exc_info=True)
            return ENGLISH
    return language


def wanted_languages(surroundings: Mapping[str, str] | None = None) -> Sequence[str]:
    """What gettext would look for, the best first, as it stands in the environment.

    Where a system sets none of its variables, its own setting counts (Windows).
    """
    found = os.environ if surroundings is None else surroundings
    locale = next((found[name] for name in _VARIABLES if found.get(name)), "")
    if locale.partition(".")[0] in _PLAIN[1:]:
        return [ENGLISH]
    listed = [each for each in found.get("LANGUAGE", "").split(":") if each]
    if listed:
        return listed
    if not locale and surroundings is None and sys.platform == "win32":
        locale = _of_windows()
    return [locale] if locale else [ENGLISH]


def _of_windows() -> str:
    import ctypes
    import locale

    windows: Any = ctypes
    return locale.windows_locale.get(int(windows.windll.kernel32.GetUserDefaultUILanguage()), "")


def _found(wanted: str) -> str:
    """The catalog that suits a locale such as "de_AT.UTF-8"; empty where there is none."""
    name = wanted.partition(".")[0].partition("@")[0].replace("-", "_")
    short = name.partition("_")[0].lower()
    if short == ENGLISH or name in _PLAIN:
        return ENGLISH
    here = languages()
    if short == "zh":
        traditional = name.upper().endswith(("_TW", "_HK", "_MO", "_HANT"))
        return "" if traditional else "zh_CN"
    return name if name in here else short if short in here else ""
