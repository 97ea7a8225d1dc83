from __future__ import annotations

import pytest

from acetate.modes.naming import layer_name


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a red apple", "red apple"),
        ("A paper lantern, glowing, warm light", "paper lantern"),
        ("  the   old\tman ", "old man"),
        ("anthill", "anthill"),
        (", ,", "layer"),
        ("a " + "very " * 20 + "tall tree", "very very very very very very very very…"),
        ("x" * 60, "x" * 40 + "…"),
    ],
)
def test_names_are_short_prompts(prompt: str, name: str) -> None:
    assert layer_name(prompt) == name
