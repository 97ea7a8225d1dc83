"""Names that complete a prompt: which fit, what they replace, and what asks for none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from acetate_bridge.panel.completion import MOST, Completion, completions
from acetate_bridge.protocol.messages import Models
from tests.acetate_bridge.panel.desk import MODES, SMALL, Desk

STYLES = {"watercolour": "wtrclr", "ink": "", "Pink ink": ""}
WILDCARDS = ["colours", "birds/small", "old colours"]


def offered(marked: str) -> list[str]:
    """What the prompt becomes with each of the names, its cursor being at the bar."""
    cursor = marked.index("|")
    prompt = marked[:cursor] + marked[cursor + 1 :]
    found = completions(prompt, cursor, STYLES, WILDCARDS)
    whole = [each.applied(prompt) for each in found]
    return [text[:at] + "|" + text[at:] for text, at in whole]


@pytest.mark.parametrize("begun", ["<", "<l", "<lora", "<lora:"])
def test_all_styles_are_offered_before_a_name_is_begun(begun: str) -> None:
    assert offered(f"a fox {begun}|") == [
        "a fox <lora:watercolour:1>|",
        "a fox <lora:ink:1>|",
        "a fox <lora:Pink ink:1>|",
    ]


@pytest.mark.parametrize("begun", ["<in", "<lora:in", "<lora:IN"])
def test_names_that_begin_like_it_come_first(begun: str) -> None:
    assert offered(f"{begun}|") == ["<lora:ink:1>|", "<lora:Pink ink:1>|"]


def test_the_words_that_a_style_hears_are_told() -> None:
    (found,) = completions("<wat", 4, STYLES, ())
    assert found == Completion("watercolour", "<lora:watercolour:1>", 0, 4, "wtrclr")


def test_a_weight_that_stands_there_stays() -> None:
    assert offered("a fox <lora:wat|er:0.5>, dusk") == ["a fox <lora:watercolour|:0.5>, dusk"]


def test_a_wildcard_is_closed_and_one_that_is_closed_is_replaced_whole() -> None:
    assert offered("__col|") == ["__colours__|", "__old colours__|"]
    assert offered("a __bir|ds__ bird") == ["a __birds/small__| bird"]


@pytest.mark.parametrize(
    "marked",
    [
        "a fox|",
        r"a \<in|",
        "a fo__|",
        "__colours__|",
        r"\__col|",
        "<lora:ink:1>|",
        "<zebra|",
        "|<in",
    ],
)
def test_where_nothing_is_begun_nothing_is_offered(marked: str) -> None:
    assert offered(marked) == []


def test_a_name_that_stands_there_already_is_not_offered_again() -> None:
    assert offered("<lora:watercolour|:1>") == []


def test_no_more_are_offered_than_fit_below_a_line() -> None:
    assert len(completions("<", 1, {f"style {n}": "" for n in range(50)}, ())) == MOST


def test_the_panel_offers_what_the_model_and_the_server_have(tmp_path: Path) -> None:
    model = replace(SMALL, styles=["ink.safetensors"], triggers={"ink.safetensors": "inkwash"})
    desk = Desk(tmp_path, offer=Models([model], MODES, ["colours"]))
    (style,) = desk.panel.complete("<ink", 4)
    assert (style.name, style.detail) == ("ink.safetensors", "inkwash")
    assert [each.text for each in desk.panel.complete("__c", 3)] == ["__colours__"]
