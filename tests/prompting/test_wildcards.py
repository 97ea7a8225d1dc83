"""Files of choices, found by name and by nothing else; what is missing is named with the cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate.errors import BadRequest
from acetate.prompting.choices import with_choices_made
from acetate.prompting.wildcards import wildcard_lines, wildcard_names
from acetate_bridge.protocol.types import Recipe


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "wildcards"
    (folder / "sky").mkdir(parents=True)
    (folder / "colour.txt").write_text("# warm\nred\n\norange\n", encoding="utf-8")
    (folder / "sky" / "night.txt").write_text("__colour__ moon\n", encoding="utf-8")
    monkeypatch.setenv("ACETATE_WILDCARDS_DIR", str(folder))
    return folder


def test_lines_are_choices_without_comments() -> None:
    assert wildcard_lines("colour") == ["red", "orange"]
    assert wildcard_names() == ["colour", "sky/night"]


def test_a_file_that_is_missing_is_named_with_the_cure(folder: Path) -> None:
    with pytest.raises(BadRequest, match="no wildcard called “hats”") as caught:
        with_choices_made(Recipe("text", "a __hats__"))
    assert str(folder) in caught.value.hint and "colour" in caught.value.hint


def test_a_name_is_never_a_path_out_of_the_folder(folder: Path) -> None:
    (folder.parent / "secret.txt").write_text("secret\n", encoding="utf-8")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    for name in ("../secret", str(folder.parent / "secret"), "link"):
        with pytest.raises(BadRequest, match="no wildcard"):
            wildcard_lines(name)


def test_the_same_seed_draws_the_same_and_what_is_drawn_stays() -> None:
    said = Recipe("text", "{a|b|c} __sky/night__", layer_prompts={"foreground": "{d|e}"}, seed=7)
    drawn = with_choices_made(said)
    assert drawn == with_choices_made(said) == with_choices_made(drawn)
    assert drawn.prompt.endswith(" moon") and drawn.layer_prompts["foreground"] in "de"


def test_a_style_in_the_prompt_is_a_style_of_the_recipe() -> None:
    drawn = with_choices_made(Recipe("text", "a fox <lora:ink:0.8>", styles={"wash": 0.5}))
    assert drawn.prompt == "a fox" and drawn.styles == {"wash": 0.5, "ink": 0.8}
