"""What GIMP is told of this plug-in, and which room answers each call."""

from __future__ import annotations

import logging
from typing import Any

from gi.repository import Gimp, GLib, GObject

from acetate_bridge.client.discovery import data_folder, make_private
from panel_socket import Listener, ask_panel
from procedure_run import CannotPaint, paint
from procedures import MENU, PANEL, PROCEDURES, Painting, add_arguments, order_of

_BLURB = "Paints transparent layers with a diffusion model on this machine"


class Acetate(Gimp.PlugIn):
    """Menu entries open the panel; scripts get layers."""

    def do_set_i18n(self, name: str) -> bool:
        return False

    def do_query_procedures(self) -> list[str]:
        return [*PROCEDURES, PANEL]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        painting = PROCEDURES.get(name)
        kind = Gimp.PDBProcType.PLUGIN
        procedure = Gimp.ImageProcedure.new(self, name, kind, self._run, painting)
        mask = Gimp.ProcedureSensitivityMask
        procedure.set_sensitivity_mask(
            mask.ALWAYS if painting is None else mask.DRAWABLE | mask.DRAWABLES | mask.NO_DRAWABLES
        )
        procedure.set_image_types("*")
        procedure.set_menu_label(painting.label if painting else "_Open Panel")
        procedure.add_menu_path(MENU)
        blurb = painting.blurb if painting else "Opens the panel of Acetate, or brings it to front"
        procedure.set_documentation(blurb, f"{blurb}. {_BLURB}.", name)
        procedure.set_attribution("The Acetate authors", "Apache-2.0", "2026")
        if painting is not None:
            add_arguments(procedure, painting)
        return procedure

    def _run(
        self,
        procedure: Gimp.Procedure,
        run_mode: Gimp.RunMode,
        image: Gimp.Image | None,
        drawables: list[Gimp.Drawable],
        config: Gimp.ProcedureConfig,
        painting: Painting | None,
    ) -> Gimp.ValueArray:
        _keep_log()
        if painting is None or run_mode == Gimp.RunMode.INTERACTIVE:
            mode = painting.mode if painting is not None else ""
            return self._open_panel(procedure, image, mode)
        try:
            if image is None:
                raise CannotPaint("Say in which image to paint: the argument “image” is missing.")
            layers = paint(image, order_of(painting, config, drawables))
        except (CannotPaint, ValueError) as error:
            failure = GLib.Error(str(error))
            return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, failure)
        return _answer(layers)

    def _open_panel(
        self, procedure: Gimp.Procedure, image: Gimp.Image | None, mode: str
    ) -> Gimp.ValueArray:
        # An image may be closed while it is read: GIMP would tell the painter of that in a window.
        self.set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)
        if ask_panel(image=image.get_id() if image is not None else -1, mode=mode) is None:
            listener = Listener()
            # Late, as it takes a while to load.
            from widgets.window import run_panel

            run_panel(self, listener, image, mode)
        # After a success GIMP attaches the arguments to the image, which may be closed by now,
        # and which else could not undo that step.
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, None)


def _answer(layers: list[Gimp.Layer]) -> Gimp.ValueArray:
    # As texts: the bindings cannot read an array of numbers out of a result.
    ids: Any = GObject.Value(GObject.TYPE_STRV, [str(layer.get_id()) for layer in layers])
    status: Any = GObject.Value(Gimp.PDBStatusType.__gtype__, Gimp.PDBStatusType.SUCCESS)
    first: Any = GObject.Value(Gimp.Layer.__gtype__, layers[0])
    return Gimp.ValueArray.new_from_values([status, first, ids])


def _keep_log() -> None:
    """What goes wrong is for a file: GIMP would show it to the painter, word by word."""
    try:
        folder = make_private(data_folder() / "logs")
        logging.basicConfig(filename=str(folder / "gimp.log"), level=logging.WARNING)
    except OSError:
        logging.basicConfig(handlers=[logging.NullHandler()])
