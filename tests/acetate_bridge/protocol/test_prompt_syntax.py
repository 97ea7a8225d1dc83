"""The signs of a prompt: choices, files, styles, comments, weights and turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acetate_bridge.protocol.naming import layer_name
from acetate_bridge.protocol.prompt_syntax import (
    EMPHASIS,
    MOST_TURNS,
    EndlessChoice,
    Words,
    drawn,
    plain,
    turns,
    weighed,
)

FILES = {"colour": ["red", "{blue|green}"], "me": ["__me__"]}


def draw_last(text: str) -> str:
    return drawn(text, lambda count: count - 1, FILES.__getitem__)[0]


def draw_first(text: str) -> str:
    return drawn(text, lambda count: 0, FILES.__getitem__)[0]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("a {red|blue} fox", "a red fox", "a blue fox"),
        ("{a|b {c|d}}", "a", "b d"),
        ("{(a|b)|c}", "(a|b)", "c"),
        ("a __colour__ fox", "a red fox", "a green fox"),
        ("{prompt} and {}", "{prompt} and {}", "{prompt} and {}"),
        (r"\{a|b\}", r"\{a|b\}", r"\{a|b\}"),
        ("a {b|c", "a {b|c", "a {b|c"),
        ("snake_case and __init", "snake_case and __init", "snake_case and __init"),
    ],
)
def test_choices_are_made(text: str, first: str, last: str) -> None:
    assert (draw_first(text), draw_last(text)) == (first, last)


def test_comments_go_and_numbers_stay() -> None:
    assert draw_first("# for the cover\na fox # small\nin snow") == "a fox \nin snow"
    assert draw_first("lantern #1") == "lantern #1"


def test_styles_are_taken_out_of_the_words() -> None:
    text, styles = drawn("a fox <lora:ink:0.8>, night <lora:wash>", lambda _: 0, FILES.__getitem__)
    assert text == "a fox, night" and styles == {"ink": 0.8, "wash": 1.0}
    for broken in ("<lora:>", "<lora:ink:much>", "<lora ink>", r"\<lora:ink:1>"):
        assert drawn(broken, lambda _: 0, FILES.__getitem__) == (broken, {})


def test_a_file_that_names_itself_is_noticed() -> None:
    with pytest.raises(EndlessChoice, match="me"):
        draw_first("__me__")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a fox", [Words("a fox")]),
        ("a (glowing:1.3) fox", [Words("a "), Words("glowing", 1.3), Words(" fox")]),
        ("(a)", [Words("a", EMPHASIS)]),
        ("((a))", [Words("a", EMPHASIS * EMPHASIS)]),
        ("[a]", [Words("a", 1 / EMPHASIS)]),
        ("(a (b:2) c:1.5)", [Words("a ", 1.5), Words("b", 3.0), Words(" c", 1.5)]),
        ("(10:30)", [Words("10:30", EMPHASIS)]),
        ("(a:999)", [Words("a:999", EMPHASIS)]),
        (r"\(a\)", [Words("(a)")]),
        ("(a", [Words("(a")]),
        ("a)", [Words("a)")]),
        (":( and (b:2)", [Words(":( and "), Words("b", 2.0)]),
        ("([a)]", [Words("("), Words("a)", 1 / EMPHASIS)]),
        ("", [Words("")]),
    ],
)
def test_words_weigh_what_is_written(text: str, pieces: list[Words]) -> None:
    found = weighed(text)
    assert [each.text for each in found] == [each.text for each in pieces]
    assert [each.weight for each in found] == pytest.approx([each.weight for each in pieces])


def test_alternatives_take_turns() -> None:
    assert turns("a [cat|dog] on a [red|green|blue] mat") == [
        "a cat on a red mat",
        "a dog on a green mat",
        "a cat on a blue mat",
    ]
    assert turns("a [cat]") == ["a [cat]"]
    assert turns("a [cat|[dog|fox]]") == ["a cat", "a fox"]
    assert len(turns(f"[{'|'.join('ab' * 500)}]")) == MOST_TURNS


def test_plain_words_and_names_have_no_signs() -> None:
    assert plain("a ((very) glowing:1.3) [cat|dog] <lora:ink:1>") == "a very glowing cat"
    assert plain("a  fox, :( sad") == "a  fox, :( sad"
    assert layer_name("a (glowing:1.3) lantern, night") == "glowing lantern"


@given(st.text(st.sampled_from("ab :1.5()[]{}|<>lora#_\\\n"), max_size=60))
def test_no_text_fails_and_what_is_drawn_is_drawn_to_the_end(text: str) -> None:
    found, _ = drawn(text, lambda count: count - 1, lambda name: ["x"])
    assert "".join(each.text for each in weighed(found)) is not None
    assert drawn(found, lambda count: 0, lambda name: ["y"])[0] == found
    assert all(weighed(turn) for turn in turns(found))


@pytest.mark.parametrize("sign", ["(", "[", "{", "()", "([", "{|", "__a", "\\", "[|"])
def test_the_longest_prompt_is_read_at_once(sign: str) -> None:
    text = (sign * 8000)[:8000]
    assert weighed(draw_first(text)) and turns(text) and plain(text) is not None
    nested = "(" * 3999 + "a" + ")" * 3999
    assert weighed(nested)[0].text == "a"
