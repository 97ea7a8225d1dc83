"""What scripts can do in GIMP: each procedure against the real server, pixels compared exactly."""

from __future__ import annotations

import base64
import json
import queue
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from acetate_bridge.client.client import Client
from acetate_bridge.editing.recipes import read_recipe
from acetate_bridge.protocol.frame_planning import plan_frame
from acetate_bridge.protocol.geometry import Rect
from acetate_bridge.protocol.messages import Done, Failed, LayerReady, Models
from acetate_bridge.protocol.types import Image, PixelFormat, Request
from tests.app.server_process import LONG, RunningServer
from tests.editors.elder import elder_server
from tests.editors.gimp.conftest import Script, answering

pytestmark = [pytest.mark.slow, pytest.mark.matrix]


class Painter:
    """Asks the server directly, so that what GIMP holds can be compared with what it sent."""

    def __init__(self, server: RunningServer) -> None:
        self._heard: queue.Queue[Any] = queue.Queue()
        runtime = server.runtime
        self.client = Client(
            "judge",
            self._heard.put,
            on_offer=self._heard.put,
            address=runtime.address,
            token=runtime.token,
        )
        self.client.start()
        while not isinstance(offer := self._heard.get(timeout=LONG), Models) or not offer.models:
            pass
        self.model = next(model for model in offer.models if "text" in model.modes)

    def paint(self, recipe: str, region: Rect, pixel_format: PixelFormat) -> Image:
        """The same recipe again, the way that it came to GIMP."""
        found = read_recipe(recipe)
        assert found is not None and self.model.frame is not None
        frame = plan_frame(region, self.model.frame)
        job = self.client.submit(Request(found, {}, 1, pixel_format, frame))
        image: Image | None = None
        while True:
            heard = self._heard.get(timeout=LONG)
            assert not isinstance(heard, Failed), heard
            if isinstance(heard, LayerReady) and heard.job == job:
                image = heard.layer.image
            if isinstance(heard, Done) and heard.job == job:
                assert image is not None
                return image


@pytest.fixture(scope="module")
def painter(server: RunningServer) -> Any:
    found = Painter(server)
    yield found
    found.client.stop()


def samples(data: bytes, pixel_format: PixelFormat) -> list[int]:
    return list(data if pixel_format == "rgba8" else struct.unpack(f"<{len(data) // 2}H", data))


@pytest.mark.parametrize(
    ("document", "pixel_format", "off_by"),
    [
        ("128, 96", "rgba8", 0),
        ("128, 96, 'u16'", "rgba16", 0),
        ("128, 96, 'float'", "rgba16", 0),
        # A wider gamut magnifies the last digit of a saturated colour near black.
        ("128, 96, 'float', adobe=True", "rgba16", 40),
    ],
)
def test_a_layer_holds_exactly_what_the_server_painted(
    script: Script, painter: Painter, document: str, pixel_format: PixelFormat, off_by: int
) -> None:
    depth = "u8" if pixel_format == "rgba8" else "u16"
    found = script(f"""
image = new_image({document})
ids = call("acetate-generate-layer", image, [], prompt="a red apple", seed=7, steps=4,
           x=-20, y=-10, width=96, height=80)
answer = about(ids[0], "R'G'B'A {depth}") if isinstance(ids, list) else ids
image.delete()
""")
    assert isinstance(found, dict), found
    assert (found["x"], found["y"]) == (-20, -10), "off the canvas, where it was asked for"
    assert (found["width"], found["height"]) == (96, 80)
    assert found["name"] == "red apple" and not found["mask"]
    recipe = json.loads(found["recipe"])
    assert recipe["prompt"] == "a red apple" and recipe["seed"] == 7 and recipe["steps"] == 4
    painted = painter.paint(found["recipe"], Rect(-20, -10, 96, 80), pixel_format)
    there = samples(base64.b64decode(found["pixels"]), pixel_format)
    sent = samples(painted.data, pixel_format)
    assert max(abs(a - b) for a, b in zip(there, sent, strict=True)) <= off_by
    clear = [sent[at : at + 3] for at in range(0, len(sent), 4) if sent[at + 3] == 0]
    assert any(any(colour) for colour in clear), "colour under alpha 0 was compared, too"


def test_the_layer_goes_above_the_active_one_into_its_group(script: Script) -> None:
    found = script("""
image = new_image(96, 96)
low = add_paper(image, "low")
group = Gimp.GroupLayer.new(image, "scene")
image.insert_layer(group, None, 0)
inner = add_paper(image, "inner", group)
ids = call("acetate-generate-layer", image, [inner], prompt="a blue car", seed=1, steps=2)
answer = [about(ids[0])["parent"], [each.get_name() for each in group.get_children()], names(image)]
image.delete()
""")
    assert found == ["scene", ["blue car", "inner"], ["scene", "low"]]


def test_a_feathered_selection_becomes_a_mask(script: Script) -> None:
    found = script("""
image = new_image(160, 128)
add_paper(image)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 32, 80, 64)
Gimp.Selection.feather(image, 12)
_, _, left, top, right, bottom = Gimp.Selection.bounds(image)
ids = call("acetate-generate-layer", image, [], prompt="a yellow star", seed=3, steps=2)
answer = [about(ids[0]), [left, top, right - left, bottom - top]]
mask = Gimp.Item.get_by_id(ids[0]).get_mask().get_buffer()
row = Gegl.Rectangle.new(0, (bottom - top) // 2, right - left, 1)
answer.append(list(bytes(mask.get(row, 1.0, "Y u8", Gegl.AbyssPolicy.NONE))))
image.delete()
""")
    layer, bounds, row = found
    assert [layer["x"], layer["y"], layer["width"], layer["height"]] == bounds
    assert layer["mask"] and row[len(row) // 2] > 250 and row[0] < 30 and len(set(row)) > 10


def test_background_repainting_and_painting_anew(script: Script) -> None:
    found = script("""
image = new_image(128, 128)
paper = add_paper(image)
(apple,) = call("acetate-generate-layer", image, [paper], prompt="a red apple", seed=7, steps=4)
layer = Gimp.Item.get_by_id(apple)
(hills,) = call("acetate-fill-background", image, [layer], prompt="green hills", seed=1, steps=4)
order = names(image)
(again,) = call("acetate-repaint-layer", image, [layer], strength=0.5, seed=2, steps=4)
repainted = names(image)
before = pixels(layer)
(anew,) = call("acetate-regenerate-layer", image, [layer], seed=8)
answer = {"order": order, "repainted": repainted, "after": names(image),
          "gone": not Gimp.Item.id_is_valid(apple), "hills": about(hills), "anew": about(anew),
          "before": before, "again": about(again)}
image.delete()
""")
    assert found["order"] == ["red apple", "green hills", "Paper"], "directly below its layer"
    assert len(found["repainted"]) == 4 and len(found["after"]) == 4 and found["gone"]
    hills = base64.b64decode(found["hills"]["pixels"])
    assert set(hills[3::4]) == {255}, "a background is opaque"
    recipe = json.loads(found["anew"]["recipe"])
    assert recipe["seed"] == 8 and recipe["prompt"] == "a red apple" and recipe["steps"] == 4
    assert found["anew"]["pixels"] != found["before"]
    assert json.loads(found["again"]["recipe"])["strength"] == 0.5
    assert json.loads(found["again"]["recipe"])["prompt"] == "a red apple", "from its own recipe"


def test_variants_come_as_layers_of_their_own(script: Script) -> None:
    found = script(
        """
image = new_image(96, 96)
ids = call("acetate-generate-layer", image, [], prompt="a red apple", seed=20, steps=2, variants=2)
answer = [json_of(each) for each in ids] if isinstance(ids, list) else ids
image.delete()
""".replace("json_of(each)", "about(each)['recipe']")
    )
    assert [json.loads(recipe)["seed"] for recipe in found] == [20, 21]


@pytest.mark.parametrize("colour", ["gray", "indexed"])
def test_without_colour_it_says_so_and_converts_only_when_told(script: Script, colour: str) -> None:
    refused, left, done, kind = script(f"""
image = new_image(96, 96, colour={colour!r})
refused = call("acetate-generate-layer", image, [], prompt="a red apple", seed=7, steps=2)
left = len(image.get_layers())
ids = call("acetate-generate-layer", image, [], prompt="a red apple", seed=7, steps=2, convert=True)
answer = [refused, left, isinstance(ids, list) and len(ids), int(image.get_base_type())]
image.delete()
""")
    assert "converted" in refused and left == 0
    assert done == 1 and kind == 0


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("acetate-generate-layer", "prompt=''", "Say what to paint first."),
        ("acetate-scene-in-layers", "prompt='a harbour', model='none'", "cannot do that"),
        ("acetate-add-object", "prompt='a boat', model='none'", "cannot do that"),
        ("acetate-lift-out", "prompt='a boat'", "Choose the layer"),
        ("acetate-split-layer", "prompt='a boat'", "Choose the layer"),
        ("acetate-repaint-layer", "prompt='a boat'", "Choose the layer"),
        ("acetate-regenerate-layer", "", "no recipe"),
        ("acetate-generate-layer", "prompt='a boat', model='sd15'", "not here yet"),
        ("acetate-generate-layer", "prompt='a boat', steps=1000", "1 to 150 steps"),
        ("acetate-generate-layer", "prompt='a boat', guidance=-3.0", "between 0 and 30"),
        ("acetate-generate-layer", "prompt='a boat', variants=0", "1 to 16 variants"),
        ("acetate-generate-layer", "prompt='a boat', seed=-7", "A seed lies between"),
        ("acetate-generate-layer", "prompt='a boat', width=64", "width and a height"),
        ("acetate-generate-layer", "prompt='a boat', x=5, y=5", "width and a height"),
        (
            "acetate-generate-layer",
            "prompt='a boat', x=5000, y=0, width=64, height=64",
            "off the canvas",
        ),
        ("acetate-repaint-layer", "prompt='a boat', strength=2.0", "Strength lies"),
    ],
)
def test_what_cannot_be_done_ends_in_one_sentence_and_changes_nothing(
    script: Script, name: str, options: str, words: str
) -> None:
    sentence, layers = script(f"""
image = new_image(96, 96)
answer = [call({name!r}, image, [] {"," if options else ""} {options}), len(image.get_layers())]
image.delete()
""")
    assert isinstance(sentence, str) and words in sentence and "\n" not in sentence, sentence
    assert layers == 0


def test_a_call_without_an_image_says_so(script: Script) -> None:
    succeeded, sentence = script("""
procedure = Gimp.get_pdb().lookup_procedure("acetate-generate-layer")
config = procedure.create_config()
config.set_property("prompt", "a boat")
result = procedure.run(config)
answer = [result.index(0) == Gimp.PDBStatusType.SUCCESS, str(result.index(1))]
""")
    assert not succeeded and "image" in sentence.lower(), sentence


def test_a_background_is_painted_anew_for_the_layer_above_it(script: Script) -> None:
    order, first, recipe, visible, hidden = script("""
image = new_image(96, 96)
apple = add_picture(image, "apple", 8, 8, 64, 64)
(hills,) = call("acetate-fill-background", image, [apple], prompt="green hills", seed=1, steps=2)
first = about(hills)["recipe"]
(anew,) = call("acetate-regenerate-layer", image, [Gimp.Item.get_by_id(hills)], seed=8)
order, recipe = names(image), about(anew)["recipe"]
(again,) = call("acetate-repaint-layer", image, [apple], prompt="a pear", seed=2, steps=2)
visible = [apple.get_visible(), image.get_selected_layers() == [apple]]
(third,) = call(
    "acetate-repaint-layer", image, [Gimp.Item.get_by_id(again)], seed=2, steps=2, hide_source=False
)
answer = [order, first, recipe, visible, not Gimp.Item.get_by_id(again).get_visible()]
image.delete()
""")
    assert order == ["apple", "green hills"]
    assert json.loads(recipe)["mode"] == "background" and json.loads(recipe)["seed"] == 8
    assert json.loads(recipe)["inputs"] == json.loads(first)["inputs"] != {}, "of the apple"
    assert visible == [False, True], "a repainting hides its source, which stays active"
    assert not hidden, "unless it is told not to"


def test_a_layer_for_an_image_closed_meanwhile_goes_into_another(
    script: Script, folder: Path
) -> None:
    offer, gone, found = script(f"""
from pathlib import Path
import time
from acetate_bridge.panel.controller import Controller
from gi.repository import GLib
from adapter.editor import GimpEditor

def until(true):
    context, end = GLib.MainContext.default(), time.monotonic() + {LONG}
    while not true():
        assert time.monotonic() < end, panel.view.status
        context.iteration(False)
        time.sleep(0.01)

editor = GimpEditor()
panel = Controller(editor, Path({str(folder)!r}) / "closed" / "panel.json", lambda view: None)
panel.start()
image = new_image(96, 96)
panel.refresh()
panel.set_prompt("a red apple")
panel.set_field("steps", 4)
until(lambda: panel.view.can_generate)
panel.generate()
until(lambda: panel.view.running)
image.delete()
until(lambda: panel.view.offer)
offer = panel.view.offer.sentence
gone = editor.active_document() is None
other = new_image(128, 128)
panel.refresh()
panel.insert_offer()
answer = [offer, gone, about(other.get_layers()[0].get_id())]
panel.stop()
other.delete()
""")
    assert "was closed" in offer and gone
    assert found["name"] == "red apple" and (found["width"], found["height"]) == (96, 96)
    assert len(set(base64.b64decode(found["pixels"])[3::4])) > 2, "with its transparency"


def test_a_wrong_token_is_one_sentence(
    script: Script, server: RunningServer, reach: dict[str, str]
) -> None:
    with answering(server, reach, token="wrong"):
        sentence = script("""
image = new_image(96, 96)
answer = call("acetate-generate-layer", image, [], prompt="a red apple")
image.delete()
""")
    assert "does not accept this token" in sentence and "\n" not in sentence


def test_an_older_protocol_is_one_sentence(
    script: Script, server: RunningServer, reach: dict[str, str]
) -> None:
    with elder_server(server.runtime.token) as port, answering(server, reach, port=port):
        sentence = script("""
image = new_image(96, 96)
answer = call("acetate-generate-layer", image, [], prompt="a red apple")
image.delete()
""")
    assert "protocol 0" in sentence and "Update" in sentence and "\n" not in sentence


def test_no_server_and_none_to_start_is_one_sentence(
    script: Script, server: RunningServer, reach: dict[str, str]
) -> None:
    with socket.socket() as held:  # Nobody listens there, and nobody else can take it.
        held.bind(("127.0.0.1", 0))
        with answering(server, reach, port=held.getsockname()[1]):
            sentence = script("""
image = new_image(96, 96)
answer = call("acetate-generate-layer", image, [], prompt="a red apple")
image.delete()
""")
    assert "acetate serve" in sentence and "\n" not in sentence
