"""Temporary procedures of the open panel: other calls of the plug-in, and scripts, reach it so."""

from __future__ import annotations

from typing import Any, Protocol

from gi.repository import Gimp, GObject

from acetate_bridge.panel import Actions
from procedures import STATUS, TURN

_FLAGS = GObject.ParamFlags.READWRITE


class Window(Protocol):
    """What can be asked of the open panel."""

    @property
    def controller(self) -> Actions: ...

    def turn_to(self, image: Gimp.Image | None, mode: str) -> None: ...


def listen(plugin: Gimp.PlugIn, window: Window) -> None:
    """Let others reach this window as long as it is open."""
    _add_turn(plugin, window)
    _add_status(plugin, window)
    plugin.persistent_enable()


def stop_listening(plugin: Gimp.PlugIn) -> None:
    """The window is closed: the next call opens another."""
    for name in (TURN, STATUS):
        plugin.remove_temp_procedure(name)


def _add_turn(plugin: Gimp.PlugIn, window: Window) -> None:
    """A second call of a menu entry turns to the window instead of opening another."""

    def turn(
        procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, data: object
    ) -> Gimp.ValueArray:
        number = config.get_property("image-id")
        image = Gimp.Image.get_by_id(number) if Gimp.Image.id_is_valid(number) else None
        window.turn_to(image, config.get_property("mode") or "")
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)

    procedure = Gimp.Procedure.new(plugin, TURN, Gimp.PDBProcType.TEMPORARY, turn, None)
    procedure.set_documentation("Turns the open panel of Acetate to an image", "", TURN)
    procedure.add_int_argument("image-id", "Image", "Its id, or -1", -1, 2**31 - 1, -1, _FLAGS)
    procedure.add_string_argument("mode", "Mode", "What to do; empty: as it is", "", _FLAGS)
    plugin.add_temp_procedure(procedure)


def _add_status(plugin: Gimp.PlugIn, window: Window) -> None:
    """What the panel says at the moment, for scripts that follow a painter's job."""

    def status(
        procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, data: object
    ) -> Gimp.ValueArray:
        view = window.controller.view
        button = view.status.button.label if view.status.button is not None else ""
        progress = view.progress.words if view.progress is not None else ""
        offer = view.offer.sentence if view.offer is not None else ""
        values: list[Any] = [GObject.Value(Gimp.PDBStatusType.__gtype__, _SUCCESS)]
        for text in (view.status.sentence, button, progress, offer, view.sentence):
            values.append(GObject.Value(GObject.TYPE_STRING, text))
        values.append(GObject.Value(GObject.TYPE_BOOLEAN, view.running))
        return Gimp.ValueArray.new_from_values(values)

    procedure = Gimp.Procedure.new(plugin, STATUS, Gimp.PDBProcType.TEMPORARY, status, None)
    procedure.set_documentation("What the open panel of Acetate says", "", STATUS)
    for name, words in (
        ("status", "The sentence at the bottom"),
        ("button", "The words of the button beside it"),
        ("progress", "The words of the progress bar"),
        ("offer", "A result whose image was closed"),
        ("plan", "What would be painted where"),
    ):
        procedure.add_string_return_value(name, name.capitalize(), words, "", _FLAGS)
    procedure.add_boolean_return_value("running", "Running", "A job is running", False, _FLAGS)
    plugin.add_temp_procedure(procedure)


_SUCCESS = Gimp.PDBStatusType.SUCCESS
