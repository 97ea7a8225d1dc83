"""What travels with the document: the recipe of a layer, and the panel's note in the image.

The bindings take a parasite's data for signed characters, so all of it is written in ASCII.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets

from gi.repository import Gimp

from acetate_bridge.protocol.json_text import read_json

RECIPE = "acetate-recipe"
SPOT = "acetate-spot"
NOTE = "acetate-note"
MARK = "acetate-mark"
# GIMP's own name for the flag is a macro, which the bindings leave out.
_PERSISTENT = 1


def write_recipe(layer: Gimp.Layer, text: str) -> None:
    """Store a recipe with a layer that is not in the stack yet, so that no undo step is made."""
    plain = json.dumps(json.loads(text)).encode("ascii")
    layer.attach_parasite(Gimp.Parasite.new(RECIPE, _PERSISTENT, plain))


def read_recipe_text(layer: Gimp.Layer) -> str | None:
    """The recipe stored with a layer."""
    found = layer.get_parasite(RECIPE)
    return data_of(found).decode("utf-8", "replace") if found is not None else None


def write_spot(layer: Gimp.Layer, offsets: tuple[int, int]) -> None:
    """Note where a layer is inserted that is not in the stack yet."""
    plain = json.dumps(offsets).encode("ascii")
    layer.attach_parasite(Gimp.Parasite.new(SPOT, _PERSISTENT, plain))


def read_spot(layer: Gimp.Layer) -> tuple[int, int] | None:
    """Where a layer was inserted; None for one that is not Acetate's."""
    found = layer.get_parasite(SPOT)
    if found is None:
        return None
    try:
        x, y = read_json(data_of(found))
        return int(x), int(y)
    except (ValueError, TypeError):
        return None


def write_note(image: Gimp.Image, data: bytes) -> None:
    """Store bytes in an image: no undo step, as long as the parasite is not "undoable".

    The undo history is never switched off for that: the painter's strokes go on meanwhile.
    """
    if data:
        packed = base64.b64encode(data)
        image.attach_parasite(Gimp.Parasite.new(NOTE, _PERSISTENT, packed))
    elif NOTE in image.get_parasite_list():
        image.detach_parasite(NOTE)


def read_note(image: Gimp.Image) -> bytes:
    """What was stored; empty when nothing was, or when it is damaged."""
    if NOTE not in image.get_parasite_list():
        return b""
    try:
        return base64.b64decode(data_of(image.get_parasite(NOTE)), validate=True)
    except binascii.Error:
        return b""


def mark_of(image: Gimp.Image) -> str:
    """The word by which an image is known when it is opened again; empty without one."""
    if MARK not in image.get_parasite_list():
        return ""
    return data_of(image.get_parasite(MARK)).decode("ascii", "replace")


def mark(image: Gimp.Image) -> str:
    """That word, given to the image if it has none; like a note it is no change of the image."""
    if not mark_of(image):
        word = secrets.token_hex(16).encode("ascii")
        image.attach_parasite(Gimp.Parasite.new(MARK, _PERSISTENT, word))
    return mark_of(image)


def data_of(parasite: Gimp.Parasite) -> bytes:
    """The bytes of a parasite, which the versions of the bindings hand out differently."""
    data = parasite.get_data()
    return bytes(data[0] if isinstance(data, tuple) else data)
