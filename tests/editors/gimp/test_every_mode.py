"""Every mode that a script can ask for in GIMP: what is sent, and where what comes back is put.

The server gives back the pictures that it was sent, so pixels are compared exactly.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from tests.app.server_process import RunningServer
from tests.editors.gimp.conftest import Script, answering

pytestmark = [pytest.mark.slow, pytest.mark.matrix]


@pytest.fixture(autouse=True)
def echo(
    echo_server: RunningServer, server: RunningServer, reach: dict[str, str]
) -> Iterator[None]:
    """The plug-in finds the echoing server."""
    with answering(echo_server, reach):
        yield


def pixels(about: dict[str, Any]) -> bytes:
    return base64.b64decode(about["pixels"])


def pixel(about: dict[str, Any], x: int, y: int) -> tuple[int, ...]:
    at = (y * about["width"] + x) * 4
    return tuple(pixels(about)[at : at + 4])


def place(about: dict[str, Any]) -> tuple[int, ...]:
    return about["x"], about["y"], about["width"], about["height"]


@pytest.mark.parametrize(
    ("document", "depth", "off_by"),
    [
        ("96, 64", "u8", 0),
        ("96, 64, 'u16'", "u16", 0),
        ("96, 64, 'half'", "u8", 0),
        ("96, 64, 'float'", "u16", 0),
        # The curve is rounded, and a wider gamut magnifies the last digit near black.
        ("96, 64, 'float-linear'", "u16", 1),
        ("96, 64, 'float', adobe=True", "u16", 48),
    ],
)
def test_a_layer_goes_to_the_server_and_back_without_losing_a_digit(
    script: Script, document: str, depth: str, off_by: int
) -> None:
    source, again, children = script(f"""
image = new_image({document})
group = Gimp.GroupLayer.new(image, "scene")
image.insert_layer(group, None, 0)
source = add_picture(image, "source", -24, -16, 64, 48, {depth!r}, group)
ids = call("acetate-repaint-layer", image, [source], prompt="the same", steps=1, seed=1)
answer = ids
if isinstance(ids, list):
    children = [each.get_name() for each in group.get_children()]
    answer = [about(each, "R'G'B'A {depth}") for each in (source.get_id(), ids[0])] + [children]
image.delete()
""")
    assert place(again) == place(source) == (-24, -16, 64, 48), "partly off the canvas"
    assert children == ["same", "source"]
    sample = "B" if depth == "u8" else "H"
    there, sent = (
        struct.unpack(f"<{each['width'] * each['height'] * 4}{sample}", pixels(each))
        for each in (again, source)
    )
    assert max(abs(one - other) for one, other in zip(there, sent, strict=True)) <= off_by
    clear = [sent[at : at + 3] for at in range(0, len(sent), 4) if sent[at + 3] == 0]
    assert any(map(any, clear)), "hidden colour came along"


def test_an_object_is_added_in_view_of_all_that_lies_below(script: Script) -> None:
    found, visible, order = script("""
image = new_image(64, 64)
low = add_picture(image, "low", 0, 0, 64, 64)
middle = add_picture(image, "middle", 16, 16, 24, 24)
high = add_paper(image, "high")
high.set_visible(True)
copy = image.duplicate()
copy.get_layers()[0].set_visible(False)
seen = Gimp.Layer.new_from_visible(copy, copy, "")
visible = pixels(seen)
copy.delete()
ids = call("acetate-add-object", image, [middle], prompt="a boat", steps=1)
answer = [about(ids[0]), visible, names(image)] if isinstance(ids, list) else ids
image.delete()
""")
    assert order == ["high", "boat", "middle", "low"]
    assert place(found) == (0, 0, 64, 64)
    assert found["pixels"] == visible, "the layer and what is below it, without what is above"


def test_around_a_selection_more_is_shown_than_comes_back(script: Script) -> None:
    found, low = script("""
image = new_image(160, 128)
low = add_picture(image, "low", 0, 0, 160, 128)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 48, 40, 64, 48)
ids = call("acetate-add-object", image, [low], prompt="a boat", steps=1)
part = Gegl.Rectangle.new(48, 40, 64, 48)
seen = Gimp.Layer.new_from_visible(image, image, "")
data = low.get_buffer().get(part, 1.0, "R'G'B'A u8", Gegl.AbyssPolicy.NONE)
answer = [about(ids[0]), base64.b64encode(bytes(data)).decode()] if isinstance(ids, list) else ids
image.delete()
""")
    assert place(found) == (48, 40, 64, 48) and not found["mask"]
    there, sent = pixels(found), base64.b64decode(low)
    assert there[3::4] == sent[3::4]
    solid = [at for at in range(0, len(sent), 4) if sent[at + 3] == 255]
    assert solid and all(there[at : at + 3] == sent[at : at + 3] for at in solid)


def test_a_scene_becomes_a_named_group_with_a_recipe_on_each_layer(script: Script) -> None:
    order, layers = script("""
image = new_image(64, 64)
paper = add_paper(image)
ids = call("acetate-scene-in-layers", image, [paper], prompt="a harbour, at night",
           foreground_prompt="a boat", background_prompt="the sea", negative_prompt="fog",
           guidance=2.5, steps=3, seed=5, model="echo")
answer = [names(image), [about(each) for each in ids]] if isinstance(ids, list) else ids
image.delete()
""")
    assert order == ["harbour", "Paper"]
    assert [(each["name"], each["parent"]) for each in layers] == [
        ("harbour in front", "harbour"),
        ("harbour behind", "harbour"),
    ]
    assert pixel(layers[0], 9, 9) == (255, 0, 0, 128) and pixel(layers[1], 9, 9)[3] == 255
    for each in layers:
        recipe = json.loads(each["recipe"])
        assert recipe["mode"] == "joint" and recipe["prompt"] == "a harbour, at night"
        assert recipe["layer_prompts"] == {"foreground": "a boat", "background": "the sea"}
        assert recipe["negative_prompt"] == "fog" and recipe["model"] == "echo"
        assert (recipe["guidance"], recipe["steps"], recipe["seed"]) == (2.5, 3, 5)


def test_a_layer_is_lifted_off_what_lies_below_it(script: Script) -> None:
    found, order = script("""
image = new_image(64, 64)
add_paper(image)
blob = add_picture(image, "blob", 8, 16, 24, 24, solid=(200, 30, 60, 255))
ids = call("acetate-lift-out", image, [blob], prompt="a blob", steps=1)
answer = [about(ids[0]), names(image)] if isinstance(ids, list) else ids
image.delete()
""")
    assert order == ["blob", "blob", "Paper"] or order[1:] == ["blob", "Paper"]
    assert place(found) == (0, 0, 64, 64)
    inside = [(x, y) for y in range(64) for x in range(64) if 8 <= x < 32 and 16 <= y < 40]
    alphas = pixels(found)[3::4]
    assert sum(alpha > 0 for alpha in alphas) == len(inside)
    assert all(pixel(found, x, y) == (200, 30, 60, 255) for x, y in inside[::37])


def test_a_split_picture_is_a_group_with_the_hindmost_layer_lowest(script: Script) -> None:
    order, layers, paper = script("""
image = new_image(64, 64)
flat = add_picture(image, "flat", 0, 0, 64, 64, solid=(90, 120, 150, 255))
ids = call("acetate-split-layer", image, [flat], prompt="a poster", steps=1)
answer = ids
if isinstance(ids, list):
    answer = [names(image), [about(each) for each in ids], about(flat.get_id())["pixels"]]
image.delete()
""")
    assert order == ["poster", "flat"]
    assert [each["name"] for each in layers] == ["poster 3", "poster 2", "poster 1"]
    assert {each["parent"] for each in layers} == {"poster"}
    assert layers[2]["pixels"] == paper


def test_a_background_is_made_for_the_layer_with_its_transparency(script: Script) -> None:
    found, order = script("""
image = new_image(64, 64)
add_paper(image)
lamp = add_picture(image, "lamp", 8, 8, 32, 32)
ids = call("acetate-fill-background", image, [lamp], prompt="a wall", steps=1)
answer = [about(ids[0]), names(image)] if isinstance(ids, list) else ids
image.delete()
""")
    assert order == ["lamp", "wall around", "Paper"], "and the blended picture is not inserted"
    assert place(found) == (0, 0, 64, 64) and set(pixels(found)[3::4]) == {255}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("prompt='break'", "That cannot be painted. Ask for something else."),
        ("prompt='bug'", ""),
        ("prompt='die'", ""),
        ("prompt='a boat', model='away'", "Far Away is not here yet."),
        ("prompt='a boat', model='unheard-of'", "unheard-of"),
    ],
)
def test_a_server_that_fails_is_one_sentence_and_changes_nothing(
    script: Script, options: str, words: str
) -> None:
    sentence, layers = script(f"""
image = new_image(96, 96)
answer = [call("acetate-generate-layer", image, [], {options}, steps=2), len(image.get_layers())]
image.delete()
""")
    assert isinstance(sentence, str) and len(sentence) > 10 and words in sentence
    assert "\n" not in sentence and "Traceback" not in sentence
    assert layers == 0


def test_an_image_closed_while_a_script_waits_is_one_sentence(script: Script) -> None:
    sentence, left = script("""
import procedure_run as painting
from procedures import Order

image, hear = new_image(64, 64), painting._Session._next

def close_it(session):
    heard = hear(session)
    if isinstance(heard, painting.Progress) and image.is_valid():
        image.delete()
    return heard

painting._Session._next = close_it
try:
    painting.paint(image, Order("text", prompt="a boat", values={"steps": 3}))
    sentence = "painted"
except painting.CannotPaint as error:
    sentence = str(error)
finally:
    painting._Session._next = hear
answer = [sentence, len(Gimp.get_images())]
""")
    assert sentence == "The image was closed." and left == 0
