"""Finished English sentences in another language, with what they were filled with."""

from __future__ import annotations

import pytest

from acetate_bridge.language.catalog import languages, load_catalog
from acetate_bridge.language.translation import Translation


@pytest.fixture(scope="module")
def german() -> Translation:
    return Translation(load_catalog("de"), "de")


@pytest.mark.parametrize(
    ("sentence", "meant"),
    [
        ("The server is not running.", "Der Server läuft nicht."),
        ("Generate layer", "Ebene erzeugen"),
        ("S_trength", "_Stärke"),
        ("Strength", "Stärke"),
        ("“Keep” is locked: unlock it first.", "„Keep“ ist gesperrt: Entsperren Sie sie zuerst."),
        (
            "Paints 9 × 8 at the selection (4, 3), painted at 64 × 64 and scaled.",
            "Malt 9 × 8 an der Auswahl (4, 3), mit 64 × 64 gemalt und skaliert.",
        ),
        ("Downloading SDXL, 41 %, 6 min left.", "Lädt SDXL, 41 %, noch 6 min herunter."),
        ("step 11 of 20 · 3 s left", "Schritt 11 von 20 · noch 3 s"),
        (
            "Acetate is not installed here. Run in a terminal: pipx install acetate",
            "Acetate ist hier nicht installiert. Im Terminal ausführen: pipx install acetate",
        ),
        ("Words of a newer server. Try again.", "Words of a newer server. Versuchen Sie es noch "
         "einmal."),
        ("Words of a newer server", "Words of a newer server"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_sentence_is_said_in_german(german: Translation, sentence: str, meant: str) -> None:
    assert german.of(sentence) == meant


def test_a_name_of_the_painters_is_never_translated(german: Translation) -> None:
    assert german.of("Painting “Start”.") == "Malt „Start“."
    assert german.of("“Settings” is ready, but “a · b, c. D” was closed.") == (
        "„Settings“ ist fertig, aber „a · b, c. D“ wurde geschlossen."
    )


@pytest.mark.parametrize("language", languages())
def test_a_full_stop_is_that_of_the_language(language: str) -> None:
    said = Translation(load_catalog(language), language).of("Paints 9 × 8, the whole canvas.")
    assert said.endswith("。" if language in ("ja", "zh_CN") else ".")
    assert "9 × 8" in said and "canvas" not in said
