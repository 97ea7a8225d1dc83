from __future__ import annotations

import numpy as np
import pytest

from acetate.embedded.drawings import Concept
from acetate.embedded.retrieval import CERTAIN, Retrieval
from acetate.embedded.words import plain_words, take_apart

THINGS = (
    Concept(("red apple", "apple"), ("fruit",)),
    Concept(("green apple",), ("fruit",)),
    Concept(("birthday cake", "cake", "chocolate cake"), ("candles", "party")),
    Concept(("candle",), ("light",)),
    Concept(("high voltage", "lightning bolt"), ("electric",)),
    Concept(("nut and bolt", "bolt"), ()),
    Concept(("houses",), ()),
    Concept(("house", "home"), ()),
    Concept(("black cat",), ()),
    Concept(("cat",), ("pet",)),
    Concept(("tangerine", "orange"), ("fruit",)),
    Concept(("bow and arrow",), ()),
    Concept(("smiling face", "smiley"), ()),
    Concept(("cool face", "smiley with sunglasses"), ()),
    Concept(("whale", "blue whale"), ("whale", "sea")),
    Concept(("spouting whale", "whale with water"), ()),
)


def nothing_known(phrases: object) -> np.ndarray:
    return np.zeros((len(list(phrases)), 4), np.float32)  # type: ignore[call-overload]


def found(prompt: str) -> str:
    best = Retrieval(THINGS, nothing_known).best(take_apart(prompt))
    return THINGS[best[0].concept].names[0] if best else ""


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a red apple", "red apple"),
        ("an apple", "red apple"),
        ("a green apple", "green apple"),
        ("a purple apple", "red apple"),
        ("chocolate cake with candles", "birthday cake"),
        ("a lightning bolt", "high voltage"),
        ("a house", "house"),
        ("three houses", "houses"),
        ("a black cat", "black cat"),
        ("a cat sleeping on a pillow", "cat"),
        ("an orange", "tangerine"),
        ("bow and arrow", "bow and arrow"),
        ("a smiley with sunglasses", "cool face"),
        ("a smiley", "smiling face"),
        ("a whale", "whale"),
        ("a whale with water", "spouting whale"),
        ("a whale with a hat", "whale"),
        ("a xylophone", ""),
    ],
)
def test_the_noun_finds_the_drawing_and_the_rest_decides_between_them(
    prompt: str, name: str
) -> None:
    assert found(prompt) == name


def test_a_named_thing_is_certain_and_a_relative_is_not() -> None:
    retrieval = Retrieval(THINGS, nothing_known)
    assert retrieval.best(take_apart("a candle"))[0].score >= CERTAIN
    related = retrieval.best(take_apart("a wedding cake stand for a pet"))
    assert all(match.score < CERTAIN for match in related)


def test_a_colour_of_the_name_is_told_from_one_to_be_painted() -> None:
    retrieval = Retrieval(THINGS, nothing_known)
    assert retrieval.best(take_apart("a green apple"))[0].names_colour
    assert not retrieval.best(take_apart("a purple cat"))[0].names_colour


def test_a_prompt_is_taken_apart() -> None:
    said = take_apart("A tiny, old wooden chair with a cushion")
    assert said.thing[-1] in ("tiny", "chair")
    said = take_apart("a tiny old wooden chair with a cushion")
    assert (said.thing, said.colour, said.aged, said.small) == (("chair",), "wooden", True, True)
    assert take_apart("a 3d rocket").style == "3d"


def test_plurals_and_articles_do_not_matter() -> None:
    assert plain_words("The cherries and an octopus") == ("cherry", "and", "octopus")


@pytest.mark.parametrize("prompt", ["", "!!!", "   ", "的", "🍎", "a", "of the"])
def test_a_prompt_without_words_finds_nothing(prompt: str) -> None:
    assert found(prompt) == ""


@pytest.mark.parametrize(
    ("prompt", "thing", "heard"),
    [
        ("a copper kettle", ("kettle",), {"colour": "copper"}),
        ("a rusty key", ("key",), {"colour": "rusty", "aged": False}),
        ("a rusty red car", ("car",), {"colour": "red", "aged": True}),
        ("a striped blue sock", ("sock",), {"colour": "blue", "pattern": "striped"}),
        ("a polka dot dress", ("dress",), {"pattern": "spotted"}),
        ("a huge elephant", ("elephant",), {"large": True}),
        ("a glass apple", ("apple",), {"glass": "glass"}),
        ("a translucent ghost", ("ghost",), {"glass": "translucent"}),
        ("a glass of milk", ("glass", "milk"), {"glass": ""}),
        ("a glasses case", ("glass", "case"), {"glass": ""}),
        ("a stone", ("stone",), {"colour": ""}),
        ("a transparent png of an apple", ("transparent", "png", "apple"), {"glass": ""}),
    ],
)
def test_materials_patterns_and_sizes_are_heard_before_a_noun(
    prompt: str, thing: tuple[str, ...], heard: dict[str, object]
) -> None:
    said = take_apart(prompt)
    assert said.thing == thing
    assert {name: getattr(said, name) for name in heard} == heard


@pytest.mark.parametrize("prompt", ["a tiny old red chair", "a golden crown", "a stone"])
def test_what_was_followed_from_the_beginning_is_known(prompt: str) -> None:
    assert not take_apart(prompt).followed_later


@pytest.mark.parametrize("prompt", ["a bronze bell", "a dotted cup", "a giant crab", "a glass cup"])
def test_what_is_followed_later_is_known(prompt: str) -> None:
    assert take_apart(prompt).followed_later
