"""In which image the painter is: the screen tells, or the painter is asked."""

from __future__ import annotations

import pytest

from tests.editors.gimp.conftest import Script

pytestmark = pytest.mark.slow


def test_where_nothing_tells_which_image_is_in_front_the_painter_is_asked(script: Script) -> None:
    found = script("""
from acetate_bridge.editing.editor import Insertion
from acetate_bridge.protocol.types import Image, Layer
from adapter.editor import GimpEditor
from adapter.layers import document_key

editor, answer = GimpEditor(), []

def look():
    document = editor.active_document()
    unsure = editor.attention.unsure
    answer.append("ask" if unsure else document.size.width if document is not None else 0)

look()
first = new_image(101, 50)
add_paper(first)
look()
second = new_image(102, 50)
look()
editor.attention.turn_to(second)
look()
add_paper(second)
look()
picture = Image(2, 2, bytes(16))
key = document_key(first)
editor.insert(key, Insertion((Layer(picture, name="x"),)))
editor.keep_note(key, b"a note")
look()
first.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 20, 20)
look()
look()
editor.attention.turn_to(first)
look()
second.delete()
look()
first.delete()
look()
""")
    assert found == [
        0,
        101,
        "ask",  # a script's image may have come, or the painter's own
        102,
        102,
        102,  # what we inserted ourselves was not the painter's hand
        "ask",
        "ask",  # until it is answered
        101,
        101,
        0,
    ]


def test_the_screen_tells_which_image_is_in_front(script: Script) -> None:
    found = script("""
from adapter.documents import in_front

first, second = new_image(11, 11), new_image(12, 12)
one, two = first.get_id(), second.get_id()

def front(*titles):
    image = in_front([first, second], list(titles))
    return image.get_width() if image is not None else 0

answer = [
    front(f"*[Untitled]-{two}.0 (RGB color, 1 layer) 12x12 – GIMP", f"[Untitled]-{one}.0"),
    front("Toolbox", f"a picture-{one}.3 (RGB color, profile-{two}.1) – GIMP"),
    front("GNU Image Manipulation Program"),
    front("Another program"),
]
first.delete()
second.delete()
""")
    assert found == [12, 11, 0, 0]


def test_an_image_that_is_closed_while_it_is_read_is_told_as_closed(script: Script) -> None:
    found = script("""
from acetate_bridge.editing.editor import DocumentClosed
from adapter import closing, documents
from adapter.editor import GimpEditor
from adapter.layers import document_key

# Not in a window: what is asked of a closed image is an error to GIMP.
plugin = Gimp.get_plug_in()
handler = plugin.get_pdb_error_handler()
plugin.set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)
editor, answer = GimpEditor(), []
colour_of = documents.colour_of

def closes(read):
    def closing_read(image, *rest):
        image.delete()
        return read(image, *rest)
    return closing_read

try:
    documents.colour_of = closes(colour_of)
    image = new_image(20, 20)
    answer.append(editor.active_document() is None)
    image = new_image(20, 20)
    answer.append(editor.documents())
    documents.colour_of = colour_of
    for name in ("layers", "active_layer", "selection", "note", "traces"):
        image = new_image(20, 20)
        add_paper(image)
        key = document_key(image)
        inner = getattr(GimpEditor, name).__wrapped__

        def half_way(self, document):
            found = inner(self, document)
            image.delete()
            return found

        try:
            answer.append(str(closing.of_an_open_image(half_way)(editor, key)))
        except DocumentClosed:
            answer.append("closed")
finally:
    documents.colour_of = colour_of
    plugin.set_pdb_error_handler(handler)
""")
    assert found == [True, [], *["closed"] * 5]
